"""The working-day calendar: counted dates, how far they can be trusted, and loaded notices."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import gettempdir

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from huiyin.kit.calendar import DayKind, WorkCalendar, shipped
from huiyin.kit.errors import Invalid
from huiyin.kit.notices import days_between, read_notice
from huiyin.kit.time import at_local

# Its cache below the root would be walked by pytest, which warns, which is an error.
set_hypothesis_home_dir(Path(gettempdir()) / "huiyin-hypothesis")

NOTICE_2019 = """
year = 2019
source = "国务院办公厅关于2019年部分节假日安排的通知"
makeup_days = [2018-12-29, 2019-02-02, 2019-02-03, 2019-04-28, 2019-05-05, 2019-09-29, 2019-10-12]
holidays = [
    { name = "元旦", first = 2018-12-30, last = 2019-01-01 },
    { name = "春节", first = 2019-02-04, last = 2019-02-10 },
    { name = "清明节", first = 2019-04-05, last = 2019-04-05 },
    { name = "劳动节", first = 2019-05-01, last = 2019-05-04 },
    { name = "端午节", first = 2019-06-07, last = 2019-06-07 },
    { name = "中秋节", first = 2019-09-13, last = 2019-09-13 },
    { name = "国庆节", first = 2019-10-01, last = 2019-10-07 },
]
"""
NOTICE_2027 = """
year = 2027
source = "测试用的 2027 年安排"
makeup_days = [2026-12-26, 2027-02-20]
holidays = [
    { name = "元旦", first = 2026-12-31, last = 2027-01-03 },
    { name = "劳动节", first = 2027-05-01, last = 2027-05-05 },
    { name = "国庆节", first = 2027-10-01, last = 2027-10-07 },
]
"""
quick = settings(max_examples=60, derandomize=True, deadline=None)
known_days = st.dates(date(2019, 1, 1), date(2026, 6, 30))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture
def calendar() -> WorkCalendar:
    return shipped()


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-02-13", 10, "2026-03-05"),
        ("2026-05-08", 1, "2026-05-09"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-09-30", 10, "2026-10-20"),
        ("2025-12-31", 1, "2026-01-04"),
    ],
)
def test_working_days_are_counted_over_holidays_and_make_up_days(calendar, start, n, expected):
    span = calendar.add_workdays(day(start), n)
    assert span.on == day(expected)
    assert not span.provisional


@pytest.mark.parametrize(
    ("start", "last", "expected"),
    [
        ("2026-02-05", "2026-02-20", "2026-02-24"),
        ("2026-09-20", "2026-10-05", "2026-10-08"),
        ("2026-02-13", "2026-02-28", "2026-02-28"),
    ],
)
def test_fifteen_calendar_days_roll_off_rest_days_only(calendar, start, last, expected):
    span = calendar.add_days(day(start), 15)
    assert day(start) + timedelta(days=15) == day(last)
    assert span.on == day(expected)
    rolled = [line for line in span.days if line.kind is DayKind.ROLL]
    assert [line.on for line in rolled] == ([day(expected)] if last != expected else [])


def test_a_window_of_fifteen_calendar_days_can_hold_six_working_days(calendar):
    start, end = day("2026-02-13"), day("2026-02-28")
    assert calendar.workdays_between(start, end) == 6
    assert calendar.workdays_between(end, start) == -6
    assert calendar.workdays_between(start, start) == 0


@pytest.mark.parametrize(("year", "expected"), [(2024, 251), (2025, 248), (2026, 248)])
def test_the_years_have_as_many_working_days_as_published(calendar, year, expected):
    assert calendar.workdays_between(date(year - 1, 12, 31), date(year, 12, 31)) == expected


def test_the_make_up_days_of_2026_are_working_days_and_no_trading_days(calendar):
    days = [date(2026, m, d) for m, d in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))]
    assert [d for d in calendar.makeup_days if d.year == 2026] == days
    assert all(calendar.is_workday(d) for d in days)
    assert not any(calendar.is_trading_day(d) for d in days)


def test_trading_days_skip_the_make_up_weekend_that_working_days_count(calendar):
    start = day("2026-05-08")
    assert calendar.add_workdays(start, 1).on == day("2026-05-09")
    span = calendar.add_trading_days(start, 1)
    assert span.on == day("2026-05-11")
    assert calendar.trading_days_between(start, day("2026-05-11")) == 1
    assert str(span.days[1].label) == "补班日，交易所休市"


def test_a_count_that_leaves_the_published_years_is_provisional_not_an_error(calendar):
    span = calendar.add_workdays(day("2026-12-01"), 23)
    assert span.on == day("2027-01-01")  # plain Monday to Friday: nobody has said otherwise yet
    assert span.provisional
    assert next(line.on for line in span.days if line.provisional) == day("2026-12-25")


def test_the_last_days_of_the_last_covered_year_are_provisional(calendar):
    assert not calendar.is_provisional(day("2026-12-24"))
    assert all(calendar.is_provisional(date(2026, 12, d)) for d in range(25, 32))
    assert not calendar.is_provisional(day("2025-12-25"))
    assert not calendar.add_workdays(day("2026-12-23"), 1).provisional
    assert calendar.add_workdays(day("2026-12-24"), 1).provisional
    assert not calendar.add_days(day("2026-12-01"), 23).provisional
    assert calendar.add_days(day("2026-12-01"), 24).provisional


def test_the_next_notice_turns_two_days_of_december_2018_round():
    before = shipped(2018)
    saturday, monday = day("2018-12-29"), day("2018-12-31")
    assert (before.is_workday(saturday), before.is_workday(monday)) == (False, True)
    assert before.add_workdays(day("2018-12-28"), 1).on == monday
    assert before.add_workdays(day("2018-12-28"), 1).provisional

    after = before.with_notice(read_notice(NOTICE_2019.encode()))
    assert (after.is_workday(saturday), after.is_workday(monday)) == (True, False)
    span = after.add_workdays(day("2018-12-28"), 1)
    assert (span.on, span.provisional) == (saturday, False)
    assert after.add_workdays(day("2018-12-28"), 2).on == day("2019-01-02")
    assert after.sources[-1] == "国务院办公厅关于2019年部分节假日安排的通知"


def test_a_loaded_notice_gives_the_same_days_as_the_shipped_calendar_until_its_own_doubt(calendar):
    loaded = shipped(2018).with_notice(read_notice(NOTICE_2019.encode()))
    for on in days_between(day("2018-12-01"), day("2019-12-24")):
        # 2019's May holiday was amended in March 2019; the notice above is the amended one.
        assert loaded.is_workday(on) == calendar.is_workday(on), on


def test_a_version_follows_the_days_and_nothing_else(calendar):
    assert shipped().id == calendar.id
    assert calendar.id.startswith("cn-workdays/2026-")
    loaded = calendar.with_notice(read_notice(NOTICE_2027.encode()))
    again = shipped().with_notice(read_notice(NOTICE_2027.encode()))
    assert loaded.id == again.id != calendar.id
    assert calendar.last_year == 2026  # the first one did not change


def test_loading_2027_settles_december_2026_and_moves_the_doubt_a_year_on(calendar):
    loaded = calendar.with_notice(read_notice(NOTICE_2027.encode()))
    span = loaded.add_workdays(day("2026-12-01"), 23)
    assert (span.on, span.provisional) == (day("2027-01-04"), False)
    assert loaded.trusted_until == day("2027-12-24")
    assert loaded.missing_year(day("2027-10-31")) is None
    assert loaded.missing_year(day("2027-11-01")) == 2028


def test_an_amended_notice_replaces_its_own_window_only(calendar):
    text = NOTICE_2019.replace("last = 2019-05-04", "last = 2019-05-01")
    amended = calendar.with_notice(read_notice(text.encode()))
    assert amended.is_workday(day("2019-05-02"))
    assert amended.last_year == 2026
    assert amended.workdays_between(day("2025-12-31"), day("2026-12-31")) == 248


def test_the_next_year_is_missed_from_the_first_of_november(calendar):
    assert calendar.missing_year(day("2026-10-31")) is None
    assert calendar.missing_year(day("2026-11-01")) == 2027


def test_a_year_cannot_be_skipped():
    with pytest.raises(Invalid) as refused:
        shipped(2017).with_notice(read_notice(NOTICE_2019.encode()))
    assert str(refused.value.fields["year"]) == "请先导入 2018 年的放假安排"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2018-12-29,", "2018-12-24,", "不在 2019 年通知的范围内"),
        ("2018-12-29,", "2019-01-02,", "应是周末"),
        ("first = 2019-10-01", "first = 2019-10-02", "缺少 2019-10-01"),
        ("first = 2019-02-04", "first = 2019-02-14", "起止日期颠倒"),
        ("first = 2019-02-04, last = 2019-02-10", "first = 2019-02-04, last = 2019-03-10", "超过"),
        ("first = 2019-06-07, last = 2019-06-07", "first = 2019-09-12, last = 2019-09-14", "重叠"),
        ("year = 2019", "year = 2019\nyears = 1", "years"),
        ('source = "', 'sauce = "', "请按样例修改"),
        ("year = 2019", "year = twenty", "请按样例修改"),
    ],
)
def test_a_notice_with_a_mistake_is_refused_with_what_to_mend(old, new, says):
    assert old in NOTICE_2019
    with pytest.raises(Invalid) as refused:
        read_notice(NOTICE_2019.replace(old, new, 1).encode())
    assert says in str(refused.value.fields["notice"])


def test_a_notice_is_read_from_a_file(tmp_path):
    path = tmp_path / "2027.toml"
    path.write_text(NOTICE_2027, encoding="utf-8")
    assert read_notice(path).year == 2027


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at_local(date(2026, 2, 13), 17, 0), "2026-02-13"),
        (at_local(date(2026, 2, 13), 17, 1), "2026-02-14"),  # the Saturday is worked
        (at_local(date(2026, 2, 14), 18, 0), "2026-02-24"),
        (at_local(date(2026, 2, 15), 9, 0), "2026-02-24"),
        (datetime(2026, 5, 8, 15, 30, tzinfo=UTC), "2026-05-09"),  # 23:30 in Shanghai
        (datetime(2026, 5, 7, 16, 30, tzinfo=UTC), "2026-05-08"),  # 00:30 in Shanghai
    ],
)
def test_what_arrives_late_or_at_rest_counts_as_the_next_working_day(calendar, moment, expected):
    assert calendar.effective_start(moment).on == day(expected)


def test_the_cut_off_is_a_parameter(calendar):
    moment = at_local(date(2026, 5, 7), 17, 30)
    assert calendar.effective_start(moment).on == day("2026-05-08")
    assert calendar.effective_start(moment, time(18, 0)).on == day("2026-05-07")


def test_a_derivation_names_every_day_it_walked_over(calendar):
    days = calendar.add_workdays(day("2026-02-13"), 2).days
    assert [(line.on.day, line.kind.value, line.counted) for line in days[:4]] == [
        (13, "start", 0),
        (14, "makeup", 1),
        (15, "holiday", 1),
        (16, "holiday", 1),
    ]
    assert (days[-1].on, days[-1].kind, days[-1].counted) == (day("2026-02-24"), "workday", 2)
    labels = {line.on.day: str(line.label) for line in days}
    assert labels[13] == "起算日，不计入"
    assert (labels[14], labels[16], labels[20]) == ("春节补班", "春节", "春节调休")
    assert str(calendar.add_workdays(day("2026-05-15"), 1).days[1].label) == "周六"


def test_moments_and_senseless_amounts_are_refused(calendar):
    with pytest.raises(TypeError):
        calendar.is_workday(datetime(2026, 5, 8, tzinfo=UTC))
    with pytest.raises(TypeError):
        calendar.add_days(datetime(2026, 5, 8, tzinfo=UTC), 1)
    with pytest.raises(ValueError, match="not 0"):
        calendar.add_workdays(day("2026-05-08"), 0)
    with pytest.raises(ValueError, match="time zone"):
        calendar.effective_start(datetime(2026, 5, 8))  # noqa: DTZ001
    with pytest.raises(ValueError, match="2003"):
        shipped(2003)


def test_the_calendar_cannot_be_changed(calendar):
    with pytest.raises(TypeError):
        calendar.holidays[day("2026-03-03")] = "假"


@quick
@given(start=known_days, n=st.integers(1, 60))
def test_adding_and_counting_working_days_agree(start, n):
    calendar = shipped()
    span = calendar.add_workdays(start, n)
    assert calendar.is_workday(span.on)
    assert calendar.workdays_between(start, span.on) == n
    assert calendar.add_workdays(start, n + 1).on > span.on
    assert [line.on for line in span.days] == list(days_between(start, span.on))
    assert span.days[-1].counted == n
    if calendar.is_workday(start):
        assert calendar.subtract_workdays(span.on, n) == start


@quick
@given(start=known_days, n=st.integers(1, 90))
def test_a_calendar_day_limit_never_ends_early_nor_on_a_rest_day(start, n):
    calendar = shipped()
    span = calendar.add_days(start, n)
    last = start + timedelta(days=n)
    assert calendar.is_workday(span.on)
    assert span.on >= last
    assert not any(calendar.is_workday(d) for d in days_between(last, span.on - timedelta(days=1)))


@quick
@given(start=known_days, n=st.integers(1, 60))
def test_trading_days_never_come_before_working_days(start, n):
    calendar = shipped()
    assert calendar.add_trading_days(start, n).on >= calendar.add_workdays(start, n).on
