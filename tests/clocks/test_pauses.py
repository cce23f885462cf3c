"""Clocks: pauses, extensions, promises, and other versions of the calendar."""

from __future__ import annotations

from datetime import timedelta

import pytest

from huiyin.clocks.reading import (
    derive,
    remaining,
    remaining_message,
    reminders,
)
from huiyin.clocks.rules import ClockState, Facts, compute
from huiyin.kit.notices import read_notice
from huiyin.kit.time import local_date

from .given import CALENDAR, POLICY, at, clocks, day, event

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
