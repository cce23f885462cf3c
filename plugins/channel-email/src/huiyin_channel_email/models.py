"""How the pulling of a mailbox goes, and how each mail to a complainant fared."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, tenant_key


class Mailbox(TenantModel):
    """``error`` is a code of ``pulling.ERRORS``, empty while all is well."""

    __tablename__ = "plugin_channel_email__mailbox"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    good_at: Mapped[datetime | None]  # when it was last looked into without trouble
    taken: Mapped[int] = mapped_column(default=0)  # mails in all
    error: Mapped[str] = mapped_column(default="")
    error_at: Mapped[datetime | None]


class Sent(TenantModel):
    """One message of an officer that went out as a mail; ``code`` is the server's, or 0."""

    __tablename__ = "plugin_channel_email__sent"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "entry_id"),
        Index("ix_plugin_channel_email__sent_case", *columns("case_id", "at")),
    )

    entry_id: Mapped[uuid.UUID]
    case_id: Mapped[uuid.UUID]
    state: Mapped[str]
    code: Mapped[int]
    at: Mapped[datetime]
