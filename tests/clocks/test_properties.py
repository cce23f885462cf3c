"""Clocks: what holds for every history."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import gettempdir

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from huiyin.clocks.policy import (
    STAGES,
)
from huiyin.clocks.reading import (
    derive,
)
from huiyin.clocks.rules import CaseEvent, ClockState, Facts, compute
from huiyin.kit.time import at_local

from .given import CALENDAR, POLICY

# Its cache below the root would be walked by pytest, which warns, which is an error.
set_hypothesis_home_dir(Path(gettempdir()) / "huiyin-hypothesis")

# Properties

moments = st.datetimes(datetime(2024, 1, 2), datetime(2026, 3, 1)).map(  # noqa: DTZ001
    lambda naive: at_local(naive.date(), naive.hour, naive.minute)
)
gaps = st.lists(st.integers(0, 5 * 24 * 60), min_size=1, max_size=12)
happenings = st.sampled_from(
    [
        ("acknowledged", {}),
        ("accepted", {}),
        ("contacted", {}),
        ("complexity_set", {"value": "complex"}),
        ("complexity_set", {"value": "simple"}),
        ("extended", {"kind": "reply", "amount": 30, "unit": "calendar_day"}),
        ("extended", {"kind": "stage", "amount": 5, "unit": "workday"}),
        ("paused", {"reason": "待补正"}),
        ("paused", {"kind": "stage"}),
        ("resumed", {}),
        ("answered", {}),
        ("followed_up", {}),
        ("closed", {}),
        ("reopened", {}),
        ("settled", {}),
        ("review_asked", {}),
        ("review_started", {}),
        ("review_done", {}),
        ("transfer_received", {"letter": "A"}),
        ("transfer_answered", {"letter": "A"}),
        *(("stage_entered", {"stage": stage}) for stage in STAGES),
    ]
)


@st.composite
def histories(draw: st.DrawFn) -> list[CaseEvent]:
    moment = draw(moments)
    events = [CaseEvent("received", moment)]
    for minutes in draw(gaps):
        moment += timedelta(minutes=minutes + 1)
        kind, data = draw(happenings)
        events.append(CaseEvent(kind, moment, data))
    return events


often = settings(max_examples=80, derandomize=True, deadline=None)


@often
@given(events=histories(), seed=st.integers(0, 1000))
def test_replaying_the_events_gives_the_same_clocks_in_whatever_order_they_arrive(events, seed):
    first = compute(events, POLICY, CALENDAR)
    shuffled = list(events)
    random.Random(seed).shuffle(shuffled)
    assert compute(shuffled, POLICY, CALENDAR) == first
    stored = [
        CaseEvent(e.kind, datetime.fromisoformat(e.at.isoformat()), json.loads(json.dumps(e.data)))
        for e in events
    ]
    assert compute(stored, POLICY, CALENDAR) == first
    assert len({clock.key for clock in first}) == len(first)


@often
@given(events=histories())
def test_what_is_already_missed_stays_missed_whatever_happens_next(events):
    """A prefix of a history decides: nothing later cures a clock that had run out."""
    for n in range(1, len(events)):
        now = events[n].at
        early = compute(events[:n], POLICY, CALENDAR, Facts(as_of=now))
        later = {c.key: c for c in compute(events, POLICY, CALENDAR)}
        for clock in early:
            if clock.state is ClockState.MISSED:
                assert later[clock.key].due_at == clock.due_at
                assert later[clock.key].state in (ClockState.MISSED, ClockState.RUNNING)


@often
@given(events=histories())
def test_every_date_lies_within_its_bounds_and_can_be_derived(events):
    for clock in compute(events, POLICY, CALENDAR):
        assert clock.due_at >= clock.started_at or clock.terms.given_on
        assert CALENDAR.is_workday(clock.due_on)
        if clock.hard_stop_on and clock.terms.floor_on is None:
            assert clock.due_on <= clock.hard_stop_on
        shown = derive(clock, CALENDAR)
        assert shown.steps
        ends = [line.on for line in shown.days]
        assert ends == sorted(ends)


@often
@given(events=histories(), days=st.integers(0, 60))
def test_a_promise_is_kept_and_never_shortens(events, days):
    plain = {c.key: c for c in compute(events, POLICY, CALENDAR)}
    told = plain["reply#1"].due_on + timedelta(days=days)
    kept = {c.key: c for c in compute(events, POLICY, CALENDAR, Facts(promised={"reply#1": told}))}
    assert kept["reply#1"].due_on == told
    for key, clock in kept.items():
        assert clock.due_on >= plain[key].due_on
