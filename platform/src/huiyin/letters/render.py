"""From a finished letter to paper and to the body of a mail.

A letter is archived for decades and its hash is what an approver signed, so the same letter is the
same bytes every time: fixed fonts, the letter's own date, no clock.  Text reaches the typesetter
only as JSON values; nothing a person wrote is ever read as markup.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Final, Literal

import msgspec
import typst

Language = Literal["zh", "en"]

MISSING_GLYPH: Final = "〓"  # the printers' sign for a character the fount does not hold
_HASH_SHOWN: Final = 16
_NUMERALS: Final = "一二三四五六七八九十"

_LABELS: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "to": "致：",
        "seal": "盖章处",
        "case": "案件编号",
        "hash": "存证校验",
        "page": "第 {n} 页 / 共 {of} 页",
        "colon": "：",
        "handler": "经办人：",
    },
    "en": {
        "to": "To: ",
        "seal": "Seal",
        "case": "Case no.",
        "hash": "Verification",
        "page": "Page {n} of {of}",
        "colon": ": ",
        "handler": "Handled by ",
    },
}


class LetterSection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a letter; only parts with a heading are numbered."""

    heading: str = ""
    paragraphs: tuple[str, ...] = ()


class LetterDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a reader will see, in one language, ready to be checked, approved and printed."""

    kind: str
    title: str
    number: str
    firm_name: str
    addressee: str
    salutation: str
    date: dt.date
    case_number: str
    language: Language = "zh"
    opening: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[LetterSection, ...] = ()
    rights: LetterSection | None = None
    closing: tuple[str, ...] = ()
    signed_by_name: str = ""
    reference_hash: str = ""

    def parts(self) -> tuple[LetterSection, ...]:
        """All parts in reading order, the reader's rights last."""
        return (*self.sections, self.rights) if self.rights else self.sections

    def texts(self) -> Iterator[str]:
        """Every sentence of the letter's body, for searching and checking."""
        yield from (self.title, self.salutation, *self.opening)
        for label, value in self.facts:
            yield f"{label}{_LABELS[self.language]['colon']}{value}"
        for part in self.parts():
            yield from (part.heading, *part.paragraphs)
        yield from self.closing


def fingerprint(document: LetterDocument) -> str:
    """SHA-256 of what the letter says, so that an approval binds these words and no others.

    The printed reference is left out: it may be this very hash.
    """
    bare = msgspec.structs.replace(document, reference_hash="")
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()


def heading_mark(position: int, language: Language) -> str:
    """The number before a heading, counted from 1: 一、 … 十一、, or 1. in English."""
    if language == "en":
        return f"{position}. "
    tens, ones = divmod(position, 10)
    text = _NUMERALS[ones - 1] if ones else ""
    if tens:
        text = (_NUMERALS[tens - 1] if tens > 1 else "") + "十" + text
    return f"{text}、"


def show_date(day: dt.date, language: Language) -> str:
    """2026 年 3 月 18 日, or 18 March 2026, never broken by the locale of the machine."""
    if language == "zh":
        return f"{day.year} 年 {day.month} 月 {day.day} 日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def numbered_parts(document: LetterDocument) -> Iterator[tuple[str, LetterSection]]:
    """Parts with the number their heading carries; a part without heading carries none."""
    position = 0
    for part in document.parts():
        if part.heading:
            position += 1
        yield heading_mark(position, document.language) if part.heading else "", part


def render_text(document: LetterDocument) -> str:
    """The letter as a mail body: same words, same order, no layout but blank lines."""
    labels = _LABELS[document.language]
    blocks = [
        document.firm_name,
        "\n".join(filter(None, (document.title, document.number))),
        document.salutation,
        *document.opening,
        "\n".join(f"{label}{labels['colon']}{value}" for label, value in document.facts),
    ]
    for mark, part in numbered_parts(document):
        blocks.extend((f"{mark}{part.heading}", *part.paragraphs))
    blocks.extend(document.closing)
    signer = f"{labels['handler']}{document.signed_by_name}" if document.signed_by_name else ""
    blocks.append(
        "\n".join(
            filter(None, (document.firm_name, signer, show_date(document.date, document.language)))
        )
    )
    blocks.append(f"-- \n{verification_line(document)}")
    return "\n\n".join(block for block in blocks if block.strip()) + "\n"


def verification_line(document: LetterDocument) -> str:
    """Case number and the head of the recorded hash, in fours, as a person would read it out."""
    labels = _LABELS[document.language]
    parts = [f"{labels['case']} {document.case_number}"]
    if document.reference_hash:
        head = document.reference_hash[:_HASH_SHOWN]
        shown = " ".join(head[i : i + 4] for i in range(0, len(head), 4))
        parts.append(f"{labels['hash']} {shown}")
    return " · ".join(parts)


