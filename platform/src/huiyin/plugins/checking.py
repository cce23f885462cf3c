"""How the channels of a plugin are: its own word, and a test that a job makes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dramatiq.threading import Interrupt
from sqlalchemy import select

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now
from huiyin.plugins.context import TenantContext, job_kind
from huiyin.plugins.models import ChannelCheck
from huiyin.plugins.terms import Channel, Check, Condition
from huiyin.queue.service import enqueue
from huiyin.queue.worker import place

if TYPE_CHECKING:
    from huiyin.plugins.loading import Plugin

TEST: Final = "_test"
UNTRIED: Final = "_untried"
log: Final = logging.getLogger(__name__)
_UNTRIED: Final = Check(
    Message(N_("测试没有完成")), Condition.BAD,
    Message(N_("请核对设置后再次测试；仍不成功的，请平台运营查看日志")),
)  # fmt: skip
_SILENT: Final = Check(Message(N_("无法读取渠道状况")), Condition.BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCard:
    """One channel on the page of its plugin."""

    name: str
    title: str
    checks: Sequence[Check]
    may_test: bool
    asked_at: datetime | None = None
    asked_name: str = ""
    done_at: datetime | None = None
    results: Sequence[Check] = ()


def cards(ctx: TenantContext, plugin: Plugin) -> list[ChannelCard]:
    """How the channels of a plugin are, and what the last test of each found."""
    if not plugin.declared.channels:
        return []
    rows = {row.channel: row for row in ctx.session.scalars(select(ChannelCheck))}
    return [_card(ctx, one, rows.get(one.name)) for one in plugin.declared.channels]


def _card(ctx: TenantContext, channel: Channel, row: ChannelCheck | None) -> ChannelCard:
    known: dict[str, Any] = {}
    if row is not None:
        known = {"asked_at": row.asked_at, "asked_name": row.asked_name, "done_at": row.done_at,
                 "results": [_read(line) for line in row.lines]}  # fmt: skip
    return ChannelCard(
        name=channel.name, title=channel.title, checks=health_of(ctx, channel),
        may_test=channel.test is not None, **known,
    )  # fmt: skip


def health_of(ctx: TenantContext, channel: Channel) -> Sequence[Check]:
    """What the channel says of itself; one that fails says that."""
    if channel.health is None:
        return ()
    try:
        with ctx.session.begin_nested():
            return tuple(channel.health(ctx))
    except Exception as fault:  # noqa: BLE001 - a plugin's fault is not the page's
        log.warning("health of %s: %s", channel.name, type(fault).__name__)
        return (_SILENT,)


def ask(session: ScopedSession, actor: Actor, plugin: Plugin, name: str) -> None:
    """Have a channel tested soon.  Raises ``NotFound`` for one that has no test."""
    if not any(c.name == name and c.test is not None for c in plugin.declared.channels):
        raise NotFound
    row = session.scalar(select(ChannelCheck).where(ChannelCheck.channel == name).with_for_update())
    if row is None:
        row = ChannelCheck(channel=name, asked_at=now(), asked_name=actor.name, lines=[])
        session.add(row)
    row.asked_at, row.asked_name, row.done_at, row.lines = now(), actor.name, None, []
    enqueue(session, job_kind(plugin.name, TEST), {"channel": name})


def test(ctx: TenantContext, plugin: Plugin, payload: Mapping[str, Any]) -> None:
    """The job: try the connection and keep what was found."""
    row = _row(ctx, payload)
    channel = next((c for c in plugin.declared.channels if row and c.name == row.channel), None)
    if row is None or channel is None or channel.test is None:
        return
    _finish(row, _tried(ctx, channel.name, channel.test))


def came_to_nothing(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """The job was set aside, as when its worker was killed: whoever waits is told."""
    row = _row(ctx, payload)
    if row is not None and row.done_at is None:
        _finish(row, (_UNTRIED,))


def _row(ctx: TenantContext, payload: Mapping[str, Any]) -> ChannelCheck | None:
    wanted = ChannelCheck.channel == str(payload["channel"])
    return ctx.session.scalar(select(ChannelCheck).where(wanted).with_for_update())


def _finish(row: ChannelCheck, found: Sequence[Check]) -> None:
    row.lines = [_written(check) for check in found]
    row.done_at = now()


def _tried(
    ctx: TenantContext, name: str, run: Callable[[TenantContext], Sequence[Check]]
) -> Sequence[Check]:
    """What the test found; that it failed itself, or took too long, is a finding too."""
    try:
        with ctx.session.begin_nested():
            return tuple(run(ctx))
    except (Exception, Interrupt) as fault:  # noqa: BLE001 - somebody waits to hear of it
        log.error("test of %s: %s", name, place(fault))  # noqa: TRY400 - a text may quote
        return (_UNTRIED,)


def _written(check: Check) -> dict[str, Any]:
    said = {"title": check.title, "detail": check.detail}
    words = {
        name: {"key": m.key, "params": {k: str(v) for k, v in m.params.items()}}
        for name, m in said.items()
        if m is not None
    }
    return {"condition": check.condition.value, **words}


def _read(line: Mapping[str, Any]) -> Check:
    detail = line.get("detail")
    return Check(
        Message(line["title"]["key"], line["title"]["params"]),
        Condition(line["condition"]),
        Message(detail["key"], detail["params"]) if detail else None,
    )
