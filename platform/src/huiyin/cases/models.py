"""A complaint and all that hangs on it.  Rows change only through ``huiyin.cases.change``."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from huiyin.cases.stages import (
    BY_FIRM,
    FINISHED,
    PUBLIC_OF,
    Audience,
    CaseState,
    Complexity,
    IntakeType,
    Part,
    PublicStage,
    Source,
    Stage,
    stage_number,
)
from huiyin.db import TenantModel, columns, tenant_key
from huiyin.identity.actor import Actor
from huiyin.identity.policy import sees_all
from huiyin.kit.time import now
from huiyin.parties.models import Fund, Investor


class Case(TenantModel):
    """One grievance, from first touch to the sealed archive."""

    __tablename__ = "case_file"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("tenant_id", "code_hash"),
        UniqueConstraint("tenant_id", "channel", "idem_key"),
        tenant_key("complainant_id", "investor"),
        tenant_key("fund_id", "fund"),
        tenant_key("master_id", "case_file"),
        Index(
            "ix_case_file_due",
            *columns("next_due_at", "id"),
            postgresql_where=text("next_due_at IS NOT NULL"),
        ),
        Index(
            "ix_case_file_unaccepted",
            *columns("received_at", "id"),
            postgresql_where=text("state = 'open' AND stage = 'intake'"),
        ),
        Index(
            "ix_case_file_approval",
            *columns("next_due_at", "id"),
            postgresql_where=text("state = 'open' AND stage = 'approval'"),
        ),
        Index(
            "ix_case_file_archive",
            *columns("next_due_at", "id"),
            postgresql_where=text("state = 'open' AND stage = 'archive'"),
        ),
        Index(
            "ix_case_file_ending",
            *columns("next_due_at", "id"),
            postgresql_where=text("state = 'open' AND facts ? 'end_asked'"),
        ),
        Index(
            "ix_case_file_retyping",
            *columns("next_due_at", "id"),
            postgresql_where=text("state = 'open' AND facts ? 'retype_asked'"),
        ),
        Index(
            "ix_case_file_unsigned",
            *columns("next_due_at", "id"),
            postgresql_where=text("facts ? 'answer_waits'"),
        ),
        Index(
            "ix_case_file_extending",
            *columns("next_due_at", "id"),
            postgresql_where=text("state = 'open' AND facts ? 'extension_asked'"),
        ),
        Index("ix_case_file_received", *columns("received_at", "id")),
        Index("ix_case_file_owner", *columns("owner_id", "state")),
        Index(
            "ix_case_file_owner_due",
            *columns("owner_id", "next_due_at"),
            postgresql_where=text("next_due_at IS NOT NULL"),
        ),
        Index(
            "ix_case_file_investigator_due",
            *columns("investigator_id", "next_due_at"),
            postgresql_where=text("next_due_at IS NOT NULL"),
        ),
        Index(
            "ix_case_file_master",
            *columns("master_id"),
            postgresql_where=text("master_id IS NOT NULL"),
        ),
        Index("ix_case_file_fund", *columns("fund_id", "received_at")),
        Index("ix_case_file_complainant", *columns("complainant_id")),
        Index(
            "ix_case_file_closed",
            *columns("closed_at", "id"),
            postgresql_where=text("state = 'closed'"),
        ),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_date"),
    )

    # identity of record
    number: Mapped[str]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    idem_key: Mapped[str]
    idem_hash: Mapped[bytes] = mapped_column(LargeBinary)
    channel: Mapped[str]
    source: Mapped[str] = mapped_column(default=Source.DIRECT.value)
    transfer_number: Mapped[str] = mapped_column(default="")
    intake_type: Mapped[str] = mapped_column(default=IntakeType.COMPLAINT.value)
    language: Mapped[str] = mapped_column(default="zh")
    received_at: Mapped[datetime]
    registered_at: Mapped[datetime] = mapped_column(default=now)

    # what it is about
    title: Mapped[str]
    story: Mapped[str]  # verbatim, never edited
    wish: Mapped[str] = mapped_column(default="")
    fund_text: Mapped[str] = mapped_column(default="")  # as the complainant wrote it
    fund_id: Mapped[uuid.UUID | None]
    complainant_id: Mapped[uuid.UUID | None]
    anonymous: Mapped[bool] = mapped_column(default=False)
    category: Mapped[str | None]  # taxonomy leaf, e.g. C1
    severity: Mapped[str | None]
    complexity: Mapped[str] = mapped_column(default=Complexity.SIMPLE.value)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    finding: Mapped[str | None]
    cause: Mapped[str | None]  # primary root cause, e.g. RC3-2

    # where it stands
    stage: Mapped[str] = mapped_column(default=Stage.INTAKE.value)
    state: Mapped[str] = mapped_column(default=CaseState.OPEN.value)
    outcome: Mapped[str | None]
    stage_since: Mapped[datetime] = mapped_column(default=now)
    accepted_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    master_id: Mapped[uuid.UUID | None]
    version: Mapped[int] = mapped_column(default=1)

    # who
    owner_id: Mapped[uuid.UUID | None]
    investigator_id: Mapped[uuid.UUID | None]
    team: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    walled: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)

    # kept along, so that pages count nothing
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # gate → {at, by, note}
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # kind → number
    clock_events: Mapped[list[Any]] = mapped_column(default=list)  # replayed by the clocks
    stage_dates: Mapped[dict[str, Any]] = mapped_column(default=dict)  # stage → entered on
    next_due_at: Mapped[datetime | None]
    next_due_kind: Mapped[str | None]
    clocks_held: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    last_activity: Mapped[str] = mapped_column(default="")

    complainant: Mapped[Investor | None] = relationship(
        lazy="raise",
        primaryjoin=(
            "and_(Case.tenant_id == Investor.tenant_id,"
            " foreign(Case.complainant_id) == Investor.id)"
        ),
    )
    fund: Mapped[Fund | None] = relationship(
        lazy="raise",
        primaryjoin="and_(Case.tenant_id == Fund.tenant_id, foreign(Case.fund_id) == Fund.id)",
    )

    @property
    def is_open(self) -> bool:
        return self.state == CaseState.OPEN

    @property
    def finished(self) -> bool:
        """Whether it was carried through to an answer and closed with it."""
        return not self.is_open and self.outcome in FINISHED

    @property
    def is_settled(self) -> bool:
        """Whether a plan was submitted for approval: what it rests on stays as it was judged."""
        return stage_number(self.stage) >= stage_number(Stage.APPROVAL)

    @property
    def ended_by_firm(self) -> bool:
        """Whether the firm ended it before there was an answer: the complainant may object."""
        if self.is_open:
            return False
        return self.outcome in BY_FIRM or "end_confirmed" in self.facts

    @property
    def letters_owed(self) -> tuple[str, ...]:
        """Marks of the letters that passed it on and still wait for their answer, oldest first;
        ``""`` is the one it was filed with."""
        owed: dict[str, None] = {}
        for event in self.clock_events:
            mark = str(event["data"].get("letter") or "")
            if event["kind"] == "transfer_received":
                owed[mark] = None
            elif event["kind"] == "transfer_answered":
                owed.pop(mark, None)
        return tuple(owed)

    @property
    def settled_at_once(self) -> bool:
        """Whether the complainant was answered without a letter, by 简易办结."""
        return "summary_closed" in self.facts

    @property
    def public_stage(self) -> PublicStage:
        if self.stage == Stage.INTAKE and self.accepted_at:
            return PublicStage.ACCEPTED
        return PUBLIC_OF[Stage(self.stage)]

    def visible_to(self, actor: Actor) -> bool:
        """Whether this person may know of the case at all.  Subjects of it may not."""
        if actor.id in self.walled:
            return False
        return not actor.is_person or sees_all(actor.roles) or actor.id in self.team


class Entry(TenantModel):
    """One line of the timeline.  Written once, never changed."""

    __tablename__ = "case_entry"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "case_id", "seq"),
    )

    case_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str]
    audience: Mapped[str] = mapped_column(default=Audience.INTERNAL.value)
    verb: Mapped[str]  # what was done; its title is in the verb table
    author_id: Mapped[uuid.UUID]
    author_name: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    stage: Mapped[str]

    # Tells the unit of work which row goes in first; never loaded.
    case: Mapped[Case] = relationship(
        lazy="raise",
        primaryjoin="and_(Entry.tenant_id == Case.tenant_id, foreign(Entry.case_id) == Case.id)",
    )


class Participation(TenantModel):
    """Somebody's part in a case.  Ended, never deleted: duties are judged on history."""

    __tablename__ = "case_participation"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "case_id", "account_id", "part"),
        Index("ix_case_participation_account", *columns("account_id", "part")),
    )

    case_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    name: Mapped[str]
    part: Mapped[str]
    since: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime | None]
    by_id: Mapped[uuid.UUID]

    # Tells the unit of work which row goes in first; never loaded.
    case: Mapped[Case] = relationship(
        lazy="raise",
        primaryjoin=(
            "and_(Participation.tenant_id == Case.tenant_id,"
            " foreign(Participation.case_id) == Case.id)"
        ),
    )

    @property
    def is_subject(self) -> bool:
        return self.part == Part.SUBJECT


