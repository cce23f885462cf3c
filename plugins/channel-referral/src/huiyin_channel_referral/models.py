"""Letters of transfer, papers and visits taken down by hand, and those who speak for others."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key
from huiyin_channel_referral.terms import HOLDS, PREFIX, Standing

_P: Final = PREFIX


class Transfer(TenantModel):
    """One letter by which somebody passed a complaint on.

    ``mark`` is its name in the clocks of the case, ``""`` for one the case was filed with
    elsewhere; ``target_on`` is the day lists are sorted by: the letter's own, or the firm's target.
    """

    __tablename__ = f"{_P}transfer"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "case_id", "mark"),
        UniqueConstraint("tenant_id", "idem_key"),
        Index(f"ix_{_P}transfer_number", *columns("source", "number")),
        Index(
            f"ix_{_P}transfer_owed", *columns("target_on", "id"),
            postgresql_where=text("wants_reply AND replied_on IS NULL"),
        ),
        CheckConstraint("due_on IS NULL OR due_on >= received_on", name="due_after_receipt"),
    )  # fmt: skip

    case_id: Mapped[uuid.UUID]
    mark: Mapped[str]
    source: Mapped[str]
    body: Mapped[str] = mapped_column(default="")  # the office, as the letter signs
    number: Mapped[str] = mapped_column(default="")
    letter_on: Mapped[date | None]
    received_on: Mapped[date]
    due_on: Mapped[date | None]
    target_on: Mapped[date]
    wants_reply: Mapped[bool] = mapped_column(default=True)
    contact: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    late_reason: Mapped[str] = mapped_column(default="")
    scans: Mapped[list[Any]] = mapped_column(default=list)  # numbers of evidence
    extensions: Mapped[list[Any]] = mapped_column(default=list)  # later days of the sender
    registered_by: Mapped[uuid.UUID | None]
    registered_at: Mapped[datetime] = mapped_column(default=now)
    idem_key: Mapped[str]
    idem_hash: Mapped[bytes] = mapped_column(LargeBinary)

    draft: Mapped[str] = mapped_column(default="")
    replied_on: Mapped[date | None]
    reply_number: Mapped[str] = mapped_column(default="")
    reply_way: Mapped[str] = mapped_column(default="")
    reply_words: Mapped[str] = mapped_column(default="")
    reply_by: Mapped[uuid.UUID | None]
    reply_at: Mapped[datetime | None]
    proofs: Mapped[list[Any]] = mapped_column(default=list)
    rev: Mapped[int] = mapped_column(default=1)

    @property
    def owed(self) -> bool:
        return self.wants_reply and self.replied_on is None


class Paper(TenantModel):
    """A letter that came by post, or a visit: the line of the register, beside its case."""

    __tablename__ = f"{_P}paper"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "idem_key"),
        Index(f"ix_{_P}paper_case", *columns("case_id")),
        CheckConstraint("kind IN ('letter', 'visit')", name="kind"),
    )

    case_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    came_on: Mapped[date]
    came_at: Mapped[str] = mapped_column(default="")  # hour and minute, for a visit
    received_by: Mapped[uuid.UUID | None]
    place: Mapped[str] = mapped_column(default="")
    visitors: Mapped[str] = mapped_column(default="")
    notes: Mapped[str] = mapped_column(default="")
    post_number: Mapped[str] = mapped_column(default="")
    late_reason: Mapped[str] = mapped_column(default="")
    scans: Mapped[list[Any]] = mapped_column(default=list)
    signature: Mapped[list[Any]] = mapped_column(default=list)
    joined: Mapped[bool] = mapped_column(default=False)  # to a case that was there before
    registered_by: Mapped[uuid.UUID]
    registered_at: Mapped[datetime] = mapped_column(default=now)
    idem_key: Mapped[str]
    idem_hash: Mapped[bytes] = mapped_column(LargeBinary)


class Agent(TenantModel):
    """Somebody who speaks for the complainant, and what shows that he may."""

    __tablename__ = f"{_P}agent"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "idem_key"),
        Index(f"ix_{_P}agent_case", *columns("case_id")),
        Index(f"ix_{_P}agent_until", *columns("valid_until", "id")),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="validity"),
    )

    case_id: Mapped[uuid.UUID]
    name: Mapped[str]
    relation: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    papers: Mapped[list[Any]] = mapped_column(default=list)
    scans: Mapped[list[Any]] = mapped_column(default=list)
    scope: Mapped[list[Any]] = mapped_column(default=list)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="pending")  # verified, refused, ended
    checks: Mapped[list[Any]] = mapped_column(default=list)  # who, when, how
    reason: Mapped[str] = mapped_column(default="")  # of a refusal or an end
    reminded: Mapped[bool] = mapped_column(default=False)
    registered_by: Mapped[uuid.UUID]
    registered_at: Mapped[datetime] = mapped_column(default=now)
    idem_key: Mapped[str]
    idem_hash: Mapped[bytes] = mapped_column(LargeBinary)
    rev: Mapped[int] = mapped_column(default=1)

    def on(self, day: date, *, expiring: date) -> Standing:
        """How it stands on ``day``; until ``expiring`` counts as soon."""
        if self.state in {"refused", "ended"}:
            return Standing(self.state)
        if self.valid_until is not None and self.valid_until < day:
            return Standing.EXPIRED
        if self.state == "pending":
            return Standing.SECOND if self.checks else Standing.PENDING
        if self.valid_from > day:
            return Standing.EARLY
        if self.valid_until is not None and self.valid_until <= expiring:
            return Standing.EXPIRING
        return Standing.GOOD

    def holds(self, day: date) -> bool:
        return self.on(day, expiring=day) in HOLDS
