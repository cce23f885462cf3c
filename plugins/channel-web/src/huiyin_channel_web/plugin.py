"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from huiyin.sdk import (
    N_,
    Area,
    Capability,
    Case,
    Channel,
    Kind,
    Manifest,
    Message,
    Panel,
    PersonalData,
    PluginJob,
    PluginRoutes,
    TenantContext,
    hookimpl,
)
from huiyin_channel_web import drafts, visits
from huiyin_channel_web.entrance import EntranceController
from huiyin_channel_web.intake import IntakeController
from huiyin_channel_web.portal import PortalController, TrackController
from huiyin_channel_web.settings import ChannelWebSettings

SWEEP: Final = "sweep"

MANIFEST: Final = Manifest(
    title=N_("网页受理"),
    summary=N_("投诉人在公开网页提交投诉、凭查询码跟进，不需要注册"),
    kind=Kind.CHANNEL,
    settings=ChannelWebSettings,
    personal_data=(
        PersonalData(
            column="plugin_channel_web__draft.answers",
            purpose=N_("投诉人尚未提交的内容，到期删除"),
            retention_months=1,
        ),
        PersonalData(
            column="plugin_channel_web__draft_file.name",
            purpose=N_("投诉人尚未提交的材料，到期删除"),
            retention_months=1,
        ),
    ),
    default_active=True,
)


WEB: Final = Channel(
    name=drafts.CHANNEL,
    title=N_("网上提交"),
    capabilities=frozenset(
        {
            Capability.INBOUND, Capability.REPLY, Capability.FILES, Capability.ANONYMOUS,
            Capability.FOLLOW,
        }
    ),
    path="complain",
)  # fmt: skip


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(
            area=Area.PUBLIC,
            handlers=(EntranceController, IntakeController, TrackController, PortalController),
            roots=("complain", "track", "channels", ""),
        ),
    )


@hookimpl
def channels() -> Sequence[Channel]:
    return (WEB,)


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=SWEEP, run=sweep, every=timedelta(hours=1)),
        PluginJob(name=drafts.FORGET, run=drafts.forget),
    )


def sweep(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Let go of what is past its time."""
    drafts.sweep(ctx)
    visits.sweep(ctx)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    """Whether the complainant looks at the portal, so that nobody waits for an answer unread."""
    last_at, unread = visits.attention(ctx, case)
    body = ctx.render("channel_web/panel.html", last_at=last_at, unread=unread)
    return Panel(Message(N_("网页渠道")), body)
