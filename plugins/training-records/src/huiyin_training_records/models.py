"""Courses and what people did with them.  Names of people are read from the firm's list."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key
from huiyin_training_records.terms import PREFIX

_P: Final = PREFIX


class Course(TenantModel):
    """What is taught.  ``valid_months`` 0 means for good; ``causes`` are root-cause codes."""

    __tablename__ = f"{_P}course"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("valid_months BETWEEN 0 AND 120", name="valid_months"),
    )

    code: Mapped[str]
    title: Mapped[str]
    aim: Mapped[str] = mapped_column(default="")
    causes: Mapped[list[Any]] = mapped_column(default=list)
    valid_months: Mapped[int] = mapped_column(default=12)
    needs_session: Mapped[bool] = mapped_column(default=False)
    retired: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    rev: Mapped[int] = mapped_column(default=1)


class Version(TenantModel):
    """One wording of a course.  Published, it never changes; ``authors`` know its answers."""

    __tablename__ = f"{_P}course_version"
    __table_args__ = (
        tenant_key("course_id", Course.__tablename__),
        UniqueConstraint("tenant_id", "course_id", "number"),
        Index(
            f"uq_{_P}course_version_draft", *columns("course_id"), unique=True,
            postgresql_where=text("state = 'draft'"),
        ),
        CheckConstraint("pass_mark BETWEEN 1 AND 100", name="pass_mark"),
        CheckConstraint("draw BETWEEN 0 AND 50", name="draw"),
        CheckConstraint("attempts BETWEEN 1 AND 10", name="attempts"),
    )  # fmt: skip

    course_id: Mapped[uuid.UUID]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    change: Mapped[str] = mapped_column(default="")
    draw: Mapped[int] = mapped_column(default=0)  # questions of one attempt; 0: no quiz
    pass_mark: Mapped[int] = mapped_column(default=80)  # per cent
    attempts: Mapped[int] = mapped_column(default=3)
    statement: Mapped[str] = mapped_column(default="")  # what is attested
    authors: Mapped[list[Any]] = mapped_column(default=list)
    content_sha256: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]
    published_by: Mapped[uuid.UUID | None]
    rev: Mapped[int] = mapped_column(default=1)


class Material(TenantModel):
    """Something to read, watch or open, in the order of ``seq``."""

    __tablename__ = f"{_P}material"
    __table_args__ = (
        tenant_key("version_id", Version.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "version_id", "seq"),
    )

    version_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    file_name: Mapped[str] = mapped_column(default="")
    blob_key: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(default=0)


class Question(TenantModel):
    """One of the pool.  ``right`` are positions in ``options``, counted from 0."""

    __tablename__ = f"{_P}question"
    __table_args__ = (
        tenant_key("version_id", Version.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "version_id", "seq"),
    )

    version_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    kind: Mapped[str]
    text: Mapped[str]
    options: Mapped[list[Any]]
    right: Mapped[list[Any]]
    why: Mapped[str] = mapped_column(default="")


class Requirement(TenantModel):
    """A post (role) must hold the course; somebody new to it has ``due_days``."""

    __tablename__ = f"{_P}requirement"
    __table_args__ = (
        tenant_key("course_id", Course.__tablename__),
        UniqueConstraint("tenant_id", "course_id", "role"),
    )

    course_id: Mapped[uuid.UUID]
    role: Mapped[str]
    due_days: Mapped[int] = mapped_column(default=30)
    since: Mapped[date]
    created_by: Mapped[uuid.UUID]


class Assignment(TenantModel):
    """One person has to learn one course, and what became of it.

    Whoever recognises a training, allows another attempt or calls it off is somebody else.
    """

    __tablename__ = f"{_P}assignment"
    __table_args__ = (
        tenant_key("course_id", Course.__tablename__),
        tenant_key("version_id", Version.__tablename__),
        tenant_key("case_id", "case_file"),
        Index(
            f"uq_{_P}assignment_open", *columns("course_id", "account_id"), unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(f"ix_{_P}assignment_person", *columns("account_id", "course_id")),
        Index(f"ix_{_P}assignment_case", *columns("case_id")),
        Index(f"ix_{_P}assignment_list", *columns("assigned_at", "id")),
        CheckConstraint("recognised_by IS NULL OR recognised_by <> account_id", name="not_oneself"),
        CheckConstraint("granted_by IS NULL OR granted_by <> account_id", name="grant_not_oneself"),
        CheckConstraint(
            "cancelled_by IS NULL OR cancelled_by <> account_id", name="cancel_not_oneself"
        ),
    )  # fmt: skip

    course_id: Mapped[uuid.UUID]
    version_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    origin: Mapped[str]
    cause: Mapped[str] = mapped_column(default="")
    case_id: Mapped[uuid.UUID | None]
    event_id: Mapped[uuid.UUID | None]
    assigned_at: Mapped[datetime] = mapped_column(default=now)
    assigned_by: Mapped[uuid.UUID]
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="open")
    attempts_used: Mapped[int] = mapped_column(default=0)
    attempts_more: Mapped[int] = mapped_column(default=0)
    granted_by: Mapped[uuid.UUID | None]
    quiz_passed_at: Mapped[datetime | None]
    score: Mapped[int | None]
    completed_on: Mapped[date | None]
    valid_until: Mapped[date | None]
    recognised_by: Mapped[uuid.UUID | None]
    proof: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    cancelled_by: Mapped[uuid.UUID | None]
    reminded_at: Mapped[datetime | None]
    reminders: Mapped[int] = mapped_column(default=0)


class Reading(TenantModel):
    """Somebody said to have read a material, and of which bytes."""

    __tablename__ = f"{_P}reading"
    __table_args__ = (
        tenant_key("assignment_id", Assignment.__tablename__, ondelete="CASCADE"),
        tenant_key("material_id", Material.__tablename__),
        UniqueConstraint("tenant_id", "assignment_id", "material_id"),
    )

    assignment_id: Mapped[uuid.UUID]
    material_id: Mapped[uuid.UUID]
    at: Mapped[datetime] = mapped_column(default=now)


class Attempt(TenantModel):
    """One try at a quiz.  It counts from the draw on; ``drawn`` is what was asked, in order."""

    __tablename__ = f"{_P}attempt"
    __table_args__ = (
        tenant_key("assignment_id", Assignment.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "assignment_id", "number"),
    )

    assignment_id: Mapped[uuid.UUID]
    number: Mapped[int]
    drawn: Mapped[list[Any]]  # [{"id": question, "order": positions as shown}]
    started_at: Mapped[datetime] = mapped_column(default=now)
    submitted_at: Mapped[datetime | None]
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    score: Mapped[int | None]
    passed: Mapped[bool | None]


class Attestation(TenantModel):
    """Who signed which words, when, and the seal over all of it."""

    __tablename__ = f"{_P}attestation"
    __table_args__ = (
        tenant_key("assignment_id", Assignment.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "assignment_id"),
    )

    assignment_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    statement: Mapped[str]
    typed_name: Mapped[str]
    content_sha256: Mapped[str]  # of the version that was learnt
    signature: Mapped[str]  # HMAC over statement, version, person and moment, hex
    at: Mapped[datetime] = mapped_column(default=now)


class Certificate(TenantModel):
    """What was certified.  The code is derived from the id; only its seal is kept."""

    __tablename__ = f"{_P}certificate"
    __table_args__ = (
        tenant_key("assignment_id", Assignment.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "assignment_id"),
        UniqueConstraint("tenant_id", "code_hash"),
        CheckConstraint("revoked_by IS NULL OR revoked_by <> account_id", name="not_oneself"),
    )

    assignment_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    holder: Mapped[str]
    course_title: Mapped[str]
    version_number: Mapped[int]
    issued_on: Mapped[date]
    valid_until: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[uuid.UUID | None]
    revoked_for: Mapped[str] = mapped_column(default="")


class Expert(TenantModel):
    """Somebody from outside: a trainer, an expert, counsel."""

    __tablename__ = f"{_P}expert"
    __table_args__ = (Index(f"ix_{_P}expert_name", *columns("name", "id")),)

    kind: Mapped[str]
    name: Mapped[str]
    organisation: Mapped[str] = mapped_column(default="")
    field: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    retired: Mapped[bool] = mapped_column(default=False)


class Meeting(TenantModel):
    """A session of a course: when, where, who teaches."""

    __tablename__ = f"{_P}meeting"
    __table_args__ = (
        tenant_key("course_id", Course.__tablename__),
        tenant_key("expert_id", Expert.__tablename__),
        Index(f"ix_{_P}meeting_begins", *columns("begins_at", "id")),
        CheckConstraint("ends_at > begins_at", name="ends_after"),
    )

    course_id: Mapped[uuid.UUID]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str]
    trainer_id: Mapped[uuid.UUID | None]
    expert_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(default="planned")
    sequence: Mapped[int] = mapped_column(default=0)  # of the invitation
    created_by: Mapped[uuid.UUID]
    reason: Mapped[str] = mapped_column(default="")


class Attendance(TenantModel):
    """Somebody was invited, and perhaps there.  Nobody enters his own presence by hand."""

    __tablename__ = f"{_P}attendance"
    __table_args__ = (
        tenant_key("meeting_id", Meeting.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "meeting_id", "account_id"),
        Index(f"ix_{_P}attendance_person", *columns("account_id", "meeting_id")),
        CheckConstraint(
            "how IS NULL OR how = 'qr' OR marked_by <> account_id", name="not_by_oneself"
        ),
    )

    meeting_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    invited_by: Mapped[uuid.UUID]
    present_at: Mapped[datetime | None]
    how: Mapped[str | None]
    marked_by: Mapped[uuid.UUID | None]
