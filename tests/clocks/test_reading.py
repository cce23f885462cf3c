"""Clocks: what a page prints of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import huiyin_frontend
from huiyin.clocks.policy import (
    Limit,
    Unit,
)
from huiyin.clocks.reading import (
    RemainingKind,
    derive,
    remaining,
    remaining_message,
    usage,
)
from huiyin.clocks.rules import compute
from huiyin.kit.calendar import shipped
from huiyin.kit.i18n import load

from .given import CALENDAR, at, clocks, day, event, with_rule

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
