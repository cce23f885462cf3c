"""Posts with their shifts, calls, and what is owed to whoever was missed."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ARRAY, CheckConstraint, Index, Integer, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key
from huiyin_channel_phone.terms import PREFIX, BackState, Sort

_P: Final = PREFIX
DAY: Final = 1440  # minutes


class Post(TenantModel):
    """A telephone that somebody answers, and what it does when nobody does."""

    __tablename__ = f"{_P}post"
    title: Mapped[str]
    line: Mapped[str] = mapped_column(default="")  # its number, made normal
    outside: Mapped[str] = mapped_column(default="nothing")
    outside_note: Mapped[str] = mapped_column(default="")
    retired: Mapped[bool] = mapped_column(default=False)
    rev: Mapped[int] = mapped_column(default=1)


class Shift(TenantModel):
    """Who answers a post on which days: ``begins`` is a minute of the day, ``length`` may lead
    over midnight.  ``people`` are accounts, each standing in for the one before."""

    __tablename__ = f"{_P}shift"
    __table_args__ = (
        tenant_key("post_id", Post.__tablename__),
        Index(f"ix_{_P}shift_post", *columns("post_id", "begins")),
        CheckConstraint(f"begins BETWEEN 0 AND {DAY - 1}", name="begins"),
        CheckConstraint(f"length BETWEEN 15 AND {DAY}", name="length"),
        CheckConstraint("last_on IS NULL OR last_on >= first_on", name="ends_after"),
    )

    post_id: Mapped[uuid.UUID]
    title: Mapped[str]
    days: Mapped[str]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)  # 0 is Monday
    begins: Mapped[int]
    length: Mapped[int]
    first_on: Mapped[date]
    last_on: Mapped[date | None]
    people: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    rev: Mapped[int] = mapped_column(default=1)


class Absence(TenantModel):
    """Somebody is not there from the first day to the last.  Why is nobody's business."""

    __tablename__ = f"{_P}absence"
    __table_args__ = (
        Index(f"ix_{_P}absence_days", *columns("last_on", "first_on")),
        CheckConstraint("last_on >= first_on", name="ends_after"),
    )

    account_id: Mapped[uuid.UUID]
    first_on: Mapped[date]
    last_on: Mapped[date]
    entered_by: Mapped[uuid.UUID]


class KeptDay(TenantModel):
    """A day that is over: its posts, and who answered each of them from when to when."""

    __tablename__ = f"{_P}kept_day"
    __table_args__ = (UniqueConstraint("tenant_id", "day"),)

    day: Mapped[date]
    posts: Mapped[list[Any]] = mapped_column(default=list)
    kept_at: Mapped[datetime] = mapped_column(default=now)


class Call(TenantModel):
    """One call, from whichever side.  ``started_at`` is when it rang or was dialled."""

    __tablename__ = f"{_P}call"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        UniqueConstraint("tenant_id", "draft_id"),
        tenant_key("case_id", "case_file"),
        tenant_key("fund_id", "fund"),
        Index(f"ix_{_P}call_list", *columns("started_at", "id")),
        Index(f"ix_{_P}call_number", *columns("number", "started_at")),
        Index(
            f"ix_{_P}call_case", *columns("case_id", "started_at"),
            postgresql_where=text("case_id IS NOT NULL"),
        ),
        Index(
            f"ix_{_P}call_unsorted", *columns("started_at", "id"),
            postgresql_where=text("sort = 'unsorted'"),
        ),
        CheckConstraint("seconds >= 0", name="seconds"),
        CheckConstraint("(sort IN ('complaint', 'case')) = (case_id IS NOT NULL)", name="sorted"),
    )  # fmt: skip

    external_id: Mapped[str | None]  # the telephone system's
    body_sha256: Mapped[str] = mapped_column(default="")  # of what it said; "" from a file
    draft_id: Mapped[uuid.UUID | None]  # of the form it was written down with
    source: Mapped[str]
    direction: Mapped[str]
    state: Mapped[str]
    number: Mapped[str] = mapped_column(default="")  # the other side's, made normal
    line: Mapped[str] = mapped_column(default="")  # ours
    agent: Mapped[str] = mapped_column(default="")  # extension, as the system names it
    started_at: Mapped[datetime]
    seconds: Mapped[int] = mapped_column(default=0)  # of talking
    sort: Mapped[str] = mapped_column(default=Sort.UNSORTED.value)
    case_id: Mapped[uuid.UUID | None]
    fund_id: Mapped[uuid.UUID | None]
    name: Mapped[str] = mapped_column(default="")
    story: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    told: Mapped[bool] = mapped_column(default=False)  # that it is recorded
    account_id: Mapped[uuid.UUID | None]  # who wrote it down
    logged_at: Mapped[datetime] = mapped_column(default=now)
    rev: Mapped[int] = mapped_column(default=1)


