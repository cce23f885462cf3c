"""Tables in and out of files: CSV and XLSX, without formulas, within limits.

A cell that a spreadsheet would take for a formula is written as text, and read as text; a file
that unpacks to more than it may is refused before it is unpacked.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import clean
from huiyin.kit.time import local

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS: Final = 10_000
MOST_BYTES: Final = 10_000_000
MOST_UNPACKED: Final = 100_000_000
LONGEST_CELL: Final = 32_000  # characters; a spreadsheet holds 32,767
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WIDEST: Final = 60

Cell = str | int | float | Decimal | date | datetime | bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row that was read: its number in the file (the heading is 1) and its cells by column."""

    number: int
    cells: Mapping[str, str]


# -- out ---------------------------------------------------------------------------------------


def write_csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file that opens in Excel with its Chinese whole."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([harmless(cell) for cell in heading])
    for row in rows:
        writer.writerow([harmless(_plain(cell)) for cell in row])
    return ("\ufeff" + out.getvalue()).encode()


def write_xlsx(
    sheets: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Cell]]]],
) -> bytes:
    """A workbook: for each sheet's title its heading and rows.  Texts stay texts."""
    book = Workbook(write_only=True)
    for title, (heading, rows) in sheets.items():
        sheet = book.create_sheet(_sheet_title(title))
        kept = [[_cell(cell) for cell in row] for row in rows]
        sheet.freeze_panes = "A2"
        for position, name in enumerate(heading, start=1):
            texts = [name, *(str(row[position - 1]) for row in kept if len(row) >= position)]
            sheet.column_dimensions[get_column_letter(position)].width = _width(texts)
        sheet.append([_bold(sheet, name) for name in heading])
        for row in kept:
            sheet.append([_text_cell(sheet, c) if isinstance(c, str) else c for c in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def harmless(cell: str) -> str:
    """The text, so that a spreadsheet which opens it as CSV does not run it."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _number(cell) else cell


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _plain(cell: Cell) -> str:
    cell = _cell(cell)
    return "" if cell is None else str(cell)


def _cell(cell: Cell) -> Cell:
    """What a sheet can hold: times as the firm's wall clock shows them, text cut to size."""
    if isinstance(cell, datetime):
        return local(cell).replace(tzinfo=None, microsecond=0) if cell.tzinfo else cell
    if isinstance(cell, str):
        return clean(cell)[:LONGEST_CELL]
    return cell


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"  # never a formula, whatever it begins with
    return cell


def _bold(sheet: Any, text: str) -> Any:
    cell = _text_cell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _width(texts: Iterable[str]) -> int:
    """In characters; a Han character takes the room of two."""
    widest = max((sum(2 if ord(c) > 0x2E7F else 1 for c in text) for text in texts), default=8)
    return min(_WIDEST, max(8, widest + 2))


def _sheet_title(title: str) -> str:
    return "".join("·" if c in r"[]:*?/\\" else c for c in title)[:31]


# -- in ----------------------------------------------------------------------------------------


def read_table(
    file: BinaryIO, name: str, columns: Iterable[str], *, most: int = MOST_ROWS
) -> list[Line]:
    """The rows of a CSV (UTF-8 or GB 18030) or XLSX file; empty ones are passed over.

    ``columns`` are headings that must be there.  Raises ``Invalid`` at ``file`` for a file that
    is too large, cannot be read, or lacks a column.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _no(Message(N_("文件超过 {n} MB，请分几次导入"), {"n": MOST_BYTES // 1_000_000}))
    rows = _xlsx_rows(content) if name.lower().endswith(".xlsx") else _csv_rows(content)
    heading = [cell.strip() for cell in next(rows, [])]
    if missing := [column for column in columns if column not in heading]:
        raise _no(Message(N_("缺少列：{names}"), {"names": missing}))
    lines: list[Line] = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(lines) == most:
            raise _no(Message(N_("超过 {n} 行，请分几次导入"), {"n": most}))
        cells = dict.fromkeys(heading, "") | dict(zip(heading, map(_read, row), strict=False))
        lines.append(Line(number, {key: value for key, value in cells.items() if key}))
    return lines


def _read(cell: str) -> str:
    return clean(cell).strip().removeprefix("'")


def _csv_rows(content: bytes) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        try:
            yield from csv.reader(io.StringIO(text, newline=""))
        except csv.Error:  # such as a quote that nothing closes
            break
        return
    raise _no(N_("文件无法识别，请另存为 CSV（UTF-8）或 XLSX"))


def _xlsx_rows(content: bytes) -> Iterator[list[str]]:
    try:
        _check_size(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_shown(cell) for cell in row]
    except Invalid:
        raise
    except Exception as fault:  # openpyxl raises whatever a broken file makes it stumble over
        raise _no(N_("文件无法识别，请另存为 CSV（UTF-8）或 XLSX")) from fault


def _check_size(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        unpacked = sum(entry.file_size for entry in packed.infolist())
    if unpacked > MOST_UNPACKED:
        raise _no(N_("文件展开后过大，请分几次导入"))


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time().isoformat() == "00:00:00" else str(cell)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _no(message: str | Message) -> Invalid:
    return Invalid({"file": message})
