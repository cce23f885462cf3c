"""Packs, runs and what they found; the assessment of the twenty sections.

What a person alone may not do twice is refused here as well: the constraints stand behind the
services, and a trigger of the migration keeps a run that was handed in as it is.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ARRAY, CheckConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key

PREFIX: Final = "plugin_checklist_regulatory__"


class PackVersion(TenantModel):
    """One version of one pack, as this firm has it; the one adopted last is in force."""

    __tablename__ = f"{PREFIX}pack"
    __table_args__ = (
        UniqueConstraint("tenant_id", "pack_id", "version"),
        CheckConstraint(
            "NOT imported OR adopted_by IS NULL OR adopted_by <> added_by", name="second_person"
        ),
    )

    pack_id: Mapped[str]
    version: Mapped[str]
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str]
    imported: Mapped[bool]
    added_by: Mapped[uuid.UUID]
    added_name: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(default=now)
    adopted_by: Mapped[uuid.UUID | None]
    adopted_name: Mapped[str] = mapped_column(default="")
    adopted_at: Mapped[datetime | None]


class PackImport(TenantModel):
    """One file somebody wanted to bring in, and what was wrong with it."""

    __tablename__ = f"{PREFIX}import"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (Index(f"ix_{PREFIX}import_at", *columns("at", "id")),)

    file_name: Mapped[str]
    sha256: Mapped[str]
    pack_id: Mapped[str] = mapped_column(default="")
    version: Mapped[str] = mapped_column(default="")
    accepted: Mapped[bool]
    faults: Mapped[list[Any]] = mapped_column(default=list)
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class FactAnswer(TenantModel):
    """What is known about the firm: one answer for each fact."""

    __tablename__ = f"{PREFIX}fact"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str]
    value: Mapped[bool]
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class Vouch(TenantModel):
    """Somebody vouches for an item's source: its words were read, or counsel has ticked it.

    It binds the item as it stands; when an upgrade changes the item, it no longer counts.
    """

    __tablename__ = f"{PREFIX}vouch"
    __table_args__ = (
        Index(
            f"ux_{PREFIX}vouch_one", *columns("pack_id", "item_hash", "kind"), unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )  # fmt: skip

    pack_id: Mapped[str]
    item_id: Mapped[str]
    item_hash: Mapped[str]
    kind: Mapped[str]
    person: Mapped[str]  # who read it, or the counsel
    on: Mapped[date]
    source: Mapped[str]  # where it was read, or the opinion's number
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    revoked_by: Mapped[uuid.UUID | None]
    revoked_at: Mapped[datetime | None]


class Run(TenantModel):
    """One self-check with one version of one pack, from its beginning to its seal."""

    __tablename__ = f"{PREFIX}run"
    __table_args__ = (
        UniqueConstraint("tenant_id", "year", "seq"),
        UniqueConstraint("tenant_id", "idem_key"),
        CheckConstraint("until >= since", name="period"),
        CheckConstraint(
            "reviewed_by IS NULL OR (reviewed_by <> created_by AND reviewed_by <> submitted_by"
            " AND NOT reviewed_by = ANY (answerers))",
            name="second_person",
        ),
        Index(f"ix_{PREFIX}run_newest", *columns("created_at", "id")),
    )

    year: Mapped[int]
    seq: Mapped[int]
    idem_key: Mapped[str]
    title: Mapped[str]
    pack_id: Mapped[str]
    pack_version: Mapped[str]
    pack_title: Mapped[dict[str, Any]]  # by language
    pack_hash: Mapped[str]
    kind: Mapped[str]
    category: Mapped[str] = mapped_column(default="")
    since: Mapped[date]
    until: Mapped[date]
    due_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(default="open")
    rev: Mapped[int] = mapped_column(default=1)
    answerers: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    seed: Mapped[str] = mapped_column(default="")
    sample_size: Mapped[int] = mapped_column(default=0)
    population: Mapped[int] = mapped_column(default=0)
    population_hash: Mapped[str] = mapped_column(default="")
    population_numbers: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[uuid.UUID]
    created_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    submitted_by: Mapped[uuid.UUID | None]
    submitted_name: Mapped[str] = mapped_column(default="")
    submitted_at: Mapped[datetime | None]
    reviewed_by: Mapped[uuid.UUID | None]
    reviewed_name: Mapped[str] = mapped_column(default="")
    sealed_at: Mapped[datetime | None]
    seal: Mapped[str] = mapped_column(default="")

    @property
    def number(self) -> str:
        return f"ZC-{self.year}-{self.seq:03d}"


class RunItem(TenantModel):
    """One item of a run, copied from the pack, with what was found."""

    __tablename__ = f"{PREFIX}item"
    __table_args__ = (
        tenant_key("run_id", Run.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "run_id", "position"),
        CheckConstraint("(answer IS NULL) = (answered_by IS NULL)", name="answered"),
        Index(f"ix_{PREFIX}item_assignee", *columns("assignee_id")),
    )

    run_id: Mapped[uuid.UUID]
    position: Mapped[int]
    item_id: Mapped[str]
    content: Mapped[dict[str, Any]]  # the item with its sources, as ``views.ItemView`` reads it
    item_hash: Mapped[str]
    applies: Mapped[str]
    reasons: Mapped[list[Any]] = mapped_column(default=list)  # [fact, answer or null]
    standing: Mapped[dict[str, Any]] = mapped_column(default=dict)  # frozen when handed in
    assignee_id: Mapped[uuid.UUID | None]
    assignee_name: Mapped[str] = mapped_column(default="")
    answer: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[uuid.UUID | None]
    answered_name: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    rev: Mapped[int] = mapped_column(default=1)


class SampleCase(TenantModel):
    """A closed case that was drawn, and what its reading showed."""

    __tablename__ = f"{PREFIX}sample"
    __table_args__ = (
        tenant_key("run_id", Run.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "run_id", "case_id"),
        Index(f"ix_{PREFIX}sample_case", *columns("case_id")),
    )

    run_id: Mapped[uuid.UUID]
    position: Mapped[int]
    case_id: Mapped[uuid.UUID]
    number: Mapped[str]
    draw: Mapped[str]  # the digest by which it was drawn
    result: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    by_id: Mapped[uuid.UUID | None]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime | None]


class RunEvent(TenantModel):
    """A line of a run's history."""

    __tablename__ = f"{PREFIX}event"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (
        tenant_key("run_id", Run.__tablename__, ondelete="CASCADE"),
        Index(f"ix_{PREFIX}event_run", *columns("run_id", "at")),
    )

    run_id: Mapped[uuid.UUID]
    what: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class Finding(TenantModel):
    """What did not stand up, until it is mended and somebody else has looked."""

    __tablename__ = f"{PREFIX}finding"
    __table_args__ = (
        tenant_key("run_id", Run.__tablename__),
        tenant_key("run_item_id", RunItem.__tablename__),
        UniqueConstraint("tenant_id", "year", "seq"),
        UniqueConstraint("tenant_id", "run_item_id"),
        CheckConstraint("closed_by IS NULL OR closed_by <> answered_by", name="second_person"),
        Index(f"ix_{PREFIX}finding_state", *columns("state", "raised_at", "id")),
    )

    year: Mapped[int]
    seq: Mapped[int]
    run_id: Mapped[uuid.UUID]
    run_item_id: Mapped[uuid.UUID]
    title: Mapped[str]
    severity: Mapped[str]
    cause: Mapped[str] = mapped_column(default="")
    training: Mapped[bool] = mapped_column(default=False)
    post: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[uuid.UUID]  # who had answered the item
    state: Mapped[str] = mapped_column(default="open")
    raised_by: Mapped[uuid.UUID]
    raised_name: Mapped[str]
    raised_at: Mapped[datetime] = mapped_column(default=now)
    closed_by: Mapped[uuid.UUID | None]
    closed_name: Mapped[str] = mapped_column(default="")
    closed_at: Mapped[datetime | None]
    closing_note: Mapped[str] = mapped_column(default="")
    rev: Mapped[int] = mapped_column(default=1)

    @property
    def number(self) -> str:
        return f"WT-{self.year}-{self.seq:03d}"


