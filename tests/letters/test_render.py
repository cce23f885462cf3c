"""What comes out on paper: readable, literal, complete, and the same every time."""

from __future__ import annotations

import datetime as dt
import io
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from pypdf import PdfReader

from huiyin.letters.render import (
    LetterDocument,
    LetterSection,
    fingerprint,
    heading_mark,
    render_pdf,
    render_text,
    show_date,
    unprintable,
    verification_line,
)

PARAGRAPH = (
    "经核查，您于 2025 年 6 月 10 日认购「青禾稳健一号」，金额为人民币 1,200,000.00 元。"
    "基金合同约定，赎回款项自确认之日起 7 个工作日内划付，实际划款晚于约定 6 个工作日。"
)


def letter(**changes: object) -> LetterDocument:
    document = LetterDocument(
        kind="answer",
        title="投诉处理答复书",
        number="青禾诉〔2026〕12 号",
        firm_name="青禾澄川私募基金管理（上海）有限公司",
        addressee="陈建国先生",
        salutation="尊敬的陈建国先生：",
        date=dt.date(2026, 3, 18),
        case_number="TS-2026-0147",
        opening=("您提出的投诉，我公司已经办理完毕，现答复如下。",),
        facts=(("案件编号", "TS-2026-0147"), ("投诉事项", "赎回款项划付延迟")),
        sections=(
            LetterSection(heading="处理过程", paragraphs=(PARAGRAPH,)),
            LetterSection(heading="调查结论", paragraphs=(PARAGRAPH, PARAGRAPH)),
        ),
        rights=LetterSection(heading="您可以选择的其他途径", paragraphs=("12386 服务平台。",)),
        closing=("特此答复。",),
        signed_by_name="沈佳宁",
        reference_hash="9f86d081884c7d659a2feaa0c55ad015",
    )
    return msgspec.structs.replace(document, **changes)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    """The text of all pages without any white space or invisible break."""
    text = "".join(page.extract_text() for page in read(pdf).pages)
    return "".join(text.replace("\u200b", "").split())


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_paper_holds_every_word_of_the_letter():
    document = letter()
    seen = words(render_pdf(document))
    said = [
        *(document.title, document.salutation, document.number, document.firm_name),
        *(document.opening + document.closing),
        *(text for row in document.facts for text in row),
        *(text for part in document.parts() for text in (part.heading, *part.paragraphs)),
    ]
    for text in said:
        assert squeezed(text) in seen
    assert "2026年3月18日" in seen
    assert "盖章处" in seen


def test_headings_are_numbered_in_the_letters_language():
    seen = words(render_pdf(letter()))
    places = [seen.index(mark) for mark in ("一、处理过程", "二、调查结论", "三、您可以选择")]
    assert places == sorted(places)
    assert "1.处理过程" in words(render_pdf(letter(language="en")))


@pytest.mark.parametrize(
    ("position", "mark"),
    [(1, "一、"), (9, "九、"), (10, "十、"), (11, "十一、"), (20, "二十、"), (23, "二十三、")],
)
def test_chinese_numerals_count_past_ten(position, mark):
    assert heading_mark(position, "zh") == mark


def test_the_same_letter_is_the_same_bytes_from_many_threads():
    documents = [letter(number=f"青禾诉〔2026〕{n} 号") for n in (1, 2)] * 8
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(render_pdf, documents))
    assert len(set(made)) == 2
    assert made[0::2] == [made[0]] * 8


def test_the_file_dates_itself_by_the_letter_and_not_by_the_clock():
    meta = read(render_pdf(letter())).metadata
    assert meta is not None
    assert meta.title == "投诉处理答复书"
    assert meta.author == "青禾澄川私募基金管理（上海）有限公司"
    assert meta.creation_date is not None
    assert meta.creation_date.date() == dt.date(2026, 3, 18)


@pytest.mark.parametrize(
    "hostile",
    [
        '#import "@preview/x:1.0.0": *',
        "#panic(1) *粗* _斜_ $x^2$ `code`",
        "\\ @ref <label> = 不是标题",
        '"]) #eval("1+1") [',
        "https://example.cn/a//b /* c */ // d",
        "- 一 + 二 / 三: ~ --- ... 'q'",
        '{"lang":"en"} {n} {of}',
    ],
)
def test_what_a_person_wrote_is_shown_and_never_obeyed(hostile):
    section = LetterSection(heading=hostile, paragraphs=(hostile,))
    document = letter(
        title=hostile,
        number=hostile,
        addressee=hostile,
        salutation=hostile,
        facts=((hostile, hostile),),
        sections=(section,),
        closing=(hostile,),
        case_number=hostile,
    )
    seen = words(render_pdf(document))
    assert seen.count(squeezed(hostile)) >= 9


