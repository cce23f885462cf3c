"""What was published under a code stays what it was in every later version.

Answers of all versions of a questionnaire are counted together by the codes of its questions and
options.  So a code is never given to another question, and neither the kind of a question nor the
meaning of an option changes once somebody may have answered it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from huiyin.sdk import N_, Message
from huiyin_survey_satisfaction import designs
from huiyin_survey_satisfaction.designs import Design, Option, Question

Known = Mapping[str, Question]


def known_of(published: Iterable[Mapping[str, Any]]) -> dict[str, Question]:
    """The questions of all published designs by code, the oldest first, as they stood last.

    Each with every option it ever had.
    """
    known: dict[str, Question] = {}
    for data in published:
        for question in designs.read(data).questions():
            known[question.code] = _with_options_of(known.get(question.code), question)
    return known


def _with_options_of(before: Question | None, question: Question) -> Question:
    if before is None or before.kind is not question.kind:
        return question
    options: dict[str, Option] = {o.code: o for o in (*before.options, *question.options)}
    return msgspec.structs.replace(question, options=tuple(options.values()))


def broken(question: Question, before: Question | None) -> Iterator[tuple[str, Message]]:
    """What a question would no longer mean: the field of its form, and what to do instead."""
    if before is None:
        return
    name = question.title.zh or question.code
    if question.kind is not before.kind:
        yield (
            "kind",
            Message(N_("「{name}」发布过，题型不能改；请另加一道题，再删除这一道"), {"name": name}),
        )
        return
    meant = {option.code: option.words.zh for option in before.options}
    for option in question.options:
        if meant.get(option.code, option.words.zh) != option.words.zh:
            yield (
                "options",
                Message(
                    N_("「{name}」的选项 {code} 发布过，是「{words}」，不能改动；请换新代码"),
                    {"name": name, "code": option.code, "words": meant[option.code]},
                ),
            )


def faults(design: Design, known: Known) -> Iterator[Message]:
    """Everything in a draft that would change what was published."""
    for question in design.questions():
        for _, message in broken(question, known.get(question.code)):
            yield message
