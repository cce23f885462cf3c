"""Clocks as last computed, and the holiday notices they are counted with.

The truth of a clock is the case's events; its rows serve lists and reminders.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import PlatformModel, TenantModel, columns
from huiyin.kit.time import now


class ClockRow(TenantModel):
    """One running or stopped clock of one case, with where its number comes from."""

    __tablename__ = "clock"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "case_id", "key"),
        Index("ix_clock_running", *columns("due_at"), postgresql_where=text("state = 'running'")),
        # Whatever asks for a value of ``look_by`` implies the condition, also with a parameter.
        Index(
            "ix_clock_look",
            *columns("look_by", "look_at"),
            postgresql_where=text("look_by IS NOT NULL"),
        ),
    )

    case_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    key: Mapped[str]  # stable over replays, e.g. stage:plan#2
    title: Mapped[str]
    stage: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    amount: Mapped[int]
    unit: Mapped[str]
    state: Mapped[str]
    stopped_at: Mapped[datetime | None]
    audience: Mapped[str]
    origin: Mapped[dict[str, Any]]
    provisional: Mapped[bool] = mapped_column(default=False)
    calendar_version: Mapped[str]
    reminded: Mapped[int] = mapped_column(default=0)  # highest threshold already told, in percent
    promised_on: Mapped[date | None]  # told to the complainant; never shortened
    # When a running clock next has something to be told, and by which calendar and policy that
    # was found out; see ``huiyin.clocks.looking``.  Empty when it never was.
    look_at: Mapped[datetime | None]
    look_by: Mapped[str | None] = mapped_column(Text().evaluates_none(), server_default="")


class CalendarNotice(PlatformModel):
    """A year's holiday notice as it was loaded, for all firms; the newest of a year counts.

    Written by the owner alone: no request of any firm can move everybody's dates.
    """

    __tablename__ = "calendar_notice"
    __grants__ = "SELECT"

    number: Mapped[int] = mapped_column(unique=True)  # in the order of loading, from 1
    year: Mapped[int]
    source: Mapped[str]
    digest: Mapped[str]
    content: Mapped[dict[str, Any]]
    replaces: Mapped[int | None]  # the number of the notice it corrects
    loaded_at: Mapped[datetime] = mapped_column(default=now)
