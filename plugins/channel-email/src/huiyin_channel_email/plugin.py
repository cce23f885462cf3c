"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
    NextStep,
    Panel,
    PluginCommand,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    PluginService,
    TenantContext,
    hookimpl,
)
from huiyin_channel_email import confirming, deliver, demo, health, listener, messages, pulling
from huiyin_channel_email.intake import CHANNEL
from huiyin_channel_email.pages import READERS, SEE, MailboxController
from huiyin_channel_email.settings import ChannelEmailSettings

MANIFEST: Final = Manifest(
    title=N_("邮件受理"),
    summary=N_("投诉邮箱的来信自动登记、识别和归入案件，附件与原件留存"),
    kind=Kind.CHANNEL,
    settings=ChannelEmailSettings,
    listens=(confirming.SETTLED, messages.WRITTEN),
)
EMAIL: Final = Channel(
    name=CHANNEL,
    title=N_("电子邮件"),
    capabilities=frozenset({Capability.INBOUND, Capability.REPLY, Capability.FILES}),
    reader="huiyin_channel_email.reader:read",
    health=health.health,
    test=health.test,
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (PluginRoutes(area=Area.STAFF, handlers=(MailboxController,)),)


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return (PluginPermission(SEE, N_("查看投诉邮箱的状况"), READERS),)


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic("channel_email:mail", N_("怎样识别来信"), "channel_email/help_mail.html", SEE),
    )


@hookimpl
def channels() -> Sequence[Channel]:
    return (EMAIL,)


@hookimpl
def services() -> Sequence[PluginService]:
    return (
        PluginService("listener", listener.listen),
        PluginService("mailboxes", pulling.pull),
    )


@hookimpl
def commands() -> Sequence[PluginCommand]:
    return (
        PluginCommand("mail", "deliver", "Keep the mail on the standard input.", deliver.deliver),
    )


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=confirming.CONFIRM, run=confirming.confirm),
        PluginJob(name=messages.SEND, run=messages.send, retries=8),
    )


@hookimpl
def on_event(ctx: TenantContext, event: Event) -> None:
    if event.kind == messages.WRITTEN:
        messages.written(ctx, event)
    elif event.payload.get("state") == "returned":
        messages.came_back(ctx, event)
    else:
        confirming.settled(ctx, event)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    return messages.panel(ctx, case)


@hookimpl
def next_steps(ctx: TenantContext, case: Case) -> Sequence[NextStep]:
    return messages.next_step(ctx, case)


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)
