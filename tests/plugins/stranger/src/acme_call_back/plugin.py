"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select

from acme_call_back import spool
from acme_call_back.controllers import ApiController, PublicController, StaffController
from acme_call_back.models import Promise
from acme_call_back.settings import CallBackSettings
from huiyin.sdk import (
    N_,
    Area,
    Capability,
    Case,
    Channel,
    Event,
    Figure,
    FigureUnit,
    HelpTopic,
    Kind,
    Manifest,
    Measured,
    Message,
    Nature,
    NavCount,
    NavItem,
    NextStep,
    Opinion,
    Panel,
    Period,
    PersonalData,
    PluginCommand,
    PluginGate,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    PluginService,
    Role,
    TenantContext,
    Verb,
    Weight,
    hookimpl,
)

MANIFEST = Manifest(
    title=N_("回电承诺"),
    summary=N_("受理后按承诺时限给投诉人回电，并登记结果"),
    kind=Kind.CHANNEL,
    settings=CallBackSettings,
    personal_data=(PersonalData(
        column="plugin_call_back__promise.note", purpose=N_("回电情况"), retention_months=36
    ),),
    listens=("case.accepted",),
)  # fmt: skip


TELEPHONE = Channel(
    name="call_back", title=N_("回电"), path="callback", reader="acme_call_back.spool:read",
    capabilities=frozenset({Capability.INBOUND, Capability.REPLY}),
)  # fmt: skip


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(area=Area.STAFF, handlers=(StaffController,)),
        PluginRoutes(area=Area.PUBLIC, handlers=(PublicController,), roots=("callback",)),
        PluginRoutes(area=Area.API, handlers=(ApiController,)),
    )


_OPEN = "call_back:open"


@hookimpl
def nav_counts(ctx: TenantContext) -> Sequence[NavCount]:
    waiting = select(func.count()).where(Promise.kept_at.is_(None))
    return (NavCount(_OPEN, ctx.session.scalar(waiting) or 0),)


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem("", "/w/x/call-back", "phone", MANIFEST.title, "call_back:keep", _OPEN),)


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    held = frozenset({Role.COMPLAINT_OFFICER})
    return (PluginPermission("call_back:keep", N_("登记回电"), held),)


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (PluginJob(name="tidy", run=tidy, every=timedelta(days=1)),)


@hookimpl
def channels() -> Sequence[Channel]:
    return (TELEPHONE,)


@hookimpl
def services() -> Sequence[PluginService]:
    return (PluginService("spool", spool.watch),)


@hookimpl
def commands() -> Sequence[PluginCommand]:
    return (PluginCommand("call-back", "take", "Take one call.", spool.command),)


@hookimpl
def gates() -> Sequence[PluginGate]:
    return (PluginGate("call_back:called", "preliminary", N_("已回电"), N_("写明回电时间与内容")),)


@hookimpl
def figures() -> Sequence[Figure]:
    return (Figure(
        name="call_back:kept", title=N_("已回电比例"), unit=FigureUnit.SHARE,
        nature=Nature.TIMELINESS, measure=kept,
        definition=N_("期内到期的回电承诺中，已按时回电的比例"),
    ),)  # fmt: skip


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (HelpTopic("call_back:calls", MANIFEST.title, "call_back/help.html", "call_back:keep"),)


@hookimpl
def complainant_cards(ctx: TenantContext, case: Case) -> Panel | None:
    return case_panels(ctx, case)


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    for case_id in ctx.session.scalars(select(Case.id).limit(1)):
        ctx.session.add(Promise(case_id=case_id, due_at=ctx.now()))


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    promise = promise_of(ctx, case)
    if promise is None:
        return None
    return Panel(Message(MANIFEST.title), ctx.render("call_back/panel.html", promise=promise))


@hookimpl
def gate_opinions(ctx: TenantContext, case: Case, verb: Verb) -> Sequence[Opinion]:
    promise = promise_of(ctx, case)
    if verb.name != "investigate" or promise is None or promise.kept_at:
        return ()
    weight = Weight.BLOCK if ctx.settings(CallBackSettings).required else Weight.WARN
    return (Opinion(weight, Message(N_("请先给投诉人回电"))),)


@hookimpl
def next_steps(ctx: TenantContext, case: Case) -> Sequence[NextStep]:
    promise = promise_of(ctx, case)
    if promise is None or promise.kept_at:
        return ()
    return (NextStep(Message(N_("给投诉人回电")), "/w/x/call-back"),)


@hookimpl
def preview_settings(
    ctx: TenantContext, old: CallBackSettings, new: CallBackSettings
) -> Sequence[Message]:
    n = ctx.session.scalar(
        select(func.count()).select_from(Promise).where(Promise.kept_at.is_(None))
    )
    if old.hours == new.hours or not n:
        return ()
    return (Message(N_("{n} 个待回电的承诺不变，新受理案件按 {hours} 小时"),
                    {"n": n, "hours": new.hours}),)  # fmt: skip


@hookimpl
def on_event(ctx: TenantContext, event: Event) -> None:
    known = select(Promise).where(Promise.case_id == event.object_id)
    if ctx.session.scalar(known) is None:  # events may be told twice
        hours = timedelta(hours=ctx.settings(CallBackSettings).hours)
        ctx.session.add(Promise(case_id=event.object_id, due_at=ctx.now() + hours))


def kept(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    due = (Promise.due_at >= period.begin, Promise.due_at < period.end)
    n, good = ctx.session.execute(
        select(func.count(), func.count(Promise.kept_at)).where(*due)
    ).one()
    return (Measured(good / n if n else None, n),)


def promise_of(ctx: TenantContext, case: Case) -> Promise | None:
    return ctx.session.scalar(select(Promise).where(Promise.case_id == case.id))


def tidy(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Forget what was kept longer ago than the manifest says."""
    long_ago = ctx.now() - timedelta(days=36 * 31)
    ctx.session.execute(delete(Promise).where(Promise.kept_at < long_ago))
