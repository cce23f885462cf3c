"""The page of one case, put together for one viewer: stages, clocks, next step, timeline.

The page is the table of verbs and gates made visible; it decides nothing that ``change`` does
not decide again.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, select

from huiyin.cases import closing, duties, extensions, gates, lowering, queries, retyping, timeline
from huiyin.cases.duties import Held
from huiyin.cases.models import Case, Participation
from huiyin.cases.opened import PartLine, open_page
from huiyin.cases.stages import (
    HANDLING,
    INTAKE_TITLES,
    PART_TITLES,
    SEVERITY_TITLES,
    SOURCE_TITLES,
    STAGE_ORDER,
    STAGE_TITLES,
    Part,
    Severity,
    Source,
    Stage,
)
from huiyin.cases.verbs import (
    FORWARD,
    MERGED_OWED,
    MOVES,
    REVIEW_ASKED,
    VERBS,
    Offered,
    Verb,
    in_reach,
)
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import amount_label, origin_label, origin_line
from huiyin.clocks.reading import remaining, remaining_message, usage
from huiyin.clocks.rules import Clock, ClockState, Complexity, Facts
from huiyin.clocks.service import calendar, replay
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import local_date, now
from huiyin.policies.catalogue import categories, causes
from huiyin.web.desk import Desk

# Moves with a page of their own, below the case.
PATHS: Final = {"approve": "approve", "submit_plan": "plan/submit"}
_SHOWN_CLOCKS = 4
_BESIDE: Final = 20  # merged cases whose time limits are shown
_ORDER = ("transfer", "reply", "review", "stage", "progress", "acknowledge", "accept", "followup")


@dataclass(frozen=True, slots=True)
class RailStep:
    title: str
    state: str  # d done, c current, or ahead
    line: Message | str
    percent: int = 0


@dataclass(frozen=True, slots=True)
class ClockCard:
    """A clock as the page shows it: never a number without where it comes from."""

    clock: Clock
    source: Message
    source_line: Message
    left: Message
    limit: Message
    percent: int
    state: str  # late, soon or ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """下一步: one act, what is still missing for it, and who it waits for."""

    verb: Verb | None
    heading: Message
    gates: Sequence[gates.GateState]
    ready: bool
    mine: bool
    barred: Message | None
    others: Sequence[Offered]
    note: Message | None = None  # what is to be confirmed, and why


def context(desk: Desk, number: str, *, tab: str = "", before: int | None = None) -> dict[str, Any]:
    """Everything the page shows; two queries, those of the panels beside."""
    opened = open_page(desk.session, desk.actor, number)
    case, history = opened.case, opened.parts
    lines = timeline.entries(desk.session, desk.actor, case, tab=tab, before=before)
    clocks = clocks_of(case, opened.promised)
    panels = [panel(desk, case) for panel in desk.site.panels]
    executors = {t.assignee_id for t in opened.tasks if t.is_measure and t.assignee_id}
    return {
        "case": case,
        "owner_name": opened.owner,
        "investigator_name": opened.investigator,
        "rail": rail(case, clocks),
        "clocks": cards(clocks)[:_SHOWN_CLOCKS],
        "step": next_step(desk.actor, case, history, executors),
        "outside": desk.actor.can("case.approve") and not took_a_hand(desk.actor, history),
        "entries": lines[: timeline.ENTRIES],
        "entry_keys": _entry_keys(desk, lines),
        "older": lines[timeline.ENTRIES - 1].seq if len(lines) > timeline.ENTRIES else None,
        "tab": tab,
        "tabs": tab_items(case),
        "verbs": VERBS,
        "paths": PATHS,
        "stage_titles": STAGE_TITLES,
        "tasks": opened.tasks,
        "master": opened.master,
        "merged": opened.merged,
        "people": people(history),
        "subjects": [p.name for p in history if p.part == Part.SUBJECT and counts(p)],
        "severity": SEVERITY_TITLES[Severity(case.severity)] if case.severity else "",
        "source_titles": SOURCE_TITLES,
        "source_title": SOURCE_TITLES[Source(case.source)],
        "category": categories().get(case.category or ""),
        "cause": causes().get(case.cause or ""),
        "panels": [p for p in panels if p],
        **_of_plugins(desk, case),
        "extension": extensions.asked(case),
        "intake_titles": INTAKE_TITLES,
        **_retyping(case),
    }


def _of_plugins(desk: Desk, case: Case) -> dict[str, Any]:
    panels, steps = desk.hooks.beside_case(case)
    return {"plugin_panels": panels, "plugin_steps": steps}


def _retyping(case: Case) -> dict[str, Any]:
    """What was asked about kind or level, and whether the level can be lowered."""
    request = retyping.asked(case)
    return {
        "retype": request,
        "retype_wanted": retyping.wanted(request) if request else "",
        "lowers": request is not None and retyping.is_about(request, retyping.LEVEL),
        "can_be_lowered": lowering.is_open_to(case),
    }


def _entry_keys(desk: Desk, lines: Sequence[Row[Any]]) -> dict[int, Hashable]:
    """All that is written into a line of the timeline, so that it is made once; it never changes,
    but what is of today is told otherwise tomorrow."""
    told = ("entry", desk.language, local_date(now()))
    return {line.seq: (*told, *line[:-1], msgspec.json.encode(line.data)) for line in lines}


def tab_items(case: Case) -> list[tuple[str, str, int]]:
    """Tabs of the timeline with the counts kept on the case."""
    n = case.counts.get
    return [
        ("", N_("时间轴"), int(n("entries", 0))),
        ("talk", N_("对客沟通"), int(n("talk", 0))),
        ("notes", N_("内部"), int(n("notes", 0))),
        ("moves", N_("流转"), int(n("moves", 0))),
    ]


def people(history: Sequence[PartLine | Participation]) -> list[tuple[str, list[str]]]:
    """Present parts by title; those who left stay in the history, not here."""
    found: dict[str, list[str]] = {}
    for person in history:
        part = Part(person.part)
        if person.until is None and part is not Part.SUBJECT:
            found.setdefault(PART_TITLES[part], []).append(person.name)
    return list(found.items())


def took_a_hand(actor: Actor, history: Sequence[PartLine | Participation]) -> bool:
    """Whether the person ever had a part that keeps from judging."""
    return any(p.account_id == actor.id and Part(p.part) in HANDLING and counts(p) for p in history)


def counts(person: PartLine | Participation) -> bool:
    """Whether the part counts: all do for ever, but for a naming that was lifted."""
    return person.part != Part.SUBJECT or person.until is None


# -- clocks ----------------------------------------------------------------------------------------


def clocks_of(case: Case, promised: Mapping[str, date]) -> tuple[Clock, ...]:
    """The clocks replayed from the case's events, with the dates once promised."""
    return replay(
        case.clock_events,
        Facts(intake=case.intake_type, complexity=Complexity(case.complexity), promised=promised),
    )


