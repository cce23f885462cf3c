"""From a page of a questionnaire to checked answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from huiyin.sdk import N_, Invalid, Message, clean
from huiyin_survey_satisfaction.designs import Question
from huiyin_survey_satisfaction.wording import QuestionKind

LONGEST_TEXT: Final = 500
_CHOOSE: Final = N_("请选择一项")
_GIVEN: Final = N_("请从给出的选项中选择")


def read_page(
    questions: Sequence[Question], data: Mapping[str, Any], kept: Mapping[str, Any]
) -> dict[str, Any]:
    """The answers of one page.  Raises ``Invalid`` with a message at each question.

    ``kept`` are files already handed in, which a form cannot send again.
    """
    answers: dict[str, Any] = {}
    faults: dict[str, Message | str] = {}
    for question in questions:
        try:
            value = _read(question, data, kept)
        except Invalid as fault:
            faults |= fault.fields
            continue
        if value in (None, "", [], {}):
            if question.required:
                faults[_field(question)] = _missing(question)
        else:
            answers[question.code] = value
    if faults:
        raise Invalid(faults)
    return answers


def _field(question: Question) -> str:
    if question.kind is QuestionKind.MATRIX:
        return f"{question.code}-{question.options[0].code}"
    return question.code


def _missing(question: Question) -> Message | str:
    if question.kind in {QuestionKind.TEXT, QuestionKind.DATE}:
        return N_("请填写后再继续")
    if question.kind is QuestionKind.FILE:
        return N_("请选择文件后再继续")
    return _CHOOSE


def _read(question: Question, data: Mapping[str, Any], kept: Mapping[str, Any]) -> Any:
    kind = question.kind
    if kind is QuestionKind.FILE:
        return kept.get(question.code)
    if kind is QuestionKind.MATRIX:
        return _matrix(question, data)
    if kind is QuestionKind.CHOICES:
        return _several(question, data)
    given = _one(data.get(question.code))
    if kind is QuestionKind.TEXT:
        if len(given) > LONGEST_TEXT:
            raise _no(question, Message(N_("最多 {n} 个字，请精简"), {"n": LONGEST_TEXT}))
        return given
    if kind is QuestionKind.DATE:
        return _day(question, given)
    if given and given not in question.values():
        raise _no(question, _GIVEN)
    return given


def _one(raw: Any) -> str:
    if isinstance(raw, list):
        raw = raw[-1] if raw else ""
    return clean(raw) if isinstance(raw, str) else ""


def _several(question: Question, data: Mapping[str, Any]) -> list[str]:
    raw = data.get(question.code)
    given = [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else []
    chosen = [value for value in given if isinstance(value, str) and value]
    if not set(chosen) <= set(question.values()):
        raise _no(question, _GIVEN)
    return [value for value in question.values() if value in chosen]


def _matrix(question: Question, data: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    faults: dict[str, Message | str] = {}
    for line in question.options:
        name = f"{question.code}-{line.code}"
        given = _one(data.get(name))
        if given and given not in question.values():
            faults[name] = _GIVEN
        elif given:
            found[line.code] = given
        elif question.required:
            faults[name] = _CHOOSE
    if faults:
        raise Invalid(faults)
    return found


def _day(question: Question, given: str) -> str:
    if not given:
        return ""
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise _no(question, N_("请按 2026-03-18 的格式填写日期")) from None
    if not 1900 <= day.year <= 2100:
        raise _no(question, N_("请按 2026-03-18 的格式填写日期"))
    return day.isoformat()


def _no(question: Question, message: str | Message) -> Invalid:
    return Invalid({question.code: message})
