"""A call that was promised."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns


class Promise(TenantModel):
    """One call, due by a moment; ``kept_at`` is empty until somebody has called."""

    __tablename__ = "plugin_call_back__promise"
    __table_args__ = (
        UniqueConstraint("tenant_id", "case_id"),
        Index("ix_plugin_call_back__promise_due", *columns("due_at")),
    )

    case_id: Mapped[uuid.UUID]
    due_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")
    kept_at: Mapped[datetime | None]
