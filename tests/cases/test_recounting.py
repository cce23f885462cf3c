"""A loaded holiday notice moves the dates that rested on it, makes them firm, and says so."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, func, select

from huiyin.app import cli_calendar
from huiyin.app.cli_calendar import state, take
from huiyin.cases import recounting, service, tasks
from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry
from huiyin.clocks import calendars
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import Complexity
from huiyin.clocks.rules import Facts
from huiyin.clocks.service import calendar, replay
from huiyin.db import platform_session, tenant_session
from huiyin.kit import failpoints
from huiyin.kit.notices import read_notice
from huiyin.kit.time import clock_at
from huiyin.ledger.export import verify_tenant
from huiyin.ledger.models import LedgerEntry
from huiyin.queue.models import Job, JobState
from huiyin.queue.registry import REGISTRY
from huiyin.queue.worker import drain

# A reply is due after fifteen calendar days: for what came then, in the New Year break of 2027.
DECEMBER = datetime(2026, 12, 18, 2, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 2, tzinfo=UTC)
NOTICE = """
year = 2027
source = "测试用的 2027 年安排"
makeup_days = [2026-12-26]
holidays = [
    { name = "元旦", first = 2026-12-31, last = 2027-01-04 },
    { name = "劳动节", first = 2027-05-01, last = 2027-05-05 },
    { name = "国庆节", first = 2027-10-01, last = 2027-10-07 },
]
"""
CORRECTED = NOTICE.replace("last = 2027-01-04", "last = 2027-01-05")
LATER = timedelta(hours=1)


@pytest.fixture(autouse=True)
def only_this():
    with REGISTRY.isolated() as empty:
        empty.handler(recounting.WALK)(recounting.walk)
        empty.handler(recounting.RECOUNT)(recounting.recount)
        empty.handler(tasks.SCAN)(tasks.scan)
        yield
    calendars.forget()


@pytest.fixture
def load(engine, addresses):
    """Load a notice as the command does; answers what it said."""
    return lambda text=NOTICE: list(take(engine, addresses.owner, read_notice(text.encode())))


@pytest.fixture
def file(session, actor):
    """``file(moment)`` files a complaint at a moment; answers its number."""
    count = iter(range(1000))

    def one(moment=DECEMBER):
        with clock_at(moment):
            filed = file_complaint(
                session, actor,
                Filing(
                    channel="web", idem_key=str(next(count)), story="款未到账", phone="13800006021"
                ),
            )  # fmt: skip
            session.commit()
        return filed.number

    return one


@pytest.fixture
def read(engine, tenant):
    """``read(number)`` is a case's due dates by clock: the day, and whether it is provisional."""

    def one(number):
        with tenant_session(engine, tenant.id) as session:
            case = session.scalars(select(Case).where(Case.number == number)).one()
            rows = session.scalars(select(ClockRow).where(ClockRow.case_id == case.id)).all()
            return {row.key: (row.due_on, row.provisional) for row in rows}

    return one


@pytest.fixture
def lines(engine, tenant):
    """The timeline entries about this, by the number of their case."""

    def all_of_them():
        with tenant_session(engine, tenant.id) as session:
            rows = session.execute(
                select(Case.number, Entry.data)
                .join(Entry, Entry.case_id == Case.id)
                .where(Entry.verb == "recount")
                .order_by(Case.number, Entry.seq)
            )
            return [tuple(row) for row in rows]

    return all_of_them


@pytest.fixture
def entries(engine, tenant):
    """How many entries of the ledger are about this."""

    def count():
        with tenant_session(engine, tenant.id) as session:
            kind = LedgerEntry.kind == "case.recount"
            return session.scalar(select(func.count()).select_from(LedgerEntry).where(kind))

    return count


