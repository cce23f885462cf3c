"""The firm's categories, causes, severities and outside routes, read from the files beside this.

Titles are Chinese message keys; the English of each is in ``locale/en/policies.po``.  Everything
is read once and frozen: a page, a test and the help see the same table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message


class Confidence(StrEnum):
    """How sure we are of an instrument; anything but ``VERIFIED`` is shown as 待核实."""

    VERIFIED = "verified"
    PRESS = "press"
    KNOWN = "known"
    UNCERTAIN = "uncertain"
    DESIGN = "design"


class GroupLevel(StrEnum):
    """How near several complaints are to being one matter."""

    NONE = ""
    WATCH = "watch"
    ALARM = "alarm"
    CRITICAL = "critical"


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A document a category may point to; ``design`` marks the firm's own."""

    id: str
    title: str
    confidence: Confidence


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of problem in the complainant's words, as the public form offers it."""

    code: str
    title: str
    hint: str


class CategoryGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    code: str
    title: str
    english: str


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One leaf.  ``severity`` is the floor, ``review`` asks for compliance, ``rules`` point."""

    code: str
    group: str
    title: str
    english: str
    severity: str
    review: bool
    rules: tuple[str, ...]
    topic: str
    plain: str


class CauseGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    code: str
    title: str
    english: str


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A root cause; ``code`` is ``RC3-2``."""

    code: str
    group: str
    title: str
    english: str


class SeverityRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A level: any one of ``tests`` makes it, ``handling`` is what then happens."""

    code: str
    title: str
    complexity: str
    summary: bool
    review: bool
    tests: tuple[str, ...]
    handling: tuple[str, ...]


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    when: str
    level: str
    reason: str


class GroupStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From ``count`` complainants on; ``severity`` where the step sets one."""

    level: GroupLevel
    count: int
    title: str
    note: str
    severity: str = ""


class GroupRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``share`` is a percentage of the fund's investors, looked at from ``share_from`` people."""

    days: int
    share: int
    share_from: int
    steps: tuple[GroupStep, ...]


class OutsideRoute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somewhere else to turn.  ``text`` is for the complainant, ``note`` for staff alone."""

    code: str
    title: str
    text: str
    confidence: Confidence
    note: str


class _Taxonomy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: str
    instruments: tuple[Instrument, ...]
    topics: tuple[Topic, ...]
    groups: tuple[CategoryGroup, ...]
    categories: tuple[Category, ...]


class _Causes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: str
    groups: tuple[CauseGroup, ...]
    causes: tuple[Cause, ...]


class SeverityTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of ``severity.toml``; ``loss_limit`` is in yuan."""

    version: str
    loss_limit: int
    basis: str
    levels: tuple[SeverityRule, ...]
    triggers: tuple[Trigger, ...]
    sources: Mapping[str, str]
    group: GroupRule


class _Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: str
    routes: tuple[OutsideRoute, ...]


_Table = TypeVar("_Table", bound=msgspec.Struct)
_Item = TypeVar("_Item", Category, CategoryGroup, Cause, CauseGroup, Topic, SeverityRule)


def _read(name: str, kind: type[_Table]) -> _Table:
    source = (files("huiyin.policies") / name).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(source), kind)


def _by_code(items: Iterable[_Item]) -> Mapping[str, _Item]:
    found: dict[str, _Item] = {}
    for item in items:
        if item.code in found:
            raise ValueError(f"the code {item.code} is used twice")
        found[item.code] = item
    return MappingProxyType(found)


@cache
def _taxonomy() -> _Taxonomy:
    return _read("taxonomy.toml", _Taxonomy)


@cache
def _causes() -> _Causes:
    return _read("causes.toml", _Causes)


@cache
def severity_table() -> SeverityTable:
    """Levels, triggers, sources and group thresholds, as they stand in the file."""
    return _read("severity.toml", SeverityTable)


@cache
def categories() -> Mapping[str, Category]:
    """The 46 leaves by code, in the order of the taxonomy."""
    return _by_code(_taxonomy().categories)


@cache
def groups() -> Mapping[str, CategoryGroup]:
    """The 12 groups, A to L."""
    return _by_code(_taxonomy().groups)


@cache
def public_topics() -> Mapping[str, Topic]:
    """What the public form asks first, in its order."""
    return _by_code(_taxonomy().topics)


@cache
def instruments() -> Mapping[str, Instrument]:
    """The documents that ``Category.rules`` point to."""
    return MappingProxyType({item.id: item for item in _taxonomy().instruments})


@cache
def causes() -> Mapping[str, Cause]:
    """The 32 root causes by code, RC1-1 to RC8-4."""
    return _by_code(_causes().causes)


