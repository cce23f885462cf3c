"""What was declared to end, ends: once a day, a bounded piece of each kind.

The months stand in one table; the manifest declares them and this job carries them out.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import delete, exists, or_, select, update

from huiyin.sdk import TenantContext, at_local, local_date
from huiyin_training_records.assigning import today_of
from huiyin_training_records.library_models import Consultation, ImportRow, ImportRun
from huiyin_training_records.models import Assignment, Attempt, Expert, Meeting
from huiyin_training_records.standing import add_months
from huiyin_training_records.terms import AssignmentState

PURGE: Final = "purge"
FORGET: Final = "forget"
PIECE: Final = 1000
FILES: Final = 3  # imports at once, of ten thousand rows each at most

# Months, by what is kept.
KEPT: Final[Mapping[str, int]] = MappingProxyType(
    {"trainings": 240, "answers": 120, "contacts": 60, "imports": 12}
)


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Delete what is past its time; what is left over is for the next day."""
    done = {name: step(ctx, ends(ctx, KEPT[name])) for name, step in _STEPS.items()}
    if any(done.values()):
        ctx.record("purged", ctx.tenant.id, done)


def ends(ctx: TenantContext, months: int) -> datetime:
    """The first moment that is still kept."""
    return at_local(add_months(today_of(ctx), -months))


def _trainings(ctx: TenantContext, since: datetime) -> int:
    """Whole records, with statement, tries and certificate; none that is open or still valid."""
    day = local_date(since)
    old = (
        select(Assignment.id)
        .where(
            Assignment.state != AssignmentState.OPEN.value, Assignment.assigned_at < since,
            or_(Assignment.completed_on.is_(None), Assignment.completed_on < day),
            or_(Assignment.valid_until.is_(None), Assignment.valid_until < today_of(ctx)),
        )
        .order_by(Assignment.id)
        .limit(PIECE)
    )  # fmt: skip
    gone = delete(Assignment).where(Assignment.id.in_(old)).returning(Assignment.id)
    return _count(ctx, gone)


def _answers(ctx: TenantContext, since: datetime) -> int:
    """What was ticked; that somebody tried, and the score, stay with the training."""
    old = (
        select(Attempt.id)
        .where(Attempt.started_at < since, Attempt.answers != {})
        .order_by(Attempt.id)
        .limit(PIECE)
    )
    blank = update(Attempt).where(Attempt.id.in_(old)).values(answers={}).returning(Attempt.id)
    return _count(ctx, blank)


def _contacts(ctx: TenantContext, since: datetime) -> int:
    """Of those who were entered, taught and were asked before; the name stays with the record."""
    taught = exists().where(Meeting.expert_id == Expert.id, Meeting.begins_at >= since)
    asked = exists().where(Consultation.expert_id == Expert.id, Consultation.asked_at >= since)
    old = (
        select(Expert.id)
        .where(Expert.contact != "", Expert.id < _first_id(since), ~taught, ~asked)
        .order_by(Expert.id)
        .limit(PIECE)
    )
    blank = update(Expert).where(Expert.id.in_(old)).values(contact="").returning(Expert.id)
    return _count(ctx, blank)


def _first_id(since: datetime) -> uuid.UUID:
    """No id of that moment is smaller: ids begin with their millisecond."""
    return uuid.UUID(int=int(since.timestamp() * 1000) << 80)


def _imports(ctx: TenantContext, since: datetime) -> int:
    """The rows of a file, and the file; that it was brought in, and how many rows, stays."""
    runs = ctx.session.scalars(
        select(ImportRun)
        .where(ImportRun.at < since, ImportRun.blob_key != "")
        .order_by(ImportRun.at, ImportRun.id)
        .limit(FILES)
        .with_for_update(skip_locked=True)
    ).all()
    if not runs:
        return 0
    ctx.session.execute(
        delete(ImportRow)
        .where(ImportRow.run_id.in_([run.id for run in runs]))
        .execution_options(synchronize_session=False)
    )
    ctx.enqueue(FORGET, {"keys": [run.blob_key for run in runs]})
    for run in runs:
        run.blob_key, run.state = "", "expired"
    ctx.session.flush()
    return len(runs)


def _count(ctx: TenantContext, statement: Any) -> int:
    rows = ctx.session.execute(statement.execution_options(synchronize_session=False))
    return len(rows.all())


_STEPS: Final[Mapping[str, Callable[[TenantContext, datetime], int]]] = MappingProxyType(
    {"imports": _imports, "contacts": _contacts, "answers": _answers, "trainings": _trainings}
)


def forget(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Delete the bytes of files that no import names any longer."""
    for key in payload["keys"]:
        if not ctx.session.scalar(select(exists().where(ImportRun.blob_key == key))):
            ctx.blobs.delete(key)
