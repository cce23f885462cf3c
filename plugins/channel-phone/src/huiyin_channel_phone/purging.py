"""What was declared to end, ends: once a day, a bounded piece of each kind."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import delete, exists, or_, select, update

from huiyin.sdk import Case, CaseState, TenantContext, at_local, local_date
from huiyin_channel_phone import recordings
from huiyin_channel_phone.models import (
    Absence,
    Call,
    CallBack,
    Draft,
    ImportRow,
    ImportRun,
    KeptDay,
    Recording,
)
from huiyin_channel_phone.terms import KEPT, BackState

PURGE: Final = "purge"
PIECE: Final = 1000
FILES: Final = 3


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Delete what is past its time; what is left over is for the next day."""
    done = {name: step(ctx, ends(ctx, KEPT[name])) for name, step in _STEPS.items()}
    if any(done.values()):
        ctx.record("purged", ctx.tenant.id, done)


def ends(ctx: TenantContext, months: int) -> datetime:
    """The first moment that is still kept."""
    day = local_date(ctx.now())
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return at_local(date(year, month + 1, min(day.day, last)))


def _drafts(ctx: TenantContext, since: datetime) -> int:
    old = select(Draft.id).where(Draft.updated_at < since).limit(PIECE)
    return _count(ctx, delete(Draft).where(Draft.id.in_(old)).returning(Draft.id))


def _absences(ctx: TenantContext, since: datetime) -> int:
    old = select(Absence.id).where(Absence.last_on < local_date(since)).limit(PIECE)
    return _count(ctx, delete(Absence).where(Absence.id.in_(old)).returning(Absence.id))


def _days(ctx: TenantContext, since: datetime) -> int:
    old = select(KeptDay.id).where(KeptDay.day < local_date(since)).limit(PIECE)
    return _count(ctx, delete(KeptDay).where(KeptDay.id.in_(old)).returning(KeptDay.id))


def _recordings(ctx: TenantContext, since: datetime) -> int:
    """Those of no case; what is evidence ends with its case."""
    rows = ctx.session.execute(
        select(Recording.id, Recording.blob_key)
        .where(Recording.at < since, Recording.evidence_id.is_(None))
        .limit(PIECE)
    ).all()
    if not rows:
        return 0
    ctx.enqueue(recordings.FORGET, {"keys": [row.blob_key for row in rows if row.blob_key]})
    gone = delete(Recording).where(Recording.id.in_([row.id for row in rows]))
    return _count(ctx, gone.returning(Recording.id))


def _calls(ctx: TenantContext, since: datetime) -> int:
    """Who called and what was said, of calls of no case; that there was a call stays."""
    return _blank(ctx, Call.case_id.is_(None), since)


def _cases(ctx: TenantContext, since: datetime) -> int:
    """The same for calls of cases that were closed so long ago."""
    over = exists().where(
        Case.id == Call.case_id, Case.state == CaseState.CLOSED.value, Case.closed_at < since
    )
    return _blank(ctx, over, since)


def _blank(ctx: TenantContext, which: Any, since: datetime) -> int:
    open_ = select(CallBack.call_id).where(CallBack.state == BackState.OPEN.value)
    old = ctx.session.scalars(
        select(Call.id)
        .where(
            which, Call.started_at < since, Call.id.not_in(open_),
            or_(Call.number != "", Call.name != "", Call.story != "", Call.answer != ""),
        )
        .order_by(Call.started_at)
        .limit(PIECE)
    ).all()  # fmt: skip
    if not old:
        return 0
    owed = or_(CallBack.call_id.in_(old), CallBack.closing_call_id.in_(old))
    _count(ctx, update(CallBack).where(owed).values(number="", reason="").returning(CallBack.id))
    blank = update(Call).where(Call.id.in_(old)).values(number="", name="", story="", answer="")
    return _count(ctx, blank.returning(Call.id))


def _imports(ctx: TenantContext, since: datetime) -> int:
    """The rows of a file, and the file; that it was brought in stays."""
    runs = ctx.session.scalars(
        select(ImportRun)
        .where(ImportRun.at < since, ImportRun.blob_key != "")
        .order_by(ImportRun.at, ImportRun.id)
        .limit(FILES)
        .with_for_update(skip_locked=True)
    ).all()
    if not runs:
        return 0
    gone = delete(ImportRow).where(ImportRow.run_id.in_([run.id for run in runs]))
    _count(ctx, gone.returning(ImportRow.id))
    ctx.enqueue(recordings.FORGET, {"keys": [run.blob_key for run in runs]})
    for run in runs:
        run.blob_key, run.state = "", "expired"
    ctx.session.flush()
    return len(runs)


def _count(ctx: TenantContext, statement: Any) -> int:
    rows = ctx.session.execute(statement.execution_options(synchronize_session=False))
    return len(rows.all())


_STEPS: Final[Mapping[str, Callable[[TenantContext, datetime], int]]] = MappingProxyType(
    {
        "drafts": _drafts, "absences": _absences, "imports": _imports, "recordings": _recordings,
        "calls": _calls, "cases": _cases, "days": _days,
    }
)  # fmt: skip
