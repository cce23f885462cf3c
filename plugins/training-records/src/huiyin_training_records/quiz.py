"""The quiz: a random draw counts as a try before anybody looks at an answer."""

from __future__ import annotations

import random
import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Refused,
    TenantContext,
    uuid7,
    whole,
)
from huiyin_training_records import courses, learning
from huiyin_training_records.errors import AUTHOR, NO_ATTEMPTS, NOT_YET, SUBMITTED
from huiyin_training_records.models import Assignment, Attempt, Question
from huiyin_training_records.terms import AssignmentState, QuestionKind

_FIELD: Final = re.compile(r"q(\d{1,2})")
_CONTROL: Final = frozenset({"_csrf", "_key", "lang"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A drawn question as it is shown: ``options`` in the order of this attempt.

    ``right`` and ``chosen`` are positions among those.
    """

    name: str  # of the form's field: q0, q1 …
    question: Question
    options: tuple[str, ...]
    right: frozenset[int]
    chosen: frozenset[int] = frozenset()

    @property
    def is_right(self) -> bool:
        return self.chosen == self.right


def start(ctx: TenantContext, assignment: Assignment) -> Attempt:
    """The attempt under way, or a new one, counted here and now.

    Raises ``Refused`` for those who wrote the questions, ``Conflict`` when no try is left.
    The caller holds the assignment locked.
    """
    at = learning.progress(ctx, assignment)
    if assignment.state != AssignmentState.OPEN or not at.quiz_open or not at.all_read:
        raise Conflict(NOT_YET)
    if str(ctx.actor.id) in at.version.authors:
        raise Refused(AUTHOR)
    under_way = ctx.session.scalars(
        select(Attempt).where(
            Attempt.assignment_id == assignment.id, Attempt.submitted_at.is_(None)
        )
    ).first()
    if under_way is not None:
        return under_way
    if at.attempts_left <= 0:
        raise Conflict(NO_ATTEMPTS)
    assignment.attempts_used += 1
    attempt = Attempt(
        id=uuid7(), assignment_id=assignment.id, number=assignment.attempts_used,
        drawn=draw(courses.questions(ctx.session, at.version.id), at.version.draw),
        started_at=ctx.now(),
    )  # fmt: skip
    ctx.session.add(attempt)
    ctx.session.flush()
    ctx.record(
        "quiz_started", assignment.id,
        {"number": attempt.number, "questions": [line["id"] for line in attempt.drawn]},
    )  # fmt: skip
    return attempt


def draw(
    pool: Sequence[Question], n: int, chance: random.Random | None = None
) -> list[dict[str, Any]]:
    """``n`` different questions in random order, each with its options in random order."""
    dice = chance or secrets.SystemRandom()
    return [
        {
            "id": str(question.id),
            "order": dice.sample(range(len(question.options)), k=len(question.options)),
        }
        for question in dice.sample(list(pool), k=n)
    ]


def attempt_of(
    ctx: TenantContext, assignment: Assignment, number: int, *, lock: bool = False
) -> Attempt:
    asked = select(Attempt).where(Attempt.assignment_id == assignment.id, Attempt.number == number)
    found = ctx.session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise NotFound
    return found


def attempts_of(ctx: TenantContext, assignment_id: uuid.UUID) -> Sequence[Attempt]:
    return ctx.session.scalars(
        select(Attempt).where(Attempt.assignment_id == assignment_id).order_by(Attempt.number)
    ).all()


def asked(ctx: TenantContext, assignment: Assignment, attempt: Attempt) -> list[Asked]:
    """The questions as drawn, with what was answered so far."""
    known = {str(q.id): q for q in courses.questions(ctx.session, assignment.version_id)}
    shown = []
    for n, line in enumerate(attempt.drawn):
        question, order = known[line["id"]], line["order"]
        shown.append(
            Asked(
                f"q{n}", question, tuple(question.options[k] for k in order),
                frozenset(place for place, k in enumerate(order) if k in question.right),
                frozenset(attempt.answers.get(f"q{n}", ())),
            )
        )  # fmt: skip
    return shown


def submit(
    ctx: TenantContext, assignment: Assignment, attempt: Attempt, data: Mapping[str, Any]
) -> bool:
    """Judge one attempt, once.  Answers whether it was passed.

    Raises ``Conflict`` when it was submitted before, ``Invalid`` for answers to what was not
    asked or missing ones; the try counts all the same.  The caller holds both rows locked.
    """
    if attempt.submitted_at is not None:
        raise Conflict(SUBMITTED)
    if assignment.state != AssignmentState.OPEN or assignment.quiz_passed_at is not None:
        raise Conflict(NOT_YET)
    questions = asked(ctx, assignment, attempt)
    answers = read_answers(questions, data)
    right = sum(frozenset(answers[q.name]) == q.right for q in questions)
    version = learning.progress(ctx, assignment).version
    attempt.answers = {name: sorted(chosen) for name, chosen in answers.items()}
    attempt.submitted_at = ctx.now()
    attempt.score = right * 100 // len(questions)
    attempt.passed = right * 100 >= version.pass_mark * len(questions)
    if attempt.passed:
        assignment.quiz_passed_at, assignment.score = attempt.submitted_at, attempt.score
    ctx.session.flush()
    ctx.record(
        "quiz_submitted", assignment.id,
        {"number": attempt.number, "score": attempt.score, "passed": attempt.passed},
    )  # fmt: skip
    return attempt.passed


def read_answers(questions: Sequence[Asked], data: Mapping[str, Any]) -> dict[str, frozenset[int]]:
    """Positions chosen, by field; only drawn questions, only options shown, none left out."""
    names = {q.name for q in questions}
    if strange := [k for k in data if k not in names and k not in _CONTROL]:
        raise Invalid(
            {
                "form": Message(
                    N_("无法识别的题目 {name}，请重新打开测验"), {"name": strange[0][:20]}
                )
            }
        )
    errors: dict[str, Message | str] = {}
    answers: dict[str, frozenset[int]] = {}
    for question in questions:
        given = data.get(question.name) or []
        given = given if isinstance(given, list) else [given]
        places = [whole(str(place)) for place in given]
        good = [p for p in places if p is not None and p < len(question.options)]
        one = question.question.kind != QuestionKind.MULTI
        if not good:
            errors[question.name] = N_("请作答")
        elif len(good) != len(places) or len(set(good)) != len(good) or (one and len(good) > 1):
            errors[question.name] = N_("请从给出的选项中选择")
        answers[question.name] = frozenset(good)
    if errors:
        raise Invalid(errors)
    return answers
