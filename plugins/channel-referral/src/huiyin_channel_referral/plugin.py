"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from huiyin.sdk import (
    N_,
    Area,
    Capability,
    Case,
    Channel,
    Event,
    Figure,
    HelpTopic,
    Kind,
    Manifest,
    Message,
    NavCount,
    NavItem,
    Panel,
    PersonalData,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    TenantContext,
    hookimpl,
)
from huiyin_channel_referral import agents, demo, health, panel, purging, register, tending, terms
from huiyin_channel_referral import figures as numbers
from huiyin_channel_referral.pages_agents import AgentsController
from huiyin_channel_referral.pages_papers import PapersController
from huiyin_channel_referral.pages_transfers import HomeController, TransfersController
from huiyin_channel_referral.settings import ChannelReferralSettings

_PATH: Final = "/w/x/channel-referral"
_GROUP: Final = N_("信访转办")
_OWED: Final = "channel_referral:owed"
_WAITING: Final = "channel_referral:waiting"
_TAKES: Final = frozenset({Capability.INBOUND, Capability.FILES})

MANIFEST: Final = Manifest(
    title=N_("信访转办"),
    summary=N_("信函、来访和转办函登记，各自的期限与回复，代理人与继承人的授权"),
    kind=Kind.CHANNEL,
    settings=ChannelReferralSettings,
    listens=tending.LISTENS,
    personal_data=(
        PersonalData(
            column=f"{terms.PREFIX}agent.name",
            purpose=N_("代理人、继承人的姓名，用于核实授权"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}agent.phone",
            purpose=N_("代理人、继承人的联系方式"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}paper.visitors",
            purpose=N_("来访登记：来访人"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}paper.notes",
            purpose=N_("来访登记：接待记录"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}transfer.contact",
            purpose=N_("转办单位的联系人"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}agent.note",
            purpose=N_("代理与授权：备注"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}agent.reason",
            purpose=N_("代理与授权：未通过或终止的原因"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}agent.checks",
            purpose=N_("代理与授权：核实经过"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}paper.late_reason",
            purpose=N_("信函与来访：补登原因"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}transfer.note",
            purpose=N_("转办函：摘要与备注"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}transfer.draft",
            purpose=N_("转办函：回复草稿"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}transfer.reply_words",
            purpose=N_("转办函：回复要点"),
            retention_months=purging.MONTHS,
        ),
        PersonalData(
            column=f"{terms.PREFIX}transfer.late_reason",
            purpose=N_("转办函：补登原因"),
            retention_months=purging.MONTHS,
        ),
    ),
)


@hookimpl
def channels() -> Sequence[Channel]:
    return (
        Channel(
            name=terms.TRANSFER, title=N_("转办函"), capabilities=_TAKES,
            health=health.of_transfers,
        ),
        Channel(
            name=terms.LETTER, title=N_("信函"), capabilities=_TAKES, health=health.of_papers
        ),
        Channel(name=terms.VISIT, title=N_("来访"), capabilities=_TAKES | {Capability.LIVE}),
    )  # fmt: skip


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    handlers = (HomeController, TransfersController, PapersController, AgentsController)
    return (PluginRoutes(area=Area.STAFF, handlers=handlers),)


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            _GROUP, f"{_PATH}/transfers", "flag", N_("转办台账"), terms.READ, _OWED, hot=True
        ),
        NavItem(_GROUP, f"{_PATH}/papers", "doc", N_("信函与来访"), terms.READ),
        NavItem(_GROUP, f"{_PATH}/agents", "people", N_("代理与授权"), terms.READ, _WAITING),
    )  # fmt: skip


@hookimpl
def navigation_counts(ctx: TenantContext) -> Sequence[NavCount]:
    if not ctx.actor.can(terms.READ):
        return ()
    n = register.numbers(ctx, register.counted(ctx, "owed"), agents.counted(ctx, "waiting"))
    return (NavCount(_OWED, n["owed"]), NavCount(_WAITING, n["waiting"]))


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return (
        PluginPermission(terms.READ, N_("查阅信访转办登记"), terms.READERS),
        PluginPermission(terms.REGISTER, N_("登记信函、来访、转办函和代理人"), terms.REGISTRARS),
        PluginPermission(terms.REPLY, N_("登记转办回复"), terms.REPLIERS),
        PluginPermission(terms.VERIFY, N_("核实授权"), terms.REPLIERS),
    )


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=tending.TEND, run=tending.tend, every=timedelta(hours=6), timeout=300.0),
        PluginJob(name=tending.REMIND, run=tending.mail_expiry),
        PluginJob(name=purging.PURGE, run=purging.purge, every=timedelta(days=1), timeout=300.0),
    )


@hookimpl
def figures() -> Sequence[Figure]:
    return numbers.FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "channel_referral:transfers", N_("怎样登记和回复转办函"),
            "channel_referral/help_transfers.html", terms.READ,
        ),
        HelpTopic(
            "channel_referral:agents", N_("怎样核实代理人和继承人"),
            "channel_referral/help_agents.html", terms.READ,
        ),
    )  # fmt: skip


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    body = panel.panel_of(ctx, case) if ctx.actor.can(terms.READ) else None
    return Panel(Message(N_("来路与代理")), body) if body else None


@hookimpl
def on_event(ctx: TenantContext, event: Event) -> None:
    tending.hear(ctx, event)


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)
