"""What a learner does: read, sit the quiz, be there, sign; and what then counts as done."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    NotFound,
    TenantContext,
    local_date,
    sealed,
    uuid7,
)
from huiyin_training_records import certificates, courses
from huiyin_training_records.errors import NOT_YET
from huiyin_training_records.models import (
    Assignment,
    Attendance,
    Attestation,
    Course,
    Material,
    Meeting,
    Reading,
    Version,
)
from huiyin_training_records.schemas import AttestForm
from huiyin_training_records.standing import valid_until
from huiyin_training_records.terms import AssignmentState, SessionState

STATEMENT: Final = N_("本人已学习本课程全部材料，理解其中要求，并承诺在工作中遵守")
_SIGN: Final = "training_records.attestation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a learner is.  The order of the fields is the order of the steps."""

    assignment: Assignment
    course: Course
    version: Version
    materials: Sequence[Material]
    read: frozenset[uuid.UUID]
    attended: bool
    attestation: Attestation | None

    @property
    def all_read(self) -> bool:
        return all(material.id in self.read for material in self.materials)

    @property
    def quiz_open(self) -> bool:
        return self.version.draw > 0 and self.assignment.quiz_passed_at is None

    @property
    def attempts_left(self) -> int:
        row = self.assignment
        return max(0, self.version.attempts + row.attempts_more - row.attempts_used)

    @property
    def may_sign(self) -> bool:
        there = self.attended or not self.course.needs_session
        return self.all_read and not self.quiz_open and there

    @property
    def statement(self) -> str:
        return self.version.statement or STATEMENT

    @property
    def next_step(self) -> str:
        if self.assignment.state != AssignmentState.OPEN:
            return ""
        if not self.all_read:
            return "read"
        if self.quiz_open:
            return "quiz" if self.attempts_left else "locked"
        if self.course.needs_session and not self.attended:
            return "session"
        return "attest"


def own(ctx: TenantContext, assignment_id: uuid.UUID, *, lock: bool = False) -> Assignment:
    """The reader's own assignment.  Somebody else's is as unknown as none."""
    asked = select(Assignment).where(
        Assignment.id == assignment_id,
        Assignment.account_id == ctx.actor.id,
        Assignment.state != AssignmentState.CANCELLED.value,
    )
    found = ctx.session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise NotFound
    return found


def progress(ctx: TenantContext, assignment: Assignment) -> Progress:
    """In five queries."""
    session = ctx.session
    course, version = session.execute(
        select(Course, Version)
        .join(Version, Version.course_id == Course.id)
        .where(Version.id == assignment.version_id)
    ).one()
    read = session.scalars(
        select(Reading.material_id).where(Reading.assignment_id == assignment.id)
    )
    return Progress(
        assignment=assignment,
        course=course,
        version=version,
        materials=courses.materials(session, version.id),
        read=frozenset(read),
        attended=_attended(ctx, assignment),
        attestation=session.scalars(
            select(Attestation).where(Attestation.assignment_id == assignment.id)
        ).one_or_none(),
    )


def _attended(ctx: TenantContext, assignment: Assignment) -> bool:
    """Present at a session of the course, not called off, since it was assigned."""
    return ctx.session.scalar(
        select(Attendance.id)
        .join(Meeting, Meeting.id == Attendance.meeting_id)
        .where(
            Meeting.course_id == assignment.course_id,
            Meeting.state == SessionState.PLANNED.value,
            Meeting.ends_at >= assignment.assigned_at,
            Attendance.account_id == assignment.account_id,
            Attendance.present_at.is_not(None),
        )
        .limit(1)
    ) is not None  # fmt: skip


def material_of(ctx: TenantContext, assignment: Assignment, material_id: uuid.UUID) -> Material:
    """Raises ``NotFound`` for a material of another version."""
    found = ctx.session.scalars(
        select(Material).where(
            Material.id == material_id, Material.version_id == assignment.version_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def mark_read(ctx: TenantContext, assignment: Assignment, material: Material) -> None:
    """Said twice it is said once."""
    _still_open(assignment)
    ctx.session.execute(
        insert(Reading)
        .values(
            tenant_id=ctx.session.tenant, id=uuid7(), assignment_id=assignment.id,
            material_id=material.id, at=ctx.now(),
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "assignment_id", "material_id"])
    )  # fmt: skip


def attest(ctx: TenantContext, assignment: Assignment, form: AttestForm) -> None:
    """Sign the statement with one's own name; it is the last step and completes the training.

    Raises ``Conflict`` before the other steps are done, ``Invalid`` for another name.
    """
    _still_open(assignment)
    at = progress(ctx, assignment)
    if not at.may_sign:
        raise Conflict(NOT_YET)
    if not form.agree:
        raise Invalid({"agree": N_("请勾选确认后再签署")})
    if "".join(form.name.split()) != "".join(ctx.actor.name.split()):
        raise Invalid({"name": N_("请填写在本机构登记的姓名")})
    statement = at.statement
    words = hashlib.sha256(statement.encode()).hexdigest()
    moment = ctx.now()
    said = (
        f"{assignment.id}|{words}|{at.version.content_sha256}|{ctx.actor.id}|{moment.isoformat()}"
    )
    row = Attestation(
        id=uuid7(), assignment_id=assignment.id, account_id=ctx.actor.id, statement=statement,
        typed_name=form.name, content_sha256=at.version.content_sha256,
        signature=sealed(_SIGN, said).hex(), at=moment,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    complete(
        ctx, assignment, at.course, at.version,
        {"statement": words, "content": at.version.content_sha256, "signature": row.signature},
    )  # fmt: skip


def complete(
    ctx: TenantContext,
    assignment: Assignment,
    course: Course,
    version: Version,
    facts: dict[str, str],
) -> None:
    """Done from today on: the certificate, the news to others, the line in the ledger."""
    assignment.state = AssignmentState.DONE.value
    assignment.completed_on = local_date(ctx.now())
    assignment.valid_until = valid_until(assignment.completed_on, course.valid_months)
    ctx.session.flush()
    certificates.issue(ctx, assignment, course, version)
    ctx.emit(
        "passed", assignment.id,
        {"account": str(assignment.account_id), "course": str(course.id)},
    )  # fmt: skip
    ctx.record(
        "completed", assignment.id,
        {"account": str(assignment.account_id), "course": str(course.id),
         "version": version.number, **facts},
    )  # fmt: skip


def _still_open(assignment: Assignment) -> None:
    if assignment.state != AssignmentState.OPEN:
        raise Conflict(N_("这项培训已经完成，不需要再次提交"))