def clocks_beside(
    session: ScopedSession, actor: Actor, case: Case
) -> list[tuple[str, list[ClockCard]]]:
    """The time limits that run in the cases merged into this one, those the person may know of."""
    rows = session.scalars(
        select(Case)
        .where(Case.master_id == case.id, queries.visible(actor))
        .order_by(Case.received_at, Case.id)
        .limit(_BESIDE)
    )
    beside = rows.all()
    told: dict[UUID, dict[str, date]] = {row.id: {} for row in beside}
    promises = select(ClockRow.case_id, ClockRow.key, ClockRow.promised_on).where(
        ClockRow.case_id.in_(told), ClockRow.promised_on.is_not(None)
    )
    for case_id, key, day in session.execute(promises):
        if day is not None:
            told[case_id][key] = day
    found = [(row.number, cards(clocks_of(row, told[row.id]))) for row in beside]
    return [(number, running) for number, running in found if running]


def cards(clocks: Sequence[Clock]) -> list[ClockCard]:
    """Open clocks, the ones that bind outwards first."""
    moment, days = now(), calendar()
    running = [c for c in clocks if c.open]
    running.sort(key=lambda c: (_ORDER.index(c.kind) if c.kind in _ORDER else 99, c.due_at))
    return [card(c, moment, days) for c in running]


def any_card(clock: Clock) -> ClockCard:
    """A clock, running or not, as it stands now."""
    return card(clock, now(), calendar())


def card(clock: Clock, moment: Any, days: Any) -> ClockCard:
    left = remaining(clock, moment, days)
    used = usage(clock, moment, days)
    state = ""
    if clock.state is ClockState.RUNNING:
        state = "late" if moment > clock.due_at else "soon" if used.percent >= 75 else ""
    return ClockCard(
        clock,
        origin_label(clock.origin),
        origin_line(clock.origin),
        remaining_message(left),
        amount_label(clock.amount, clock.unit) if clock.amount else Message(N_("指定日期")),
        used.percent,
        state,
    )


def rail(case: Case, clocks: Sequence[Clock]) -> list[RailStep]:
    """The nine stages with dates used and time left."""
    current = STAGE_ORDER.index(Stage(case.stage))
    stage_clock = next(
        (c for c in reversed(clocks) if c.open and c.kind == "stage" and c.stage == case.stage),
        None,
    )
    steps = []
    for index, stage in enumerate(STAGE_ORDER):
        entered = case.stage_dates.get(stage.value)
        if index < current or (not case.is_open and entered):
            line: Message | str = _day(entered) if entered else Message(N_("未经过"))
            steps.append(RailStep(STAGE_TITLES[stage], "d" if entered else "", line))
        elif index == current:
            line, percent = Message(N_("进行中")), 50
            if stage_clock:
                line = remaining_message(remaining(stage_clock, now(), calendar()))
                percent = usage(stage_clock, now(), calendar()).percent
            steps.append(RailStep(STAGE_TITLES[stage], "c", line, percent))
        else:
            steps.append(RailStep(STAGE_TITLES[stage], "", ""))
    return steps


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day:%m-%d}" if day.year == now().year else f"{day:%Y-%m-%d}"


