"""Formulas, rounds with what went into them, scores, appeals; thanks, nominations, awards.

What is published never changes: the application may insert scores and inputs and not touch them
again, until the time they are kept for is over; before that a trigger refuses to delete.  Who may
not be the second person is said once more by a constraint.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Index,
    Numeric,
    Row,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key

PREFIX = "plugin_scoring_incentive__"
FORMULA, ROUND, SCORE = f"{PREFIX}formula", f"{PREFIX}round", f"{PREFIX}score"
REWARD = f"{PREFIX}reward"

AnyRow = Row[*tuple[Any, ...]]  # what a query of single columns answers


class Formula(TenantModel):
    """One version.  The draft is edited; published, it stays as it was for ever."""

    __tablename__ = FORMULA
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "version"),
        Index(
            "uq_plugin_scoring_incentive__formula_draft", "tenant_id",
            unique=True, postgresql_where=text("state = 'draft'"),
        ),
        CheckConstraint("published_by IS NULL OR NOT published_by = ANY (authors)", name="second"),
        CheckConstraint("(state = 'published') = (published_by IS NOT NULL)", name="published"),
        CheckConstraint("state IN ('draft', 'published', 'dropped')", name="state"),
    )  # fmt: skip

    version: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    title: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hash: Mapped[str] = mapped_column(default="")
    rev: Mapped[int] = mapped_column(default=1)
    authors: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    author_name: Mapped[str] = mapped_column(default="")
    drafted_at: Mapped[datetime] = mapped_column(default=now)
    published_by: Mapped[uuid.UUID | None]
    publisher_name: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]


class Round(TenantModel):
    """One period scored under one formula: counted, signed, published."""

    __tablename__ = ROUND
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("formula_id", FORMULA),
        Index(
            "uq_plugin_scoring_incentive__round_period", *columns("since", "until"),
            unique=True, postgresql_where=text("state <> 'dropped'"),
        ),
        Index("ix_plugin_scoring_incentive__round_until", *columns("until", "id")),
        CheckConstraint("since <= until", name="period"),
        CheckConstraint("published_by IS NULL OR published_by <> signed_by", name="two"),
        CheckConstraint("(state = 'published') = (published_at IS NOT NULL)", name="published"),
        CheckConstraint("published_at IS NULL OR signed_at IS NOT NULL", name="signed_first"),
        CheckConstraint(
            "state IN ('counting', 'stopped', 'counted', 'signed', 'published', 'dropped')",
            name="state",
        ),
    )  # fmt: skip

    title: Mapped[str]
    since: Mapped[date]
    until: Mapped[date]
    formula_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(default="counting")
    steps_done: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int]
    stopped_at_figure: Mapped[str] = mapped_column(default="")
    inputs_hash: Mapped[str] = mapped_column(default="")
    scores_hash: Mapped[str] = mapped_column(default="")
    pool: Mapped[dict[str, Any]] = mapped_column(default=dict)  # figure → what the pool showed
    opened_by: Mapped[uuid.UUID]
    opener_name: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(default=now)
    signed_by: Mapped[uuid.UUID | None]
    signer_name: Mapped[str] = mapped_column(default="")
    signed_at: Mapped[datetime | None]
    published_by: Mapped[uuid.UUID | None]
    publisher_name: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]
    dropped_reason: Mapped[str] = mapped_column(default="")


class RoundInput(TenantModel):
    """One figure of one person as it stood when it was counted."""

    __tablename__ = f"{PREFIX}input"
    __grants__ = "SELECT, INSERT, DELETE"
    __table_args__ = (
        tenant_key("round_id", ROUND),
        UniqueConstraint("tenant_id", "round_id", "subject_id", "figure"),
    )

    round_id: Mapped[uuid.UUID]
    figure: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    value: Mapped[float | None]
    n: Mapped[int]
    proofs: Mapped[list[Any]] = mapped_column(default=list)  # {key, params, path, counted}


class Score(TenantModel):
    """What a person reached in a round.  A correction is a second row beside the first."""

    __tablename__ = SCORE
    __grants__ = "SELECT, INSERT, DELETE"
    __table_args__ = (
        tenant_key("round_id", ROUND),
        UniqueConstraint("tenant_id", "round_id", "subject_id", "revision"),
        Index("ix_plugin_scoring_incentive__score_subject", *columns("subject_id", "id")),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("value IS NULL OR (value >= 0 AND value <= 100)", name="value"),
    )

    round_id: Mapped[uuid.UUID]
    subject_id: Mapped[uuid.UUID]
    subject_name: Mapped[str]
    department: Mapped[str] = mapped_column(default="")
    revision: Mapped[int] = mapped_column(default=1)
    value: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    low: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    high: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    coverage: Mapped[Decimal] = mapped_column(Numeric(4, 1))
    parts: Mapped[list[Any]] = mapped_column(default=list)
    appeal_id: Mapped[uuid.UUID | None]
    made_at: Mapped[datetime] = mapped_column(default=now)


class Appeal(TenantModel):
    """Somebody does not agree with a score.  ``barred`` are those who made it."""

    __tablename__ = f"{PREFIX}appeal"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (
        tenant_key("round_id", ROUND),
        tenant_key("score_id", SCORE),
        UniqueConstraint("tenant_id", "score_id"),
        Index("ix_plugin_scoring_incentive__appeal_filed", *columns("filed_at", "id")),
        CheckConstraint("decided_by IS NULL OR decided_by <> subject_id", name="not_self"),
        CheckConstraint("decided_by IS NULL OR NOT decided_by = ANY (barred)", name="somebody_new"),
        CheckConstraint("(state = 'decided') = (decided_by IS NOT NULL)", name="decided"),
        CheckConstraint("state IN ('open', 'decided', 'withdrawn')", name="state"),
    )

    round_id: Mapped[uuid.UUID]
    score_id: Mapped[uuid.UUID]
    subject_id: Mapped[uuid.UUID]
    subject_name: Mapped[str]
    figure: Mapped[str] = mapped_column(default="")
    grounds: Mapped[str]
    filed_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(default="open")
    barred: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    outcome: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    left_out: Mapped[list[Any]] = mapped_column(default=list)
    corrected: Mapped[dict[str, Any]] = mapped_column(default=dict)  # figure, value, n, was, was_n
    decided_by: Mapped[uuid.UUID | None]
    decider_name: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]


class Credit(TenantModel):
    """Help with a case, or a lesson somebody else took up; it counts once a third confirms it."""

    __tablename__ = f"{PREFIX}credit"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "kind", "case_id", "doer_id", "by_id"),
        Index("ix_plugin_scoring_incentive__credit_doer", *columns("doer_id", "id")),
        Index("ix_plugin_scoring_incentive__credit_state", *columns("state", "id")),
        CheckConstraint("doer_id <> by_id", name="not_self"),
        CheckConstraint(
            "second_id IS NULL OR (second_id <> doer_id AND second_id <> by_id)", name="second"
        ),
        CheckConstraint("(state IN ('confirmed', 'refused')) = (second_id IS NOT NULL)",
                        name="decided"),
        CheckConstraint("state IN ('waiting', 'confirmed', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("kind IN ('help', 'lesson')", name="kind"),
    )  # fmt: skip

    kind: Mapped[str]
    case_id: Mapped[uuid.UUID]
    case_number: Mapped[str]
    doer_id: Mapped[uuid.UUID]
    doer_name: Mapped[str]
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    what: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(default="waiting")
    second_id: Mapped[uuid.UUID | None]
    second_name: Mapped[str] = mapped_column(default="")
    second_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class Reward(TenantModel):
    """The awards of one year: nominations, then one list that two approve."""

    __tablename__ = REWARD
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "year"),
        CheckConstraint("approver_id IS NULL OR approver_id <> executive_id", name="two"),
        CheckConstraint(
            "state <> 'granted' OR (approver_id IS NOT NULL AND executive_id IS NOT NULL)",
            name="granted_by_two",
        ),
        CheckConstraint("state IN ('open', 'listed', 'granted')", name="state"),
    )

    year: Mapped[int]
    state: Mapped[str] = mapped_column(default="open")
    opened_by: Mapped[uuid.UUID]
    opener_name: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(default=now)
    list_hash: Mapped[str] = mapped_column(default="")
    approver_id: Mapped[uuid.UUID | None]
    approver_name: Mapped[str] = mapped_column(default="")
    approver_at: Mapped[datetime | None]
    executive_id: Mapped[uuid.UUID | None]
    executive_name: Mapped[str] = mapped_column(default="")
    executive_at: Mapped[datetime | None]
    granted_at: Mapped[datetime | None]


class Award(TenantModel):
    """A nomination, and what became of it; ``citation`` is what the public may read."""

    __tablename__ = f"{PREFIX}award"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (
        tenant_key("reward_id", REWARD),
        UniqueConstraint("tenant_id", "reward_id", "nominee_id", "honour"),
        Index("ix_plugin_scoring_incentive__award_nominee", *columns("nominee_id", "id")),
        Index(
            "ix_plugin_scoring_incentive__award_public", *columns("consented_at", "id"),
            postgresql_where=text("consented_at IS NOT NULL"),
        ),
        CheckConstraint("nominee_id <> nominated_by", name="not_self"),
        CheckConstraint("struck_by IS NULL OR struck_by <> nominee_id", name="struck_by_other"),
        CheckConstraint("consented_at IS NULL OR state = 'granted'", name="granted_first"),
        CheckConstraint("state IN ('nominated', 'struck', 'granted')", name="state"),
    )  # fmt: skip

    reward_id: Mapped[uuid.UUID]
    year: Mapped[int]
    honour: Mapped[str]
    nominee_id: Mapped[uuid.UUID]
    nominee_name: Mapped[str]
    department: Mapped[str] = mapped_column(default="")
    grounds: Mapped[str]
    data: Mapped[list[Any]] = mapped_column(default=list)  # published scores at the nomination
    citation: Mapped[str]
    nominated_by: Mapped[uuid.UUID]
    nominator_name: Mapped[str]
    nominated_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(default="nominated")
    struck_by: Mapped[uuid.UUID | None]
    striker_name: Mapped[str] = mapped_column(default="")
    struck_reason: Mapped[str] = mapped_column(default="")
    granted_at: Mapped[datetime | None]
    consented_at: Mapped[datetime | None]  # empty again as soon as consent is withdrawn
