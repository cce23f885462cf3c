"""How the telephone is, on the card of its channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from huiyin.sdk import N_, Check, Condition, Message, TenantContext, local, local_date
from huiyin_channel_phone import backs, queries, roster, schedule
from huiyin_channel_phone.models import DAY
from huiyin_channel_phone.settings import ChannelPhoneSettings

QUIET: Final = timedelta(days=7)


def health(ctx: TenantContext) -> Sequence[Check]:
    """Coverage today, what is owed, and when the telephone system last spoke."""
    return (_coverage(ctx), _owed(ctx), _unsorted(ctx), _told(ctx))


def hours(minutes: int) -> str:
    """510 → 8.5; 480 → 8."""
    return f"{minutes / 60:.1f}".removesuffix(".0")


def _coverage(ctx: TenantContext) -> Check:
    day = local_date(ctx.now())
    shown = roster.picture(ctx, day, day)
    title, minutes = Message(N_("今天的值班")), shown.minutes(day)
    if not shown.posts:
        return Check(title, Condition.BAD, Message(N_("还没有值班岗位，请先安排")))
    absent = sum(
        one.minutes
        for post in shown.posts
        for one in shown.day(post, day)
        if one.cover is schedule.Cover.ABSENT
    )
    if absent:
        said = Message(N_("有班次无人到岗，共 {n} 小时，请安排替班"), {"n": hours(absent)})
        return Check(title, Condition.BAD, said)
    if minutes == DAY:
        return Check(title, Condition.GOOD, Message(N_("24 小时有人值班")))
    said = Message(
        N_("有人值班 {n} 小时，其余 {m} 小时无人接听"),
        {"n": hours(minutes), "m": hours(DAY - minutes)},
    )
    return Check(title, Condition.GOOD if minutes else Condition.WARN, said)


def _owed(ctx: TenantContext) -> Check:
    owed, late = backs.counted(ctx)
    title = Message(N_("未接来电"))
    if late:
        said = Message(N_("{n} 项待回电，其中 {k} 项已超时"), {"n": owed, "k": late})
        return Check(title, Condition.BAD, said)
    if owed:
        return Check(title, Condition.WARN, Message(N_("{n} 项待回电"), {"n": owed}))
    return Check(title, Condition.GOOD, Message(N_("没有待回电")))


def _unsorted(ctx: TenantContext) -> Check:
    n, title = queries.unsorted(ctx), Message(N_("待补登的通话"))
    if n:
        return Check(title, Condition.WARN, Message(N_("{n} 通已接通，还没有登记内容"), {"n": n}))
    return Check(title, Condition.GOOD, Message(N_("没有待补登的通话")))


def _told(ctx: TenantContext) -> Check:
    title = Message(N_("电话系统推送"))
    if not ctx.settings(ChannelPhoneSettings).secret:
        return Check(title, Condition.WARN, Message(N_("没有配置签名密钥，话单靠导入或人工登记")))
    last = queries.last_record(ctx)
    if last is None:
        return Check(title, Condition.WARN, Message(N_("还没有收到过推送，请在电话系统中核对地址")))
    said = Message(N_("最近一次：{at}"), {"at": f"{local(last):%Y-%m-%d %H:%M}"})
    late = ctx.now() - last > QUIET
    return Check(title, Condition.WARN if late else Condition.GOOD, said)
