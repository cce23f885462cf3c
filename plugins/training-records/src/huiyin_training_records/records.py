"""Records as managers keep them: recognised, called off, given another try, looked up."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Case,
    Cell,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    TenantContext,
    causes,
    colleagues,
    uuid7,
    visible_cases,
)
from huiyin_training_records import certificates, courses
from huiyin_training_records.assigning import today_of
from huiyin_training_records.errors import OWN_RECORD
from huiyin_training_records.models import Assignment, Certificate, Course, Version
from huiyin_training_records.schemas import RecogniseForm
from huiyin_training_records.standing import Line, lines, valid_until
from huiyin_training_records.terms import (
    ORIGIN_TITLES,
    STANDING_TITLES,
    AssignmentState,
    Origin,
    Standing,
)

PAGE: Final = 50
MOST: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the list."""

    id: uuid.UUID
    person: str
    department: str
    course: str
    origin: str
    line: Line
    standing: Standing


def listing(
    ctx: TenantContext, *, account_id: uuid.UUID | None = None, course_id: uuid.UUID | None = None,
    after: uuid.UUID | None = None, most: int = PAGE + 1,
) -> list[Record]:  # fmt: skip
    """The newest first; cancelled ones are not among them."""
    wanted = select(Assignment.id).where(Assignment.state != AssignmentState.CANCELLED.value)
    if account_id:
        wanted = wanted.where(Assignment.account_id == account_id)
    if course_id:
        wanted = wanted.where(Assignment.course_id == course_id)
    if after:
        wanted = wanted.where(Assignment.id < after)
    wanted = wanted.order_by(Assignment.id.desc()).limit(most)
    found = lines(ctx.session, Assignment.id.in_(wanted))
    people = {person.id: person for person in colleagues(ctx.session, former=True)}
    titles = dict(ctx.session.execute(select(Course.id, Course.title)).all())
    day = today_of(ctx)
    return [
        Record(
            id=line.id, person=people[line.account_id].name,
            department=people[line.account_id].department, course=titles[line.course_id],
            origin=line.origin, line=line, standing=line.on(day),
        )
        for line in reversed(found)
    ]  # fmt: skip


# -- one record --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One assignment with everything a manager may know of it."""

    assignment: Assignment
    course: Course
    version: Version
    certificate: Certificate | None
    standing: Standing
    person: str
    names: dict[uuid.UUID, str]
    cause: str
    case_number: str = ""
    imported: bool = False


def whole(ctx: TenantContext, assignment_id: uuid.UUID) -> Whole:
    """Raises ``NotFound``.  The case is named only to those who may know of it."""
    row = find(ctx, assignment_id)
    course, version = ctx.session.execute(
        select(Course, Version)
        .join(Version, Version.course_id == Course.id)
        .where(Version.id == row.version_id)
    ).one()
    names = {person.id: person.name for person in colleagues(ctx.session, former=True)}
    (line,) = lines(ctx.session, Assignment.id == row.id) or (None,)
    cause = causes().get(row.cause)
    return Whole(
        assignment=row, course=course, version=version, names=names,
        certificate=certificates.of(ctx.session, row.id),
        standing=line.on(today_of(ctx)) if line else Standing.CANCELLED,
        person=names.get(row.account_id, ""), cause=cause.title if cause else "",
        case_number=_case_number(ctx, row.case_id), imported=is_imported(ctx, row),
    )  # fmt: skip


def _case_number(ctx: TenantContext, case_id: uuid.UUID | None) -> str:
    if case_id is None or not ctx.actor.can("case.read"):
        return ""
    found = select(Case.number).where(Case.id == case_id, visible_cases(ctx.actor))
    return ctx.session.scalar(found) or ""


def find(ctx: TenantContext, assignment_id: uuid.UUID, *, lock: bool = False) -> Assignment:
    asked = select(Assignment).where(Assignment.id == assignment_id)
    found = ctx.session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise NotFound
    return found


def _of_another(ctx: TenantContext, account_id: uuid.UUID) -> None:
    """Nobody decides on a record of his own."""
    if account_id == ctx.actor.id:
        raise Refused(OWN_RECORD)


