"""Resolution plans and the judgements passed on them."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import rfc8785
from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import TenantModel, columns, tenant_key
from huiyin.kit.i18n import N_
from huiyin.kit.time import now


class PlanState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    SUPERSEDED = "superseded"


PLAN_TITLES: Final = {
    PlanState.DRAFT: N_("草稿"),
    PlanState.SUBMITTED: N_("待审批"),
    PlanState.APPROVED: N_("已通过"),
    PlanState.RETURNED: N_("已驳回"),
    PlanState.SUPERSEDED: N_("已被新版本取代"),
}


class Decision(StrEnum):
    APPROVED = "approved"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Rung:
    """Below this amount in yuan (``None``: any), so many approvers must agree.

    The limit itself belongs to the next rung: 以上 includes the number.
    """

    below: Decimal | None
    approvers: int


AUTHORITY: Final = (Rung(Decimal(1_000_000), 1), Rung(None, 2))


def approvers_for(amount: Decimal | None) -> int:
    """How many different people must approve a plan that pays this much."""
    paid = amount or Decimal(0)
    return next(r.approvers for r in AUTHORITY if r.below is None or paid < r.below)


class Plan(TenantModel):
    """One version of the plan of a case.  From its submission on its words are fixed.

    ``hash`` is the SHA-256 of the canonical content; ``approvers`` how many must agree.  Measures
    are ``{"title", "owner_id", "owner_name", "due_on"}``.
    """

    __tablename__ = "remedy_plan"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "case_id", "version"),
        Index(
            "uq_remedy_plan_open", *columns("case_id"), unique=True,
            postgresql_where=text("state IN ('draft', 'submitted')"),
        ),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'returned', 'superseded')", name="state"
        ),
        CheckConstraint("approvers BETWEEN 1 AND 9", name="approvers"),
    )  # fmt: skip

    case_id: Mapped[uuid.UUID]
    version: Mapped[int]
    goal: Mapped[str]
    measures: Mapped[list[Any]]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    basis: Mapped[str]
    feasibility: Mapped[str] = mapped_column(default="")
    precedent: Mapped[str] = mapped_column(default="")
    wish: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=PlanState.DRAFT.value)
    hash: Mapped[str] = mapped_column(default="")
    approvers: Mapped[int] = mapped_column(default=1)
    drafted_by: Mapped[uuid.UUID]
    drafted_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]

    @property
    def is_open(self) -> bool:
        return self.state in {PlanState.DRAFT, PlanState.SUBMITTED}

    def content(self) -> bytes:
        """What an approval binds, in one canonical form (RFC 8785)."""
        return rfc8785.dumps(
            {
                "id": str(self.id), "case": str(self.case_id), "version": self.version,
                "goal": self.goal, "measures": self.measures,
                "amount": None if self.amount is None else f"{self.amount:.2f}",
                "basis": self.basis, "feasibility": self.feasibility,
                "precedent": self.precedent, "wish": self.wish,
            }
        )  # fmt: skip

    def content_hash(self) -> str:
        """SHA-256 of ``content``; its own random id keeps short plans from being guessed."""
        return hashlib.sha256(self.content()).hexdigest()


class Approval(TenantModel):
    """A judgement on one version of a plan.  Written once, never changed."""

    __tablename__ = "approval"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (
        tenant_key("plan_id", "remedy_plan"),
        tenant_key("case_id", "case_file"),
        # One person judges one version once: two approvals are two people's.
        UniqueConstraint("tenant_id", "plan_id", "by_id"),
        CheckConstraint("decision IN ('approved', 'returned')", name="decision"),
    )

    case_id: Mapped[uuid.UUID]
    plan_id: Mapped[uuid.UUID]
    plan_hash: Mapped[str]
    decision: Mapped[str]
    by_id: Mapped[uuid.UUID]
    by_name: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    over_limit: Mapped[bool] = mapped_column(default=False)  # one of several that are needed
    at: Mapped[datetime] = mapped_column(default=now)
