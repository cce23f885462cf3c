"""Whether somebody is there: the firm's hours, its working days, and who says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from huiyin.sdk import Actor, TenantContext, add_workdays, at_local, local
from huiyin_channel_chat.models import Presence
from huiyin_channel_chat.settings import ChannelChatSettings
from huiyin_channel_chat.terms import PRESENT

_DAY: Final = timedelta(days=1)


class Door(StrEnum):
    OPEN = "open"  # in hours, and somebody is there
    ALONE = "alone"  # in hours, and nobody is
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Now:
    """How the chat is at this moment; ``next_at`` is when it opens again, if it is shut."""

    door: Door
    names: tuple[str, ...]
    opens: str
    closes: str
    days: str
    minutes: int
    next_at: datetime | None

    @property
    def is_shut(self) -> bool:
        return self.door is Door.SHUT


def serves(chosen: ChannelChatSettings, day: date) -> bool:
    return chosen.days == "every_day" or add_workdays(day - _DAY, 1) == day


def in_hours(chosen: ChannelChatSettings, moment: datetime) -> bool:
    here = local(moment)
    opens, closes = _times(chosen)
    return serves(chosen, here.date()) and opens <= here.time() < closes


def next_opening(chosen: ChannelChatSettings, moment: datetime) -> datetime:
    """When it opens next, from a moment at which it is shut."""
    here, (opens, _) = local(moment), _times(chosen)
    day = here.date()
    if here.time() >= opens or not serves(chosen, day):
        day = day + _DAY if chosen.days == "every_day" else add_workdays(day, 1)
    return at_local(day, opens.hour, opens.minute)


def _times(chosen: ChannelChatSettings) -> tuple[time, time]:
    return time.fromisoformat(chosen.opens), time.fromisoformat(chosen.closes)


def now_of(ctx: TenantContext) -> Now:
    """The state of the door, in one query."""
    chosen, moment = ctx.settings(ChannelChatSettings), ctx.now()
    there = available(ctx)
    inside = in_hours(chosen, moment)
    door = Door.SHUT if not inside else Door.OPEN if there else Door.ALONE
    return Now(
        door=door, names=tuple(one.name for one in there), opens=chosen.opens,
        closes=chosen.closes, days=chosen.days, minutes=chosen.answer_minutes,
        next_at=None if inside else next_opening(chosen, moment),
    )  # fmt: skip


# -- presence ----------------------------------------------------------------------------------


def available(ctx: TenantContext) -> Sequence[Presence]:
    """Who is there, by name."""
    fresh = Presence.seen_at > ctx.now() - PRESENT
    rows = select(Presence).where(Presence.available, fresh).order_by(Presence.name, Presence.id)
    return ctx.session.scalars(rows).all()


def presence_of(ctx: TenantContext, actor: Actor) -> Presence | None:
    return ctx.session.scalar(select(Presence).where(Presence.account_id == actor.id))


def is_available(ctx: TenantContext, row: Presence | None) -> bool:
    return row is not None and row.available and row.seen_at > ctx.now() - PRESENT


def set_presence(ctx: TenantContext, *, available: bool) -> None:
    """Say of oneself that one is there, or not."""
    row = presence_of(ctx, ctx.actor)
    if row is None:
        row = Presence(account_id=ctx.actor.id, name=ctx.actor.name)
        ctx.session.add(row)
    row.available, row.name, row.seen_at = available, ctx.actor.name, ctx.now()
    ctx.ring("queue")


def still_there(ctx: TenantContext) -> None:
    """A sign of life, written down once a minute."""
    row = presence_of(ctx, ctx.actor)
    if is_available(ctx, row) and row and ctx.now() - row.seen_at >= timedelta(minutes=1):
        row.seen_at = ctx.now()