def test_dates_move_and_become_firm_with_an_entry_in_timeline_and_ledger(
    engine, tenant, file, load, read, lines, entries
):
    number = file()
    before = read(number)
    assert before["reply#1"] == (date(2027, 1, 4), True)  # the 2nd is a Saturday

    load()
    drain(engine)
    assert read(number) == before  # not before every process knows
    drain(engine, ahead=LATER)

    after = read(number)
    assert after["reply#1"] == (date(2027, 1, 5), False)
    ((told, data),) = lines()
    assert told == number
    assert data["calendar"] == calendar().id
    assert {
        "key": "reply#1", "title": data["dates"][-1]["title"], "before": "2027-01-04",
        "after": "2027-01-05", "provisional": False,
    } in data["dates"]  # fmt: skip
    assert {line["key"] for line in data["dates"]} == {k for k in after if after[k] != before[k]}
    assert entries() == 1
    with tenant_session(engine, tenant.id) as session:
        assert verify_tenant(session).first_bad_seq is None


def test_a_case_that_rests_on_nothing_of_it_learns_nothing(engine, file, load, read, lines):
    early = file(JUNE)
    before = read(early)
    load()
    drain(engine, ahead=LATER)
    assert read(early) == before
    assert lines() == []


def test_the_replay_gives_what_the_rows_say(engine, session, actor, file, load, read):
    number = file()
    load()
    drain(engine, ahead=LATER)
    case = find(session, actor, number)
    rows = session.scalars(select(ClockRow).where(ClockRow.case_id == case.id)).all()
    facts = Facts(
        intake=case.intake_type, complexity=Complexity(case.complexity),
        promised={row.key: row.promised_on for row in rows if row.promised_on},
    )  # fmt: skip
    replayed = {c.key: (c.due_on, c.provisional) for c in replay(case.clock_events, facts)}
    assert replayed == read(number)
    nearest = min(row.due_at for row in rows if row.state == "running")
    assert case.next_due_at == nearest


def test_the_same_notice_again_changes_nothing(engine, session, file, load, lines):
    file()
    load()
    drain(engine, ahead=LATER)
    told, jobs = lines(), session.scalar(select(func.count()).select_from(Job))
    assert "nothing changed" in load()[0]
    drain(engine, ahead=LATER)
    assert lines() == told
    assert session.scalar(select(func.count()).select_from(Job)) == jobs


def test_a_corrected_notice_moves_dates_that_were_firm(engine, file, load, read, lines):
    number = file()
    load()
    drain(engine, ahead=LATER)
    assert "replaces notice 1" in load(CORRECTED)[0]
    drain(engine, ahead=LATER)
    assert read(number)["reply#1"] == (date(2027, 1, 6), False)
    assert len(lines()) == 2


def test_what_was_told_the_complainant_is_not_brought_forward(engine, file, load, read):
    number = file()
    load(CORRECTED)
    drain(engine, ahead=LATER)
    load()
    drain(engine, ahead=LATER)
    assert read(number)["reply#1"] == (date(2027, 1, 6), False)


def test_whoever_changes_the_case_first_leaves_the_record(
    engine, session, actor, file, load, read, lines, entries
):
    number = file()
    load()
    with clock_at(DECEMBER + LATER):
        service.talk(session, actor, number, "message", "已收到您的材料")
        session.commit()
    ((told, data),) = lines()
    assert (told, data["calendar"]) == (number, calendar().id)
    assert find(session, actor, number).last_activity == "message"
    assert read(number)["reply#1"] == (date(2027, 1, 5), False)
    drain(engine, ahead=LATER)
    assert len(lines()) == 1
    assert entries() == 0  # it stands with what was done
    done = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "case.message")).one()
    assert calendar().id.encode() in bytes(done.doc)


def test_a_walk_goes_on_in_pieces(engine, file, load, lines, monkeypatch):
    monkeypatch.setattr(recounting, "PIECE", 2)
    numbers = [file() for _ in range(5)]
    load()
    drain(engine, ahead=LATER, limit=3)
    assert 0 < len(lines()) < 5
    drain(engine, ahead=LATER)
    assert [number for number, _ in lines()] == sorted(numbers)


