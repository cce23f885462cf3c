"""What others may quote: whether those who passed complaints on were answered in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, select

from huiyin.sdk import (
    N_,
    SOURCE_TITLES,
    Case,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    Source,
    TenantContext,
)
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.models import Transfer
from huiyin_channel_referral.register import beyond_walls, in_reach

_PATH: Final = "/w/x/channel-referral/transfers"
_SHOWN: Final = 200


def measure_in_time(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """Of the letters whose day lies in the period and is over, or that were answered."""
    day = today_of(ctx)
    rows = ctx.session.execute(
        select(Transfer.id, Transfer.case_id, Transfer.source, Transfer.received_on,
               Transfer.target_on, Transfer.replied_on)
        .join(Case, and_(Case.tenant_id == Transfer.tenant_id, Case.id == Transfer.case_id))
        .where(
            Transfer.wants_reply, Transfer.target_on.between(period.since, period.until),
            beyond_walls(ctx),
        )
        .order_by(Transfer.target_on, Transfer.id)
    ).all()  # fmt: skip
    due = [row for row in rows if row.replied_on or row.target_on < day]
    if not due:
        return [Measured(None, 0)]
    good = {row.id for row in due if row.replied_on and row.replied_on <= row.target_on}
    known = set(
        ctx.session.scalars(
            select(Case.id).where(Case.id.in_({row.case_id for row in due}), in_reach(ctx))
        )
    )
    proofs = tuple(
        Proof(
            Message(N_("{source}，{day} 收到"), {
                "source": Message(SOURCE_TITLES[Source(row.source)]), "day": str(row.received_on),
            }),
            f"{_PATH}/{row.id}", float(row.id in good),
        )
        for row in due[:_SHOWN] if row.case_id in known
    )  # fmt: skip
    return [Measured(len(good) / len(due), len(due), None, proofs)]


FIGURES: Final = (
    Figure(
        name="channel_referral:replied_in_time", title=N_("转办按期回复"), unit=FigureUnit.SHARE,
        nature=Nature.TIMELINESS, measure=measure_in_time,
        definition=N_(
            "期内到期的转办函按期回复的比例；未载明期限的按内部目标，未到期未回复的不计"
        ),
    ),
)  # fmt: skip
