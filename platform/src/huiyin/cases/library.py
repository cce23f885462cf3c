"""制度与时限: the rules by which the firm works, printed from the tables that the product obeys.

Nothing on these pages is written a second time.  What has no verified source says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.cases.gates import EXIT, GATES, Gate, How
from huiyin.cases.stages import (
    INTAKE_TITLES,
    OUTCOME_TITLES,
    PART_TITLES,
    STAGE_TITLES,
    IntakeType,
    Stage,
)
from huiyin.cases.verbs import MOVES, VERBS, Verb
from huiyin.clocks.policy import (
    CONFIDENCE_LABELS,
    FORCE_LABELS,
    UNVERIFIED,
    Allowance,
    ByComplexity,
    ClockRule,
    Confidence,
    Limit,
    Origin,
    amount_label,
    origin_label,
    origin_line,
)
from huiyin.clocks.service import calendar, policy
from huiyin.identity.policy import Role, table
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import today
from huiyin.policies.catalogue import (
    instruments,
    outside_routes,
    public_topics,
    route_mark,
    rule_lines,
    severity_table,
)
from huiyin.policies.service import grouped_categories, grouped_causes
from huiyin.web.desk import Desk
from huiyin.web.routes import page

TABS: Final = (
    ("clocks", N_("时限")),
    ("stages", N_("阶段与核对项")),
    ("taxonomy", N_("分类与定级")),
    ("people", N_("角色与权限")),
)
HOW_TITLES: Final[Mapping[How, str]] = {
    How.COLUMN: N_("按案件要素自动判断"),
    How.ATTEST: N_("由办理人写明后确认"),
    How.VERB: N_("由相应操作记录"),
}
_SURE: Final = frozenset({Confidence.VERIFIED, Confidence.DESIGN})


class LibraryController(Controller):
    """One page in four parts, open to everybody who works in the firm."""

    path = "/t/{tenant:str}/w/library"

    @page("/", name="library:show", permission="settings.read")
    def show(self, desk: NamedDependency[Desk]) -> Response[Any]:
        asked = desk.request.query_params.get("tab", "")
        tab = asked if asked in dict(TABS) else TABS[0][0]
        return desk.page(
            "library/show.html",
            tab=tab,
            tabs=[(f"?tab={code}", title) for code, title in TABS],
            **_PARTS[tab](),
        )


# -- clocks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One time limit as the page prints it; every text is a message."""

    rule: ClockRule
    applies: Message | None
    amounts: tuple[Message, ...]
    bounds: tuple[Message, ...]
    label: Message
    line: Message
    confidence: str
    unverified: bool


def rule_line(rule: ClockRule) -> RuleLine:
    """A rule in words, each number with the origin it rests on."""
    return RuleLine(
        rule,
        _concerning(rule),
        tuple(_amounts(rule)),
        tuple(_bounds(rule)),
        origin_label(rule.origin),
        _source(rule.origin),
        CONFIDENCE_LABELS[rule.origin.confidence],
        rule.origin.confidence not in _SURE,
    )


def _source(origin: Origin) -> Message:
    """Instrument and article; the force stands beside it as a label."""
    if not origin.article:
        return Message(origin.instrument)
    params = {"instrument": Message(origin.instrument), "article": Message(origin.article)}
    return Message(N_("{instrument}，{article}"), params)


def _concerning(rule: ClockRule) -> Message | None:
    applies = rule.applies
    if "due_on" in applies.has:
        return Message(N_("函件写明期限的"))
    if "due_on" in applies.lacks:
        return Message(N_("函件未写明期限的"))
    if len(applies.intakes) == 2:
        a, b = (Message(INTAKE_TITLES[IntakeType(code)]) for code in applies.intakes)
        return Message(N_("限{a}与{b}"), {"a": a, "b": b})
    return None


