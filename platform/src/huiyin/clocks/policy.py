"""The time limits of a firm as data: no number without the word it rests on.

A policy is a TOML file.  Loading it refuses unknown keys, unknown events and any rule that does
not say its instrument, its force and how sure we are of it: a mistyped key is never a default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import time
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message

Amount = Annotated[int, msgspec.Meta(ge=1, le=3660)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]

STAGES: Final = (
    "intake",
    "preliminary",
    "investigation",
    "plan",
    "approval",
    "implementation",
    "response",
    "followup",
    "archive",
)
INTAKES: Final = ("complaint", "report", "enquiry", "suggestion")
EVENTS: Final = frozenset(
    {
        "received",
        "acknowledged",
        "accepted",
        "declined",
        "stage_entered",
        "contacted",
        "answered",
        "settled",
        "followed_up",
        "closed",
        "merged",
        "unmerged",
        "reopened",
        "withdrawn",
        "extended",
        "paused",
        "resumed",
        "transfer_received",
        "transfer_answered",
        "review_asked",
        "review_started",
        "review_done",
        "complexity_set",
    }
)


class Unit(StrEnum):
    """What is counted."""

    WORKDAY = "workday"
    CALENDAR_DAY = "calendar_day"
    TRADING_DAY = "trading_day"
    HOUR = "hour"


class Force(StrEnum):
    """How strongly a time limit binds the firm."""

    LAW = "law"
    SELF_REGULATION = "self_regulation"
    TRANSFER_LETTER = "transfer_letter"
    COMPANY_POLICY = "company_policy"
    SERVICE_PROMISE = "service_promise"


class Confidence(StrEnum):
    """How sure we are of the source: its words were read, or they were not."""

    VERIFIED = "verified"
    PRESS = "press"
    KNOWN = "known"
    UNCERTAIN = "uncertain"
    DESIGN = "design"


class Audience(StrEnum):
    INTERNAL = "internal"
    COMPLAINANT = "complainant"


class Complexity(StrEnum):
    SIMPLE = "simple"
    COMPLEX = "complex"


UNIT_LABELS: Final = {
    Unit.WORKDAY: N_("工作日"),
    Unit.CALENDAR_DAY: N_("自然日"),
    Unit.TRADING_DAY: N_("交易日"),
    Unit.HOUR: N_("小时"),
}
FORCE_LABELS: Final = {
    Force.LAW: N_("法律法规"),
    Force.SELF_REGULATION: N_("自律规则"),
    Force.TRANSFER_LETTER: N_("转办函载明"),
    Force.COMPANY_POLICY: N_("公司制度"),
    Force.SERVICE_PROMISE: N_("服务承诺"),
}
CONFIDENCE_LABELS: Final = {
    Confidence.VERIFIED: N_("已核对原文"),
    Confidence.PRESS: N_("据公开报道"),
    Confidence.KNOWN: N_("未核对原文"),
    Confidence.UNCERTAIN: N_("尚不确定"),
    Confidence.DESIGN: N_("自行设定"),
}
UNVERIFIED: Final = N_("待核实")
OUTSIDE: Final = frozenset({Force.LAW, Force.SELF_REGULATION})
"""Forces that may be named only once somebody has read the words."""


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The word a number rests on."""

    instrument: Text
    article: str
    force: Force
    confidence: Confidence
    note: str = ""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bound on the amount itself; its own ``origin`` where it differs from the rule's."""

    amount: Amount
    unit: Unit
    origin: Origin | None = None


class Allowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an extension or a pause may add: up to ``amount``, ``times`` times in one clock."""

    amount: Amount
    unit: Unit
    times: Amount = 1
    origin: Origin | None = None


class ByComplexity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    simple: Amount
    complex: Amount


class Applies(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a rule speaks; an empty list means always."""

    intakes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    complexity: tuple[Complexity, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class ClockRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One time limit.

    ``starts_on`` opens a clock, ``stops_on`` meets it, ``cancels_on`` makes it moot, and after
    ``until`` no further one opens in the same round (a round ends with ``reopened``; a review
    that is started begins one for ``count_from`` only, because nothing else is due anew).  A rule
    runs once a round unless it ``repeats``.  ``match`` names the datum that ties a stopping
    event to its own clock.  The date is ``amount`` × ``unit`` after the start, after the last
    ``count_from`` event of the round, or the datum ``date_field`` of the starting event.
    ``clip`` keeps it that many working days before the final reply.
    """

    kind: Text
    title: Text
    starts_on: tuple[str, ...]
    stops_on: tuple[str, ...]
    cancels_on: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    audience: Audience
    origin: Origin
    amount: Amount | ByComplexity | None = None
    unit: Unit = Unit.WORKDAY
    date_field: str = ""
    count_from: str = ""
    match: str = ""
    repeats: bool = False
    hard_stop: Limit | None = None
    extension: Allowance | None = None
    pause: Allowance | None = None
    clip: Annotated[int, msgspec.Meta(ge=0, le=30)] | None = None
    applies: Applies = Applies()
    warn: tuple[Annotated[int, msgspec.Meta(ge=1, le=100)], ...] = (50, 75, 90, 100)

    @property
    def stage(self) -> str | None:
        """The one stage this rule is about, if it is about a stage."""
        return self.applies.stages[0] if len(self.applies.stages) == 1 else None

    def amount_for(self, complexity: Complexity) -> int:
        """How many units a case of this complexity has; 0 when the date is given instead."""
        if isinstance(self.amount, ByComplexity):
            simple = complexity is Complexity.SIMPLE
            return self.amount.simple if simple else self.amount.complex
        return self.amount or 0


class Arrival(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes in after the cut-off, or on a rest day, counts for the next working day.

    Only for the outside ``events`` and clocks in these ``units``.
    """

    cutoff: time
    events: tuple[str, ...]
    units: tuple[Unit, ...]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All time limits of a firm, in force together."""

    id: Text
    version: Text
    title: Text
    due_time: time
    arrival: Arrival
    origin: Origin
    clip_to: Text
    rules: tuple[ClockRule, ...]

    def rules_for(self, kind: str) -> tuple[ClockRule, ...]:
        return tuple(rule for rule in self.rules if rule.kind == kind)


def origin_label(origin: Origin) -> Message:
    """The short word beside a date; never a law or a rule whose words nobody has read."""
    if origin.force in OUTSIDE and origin.confidence is not Confidence.VERIFIED:
        return Message(UNVERIFIED)
    return Message(FORCE_LABELS[origin.force])


def origin_line(origin: Origin) -> Message:
    """The label with instrument and article, as the case page prints it."""
    params = {
        "label": origin_label(origin),
        "instrument": Message(origin.instrument),
        "article": Message(origin.article),
    }
    if origin.article:
        return Message(N_("{label} · {instrument}，{article}"), params)
    return Message(N_("{label} · {instrument}"), params)


def amount_label(amount: int, unit: Unit) -> Message:
    """「3 个工作日」「15 日」「2 小时」."""
    one, many = _AMOUNTS[unit]
    return Message(one) if amount == 1 else Message(many, {"n": amount})


_AMOUNTS: Final = {
    Unit.WORKDAY: (N_("1 个工作日"), N_("{n} 个工作日")),
    Unit.CALENDAR_DAY: (N_("1 个自然日"), N_("{n} 个自然日")),
    Unit.TRADING_DAY: (N_("1 个交易日"), N_("{n} 个交易日")),
    Unit.HOUR: (N_("1 小时"), N_("{n} 小时")),
}


def load_policy(source: Path | bytes) -> Policy:
    """A policy from TOML; raises ``Invalid`` (field ``policy``) with the place to mend.

    ``[origins.<name>]`` tables may be referred to by name wherever an origin is wanted.
    """
    raw = source if isinstance(source, bytes) else source.read_bytes()
    try:
        data = tomllib.loads(raw.decode())
        _name_origins(data, data.pop("origins", {}))
        policy = msgspec.convert(data, Policy)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        detail = Message(N_("请修改时限政策文件：{detail}"), {"detail": str(error)})
        raise Invalid({"policy": detail}) from error
    problem = next(_problems(policy), None)
    if problem:
        raise Invalid({"policy": problem})
    return policy


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """The policy a firm starts with; none of its numbers is a statutory deadline."""
    return load_policy(files("huiyin.clocks").joinpath("default_policy.toml").read_bytes())


def _name_origins(node: Any, origins: Mapping[str, Any]) -> None:
    """Put the origin itself where its name stands; an unknown name is left to be refused."""
    if isinstance(node, dict):
        name = node.get("origin")
        if isinstance(name, str) and name in origins:
            node["origin"] = origins[name]
        for child in node.values():
            _name_origins(child, origins)
    elif isinstance(node, list):
        for child in node:
            _name_origins(child, origins)


def _problems(policy: Policy) -> Iterator[Message]:
    if not policy.rules_for(policy.clip_to):
        yield Message(N_("没有「{kind}」时限，请补全"), {"kind": policy.clip_to})
    for event in policy.arrival.events:
        if event not in EVENTS:
            yield _unknown("arrival", event)
    for rule in policy.rules:
        yield from _rule_problems(rule, policy)


def _rule_problems(rule: ClockRule, policy: Policy) -> Iterator[Message]:
    named = {*rule.starts_on, *rule.stops_on, *rule.cancels_on, *rule.until}
    named |= {rule.count_from} - {""}
    unknown = sorted(named - EVENTS)
    unknown += sorted(set(rule.applies.stages) - set(STAGES))
    unknown += sorted(set(rule.applies.intakes) - set(INTAKES))
    for word in unknown:
        yield _unknown(rule.title, word)
    if not rule.starts_on or not rule.stops_on:
        yield Message(N_("「{title}」须写明起算和截止事件"), {"title": rule.title})
    if (rule.amount is None) == (not rule.date_field):
        yield Message(N_("「{title}」须写明天数或日期来源，二者取一"), {"title": rule.title})
    if list(rule.warn) != sorted(set(rule.warn)):
        yield Message(N_("「{title}」的提醒比例须由小到大"), {"title": rule.title})
    if rule.clip is not None and rule.kind == policy.clip_to:
        yield Message(N_("「{title}」不能以自身为上限"), {"title": rule.title})
    hours = rule.unit is Unit.HOUR
    if rule.extension and (rule.extension.unit is Unit.HOUR) != hours:
        yield Message(N_("「{title}」的延期单位须与时限一致"), {"title": rule.title})
    if rule.pause and rule.pause.unit is Unit.HOUR:
        yield Message(N_("「{title}」的暂停上限须以天计"), {"title": rule.title})


def _unknown(title: str, word: str) -> Message:
    return Message(N_("「{title}」中的 {word} 无法识别，请核对"), {"title": title, "word": word})
