"""Events in, clocks out: the same events, policy and calendar always give the same clocks.

Nothing here reads the time, the database or a setting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from huiyin.clocks.events import CaseEvent, Clock, ClockState, Facts
from huiyin.clocks.policy import ClockRule, Complexity, Policy, default_policy, load_policy
from huiyin.clocks.reading import Remaining, derive, remaining, remaining_message
from huiyin.clocks.tracks import Case, Change, Run, Track
from huiyin.kit.calendar import WorkCalendar

__all__ = [
    "CaseEvent",
    "Clock",
    "ClockRule",
    "ClockState",
    "Complexity",
    "Facts",
    "Policy",
    "Remaining",
    "compute",
    "default_policy",
    "derive",
    "load_policy",
    "remaining",
    "remaining_message",
]


def compute(
    events: Iterable[CaseEvent],
    policy: Policy,
    calendar: WorkCalendar,
    facts: Facts | None = None,
) -> tuple[Clock, ...]:
    """Every clock these events ever started, oldest first; the order of equal times is kept."""
    ordered = _never_merged(tuple(sorted(events, key=lambda event: event.at)))
    case = Case(ordered, policy, calendar, facts or Facts())
    runs = [run for rule in policy.rules if _concerns(rule, case) for run in _runs(rule, ordered)]
    runs.sort(key=lambda run: run.index)
    _number(runs)
    changes: list[Change] = []
    tracks: dict[int, Track] = {}
    for run in sorted(runs, key=lambda run: run.rule.kind != policy.clip_to):
        track = Track(run, case, tuple(changes))
        track.follow()
        tracks[id(run)] = track
        if run.rule.kind == policy.clip_to:
            changes += track.changes
    return tuple(tracks[id(run)].clock() for run in runs)


def _never_merged(events: tuple[CaseEvent, ...]) -> tuple[CaseEvent, ...]:
    """Without the mergers that were taken back: every clock goes on as if they had not been."""
    kept: list[CaseEvent] = []
    for event in events:
        if event.kind != "unmerged":
            kept.append(event)
            continue
        for index in range(len(kept) - 1, -1, -1):
            if kept[index].kind == "merged":
                del kept[index]
                break
    return tuple(kept)


def _concerns(rule: ClockRule, case: Case) -> bool:
    applies = rule.applies
    if applies.intakes and case.facts.intake not in applies.intakes:
        return False
    if not applies.complexity:
        return True
    final = [e.text("value") for e in case.events if e.kind == "complexity_set"][-1:]
    return (Complexity(final[0]) if final else case.facts.complexity) in applies.complexity


def _runs(rule: ClockRule, events: tuple[CaseEvent, ...]) -> list[Run]:
    """The runs of one rule; a reopened case begins a new round, a review new anchors."""
    runs: list[Run] = []
    started = over = False
    anchor: CaseEvent | None = None
    for index, event in enumerate(events):
        if event.kind == "reopened":
            started, over, anchor = False, False, None
        if event.kind == "review_started":
            anchor = None
        if event.kind == rule.count_from:
            anchor = event
        for run in runs:
            if run.end is None and _ends(run, event):
                run.end, run.cancelled = index, event.kind not in rule.stops_on
        over = over or event.kind in rule.until
        if not over and (rule.repeats or not started) and _opens(rule, event, runs):
            runs.append(Run(rule, index, event, again=started, opened_by=anchor))
            started = True
    return runs


def _opens(rule: ClockRule, event: CaseEvent, runs: list[Run]) -> bool:
    applies = rule.applies
    return (
        event.kind in rule.starts_on
        and (not applies.stages or event.text("stage") in applies.stages)
        and all(event.data.get(name) for name in applies.has)
        and not any(event.data.get(name) for name in applies.lacks)
        and not any(
            run.end is None and run.event.text(rule.match) == event.text(rule.match) for run in runs
        )
    )


def _ends(run: Run, event: CaseEvent) -> bool:
    rule = run.rule
    if event.kind not in rule.stops_on and event.kind not in rule.cancels_on:
        return False
    return not rule.match or run.event.text(rule.match) == event.text(rule.match)


def _number(runs: list[Run]) -> None:
    counts: Counter[str] = Counter()
    for run in runs:
        counts[run.name] += 1
        run.key = f"{run.name}#{counts[run.name]}"
    for run in runs:
        run.latest = run.key == f"{run.name}#{counts[run.name]}"
