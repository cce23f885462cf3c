"""Letters of a case, from draft to delivery."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import TenantModel, columns, tenant_key
from huiyin.kit.i18n import N_
from huiyin.kit.time import now


class LetterState(StrEnum):
    DRAFT = "draft"
    RELEASED = "released"  # decided, on its way out
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


STATE_TITLES: Final = {
    LetterState.DRAFT: N_("草稿"),
    LetterState.RELEASED: N_("已签发，待发送"),
    LetterState.SENT: N_("已发送"),
    LetterState.DELIVERED: N_("已送达"),
    LetterState.FAILED: N_("发送失败"),
    LetterState.WITHDRAWN: N_("已作废"),
}


class Channel(StrEnum):
    """How a letter reaches its reader; in the portal it can always be read besides."""

    PORTAL = "portal"
    EMAIL = "email"
    POST = "post"


CHANNEL_TITLES: Final = {
    Channel.PORTAL: N_("门户可查"),
    Channel.EMAIL: N_("电子邮件"),
    Channel.POST: N_("邮寄"),
}


def delivery_title(channel: str, state: str) -> str:
    """What the case page says about a letter's way: 门户可查, 已发送, 发送失败 …"""
    if channel == Channel.PORTAL and state == LetterState.SENT:
        return CHANNEL_TITLES[Channel.PORTAL]
    return STATE_TITLES[LetterState(state)]


class Letter(TenantModel):
    """One letter.  ``document`` is a ``LetterDocument`` as JSON, ``inputs`` what a person wrote.

    Numbers have no gaps within a firm and year: a letter that is not sent is withdrawn, never
    deleted.  After its release the words, the PDF and who released it are fixed (duties.sql).
    """

    __tablename__ = "letter"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "year", "serial"),
        # An event gives one letter of a kind, however often it is delivered.
        Index(
            "uq_letter_event", *columns("event_id", "kind"), unique=True,
            postgresql_where=text("event_id IS NOT NULL"),
        ),
        Index("ix_letter_case", *columns("case_id", "id")),
        Index("ix_letter_pdf", *columns("pdf_key")),
        Index(
            "ix_letter_failed", *columns("released_at"),
            postgresql_where=text("state = 'failed'"),
        ),
        CheckConstraint(
            "(state IN ('draft', 'withdrawn')) = (released_at IS NULL)", name="released_has_date"
        ),
        CheckConstraint("(released_at IS NULL) = (pdf_key = '')", name="released_has_pdf"),
    )  # fmt: skip

    case_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    year: Mapped[int]
    serial: Mapped[int]
    number: Mapped[str]  # 青禾诉〔2026〕12 号
    language: Mapped[str]
    inputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    document: Mapped[dict[str, Any]]
    fingerprint: Mapped[str]
    state: Mapped[str] = mapped_column(default=LetterState.DRAFT.value)
    event_id: Mapped[uuid.UUID | None]  # of the event an automatic letter answers
    drafted_by: Mapped[uuid.UUID]
    drafted_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    released_by: Mapped[uuid.UUID | None]
    released_name: Mapped[str] = mapped_column(default="")
    released_at: Mapped[datetime | None]
    pdf_key: Mapped[str] = mapped_column(default="")
    pdf_sha256: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    delivery: Mapped[str] = mapped_column(default="")  # proof, or what went wrong

    @property
    def is_released(self) -> bool:
        return self.released_at is not None

    @property
    def file_name(self) -> str:
        """What the PDF is called when somebody saves it."""
        return f"{self.document['title']} {self.number}.pdf"

    def delivery_title(self) -> str:
        return delivery_title(self.channel, self.state)