class Action(TenantModel):
    """What somebody does about a finding, and the test of it by another."""

    __tablename__ = f"{PREFIX}action"
    __table_args__ = (
        tenant_key("finding_id", Finding.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "idem_key"),
        CheckConstraint("tested_by IS NULL OR tested_by <> owner_id", name="second_person"),
        CheckConstraint(
            "tested_by IS NULL OR done_by IS NULL OR tested_by <> done_by", name="not_the_doer"
        ),
        Index(f"ix_{PREFIX}action_finding", *columns("finding_id", "id")),
        Index(f"ix_{PREFIX}action_due", *columns("state", "due_on")),
    )

    finding_id: Mapped[uuid.UUID]
    idem_key: Mapped[str]
    title: Mapped[str]
    owner_id: Mapped[uuid.UUID]
    owner_name: Mapped[str]
    due_on: Mapped[date]
    workdays: Mapped[int | None]  # how the date was set, if it was counted
    state: Mapped[str] = mapped_column(default="open")
    proof: Mapped[str] = mapped_column(default="")
    done_by: Mapped[uuid.UUID | None]
    done_name: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None]
    tested_by: Mapped[uuid.UUID | None]
    tested_name: Mapped[str] = mapped_column(default="")
    tested_at: Mapped[datetime | None]
    test_note: Mapped[str] = mapped_column(default="")
    failures: Mapped[int] = mapped_column(default=0)
    reminded: Mapped[str] = mapped_column(default="")  # soon, late
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Evidence(TenantModel):
    """What stands behind an answer or an action: a file, a case, a letter, a figure."""

    __tablename__ = f"{PREFIX}evidence"
    __table_args__ = (
        tenant_key("run_item_id", RunItem.__tablename__, ondelete="CASCADE"),
        tenant_key("action_id", Action.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "blob_key"),
        CheckConstraint("(run_item_id IS NULL) <> (action_id IS NULL)", name="one_place"),
        CheckConstraint("kind <> 'file' OR blob_key IS NOT NULL", name="file"),
        CheckConstraint("kind NOT IN ('case', 'letter') OR case_id IS NOT NULL", name="of_case"),
        Index(f"ix_{PREFIX}evidence_item", *columns("run_item_id", "id")),
        Index(f"ix_{PREFIX}evidence_case", *columns("case_id")),
    )

    run_item_id: Mapped[uuid.UUID | None]
    action_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    size: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(default="")
    media_type: Mapped[str] = mapped_column(default="")
    blob_key: Mapped[str | None]
    case_id: Mapped[uuid.UUID | None]
    number: Mapped[str] = mapped_column(default="")  # of the case
    letter_id: Mapped[uuid.UUID | None]
    figure: Mapped[str] = mapped_column(default="")
    frozen: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the figure as handed in
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class SectionRecord(TenantModel):
    """One assessment of one of the twenty sections; the newest is in force."""

    __tablename__ = f"{PREFIX}section"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (
        CheckConstraint("no BETWEEN 1 AND 20", name="no"),
        CheckConstraint("state <> 'running' OR record_on IS NOT NULL", name="record"),
        Index(f"ix_{PREFIX}section_newest", *columns("no", "at", "id")),
    )

    no: Mapped[int]
    state: Mapped[str]
    record_kind: Mapped[str] = mapped_column(default="")
    record_on: Mapped[date | None]
    record: Mapped[str] = mapped_column(default="")  # words, a link, or the figure's name
    frozen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(default="")
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
