"""What each letter says, and what it leaves out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import huiyin_frontend
from huiyin import letters
from huiyin.letters.kinds import KINDS
from huiyin.letters.render import render_text
from huiyin.letters.templates import (
    LetterFacts,
    Remedies,
    amount_in_words,
    compose,
    format_number,
    show_amount,
)
from huiyin.letters.wording import LABELS, LetterKind

FACTS = LetterFacts(
    firm_name="青禾澄川私募基金管理（上海）有限公司",
    firm_short="青禾",
    case_number="TS-2026-0147",
    complainant_name="陈建国",
    honorific="先生",
    letter_number="青禾诉〔2026〕12 号",
    date=dt.date(2026, 3, 18),
    received_on=dt.date(2026, 3, 2),
    accepted_on=dt.date(2026, 3, 4),
    topic="赎回款项划付延迟",
    owner_name="沈佳宁",
    hotline="400-000-0000",
    next_date=dt.date(2026, 4, 1),
    reply_by=dt.date(2026, 3, 31),
    previous_reply_by=dt.date(2026, 3, 17),
    process="我公司调阅了合同和划款记录。\n并与托管人核对。",
    findings="实际划款晚于合同约定 6 个工作日。",
    outcome="您的投诉成立，我公司向您致歉。",
    basis="基金合同第十二条。",
    measures="已建立双人核对清单。",
    amount=Decimal("1085.83"),
    reasons="您反映的基金不由我公司管理。",
    materials="赎回申请回执",
    remedies=Remedies(
        review_by=dt.date(2026, 4, 17), forum="arbitration", dispute_body="上海国际仲裁中心"
    ),
    tracking_address="https://complain.example.cn/track",
)


def facts(**changes: object) -> LetterFacts:
    return dataclasses.replace(FACTS, **changes)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_is_complete_in_both_languages(kind, language):
    text = render_text(compose(kind, facts(language=language)))
    assert not re.search(r"[{}]", text)
    assert "TS-2026-0147" in text
    assert "12386" in text
    if language == "zh":
        assert "您" in text
        assert not re.search("[!！]|工单|初步调查|法定", text)


@pytest.mark.parametrize("kind", LetterKind)
def test_the_wording_of_english_letters_holds_no_chinese(kind):
    plain = {
        field.name: "x"
        for field in dataclasses.fields(LetterFacts)
        if isinstance(getattr(FACTS, field.name), str)
    }
    document = compose(kind, facts(**{**plain, "language": "en", "remedies": Remedies()}))
    assert not re.search(r"[\u4e00-\u9fff，。：]", render_text(document))


def test_an_acknowledgement_names_number_owner_next_date_and_routes():
    text = render_text(compose(LetterKind.ACKNOWLEDGEMENT, FACTS))
    for needed in ("TS-2026-0147", "沈佳宁", "2026 年 4 月 1 日", "12386", "调解", "仲裁"):
        assert needed in text
    assert "我公司承诺于 2026 年 4 月 1 日前告知您是否受理" in text


def test_an_answer_goes_from_process_to_rights():
    document = compose(LetterKind.ANSWER, FACTS)
    headings = [part.heading for part in document.parts()]
    assert headings == ["处理过程", "调查结论", "处理结果", "依据", "您可以选择的其他途径"]
    text = render_text(document)
    assert "人民币 1,085.83 元（大写：壹仟零捌拾伍元捌角叁分）" in text
    assert "我公司调阅了合同和划款记录。\n\n并与托管人核对。" in text


@pytest.mark.parametrize("kind", LetterKind)
def test_every_promised_date_is_named_the_firms_own(kind):
    text = render_text(compose(kind, FACTS))
    for sentence in re.split("[。\n]", text):
        if "年 3 月 31 日前" in sentence or "年 4 月 1 日前" in sentence:
            assert "承诺" in sentence or sentence.startswith(("请于", "在此之前"))


def test_an_unknown_optional_fact_takes_its_sentence_away():
    text = render_text(compose(LetterKind.ANSWER, facts(amount=None, hotline="", measures="")))
    assert "支付人民币" not in text
    assert "致电" not in text
    assert "{" not in text


def test_an_unknown_needed_fact_stays_visible():
    text = render_text(compose(LetterKind.ACCEPTANCE, facts(reply_by=None)))
    assert "我公司承诺于 {书面答复日期}前" in text
    english = render_text(compose(LetterKind.ANSWER, facts(findings="", language="en")))
    assert "{What we found}" in english


def test_an_optional_section_disappears_with_its_content():
    document = compose(LetterKind.DECLINED, facts(basis=" "))
    assert "依据" not in [part.heading for part in document.parts()]


def test_what_people_wrote_cannot_name_another_fact():
    document = compose(LetterKind.ANSWER, facts(findings="{owner_name} {amount} {nothing}"))
    assert document.sections[1].paragraphs == ("{owner_name} {amount} {nothing}",)


def test_the_route_the_contract_agreed_is_the_only_one_named():
    def routes(**remedies: object) -> str:
        document = compose(LetterKind.ANSWER, facts(remedies=Remedies(**remedies)))
        assert document.rights is not None
        return "\n".join(document.rights.paragraphs)

    arbitration = routes(forum="arbitration", dispute_body="上海国际仲裁中心")
    assert "向上海国际仲裁中心申请仲裁" in arbitration
    assert "诉讼" not in arbitration
    litigation = routes(forum="litigation", dispute_body="上海金融法院")
    assert "向上海金融法院提起诉讼" in litigation
    assert "仲裁" not in litigation
    assert "基金合同约定的争议解决方式" in routes()
    assert "基金合同约定的争议解决方式" in routes(forum="arbitration")
    assert "向中证中小投资者服务中心申请调解" in routes(mediation_body="中证中小投资者服务中心")
    assert "未参与本次处理的人员复核" in routes()


def test_without_remedies_the_letter_has_no_rights_for_the_gate_to_see():
    assert compose(LetterKind.ANSWER, facts(remedies=None)).rights is None


def test_names_are_addressed_as_the_language_does():
    assert compose(LetterKind.ANSWER, FACTS).salutation == "尊敬的陈建国先生："
    english = facts(language="en", complainant_name="Ann Lee", honorific="Ms")
    assert compose(LetterKind.ANSWER, english).salutation == "Dear Ms Ann Lee,"
    firm = facts(complainant_name="远岑投资有限公司", honorific="")
    assert compose(LetterKind.ANSWER, firm).addressee == "远岑投资有限公司"


def test_letter_numbers_follow_the_language():
    assert format_number("青禾", 2026, 12) == "青禾诉〔2026〕12 号"
    assert format_number("Qinghe", 2026, 12, "en") == "Qinghe 2026/12"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.5", "伍角整"),
        ("10", "壹拾元整"),
        ("110", "壹佰壹拾元整"),
        ("1000.05", "壹仟元零伍分"),
        ("12800.50", "壹万贰仟捌佰元伍角整"),
        ("100000", "壹拾万元整"),
        ("1200000", "壹佰贰拾万元整"),
        ("10010000", "壹仟零壹万元整"),
        ("100000001", "壹亿零壹元整"),
        ("999999999999.99", "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_amounts_in_words_as_on_a_cheque(amount, words):
    assert amount_in_words(Decimal(amount)) == words


@pytest.mark.parametrize("amount", ["-1", "1000000000000"])
def test_amounts_that_have_no_words_are_refused(amount):
    with pytest.raises(ValueError, match="no words"):
        amount_in_words(Decimal(amount))


def test_amounts_show_thousands_and_fen():
    assert show_amount(Decimal(1200000)) == "1,200,000.00"


def test_every_wording_names_only_facts_that_exist():
    lines = [
        line
        for wording in KINDS.values()
        for line in (
            *wording.opening,
            *wording.closing,
            *(line for part in wording.parts for line in part.lines),
        )
    ]
    for line in lines:
        zh, en = (set(re.findall(r"\{(\w+)\}", text)) for text in (line.zh, line.en))
        assert zh - {"amount_words"} == en
        assert zh <= set(LABELS)
    for wording in KINDS.values():
        assert {*wording.rows, *wording.must_show, *wording.promises} <= set(LABELS)


def test_every_key_of_the_slice_has_its_english():
    english = {}
    for catalogue in (Path(huiyin_frontend.__file__).parent / "locale" / "en").glob("*.po"):
        with catalogue.open("rb") as file:
            english |= {message.id: message.string for message in read_po(file) if message.id}
    source = Path(letters.__file__).parent
    keys = {label.zh for label in LABELS.values()}
    for path in source.glob("*.py"):
        keys |= set(re.findall(r'N_\(\s*"([^"]+)"\s*\)', path.read_text("utf-8")))
    assert {kind.title for kind in KINDS.values()} <= keys
    missing = sorted(key for key in keys if not english.get(key))
    assert not missing
    for key in keys:
        assert set(re.findall(r"\{\w+\}", key)) == set(re.findall(r"\{\w+\}", english[key]))
    for wording in KINDS.values():
        assert english[wording.title]