class Draft(TenantModel):
    """A call that is being written down, by one person; nobody else sees it."""

    __tablename__ = f"{_P}draft"
    __table_args__ = (Index(f"ix_{_P}draft_account", *columns("account_id", "updated_at")),)

    account_id: Mapped[uuid.UUID]
    direction: Mapped[str]
    number: Mapped[str] = mapped_column(default="")
    call_id: Mapped[uuid.UUID | None]  # the record of the telephone system it completes
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)  # as they were typed
    started_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class CallBack(TenantModel):
    """Owed to a number that nobody answered.  One at a time for each number."""

    __tablename__ = f"{_P}call_back"
    __table_args__ = (
        tenant_key("call_id", Call.__tablename__),
        tenant_key("closing_call_id", Call.__tablename__),
        Index(
            f"uq_{_P}call_back_open", *columns("number"), unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            f"ix_{_P}call_back_due", *columns("due_at", "id"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(f"ix_{_P}call_back_closed", *columns("closed_at", "id")),
        Index(f"ix_{_P}call_back_missed", *columns("missed_at", "id")),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_has_date"),
        CheckConstraint("(state = 'done') = (closing_call_id IS NOT NULL)", name="done_has_proof"),
    )  # fmt: skip

    call_id: Mapped[uuid.UUID]  # the first that was missed
    number: Mapped[str]
    line: Mapped[str] = mapped_column(default="")
    missed_at: Mapped[datetime]
    last_missed_at: Mapped[datetime]
    missed: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime]
    promise: Mapped[dict[str, Any]] = mapped_column(default=dict)  # amount, unit, basis
    attempts: Mapped[int] = mapped_column(default=0)  # of ours that reached nobody
    attempted_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(default=0)  # 1 told who is on duty, 2 told whoever is above
    state: Mapped[str] = mapped_column(default=BackState.OPEN.value)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None]
    closing_call_id: Mapped[uuid.UUID | None]
    reason: Mapped[str] = mapped_column(default="")
    rev: Mapped[int] = mapped_column(default=1)

    @property
    def in_time(self) -> bool | None:
        """Whether the promise was kept; ``None`` while it may still be, or when none was owed."""
        if self.state != BackState.DONE.value or self.closed_at is None:
            return None
        return self.closed_at <= self.due_at


class Recording(TenantModel):
    """The sound of a call.  Once the call belongs to a case the bytes are evidence of the case
    (``evidence_id``); until then they are kept here."""

    __tablename__ = f"{_P}recording"
    __table_args__ = (
        tenant_key("call_id", Call.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "call_id", "sha256"),
    )

    call_id: Mapped[uuid.UUID]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    blob_key: Mapped[str] = mapped_column(default="")
    evidence_id: Mapped[uuid.UUID | None]
    source: Mapped[str]
    consent: Mapped[str] = mapped_column(default="")
    by: Mapped[uuid.UUID]
    at: Mapped[datetime] = mapped_column(default=now)


class ImportRun(TenantModel):
    """A file of call records, checked and then taken in as a whole."""

    __tablename__ = f"{_P}import_run"

    file_name: Mapped[str]
    blob_key: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str]
    by: Mapped[uuid.UUID]
    at: Mapped[datetime] = mapped_column(default=now)
    call_backs: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(default="checking")
    total: Mapped[int]
    good: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)  # were here already
    applied: Mapped[int] = mapped_column(default=0)


class ImportRow(TenantModel):
    """One line as it stood, and what is wrong with it if anything is."""

    __tablename__ = f"{_P}import_row"
    __table_args__ = (
        tenant_key("run_id", ImportRun.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "run_id", "number"),
    )

    run_id: Mapped[uuid.UUID]
    number: Mapped[int]
    cells: Mapped[dict[str, Any]]
    state: Mapped[str]  # good, known, wrong
    reason: Mapped[str] = mapped_column(default="")
    record: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what it says, made plain
