"""What the administrator sees of a plugin: values in words, what it may touch, what it is doing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import or_, select

from huiyin.db import ScopedSession
from huiyin.identity.models import Membership
from huiyin.identity.policy import table
from huiyin.kit.i18n import N_, SOURCE, Translator
from huiyin.plugins.activation import PluginState
from huiyin.plugins.context import job_kind
from huiyin.plugins.fields import UNITS, FieldKind, SettingField
from huiyin.plugins.loading import Plugin
from huiyin.plugins.manifest import KIND_TITLES
from huiyin.plugins.mounting import address
from huiyin.plugins.settings import SECRET_SET, SECRET_UNSET, Change
from huiyin.plugins.terms import Area
from huiyin.queue.models import Job, JobState, Schedule
from huiyin.tenancy.models import SettingState, SettingVersion

if TYPE_CHECKING:
    from datetime import datetime

BLANK: Final = "--"
RUNS: Final = 50
ACTIVE_TITLES: Final[Mapping[bool, str]] = MappingProxyType({True: N_("启用"), False: N_("停用")})
# What the list can be narrowed to; the words and the test are one table.
STANDINGS: Final = MappingProxyType(
    {
        "on": N_("已启用"),
        "off": N_("已停用"),
        "draft": N_("待复核"),
        "trouble": N_("需处理"),
    }
)
AREA_TITLES: Final[Mapping[Area, str]] = MappingProxyType(
    {Area.PUBLIC: N_("公开页面"), Area.STAFF: N_("员工页面"), Area.API: N_("程序接口")}
)
VERSION_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        SettingState.DRAFT.value: N_("草稿"),
        SettingState.PUBLISHED.value: N_("生效中"),
        SettingState.RETIRED.value: N_("已被取代"),
    }
)
NEVER_PUBLISHED: Final = N_("已撤销")
JOB_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        JobState.QUEUED.value: N_("等待"),
        JobState.LEASED.value: N_("进行中"),
        JobState.QUARANTINED.value: N_("已搁置"),
    }
)
# Amounts of the units that have a name; Chinese has no plural, English does.
_AMOUNTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        UNITS["working_days"]: (N_("1 个工作日"), N_("{n} 个工作日")),
        UNITS["calendar_days"]: (N_("1 个自然日"), N_("{n} 个自然日")),
        UNITS["trading_days"]: (N_("1 个交易日"), N_("{n} 个交易日")),
        UNITS["hours"]: (N_("1 小时"), N_("{n} 小时")),
        UNITS["minutes"]: (N_("1 分钟"), N_("{n} 分钟")),
    }
)


# -- the list ---------------------------------------------------------------------------------


def narrowed(
    states: Iterable[PluginState], words: str, standing: str, _: Translator
) -> list[PluginState]:
    """The plugins whose title, name or purpose hold the words, and that stand so."""
    wanted = words.casefold().split()
    return [
        state
        for state in states
        if _stands(state, standing)
        and all(word in _text_of(state, _).casefold() for word in wanted)
    ]


def _text_of(state: PluginState, _: Translator) -> str:
    return "\n".join((state.name, state.title, _(state.title), _(state.summary)))


def _stands(state: PluginState, standing: str) -> bool:
    if standing not in STANDINGS:
        return True
    return {
        "on": state.active,
        "off": not state.active and not state.load_error,
        "draft": state.has_draft,
        "trouble": bool(state.load_error or state.set_aside_at or state.failures),
    }[standing]


def grouped(states: Iterable[PluginState]) -> list[tuple[str, list[PluginState]]]:
    """Plugins by what they are for, in the order of the kinds; those not loaded come last."""
    found = list(states)
    groups = [
        (title, [state for state in found if state.kind is kind])
        for kind, title in KIND_TITLES.items()
    ]
    groups.append((N_("未加载"), [state for state in found if state.load_error]))
    return [(title, lines) for title, lines in groups if lines]


# -- settings in words ------------------------------------------------------------------------


def in_words(field: SettingField, value: Any, _: Translator) -> str:
    """A value as a sentence would say it; a secret says only whether it is set."""
    if field.is_secret:
        return _(SECRET_SET if value else SECRET_UNSET)
    if field.kind is FieldKind.BOOL:
        return _(N_("是") if value else N_("否"))
    if field.kind is FieldKind.CHOICE:
        return _(dict(field.choices).get(value, str(value)))
    if isinstance(value, list | tuple):
        return ("、" if _.language == SOURCE else ", ").join(map(str, value)) or BLANK
    if value in (None, ""):
        return BLANK
    return _amount(field, value, _) if field.unit else str(value)


def unit_in_words(field: SettingField, _: Translator) -> str:
    """The unit beside an input, where no number says whether it is one or many."""
    known = field.unit in _AMOUNTS
    return _.context("unit", field.unit) if known else _(field.unit)


def _amount(field: SettingField, value: Any, _: Translator) -> str:
    if field.unit not in _AMOUNTS:
        return f"{value} {_(field.unit)}"
    one, many = _AMOUNTS[field.unit]
    return _(one) if value == 1 else _(many, n=value)


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One line of what waits to be published."""

    name: str
    title: str
    key: str
    before: str
    after: str
    before_origin: str
    after_origin: str
    renewed: bool  # a secret replaced by another: both read 已设置


