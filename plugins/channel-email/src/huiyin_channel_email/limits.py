"""What a mail may be before anybody parses it; counted on the raw bytes.

The parser of the standard library recurses on nested parts and comments and takes a second for
every thousand encoded words: what is beyond these is kept and shown to a person, not parsed.
"""

from __future__ import annotations

import re
from typing import Final

LARGEST: Final = 30 * 1024 * 1024
HEADERS: Final = 64 * 1024
DEPTH: Final = 20
PARTS: Final = 200
ENCODED_WORDS: Final = 1_000
ADDRESSES: Final = 500
_ENCODED: Final = re.compile(rb"=\?[^?\s]{1,60}\?[bBqQ]\?")
_NESTS: Final = re.compile(rb"(?im)^content-type:\s*(?:multipart|message)/")
_PART: Final = re.compile(rb"(?im)^content-type:")
_BOUNDARY: Final = re.compile(rb"(?i)boundary\s*=\s*(?:\"([^\"\r\n]{1,200})\"|([^\s;\"]{1,200}))")


def head_of(raw: bytes) -> bytes:
    """The header block, cut where it gets too long."""
    ends = [at for mark in (b"\r\n\r\n", b"\n\n") if (at := raw.find(mark, 0, HEADERS + 4)) >= 0]
    return raw[: min(ends)] if ends else raw[: HEADERS + 1]


def refusal(raw: bytes) -> str:
    """Why these bytes are not parsed, a code of ``Reading.faults``, or ``""``."""
    if len(raw) > LARGEST:
        return "too_large"
    head = head_of(raw)
    if len(head) > HEADERS:
        return "headers"
    if _more(_ENCODED, raw, ENCODED_WORDS):
        return "encoded_words"
    if head.count(b"@") > ADDRESSES:
        return "addresses"
    if _more(_NESTS, raw, DEPTH):
        return "depth"
    return "parts" if _more(_PART, raw, PARTS) or _separators(raw) > PARTS else ""


def _more(pattern: re.Pattern[bytes], raw: bytes, most: int) -> bool:
    return any(number > most for number, _ in enumerate(pattern.finditer(raw), start=1))


def _separators(raw: bytes) -> int:
    boundaries = {found[1] or found[2] for found in _BOUNDARY.finditer(raw)}
    if len(boundaries) > PARTS:
        return len(boundaries)
    return sum(raw.count(b"\n--" + boundary) for boundary in boundaries)
