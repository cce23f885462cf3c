"""The gate: what it stops, what it questions, what it lets pass."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from huiyin.letters.checks import LetterFinding, blocks, check_letter
from huiyin.letters.phrases import Verdict, deadline_as_law, promises
from huiyin.letters.render import LetterDocument, LetterSection
from huiyin.letters.templates import LetterFacts, Remedies, compose
from huiyin.letters.wording import LetterKind

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
    process="我公司调阅了合同和划款记录。",
    findings="实际划款晚于合同约定 6 个工作日。",
    outcome="您的投诉成立，我公司向您致歉。",
    basis="基金合同第十二条。",
    measures="已建立双人核对清单。",
    amount=Decimal("1085.83"),
    reasons="您反映的基金不由我公司管理。",
    materials="赎回申请回执",
    remedies=Remedies(review_by=dt.date(2026, 4, 17)),
)


def facts(**changes: object) -> LetterFacts:
    return dataclasses.replace(FACTS, **changes)


def codes(findings: list[LetterFinding], severity: str = "block") -> set[str]:
    return {finding.code for finding in findings if finding.severity == severity}


def answer(**changes: object) -> list[LetterFinding]:
    """Findings on the answer these facts make."""
    given = facts(**changes)
    return check_letter(compose(LetterKind.ANSWER, given), given)


def edited(**changes: object) -> list[LetterFinding]:
    """Findings on an answer that somebody changed after it was composed."""
    document: LetterDocument = msgspec.structs.replace(compose(LetterKind.ANSWER, FACTS), **changes)
    return check_letter(document, FACTS)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", LetterKind)
def test_our_own_wording_passes(kind, language):
    given = facts(language=language)
    assert check_letter(compose(kind, given), given) == []


STATED = (
    "我公司保本",
    "我公司保\u200b本",
    "我公司保 本",
    "本基金不仅保本，还有收益",
    "无条件保本",
    "未来我公司保本",
    "不会不保本",
    "不收取任何管理费且保本",
    "我公司不收费保本",
    "不承诺固定收益并承诺保本",
    "我公司虽未收费，但保证收益",
    "您反映的问题已查清，我公司承诺保本",
    "我公司承诺年化 8% 的收益",
    "我公司确保您的本金安全",
    "承诺本金不受损失",
    "资金绝不会亏损",
    "年化收益率不低于 6%",
    "最低收益为 5%",
    "本产品零风险",
    "刚性兑付",
    "由我公司兜底",
    "稳赚不赔",
    "亏损由我公司承担",
    "We guarantee returns of 5%.",
    "Your capital is guaranteed.",
    "This is a risk-free product.",
    "We do not guarantee principal, and we guarantee returns.",
)
DENIED = (
    "我公司不承诺保本",
    "本基金不保本、不保收益，亦不承诺最低收益",
    "不得向投资者承诺投资本金不受损失，或者承诺最低收益",
    "我公司从未作出保本或者最低收益的承诺",
    "经查，销售人员不存在承诺保本的情形",
    "未承诺保本和最低收益",
    "信息披露不得含有保本、刚兑等表述",
    "投资并非没有风险",
    "We do not guarantee principal or returns.",
    "The product was never risk-free.",
)
REPORTED = (
    "您反映销售人员承诺保本保收益",
    "关于是否承诺保本的问题",
    "基金合同约定年化收益率不低于 8% 的部分计提业绩报酬",
    "You state that he guaranteed the return.",
)
HARMLESS = (
    "保证金已经退还",
    "确保本次整改到位",
    "将保障您的合法权益",
    "我公司承诺于 4 月 1 日前完成",
    "合同中的兜底条款",
    "确保信息披露准确",
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        *((text, Verdict.STATED) for text in STATED),
        *((text, Verdict.DENIED) for text in DENIED),
        *((text, Verdict.REPORTED) for text in REPORTED),
        *((text, None) for text in HARMLESS),
    ],
)
def test_a_promise_is_known_by_its_clause(text, verdict):
    verdicts = {hit.verdict for hit in promises(text)}
    if verdict is Verdict.STATED:
        assert Verdict.STATED in verdicts
    else:
        assert verdicts == ({verdict} if verdict else set())


def test_a_promise_stops_the_letter_wherever_it_stands():
    assert "promise" in codes(answer(outcome="我公司承诺保本。"))
    assert "promise" in codes(edited(closing=("我公司保证收益。",)))
    assert "promise" in codes(edited(facts=(("处理", "零风险"),)))
    findings = answer(outcome="我公司承诺保本。")
    assert findings[0].severity == "block"
    assert findings[0].message.params["words"] == "保本"
    assert "承诺保本" in findings[0].excerpt


def test_a_reported_promise_asks_for_a_second_look():
    findings = answer(findings="您反映销售人员承诺保本，经查情况属实。")
    assert codes(findings) == set()
    assert codes(findings, "warn") == {"promise_reported"}
    assert not blocks(findings)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("该日期为法定时限", True),
        ("我公司将依法在 10 个工作日内答复", True),
        ("按照法律规定于 30 日内答复", True),
        ("This is a statutory deadline", True),
        ("该日期并非法定时限", False),
        ("公司承诺的时限为 10 个工作日", False),
        ("您可以依法提起诉讼", False),
    ],
)
def test_a_deadline_is_never_shown_as_law(text, found):
    assert bool(list(deadline_as_law(text))) is found
    assert ("deadline_as_law" in codes(answer(basis=text))) is found


def test_a_letter_without_rights_stays_here():
    assert "rights_missing" in codes(answer(remedies=None))
    assert "rights_missing" in codes(edited(rights=LetterSection(paragraphs=(" ",))))


@pytest.mark.parametrize("gone", ["复核", "12386", "调解", "仲裁"])
def test_each_route_must_be_told(gone):
    rights = compose(LetterKind.ANSWER, FACTS).rights
    assert rights is not None
    left = tuple(text for text in rights.paragraphs if gone not in text)
    findings = edited(rights=LetterSection(heading=rights.heading, paragraphs=left))
    assert "route_missing" in codes(findings)


def test_the_person_the_firm_and_the_numbers_are_those_of_the_case():
    assert "name_mismatch" in codes(edited(salutation="尊敬的陈建军先生："))
    assert "name_mismatch" in codes(edited(addressee="王芳"))
    assert "name_mismatch" in codes(answer(complainant_name=""))
    assert "identity_mismatch" in codes(edited(firm_name="青禾资产"))
    assert "identity_mismatch" in codes(edited(case_number="TS-2026-0148"))
    assert "identity_mismatch" in codes(edited(number="青禾诉〔2026〕13 号"))
    assert "identity_mismatch" in codes(answer(letter_number=""))


def test_dates_in_the_letter_are_those_of_the_case():
    shorter = facts(reply_by=dt.date(2026, 4, 11))
    stale = compose(LetterKind.ACCEPTANCE, facts(reply_by=dt.date(2026, 4, 1)))
    assert "date_mismatch" in codes(check_letter(stale, shorter))
    assert "date_mismatch" in codes(edited(date=dt.date(2026, 3, 19)))


def test_a_longer_number_does_not_stand_for_a_shorter_one():
    given = facts(language="en", reply_by=dt.date(2026, 4, 1), next_date=None)
    wrong = compose(
        LetterKind.ACCEPTANCE, dataclasses.replace(given, reply_by=dt.date(2026, 4, 21))
    )
    assert "date_mismatch" in codes(check_letter(wrong, given))
    outcome = LetterSection(heading="处理结果", paragraphs=("支付人民币 21,085.83 元",))
    assert "amount_mismatch" in codes(edited(sections=(outcome,)))


def test_days_must_come_in_an_order_that_can_be_true():
    assert "date_order" in codes(answer(received_on=dt.date(2026, 3, 19), accepted_on=None))
    assert "promise_in_past" in codes(answer(next_date=dt.date(2026, 3, 18)))
    late = Remedies(review_by=dt.date(2026, 3, 1))
    assert "promise_in_past" in codes(answer(remedies=late))


def test_the_amount_is_the_approved_one_in_figures_and_words():
    def decided(text: str) -> list[LetterFinding]:
        section = LetterSection(heading="处理结果", paragraphs=(text,))
        return edited(sections=(section,))

    right = "支付人民币 1,085.83 元（大写：壹仟零捌拾伍元捌角叁分）。"
    assert decided(right) == []
    assert "amount_mismatch" in codes(decided("支付人民币 1,085.38 元。"))
    assert "amount_mismatch" in codes(decided(right.replace("叁分", "贰分")))
    assert "amount_other" in codes(decided(right + "另付 ¥2 万。"), "warn")
    assert "amount_other" in codes(answer(amount=None, outcome="支付 500 元。"), "warn")


def test_empty_sections_are_named():
    findings = edited(sections=(LetterSection(heading="调查结论", paragraphs=("  ",)),))
    empty = [f for f in findings if f.code == "section_empty"]
    assert [f.message.params["heading"] for f in empty] == ["调查结论"]
    assert "section_empty" in codes(edited(facts=(("投诉事项", ""),)))
    assert "opening_empty" in codes(edited(opening=()))


@pytest.mark.parametrize(
    "left", ["{调查结论}", "××", "某XX公司", "____", "【待填写】", "日期待定", "〔〕", "{}", "TBD"]
)
def test_nothing_unfilled_leaves_the_house(left):
    assert "placeholder" in codes(answer(findings=f"经查，{left}。"))


@pytest.mark.parametrize(
    "fine", ["138****6021", "陈*国", "等待定期报告", "6×7", "IXXI", "【2026】"]
)
def test_ordinary_marks_are_no_gaps(fine):
    assert "placeholder" not in codes(answer(findings=f"经查，{fine}。"))


def test_a_missing_fact_is_a_gap():
    assert "placeholder" in codes(answer(findings=""))


def test_whole_personal_numbers_are_questioned_but_not_the_hotline():
    assert "personal_number" in codes(answer(findings="手机 13800006021。"), "warn")
    assert "personal_number" not in codes(answer(hotline="13800006021"), "warn")


def test_characters_without_a_shape_are_named():
    findings = answer(complainant_name="陈𠮷国")
    missing = [f for f in findings if f.code == "glyph_missing"]
    assert missing[0].message.params == {"characters": "𠮷"}
    assert not blocks(findings)


def test_words_of_the_house_are_questioned():
    assert "internal_word" in codes(answer(process="经初步调查，工单已转交。"), "warn")


def test_blocking_findings_come_first_and_none_twice():
    findings = answer(findings="手机 13800006021，待定，待定。我公司保本。我公司保本。")
    order = [finding.severity for finding in findings]
    assert order == sorted(order)
    keys = [(f.code, str(f.message), f.excerpt) for f in findings]
    assert len(keys) == len(set(keys))