def change_lines(plugin: str, changes: Iterable[Change], _: Translator) -> list[ChangeLine]:
    return [
        ChangeLine(
            change.field.name,
            change.field.title,
            change.field.key(plugin),
            in_words(change.field, change.before, _),
            in_words(change.field, change.after, _),
            change.before_origin.value,
            change.after_origin.value,
            change.field.is_secret and bool(change.before) and bool(change.after),
        )
        for change in changes
    ]


def in_input(value: Any) -> Any:
    """How a stored value stands in its input: lists one to a line, yes as ``on``."""
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, list | tuple):
        return "\n".join(str(item) for item in value)
    return "" if value is None else str(value)


def seal_of(version: SettingVersion) -> str:
    """What a draft says, as a digest: whoever publishes, publishes what they have read."""
    body = msgspec.json.encode([version.data, version.secrets, version.reason], order="sorted")
    return hashlib.sha256(body).hexdigest()


def version_title(version: SettingVersion) -> str:
    if version.state == SettingState.RETIRED.value and version.published_at is None:
        return NEVER_PUBLISHED
    return VERSION_TITLES[version.state]


# -- what it may touch ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Access:
    """Everything a plugin has declared of itself; nothing else is open to it."""

    permissions: Sequence[tuple[str, str, Sequence[str]]]  # code, title, titles of roles
    pages: Sequence[tuple[str, str]]  # title of the area, address
    parts: Sequence[tuple[str, str]]  # title of the kind of part, what it is called

    @property
    def count(self) -> int:
        return len(self.permissions) + len(self.pages) + len(self.parts)


def access_of(plugin: Plugin, _: Translator) -> Access:
    declared, roles = plugin.declared, table().roles
    parts = [(N_("受理渠道"), _(item.title)) for item in declared.channels]
    parts += [(N_("归属阶段的核对项"), _(gate.title)) for gate in declared.gates]
    parts += [(N_("定时与后台任务"), job.name) for job in declared.jobs]
    parts += [(N_("收听的事件"), kind) for kind in plugin.manifest.listens]
    return Access(
        [
            (item.name, item.title, [roles[role].title for role in sorted(item.roles)])
            for item in declared.permissions
        ],
        [
            (AREA_TITLES[group.area], f"{base}/{root}" if root else base)
            for group in declared.routes
            for base in (address(plugin.name, group).replace(":str", ""),)
            for root in (group.roots or ("",))
        ],
        parts,
    )


# -- what it is doing -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """A job of the plugin that is not done, or a date on which one returns."""

    kind: str
    state: str
    attempts: int
    error: str
    due_at: datetime


def runs_of(session: ScopedSession, plugin: str) -> list[Run]:
    """Waiting, running and set-aside jobs and what returns by itself; two queries.

    Finished jobs are not listed: they are many, and nothing is to be done about them.
    """
    kind = job_kind(plugin)
    jobs = session.execute(
        select(Job.kind, Job.state, Job.attempts, Job.error, Job.due_at)
        .where(
            or_(Job.kind == kind, Job.kind.startswith(f"{kind}:", autoescape=True)),
            Job.state.in_(JOB_TITLES),
        )
        .order_by(Job.due_at, Job.id)
        .limit(RUNS)
    )
    found = [Run(_short(r.kind, kind), JOB_TITLES[r.state], *r[2:]) for r in jobs]
    planned = session.execute(
        select(Schedule.kind, Schedule.due_at)
        .where(or_(Schedule.kind == kind, Schedule.kind.startswith(f"{kind}:", autoescape=True)))
        .order_by(Schedule.due_at)
        .limit(RUNS)
    )
    return found + [Run(_short(r.kind, kind), N_("定时"), 0, "", r.due_at) for r in planned]


def _short(kind: str, whole: str) -> str:
    return kind.removeprefix(f"{whole}:") if kind != whole else "on_event"


def names_of(session: ScopedSession, people: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """Names of members, former ones too, by account."""
    wanted = {person for person in people if person}
    if not wanted:
        return {}
    rows = session.execute(
        select(Membership.account_id, Membership.name).where(Membership.account_id.in_(wanted))
    )
    return {row.account_id: row.name for row in rows}