def _amounts(rule: ClockRule) -> list[Message]:
    amount = rule.amount
    if amount is None:
        return [Message(N_("以函件载明的日期为准"))]
    if isinstance(amount, ByComplexity):
        return [
            Message(N_("简单：{amount}"), {"amount": amount_label(amount.simple, rule.unit)}),
            Message(N_("复杂：{amount}"), {"amount": amount_label(amount.complex, rule.unit)}),
        ]
    return [amount_label(amount, rule.unit)]


def _bounds(rule: ClockRule) -> list[Message]:
    found: list[tuple[str, Limit | Allowance | None]] = [
        (N_("最长 {amount}"), rule.hard_stop),
        (N_("可延期 {times} 次，每次至多 {amount}"), rule.extension),
        (N_("可暂停 {times} 次，每次至多 {amount}"), rule.pause),
    ]
    said = [
        Message(words, {"amount": amount_label(bound.amount, bound.unit), **_times(bound)})
        for words, bound in found
        if bound is not None
    ]
    if rule.clip:
        said.append(Message(N_("不晚于书面答复前 {n} 个工作日"), {"n": rule.clip}))
    elif rule.clip is not None:
        said.append(Message(N_("不晚于书面答复的期限")))
    return said


def _times(bound: Limit | Allowance) -> dict[str, int]:
    return {"times": bound.times} if isinstance(bound, Allowance) else {}


def _clocks() -> dict[str, Any]:
    days, rules = calendar(), policy()
    lines = [rule_line(rule) for rule in rules.rules]
    return {
        "policy": rules,
        "groups": [
            (N_("对投诉人与外部"), [line for line in lines if line.rule.stage is None]),
            (N_("九个阶段"), [line for line in lines if line.rule.stage is not None]),
        ],
        "arrival_line": origin_line(rules.origin),
        "forces": FORCE_LABELS,
        "calendar": days,
        "missing_year": days.missing_year(today()),
        "unverified": UNVERIFIED,
    }


# -- stages, gates, verbs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StagePage:
    """A stage: what must be true before it is left, and the moves that begin there."""

    stage: Stage
    title: str
    gates: tuple[Gate, ...]
    moves: tuple[Verb, ...]


def stage_pages() -> tuple[StagePage, ...]:
    """The nine stages in order."""
    return tuple(
        StagePage(
            stage,
            STAGE_TITLES[stage],
            tuple(GATES[name] for name in EXIT[stage]),
            tuple(verb for verb in MOVES if stage in verb.stages and not verb.closed),
        )
        for stage in Stage
    )


def _stages() -> dict[str, Any]:
    policy_table = table()
    return {
        "stage_pages": stage_pages(),
        "others": [verb for verb in VERBS.values() if verb not in MOVES or verb.closed],
        "how_titles": HOW_TITLES,
        "stage_titles": STAGE_TITLES,
        "outcomes": OUTCOME_TITLES,
        "parts": PART_TITLES,
        "all_stages": len(Stage),
        "permissions": policy_table.permissions,
        "role_titles": {role: entry.title for role, entry in policy_table.roles.items()},
    }


# -- categories, causes, severities, routes --------------------------------------------------------


def _taxonomy() -> dict[str, Any]:
    return {
        "categories": grouped_categories(),
        "causes": grouped_causes(),
        "severity": severity_table(),
        "topics": public_topics(),
        "routes": outside_routes(),
        "route_mark": route_mark,
        "rule_lines": rule_lines,
        "instruments": instruments(),
        "sure": {Confidence.VERIFIED.value},
        "confidences": {key.value: title for key, title in CONFIDENCE_LABELS.items()},
        "unverified": UNVERIFIED,
    }


# -- roles × permissions ---------------------------------------------------------------------------


def _people() -> dict[str, Any]:
    known = table()
    held = {role for entry in known.permissions.values() for role in entry.roles}
    roles = [role for role in Role if role in held]
    return {
        "roles": roles,
        "role_titles": {role: known.roles[role].title for role in Role},
        "permissions": known.permissions,
        "apart": known.apart.pairs,
        "reach": known.reach.all,
    }


_PARTS: Final = {
    "clocks": _clocks,
    "stages": _stages,
    "taxonomy": _taxonomy,
    "people": _people,
}
