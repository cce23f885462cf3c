"""Who has to learn what, and why: by post, from root causes and findings, by hand, again."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update

from huiyin.sdk import (
    N_,
    Case,
    Conflict,
    Event,
    Invalid,
    Part,
    TenantContext,
    causes,
    colleagues,
    local_date,
    parts_in,
    uuid7,
)
from huiyin_training_records import courses, postal
from huiyin_training_records.models import (
    Assignment,
    Certificate,
    Course,
    Requirement,
    Version,
)
from huiyin_training_records.schemas import AssignForm, RequirementForm
from huiyin_training_records.settings import TrainingRecordsSettings
from huiyin_training_records.standing import must_hold, picture
from huiyin_training_records.terms import AssignmentState, Origin, Standing, VersionState

HANDLED: Final = (Part.OWNER, Part.INVESTIGATOR, Part.ASSISTANT, Part.DRAFTER)
LACKS: Final = frozenset({Standing.MISSING, Standing.EXPIRED, Standing.REVOKED})
AGAIN: Final = timedelta(days=7)
REVIEWED: Final = "survey_satisfaction:review_concluded"
FOUND: Final = "checklist_regulatory:finding_raised"
CLOSED: Final = "case.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What an assignment goes back to."""

    origin: Origin
    cause: str = ""
    case_id: uuid.UUID | None = None
    event_id: uuid.UUID | None = None


def today_of(ctx: TenantContext) -> date:
    return local_date(ctx.now())


def assign(
    ctx: TenantContext, course: Course, people: Iterable[uuid.UUID], due_on: date, why: Why
) -> list[Assignment]:
    """Everybody of ``people`` who is a member and neither at the course nor holds it.

    A renewal is assigned while the old training is still valid.  The course is locked, so that
    two causes at once do not assign it twice.
    """
    courses.find(ctx.session, course.id, lock=True)
    version = courses.published(ctx.session, course.id)
    if version is None or course.retired:
        return []
    active = {person.id for person in colleagues(ctx.session)}
    wanted = sorted(set(people) & active)
    free = [who for who in wanted if who not in _engaged(ctx, course, wanted, why.origin)]
    made = [
        Assignment(
            id=uuid7(), course_id=course.id, version_id=version.id, account_id=who,
            origin=why.origin.value, cause=why.cause, case_id=why.case_id, event_id=why.event_id,
            assigned_at=ctx.now(), assigned_by=ctx.actor.id, due_on=due_on,
        )
        for who in free
    ]  # fmt: skip
    ctx.session.add_all(made)
    ctx.session.flush()
    if made:
        ctx.record(
            "assigned", course.id,
            {"origin": why.origin.value, "cause": why.cause, "due": due_on.isoformat(),
             "people": [str(row.account_id) for row in made]},
        )  # fmt: skip
    return made


def _engaged(
    ctx: TenantContext, course: Course, people: Collection[uuid.UUID], origin: Origin
) -> set[uuid.UUID]:
    """Those whose assignment is open, or (but for renewals) whose training is still valid."""
    valid = (
        (Assignment.state == AssignmentState.DONE.value)
        & Certificate.revoked_at.is_(None)
        & or_(Assignment.valid_until.is_(None), Assignment.valid_until >= today_of(ctx))
    )
    is_open = Assignment.state == AssignmentState.OPEN.value
    return set(
        ctx.session.scalars(
            select(Assignment.account_id)
            .outerjoin(Certificate, Certificate.assignment_id == Assignment.id)
            .where(
                Assignment.course_id == course.id,
                Assignment.account_id.in_(people),
                is_open if origin is Origin.RENEWAL else or_(is_open, valid),
            )
        )
    )


def by_hand(ctx: TenantContext, course: Course, form: AssignForm) -> list[Assignment]:
    """Raises ``Invalid`` for a day gone by, or a course that has no published version."""
    if form.due_on < today_of(ctx):
        raise Invalid({"due_on": N_("请选择今天或以后的日期")})
    if course.retired or courses.published(ctx.session, course.id) is None:
        raise Conflict(N_("课程还没有发布的版本，请先发布"))
    return assign(ctx, course, form.people, form.due_on, Why(origin=Origin.MANUAL))


# -- by post -----------------------------------------------------------------------------------


def require(ctx: TenantContext, course: Course, form: RequirementForm) -> None:
    """From today on the post must hold the course."""
    known = ctx.session.scalars(
        select(Requirement).where(Requirement.course_id == course.id, Requirement.role == form.role)
    ).one_or_none()
    if known is not None:
        known.due_days = form.due_days
    else:
        ctx.session.add(
            Requirement(
                id=uuid7(), course_id=course.id, role=form.role, due_days=form.due_days,
                since=today_of(ctx), created_by=ctx.actor.id,
            )
        )  # fmt: skip
    ctx.session.flush()
    ctx.record("required", course.id, {"role": form.role, "days": form.due_days})


def no_longer_required(ctx: TenantContext, course: Course, role: str) -> None:
    """What was assigned because of it stays assigned."""
    row = ctx.session.scalars(
        select(Requirement).where(Requirement.course_id == course.id, Requirement.role == role)
    ).one_or_none()
    if row is not None:
        ctx.session.delete(row)
        ctx.session.flush()
        ctx.record("required_no_longer", course.id, {"role": role})


