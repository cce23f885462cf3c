"""One call that was told twice: by the officer who took it, and by the telephone system.

Whether it is one is the officer's to say; nothing is joined by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from huiyin.sdk import N_, Conflict, TenantContext
from huiyin_channel_phone import queries, recordings
from huiyin_channel_phone.models import Call, CallBack, Draft, Recording
from huiyin_channel_phone.terms import Sort, Source

NEAR: Final = timedelta(hours=12)
MOST: Final = 5


def twins(ctx: TenantContext, record: Call) -> Sequence[Call]:
    """What was written down by hand and may be the same call, the nearest in time first."""
    if record.sort != Sort.UNSORTED.value or not record.number:
        return ()
    found = ctx.session.scalars(
        select(Call)
        .where(
            Call.number == record.number, Call.direction == record.direction,
            Call.state == record.state, Call.external_id.is_(None),
            Call.source == Source.FORM.value,
            Call.started_at.between(record.started_at - NEAR, record.started_at + NEAR),
            queries.visible(ctx.actor),
        )
        .order_by(Call.started_at, Call.id)
        .limit(MOST)
    ).all()  # fmt: skip
    return sorted(found, key=lambda call: abs(call.started_at - record.started_at))


def join(ctx: TenantContext, record: Call, logged: Call) -> Call:
    """The two are one: what the system measured joins what was written down.

    Raises ``Conflict`` for two that cannot be one, or are one already.
    """
    if logged.id not in {call.id for call in twins(ctx, record)}:
        raise Conflict(N_("这两条记录不能合并，请刷新页面查看"))
    name, sha256 = record.external_id, record.body_sha256
    record.external_id = None
    ctx.session.flush()
    logged.external_id, logged.body_sha256, logged.source = name, sha256, record.source
    logged.line, logged.agent, logged.seconds = record.line, record.agent, record.seconds
    logged.rev += 1
    _repoint(ctx, record, logged)
    ctx.session.delete(record)
    ctx.session.flush()
    recordings.adopt(ctx, logged)
    ctx.record("calls_joined", logged.id, {"record": record.id, "version": logged.rev})
    return logged


def _repoint(ctx: TenantContext, record: Call, logged: Call) -> None:
    """Whatever named the record names the other now."""
    for column in (CallBack.call_id, CallBack.closing_call_id):
        ctx.session.execute(
            update(CallBack).where(column == record.id).values({column.key: logged.id})
        )
    ctx.session.execute(update(Draft).where(Draft.call_id == record.id).values(call_id=None))
    there = set(ctx.session.scalars(select(Recording.sha256).where(Recording.call_id == logged.id)))
    for row in ctx.session.scalars(select(Recording).where(Recording.call_id == record.id)).all():
        if row.sha256 in there:
            if row.blob_key:
                ctx.enqueue(recordings.FORGET, {"keys": [row.blob_key]})
            ctx.session.delete(row)
        else:
            row.call_id = logged.id
    ctx.session.flush()
