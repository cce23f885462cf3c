"""Tables in and out of files, with the files people really send."""

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from openpyxl import Workbook, load_workbook

from huiyin.kit.errors import Invalid
from huiyin.kit.tables import MOST_BYTES, harmless, read_table, write_csv, write_xlsx

HEADING = ("姓名", "金额")
EVIL = ["=1+1", "+1+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"]


def read(content, name="a.csv", columns=HEADING, **given):
    return read_table(io.BytesIO(content), name, columns, **given)


def refused(content, name="a.csv", **given):
    with pytest.raises(Invalid) as error:
        read(content, name, **given)
    return str(error.value.fields["file"])


@pytest.mark.parametrize("text", EVIL)
def test_a_spreadsheet_runs_nothing_of_ours(text):
    csv = write_csv(HEADING, [(text, 1)]).decode("utf-8-sig")
    assert csv.splitlines()[1].lstrip('"').startswith("'") or not harmless(text).startswith("=")
    sheet = load_workbook(io.BytesIO(write_xlsx({"表": (HEADING, [(text, 1)])})))["表"]
    assert sheet["A2"].data_type in {"s", "inlineStr"}


def test_numbers_below_zero_stay_numbers():
    assert harmless("-12.5") == "-12.5"


def test_what_is_written_can_be_read_again():
    rows = [("陈建国", Decimal("12.50")), ("=周岚", -3), ("", None)]
    for content, name in (
        (write_csv(HEADING, rows), "a.csv"),
        (write_xlsx({"甲": (HEADING, rows)}), "a.XLSX"),
    ):
        lines = read(content, name)
        assert [line.cells["姓名"] for line in lines] == ["陈建国", "=周岚"]
        assert Decimal(lines[0].cells["金额"]) == Decimal("12.5")
        assert [line.number for line in lines] == [2, 3]


def test_times_are_written_as_the_firm_s_clock_shows_them():
    moment = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
    content = write_csv(("时间", "日期"), [(moment, date(2026, 11, 24))]).decode("utf-8-sig")
    assert content.splitlines()[1] == "2026-11-25 04:30:00,2026-11-24"


def test_the_table_of_an_old_spreadsheet_program_is_read():
    assert read("姓名,金额\r\n陈建国,1\r\n".encode("gb18030"))[0].cells["姓名"] == "陈建国"


def test_columns_may_come_in_any_order_and_there_may_be_more():
    (line,) = read("金额,备注,姓名\n1,x,陈建国\n".encode())
    assert dict(line.cells) == {"金额": "1", "备注": "x", "姓名": "陈建国"}


def test_a_short_row_has_empty_cells():
    assert dict(read("姓名,金额\n陈建国\n".encode())[0].cells) == {"姓名": "陈建国", "金额": ""}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "缺少列"),
        ("姓名\n陈建国\n".encode(), "a.csv", "缺少列"),
        (b"\x00\x01\x02\xff\xfe", "a.csv", "无法识别"),
        (b'"' + b"x" * 200_000, "a.csv", "无法识别"),
        ('姓名,金额\n"'.encode() + b"x" * 200_000, "a.csv", "无法识别"),
        (b"PK\x03\x04 not a zip", "a.xlsx", "无法识别"),
        (b"x" * (MOST_BYTES + 1), "a.csv", "超过"),
    ],
)
def test_a_file_that_cannot_be_taken_says_what_to_do(content, name, said):
    assert said in refused(content, name)


def test_more_rows_than_may_be_are_refused_whole():
    content = ("姓名,金额\n" + "陈建国,1\n" * 11).encode()
    assert "超过 10 行" in refused(content, most=10)


def test_a_bomb_is_not_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 101_000_000)
    assert len(out.getvalue()) < MOST_BYTES
    assert "展开后过大" in refused(out.getvalue(), "a.xlsx")


def test_a_formula_in_a_file_is_read_as_what_it_showed():
    book = Workbook()
    book.active.append(list(HEADING))
    book.active.append(["陈建国", "=1+1"])
    out = io.BytesIO()
    book.save(out)
    assert read(out.getvalue(), "a.xlsx")[0].cells["金额"] == ""
