"""A questionnaire as data: sections, questions, conditions, two languages.

A condition looks back only, at a question that stands before it; so no path through a
questionnaire can come round to where it has been.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from huiyin.sdk import N_, Invalid, Message
from huiyin_survey_satisfaction.wording import PIPES, RANGES, UNNAMED, QuestionKind

MOST_SECTIONS: Final = 20
MOST_QUESTIONS: Final = 60
MOST_OPTIONS: Final = 20
LONGEST: Final = 300
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")
_PIPE: Final = re.compile(r"\{([^{}]*)\}")
NUMBERS: Final = frozenset(RANGES) - {QuestionKind.MATRIX.value}
WITH_OPTIONS: Final = frozenset({QuestionKind.CHOICE.value, QuestionKind.CHOICES.value})
# What a condition can ask about.
ASKABLE: Final = NUMBERS | WITH_OPTIONS


class Words(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text in both languages; what has no English is shown in Chinese."""

    zh: str = ""
    en: str = ""

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)

    def say(self, language: str, pipes: Mapping[str, str] | None = None) -> str:
        """The text in a language, with what it is given from the case."""
        text = (self.en or self.zh) if language == "en" else (self.zh or self.en)
        known = {**UNNAMED.get(language, UNNAMED["zh"]), **(pipes or {})}
        return _PIPE.sub(lambda found: known.get(found[1], ""), text)


