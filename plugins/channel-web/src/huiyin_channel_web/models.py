"""What the public pages keep: unfinished complaints for a day, visits for some hours, and when a
complainant last looked."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key


class Draft(TenantModel):
    """A complaint not yet sent.  The browser holds the secret; only its seal is kept here.

    Once filed it holds nothing but the case it became, so that the receipt can be shown again
    for a while and the same form sent twice gives the same receipt.
    """

    __tablename__ = "plugin_channel_web__draft"
    __table_args__ = (
        UniqueConstraint("tenant_id", "secret_hash"),
        Index("ix_plugin_channel_web__draft_expires", *columns("expires_at")),
    )

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)  # step → field → value
    saved_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    case_id: Mapped[uuid.UUID | None]


class DraftFile(TenantModel):
    """A file handed in with a draft: its bytes are durable before this row is written."""

    __tablename__ = "plugin_channel_web__draft_file"
    __table_args__ = (
        tenant_key("draft_id", Draft.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "blob_key"),
        Index("ix_plugin_channel_web__draft_file_draft", *columns("draft_id", "id")),
    )

    draft_id: Mapped[uuid.UUID]
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    blob_key: Mapped[str]


class Visit(TenantModel):
    """One look at one case by the holder of its code, from the code to leaving."""

    __tablename__ = "plugin_channel_web__visit"
    __table_args__ = (
        tenant_key("case_id", "case_file", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "secret_hash"),
        Index("ix_plugin_channel_web__visit_seen", *columns("seen_at")),
    )

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    case_id: Mapped[uuid.UUID]
    began_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)


class Reading(TenantModel):
    """How far a complainant has read, as the case page shows it to staff."""

    __tablename__ = "plugin_channel_web__reading"
    __table_args__ = (
        tenant_key("case_id", "case_file", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "case_id"),
    )

    case_id: Mapped[uuid.UUID]
    last_at: Mapped[datetime] = mapped_column(default=now)
    seen_seq: Mapped[int] = mapped_column(default=0)  # number of the last timeline entry shown
