"""Clocks: what happens on the way, and the letters of those who pass complaints on."""

from __future__ import annotations

from huiyin.clocks.policy import (
    Applies,
    Confidence,
    Force,
    origin_label,
    origin_line,
)
from huiyin.clocks.rules import ClockState, compute

from .given import CALENDAR, at, clocks, day, event, with_rule

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


def test_a_later_day_for_the_letter_it_was_filed_with_moves_no_other():
    found = clocks(
        event("transfer_received", "2026-03-02", due_on="2026-03-20"),
        event("transfer_received", "2026-03-03", letter="B", due_on="2026-03-25"),
        event("extended", "2026-03-18", kind="transfer", letter="", due_on="2026-03-27"),
    )
    assert found["transfer#1"].due_on == day("2026-03-27")
    assert found["transfer#2"].due_on == day("2026-03-25")


def test_a_merger_that_was_taken_back_never_was():
    """Every clock goes on, to the date it had; one that stopped at the merger runs again."""
    received = event("received", "2026-03-02")
    told = [received, event("stage_entered", "2026-03-02", stage="intake")]
    parted = [event("merged", "2026-03-03"), event("unmerged", "2026-03-09")]
    assert clocks(*told, *parted) == clocks(*told)
    again = [event("merged", "2026-03-10")]
    assert clocks(*told, *parted, *again) == clocks(*told, *again)


def test_an_answer_without_a_letters_mark_is_not_that_letters_answer():
    found = clocks(
        event("transfer_received", "2026-03-02", due_on="2026-03-20"),
        event(
            "transfer_received", "2026-03-03", letter="B", number="演转 2 号", due_on="2026-03-25"
        ),
        event("transfer_answered", "2026-03-06"),
    )
    assert found["transfer#1"].state is ClockState.MET
    assert found["transfer#2"].state is ClockState.RUNNING
    assert (found["transfer#2"].mark, found["transfer#2"].origin.article) == ("B", "演转 2 号")
