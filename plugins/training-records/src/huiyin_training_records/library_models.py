"""The library of regulations, consultations, and imports."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key
from huiyin_training_records.models import Expert
from huiyin_training_records.terms import PREFIX

_P: Final = PREFIX


class Instrument(TenantModel):
    """A law, rule or standard.  ``key`` is ours; what it says is in its editions."""

    __tablename__ = f"{_P}instrument"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str]
    title: Mapped[str]
    number: Mapped[str] = mapped_column(default="")
    force: Mapped[str]
    scope: Mapped[str]
    notes: Mapped[str] = mapped_column(default="")  # the firm's own
    entered_by: Mapped[uuid.UUID]


class Edition(TenantModel):
    """One version of an instrument: what is known of it, how surely, and from when it holds.

    A tick says that counsel read the text named in ``tick_source``; any change takes it away.
    """

    __tablename__ = f"{_P}edition"
    __table_args__ = (
        tenant_key("instrument_id", Instrument.__tablename__, ondelete="CASCADE"),
        Index(f"ix_{_P}edition_instrument", *columns("instrument_id", "effective_from")),
        UniqueConstraint("tenant_id", "instrument_id", "label"),
        CheckConstraint(
            "effective_to IS NULL OR effective_from IS NULL OR effective_to >= effective_from",
            name="ends_after",
        ),
        CheckConstraint("ticked_by IS NULL OR ticked_by <> edited_by", name="two_people"),
    )

    instrument_id: Mapped[uuid.UUID]
    label: Mapped[str]
    effective_from: Mapped[date | None]
    effective_to: Mapped[date | None]
    retention: Mapped[str] = mapped_column(default="")  # periods the sources name
    confidence: Mapped[str]
    source: Mapped[str] = mapped_column(default="")
    open_points: Mapped[str] = mapped_column(default="")
    edited_by: Mapped[uuid.UUID]
    ticked_by: Mapped[uuid.UUID | None]
    ticked_at: Mapped[datetime | None]
    tick_source: Mapped[str] = mapped_column(default="")
    rev: Mapped[int] = mapped_column(default=1)


class Article(TenantModel):
    """What one article is known to ask for, in our words."""

    __tablename__ = f"{_P}article"
    __table_args__ = (
        tenant_key("edition_id", Edition.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "edition_id", "seq"),
    )

    edition_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    number: Mapped[str] = mapped_column(default="")
    fact: Mapped[str]


class CaseLink(TenantModel):
    """An instrument (or one of its articles) matters for a case."""

    __tablename__ = f"{_P}case_link"
    __table_args__ = (
        tenant_key("instrument_id", Instrument.__tablename__, ondelete="CASCADE"),
        tenant_key("case_id", "case_file", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "instrument_id", "case_id", "article"),
        Index(f"ix_{_P}case_link_case", *columns("case_id")),
    )

    instrument_id: Mapped[uuid.UUID]
    case_id: Mapped[uuid.UUID]
    article: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    linked_by: Mapped[uuid.UUID]
    linked_at: Mapped[datetime] = mapped_column(default=now)


class Consultation(TenantModel):
    """A question to counsel or an expert.  Privileged, only those named know that it exists."""

    __tablename__ = f"{_P}consultation"
    __table_args__ = (
        tenant_key("expert_id", Expert.__tablename__),
        Index(f"ix_{_P}consultation_asked", *columns("asked_at", "id")),
    )

    subject: Mapped[str]
    question: Mapped[str]
    privileged: Mapped[bool] = mapped_column(default=False)
    expert_id: Mapped[uuid.UUID | None]
    asked_by: Mapped[uuid.UUID]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    due_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(default="open")


class Named(TenantModel):
    """Somebody who may see a privileged consultation; whoever asked is among them."""

    __tablename__ = f"{_P}named"
    __table_args__ = (
        tenant_key("consultation_id", Consultation.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "consultation_id", "account_id"),
        Index(f"ix_{_P}named_person", *columns("account_id", "consultation_id")),
    )

    consultation_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]


class Reply(TenantModel):
    """An answer or a further word; ``of_expert`` when it is the expert's, entered by a member."""

    __tablename__ = f"{_P}reply"
    __table_args__ = (
        tenant_key("consultation_id", Consultation.__tablename__, ondelete="CASCADE"),
        Index(f"ix_{_P}reply_consultation", *columns("consultation_id", "at")),
    )

    consultation_id: Mapped[uuid.UUID]
    author_id: Mapped[uuid.UUID]
    of_expert: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class ImportRun(TenantModel):
    """A file of existing records: first checked row by row, then taken in at somebody's word."""

    __tablename__ = f"{_P}import_run"
    __table_args__ = (Index(f"ix_{_P}import_run_at", *columns("at", "id")),)

    file_name: Mapped[str]
    blob_key: Mapped[str]
    sha256: Mapped[str]
    by: Mapped[uuid.UUID]
    at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(default="checking")
    total: Mapped[int] = mapped_column(default=0)
    checked: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    applied: Mapped[int] = mapped_column(default=0)


class ImportRow(TenantModel):
    """One row of the file: what it says, and what is wrong with it (``""``: nothing)."""

    __tablename__ = f"{_P}import_row"
    __table_args__ = (
        tenant_key("run_id", ImportRun.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "run_id", "number"),
    )

    run_id: Mapped[uuid.UUID]
    number: Mapped[int]
    cells: Mapped[dict[str, Any]]
    account_id: Mapped[uuid.UUID | None]
    course_id: Mapped[uuid.UUID | None]
    reason: Mapped[str] = mapped_column(default="")
    applied: Mapped[bool] = mapped_column(default=False)
