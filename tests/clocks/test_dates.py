"""Clocks: dates from events and their bounds, stage by stage."""

from __future__ import annotations

import msgspec
import pytest

from huiyin.clocks.policy import (
    STAGES,
    Unit,
)
from huiyin.clocks.reading import (
    derive,
)
from huiyin.clocks.rules import ClockState, compute

from .given import CALENDAR, POLICY, at, clocks, day, entered, event, with_rule

# Dates


def test_a_receipt_starts_acknowledgement_acceptance_and_reply():
    found = clocks(event("received", "2026-02-13"))
    assert {key: clock.due_on.isoformat() for key, clock in found.items()} == {
        "acknowledge#1": "2026-02-14",  # a Saturday that is worked
        "accept#1": "2026-02-25",
        "reply#1": "2026-02-28",  # a Saturday that is worked: no roll
    }
    assert found["acknowledge#1"].due_at == at("2026-02-14 17:00")
    assert found["acknowledge#1"].hard_stop_on == day("2026-02-24")
    assert found["accept#1"].hard_stop_on == day("2026-03-02")
    assert found["reply#1"].hard_stop_on == day("2026-04-14")


@pytest.mark.parametrize(
    ("received", "due"),
    [("2026-02-05", "2026-02-24"), ("2026-09-20", "2026-10-08"), ("2026-02-13", "2026-02-28")],
)
def test_the_reply_rolls_off_the_holidays(received, due):
    assert clocks(event("received", received))["reply#1"].due_on == day(due)


def test_what_arrives_after_the_cut_off_counts_from_the_next_working_day():
    found = clocks(event("received", "2026-05-08 17:30"))
    assert found["acknowledge#1"].due_on == day("2026-05-11")  # 05-09, a Saturday, is day 0
    assert found["reply#1"].due_on == day("2026-05-25")  # 05-24 is a Sunday
    assert clocks(event("received", "2026-05-08 17:00"))["acknowledge#1"].due_on == day(
        "2026-05-09"
    )


def test_a_firm_may_count_calendar_days_from_the_day_itself():
    arrival = msgspec.structs.replace(POLICY.arrival, units=(Unit.WORKDAY,))
    policy = msgspec.structs.replace(POLICY, arrival=arrival)
    by_key = {c.key: c for c in compute([event("received", "2026-05-31")], policy, CALENDAR)}
    assert by_key["reply#1"].due_on == day("2026-06-15")  # a Sunday, counted as day 0
    assert by_key["acknowledge#1"].due_on == day("2026-06-02")


def test_a_complex_case_has_thirty_days_once_it_is_accepted_as_one():
    received = event("received", "2026-03-02")
    complex_ = event("complexity_set", "2026-03-03", value="complex")
    assert clocks(received, complex_)["reply#1"].due_on == day("2026-03-17")  # as it was told
    found = clocks(received, complex_, event("accepted", "2026-03-04"))
    assert found["reply#1"].due_on == day("2026-04-01")
    assert found["reply#1"].amount == 30


def test_after_acceptance_only_an_extension_moves_what_the_complainant_was_told():
    accepted = [event("received", "2026-03-02"), event("accepted", "2026-03-03")]
    complex_ = event("complexity_set", "2026-03-10", value="complex")
    more = event("extended", "2026-03-11", kind="reply", amount=5)
    assert clocks(*accepted, complex_)["reply#1"].due_on == day("2026-03-17")
    assert clocks(*accepted, complex_, more)["reply#1"].due_on == day("2026-03-23")
    # The stages are the firm's own: they follow at once.
    stage = entered("investigation", "2026-03-04")
    assert clocks(*accepted, stage)["stage:investigation#1"].amount == 7
    assert clocks(*accepted, stage, complex_)["stage:investigation#1"].amount == 15


def test_a_lower_complexity_shortens_nothing_that_runs():
    found = clocks(
        event("received", "2026-03-02"),
        event("complexity_set", "2026-03-03", value="complex"),
        event("accepted", "2026-03-04"),
        event("complexity_set", "2026-03-10", value="simple"),
        event("accepted", "2026-03-11"),
    )
    assert found["reply#1"].due_on == day("2026-04-01")


def test_a_higher_complexity_after_expiry_does_not_mend_the_date():
    late = event("complexity_set", "2026-03-18", value="complex")
    found = clocks(event("received", "2026-03-02"), late, event("accepted", "2026-03-18"))
    assert found["reply#1"].due_on == day("2026-03-17")


