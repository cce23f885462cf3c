"""Numbers that other plugins may quote: call-backs against the firm's own promise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    TenantContext,
    local,
    local_date,
)
from huiyin_channel_phone import keeping, roster
from huiyin_channel_phone.models import DAY, CallBack
from huiyin_channel_phone.terms import PATH, BackState

_ONE: Final = timedelta(days=1)


def measure_backs(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """For the firm, by when the call was missed: what is open and not late yet does not count."""
    moment = ctx.now()
    rows = ctx.session.execute(
        select(
            CallBack.id, CallBack.missed_at, CallBack.due_at, CallBack.closed_at, CallBack.state
        )
        .where(
            CallBack.missed_at >= period.begin, CallBack.missed_at < period.end,
            CallBack.state != BackState.VOID.value,
        )
        .order_by(CallBack.missed_at, CallBack.id)
    )  # fmt: skip
    proofs = []
    for row in rows:
        kept = row.closed_at is not None and row.closed_at <= row.due_at
        if row.closed_at is None and row.due_at > moment:
            continue
        title = Message(N_("{at} 的未接来电"), {"at": f"{local(row.missed_at):%m-%d %H:%M}"})
        proofs.append(Proof(title, f"{PATH}/call-backs/{row.id}", float(kept)))
    if not proofs:
        return [Measured(None, 0)]
    share = sum(proof.counted for proof in proofs) / len(proofs)
    return [Measured(share, len(proofs), None, tuple(proofs))]


def measure_cover(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """For the firm, each day by the roster as it stood then; days to come do not count."""
    last = min(period.until, local_date(ctx.now()))
    days = (last - period.since).days + 1
    if days < 1:
        return [Measured(None, 0)]
    shown, known = roster.picture(ctx, period.since, last), keeping.kept(ctx, period.since, last)
    if not shown.posts and not known:
        return [Measured(None, 0)]
    proofs = []
    for n in range(days):
        day = period.since + n * _ONE
        title = Message(N_("{day} 的值班"), {"day": day.isoformat()})
        there = keeping.minutes(known[day]) if day in known else shown.minutes(day)
        share = there / DAY
        proofs.append(Proof(title, f"{PATH}/?from={day.isoformat()}", share))
    value = sum(proof.counted for proof in proofs) / days
    return [Measured(value, days, None, tuple(proofs))]


FIGURES: Final = (
    Figure(
        name="channel_phone:call_backs_in_time", title=N_("回电按承诺完成"),
        unit=FigureUnit.SHARE, nature=Nature.TIMELINESS, measure=measure_backs,
        definition=N_(
            "期内的未接来电中，在公司承诺的时间内联系上的比例；未到期的和无需回电的不计入"
        ),
    ),
    Figure(
        name="channel_phone:duty_coverage", title=N_("电话值班覆盖"), unit=FigureUnit.SHARE,
        nature=Nature.CONTROL, measure=measure_cover,
        definition=N_("期内每天 24 小时中，至少有一个岗位有人值班的时间所占比例，按当天的排班计"),
    ),
)  # fmt: skip
