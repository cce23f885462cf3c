"""Clocks: dates from events, bounds, pauses, extensions, promises, and what a page prints."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

import huiyin_frontend
from huiyin.clocks.policy import (
    STAGES,
    Applies,
    Confidence,
    Force,
    Limit,
    Origin,
    Unit,
    default_policy,
    load_policy,
    origin_label,
    origin_line,
)
from huiyin.clocks.reading import (
    RemainingKind,
    derive,
    remaining,
    remaining_message,
    reminders,
    usage,
)
from huiyin.clocks.rules import CaseEvent, Clock, ClockState, Facts, compute
from huiyin.kit.calendar import shipped
from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import load
from huiyin.kit.notices import read_notice
from huiyin.kit.time import at_local, local_date

# Its cache below the root would be walked by pytest, which warns, which is an error.
set_hypothesis_home_dir(Path(gettempdir()) / "huiyin-hypothesis")

CALENDAR = shipped()
POLICY = default_policy()
SOURCE = Path(__file__).parents[2] / "platform/src/huiyin/clocks/default_policy.toml"


def at(text: str) -> datetime:
    """``2026-02-13`` at ten, or ``2026-02-13 17:30``, in Shanghai."""
    day, _, clock = text.partition(" ")
    hour, minute = map(int, (clock or "10:00").split(":"))
    return at_local(date.fromisoformat(day), hour, minute)


def event(kind: str, when: str, /, **data: object) -> CaseEvent:
    return CaseEvent(kind, at(when), data)


def clocks(*events: CaseEvent, **facts: object) -> dict[str, Clock]:
    return {clock.key: clock for clock in compute(events, POLICY, CALENDAR, Facts(**facts))}


def with_rule(kind: str, **changes: object):
    """The default policy with one rule changed."""
    rules = tuple(
        msgspec.structs.replace(rule, **changes) if rule.kind == kind else rule
        for rule in POLICY.rules
    )
    return msgspec.structs.replace(POLICY, rules=rules)


def day(text: str) -> date:
    return date.fromisoformat(text)


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


def entered(stage: str, when: str) -> CaseEvent:
    return event("stage_entered", when, stage=stage)


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


# What happens on the way


def test_a_clock_met_late_stays_missed():
    found = clocks(event("received", "2026-03-02"), event("acknowledged", "2026-03-04"))
    clock = found["acknowledge#1"]
    assert (clock.state, clock.met_late) == (ClockState.MISSED, True)
    assert clock.stopped_at == at("2026-03-04")
    in_time = clocks(event("received", "2026-03-02"), event("acknowledged", "2026-03-03 17:00"))
    assert (in_time["acknowledge#1"].state, in_time["acknowledge#1"].met_late) == ("met", False)


def test_an_open_clock_is_missed_only_as_of_a_moment():
    received = event("received", "2026-03-02")
    assert clocks(received)["acknowledge#1"].state is ClockState.RUNNING
    assert clocks(received, as_of=at("2026-03-03 17:00"))["acknowledge#1"].state == "running"
    missed = clocks(received, as_of=at("2026-03-03 17:01"))["acknowledge#1"]
    assert (missed.state, missed.met_late, missed.open) == (ClockState.MISSED, False, True)


def test_a_withdrawal_cancels_what_runs_but_not_what_was_missed():
    found = clocks(event("received", "2026-03-02"), event("withdrawn", "2026-03-04"))
    assert found["reply#1"].state is ClockState.CANCELLED
    assert found["acknowledge#1"].state is ClockState.MISSED
    assert not found["acknowledge#1"].met_late


def test_a_refusal_meets_the_decision_and_cancels_the_reply():
    found = clocks(event("received", "2026-03-02"), event("declined", "2026-03-04"))
    assert found["accept#1"].state is ClockState.MET
    assert found["reply#1"].state is ClockState.CANCELLED


def test_the_progress_notice_starts_again_at_each_contact_until_the_answer():
    found = clocks(
        event("received", "2026-03-02"),
        event("acknowledged", "2026-03-02"),
        event("contacted", "2026-03-10"),
        event("answered", "2026-03-16"),
        event("contacted", "2026-03-20"),
    )
    assert [key for key in found if key.startswith("progress")] == ["progress#1", "progress#2"]
    assert found["progress#1"].due_on == day("2026-03-16")
    assert found["progress#2"].due_on == day("2026-03-24")
    assert found["progress#2"].state is ClockState.MET
    assert found["followup#1"].due_on == day("2026-03-30")
    assert found["followup#1"].audience == "internal"


def test_a_reopened_case_has_a_reply_and_progress_of_its_own():
    found = clocks(
        event("received", "2026-03-02"),
        event("answered", "2026-03-10"),
        event("closed", "2026-03-20"),
        event("reopened", "2026-04-07"),
    )
    assert found["reply#1"].state is ClockState.MET
    assert found["reply#2"].due_on == day("2026-04-22")
    assert found["progress#1"].due_on == day("2026-04-21")
    assert found["followup#1"].state is ClockState.CANCELLED


SKIPPED = (  # the facts were clear: from the first look straight to the plan
    event("received", "2026-03-02"),
    event("accepted", "2026-03-03"),
    event("stage_entered", "2026-03-03", stage="preliminary"),
    event("stage_entered", "2026-03-05", stage="plan"),
    event("answered", "2026-03-12"),
)


def test_a_reopened_case_that_skipped_the_investigation_has_all_its_days():
    found = clocks(
        *SKIPPED,
        event("closed", "2026-03-20"),
        event("reopened", "2026-04-07"),
        event("stage_entered", "2026-04-07", stage="investigation"),
    )
    assert found["stage:investigation#1"].due_on == day("2026-04-16")  # 7 working days


def test_a_reviewed_case_that_skipped_the_investigation_has_all_its_days():
    found = clocks(
        *SKIPPED,
        event("stage_entered", "2026-03-16", stage="followup"),
        event("review_started", "2026-03-25"),
        event("stage_entered", "2026-03-25", stage="investigation"),
    )
    assert found["stage:investigation#1"].due_on == day("2026-04-03")
    assert found["review#1"].started_at == at("2026-03-25")
    assert found["followup#1"].state is ClockState.CANCELLED


def test_the_clock_of_a_review_goes_on_from_the_day_it_was_asked_for():
    found = clocks(
        *SKIPPED,
        event("stage_entered", "2026-03-16", stage="followup"),
        event("review_asked", "2026-03-20"),
        event("review_started", "2026-03-25"),
        event("stage_entered", "2026-03-25", stage="investigation"),
    )
    assert [key for key in found if key.startswith("review")] == ["review#1"]
    assert found["review#1"].started_at == at("2026-03-20")
    assert found["review#1"].state is ClockState.RUNNING


def test_a_complaint_that_is_accepted_after_all_has_the_time_of_a_new_decision():
    found = clocks(
        event("received", "2026-03-02"),
        event("declined", "2026-03-04"),
        event("reopened", "2026-04-07", undecided=True),
        event("stage_entered", "2026-04-07", stage="intake"),
        event("accepted", "2026-04-09"),
        event("stage_entered", "2026-04-09", stage="preliminary"),
    )
    assert found["accept#2"].due_on == day("2026-04-10")
    assert found["accept#2"].state is ClockState.MET
    assert found["stage:preliminary#1"].due_on == day("2026-04-14")


def test_what_is_settled_at_once_meets_the_reply_and_asks_for_no_follow_up():
    found = clocks(
        event("received", "2026-03-02"),
        event("accepted", "2026-03-03"),
        event("settled", "2026-03-04"),
        event("stage_entered", "2026-03-04", stage="archive"),
    )
    assert found["reply#1"].state is ClockState.MET
    assert {clock.name for clock in found.values() if clock.open} == {"stage:archive"}
    assert "followup#1" not in found


def test_an_enquiry_has_no_acceptance_and_no_progress_notice():
    found = clocks(
        event("received", "2026-03-02"), event("acknowledged", "2026-03-02"), intake="enquiry"
    )
    assert set(found) == {"acknowledge#1", "reply#1"}


def test_a_rule_can_be_for_complex_cases_only():
    policy = with_rule("review", applies=Applies(complexity=("complex",)))
    events = [event("received", "2026-03-02"), event("review_asked", "2026-04-01")]
    assert not [c for c in compute(events, policy, CALENDAR) if c.kind == "review"]
    events.append(event("complexity_set", "2026-03-03", value="complex"))
    assert [c for c in compute(events, policy, CALENDAR) if c.kind == "review"]


# Transfer letters


def test_a_transfer_runs_to_the_date_in_its_letter_and_does_not_roll():
    letter = event("transfer_received", "2026-03-02", letter="A-12", due_on="2026-03-21")
    clock = clocks(letter)["transfer#1"]
    assert clock.due_on == day("2026-03-21")  # a Saturday
    assert str(origin_label(clock.origin)) == "转办函载明"
    assert str(origin_line(clock.origin)) == "转办函载明 · 转办函，A-12"
    assert not clock.provisional


def test_a_letter_without_a_date_gets_a_company_target_to_be_checked():
    clock = clocks(event("transfer_received", "2026-03-02", letter="A-12"))["transfer#1"]
    assert clock.due_on == day("2026-03-16")
    assert clock.origin.force is Force.COMPANY_POLICY
    assert clock.origin.confidence is Confidence.UNCERTAIN


def test_two_letters_run_side_by_side_and_the_complainants_answer_ends_neither():
    found = clocks(
        event("transfer_received", "2026-03-02", letter="A", due_on=day("2026-03-20")),
        event("transfer_received", "2026-03-03", letter="B", due_on=day("2026-03-25")),
        event("answered", "2026-03-05"),
        event("transfer_answered", "2026-03-06", letter="B"),
    )
    assert found["transfer#1"].state is ClockState.RUNNING
    assert found["transfer#2"].state is ClockState.MET


def test_the_sender_of_a_letter_may_set_a_later_day():
    found = clocks(
        event("transfer_received", "2026-03-02", letter="A", due_on="2026-03-20"),
        event("extended", "2026-03-18", kind="transfer", letter="A", due_on="2026-03-27"),
    )
    assert found["transfer#1"].due_on == day("2026-03-27")


# Pauses and extensions


def test_a_pause_adds_the_working_days_it_lasted():
    found = clocks(
        event("received", "2026-03-02"),
        event("paused", "2026-03-03", kind="accept", reason="等待补正"),
        event("resumed", "2026-03-06", kind="accept"),
    )
    assert found["accept#1"].due_on == day("2026-03-10")  # 03-05 and three days more
    assert found["reply#1"].due_on == day("2026-03-17")  # another clock runs on


def test_a_paused_clock_cannot_be_missed_and_shows_why_it_stands():
    found = clocks(
        event("received", "2026-03-02"),
        event("paused", "2026-03-03", kind="accept", reason="待代销机构"),
        as_of=at("2026-03-09"),
    )
    clock = found["accept#1"]
    assert clock.state is ClockState.PAUSED
    assert (
        str(remaining_message(remaining(clock, at("2026-03-09"), CALENDAR))) == "暂停：待代销机构"
    )


def test_a_pause_runs_out_by_itself_after_ten_working_days():
    events = (event("received", "2026-03-02"), event("paused", "2026-03-03", kind="accept"))
    running = clocks(*events, as_of=at("2026-03-18"))["accept#1"]
    assert running.state is ClockState.RUNNING
    assert running.due_on == day("2026-03-19")  # 03-05 and ten working days
    resumed = clocks(*events, event("resumed", "2026-04-20", kind="accept"))["accept#1"]
    assert resumed.due_on == day("2026-03-19")
    assert clocks(*events, as_of=at("2026-03-20"))["accept#1"].state is ClockState.MISSED


def test_a_second_pause_is_not_counted_and_is_noted():
    found = clocks(
        event("received", "2026-03-02"),
        event("paused", "2026-03-03", kind="accept"),
        event("resumed", "2026-03-04", kind="accept"),
        event("paused", "2026-03-05", kind="accept"),
        event("resumed", "2026-03-10", kind="accept"),
    )
    assert found["accept#1"].due_on == day("2026-03-06")
    assert [str(note) for note in found["accept#1"].notes] == ["暂停次数已用完，此次暂停未计入"]


def test_a_pause_of_everything_leaves_what_may_not_pause():
    found = clocks(
        event("received", "2026-03-02"),
        event("paused", "2026-03-02", reason="等待补正"),
        as_of=at("2026-03-03"),
    )
    assert found["reply#1"].state is found["accept#1"].state is ClockState.PAUSED
    assert found["acknowledge#1"].state is ClockState.RUNNING


def test_a_pause_moves_the_hard_stop_too():
    received = event("received", "2026-03-02")
    found = clocks(
        received,
        event("paused", "2026-03-04", kind="reply"),
        event("resumed", "2026-03-11", kind="reply"),
    )
    assert found["reply#1"].due_on == day("2026-03-24")
    assert found["reply#1"].hard_stop_on == day("2026-05-08")
    assert clocks(received)["reply#1"].hard_stop_on == day("2026-05-06")  # 05-01 is a holiday


def test_a_pause_before_day_zero_adds_only_what_would_have_counted():
    found = clocks(
        event("received", "2026-03-06 18:00"),  # a Friday evening: Monday is day 0
        event("paused", "2026-03-06 19:00", kind="accept"),
        event("resumed", "2026-03-10", kind="accept"),
    )
    assert found["accept#1"].due_on == day("2026-03-13")


def test_an_extension_of_one_stage_leaves_the_others():
    found = clocks(
        event("stage_entered", "2026-03-02", stage="implementation"),
        event("extended", "2026-03-03", kind="stage", stage="plan", amount=5, unit="workday"),
    )
    assert found["stage:implementation#1"].due_on == day("2026-03-16")
    found = clocks(
        event("stage_entered", "2026-03-02", stage="implementation"),
        event("extended", "2026-03-03", kind="stage", stage="implementation", amount=5),
    )
    assert found["stage:implementation#1"].due_on == day("2026-03-23")


def test_an_extension_counts_once_and_sixty_days_are_the_end():
    received = event("received", "2026-03-02")
    complex_ = event("complexity_set", "2026-03-03", value="complex")
    accepted = event("accepted", "2026-03-03 10:00")
    once = event("extended", "2026-03-16", kind="reply", amount=30, unit="calendar_day")
    twice = event("extended", "2026-03-30", kind="reply", amount=30, unit="calendar_day")
    assert clocks(received, once)["reply#1"].due_on == day("2026-04-16")
    found = clocks(received, complex_, accepted, once, twice)
    assert found["reply#1"].due_on == found["reply#1"].hard_stop_on == day("2026-05-06")
    assert [str(note) for note in found["reply#1"].notes] == ["延期次数已用完，此次延期未计入"]


def test_an_extension_is_capped_at_what_the_rule_allows():
    more = event("extended", "2026-03-16", kind="reply", amount=45, unit="calendar_day")
    assert clocks(event("received", "2026-03-02"), more)["reply#1"].due_on == day("2026-04-16")


def test_an_extension_after_expiry_is_too_late():
    late = event("extended", "2026-03-18", kind="reply", amount=30, unit="calendar_day")
    clock = clocks(event("received", "2026-03-02"), late)["reply#1"]
    assert clock.due_on == day("2026-03-17")
    assert [str(note) for note in clock.notes] == ["届满后办理的延期或暂停不改变届满日"]


@pytest.mark.parametrize(
    ("kind", "unit", "says"),
    [("acknowledge", "workday", "不可延期"), ("reply", "workday", "延期单位与规定不同")],
)
def test_an_extension_the_rule_does_not_know_is_noted_and_not_counted(kind, unit, says):
    received = event("received", "2026-03-02")
    asked = event("extended", "2026-03-02 11:00", kind=kind, amount=5, unit=unit)
    changed = clocks(received, asked)[f"{kind}#1"]
    assert changed.due_on == clocks(received)[f"{kind}#1"].due_on
    assert says in str(changed.notes[0])


# Promises and calendar versions


def test_a_date_told_to_the_complainant_is_never_shortened():
    notice = read_notice(
        """
        year = 2027
        source = "测试用的 2027 年安排"
        makeup_days = [2026-12-26, 2026-12-27]
        holidays = [
            { name = "元旦", first = 2027-01-01, last = 2027-01-01 },
            { name = "劳动节", first = 2027-05-01, last = 2027-05-01 },
            { name = "国庆节", first = 2027-10-01, last = 2027-10-01 },
        ]
        """.encode()
    )
    events = [event("received", "2026-12-23")]
    before = {c.key: c for c in compute(events, POLICY, CALENDAR)}["accept#1"]
    assert (before.due_on, before.provisional) == (day("2026-12-28"), True)
    loaded = CALENDAR.with_notice(notice)
    shorter = {c.key: c for c in compute(events, POLICY, loaded)}["accept#1"]
    assert (shorter.due_on, shorter.provisional) == (day("2026-12-26"), False)
    for name in ("accept", "accept#1"):
        facts = Facts(promised={name: before.due_on})
        kept = {c.key: c for c in compute(events, POLICY, loaded, facts)}["accept#1"]
        assert kept.due_on == before.due_on
        assert kept.calendar_version == loaded.id
        assert "不提前" in str(derive(kept, loaded).steps[-1])


def test_an_earlier_promise_changes_nothing_and_an_old_one_not_the_next_run():
    received = event("received", "2026-03-02")
    assert clocks(received, promised={"reply": day("2026-03-10")})["reply#1"].due_on == day(
        "2026-03-17"
    )
    found = clocks(
        received,
        event("answered", "2026-03-10"),
        event("reopened", "2026-04-07"),
        promised={"reply#1": day("2026-05-20")},
    )
    assert found["reply#2"].due_on == day("2026-04-22")


def test_a_promise_by_name_is_for_the_latest_run():
    found = clocks(
        event("received", "2026-03-02"),
        event("answered", "2026-03-10"),
        event("reopened", "2026-04-07"),
        promised={"reply": day("2026-05-20")},
    )
    assert found["reply#1"].due_on == day("2026-03-17")
    assert found["reply#2"].due_on == day("2026-05-20")


def test_a_provisional_date_is_reminded_of_two_days_early():
    sure = clocks(event("received", "2026-11-24"))["reply#1"]
    unsure = clocks(event("received", "2026-12-11"))["reply#1"]
    assert (sure.provisional, unsure.provisional) == (False, True)
    for clock in (sure, unsure):
        told = reminders(clock, CALENDAR)
        assert [r.percent for r in told] == [50, 75, 90, 100]
        assert [r.at for r in told] == sorted(r.at for r in told)
        assert told[-1].at == clock.due_at
    gap = unsure.due_at - reminders(unsure, CALENDAR)[2].at
    assert gap > timedelta(days=2)


def test_reminders_of_a_sure_date_fall_on_working_days():
    for received in ("2026-02-05", "2026-04-28", "2026-09-21"):
        for reminder in reminders(clocks(event("received", received))["reply#1"], CALENDAR):
            assert CALENDAR.is_workday(local_date(reminder.at))


# Reading


@pytest.mark.parametrize(
    ("now", "kind", "text", "english"),
    [
        ("2026-03-02 11:00", "days", "剩 3 个工作日", "3 working days left"),
        ("2026-03-04 09:00", "days", "剩 1 个工作日", "1 working day left"),
        ("2026-03-05 09:00", "today", "今天 17:00 前", "By 17:00 today"),
        ("2026-03-05 18:00", "overdue", "已超时", "Overdue"),
        ("2026-03-06 09:00", "overdue", "超 1 个工作日", "1 working day over"),
        ("2026-03-08 09:00", "overdue", "超 1 个工作日", "1 working day over"),
        ("2026-03-09 09:00", "overdue", "超 2 个工作日", "2 working days over"),
    ],
)
def test_what_is_left_is_said_in_the_clocks_own_unit(now, kind, text, english):
    translate = load([Path(huiyin_frontend.__file__).parent / "locale"])["en"]
    clock = clocks(event("received", "2026-03-02"))["accept#1"]
    left = remaining(clock, at(now), CALENDAR)
    assert left.kind == kind
    assert str(remaining_message(left)) == text
    assert translate(remaining_message(left)) == english


def test_calendar_days_and_finished_clocks_read_as_such():
    found = clocks(event("received", "2026-03-02"), event("acknowledged", "2026-03-02"))
    left = remaining(found["reply#1"], at("2026-03-07"), CALENDAR)
    assert str(remaining_message(left)) == "剩 10 天"
    done = remaining(found["acknowledge#1"], at("2026-03-07"), CALENDAR)
    assert done.kind is RemainingKind.DONE


def test_a_letter_due_on_a_rest_day_still_has_days_left():
    clock = clocks(event("transfer_received", "2026-03-02", due_on="2026-03-21"))["transfer#1"]
    left = remaining(clock, at("2026-03-20 18:00"), CALENDAR)
    assert str(remaining_message(left)) == "剩 1 天"


def test_hours_run_through_the_night():
    policy = with_rule(
        "acknowledge", amount=24, unit=Unit.HOUR, hard_stop=Limit(amount=24, unit=Unit.HOUR)
    )
    clock = compute([event("received", "2026-02-15 22:00")], policy, CALENDAR)[0]
    assert clock.due_at == at("2026-02-16 22:00")  # in the holidays, late in the evening
    left = remaining(clock, at("2026-02-16 19:30"), CALENDAR)
    assert str(remaining_message(left)) == "剩 2 小时"
    assert (
        str(remaining_message(remaining(clock, at("2026-02-16 21:30"), CALENDAR))) == "不到 1 小时"
    )
    assert str(remaining_message(remaining(clock, at("2026-02-17 01:00"), CALENDAR))) == "超 3 小时"
    assert usage(clock, at("2026-02-16 10:00"), CALENDAR) == usage(
        clock, at("2026-02-16 10:30"), CALENDAR
    )
    assert usage(clock, at("2026-02-16 10:00"), CALENDAR).percent == 50


def test_trading_days_skip_the_make_up_saturday():
    policy = with_rule("acknowledge", unit=Unit.TRADING_DAY, hard_stop=None)
    clock = compute([event("received", "2026-05-08")], policy, CALENDAR)[0]
    assert clock.due_on == day("2026-05-11")


def test_usage_leaves_out_the_days_in_a_pause():
    found = clocks(
        event("received", "2026-03-02"),
        event("paused", "2026-03-03", kind="accept"),
        event("resumed", "2026-03-06", kind="accept"),
    )
    spent = usage(found["accept#1"], at("2026-03-09"), CALENDAR)
    assert (spent.used, spent.total) == (2, 3)


def test_a_derivation_walks_from_receipt_to_the_due_day():
    clock = clocks(event("received", "2026-02-04 18:00"))["reply#1"]
    shown = derive(clock, CALENDAR)
    assert [str(step) for step in shown.steps] == [
        "2026-02-04 在截止时间后或休息日收到，视为 2026-02-05 收到",
        "2026-02-05 为起算日，不计入",
        "计 15 个自然日",
        "末日 2026-02-20 为休息日，顺延至 2026-02-24",
    ]
    assert [line.on for line in shown.days][:2] == [day("2026-02-04"), day("2026-02-05")]
    assert shown.days[-1].on == clock.due_on
    with pytest.raises(ValueError, match="counted with"):
        derive(clock, shipped(2025))


# Policy


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: f"{rule.kind}-{rule.stage}")
def test_no_default_number_claims_to_be_law(rule):
    assert rule.origin.instrument
    assert rule.origin.force in {
        Force.COMPANY_POLICY,
        Force.SERVICE_PROMISE,
        Force.TRANSFER_LETTER,
    }


@pytest.mark.parametrize("force", [Force.LAW, Force.SELF_REGULATION])
@pytest.mark.parametrize("confidence", list(Confidence))
def test_law_is_named_only_when_its_words_were_read(force, confidence):
    label = str(
        origin_label(Origin(instrument="某规定", article="", force=force, confidence=confidence))
    )
    expected = {"law": "法律法规", "self_regulation": "自律规则"}[force]
    assert label == (expected if confidence is Confidence.VERIFIED else "待核实")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('origin = "acknowledge"\n', "", "origin"),
        ('origin = "acknowledge"\n', 'origin = "hearsay"\n', "origin"),
        ("amount = 1\n", "", "天数或日期来源"),
        ("amount = 1\n", "amount = 0\n", "amount"),
        ("amount = 1\n", "amount = 1\namonut = 2\n", "amonut"),
        ('starts_on = ["received"]', 'starts_on = ["recieved"]', "recieved 无法识别"),
        ('stages = ["plan"]', 'stages = ["plans"]', "plans 无法识别"),
        ('clip_to = "reply"', 'clip_to = "answer"', "answer"),
        ('force = "transfer_letter"', 'force = "rumour"', "force"),
        (
            'extension = { amount = 4, unit = "workday" }',
            'extension = { amount = 4, unit = "hour" }',
            "延期单位",
        ),
    ],
)
def test_a_policy_with_a_mistake_is_refused_with_the_place(old, new, says):
    text = SOURCE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(Invalid) as refused:
        load_policy(text.replace(old, new, 1).encode())
    assert says in str(refused.value.fields["policy"])


def test_the_policy_file_loads_from_its_path_and_its_bytes_alike():
    assert load_policy(SOURCE) == load_policy(SOURCE.read_bytes()) == POLICY


def test_every_sentence_of_the_policy_has_its_english():
    translate = load([Path(huiyin_frontend.__file__).parent / "locale"])["en"]
    texts = {POLICY.title, *(rule.title for rule in POLICY.rules)}
    for rule in POLICY.rules:
        for bound in (rule, rule.hard_stop, rule.extension, rule.pause):
            if bound and bound.origin:
                texts |= {bound.origin.instrument, bound.origin.article, bound.origin.note}
    assert not [text for text in texts - {""} if translate(text) == text]


def test_an_event_must_be_known_and_know_its_time_zone():
    with pytest.raises(ValueError, match="no clock knows"):
        event("acknowleged", "2026-03-02")
    with pytest.raises(ValueError, match="time zone"):
        CaseEvent("received", datetime(2026, 3, 2))  # noqa: DTZ001


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
