"""How trainings stand on a day, and who has to hold which: pure, for pages and figures alike."""

from __future__ import annotations

import calendar
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from huiyin.sdk import Colleague, ScopedSession, colleagues, local_date
from huiyin_training_records.models import (
    Assignment,
    Certificate,
    Course,
    Requirement,
    Version,
)
from huiyin_training_records.terms import (
    COUNTS_AS_VALID,
    AssignmentState,
    Standing,
    VersionState,
)

SOON: Final = 30  # days before its end from which a training is shown as about to expire


def add_months(day: date, months: int) -> date:
    """The same day so many months on, or the month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def valid_until(completed_on: date, months: int) -> date | None:
    """``None``: for good."""
    return add_months(completed_on, months) if months else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An assignment with what is needed to judge it."""

    id: uuid.UUID
    course_id: uuid.UUID
    account_id: uuid.UUID
    state: str
    due_on: date
    assigned_on: date
    completed_on: date | None
    valid_until: date | None
    attempts_left: int
    needs_quiz: bool
    revoked: bool
    reminders: int = 0
    origin: str = ""

    @property
    def since(self) -> date:
        """From when on there is something to judge: what was entered later may be done long ago."""
        return min(self.assigned_on, self.completed_on or self.assigned_on)

    def on(self, day: date) -> Standing:
        """As of the end of ``day``."""
        if self.state == AssignmentState.CANCELLED:
            return Standing.CANCELLED
        if self.completed_on is not None and self.completed_on <= day:
            return self._done(day)
        if self.state == AssignmentState.OPEN and self.needs_quiz and self.attempts_left <= 0:
            return Standing.LOCKED
        return Standing.LATE if self.due_on < day else Standing.OPEN

    def _done(self, day: date) -> Standing:
        if self.revoked:
            return Standing.REVOKED
        if self.valid_until is None:
            return Standing.VALID
        if self.valid_until < day:
            return Standing.EXPIRED
        return Standing.EXPIRING if (self.valid_until - day).days <= SOON else Standing.VALID


# Of several trainings of one person in one course, the first of these counts.
RANK: Final[Mapping[Standing, int]] = {
    standing: n
    for n, standing in enumerate(
        (
            Standing.VALID, Standing.EXPIRING, Standing.OPEN, Standing.LATE, Standing.LOCKED,
            Standing.EXPIRED, Standing.REVOKED, Standing.CANCELLED, Standing.MISSING,
        )
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """One person and one course on a day; ``line`` is the training that counts."""

    account_id: uuid.UUID
    course_id: uuid.UUID
    required: bool
    standing: Standing
    line: Line | None = None

    @property
    def valid(self) -> bool:
        return self.standing in COUNTS_AS_VALID


def lines(session: ScopedSession, *conditions: ColumnElement[bool]) -> list[Line]:
    """Every assignment that is not cancelled, in one query."""
    rows = session.execute(
        select(
            Assignment.id, Assignment.course_id, Assignment.account_id, Assignment.state,
            Assignment.due_on, Assignment.assigned_at, Assignment.completed_on,
            Assignment.valid_until, Assignment.attempts_used, Assignment.attempts_more,
            Assignment.reminders, Assignment.origin, Assignment.quiz_passed_at,
            Version.attempts, Version.draw, Certificate.revoked_at,
        )
        .join(Version, Version.id == Assignment.version_id)
        .outerjoin(Certificate, Certificate.assignment_id == Assignment.id)
        .where(Assignment.state != AssignmentState.CANCELLED.value, *conditions)
        .order_by(Assignment.id)
    )  # fmt: skip
    return [_line(row) for row in rows]


def _line(row: Any) -> Line:
    return Line(
        id=row.id, course_id=row.course_id, account_id=row.account_id, state=row.state,
        due_on=row.due_on, assigned_on=local_date(row.assigned_at),
        completed_on=row.completed_on, valid_until=row.valid_until,
        attempts_left=row.attempts + row.attempts_more - row.attempts_used,
        needs_quiz=row.draw > 0 and row.quiz_passed_at is None,
        revoked=row.revoked_at is not None, reminders=row.reminders, origin=row.origin,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Required:
    """A course that a post must hold."""

    id: uuid.UUID
    course_id: uuid.UUID
    role: str
    since: date
    due_days: int


def requirements(session: ScopedSession) -> list[Required]:
    """Of courses that are taught."""
    taught = select(Version.course_id).where(Version.state == VersionState.PUBLISHED.value)
    rows = session.execute(
        select(
            Requirement.id, Requirement.course_id, Requirement.role, Requirement.since,
            Requirement.due_days,
        )
        .join(Course, Course.id == Requirement.course_id)
        .where(~Course.retired, Course.id.in_(taught))
        .order_by(Course.code, Requirement.role)
    )  # fmt: skip
    return [Required(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Picture:
    """Who holds what on a day: everybody's required courses, and others they are at or hold."""

    day: date
    people: Mapping[uuid.UUID, Colleague]
    required: Sequence[Required]
    held: Sequence[Held] = field(default_factory=tuple)


def picture(session: ScopedSession, day: date) -> Picture:
    """In three queries, whatever the firm's size."""
    people = {person.id: person for person in colleagues(session)}
    asked = [r for r in requirements(session) if r.since <= day]
    best: dict[tuple[uuid.UUID, uuid.UUID], tuple[Standing, Line]] = {}
    for line in lines(session):
        if line.account_id not in people or line.since > day:
            continue
        key, standing = (line.account_id, line.course_id), line.on(day)
        if key not in best or RANK[standing] <= RANK[best[key][0]]:
            best[key] = (standing, line)
    needed = must_hold(people.values(), asked)
    held = [
        Held(account, course, (account, course) in needed, *best[account, course])
        if (account, course) in best
        else Held(account, course, required=True, standing=Standing.MISSING)
        for account, course in sorted({*needed, *best})
    ]
    return Picture(day, people, asked, held)


def must_hold(
    people: Iterable[Colleague], asked: Iterable[Required]
) -> dict[tuple[uuid.UUID, uuid.UUID], int]:
    """Person and course, with the fewest days any of the person's posts allows."""
    needed: dict[tuple[uuid.UUID, uuid.UUID], int] = {}
    rules = list(asked)
    for person in people:
        for rule in rules:
            if rule.role in person.roles:
                key = (person.id, rule.course_id)
                needed[key] = min(rule.due_days, needed.get(key, rule.due_days))
    return needed