def recognise(ctx: TenantContext, form: RecogniseForm) -> Assignment:
    """Enter a training done elsewhere, on proof, for somebody else; it is certified at once."""
    _of_another(ctx, form.person)
    day = today_of(ctx)
    if form.completed_on > day:
        raise Invalid({"completed_on": N_("请选择今天或以前的日期")})
    if form.person not in {person.id for person in colleagues(ctx.session)}:
        raise Invalid({"person": N_("请从给出的选项中选择")})
    known = ctx.session.scalar(select(Course.id).where(Course.id == form.course, ~Course.retired))
    if known is None:
        raise Invalid({"course": N_("请从给出的选项中选择")})
    course = courses.find(ctx.session, form.course, lock=True)
    version = courses.published(ctx.session, course.id)
    if version is None:
        raise Invalid({"course": N_("课程还没有发布的版本，请先发布")})
    row = _open_of(ctx, course.id, form.person) or Assignment(
        id=uuid7(), course_id=course.id, version_id=version.id, account_id=form.person,
        origin=Origin.MANUAL.value, assigned_at=ctx.now(), assigned_by=ctx.actor.id, due_on=day,
    )  # fmt: skip
    row.state, row.completed_on = AssignmentState.DONE.value, form.completed_on
    row.valid_until = valid_until(form.completed_on, course.valid_months)
    row.recognised_by, row.proof = ctx.actor.id, form.proof
    ctx.session.add(row)
    ctx.session.flush()
    certificates.issue(ctx, row, course, version)
    ctx.emit("passed", row.id, {"account": str(row.account_id), "course": str(course.id)})
    ctx.record(
        "recognised", row.id,
        {"account": str(row.account_id), "course": str(course.id),
         "on": form.completed_on.isoformat()},
        {"proof": form.proof},
    )  # fmt: skip
    return row


def _open_of(ctx: TenantContext, course_id: uuid.UUID, who: uuid.UUID) -> Assignment | None:
    return ctx.session.scalars(
        select(Assignment)
        .where(
            Assignment.course_id == course_id, Assignment.account_id == who,
            Assignment.state == AssignmentState.OPEN.value,
        )
        .with_for_update()
    ).one_or_none()  # fmt: skip


def cancel(ctx: TenantContext, row: Assignment, reason: str) -> None:
    """Call an assignment off, with a reason."""
    _of_another(ctx, row.account_id)
    if row.state != AssignmentState.OPEN:
        raise Conflict(N_("只能取消还没有完成的培训"))
    row.state, row.reason = AssignmentState.CANCELLED.value, reason
    row.cancelled_by = ctx.actor.id
    ctx.session.flush()
    ctx.record("cancelled", row.id, {"account": str(row.account_id)}, {"reason": reason})


def withdraw(ctx: TenantContext, row: Assignment, reason: str) -> None:
    """Take back an imported record that was wrong, with a reason; what was open before is again."""
    _of_another(ctx, row.account_id)
    if not is_imported(ctx, row):
        raise Conflict(N_("只能撤回导入的记录；有证书的请撤销证书"))
    again = (
        row.origin != Origin.IMPORT and _open_of(ctx, row.course_id, row.account_id) is None
    )  # fmt: skip
    told = {"account": str(row.account_id), "on": str(row.completed_on), "reopened": again}
    if again:
        row.state, row.completed_on, row.valid_until = AssignmentState.OPEN.value, None, None
        row.recognised_by, row.proof = None, ""
    else:
        row.state, row.cancelled_by = AssignmentState.CANCELLED.value, ctx.actor.id
    row.reason = reason
    ctx.session.flush()
    ctx.record("import_withdrawn", row.id, told, {"reason": reason})


def is_imported(ctx: TenantContext, row: Assignment) -> bool:
    """Done by a file's word: recognised, and without the certificate that goes with the rest."""
    done = row.state == AssignmentState.DONE and row.recognised_by is not None
    return done and certificates.of(ctx.session, row.id) is None


def grant_attempt(ctx: TenantContext, row: Assignment) -> None:
    """One more try at the quiz, when none is left."""
    _of_another(ctx, row.account_id)
    version = ctx.session.scalars(select(Version).where(Version.id == row.version_id)).one()
    left = version.attempts + row.attempts_more - row.attempts_used
    if row.state != AssignmentState.OPEN or row.quiz_passed_at is not None or left > 0:
        raise Conflict(N_("次数用完后才能增加"))
    row.attempts_more += 1
    row.granted_by = ctx.actor.id
    ctx.session.flush()
    ctx.record("attempt_granted", row.id, {"account": str(row.account_id)})


# -- files -------------------------------------------------------------------------------------


def sheet(ctx: TenantContext, found: Sequence[Record]) -> tuple[list[str], list[list[Cell]]]:
    """The list as a table, in the reader's language."""
    _ = ctx.text
    heading = [_(name) for name in HEADING]
    return heading, [
        [r.person, r.department, r.course, _(ORIGIN_TITLES[r.origin]),
         _(STANDING_TITLES[r.standing]), r.line.due_on, r.line.completed_on, r.line.valid_until]
        for r in found
    ]  # fmt: skip


HEADING: Final = (
    N_("姓名"), N_("部门"), N_("课程"), N_("来源"), N_("状态"), N_("完成期限"), N_("完成日期"),
    N_("有效期至"),
)  # fmt: skip