@cache
def cause_groups() -> Mapping[str, CauseGroup]:
    """RC1 to RC8."""
    return _by_code(_causes().groups)


@cache
def severity_rules() -> Mapping[str, SeverityRule]:
    """S1 to S4, the mildest first."""
    return _by_code(severity_table().levels)


@cache
def outside_routes() -> tuple[OutsideRoute, ...]:
    """Where else a complainant may turn, in the order letters name them."""
    return _read("routes.toml", _Routes).routes


UNVERIFIED: Final = N_("待核实")
OWN: Final = frozenset({"contract", "house"})
"""Instruments that are the firm's own papers and so have nothing to verify outside."""


def route_mark(route: OutsideRoute) -> str:
    """What staff see beside a route: 待核实 unless somebody has read it or it is the contract's."""
    sure = {Confidence.VERIFIED, Confidence.DESIGN}
    return "" if route.confidence in sure else UNVERIFIED


def rule_lines(category: str) -> tuple[Message, ...]:
    """Where a leaf points, for the page; what nobody has read is marked 待核实.

    Raises ``Invalid`` for an unknown leaf.
    """
    return tuple(_rule_line(rule) for rule in category_of(category).rules)


def _rule_line(rule: str) -> Message:
    name, _, article = rule.partition("-")
    instrument = instruments()[name]
    title = Message(instrument.title)
    if name in OWN:
        return title
    known = instrument.confidence is Confidence.VERIFIED
    if not article:
        return title if known else Message(N_("{title}，待核实"), {"title": title})
    words = N_("{title}第 {article} 条") if known else N_("{title}第 {article} 条，待核实")
    return Message(words, {"title": title, "article": article})


def category_of(code: str) -> Category:
    """The leaf of this code; raises ``Invalid`` (field ``category``) if there is none."""
    try:
        return categories()[code]
    except KeyError:
        message = Message(N_("请从类别表中选择投诉类别"))
        raise Invalid({"category": message}) from None


def needs_legal_review(category: str) -> bool:
    """Whether the leaf asks for compliance whatever its level; raises ``Invalid`` if unknown."""
    return category_of(category).review


def suggest_severity(
    category: str | None,
    amount: Decimal | int | None,
    source: str,
    vulnerable: bool,
    repeat: bool,
    *,
    limit: Decimal | int | None = None,
) -> tuple[str, tuple[Message, ...]]:
    """The highest level that any fact asks for, and every reason, the gravest first.

    ``amount`` and ``limit`` are yuan; without a limit the table's holds.  A person decides; this
    proposes.  Not yet classified counts as the mildest.  Raises ``Invalid`` for an unknown leaf.
    """
    table = severity_table()
    limit = table.loss_limit if limit is None else limit
    leaf = category_of(category) if category else None
    true = _true_of(amount or 0, limit, table.sources.get(source, ""), vulnerable, repeat)
    if leaf:
        true.add("category")
    found: list[tuple[str, Message]] = []
    for trigger in table.triggers:
        if trigger.when not in true:
            continue
        level = trigger.level or (leaf.severity if leaf else "")
        params = {
            "category": Message(leaf.title) if leaf else "",
            "level": Message(severity_rules()[level].title),
            "amount": f"{amount or 0:,}",
            "limit": f"{limit:,}",
        }
        used = {name: value for name, value in params.items() if f"{{{name}}}" in trigger.reason}
        found.append((level, Message(trigger.reason, used)))
    found.sort(key=lambda item: item[0], reverse=True)
    mildest = next(iter(severity_rules()))
    return (found[0][0] if found else mildest), tuple(reason for _, reason in found)


def _true_of(
    amount: Decimal | int, limit: Decimal | int, source: str, vulnerable: bool, repeat: bool
) -> set[str]:
    facts = {
        "loss": 0 < amount < limit,
        "large_loss": 0 < amount >= limit,
        "vulnerable": vulnerable,
        "repeat": repeat,
    }
    return {name for name, holds in facts.items() if holds} | ({source} - {""})


def suggest_complexity(severity: str) -> str:
    """``simple`` or ``complex``, which decides how long the reply may take."""
    return severity_rules()[severity].complexity


def group_watch(count: int, investors: int = 0) -> GroupLevel:
    """How near ``count`` complainants on one fund and leaf within 30 days are to a group matter.

    ``investors`` is how many hold the fund, 0 when unknown.
    """
    rule = severity_table().group
    level = GroupLevel.NONE
    for step in rule.steps:
        if count >= step.count:
            level = step.level
    shared = investors > 0 and count * 100 >= rule.share * investors
    if shared and count >= rule.share_from:
        return GroupLevel.CRITICAL
    return level