class Task(TenantModel):
    """Something to be done by somebody by a day; measures of a plan become tasks.

    A title or a proof that is a sentence of ours is kept as its key with what it names beside it,
    so that each reader has it in their language; what people wrote names nothing.
    """

    __tablename__ = "case_task"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        Index("ix_case_task_case", *columns("case_id", "done_at")),
        Index(
            "ix_case_task_assignee",
            *columns("assignee_id", "due_on"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_case_task_untold",
            *columns("reminded", "due_on"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    case_id: Mapped[uuid.UUID]
    title: Mapped[str]
    title_params: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    assignee_id: Mapped[uuid.UUID | None]
    assignee_name: Mapped[str] = mapped_column(default="")
    due_on: Mapped[date | None]
    reminded: Mapped[int] = mapped_column(default=0, server_default="0")  # 1 due soon, 2 overdue
    is_measure: Mapped[bool] = mapped_column(default=False)
    done_at: Mapped[datetime | None]
    done_by: Mapped[uuid.UUID | None]
    proof: Mapped[str] = mapped_column(default="")
    proof_params: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[uuid.UUID]


class CaseText(TenantModel):
    """What a case can be found by: bigrams of all its words, and the words for the recheck.

    ``id`` is the case's own id.  Read only through ``case_search``; see migrations/sql.
    """

    __tablename__ = "case_text"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("id", "case_file"),
        Index(
            "ix_case_text_bigrams",
            "tenant_id",
            "bigrams",
            postgresql_using="gin",
        ),
        Index("ix_case_text_received", *columns("received_at", "id")),
    )

    words: Mapped[str] = mapped_column(Text)
    bigrams: Mapped[Any] = mapped_column(TSVECTOR)
    received_at: Mapped[datetime]
