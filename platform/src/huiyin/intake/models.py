"""Arrivals: what came in by mail, chat or any road that is not a form of ours."""

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


class ArrivalState(StrEnum):
    RECEIVED = "received"  # kept, not read yet
    WAITING = "waiting"  # a person decides where it belongs
    FILED = "filed"  # a case of its own
    JOINED = "joined"  # a message in a case
    RETURNED = "returned"  # news of one of our own letters
    IGNORED = "ignored"  # nobody wrote it, or nobody has to answer it
    DUPLICATE = "duplicate"  # the same message once more


STATE_TITLES: Final = {
    ArrivalState.RECEIVED: N_("待读取"),
    ArrivalState.WAITING: N_("待识别"),
    ArrivalState.FILED: N_("已登记为投诉"),
    ArrivalState.JOINED: N_("已并入案件"),
    ArrivalState.RETURNED: N_("退信"),
    ArrivalState.IGNORED: N_("不作处理"),
    ArrivalState.DUPLICATE: N_("重复送达"),
}
SETTLED: Final = frozenset(ArrivalState) - {ArrivalState.RECEIVED, ArrivalState.WAITING}


class Arrival(TenantModel):
    """One thing that came in.  ``raw_key`` names its bytes as they came; they never change.

    ``envelope`` is what the road itself said (sender and recipient of the transport), ``reading``
    what was made of the bytes, see ``huiyin.intake.schemas.Reading``.  ``key`` is the road's own
    name for the delivery: the same delivery repeated makes no second row.
    """

    __tablename__ = "arrival"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "channel", "key"),
        # One message, however often and by whatever servers it is delivered.
        Index(
            "uq_arrival_identity", *columns("channel", "identity"), unique=True,
            postgresql_where=text("identity <> '' AND state <> 'duplicate'"),
        ),
        Index("ix_arrival_message", *columns("message_id"),
              postgresql_where=text("message_id <> ''")),
        Index("ix_arrival_waiting", *columns("received_at", "id"),
              postgresql_where=text("state = 'waiting'")),
        Index("ix_arrival_listed", *columns("received_at", "id"),
              postgresql_where=text("state <> 'duplicate'")),
        Index("ix_arrival_raw", *columns("raw_key")),
        Index("ix_arrival_sender", *columns("sender_address", "received_at")),
        Index("ix_arrival_case", *columns("case_id"), postgresql_where=text("case_id IS NOT NULL")),
        CheckConstraint(
            "(state IN ('filed', 'joined')) <= (case_id IS NOT NULL)", name="settled_has_case"
        ),
    )  # fmt: skip

    channel: Mapped[str]
    key: Mapped[str]
    raw_key: Mapped[str]
    raw_sha256: Mapped[str]
    raw_size: Mapped[int]
    envelope: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(default=ArrivalState.RECEIVED.value)
    reason: Mapped[str] = mapped_column(default="")  # a code, see huiyin.intake.schemas.REASONS
    message_id: Mapped[str] = mapped_column(default="")
    identity: Mapped[str] = mapped_column(default="")  # SHA-256 of message id and decoded content
    sender_name: Mapped[str] = mapped_column(default="")
    sender_address: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    reading: Mapped[dict[str, Any]] = mapped_column(default=dict)
    candidates: Mapped[list[Any]] = mapped_column(default=list)  # {"number", "why"}
    case_id: Mapped[uuid.UUID | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[uuid.UUID | None]
    settled_name: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")  # why a person put it there
    version: Mapped[int] = mapped_column(default=1)
