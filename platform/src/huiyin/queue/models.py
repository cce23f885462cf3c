"""Jobs, outbox events, effects and schedules: the truth about work that is still to be done."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CheckConstraint, Connection, Index, Interval, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from huiyin.db import TenantModel
from huiyin.kit.failpoints import failpoint
from huiyin.kit.time import now


class JobState(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    DONE = "done"
    QUARANTINED = "quarantined"


# Done, and nothing asks for it again: not a key of its own, for a schedule moves on under lock,
# and an event is sent once and its effect kept.  Literals alone, so that the index serves.
PASSING: Final = text(
    "state = 'done' AND (key IS NULL OR key LIKE 'schedule:%' OR event_id IS NOT NULL)"
)


class Job(TenantModel):
    """One piece of work for one consumer.  The broker only rings a bell with its id.

    ``attempts`` is raised before the work and ``deaths`` by the sweeper, so that a job that
    kills its worker is counted too.  ``error`` names a type and a place, never content.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'leased', 'done', 'quarantined')", name="state"),
        Index(
            "uq_job_key", "tenant_id", "key",
            unique=True, postgresql_where=text("key IS NOT NULL"),
        ),
        Index("ix_job_queued", "tenant_id", "due_at", "id",
              postgresql_where=text("state = 'queued'")),
        Index("ix_job_rung", "published_at",
              postgresql_where=text("state = 'queued' AND published_at IS NOT NULL")),
        Index("ix_job_leased", "lease_until", postgresql_where=text("state = 'leased'")),
        Index("ix_job_quarantined", "tenant_id", "created_at",
              postgresql_where=text("state = 'quarantined'")),
        Index("ix_job_passing", "tenant_id", "done_at", postgresql_where=PASSING),
    )  # fmt: skip

    kind: Mapped[str]
    consumer: Mapped[str]  # the name of the handler that does the work
    key: Mapped[str | None]  # the same key twice is the same job
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    object_id: Mapped[uuid.UUID | None]
    event_id: Mapped[uuid.UUID | None]  # of the outbox event this job answers, if any
    state: Mapped[str] = mapped_column(default=JobState.QUEUED.value)
    attempts: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    # From here to ``lease_until`` the database's clock counts, never a worker's.
    due_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    published_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_by: Mapped[uuid.UUID | None]  # one attempt's token; a late worker no longer holds it
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]


class OutboxEvent(TenantModel):
    """Something happened; written in the transaction in which it happened, relayed after.

    The payload holds ids and facts about no person.  ``consumers`` is filled by the relay and
    says who had to hear of it, as the firm's plugins stood at that moment.
    """

    __tablename__ = "outbox_event"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index("ix_outbox_event_unsent", "tenant_id", "id",
              postgresql_where=text("relayed_at IS NULL")),
    )  # fmt: skip

    kind: Mapped[str]
    object_id: Mapped[uuid.UUID]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    relayed_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]  # its consumers could not be determined; tried again then
    consumers: Mapped[list[Any] | None]


@event.listens_for(OutboxEvent, "after_insert")
def _inserted(_mapper: Mapper[Any], _connection: Connection, _row: OutboxEvent) -> None:
    failpoint("outbox.after_insert")


class Effect(TenantModel):
    """A consumer has dealt with an event; written in the transaction of what it did."""

    __tablename__ = "effect"
    __grants__ = "SELECT, INSERT"
    __table_args__ = (UniqueConstraint("tenant_id", "event_id", "consumer"),)

    consumer: Mapped[str]
    event_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Schedule(TenantModel):
    """Work that returns.  A missed stretch is made up by one run, not by one for each."""

    __tablename__ = "schedule"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("every > interval '0'", name="every_moves_on"),
        Index("ix_schedule_due_at", "due_at"),
    )

    name: Mapped[str]
    kind: Mapped[str]  # the handler that runs
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    due_at: Mapped[datetime]
    every: Mapped[timedelta] = mapped_column(Interval())
