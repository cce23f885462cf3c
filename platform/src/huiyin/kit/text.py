"""Cleaning what comes in, masking what goes out."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_KEEP: Final = {"\n", "\t"}
_BIDI: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def clean(text: str) -> str:
    """NFC, unix line ends, no control or direction-changing characters, no outer blanks."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.translate(_BIDI)
    kept = (c for c in text if c in _KEEP or unicodedata.category(c) not in {"Cc", "Cs", "Cn"})
    return "".join(kept).strip()


def storable(text: str) -> str:
    """Without what no text of the database can hold: NUL, and halves of a pair of surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def whole(text: str, *, most: int = 9) -> int | None:
    """The number that up to ``most`` ASCII digits make, else ``None``: ``int`` also takes signs
    and other scripts, ``isdigit`` also ``²``, and thousands of digits are an error."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= most else None


def mask_name(name: str) -> str:
    """陈建国 → 陈*国, 张三 → 张*, Ann Lee → A**."""
    name = name.strip()
    if not name:
        return ""
    if name.isascii():
        return f"{name[0]}**"
    return f"{name[0]}*" if len(name) <= 2 else f"{name[0]}*{name[-1]}"


def mask_phone(phone: str) -> str:
    """13800006021 → 138 **** 6021; short numbers keep their last two digits."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) >= 11:
        return f"{digits[-11:-8]} **** {digits[-4:]}"
    return f"{'*' * max(len(digits) - 2, 0)}{digits[-2:]}"


def mask_email(email: str) -> str:
    """ann@example.com → a***@example.com."""
    name, _, host = email.partition("@")
    return f"{name[:1]}***@{host}" if host else mask_name(email)


_SECRETS: Final = (
    (re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dXx])(?!\d)"), r"\1********\2"),
    (re.compile(r"(?<!\d)(\d{4})\d{8,11}(\d{4})(?!\d)"), r"\1 **** \2"),
    (re.compile(r"(?<!\d)(1\d{2})\d{4}(\d{4})(?!\d)"), r"\1****\2"),
)


def mask_numbers(text: str) -> str:
    """Hide identity, card and mobile numbers inside free text."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text
