"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from huiyin.sdk import (
    N_,
    Area,
    Capability,
    Case,
    Channel,
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
from huiyin_channel_phone import (
    backs,
    demo,
    imports,
    keeping,
    purging,
    queries,
    recordings,
    roster,
    terms,
)
from huiyin_channel_phone.api import ApiController
from huiyin_channel_phone.figures import FIGURES
from huiyin_channel_phone.health import health
from huiyin_channel_phone.pages_backs import BacksController
from huiyin_channel_phone.pages_calls import CallsController
from huiyin_channel_phone.pages_duty import DutyController, RosterController
from huiyin_channel_phone.pages_imports import ImportsController
from huiyin_channel_phone.panel import panel_of
from huiyin_channel_phone.settings import ChannelPhoneSettings

CHASE: Final = "chase"
KEEP: Final = "keep_days"
OWED: Final = "channel_phone:owed"
UNSORTED: Final = "channel_phone:unsorted"
_GROUP: Final = N_("电话值守")
_P: Final = terms.PREFIX

MANIFEST: Final = Manifest(
    title=N_("电话值守"),
    summary=N_("值班排班、通话登记、录音与未接回电，电话系统的话单自动入库"),
    kind=Kind.CHANNEL,
    settings=ChannelPhoneSettings,
    personal_data=(
        PersonalData(
            column=f"{_P}call.number", purpose=N_("来电号码，用于回电和识别同一来电人"),
            retention_months=terms.KEPT["cases"],
        ),
        PersonalData(
            column=f"{_P}call.name", purpose=N_("通话对方的姓名"),
            retention_months=terms.KEPT["cases"],
        ),
        PersonalData(
            column=f"{_P}call.story", purpose=N_("通话内容；未归入案件的保存三年"),
            retention_months=terms.KEPT["cases"],
        ),
        PersonalData(
            column=f"{_P}call.answer", purpose=N_("当场怎样答复，或不需要登记的理由"),
            retention_months=terms.KEPT["cases"],
        ),
        PersonalData(
            column=f"{_P}call_back.number", purpose=N_("待回电的号码，随通话一并清除"),
            retention_months=terms.KEPT["cases"],
        ),
        PersonalData(
            column=f"{_P}recording.blob_key",
            purpose=N_("未归入案件的通话录音；归入案件的随案件证据保存"),
            retention_months=terms.KEPT["recordings"],
        ),
        PersonalData(
            column=f"{_P}draft.values", purpose=N_("没有提交的通话草稿"),
            retention_months=terms.KEPT["drafts"],
        ),
        PersonalData(
            column=f"{_P}draft.number", purpose=N_("没有提交的通话草稿"),
            retention_months=terms.KEPT["drafts"],
        ),
        PersonalData(
            column=f"{_P}absence.account_id", purpose=N_("值班人员缺勤的日期，不记录原因"),
            retention_months=terms.KEPT["absences"],
        ),
        PersonalData(
            column=f"{_P}kept_day.posts", purpose=N_("过去每天的值班情况和值班人员"),
            retention_months=terms.KEPT["days"],
        ),
        PersonalData(
            column=f"{_P}import_row.cells", purpose=N_("导入话单的逐行内容，用于核对错误"),
            retention_months=terms.KEPT["imports"],
        ),
        PersonalData(
            column=f"{_P}import_row.record", purpose=N_("导入话单的逐行内容，用于核对错误"),
            retention_months=terms.KEPT["imports"],
        ),
        PersonalData(
            column=f"{_P}import_run.blob_key", purpose=N_("导入的话单原文件"),
            retention_months=terms.KEPT["imports"],
        ),
    ),
)  # fmt: skip
PHONE: Final = Channel(
    name=terms.CHANNEL,
    title=N_("电话"),
    capabilities=frozenset({Capability.INBOUND, Capability.LIVE, Capability.RECORDINGS}),
    health=health,
)


@hookimpl
def channels() -> Sequence[Channel]:
    return (PHONE,)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (
        PluginRoutes(
            area=Area.STAFF,
            handlers=(
                DutyController, RosterController, CallsController, BacksController,
                ImportsController,
            ),
        ),
        PluginRoutes(area=Area.API, handlers=(ApiController,)),
    )  # fmt: skip


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (
        NavItem(_GROUP, terms.PATH, "phone", N_("值班"), terms.DUTY),
        NavItem(
            _GROUP, f"{terms.PATH}/calls", "chat", N_("通话"), terms.LOOK, count=UNSORTED
        ),
        NavItem(
            _GROUP, f"{terms.PATH}/call-backs", "undo", N_("回电"), terms.LOOK, count=OWED,
            hot=True,
        ),
    )  # fmt: skip


@hookimpl
def navigation_counts(ctx: TenantContext) -> Sequence[NavCount]:
    if not ctx.actor.can(terms.LOOK):
        return ()
    owed, unsorted = queries.counts(ctx)
    return (NavCount(OWED, owed), NavCount(UNSORTED, unsorted))


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return (
        PluginPermission(terms.DUTY, N_("查看值班"), terms.INSIDERS),
        PluginPermission(terms.ROSTER, N_("安排值班"), terms.ARRANGERS),
        PluginPermission(terms.LOOK, N_("查看通话与回电"), terms.LOOKERS),
        PluginPermission(terms.HANDLE, N_("登记通话与回电"), terms.HANDLERS),
        PluginPermission(terms.IMPORT, N_("导入话单"), terms.HANDLERS),
    )


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=CHASE, run=chase, every=timedelta(minutes=5)),
        PluginJob(name=KEEP, run=keep_days, every=timedelta(hours=1)),
        PluginJob(name=backs.TELL, run=backs.tell),
        PluginJob(name=imports.CHECK, run=imports.check, timeout=300.0),
        PluginJob(name=imports.APPLY, run=imports.apply, timeout=300.0),
        PluginJob(name=recordings.FORGET, run=recordings.forget),
        PluginJob(name=purging.PURGE, run=purging.purge, every=timedelta(days=1), timeout=300.0),
    )


def chase(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Tell of what is late."""
    backs.chase(ctx)


def keep_days(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Write down the days that are over."""
    keeping.keep_days(ctx)


@hookimpl
def figures() -> Sequence[Figure]:
    return FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "channel_phone:calls", N_("怎样登记一通电话"), "channel_phone/help_calls.html",
            terms.LOOK,
        ),
        HelpTopic(
            "channel_phone:roster", N_("怎样排班，怎样接入电话系统"),
            "channel_phone/help_roster.html", terms.ROSTER,
        ),
    )  # fmt: skip


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    """The calls of the case, and a way to write down another."""
    body = panel_of(ctx, case)
    return Panel(Message(N_("通话")), body) if body else None


@hookimpl
def people_on_duty(ctx: TenantContext) -> Sequence[UUID]:
    """Who answers a post at this moment, deputies where they stand in."""
    found = roster.today(ctx).now(ctx.now())
    return tuple(dict.fromkeys(one.person.id for one in found))


@hookimpl
def preview_settings(
    ctx: TenantContext, old: ChannelPhoneSettings, new: ChannelPhoneSettings
) -> Sequence[Message]:
    """A promise that was made stays as it was made."""
    if (old.within, old.counted) == (new.within, new.counted):
        return ()
    kept = N_("{n} 项待回电沿用原来的时限，新的承诺只用于今后的未接来电")
    return (Message(kept, {"n": backs.counted(ctx)[0]}),)


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)
