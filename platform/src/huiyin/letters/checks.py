"""The gate a letter passes before it is sent.

A letter that promises principal or return, forgets the reader's rights, or names the wrong person,
date or amount does more harm than a late one.  The gate reads the letter as it will be read: after
people have edited it, against the facts of the case.  It would rather stop a harmless sentence than
pass a promise; the drafter rewords it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import mask_numbers
from huiyin.letters.kinds import KINDS
from huiyin.letters.phrases import Verdict, deadline_as_law, internal_words, promises
from huiyin.letters.render import LetterDocument, show_date, unprintable
from huiyin.letters.templates import LetterFacts, amount_in_words, shown_facts
from huiyin.letters.wording import LABELS, LetterKind

Severity = Literal["block", "warn"]
_EXCERPT: Final = 40


@dataclass(frozen=True, slots=True)
class LetterFinding:
    """One thing to mend (``block``) or to look at again (``warn``), with the words it is about."""

    code: str
    message: Message
    severity: Severity
    excerpt: str = ""


def blocks(findings: Iterable[LetterFinding]) -> bool:
    """Whether the letter must stay here."""
    return any(finding.severity == "block" for finding in findings)


def check_letter(document: LetterDocument, facts: LetterFacts) -> list[LetterFinding]:
    """Everything the gate has to say, blocking findings first; an empty list lets it pass."""
    found = [finding for check in CHECKS for finding in check(document, facts)]
    unique = {(f.code, str(f.message), f.excerpt): f for f in found}
    return sorted(unique.values(), key=lambda f: f.severity != "block")


def _promised(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    for text in document.texts():
        for hit in promises(text):
            if hit.verdict is Verdict.STATED:
                message = Message(
                    N_("含有保本或者收益承诺「{words}」，请删除或者改写"), {"words": hit.words}
                )
                yield LetterFinding("promise", message, "block", _around(text, hit.words))
            elif hit.verdict is Verdict.REPORTED:
                message = Message(
                    N_("转述中出现「{words}」，请确认不会被理解为公司承诺"), {"words": hit.words}
                )
                yield LetterFinding("promise_reported", message, "warn", _around(text, hit.words))


def _as_law(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    for text in document.texts():
        for words in deadline_as_law(text):
            message = Message(
                N_("「{words}」把时限写成了法律规定，请改为公司承诺的时限"), {"words": words}
            )
            yield LetterFinding("deadline_as_law", message, "block", _around(text, words))


def _rights(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    told = " ".join(document.rights.paragraphs) if document.rights else ""
    if not told.strip():
        message = Message(N_("缺少其他途径的说明，请写明复核、12386、调解和合同约定的途径"))
        yield LetterFinding("rights_missing", message, "block")
        return
    full = KINDS[LetterKind(document.kind)].rights == "full"
    for name, words in ROUTES:
        if (full or name != _REVIEW) and not any(word in told.lower() for word in words):
            message = Message(N_("其他途径中没有写明「{route}」，请补上"), {"route": Message(name)})
            yield LetterFinding("route_missing", message, "block")


_REVIEW: Final = N_("复核")
ROUTES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (_REVIEW, ("复核", "review")),
    ("12386", ("12386",)),
    (N_("调解"), ("调解", "mediat")),
    (N_("合同约定的仲裁或者诉讼"), ("仲裁", "诉讼", "arbitrat", "litigat", "court")),
)


def _identity(document: LetterDocument, facts: LetterFacts) -> Iterator[LetterFinding]:
    """The people and numbers on the face of the letter are those of the case."""
    name = facts.complainant_name
    for shown in (document.addressee, document.salutation):
        if not name or name not in shown:
            message = Message(N_("收信人姓名与案件不一致，应为「{name}」"), {"name": name})
            yield LetterFinding("name_mismatch", message, "block", shown)
    pairs = (
        (N_("公司名称"), document.firm_name, facts.firm_name),
        (N_("案件编号"), document.case_number, facts.case_number),
        (N_("发文字号"), document.number, facts.letter_number),
    )
    for label, shown, wanted in pairs:
        if shown != wanted or not wanted:
            message = Message(
                N_("{label}与案件不一致，应为「{value}」"),
                {"label": Message(label), "value": wanted},
            )
            yield LetterFinding("identity_mismatch", message, "block", shown)


def _must_show(document: LetterDocument, facts: LetterFacts) -> Iterator[LetterFinding]:
    """Facts the reader must find, in the form the letter prints them."""
    body = _squeezed("\n".join(document.texts()))
    known = shown_facts(facts)
    for name in KINDS[LetterKind(document.kind)].must_show:
        value = known[name]
        exactly = rf"(?<![\d,.]){re.escape(_squeezed(value))}(?!\d)"
        if value and not re.search(exactly, body):
            code = "amount_mismatch" if name == "amount" else "fact_mismatch"
            if isinstance(getattr(facts, name), dt.date):
                code = "date_mismatch"
            message = Message(
                N_("正文没有写明{label}「{value}」，请与案件核对"),
                {"label": Message(LABELS[name].zh), "value": value},
            )
            yield LetterFinding(code, message, "block")


def _dates(document: LetterDocument, facts: LetterFacts) -> Iterator[LetterFinding]:
    """Days in an order that can be true."""
    if document.date != facts.date:
        message = Message(
            N_("落款日期与案件不一致，应为「{day}」"), {"day": show_date(facts.date, "zh")}
        )
        yield LetterFinding("date_mismatch", message, "block")
    for earlier, later in (("received_on", "accepted_on"), ("received_on", "date")):
        first, second = getattr(facts, earlier), getattr(facts, later)
        if first and second and second < first:
            message = Message(N_("日期早于收到投诉的日期，请与案件核对"))
            yield LetterFinding("date_order", message, "block", show_date(second, "zh"))
    named = {name: getattr(facts, name) for name in KINDS[LetterKind(document.kind)].promises}
    named["review_by"] = facts.remedies.review_by if facts.remedies else None
    for name, day in named.items():
        if day and day <= document.date:
            message = Message(
                N_("承诺的{label}不晚于发函日期，请重新确定"), {"label": Message(LABELS[name].zh)}
            )
            yield LetterFinding("promise_in_past", message, "block", show_date(day, "zh"))


_YUAN: Final = re.compile(
    r"(?:人民币|RMB|CNY|[¥￥])\s*([\d,，]+(?:\.\d+)?)\s*(万|亿)?|([\d,，]+(?:\.\d+)?)\s*(万|亿)?元"
)
_IN_WORDS: Final = re.compile(r"大写[：:]?\s*([零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整]+)")
_SCALE: Final = {"": Decimal(1), "万": Decimal(10_000), "亿": Decimal(100_000_000)}


def _amounts(document: LetterDocument, facts: LetterFacts) -> Iterator[LetterFinding]:
    """Where the firm says what it pays, no other sum than the approved one goes unseen."""
    if document.kind != LetterKind.ANSWER:
        return
    headings = {"处理结果", "Our decision"}
    for section in document.sections:
        if section.heading not in headings:
            continue
        for text in section.paragraphs:
            for match in _YUAN.finditer(text):
                if _yuan(match) != facts.amount:
                    message = Message(N_("处理结果中的金额与批准的金额不同，请核对"))
                    yield LetterFinding("amount_other", message, "warn", match[0])
            for match in _IN_WORDS.finditer(text):
                if facts.amount is None or match[1] != amount_in_words(facts.amount):
                    message = Message(N_("大写金额与批准的金额不同，请改正"))
                    yield LetterFinding("amount_mismatch", message, "block", match[1])


def _yuan(match: re.Match[str]) -> Decimal:
    digits, scale = (match[1], match[2]) if match[1] else (match[3], match[4])
    plain = digits.replace(",", "").replace("，", "").strip(".")
    return Decimal(plain or 0) * _SCALE[scale or ""]


def _empty(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    for section in document.parts():
        if not any(text.strip() for text in section.paragraphs):
            heading = section.heading or document.title
            message = Message(N_("「{heading}」没有内容，请补充"), {"heading": heading})
            yield LetterFinding("section_empty", message, "block")
    for label, value in document.facts:
        if not value.strip():
            message = Message(N_("「{heading}」没有内容，请补充"), {"heading": label})
            yield LetterFinding("section_empty", message, "block")
    if not any(text.strip() for text in document.opening):
        message = Message(N_("缺少开头，请说明这封信所答复的投诉"))
        yield LetterFinding("opening_empty", message, "block")


PLACEHOLDERS: Final = re.compile(
    r"\{[^{}\n]{0,40}\}|×{2,}|＊{2,}|(?<![A-Za-z0-9])[xX]{2,}(?![A-Za-z0-9])|_{2,}|＿+|〔\s*〕"
    r"|【[^】]{0,20}(?:填|补充|待)[^】]{0,20}】|待填写?|(?<!等)待定(?!期)|\b(?:TBD|TBC)\b"
)


def _placeholders(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    named = (document.number, document.addressee, document.firm_name, document.case_number)
    for text in (*document.texts(), *named):
        for match in PLACEHOLDERS.finditer(text):
            message = Message(N_("「{words}」尚未填写，请补充"), {"words": match[0]})
            yield LetterFinding("placeholder", message, "block", _around(text, match[0]))


def _private(document: LetterDocument, facts: LetterFacts) -> Iterator[LetterFinding]:
    for text in document.texts():
        bare = text.replace(facts.hotline, "") if facts.hotline else text
        if mask_numbers(bare) != bare:
            message = Message(N_("出现完整的证件、银行卡或者手机号码，请遮盖中间几位"))
            yield LetterFinding("personal_number", message, "warn", mask_numbers(bare)[:_EXCERPT])


def _glyphs(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    printed = "".join((document.addressee, document.number, document.firm_name, *document.texts()))
    missing = unprintable(printed)
    if missing:
        message = Message(
            N_("「{characters}」没有字形，打印时以〓代替，请改用其他写法或者手写补上"),
            {"characters": "".join(missing)},
        )
        yield LetterFinding("glyph_missing", message, "warn")


def _tone(document: LetterDocument, _facts: LetterFacts) -> Iterator[LetterFinding]:
    for text in document.texts():
        for words in internal_words(text):
            message = Message(
                N_("「{words}」是内部用语，请换成投资者看得懂的说法"), {"words": words}
            )
            yield LetterFinding("internal_word", message, "warn", _around(text, words))


Check = Callable[[LetterDocument, LetterFacts], Iterator[LetterFinding]]
CHECKS: Final[tuple[Check, ...]] = (
    _promised,
    _as_law,
    _rights,
    _identity,
    _must_show,
    _dates,
    _amounts,
    _empty,
    _placeholders,
    _private,
    _glyphs,
    _tone,
)


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def _around(text: str, words: str) -> str:
    """The words with a little of what surrounds them."""
    at = max(text.find(words), 0)
    start = max(at - _EXCERPT // 2, 0)
    return text[start : at + len(words) + _EXCERPT // 2]
