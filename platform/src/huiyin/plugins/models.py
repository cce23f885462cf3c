"""The last connection test of each channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import TenantModel


class ChannelCheck(TenantModel):
    """Who asked for a test of a channel, and what it found; ``lines`` are checks as JSON."""

    __tablename__ = "channel_check"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("tenant_id", "channel"),)

    channel: Mapped[str]
    asked_at: Mapped[datetime]
    asked_name: Mapped[str]
    done_at: Mapped[datetime | None]
    lines: Mapped[list[Any]] = mapped_column(default=list)
