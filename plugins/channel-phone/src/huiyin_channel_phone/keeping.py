"""Days that are over keep the roster as it stood then: what is arranged today changes none."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import TenantContext, local_date, uuid7
from huiyin_channel_phone import roster, schedule
from huiyin_channel_phone.models import KeptDay
from huiyin_channel_phone.schedule import Cover, Stretch

BACK: Final = 62  # days that are made up for after the plugin was off
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeptPost:
    """A post of a day that is over, and how it was answered."""

    title: str
    stretches: Sequence[Stretch]


def keep_days(ctx: TenantContext) -> None:
    """Write down every day that is over since the last one.  Said twice it is said once."""
    yesterday = local_date(ctx.now()) - _ONE
    last = ctx.session.scalar(select(func.max(KeptDay.day)))
    first = max(last + _ONE, yesterday - BACK * _ONE) if last else yesterday
    if first > yesterday:
        return
    shown = roster.picture(ctx, first, yesterday)
    if not shown.posts:
        return
    rows = [
        {"tenant_id": ctx.tenant.id, "id": uuid7(), "day": day, "posts": _posts(shown, day),
         "kept_at": ctx.now()}
        for day in (first + n * _ONE for n in range((yesterday - first).days + 1))
    ]  # fmt: skip
    ctx.session.execute(
        insert(KeptDay).values(rows).on_conflict_do_nothing(index_elements=["tenant_id", "day"])
    )


def _posts(shown: roster.Picture, day: date) -> list[dict[str, Any]]:
    return [
        {
            "title": post.title,
            "stretches": [
                [one.begin, one.end, one.cover.value, str(one.who) if one.who else None]
                for one in shown.day(post, day)
            ],
        }
        for post in shown.posts
    ]


def kept(ctx: TenantContext, first: date, last: date) -> Mapping[date, Sequence[KeptPost]]:
    """The days between these two that were written down."""
    rows = ctx.session.scalars(select(KeptDay).where(KeptDay.day.between(first, last)))
    return {row.day: [_post(post) for post in row.posts] for row in rows}


def _post(told: Mapping[str, Any]) -> KeptPost:
    return KeptPost(
        told["title"],
        [
            Stretch(begin, end, Cover(cover), uuid.UUID(who) if who else None)
            for begin, end, cover, who in told["stretches"]
        ],
    )


def minutes(posts: Sequence[KeptPost]) -> int:
    """For how long anybody answered any post."""
    spans = schedule.covered(post.stretches for post in posts)
    return sum(end - begin for begin, end in spans)
