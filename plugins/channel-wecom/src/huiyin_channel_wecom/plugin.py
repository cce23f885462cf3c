"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, select

from huiyin.sdk import (
    N_,
    Area,
    Capability,
    Case,
    Channel,
    Event,
    HelpTopic,
    Kind,
    Manifest,
    NavItem,
    Panel,
    PersonalData,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    TenantContext,
    holds_blobs,
    hookimpl,
)
from huiyin_channel_wecom import (
    answering,
    demo,
    fetching,
    gathering,
    health,
    keeping,
    panels,
    purging,
    robots,
    sending,
    syncing,
    telling,
)
from huiyin_channel_wecom.models import Incoming
from huiyin_channel_wecom.pages import (
    BIND,
    HANDLERS,
    READERS,
    SEE,
    TALKS,
    ConversationController,
)
from huiyin_channel_wecom.receiving import CallbackController
from huiyin_channel_wecom.settings import ChannelWecomSettings

_P: Final = "plugin_channel_wecom__"
_PURPOSE: Final = N_("受理投诉并原路答复；归入案件的另存为证据，其余到期删除")

MANIFEST: Final = Manifest(
    title=N_("企业微信与公众号"),
    summary=N_("企业微信、微信客服和公众号的会话登记为投诉，原路答复；群机器人通知工作人员"),
    kind=Kind.CHANNEL,
    settings=ChannelWecomSettings,
    personal_data=tuple(
        PersonalData(column=f"{_P}{column}", purpose=_PURPOSE, retention_months=purging.KEPT)
        for column in (
            "contact.external_id",
            "conversation.opening",
            "incoming.raw",
            "incoming.file_name",
        )
    ),
    listens=telling.LISTENS,
)
WECOM: Final = Channel(
    name=keeping.CHANNEL,
    title=N_("企业微信与公众号"),
    capabilities=frozenset(
        {Capability.INBOUND, Capability.REPLY, Capability.FILES, Capability.RECORDINGS}
    ),
    reader="huiyin_channel_wecom.reader:read",
    original="zip",
    health=health.health,
    test=health.test,
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(area=Area.PUBLIC, handlers=(CallbackController,)),
        PluginRoutes(area=Area.STAFF, handlers=(ConversationController,)),
    )


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem("", "/w/x/channel-wecom", "chat", N_("微信会话"), TALKS),)


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return (
        PluginPermission(SEE, N_("查看会话渠道的状况"), READERS),
        PluginPermission(TALKS, N_("查看会话"), HANDLERS),
        PluginPermission(BIND, N_("登记会话、关联投诉人"), HANDLERS),
    )


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "channel_wecom:chats", N_("会话怎样成为投诉"), "channel_wecom/help_chats.html", SEE
        ),
    )


@hookimpl
def channels() -> Sequence[Channel]:
    return (WECOM,)


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=keeping.TAKE, run=gathering.take),
        PluginJob(name=gathering.HAND, run=gathering.hand, timeout=120.0),
        PluginJob(name=gathering.FETCH, run=fetching.fetch, timeout=120.0),
        PluginJob(name=gathering.SYNC, run=syncing.sync),
        PluginJob(name=syncing.LOOK, run=syncing.look, every=timedelta(minutes=15)),
        PluginJob(name=answering.SEND, run=sending.send),
        PluginJob(name=robots.NOTICE, run=robots.notice),
        PluginJob(name=purging.PURGE, run=purging.purge, every=timedelta(hours=1)),
    )


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    return panels.beside_case(ctx, case)


@hookimpl
def on_event(ctx: TenantContext, event: Event) -> None:
    telling.heard(ctx, event)


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)


@holds_blobs
def _held() -> Select[str, str]:
    return select(Incoming.file_key, Incoming.file_sha256)
