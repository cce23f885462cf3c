"""Reports and certificates on paper: headings, sentences and tables, as PDF.

The words come from whoever reports; this only sets them.  Equal papers give equal bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from huiyin.letters.render import Language, printable, show_date, typeset


class PaperTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table; ``widths`` are shares of the line, ``right`` the columns that hold numbers."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    right: frozenset[int] = frozenset()


class PaperCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code to be scanned: its modules by rows, dark ones ``1``; ``says`` is read aloud."""

    rows: tuple[str, ...]
    says: str


class PaperSection(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a paper: its heading, what it says, and what it counts."""

    heading: str = ""
    paragraphs: tuple[str, ...] = ()
    table: PaperTable | None = None
    code: PaperCode | None = None
    note: str = ""  # small print below


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A report or, with ``certificate``, a page to be hung on a wall."""

    title: str
    firm_name: str
    date: dt.date
    subtitle: str = ""
    number: str = ""
    language: Language = "zh"
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[PaperSection, ...] = ()
    footer: str = ""
    certificate: bool = False
    landscape: bool = False


_PAGE: dict[Language, str] = {"zh": "第 {n} 页 / 共 {of} 页", "en": "Page {n} of {of}"}


def paper_pdf(paper: Paper) -> bytes:
    """The paper as a tagged PDF/A.  Raises ``ValueError`` for a table whose rows do not fit."""
    for section in paper.sections:
        if section.table and any(
            len(row) != len(section.table.heading) for row in section.table.rows
        ):
            raise ValueError("a row has as many cells as the heading")
    moment = dt.datetime.combine(paper.date, dt.time(), dt.UTC)
    return typeset("paper", _payload(paper), moment)


def _payload(paper: Paper) -> dict[str, object]:
    def show(text: str) -> str:
        return printable(text, paper.language)

    return {
        "lang": paper.language,
        "title": show(paper.title),
        "subtitle": show(paper.subtitle),
        "firm": show(paper.firm_name),
        "number": show(paper.number),
        "date": [paper.date.year, paper.date.month, paper.date.day],
        "date_shown": show(show_date(paper.date, paper.language)),
        "rows": [[show(label), show(value)] for label, value in paper.facts],
        "sections": list(_sections(paper)),
        "footer": show(paper.footer),
        "page": _PAGE[paper.language],
        "certificate": paper.certificate,
        "landscape": paper.landscape or paper.certificate,
    }


def _sections(paper: Paper) -> Iterator[dict[str, object]]:
    def show(text: str) -> str:
        return printable(text, paper.language)

    for section in paper.sections:
        table = section.table
        yield {
            "heading": show(section.heading),
            "paragraphs": [show(text) for text in section.paragraphs],
            "note": show(section.note),
            "code": section.code and {"svg": _drawn(section.code), "says": show(section.code.says)},
            "table": table
            and {
                "heading": [show(text) for text in table.heading],
                "rows": [[show(text) for text in row] for row in table.rows],
                "widths": table.widths or (1,) * len(table.heading),
                "right": sorted(table.right),
            },
        }


_QUIET = 4  # modules of white around a code, as the standard asks


def _drawn(code: PaperCode) -> str:
    """The code as an SVG of squares; nothing but its modules gets into the drawing."""
    size = len(code.rows) + 2 * _QUIET
    squares = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(code.rows)
        for x, module in enumerate(row)
        if module == "1"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{squares}"/></svg>'
    )
