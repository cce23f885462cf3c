"""Files of a case and their way through people's hands."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.cases.stages import Audience
from huiyin.db import TenantModel, columns, tenant_key
from huiyin.kit.time import now


class FileSource(StrEnum):
    COMPLAINANT = "complainant"
    STAFF = "staff"
    SYSTEM = "system"


class EvidenceFile(TenantModel):
    """One file handed in.  What it is never changes; ``custody`` only grows (duties.sql).

    ``custody`` holds ``{"at", "by", "by_id", "act", "note"}`` for each hand it passed through:
    ``add``, ``read``, ``verify``.
    """

    __tablename__ = "evidence_file"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "case_id", "number"),
        UniqueConstraint("tenant_id", "blob_key"),
        CheckConstraint("verified_by IS DISTINCT FROM uploaded_by", name="second_person"),
    )

    case_id: Mapped[uuid.UUID]
    number: Mapped[str]  # E-01, counted per case
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    blob_key: Mapped[str]
    source: Mapped[str]
    audience: Mapped[str] = mapped_column(default=Audience.INTERNAL.value)
    note: Mapped[str] = mapped_column(default="")
    uploaded_by: Mapped[uuid.UUID]
    uploaded_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[uuid.UUID | None]
    verified_name: Mapped[str] = mapped_column(default="")
    custody: Mapped[list[Any]] = mapped_column(default=list)


class EvidenceRound(TenantModel):
    """One comparison of everything a firm keeps with its hashes, and how far it has come.

    ``part`` and ``after`` say where the next piece goes on; only the job of the present ``turn``
    does so.
    """

    __tablename__ = "evidence_round"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index(
            "uq_evidence_round_present", "tenant_id", unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_evidence_round_ended", *columns("ended_at")),
    )  # fmt: skip

    begun_at: Mapped[datetime] = mapped_column(default=now)
    moved_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    turn: Mapped[int] = mapped_column(default=0)
    part: Mapped[str]
    after: Mapped[str] = mapped_column(default="")
    # The holders that were gone through to their end.
    asked: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    files: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    found: Mapped[int] = mapped_column(default=0)  # that nobody knew before
    left_over: Mapped[int] = mapped_column(default=0)  # named by nobody, and removed


class EvidenceFinding(TenantModel):
    """A file that a round found missing or damaged; settled once a full round no longer does.

    Only a round that asked its holder settles it, or one that finds the holder gone for good.
    """

    __tablename__ = "evidence_finding"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index(
            "uq_evidence_finding_open", *columns("blob_key", "fault"), unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        CheckConstraint("fault IN ('missing', 'damaged')", name="fault"),
    )  # fmt: skip

    round_id: Mapped[uuid.UUID]  # the round that saw it last
    holder: Mapped[str]  # that named it last
    blob_key: Mapped[str]
    fault: Mapped[str]
    found_at: Mapped[datetime] = mapped_column(default=now)
    settled_at: Mapped[datetime | None]
