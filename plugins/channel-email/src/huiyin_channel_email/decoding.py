"""Bytes of strangers as text: whatever they call it, and whatever it is."""

from __future__ import annotations

import binascii
import codecs
import unicodedata
from contextlib import suppress
from email.errors import MessageError
from email.header import decode_header
from typing import Final

# What Chinese programs call GB2312 is mostly its big successor.
_ALIASES: Final = {"gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030",
                   "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
                   "unknown-8bit": ""}  # fmt: skip
# Codecs that are no charsets of mail and take minutes for a page.
_UNFIT: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape"})
_WESTERN: Final = frozenset({"iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})
_GUESSES: Final = ("utf-8", "gb18030", "big5")


class Faults(set[str]):
    """Codes of what went wrong while reading; see ``Reading.faults``."""


def text_of(data: bytes, charset: str, faults: Faults) -> str:
    """The text, by its charset if that holds, else by the first guess that does."""
    named = charset.strip().strip("'\"").lower()
    wanted = _ALIASES.get(named, named)
    with suppress(LookupError, ValueError):
        if codecs.lookup(wanted).name.replace("_", "-") in _UNFIT:
            wanted = ""
    # Western names are what careless programs say of anything, and fit anything.
    first = ("utf-8", wanted) if wanted in _WESTERN else (wanted,)
    for name in (*first, *_GUESSES):
        with suppress(LookupError, UnicodeError, ValueError):
            return data.decode(name or "utf-8").removeprefix("\ufeff")
    faults.add("charset")
    with suppress(LookupError, UnicodeError, ValueError):
        return data.decode(wanted, "replace")
    return data.decode("gb18030", "replace")


def header_text(value: str, faults: Faults) -> str:
    """A header as people read it: on one line, encoded words decoded, raw bytes guessed."""
    value = value.replace("\r", "").replace("\n", " ")
    if any("\udc80" <= c <= "\udcff" for c in value):
        value = text_of(value.encode("utf-8", "surrogateescape"), "", faults)
    try:
        parts = decode_header(value)
    except (MessageError, binascii.Error, ValueError):
        faults.add("defects")
        return one_line(value)
    pieces = [
        text_of(part, charset or "", faults) if isinstance(part, bytes) else part
        for part, charset in parts
    ]
    return one_line("".join(pieces))


def one_line(text: str) -> str:
    """Without line ends, controls and direction marks: nothing that could begin a new header."""
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    return " ".join("".join(c for c in kept if unicodedata.category(c) != "Cf").split())