def assign_by_post(ctx: TenantContext) -> int:
    """Everybody gets what the post asks for and is missing, and again what is about to end."""
    day = today_of(ctx)
    renew = day + timedelta(days=ctx.settings(TrainingRecordsSettings).renew_days)
    shown = picture(ctx.session, day)
    needed = must_hold(shown.people.values(), shown.required)
    wanted: dict[tuple[uuid.UUID, date, Origin], list[uuid.UUID]] = defaultdict(list)
    for held in shown.held:
        if not held.required:
            continue
        due_on = day + timedelta(days=needed[held.account_id, held.course_id])
        until = held.line.valid_until if held.line else None
        if held.valid and until is not None and until <= renew:
            key = (held.course_id, min(due_on, until), Origin.RENEWAL)
        elif held.standing in LACKS:
            key = (held.course_id, due_on, Origin.RENEWAL if held.line else Origin.POST)
        else:
            continue
        wanted[key].append(held.account_id)
    known = {course.id: course for course in ctx.session.scalars(select(Course))}
    return sum(
        len(assign(ctx, known[course], people, due_on, Why(origin=origin)))
        for (course, due_on, origin), people in wanted.items()
    )


# -- from what happened ------------------------------------------------------------------------


def hear(ctx: TenantContext, event: Event) -> int:
    """Assign what an event asks for; told twice, the second time finds it done."""
    payload = event.payload
    if event.kind == FOUND:
        if not payload.get("training"):
            return 0
        people = _holders(ctx, str(payload.get("post") or ""))
        return _from_cause(
            ctx, str(payload.get("cause") or ""), people, event, None, Origin.FINDING
        )
    if event.kind == REVIEWED:
        if not payload.get("training"):
            return 0
        case = _case(ctx, str(payload.get("case") or ""))
        return _from_case(ctx, case, str(payload.get("cause") or ""), event)
    if event.kind == CLOSED and ctx.settings(TrainingRecordsSettings).assign_on_close:
        case = _case(ctx, str(event.object_id))
        return _from_case(ctx, case, (case.cause or "") if case else "", event)
    return 0


def _case(ctx: TenantContext, case_id: str) -> Case | None:
    try:
        wanted = uuid.UUID(case_id)
    except ValueError:
        return None
    return ctx.session.scalars(select(Case).where(Case.id == wanted)).one_or_none()


def _from_case(ctx: TenantContext, case: Case | None, cause: str, event: Event) -> int:
    if case is None:
        return 0
    held = parts_in(ctx.session, case)
    people = frozenset[uuid.UUID]().union(*(held.get(part, frozenset()) for part in HANDLED))
    return _from_cause(ctx, cause, people, event, case.id, Origin.CAUSE)


def _from_cause(
    ctx: TenantContext,
    cause: str,
    people: Collection[uuid.UUID],
    event: Event,
    case_id: uuid.UUID | None,
    origin: Origin,
) -> int:
    if cause not in causes() or not people:
        return 0
    due_on = today_of(ctx) + timedelta(days=ctx.settings(TrainingRecordsSettings).due_days)
    why = Why(origin=origin, cause=cause, case_id=case_id, event_id=event.id)
    return sum(len(assign(ctx, course, people, due_on, why)) for course in for_cause(ctx, cause))


def for_cause(ctx: TenantContext, cause: str) -> Sequence[Course]:
    """The courses tied to a cause that are taught."""
    taught = select(Version.course_id).where(Version.state == VersionState.PUBLISHED.value)
    return ctx.session.scalars(
        select(Course)
        .where(Course.causes.contains([cause]), ~Course.retired, Course.id.in_(taught))
        .order_by(Course.code)
    ).all()


def _holders(ctx: TenantContext, role: str) -> set[uuid.UUID]:
    return {person.id for person in colleagues(ctx.session) if role and role in person.roles}


# -- reminders ---------------------------------------------------------------------------------


def remind(ctx: TenantContext) -> int:
    """Remind everybody whose day comes near or has passed, once a week at most."""
    until = today_of(ctx) + timedelta(days=ctx.settings(TrainingRecordsSettings).remind_days)
    told = ctx.session.execute(
        update(Assignment)
        .where(
            Assignment.state == AssignmentState.OPEN.value,
            Assignment.due_on <= until,
            or_(Assignment.reminded_at.is_(None), Assignment.reminded_at <= ctx.now() - AGAIN),
        )
        .values(reminded_at=ctx.now(), reminders=Assignment.reminders + 1)
        .returning(Assignment.id, Assignment.reminders)
        .execution_options(synchronize_session=False)
    ).all()
    postal.later(ctx, postal.REMIND, [(key, turn) for key, turn in told])
    return len(told)


def open_of(ctx: TenantContext, account_id: uuid.UUID) -> int:
    """How many a person still has to do."""
    return ctx.session.scalar(
        select(func.count())
        .select_from(Assignment)
        .where(
            Assignment.account_id == account_id, Assignment.state == AssignmentState.OPEN.value
        )
    ) or 0  # fmt: skip
