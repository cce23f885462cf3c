"""Rules of assignment, and what they need to know about people."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import TenantModel, columns
from huiyin.kit.time import now


class AssignmentRule(TenantModel):
    """One rule.  ``conditions`` and ``wants`` are ``schemas.Conditions`` and ``Wants`` as JSON."""

    __tablename__ = "assignment_rule"
    __table_args__ = (Index("ix_assignment_rule_position", *columns("position", "id")),)

    title: Mapped[str]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    wants: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    changed_by: Mapped[uuid.UUID]
    changed_name: Mapped[str]


class Staffing(TenantModel):
    """What a member can do, how much at once, and when they are away (days inclusive)."""

    __tablename__ = "assignment_staffing"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id"),
        CheckConstraint("away_until IS NULL OR away_from <= away_until", name="away_in_order"),
    )

    account_id: Mapped[uuid.UUID]
    skills: Mapped[list[Any]] = mapped_column(default=list)
    languages: Mapped[list[Any]] = mapped_column(default=list)
    most: Mapped[int] = mapped_column(default=0)  # open cases at once; 0 is no limit
    away_from: Mapped[date | None]
    away_until: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=now)
