"""The calendar in force follows the notices that were loaded, in every process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.exc import ProgrammingError

from huiyin.clocks import calendars
from huiyin.clocks.models import CalendarNotice
from huiyin.clocks.service import calendar
from huiyin.db import platform_session
from huiyin.kit.calendar import shipped
from huiyin.kit.errors import Invalid
from huiyin.kit.notices import read_notice

DOCUMENT = Path(__file__).parents[2] / "platform/docs/calendar.md"
SAMPLE = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[0]
CORRECTED = SAMPLE.replace("last = 2027-01-03", "last = 2027-01-04")


@pytest.fixture
def load(engine, addresses):
    """Load a notice as the owner does; answers its number, what it replaces, whether it is new."""
    owner = create_engine(addresses.owner)

    def one(text):
        with platform_session(owner) as session:
            row, fresh = calendars.load(session, read_notice(text.encode()))
            session.commit()
        return row.number, row.replaces, fresh

    yield one
    owner.dispose()
    calendars.forget()


def test_the_sample_of_the_document_is_a_notice():
    assert read_notice(SAMPLE.encode()).year == 2027


def test_without_a_notice_the_shipped_calendar_holds(engine):
    assert calendar().id == shipped().id


def test_a_loaded_notice_is_seen_at_the_next_look_and_asked_for_no_sooner(
    load, queries, monkeypatch
):
    before = calendar().id
    load(SAMPLE)
    queries.clear()
    assert calendar().id == before
    assert len(queries) == 0

    monkeypatch.setattr(calendars.time, "monotonic", lambda: calendars._memory.look_at + 1)
    assert calendar().id == shipped().with_notice(read_notice(SAMPLE.encode())).id
    assert calendar().last_year == 2027


def test_a_job_sees_it_at_once(load, session):
    calendar()
    load(SAMPLE)
    assert calendars.refresh(session).last_year == 2027
    assert calendar().last_year == 2027


def test_another_process_sees_it(load, engine):
    load(SAMPLE)
    script = (
        "import os\n"
        "from huiyin.clocks import calendars\n"
        "from huiyin.clocks.service import calendar\n"
        "from huiyin.db.engine import application_engine\n"
        "calendars.watch(application_engine(os.environ['TEST_DATABASE']))\n"
        "print(calendar().id)\n"
    )
    url = engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "TEST_DATABASE": url},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    calendars.forget()
    assert done.stdout.strip() == calendar().id != shipped().id


def test_the_same_notice_twice_changes_nothing(load, session):
    assert load(SAMPLE) == (1, None, True)
    assert load(SAMPLE) == (1, None, False)
    assert len(calendars.history(session)) == 1


def test_a_corrected_notice_counts_and_the_earlier_one_stays_on_record(load, session):
    load(SAMPLE)
    first = calendars.refresh(session).id
    assert load(CORRECTED) == (2, 1, True)
    assert calendars.refresh(session).id != first
    assert [row.replaces for row in calendars.history(session)] == [None, 1]

    assert load(SAMPLE) == (3, 2, True)  # the correction was the mistake
    assert calendars.refresh(session).id == first


def test_a_year_cannot_be_skipped(load, session):
    later = SAMPLE.replace("2027", "2028").replace("2026", "2027")
    later = later.replace("2027-12-26", "2027-12-25").replace("2028-02-20", "2028-02-19")
    with pytest.raises(Invalid) as refused:
        load(later)
    assert str(refused.value.fields["year"]) == "请先导入 2027 年的放假安排"
    assert calendars.history(session) == []


def test_no_request_can_write_one(session):
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(
            insert(CalendarNotice).values(number=1, year=2027, source="x", digest="x", content={})
        )
