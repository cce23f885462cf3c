"""What a list says of the time that is left, on the calendar of 2026."""

from datetime import date

import pytest

from huiyin.cases.queries import time_left
from huiyin.kit.time import at_local

FRIDAY = at_local(date(2026, 11, 27), 23)


@pytest.mark.parametrize(
    ("due", "group", "said"),
    [
        (at_local(date(2026, 11, 27), 18), "late", "已超时"),
        (at_local(date(2026, 11, 27), 23, 59), "today", "今天 23:59 前"),
        (at_local(date(2026, 11, 28), 23, 59), "soon", "剩 1 天"),
        (at_local(date(2026, 11, 29), 23, 59), "soon", "剩 2 天"),
        (at_local(date(2026, 11, 30), 23, 59), "soon", "剩 1 个工作日"),
        (at_local(date(2026, 12, 4), 23, 59), "normal", "剩 5 个工作日"),
        (at_local(date(2026, 11, 25), 23, 59), "late", "超 2 个工作日"),
        (None, "held", "未计时"),
    ],
)
def test_it_counts_working_days_and_on_rest_days_the_days(due, group, said):
    assert (time_left(due, FRIDAY)[0], str(time_left(due, FRIDAY)[1])) == (group, said)


def test_a_day_in_a_long_holiday_is_near():
    before = at_local(date(2026, 9, 30), 12)
    assert time_left(at_local(date(2026, 10, 6), 12), before)[0] == "soon"
