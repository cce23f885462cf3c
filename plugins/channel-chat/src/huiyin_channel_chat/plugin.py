"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from huiyin.sdk import (
    N_,
    Area,
    Capability,
    Channel,
    Figure,
    HelpTopic,
    Kind,
    Manifest,
    NavItem,
    PersonalData,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    TenantContext,
    hookimpl,
)
from huiyin_channel_chat import demo, figures_of, filing, health, tasks, terms
from huiyin_channel_chat.answers import CannedController
from huiyin_channel_chat.lines import staff_line, visitor_line
from huiyin_channel_chat.settings import ChannelChatSettings
from huiyin_channel_chat.staff_pages import QueueController, TalkController
from huiyin_channel_chat.visitor_pages import ChatController

_HOME: Final = "/w/x/channel-chat"
_P: Final = "plugin_channel_chat__"
_GROUP: Final = N_("在线对话")


def _kept(column: str, purpose: str) -> PersonalData:
    return PersonalData(column=f"{_P}{column}", purpose=purpose, retention_months=terms.KEPT_MONTHS)


_CONTACT: Final = N_("访客留下的称呼和联系方式，用于答复，到期清空")
MANIFEST: Final = Manifest(
    title=N_("在线对话"),
    summary=N_("公开页面和本机构网站上的对话窗口，消息先留存后确认，可转为正式投诉"),
    kind=Kind.CHANNEL,
    settings=ChannelChatSettings,
    personal_data=(
        _kept("conversation.name", _CONTACT),
        _kept("conversation.phone", _CONTACT),
        _kept("conversation.email", _CONTACT),
        _kept("conversation.offer", N_("工作人员拟的投诉摘要，到期清空")),
        _kept("conversation.rating_words", N_("访客对接待的评价，到期清空，分数保留")),
        _kept("conversation.fate_reason", N_("不需登记的理由，到期清空")),
        _kept("said.body", N_("对话内容；成为案件的另在案件证据中，按案件的期限保存")),
        _kept("said.file_name", N_("对话中发送的文件，到期删除")),
    ),
)
CHAT: Final = Channel(
    name=terms.CHANNEL,
    title=N_("在线对话"),
    capabilities=frozenset(
        {
            Capability.INBOUND, Capability.REPLY, Capability.FILES, Capability.LIVE,
            Capability.ANONYMOUS,
        }
    ),
    path="chat",
    health=health.health,
)  # fmt: skip


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(area=Area.PUBLIC, handlers=(ChatController, visitor_line), roots=("chat",)),
        PluginRoutes(
            area=Area.STAFF,
            handlers=(QueueController, TalkController, CannedController, staff_line),
        ),
    )


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (
        NavItem(_GROUP, _HOME, "chat", N_("在线会话"), terms.SEE),
        NavItem(_GROUP, f"{_HOME}/answers", "list", N_("常用语"), terms.CANNED),
    )


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return (
        PluginPermission(terms.TALK, N_("接待在线对话"), terms.TALKERS),
        PluginPermission(terms.SEE, N_("查看在线对话"), terms.SEERS),
        PluginPermission(terms.RATINGS, N_("查看逐次评价"), terms.RATERS),
        PluginPermission(terms.CANNED, N_("管理常用语"), terms.TALKERS),
    )


@hookimpl
def channels() -> Sequence[Channel]:
    return (CHAT,)


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=filing.HAND_OVER, run=filing.hand_over, retries=20, timeout=300.0),
        PluginJob(name=tasks.TEND, run=tasks.tend, every=timedelta(minutes=5), timeout=300.0),
        PluginJob(name=tasks.PURGE, run=tasks.purge, every=timedelta(hours=1), timeout=300.0),
        PluginJob(name=tasks.FORGET, run=tasks.forget),
    )


@hookimpl
def figures() -> Sequence[Figure]:
    return figures_of.FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "channel_chat:talks", N_("怎样接待在线对话"), "channel_chat/help_talks.html", terms.SEE
        ),
    )


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)
