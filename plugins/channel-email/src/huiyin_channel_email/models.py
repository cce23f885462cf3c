"""How the pulling of a firm's mailbox goes; one row for each firm."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel


class Mailbox(TenantModel):
    """``error`` is a code of ``pulling.ERRORS``, empty while all is well."""

    __tablename__ = "plugin_channel_email__mailbox"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    good_at: Mapped[datetime | None]  # when it was last looked into without trouble
    taken: Mapped[int] = mapped_column(default=0)  # mails in all
    error: Mapped[str] = mapped_column(default="")
    error_at: Mapped[datetime | None]
