"""Work that returns: rows with a due time, claimed like everything else; no second scheduler."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from huiyin.db import ScopedSession, platform_session, tenant_session
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.queue.models import Schedule
from huiyin.queue.registry import REGISTRY
from huiyin.queue.service import enqueue, plain
from huiyin.tenancy.models import Tenant

_LONG: Final = timedelta(hours=1)
_DUE: Final = text("SELECT tenant_id, id FROM queue_due_schedules(:n, :ahead)")


def schedule(
    session: ScopedSession,
    name: str,
    kind: str,
    *,
    every: timedelta,
    due_at: datetime | None = None,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Let the handler ``kind`` run again and again, first at ``due_at`` (else at once).

    Repeating the call changes rhythm, handler and payload, but not when the next run is due.
    """
    values = {"kind": kind, "every": every, "payload": plain(payload or {})}
    session.execute(
        insert(Schedule)
        .values(
            tenant_id=session.tenant, id=uuid7(), name=name, due_at=due_at or func.now(), **values
        )
        .on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values)
    )


def start_returning(session: ScopedSession) -> None:
    """Let all run in the session's firm that returns by itself; safe to repeat.

    What takes a whole day's turn begins at another moment in each firm, so that they do not all
    come at once; the rest begins now.
    """
    share = session.tenant.int % 997 / 997
    for name, every in REGISTRY.returning():
        due_at = now() + every * share if every >= _LONG else None
        schedule(session, name, name, every=every, due_at=due_at)


def start_everywhere(engine: Engine, known: set[uuid.UUID]) -> None:
    """The same in every firm that is not ``known`` yet; adds them to ``known``.

    A firm that was set up a moment ago, and work that a newer release has added, are not left out.
    """
    with platform_session(engine) as session:
        firms = session.scalars(select(Tenant.id).order_by(Tenant.id)).all()
    for tenant_id in firms:
        if tenant_id not in known:
            with tenant_session(
                engine, tenant_id, actor_id=SYSTEM_ID, purpose="schedule"
            ) as session:
                start_returning(session)
                session.commit()
            known.add(tenant_id)


def unschedule(session: ScopedSession, name: str) -> None:
    """End a schedule; a run that is a job already still happens."""
    session.execute(delete(Schedule).where(Schedule.name == name))


def fire_due(engine: Engine, *, ahead: timedelta = timedelta(0), limit: int = 200) -> int:
    """Turn every due schedule of every firm into one job; answers how many.

    Two relays may do this at once: the row is locked while it is moved on, and the job's key
    holds the time it was due.
    """
    with platform_session(engine) as session:
        due = session.execute(_DUE, {"n": limit, "ahead": ahead}).all()
    return sum(_fire(engine, tenant_id, schedule_id, ahead) for tenant_id, schedule_id in due)


def _fire(engine: Engine, tenant_id: uuid.UUID, schedule_id: uuid.UUID, ahead: timedelta) -> bool:
    with tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose="schedule") as session:
        present = session.scalars(select(func.clock_timestamp() + ahead)).one()
        row = session.scalars(
            select(Schedule)
            .where(Schedule.id == schedule_id, Schedule.due_at <= present)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return False
        key = f"schedule:{row.name}:{row.due_at.isoformat()}"
        enqueue(session, row.kind, row.payload, key=key)
        # Stretches that passed while nobody was running are made up for by this one run.
        row.due_at += row.every * (math.floor((present - row.due_at) / row.every) + 1)
        session.commit()
    return True
