"""Asking for work, and seeing what became of it; everything in the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from huiyin.db import ScopedSession
from huiyin.kit.errors import Conflict, NotFound
from huiyin.kit.ids import uuid7
from huiyin.queue.models import Effect, Job, JobState, OutboxEvent


def emit(
    session: ScopedSession,
    kind: str,
    *,
    object_id: uuid.UUID,
    payload: Mapping[str, Any] | None = None,
    actor_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Say that something happened, if and only if this transaction commits.

    The payload takes ids and facts about no person: it is kept, and read by plugins.  A trigger
    on the table wakes the relay, so this costs no round trip beyond the caller's flush.
    """
    event_id = uuid7()
    session.add(
        OutboxEvent(
            id=event_id,
            kind=kind,
            object_id=object_id,
            payload=plain(payload or {}),
            actor_id=actor_id or session.actor_id,
        )
    )
    return event_id


def enqueue(
    session: ScopedSession,
    kind: str,
    payload: Mapping[str, Any],
    *,
    key: str | None = None,
    due_at: datetime | None = None,
    object_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """A job for the handler named ``kind``; now, or from ``due_at`` on.

    With a ``key`` that the firm has used before nothing is added and the known job's id is the
    answer, whatever became of it.
    """
    row = wanted(kind, payload, key=key, object_id=object_id)
    row |= {"due_at": due_at} if due_at else {}
    if key is None:
        session.add(Job(**row))
        return uuid.UUID(str(row["id"]))
    add_jobs(session, [row])
    return session.scalars(select(Job.id).where(Job.key == key)).one()


def wanted(
    kind: str, payload: Mapping[str, Any], *, key: str | None, object_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """A job as ``add_jobs`` takes it, for whoever asks for many at once."""
    return {
        "id": uuid7(), "kind": kind, "consumer": kind, "key": key, "payload": plain(payload),
        "object_id": object_id,
    }  # fmt: skip


def add_jobs(session: ScopedSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert jobs whose keys may be known already; the known ones stay as they are."""
    if rows:
        session.execute(
            insert(Job)
            .values([{"tenant_id": session.tenant, **row} for row in rows])
            .on_conflict_do_nothing(
                index_elements=["tenant_id", "key"], index_where=text("key IS NOT NULL")
            )
        )


def quarantined(session: ScopedSession, *, limit: int = 200) -> Sequence[Job]:
    """Jobs that were set aside, newest first, for a person to look at."""
    return session.scalars(
        select(Job)
        .where(Job.state == JobState.QUARANTINED.value)
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(limit)
    ).all()


def requeue(session: ScopedSession, job_id: uuid.UUID) -> None:
    """Give a quarantined job all its tries again.

    Raises ``NotFound``, or ``Conflict`` when the job is not quarantined.
    """
    job = session.scalars(select(Job).where(Job.id == job_id).with_for_update()).one_or_none()
    if job is None:
        raise NotFound
    if job.state != JobState.QUARANTINED.value:
        raise Conflict
    session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(
            state=JobState.QUEUED.value, attempts=0, deaths=0, error="",
            due_at=func.clock_timestamp(), published_at=None,
        )
    )  # fmt: skip
    session.execute(text("SELECT pg_notify('huiyin_queue', '')"))


def outbox_stuck(session: ScopedSession) -> int:
    """Unsent events, and jobs that are due but neither done nor set aside; 0 after a drain."""
    unsent = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.relayed_at.is_(None))
    waiting = (
        select(func.count())
        .select_from(Job)
        .where(
            or_(
                Job.state == JobState.LEASED.value,
                (Job.state == JobState.QUEUED.value) & (Job.due_at <= func.clock_timestamp()),
            )
        )
    )
    return session.scalars(unsent).one() + session.scalars(waiting).one()


# A consumer that is still waiting, or was set aside, owes no effect yet; everybody else owes one.
_EFFECTS_BAD = text(
    """
    SELECT count(*) FROM (
      SELECT e.id, c.name,
             (SELECT count(*) FROM effect f
              WHERE f.tenant_id = e.tenant_id AND f.event_id = e.id AND f.consumer = c.name) AS had
      FROM outbox_event e
      CROSS JOIN LATERAL jsonb_array_elements_text(e.consumers) AS c(name)
      LEFT JOIN job j ON j.tenant_id = e.tenant_id AND j.key = c.name || ':' || e.id
      WHERE e.tenant_id = :tenant AND e.relayed_at IS NOT NULL
        AND (j.id IS NULL OR j.state = 'done')
    ) owed WHERE had <> 1
    """
)


def effects_bad(session: ScopedSession) -> int:
    """Events × consumers with no recorded effect, or with several; always 0."""
    return int(session.execute(_EFFECTS_BAD, {"tenant": session.tenant}).scalar_one())


def has_effect(session: ScopedSession, consumer: str, event_id: uuid.UUID) -> bool:
    """Whether a consumer has dealt with an event."""
    found = select(Effect.id).where(Effect.consumer == consumer, Effect.event_id == event_id)
    return session.scalars(found).first() is not None


def plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as JSON holds it: ids and dates become text."""
    return {str(name): _plain(value) for name, value in payload.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value
