"""Telephone numbers however they are written, and as they are compared."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from huiyin.sdk import N_, Invalid

WITHHELD: Final = frozenset(
    {"", "anonymous", "unknown", "private", "restricted", "unavailable", "withheld",
     "匿名", "未知", "保密", "未显示", "未显示号码"}
)  # fmt: skip
ODD: Final = N_("请填写 3 到 20 位的电话号码，例如 138 0000 6021 或 021-6000 0000")
_FILL: Final = re.compile(r"[\s\-‐-―().·/]+")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_SERVICE: Final = re.compile(r"[48]00\d{7}|95\d{3,6}|1[0-2]\d{1,4}")
_EXTENSION: Final = re.compile(r"(?:转|ext\.?|#|,|;ext=).*$", re.IGNORECASE)
_LONG_CODE: Final = re.compile(r"0(10|2\d)")  # area codes of three digits


def normal(typed: str) -> str:
    """``+86 138-0000-6021`` → ``13800006021``; ``""`` for a caller who shows no number.

    Numbers of other countries keep their ``+``.  Raises ``Invalid`` (``number``).
    """
    text = unicodedata.normalize("NFKC", typed).strip().lower()
    if text in WITHHELD:
        return ""
    text = text.removeprefix("tel:").removeprefix("sip:").partition("@")[0]
    if text in WITHHELD:  # sip:anonymous@anonymous.invalid
        return ""
    text = _FILL.sub("", _EXTENSION.sub("", text))
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("+86"):
        text = _home(text[3:])
    elif text.startswith("86") and _MOBILE.fullmatch(text[2:]):
        text = text[2:]
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 20):
        raise Invalid({"number": ODD})
    if text.startswith("0") and _MOBILE.fullmatch(text[1:]):
        text = text[1:]  # an old habit of dialling far mobiles
    return text


def _home(rest: str) -> str:
    if _MOBILE.fullmatch(rest) or _SERVICE.fullmatch(rest) or rest.startswith("0"):
        return rest
    return f"0{rest}"


def spellings(number: str) -> set[str]:
    """Ways in which a number that was made normal may have been typed elsewhere."""
    if not number:
        return set()
    found = {number}
    if _MOBILE.fullmatch(number):
        parts = (number[:3], number[3:7], number[7:])
        grouped = {number, " ".join(parts), "-".join(parts)}
        found |= grouped | {f"{code}{text}" for text in grouped for code in _CODES}
    elif number.startswith("0"):
        cut = 3 if _LONG_CODE.match(number) else 4
        code, rest = number[:cut], number[cut:]
        halves = {rest, f"{rest[:4]} {rest[4:]}", f"{rest[:4]}-{rest[4:]}"}
        found |= {f"{code}{sep}{half}" for sep in ("", "-", " ") for half in halves}
        found |= {f"({code}){half}" for half in halves} | {f"({code}) {half}" for half in halves}
        found |= {f"+86{sep}{number[1:]}" for sep in ("", " ", "-")}
        found |= {f"+86{sep}{code[1:]}{mid}{half}" for sep in ("", " ", "-") for mid in ("-", " ")
                  for half in halves}  # fmt: skip
    return found


_CODES: Final = ("+86", "+86 ", "+86-", "86", "0086", "0086 ", "0")


def shown(number: str) -> str:
    """As people read it aloud: 138 0000 6021, 021-6000 0000."""
    if _MOBILE.fullmatch(number):
        return f"{number[:3]} {number[3:7]} {number[7:]}"
    if number.startswith("0") and len(number) >= 10:
        cut = 3 if _LONG_CODE.match(number) else 4
        return f"{number[:cut]}-{number[cut : cut + 4]} {number[cut + 4 :]}".rstrip()
    if number[:3] in {"400", "800"} and len(number) == 10:
        return f"{number[:3]}-{number[3:6]}-{number[6:]}"
    return number