# -- next step -------------------------------------------------------------------------------------


def next_step(
    actor: Actor,
    case: Case,
    history: Sequence[PartLine | Participation],
    executors: Collection[UUID] = (),
) -> NextStep:
    """The first thing that keeps the case in its stage, and whether this person can do it."""
    held = [p for p in history if p.account_id == actor.id and counts(p)]
    others = offered(actor, case, held)
    if not case.is_open:
        asked = REVIEW_ASKED in case.facts
        state = N_("投诉人要求复核，请决定是否重启") if asked else N_("案件已办结")
        if MERGED_OWED in case.facts:
            state = N_("已并案，主案答复签发后一并答复本案投诉人")
        return NextStep(None, Message(state), (), False, False, None, others)
    if request := closing.asked(case):
        return _to_be_confirmed(actor, case, request, held, others)
    stage = Stage(case.stage)
    verb = VERBS[FORWARD[stage]]
    states = _gates(actor, case, {Part(p.part) for p in held}, executors)
    missing = [s for s in states if not s.met]
    mine = actor.can(verb.permission)
    barred = why_barred(case, verb, held)
    if missing:
        heading = Message(
            N_("还差 {n} 项即可{act}"), {"n": len(missing), "act": Message(verb.title)}
        )
    elif not mine or barred:
        heading = Message(N_("等待有权人员办理：{act}"), {"act": Message(verb.title)})
    else:
        heading = Message(N_("可以{act}"), {"act": Message(verb.title)})
    return NextStep(
        verb,
        heading,
        states,
        not missing and mine and barred is None,
        mine,
        barred,
        [o for o in others if o.verb is not verb],
    )


def _gates(
    actor: Actor, case: Case, held: Collection[Part], executors: Collection[UUID]
) -> list[gates.GateState]:
    """The gates out of the present stage, with the rule where this person may not meet one."""
    place = {
        "investigates": case.investigator_id == actor.id,
        "executes": actor.id in executors,
    }
    return [
        replace(state, rule=gates.rule_against(state.gate, actor, frozenset(held), **place))
        for state in gates.states(case, gates.EXIT[Stage(case.stage)])
    ]


def _to_be_confirmed(
    actor: Actor, case: Case, request: Mapping[str, Any], held: Sequence[Held],
    others: Sequence[Offered],
) -> NextStep:  # fmt: skip
    """An ending was proposed: an approver who did not handle the case answers it first.

    The gates stay open to whoever handles it, because the time limits run on.
    """
    verb = VERBS[request["verb"]]
    mine, barred = actor.can(verb.permission), why_barred(case, verb, held)
    ready = mine and barred is None
    what = Message(VERBS[f"propose_{verb.name}"].title)
    said = N_("可以{act}") if ready else N_("等待审批人答复：{act}")
    heading = Message(said, {"act": Message(verb.title) if ready else what})
    why = Message(N_("{who} 提请，理由：{why}"), {"who": request["by"], "why": request["note"]})
    rest = [o for o in others if o.verb is not verb]
    here = gates.states(case, gates.EXIT[Stage(case.stage)])
    return NextStep(verb, heading, here, ready, mine, barred, rest, why)


def why_barred(case: Case, verb: Verb, held: Sequence[Held]) -> Message | None:
    """What keeps somebody who held these parts from the act, if anything does."""
    why = [Message(PART_TITLES[part]) for part in duties.barring(case, verb, held)]
    if not why:
        return None
    return Message(N_("曾任本案{parts}，按职责分离要求须由其他人办理"), {"parts": why[0]})


def offered(actor: Actor, case: Case, held: Sequence[Held]) -> list[Offered]:
    """Moves with a button of their own that this person may see here."""
    found = []
    for verb in MOVES:
        if not verb.direct or not actor.can(verb.permission) or not in_reach(verb, case):
            continue
        missing = tuple(g.title for g in gates.unmet(case, verb.gates))
        barred = why_barred(case, verb, held)
        found.append(Offered(verb, missing, str(barred.key) if barred else ""))
    return found


def changes_of(entry: Any) -> Mapping[str, Sequence[str]]:
    """What an edit changed: field → (before, after)."""
    changed: Mapping[str, Sequence[str]] = entry.data.get("changed", {})
    return changed