def test_a_hard_stop_bounds_the_count():
    # Twenty working days from here reach 10-26; thirty calendar days end on 10-18, a Sunday.
    review = clocks(event("review_asked", "2026-09-18"))["review#1"]
    assert review.due_on == review.hard_stop_on == day("2026-10-19")
    short = with_rule("acknowledge", amount=5)
    clock = compute([event("received", "2026-03-02")], short, CALENDAR)[0]
    assert (clock.kind, clock.due_on) == ("acknowledge", day("2026-03-04"))


def test_a_date_past_the_notices_is_provisional_and_says_so():
    clock = clocks(event("received", "2026-12-11"))["reply#1"]
    assert (clock.due_on, clock.provisional) == (day("2026-12-28"), True)
    assert "日期暂定" in str(derive(clock, CALENDAR).steps[-1])
    assert not clocks(event("received", "2026-12-01"))["reply#1"].provisional


def test_twenty_three_working_days_from_the_first_of_december_are_provisional():
    policy = with_rule("accept", amount=23, hard_stop=None)
    by_key = {c.key: c for c in compute([event("received", "2026-12-01")], policy, CALENDAR)}
    assert by_key["accept#1"].provisional
    assert by_key["accept#1"].due_on == day("2027-01-01")


# Stages


def test_stages_count_from_acceptance_and_end_when_the_next_begins():
    found = clocks(
        event("received", "2026-03-02"),
        entered("intake", "2026-03-02"),
        event("accepted", "2026-03-03"),
        entered("preliminary", "2026-03-03"),
        entered("investigation", "2026-03-05"),
    )
    assert found["stage:intake#1"].state is ClockState.MET
    assert found["stage:preliminary#1"].due_on == day("2026-03-06")
    assert found["stage:preliminary#1"].state is ClockState.MET
    assert found["stage:investigation#1"].due_on == day("2026-03-12")
    assert found["stage:investigation#1"].state is ClockState.RUNNING
    assert found["stage:investigation#1"].stage == "investigation"


def test_working_day_stages_are_clipped_two_working_days_before_the_reply():
    found = clocks(
        event("received", "2026-02-13"),
        event("accepted", "2026-02-14"),
        entered("investigation", "2026-02-14"),
    )
    clock = found["stage:investigation#1"]
    assert found["reply#1"].due_on == day("2026-02-28")
    assert CALENDAR.add_workdays(day("2026-02-14"), 7).on == day("2026-03-03")
    assert clock.due_on == day("2026-02-26")
    assert "提前至 2026-02-26" in " ".join(map(str, derive(clock, CALENDAR).steps))


def test_a_stage_entered_late_still_has_one_working_day():
    found = clocks(
        event("received", "2026-02-13"),
        event("accepted", "2026-02-14"),
        entered("approval", "2026-02-26"),
    )
    assert found["stage:approval#1"].due_on == day("2026-02-27")


def test_an_extended_reply_lifts_the_clip_of_a_running_stage_only():
    start = (
        event("received", "2026-02-13"),
        event("accepted", "2026-02-14"),
        entered("investigation", "2026-02-14"),
    )
    in_time = event("extended", "2026-02-25", kind="reply", amount=30, unit="calendar_day")
    assert clocks(*start, in_time)["stage:investigation#1"].due_on == day("2026-03-03")
    late = event("extended", "2026-02-27", kind="reply", amount=30, unit="calendar_day")
    found = clocks(*start, late, as_of=at("2026-02-27 12:00"))
    assert found["reply#1"].due_on == day("2026-03-30")
    assert found["stage:investigation#1"].due_on == day("2026-02-26")
    assert found["stage:investigation#1"].state is ClockState.MISSED


def test_a_stage_entered_again_counts_from_its_new_entry():
    found = clocks(
        event("received", "2026-03-02"),
        event("complexity_set", "2026-03-02", value="complex"),
        event("accepted", "2026-03-03"),
        entered("plan", "2026-03-04"),
        entered("approval", "2026-03-10"),
        entered("plan", "2026-03-12"),
    )
    assert found["stage:plan#1"].due_on == day("2026-03-26")
    # Seventeen working days from 03-12 would be 04-07; the reply falls due on 04-01.
    assert found["stage:plan#2"].due_on == day("2026-03-30")


def test_every_stage_has_exactly_one_rule():
    assert [rule.stage for rule in POLICY.rules_for("stage")] == list(STAGES)
