"""Files of a case and their way through people's hands."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.cases.stages import Audience
from huiyin.db import TenantModel, tenant_key
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