def render_pdf(document: LetterDocument) -> bytes:
    """The letter as a tagged PDF/A for A4 paper; equal letters give equal bytes.

    Characters the fonts do not hold are printed as 〓 (see :func:`unprintable`), so that a rare
    name never stops a letter.
    """
    moment = dt.datetime.combine(document.date, dt.time(), dt.UTC)
    return typeset("letter", _payload(document), moment)


def typeset(form: str, values: Mapping[str, object], moment: dt.datetime) -> bytes:
    """A tagged PDF/A of ``<form>.typ``, to which ``values`` are lent as JSON under its name.

    ``moment`` (UTC) is the only time in it: equal values give equal bytes.
    """
    data = msgspec.json.encode(values).decode()
    compiler = _compiler(form)
    with _press:
        result = compiler.compile(
            format="pdf",
            sys_inputs={form: data},
            pdf_standards=["a-2a", "ua-1"],
            timestamp=moment,
        )
    if not isinstance(result, bytes):
        raise TypeError("the typesetter gave no single document")
    return result


def unprintable(text: str) -> list[str]:
    """Characters of ``text`` that no font of ours can draw, each once, in order."""
    known = _coverage()
    return list(
        dict.fromkeys(c for c in text if not c.isspace() and c not in known and not _ignorable(c))
    )


def _payload(document: LetterDocument) -> dict[str, object]:
    """Strings only, each one printable: the template adds form, never meaning."""
    language = document.language

    def show(text: str) -> str:
        return printable(text, language)

    return {
        "lang": language,
        "labels": _LABELS[language],
        "title": show(document.title),
        "number": show(document.number),
        "firm": show(document.firm_name),
        "to": show(document.addressee),
        "salutation": show(document.salutation),
        "opening": [show(text) for text in document.opening],
        "rows": [[show(label), show(value)] for label, value in document.facts],
        "parts": [
            {
                "heading": show(f"{mark}{part.heading}"),
                "paragraphs": [show(text) for text in part.paragraphs],
            }
            for mark, part in numbered_parts(document)
        ],
        "closing": [show(text) for text in document.closing],
        "signer": show(document.signed_by_name),
        "date": [document.date.year, document.date.month, document.date.day],
        "date_shown": show(show_date(document.date, language)),
        "footer": show(verification_line(document)),
    }


# Inside a date and before a unit the typesetter puts the quarter space itself, and breaks no line.
_INNER_SPACE: Final = re.compile(r"(?<=\d) (?=[年月日元万亿份])|(?<=[年月]) (?=\d)")

# A long address or digest may break, or it would run off the paper.
_LONG_RUN: Final = re.compile(r"[!-~]{46,}")
_BREAK: Final = "\N{ZERO WIDTH SPACE}"


def printable(text: str, language: Language) -> str:
    """Known characters only; dates and amounts do not break across lines."""
    known = _coverage()
    text = unicodedata.normalize("NFC", text)
    shown = "".join(
        c if c in known or c == "\n" else " " if c.isspace() else MISSING_GLYPH
        for c in text
        if not _ignorable(c)
    )
    if language == "zh":
        shown = _INNER_SPACE.sub("", shown)
    return _LONG_RUN.sub(lambda run: _BREAK.join(re.findall(".{1,30}", run[0])), shown).strip()


def _ignorable(character: str) -> bool:
    """Controls, joiners and variation selectors: they have no shape of their own."""
    if character in "\n\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} or (
        "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    )


_press: Final = Lock()  # one compiler, one letter at a time


def _folder(name: str) -> Path:
    return Path(str(files("huiyin_frontend") / name))


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(_folder("fonts"))],
    )


@cache
def _compiler(form: str) -> typst.Compiler:
    """One typesetter for each form: reading the fonts costs more than setting a letter."""
    templates = _folder("typst")
    return typst.Compiler(
        input=str(templates / f"{form}.typ"), root=str(templates), font_paths=_fonts()
    )


@cache
def _coverage() -> frozenset[str]:
    """Characters that every font of ours holds, so that any of them can be a heading."""
    held = [_characters(path.read_bytes()) for path in sorted(_folder("fonts").glob("*.ttf"))]
    return frozenset.intersection(*held)


def _characters(font: bytes) -> frozenset[str]:
    """What a font can draw, from the segments of its character map (cmap format 12)."""
    (count,) = struct.unpack_from(">H", font, 4)
    tables = {
        font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0]
        for at in range(12, 12 + 16 * count, 16)
    }
    start = tables[b"cmap"]
    (encodings,) = struct.unpack_from(">H", font, start + 2)
    found: set[str] = set()
    for at in range(start + 4, start + 4 + 8 * encodings, 8):
        table = start + struct.unpack_from(">I", font, at + 4)[0]
        if struct.unpack_from(">H", font, table)[0] != 12:
            continue
        (groups,) = struct.unpack_from(">I", font, table + 12)
        for first, last, _glyph in struct.iter_unpack(
            ">III", font[table + 16 : table + 16 + 12 * groups]
        ):
            found.update(map(chr, range(first, last + 1)))
    return frozenset(found)
