"""Reports and certificates on paper."""

import datetime as dt
import io

import msgspec
import pytest
from pypdf import PdfReader

from huiyin.letters.paper import Paper, PaperCode, PaperSection, PaperTable, paper_pdf

TABLE = PaperTable(
    heading=("项目", "结论", "件数"), rows=(("制度", "待核实", "12"),) * 60, right=frozenset({2})
)
REPORT = Paper(
    title="检查报告",
    firm_name="青禾澄川私募",
    date=dt.date(2026, 11, 24),
    facts=(("期间", "2026 年上半年"),),
    sections=(PaperSection(heading="明细", paragraphs=("以下逐项列出",), table=TABLE, note="注"),),
)


def text_of(pdf):
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_report_says_what_it_was_given_page_after_page():
    pdf = paper_pdf(REPORT)
    reader = PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) > 1
    said = text_of(pdf)
    for words in ("检查报告", "以下逐项列出", "待核实"):
        assert words in said
    assert "项目" in reader.pages[1].extract_text()  # the heading goes with its table


def test_equal_papers_are_equal_bytes():
    assert paper_pdf(REPORT) == paper_pdf(msgspec.structs.replace(REPORT))


def test_a_certificate_is_one_page():
    pdf = paper_pdf(msgspec.structs.replace(REPORT, certificate=True, sections=()))
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    assert page.mediabox.width > page.mediabox.height


def test_words_are_never_taken_for_markup():
    evil = '#panic("x") $1$ *a* <b> \\ 〓 𠀀'
    said = text_of(paper_pdf(msgspec.structs.replace(REPORT, title=evil, sections=())))
    assert '#panic("x")' in said


def test_a_row_that_does_not_fit_is_refused():
    table = PaperTable(heading=("甲", "乙"), rows=(("一",),))
    with pytest.raises(ValueError, match="as many cells"):
        paper_pdf(msgspec.structs.replace(REPORT, sections=(PaperSection(table=table),)))


def test_a_code_stands_on_the_paper_as_it_was_given():
    code = PaperCode(rows=("101", "010", "111"), says="扫码作答")
    section = PaperSection(paragraphs=("请扫描",), code=code)
    coded = msgspec.structs.replace(REPORT, sections=(section,))
    without = msgspec.structs.replace(
        REPORT, sections=(msgspec.structs.replace(section, code=None),)
    )
    turned = msgspec.structs.replace(code, rows=("111", "010", "101"))
    other = msgspec.structs.replace(
        REPORT, sections=(msgspec.structs.replace(section, code=turned),)
    )
    assert len({paper_pdf(coded), paper_pdf(without), paper_pdf(other)}) == 3
    assert "请扫描" in text_of(paper_pdf(coded))
