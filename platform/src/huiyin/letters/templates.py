"""From the facts of a case to a letter in one language.

Facts are put into the wording once and never read again: what a person wrote cannot name another
fact, and a fact that is missing stays visible as ``{label}`` until somebody supplies it.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from huiyin.letters.kinds import KINDS
from huiyin.letters.render import Language, LetterDocument, LetterSection, show_date
from huiyin.letters.wording import (
    FULL_ROUTES,
    LABELS,
    ROUTES_HEADING,
    SHORT_ROUTES,
    KindWording,
    LetterKind,
    Line,
    Part,
)

__all__ = [
    "LetterFacts",
    "LetterKind",
    "Remedies",
    "amount_in_words",
    "compose",
    "format_number",
    "show_amount",
    "shown_facts",
]

Forum = Literal["", "arbitration", "litigation"]

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Remedies:
    """What the complainant may do next; ``forum`` is what the fund contract agreed, if known."""

    review_by: dt.date | None = None
    mediation_body: str = ""
    forum: Forum = ""
    dispute_body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """What a letter may say, taken from the case and from what its people wrote.

    Amounts are in yuan.  Free texts may hold several paragraphs, one a line.  ``remedies`` of
    ``None`` leaves the rights out, which the gate refuses.
    """

    firm_name: str
    firm_short: str
    case_number: str
    complainant_name: str
    letter_number: str
    date: dt.date
    received_on: dt.date
    registered_on: dt.date | None = None
    honorific: str = ""
    language: Language = "zh"
    topic: str = ""
    accepted_on: dt.date | None = None
    owner_name: str = ""
    hotline: str = ""
    next_date: dt.date | None = None
    reply_by: dt.date | None = None
    previous_reply_by: dt.date | None = None
    process: str = ""
    findings: str = ""
    outcome: str = ""
    basis: str = ""
    measures: str = ""
    amount: Decimal | None = None
    reasons: str = ""
    materials: str = ""
    remedies: Remedies | None = field(default_factory=Remedies)
    tracking_address: str = ""
    reference_hash: str = ""


def format_number(firm_short: str, year: int, sequence: int, language: Language = "zh") -> str:
    """青禾诉〔2026〕12 号; 青禾 2026/12 in English letters."""
    if language == "en":
        return f"{firm_short} {year}/{sequence}"
    return f"{firm_short}诉〔{year}〕{sequence} 号"


def compose(kind: LetterKind, facts: LetterFacts) -> LetterDocument:
    """The letter of this kind about these facts, complete or with its gaps in braces."""
    wording = KINDS[kind]
    language = facts.language
    known = shown_facts(facts)
    return LetterDocument(
        kind=kind.value,
        title=wording.title_en if language == "en" else wording.title,
        number=facts.letter_number,
        firm_name=facts.firm_name,
        addressee=_named(facts),
        salutation=_salutation(facts),
        date=facts.date,
        case_number=facts.case_number,
        language=language,
        opening=_lines(wording.opening, known, language),
        facts=_rows(wording, known, language),
        sections=_sections(wording.parts, known, language),
        rights=_rights(wording, facts.remedies, known, language),
        closing=_lines(wording.closing, known, language),
        signed_by_name=facts.owner_name,
        reference_hash=facts.reference_hash,
    )


def shown_facts(facts: LetterFacts) -> dict[str, str]:
    """Each fact as the letter prints it; unknown ones are empty."""
    shown = {}
    for name in LABELS:
        value = getattr(facts, name, None)
        if isinstance(value, dt.date):
            shown[name] = show_date(value, facts.language)
        elif isinstance(value, Decimal):
            shown[name] = show_amount(value)
        else:
            shown[name] = str(value or "").strip()
    if facts.amount is not None:
        shown["amount_words"] = amount_in_words(facts.amount)
    if facts.remedies is not None:
        remedies = facts.remedies
        shown["review_by"] = (
            show_date(remedies.review_by, facts.language) if remedies.review_by else ""
        )
        shown["mediation_body"] = remedies.mediation_body.strip()
        shown["dispute_body"] = remedies.dispute_body.strip()
    return shown


def show_amount(amount: Decimal) -> str:
    """12,800.00, always with fen."""
    return f"{amount.quantize(Decimal('0.01')):,}"


def amount_in_words(amount: Decimal) -> str:
    """12800.5 → 壹万贰仟捌佰元伍角, as it is written on a cheque; for 0 up to 9999 亿.

    Raises ``ValueError`` for negative or larger amounts.
    """
    cents = int(amount.quantize(Decimal("0.01")) * 100)
    if not 0 <= cents < 10**14:
        raise ValueError(f"no words for {amount}")
    yuan, fraction = divmod(cents, 100)
    jiao, fen = divmod(fraction, 10)
    words = f"{_integer_in_words(yuan)}元" if yuan or not fraction else ""
    if not fraction:
        return f"{words}整"
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif yuan:
        words += "零"
    return f"{words}{_DIGITS[fen]}分" if fen else f"{words}整"


_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"


def _integer_in_words(value: int) -> str:
    text = ""
    digits = str(value)
    for place, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        unit, group = place % 4, place // 4
        text += _DIGITS[int(digit)] + (("", "拾", "佰", "仟")[unit] if digit != "0" else "")
        if unit == 0 and value // 10**place % 10_000:
            text += ("", "万", "亿")[group]
    text = re.sub("零+", "零", text)
    text = re.sub("零([万亿]|$)", r"\1", text)
    return text or "零"


def _named(facts: LetterFacts) -> str:
    parts = (facts.honorific, facts.complainant_name)
    if facts.language == "en":
        return " ".join(filter(None, parts))
    return "".join(reversed(parts))


def _salutation(facts: LetterFacts) -> str:
    name = _named(facts)
    return f"Dear {name}," if facts.language == "en" else f"尊敬的{name}："


def _fill(line: Line, known: dict[str, str], language: Language) -> tuple[str, ...]:
    """The paragraphs of one line of wording; none if it is optional and lacks a fact."""
    template = line.en if language == "en" else line.zh
    names = _PLACEHOLDER.findall(template)
    if line.optional and not all(known.get(name) for name in names):
        return ()

    def value(match: re.Match[str]) -> str:
        name = match[1]
        label = LABELS[name]
        return known.get(name) or "{" + (label.en if language == "en" else label.zh) + "}"

    filled = _PLACEHOLDER.sub(value, template)
    return tuple(text for part in filled.splitlines() if (text := part.strip()))


def _lines(lines: tuple[Line, ...], known: dict[str, str], language: Language) -> tuple[str, ...]:
    return tuple(text for line in lines for text in _fill(line, known, language))


def _rows(
    wording: KindWording, known: dict[str, str], language: Language
) -> tuple[tuple[str, str], ...]:
    """The facts in a table; a row that nobody could fill is not shown."""
    labels = ((name, LABELS[name]) for name in wording.rows if known.get(name))
    return tuple(
        (label.en if language == "en" else label.zh, known[name]) for name, label in labels
    )


def _sections(
    parts: tuple[Part, ...], known: dict[str, str], language: Language
) -> tuple[LetterSection, ...]:
    sections = []
    for part in parts:
        paragraphs = _lines(part.lines, known, language)
        if paragraphs or not part.optional:
            heading = part.heading.en if language == "en" else part.heading.zh
            sections.append(LetterSection(heading=heading, paragraphs=paragraphs))
    return tuple(sections)


def _rights(
    wording: KindWording, remedies: Remedies | None, known: dict[str, str], language: Language
) -> LetterSection | None:
    """The routes open to the complainant; short where nothing has been decided yet."""
    if remedies is None:
        return None
    if wording.rights == "short":
        return LetterSection(paragraphs=_lines(SHORT_ROUTES, known, language))
    told = {**known, "forum": remedies.forum}
    if remedies.forum and remedies.dispute_body:
        told[remedies.forum] = remedies.forum
    else:
        told["forum"] = ""

    def applies(condition: str) -> bool:
        if condition.startswith("-"):
            return not told.get(condition[1:])
        return not condition or bool(told.get(condition))

    chosen = tuple(line for condition, line in FULL_ROUTES if applies(condition))
    heading = ROUTES_HEADING.en if language == "en" else ROUTES_HEADING.zh
    return LetterSection(heading=heading, paragraphs=_lines(chosen, known, language))