CHILD = """
import os
from datetime import timedelta
from huiyin.cases import recounting
from huiyin.db.engine import application_engine
from huiyin.migrations import tables
from huiyin.queue.worker import drain
tables.load()
recounting.PIECE = 2
drain(application_engine(os.environ["TEST_DATABASE"]), ahead=timedelta(hours=1))
"""


@pytest.mark.parametrize("at", ["worker.after_effect:kill@1", "worker.after_effect:kill@4"])
def test_killed_in_the_middle_it_is_continued(engine, session, file, load, lines, at):
    numbers = [file() for _ in range(5)]
    load()
    url = engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=90, check=False,
        env={**os.environ, "TEST_DATABASE": url, failpoints.VARIABLE: at},
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    assert len(lines()) < 5
    drain(engine, ahead=LATER)
    assert [number for number, _ in lines()] == sorted(numbers)
    assert {job.state for job in session.scalars(select(Job))} == {JobState.DONE.value}


def test_an_interrupted_load_is_finished_by_the_next_look(
    engine, session, addresses, file, read, lines
):
    number = file()
    owner = create_engine(addresses.owner)
    with platform_session(owner) as kept:
        calendars.load(kept, read_notice(NOTICE.encode()))
        kept.commit()
    owner.dispose()
    for _ in range(2):
        tasks.scan(session, None)
        session.commit()
        drain(engine, ahead=LATER)
    assert read(number)["reply#1"] == (date(2027, 1, 5), False)
    assert len(lines()) == 1


def test_every_firm_counts_anew_and_only_its_own(engine, make_tenant, file, load, lines):
    other = make_tenant("yuancen")
    number = file()
    assert "2 firms" in load()[1]
    drain(engine, ahead=LATER)
    assert [told for told, _ in lines()] == [number]
    with tenant_session(engine, other.id) as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 0
        assert session.scalars(select(Job.kind)).all() == [recounting.WALK]


def test_the_timeline_says_which_dates_moved(engine, actor, file, load, web, api):
    number = file()
    load()
    drain(engine, ahead=LATER)
    page = web(actor).get(f"/t/qinghe/w/cases/{number}").text
    assert "按放假安排重新计算时限" in page
    assert "<del>2027-01-04</del> → <ins>2027-01-05</ins> 已确定" in page
    line = api(actor).get(f"/api/v1/t/qinghe/cases/{number}").json()["timeline"][0]
    moved = {date["key"]: (date["before"], date["after"]) for date in line["data"]["dates"]}
    assert moved["reply#1"] == ("2027-01-04", "2027-01-05")


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def command(engine, addresses, site, monkeypatch):
    """``command("load", path)`` runs ``huiyin calendar load`` on the test database."""

    class Here:
        def __init__(self):
            self.engine, self.addresses, self.site = engine, addresses, site

        def close(self):
            pass

    monkeypatch.setattr(cli_calendar, "install", lambda *_, **__: Here())
    monkeypatch.setattr(cli_calendar.Settings, "read", lambda: None)
    return lambda *words: CliRunner().invoke(cli_calendar.calendar, [str(word) for word in words])


def test_the_command_loads_a_file_and_shows_what_is_in_force(command, tmp_path):
    path = tmp_path / "2027.toml"
    path.write_text(NOTICE, encoding="utf-8")
    assert command("load", path).exit_code == 0
    path.write_text(CORRECTED, encoding="utf-8")
    assert command("load", path).exit_code == 0
    shown = command("show").output
    assert "firm from 2004-01-01 to 2027-12-24" in shown
    assert "notice 1: 2027" in shown
    assert ", replaced" in shown
    assert "测试用的 2027 年安排" in shown


def test_a_mistake_in_the_file_is_told_with_what_to_mend(command, tmp_path, engine):
    path = tmp_path / "2027.toml"
    path.write_text(NOTICE.replace("2027-10-01", "2027-10-02"), encoding="utf-8")
    told = command("load", path)
    assert told.exit_code == 1
    assert "2027-10-01" in told.output
    assert "缺少" not in told.output
    assert not any(line.startswith("notice") for line in state(engine))