class Option(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer to choose; ``low`` asks for a review whatever the score."""

    code: str
    words: Words
    low: bool = False


class Condition(msgspec.Struct, frozen=True):
    """Shown only if that question was answered with one of these values."""

    question: str
    values: tuple[str, ...]

    def holds(self, answers: Mapping[str, Any]) -> bool:
        given = answers.get(self.question)
        chosen = given if isinstance(given, list) else [given]
        return any(str(value) in self.values for value in chosen if value not in (None, ""))


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    code: str
    kind: QuestionKind
    title: Words
    hint: Words = Words()
    required: bool = False
    options: tuple[Option, ...] = ()  # of a choice; the lines of a matrix
    when: Condition | None = None
    rating: bool = False  # what the score of the whole answer is made of

    @property
    def range(self) -> tuple[int, int]:
        return RANGES[self.kind.value]

    def values(self) -> list[str]:
        """Everything that can be chosen, the best first where there is a best."""
        if self.kind.value in RANGES:
            low, high = self.range
            return [str(n) for n in range(high, low - 1, -1)]
        return [option.code for option in self.options]


class Section(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page on the phone."""

    code: str
    title: Words = Words()
    questions: tuple[Question, ...] = ()
    when: Condition | None = None


class Design(msgspec.Struct, frozen=True, omit_defaults=True):
    intro: Words = Words()
    thanks: Words = Words()
    sections: tuple[Section, ...] = ()

    def questions(self) -> Iterator[Question]:
        for section in self.sections:
            yield from section.questions

    def question(self, code: str) -> Question | None:
        return next((q for q in self.questions() if q.code == code), None)


def read(data: Mapping[str, Any]) -> Design:
    return msgspec.convert(data, Design)


def written(design: Design) -> dict[str, Any]:
    kept: dict[str, Any] = msgspec.to_builtins(design)
    return kept


# -- what may be published --------------------------------------------------------------------


def faults(design: Design) -> list[Message]:
    """Everything that keeps a questionnaire from being published, in its own order."""
    return list(_faults(design))


def check(found: Iterable[Message]) -> None:
    """Raises ``Invalid`` with everything that was found and must be mended."""
    if mend := {f"fault-{n}": message for n, message in enumerate(found, start=1)}:
        raise Invalid(mend)


def _faults(design: Design) -> Iterator[Message]:
    questions = list(design.questions())
    if not questions:
        yield Message(N_("请至少加入一道题"))
    if len(design.sections) > MOST_SECTIONS or len(questions) > MOST_QUESTIONS:
        yield Message(
            N_("最多 {pages} 页、{n} 道题，请精简"), {"pages": MOST_SECTIONS, "n": MOST_QUESTIONS}
        )
    codes: set[str] = set()
    before: dict[str, Question] = {}
    for section in design.sections:
        yield from _condition(section.when, before, section.title.zh or section.code)
        if not section.questions:
            yield Message(
                N_("「{name}」没有题目，请加入题目或删除这一页"), {"name": _name(section)}
            )
        for question in section.questions:
            if question.code in codes or not _CODE.fullmatch(question.code):
                yield Message(N_("题目代码 {code} 重复或不合规，请修改"), {"code": question.code})
            codes.add(question.code)
            yield from _question(question)
            yield from _condition(question.when, before, question.title.zh)
            before[question.code] = question
    if sum(q.rating for q in questions) > 1:
        yield Message(N_("只能有一道题作为总评分"))


def _name(section: Section) -> str:
    return section.title.zh or section.code


def _question(question: Question) -> Iterator[Message]:
    name = {"name": question.title.zh or question.code}
    if not question.title.zh:
        yield Message(N_("题目 {name} 没有中文题面，请填写"), name)
    for text in (question.title, question.hint, *(o.words for o in question.options)):
        for said in (text.zh, text.en):
            if len(said) > LONGEST:
                yield Message(N_("「{name}」有文字超过 {n} 字，请精简"), {**name, "n": LONGEST})
            for pipe in _PIPE.findall(said):
                if pipe not in PIPES:
                    yield Message(N_("「{name}」引用了没有的内容 {pipe}"), {**name, "pipe": pipe})
    yield from _options(question, name)


def _options(question: Question, name: Mapping[str, str]) -> Iterator[Message]:
    if question.kind.value in WITH_OPTIONS and len(question.options) < 2:
        yield Message(N_("「{name}」至少要有两个选项"), name)
    if question.kind is QuestionKind.MATRIX and not question.options:
        yield Message(N_("「{name}」至少要有一个分项"), name)
    if len(question.options) > MOST_OPTIONS:
        yield Message(N_("「{name}」最多 {n} 个选项"), {**name, "n": MOST_OPTIONS})
    codes = [option.code for option in question.options]
    if len(set(codes)) < len(codes) or not all(_CODE.fullmatch(code) for code in codes):
        yield Message(N_("「{name}」的选项代码重复或不合规"), name)
    if question.rating and question.kind.value not in RANGES:
        yield Message(N_("「{name}」不是打分题，不能作为总评分"), name)


def _condition(
    when: Condition | None, before: Mapping[str, Question], name: str
) -> Iterator[Message]:
    if when is None:
        return
    asked = before.get(when.question)
    if asked is None:
        yield Message(N_("「{name}」的显示条件只能引用它前面的题目"), {"name": name})
    elif asked.kind.value not in ASKABLE or not set(when.values) <= set(asked.values()):
        yield Message(N_("「{name}」的显示条件引用了没有的选项"), {"name": name})
    elif not when.values:
        yield Message(N_("「{name}」的显示条件没有选值"), {"name": name})


# -- which pages somebody sees ----------------------------------------------------------------


def pages(
    design: Design, answers: Mapping[str, Any], *, files: bool = True
) -> list[tuple[Section, tuple[Question, ...]]]:
    """The pages and questions to be shown with these answers; answers to hidden ones count not."""
    seen: dict[str, Any] = {}
    shown: list[tuple[Section, tuple[Question, ...]]] = []
    for section in design.sections:
        if section.when is not None and not section.when.holds(seen):
            continue
        asked: list[Question] = []
        for question in section.questions:
            hidden = question.when is not None and not question.when.holds(seen)
            if hidden or (question.kind is QuestionKind.FILE and not files):
                continue
            asked.append(question)
            if question.code in answers:
                seen[question.code] = answers[question.code]
        if asked:
            shown.append((section, tuple(asked)))
    return shown


def kept(design: Design, answers: Mapping[str, Any], *, files: bool = True) -> dict[str, Any]:
    """Only answers to questions that were shown."""
    asked = {q.code for _, questions in pages(design, answers, files=files) for q in questions}
    return {code: value for code, value in answers.items() if code in asked}


# -- the score --------------------------------------------------------------------------------


def points(question: Question, value: Any) -> float | None:
    """0 for the worst and 100 for the best, or nothing if it was not answered."""
    low, high = question.range
    if isinstance(value, Mapping):
        given = [int(v) for v in value.values() if v not in (None, "")]
        return sum((v - low) / (high - low) for v in given) / len(given) * 100 if given else None
    return (int(value) - low) / (high - low) * 100 if value not in (None, "") else None


def score(design: Design, answers: Mapping[str, Any]) -> float | None:
    """The score of a whole answer: its rating question's, else the mean of what is CSAT."""
    questions = list(design.questions())
    rated = [q for q in questions if q.rating] or [
        q for q in questions if q.kind is QuestionKind.CSAT
    ]
    found = [p for q in rated if (p := points(q, answers.get(q.code))) is not None]
    return round(sum(found) / len(found), 2) if found else None


def asks_for_review(design: Design, answers: Mapping[str, Any]) -> bool:
    """Whether an answer was chosen that asks for a review by itself."""
    for question in design.questions():
        given = answers.get(question.code)
        chosen = given if isinstance(given, list) else [given]
        if any(option.low and option.code in chosen for option in question.options):
            return True
    return False