def test_only_our_own_fonts_are_used_and_they_travel_with_the_file():
    reader = read(render_pdf(letter(closing=("Ж α 日本語 ①",))))
    names = set()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = descendant["/FontDescriptor"].get_object()
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
            names.add(str(descriptor["/FontName"]).partition("+")[2])
    assert names == {"NotoSerifSC-Regular", "NotoSansSC-Bold"}


def test_it_is_an_archival_tagged_file_in_chinese():
    reader = read(render_pdf(letter()))
    assert reader.root_object["/Lang"] in {"zh", "zh-CN"}
    assert reader.root_object["/MarkInfo"]["/Marked"]
    xmp = reader.root_object["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp


def test_a_rare_character_never_stops_a_letter():
    assert unprintable("陈𠮷国𠮷，龑😀 abc\n") == ["𠮷", "😀"]
    seen = words(render_pdf(letter(salutation="尊敬的陈𠮷国先生：", addressee="陈𠮷国")))
    assert "尊敬的陈〓国先生：" in seen


def test_invisible_and_control_characters_leave_no_mark():
    seen = words(render_pdf(letter(closing=("特\u200b此\u202e答\x00复\ufe0f。",))))
    assert "特此答复。" in seen


def test_a_long_letter_counts_its_pages():
    sections = tuple(
        LetterSection(heading=f"情况{n}", paragraphs=(PARAGRAPH,) * 4) for n in range(8)
    )
    reader = read(render_pdf(letter(sections=sections)))
    assert len(reader.pages) >= 3
    for number, page in enumerate(reader.pages, 1):
        text = squeezed(page.extract_text())
        assert f"第{number}页/共{len(reader.pages)}页" in text
        assert "案件编号TS-2026-0147·存证校验9f86d081884c7d65" in text
        assert page.mediabox.width == pytest.approx(595.276, abs=0.01)
        assert page.mediabox.height == pytest.approx(841.89, abs=0.01)


def test_the_signature_never_stands_alone_on_a_page():
    for lines in range(14, 34):
        sections = (LetterSection(heading="情况", paragraphs=("一行文字。",) * lines),)
        last = squeezed(read(render_pdf(letter(sections=sections))).pages[-1].extract_text())
        assert "特此答复。" in last
        assert "经办人：沈佳宁" in last


def test_a_long_address_breaks_before_the_edge_of_the_paper():
    address = "https://complain.example.cn/track/" + "a1b2c3d4" * 20
    pdf = render_pdf(letter(closing=(address,)))
    assert address in words(pdf)
    lines = read(pdf).pages[-1].extract_text().splitlines()
    assert max(len(line) for line in lines) < 90


def test_an_english_letter_has_english_furniture():
    document = letter(language="en", title="Written response", closing=("Yours sincerely,",))
    seen = words(render_pdf(document))
    for text in ("18March2026", "Page1of", "To:", "HandledBy", "Caseno.", "Verification"):
        assert text.lower() in seen.lower()
    assert "页" not in seen


def test_the_mail_body_says_the_same_in_the_same_order():
    text = render_text(letter())
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "青禾澄川私募基金管理（上海）有限公司"
    assert "一、处理过程" in lines
    assert "案件编号：TS-2026-0147" in lines
    order = [
        *("投诉处理答复书", "尊敬的陈建国先生：", "一、处理过程", "二、调查结论"),
        *("三、您可以选择的其他途径", "特此答复。", "经办人：沈佳宁", "2026 年 3 月 18 日"),
    ]
    assert [lines.index(line) for line in order] == sorted(lines.index(line) for line in order)
    assert lines[-1] == "案件编号 TS-2026-0147 · 存证校验 9f86 d081 884c 7d65"
    assert "\n\n\n" not in text


def test_without_a_recorded_hash_only_the_case_is_named():
    assert verification_line(letter(reference_hash="")) == "案件编号 TS-2026-0147"


def test_a_fingerprint_binds_the_words_and_not_the_printed_reference():
    document = letter()
    assert fingerprint(document) == fingerprint(letter(reference_hash="other"))
    assert fingerprint(document) != fingerprint(letter(closing=("特此函复。",)))
    restored = msgspec.json.decode(msgspec.json.encode(document), type=LetterDocument)
    assert restored == document
    assert fingerprint(restored) == fingerprint(document)


def test_dates_read_as_people_write_them():
    assert show_date(dt.date(2026, 3, 8), "zh") == "2026 年 3 月 8 日"
    assert show_date(dt.date(2026, 3, 8), "en") == "8 March 2026"
