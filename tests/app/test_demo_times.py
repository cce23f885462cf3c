"""When demonstration stories happen, whatever the day and hour somebody starts the demo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from huiyin.app.demo import DemoDataMissing, demo_folder
from huiyin.app.demo_paths import pace_of, path_of
from huiyin.app.demo_scene import STANDING
from huiyin.app.demo_times import moments, worked, working_hours
from huiyin.app.demo_welcome import table, width
from huiyin.cases.stages import Stage
from huiyin.clocks.service import calendar
from huiyin.kit.time import at_local, local
from huiyin.onboarding.schemas import ENDS, BadData, read_firms, read_stories

FOLDER = Path(__file__).parents[2] / "tenants" / "demo"
STORIES = read_stories(FOLDER).stories
TUESDAY_NOON = datetime(2026, 11, 24, 3, 46, tzinfo=UTC)
HOLIDAY = at_local(date(2026, 10, 6), 11)
BASES = {
    "a Tuesday before noon": TUESDAY_NOON,
    "just after midnight": at_local(date(2026, 11, 24), 0, 3),
    "a Sunday evening": at_local(date(2026, 11, 22), 21),
    "deep in the National Day holiday": HOLIDAY,
    "the first working minute of a Monday": at_local(date(2026, 11, 23), 9, 1),
}


def times(story, base):
    pauses = [sitting.pause for sitting in path_of(story)]
    still_open = story.path in STANDING
    return moments(story, pauses, base, pace=pace_of(story), still_open=still_open)


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_steps_are_in_order_and_none_is_in_the_future(base):
    for story in STORIES:
        moved = times(story, base)
        assert moved == sorted(moved), story.key
        assert moved[-1] < base, story.key


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_a_complaint_arrives_about_as_long_ago_as_it_says(base):
    for story in STORIES:
        days = (base - times(story, base)[0]) / timedelta(days=1)
        # Telephone and letters of a holiday moved back to the last working day.
        assert story.days_ago - 1 <= days <= story.days_ago + 9, story.key


def test_people_work_in_working_hours():
    for story in STORIES:
        if story.days_ago < 40:
            continue
        for moment in times(story, TUESDAY_NOON)[1:]:
            here = local(moment)
            assert calendar().is_workday(here.date()), story.key
            assert 9 <= here.hour + here.minute / 60 <= 18, story.key


def test_an_open_story_was_touched_lately_and_an_old_one_is_long_over():
    for story in STORIES:
        last = times(story, TUESDAY_NOON)[-1]
        if story.path in STANDING and len(path_of(story)) > 3:
            assert TUESDAY_NOON - last < timedelta(days=5), story.key
        if story.path == "archived":
            assert TUESDAY_NOON - last > timedelta(days=10), story.key


def test_working_hours_leave_out_nights_and_days_off():
    friday = at_local(date(2026, 11, 20), 17)
    monday = at_local(date(2026, 11, 23), 10)
    assert working_hours(friday, monday) == 2
    assert worked(friday, 2) == monday
    assert worked(friday, 0.5) == friday + timedelta(minutes=30)


def test_every_path_is_known():
    assert {story.path for story in STORIES} <= ENDS | set(Stage)


def test_the_data_is_found_from_the_checkout_and_by_the_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("HUIYIN_TENANTS", raising=False)
    assert demo_folder() == FOLDER
    monkeypatch.setenv("HUIYIN_TENANTS", str(FOLDER.parent))
    assert demo_folder(tmp_path) == FOLDER


def test_missing_data_says_what_to_set(tmp_path, monkeypatch):
    monkeypatch.setenv("HUIYIN_TENANTS", str(tmp_path))
    with pytest.raises(DemoDataMissing, match="HUIYIN_TENANTS"):
        demo_folder()


def test_broken_data_names_file_and_place(tmp_path):
    for name in ("tenants.toml", "people.toml", "funds.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "tenants.toml").write_text('[[tenants]]\nslug = "Q"\n', encoding="utf-8")
    with pytest.raises(BadData, match=r"tenants\[0\]"):
        read_firms(tmp_path)
    (tmp_path / "stories.toml").write_text("[[stories", encoding="utf-8")
    with pytest.raises(BadData, match=r"stories\.toml"):
        read_stories(tmp_path)


def test_columns_line_up_whatever_the_script():
    lines = list(table([("角色", "officer"), ("ab", "青禾")]))
    assert lines == ["  角色  officer", "  ab    青禾"]
    assert width("青a") == 3
