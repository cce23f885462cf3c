"""Looking at what is due tells exactly what looking at everything would, and costs no more."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import select, text, update

from huiyin.app.cli_calendar import take
from huiyin.cases import recounting, tasks
from huiyin.cases.change import show_due, tick
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry
from huiyin.clocks import calendars, looking
from huiyin.clocks import service as clocks
from huiyin.clocks.models import ClockRow
from huiyin.clocks.policy import STAGES, Complexity, default_policy
from huiyin.clocks.reading import reminders
from huiyin.clocks.rules import ClockState, Facts
from huiyin.db import tenant_session
from huiyin.kit import failpoints
from huiyin.kit.notices import read_notice
from huiyin.kit.time import clock_at, now
from huiyin.queue.models import Job, JobState
from huiyin.queue.registry import REGISTRY, view_of_job
from huiyin.queue.worker import drain
from huiyin.testing.database import buried

NOVEMBER = datetime(2026, 11, 9, 2, tzinfo=UTC)
LONG_AFTER = NOVEMBER + timedelta(days=200)
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
HAPPENINGS = [
    ("acknowledged", {}),
    ("accepted", {}),
    ("complexity_set", {"value": "complex"}),
    ("extended", {"kind": "reply", "amount": 30, "unit": "calendar_day"}),
    ("extended", {"kind": "stage", "amount": 5, "unit": "workday"}),
    ("paused", {"reason": "待补正"}),
    ("paused", {"kind": "stage"}),
    ("resumed", {}),
    ("answered", {}),
    ("followed_up", {}),
    ("closed", {}),
    ("reopened", {}),
    ("review_asked", {}),
    ("transfer_received", {"letter": "A", "due_on": "2026-12-30"}),
    ("transfer_answered", {"letter": "A"}),
    *(("stage_entered", {"stage": stage}) for stage in STAGES),
]


@pytest.fixture(autouse=True)
def only_these():
    with REGISTRY.isolated() as empty:
        for name, run in (
            (tasks.SCAN, tasks.scan), (tasks.REST, tasks.scan_rest), (tasks.TELL, tasks.tell),
            (recounting.WALK, recounting.walk), (recounting.RECOUNT, recounting.recount),
        ):  # fmt: skip
            empty.handler(name)(run)
        yield
    calendars.forget()


@pytest.fixture
def file(session, actor):
    """``file(n)`` files so many complaints in November; answers their ids."""
    count = iter(range(1000))

    def some(n=1):
        ids = []
        with clock_at(NOVEMBER):
            for _ in range(n):
                wanted = Filing(
                    channel="web", idem_key=str(next(count)), story="款未到账", phone="13800006021"
                )
                ids.append(file_complaint(session, actor, wanted).case_id)
            session.commit()
        return ids

    return some


@pytest.fixture
def scan(engine, tenant):
    """Let the scan run at a moment, and the rest of it, but tell nothing yet."""

    def at(moment):
        with clock_at(moment):
            with tenant_session(engine, tenant.id) as own:
                tasks.scan(own, None)
                own.commit()
            run(engine, tenant, tasks.REST)

    return at


def run(engine, tenant, kind):
    """Do the queued jobs of one kind, and those that come of them."""
    handler = REGISTRY.handlers[kind].run
    while True:
        with tenant_session(engine, tenant.id) as own:
            job = own.scalars(
                select(Job).where(Job.kind == kind, Job.state == JobState.QUEUED.value).limit(1)
            ).one_or_none()
            if job is None:
                return
            handler(own, view_of_job(job, job.id))
            job.state = JobState.DONE.value
            own.commit()


def told(session):
    """Of which clock, with which date, all jobs that tell of one are to tell what."""
    session.rollback()
    asked = session.scalars(select(Job.payload).where(Job.kind == tasks.TELL))
    return {f"{tasks.TELL}:{a['clock']}:{a['due_at']}:{a['percent']}" for a in asked}


def everything(session):
    """What is to be told now by the old way: every running clock of the firm is looked at."""
    session.rollback()
    calendars.refresh(session)
    found = session.execute(
        select(Case, ClockRow)
        .join(ClockRow, ClockRow.case_id == Case.id)
        .where(
            Case.next_due_at.is_not(None),
            ClockRow.state == ClockState.RUNNING.value,
            ClockRow.reminded < tasks.OVERDUE,
        )
    ).all()
    keys = set()
    for case, row in found:
        promised = {row.key: row.promised_on} if row.promised_on else {}
        facts = Facts(case.intake_type, Complexity(case.complexity), promised)
        replayed = {clock.key: clock for clock in clocks.replay(case.clock_events, facts)}
        clock = replayed.get(row.key)
        if clock is None or clock.state is not ClockState.RUNNING:
            continue
        days = clocks.calendar()
        percent = max((r.percent for r in reminders(clock, days) if r.at <= now()), default=0)
        if percent > row.reminded:
            keys.add(f"{tasks.TELL}:{row.id}:{row.due_at.isoformat()}:{percent}")
    return keys


def happen(session, case_id, kind, data):
    """What ``change`` does to a case and its clocks when something happens."""
    case = session.get_one(Case, (session.tenant, case_id), with_for_update=True)
    tick(case, kind, now(), data)
    due = clocks.recompute(
        session, case.id, case.clock_events, intake=case.intake_type, complexity=case.complexity
    )
    show_due(case, due)
    session.commit()


def other_policy():
    """The default policy, with thresholds of its own for every clock."""
    policy = default_policy()
    rules = [msgspec.structs.replace(rule, warn=(30, 60, 95)) for rule in policy.rules]
    return msgspec.structs.replace(policy, rules=tuple(rules))


@pytest.mark.parametrize("seed", range(8))
def test_the_same_is_told_as_by_looking_at_all_clocks(
    engine, addresses, session, tenant, file, scan, monkeypatch, seed
):
    chance = random.Random(seed)
    monkeypatch.setattr(tasks, "PIECE", chance.choice([1, 3, 7, 200]))
    ids, moment = file(5), NOVEMBER
    notice, policy = chance.randrange(4, 14), chance.randrange(4, 14)
    expected = set()
    for step in range(18):
        moment += timedelta(minutes=chance.choice([7, 300, 2000, 6000, 20_000]))
        with clock_at(moment):
            if step == notice:
                list(take(engine, addresses.owner, read_notice(NOTICE.encode())))
            if step == policy:
                monkeypatch.setattr(clocks, "default_policy", other_policy)
                clocks._replayed.cache_clear()  # of one process, one policy
            for case_id in chance.sample(ids, chance.randrange(4)):
                happen(session, case_id, *chance.choice(HAPPENINGS))
            expected |= everything(session)
        scan(moment)
        assert told(session) == expected, step
        with clock_at(moment):
            if chance.random() < 0.7:
                run(engine, tenant, tasks.TELL)
            if chance.random() < 0.5:
                run(engine, tenant, recounting.WALK)
                run(engine, tenant, recounting.RECOUNT)
    assert expected
    clocks._replayed.cache_clear()


def test_a_look_at_nothing_costs_the_same_however_many_clocks_there_are(
    file, scan, session, queries
):
    counts = []
    for n in (1, 30):
        file(n)
        scan(NOVEMBER + timedelta(minutes=1))
        queries.clear()
        scan(NOVEMBER + timedelta(minutes=2))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_is_due_costs_as_many_statements_for_one_as_for_many(file, scan, session, queries):
    counts = []
    for n in (1, 30):
        file(n)
        queries.clear()
        scan(LONG_AFTER)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(told(session)) == len(session.scalars(select(ClockRow)).all())


PLANNED = (
    "SELECT clock.id FROM clock JOIN case_file ON case_file.id = clock.case_id"
    " WHERE clock.tenant_id = $1 AND look_by = $2 AND look_at <= $3 AND case_file.tenant_id = $1"
    " ORDER BY look_at LIMIT $4 FOR NO KEY UPDATE OF case_file SKIP LOCKED"
)


def test_the_index_serves_behind_the_wall_and_whatever_the_parameters(file, session):
    """A plan for any parameters cannot know what they imply, except that they are not null."""
    file()
    for setting in ("enable_seqscan = off", "plan_cache_mode = force_generic_plan"):
        session.execute(text(f"SET LOCAL {setting}"))
    session.execute(text(f"PREPARE looked(uuid, text, timestamptz, int) AS {PLANNED}"))
    asked = text(f"EXPLAIN EXECUTE looked('{session.tenant}', 'any', now(), 200)")
    plan = "\n".join(session.scalars(asked))
    session.execute(text("DEALLOCATE looked"))
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    (condition,) = [line for line in conditions if "look_by" in line]
    assert "ix_clock_look" in plan
    assert all(part in condition for part in ("tenant_id = $1", "look_by = $2", "look_at <= $3"))
    assert "Sort" not in plan


def test_clocks_that_nobody_ever_looked_at_are(file, scan, session):
    """Such as those of an older release, or written past the service."""
    file(3)
    session.execute(update(ClockRow).values(look_at=None, look_by=text("calendar_version || ' '")))
    session.commit()
    scan(LONG_AFTER)
    assert len(told(session)) == len(session.scalars(select(ClockRow)).all())
    marks = set(session.scalars(select(ClockRow.look_by)))
    assert marks == {clocks.mark()}
    assert session.scalars(select(Job).where(Job.kind == recounting.WALK)).all() == []


def test_a_clock_that_an_older_release_moves_or_resumes_is_looked_at(file, scan, session):
    file(3)
    moved, resumed, stopped = session.scalars(
        select(ClockRow.id).where(ClockRow.kind == "reply").order_by(ClockRow.id)
    ).all()
    by_hand = "UPDATE clock SET {} WHERE tenant_id = :t AND id = :i"
    for clock_id, what in (
        (moved, "due_at = due_at - interval '1 hour'"),
        (resumed, "state = 'paused', look_at = NULL, look_by = NULL"),
        (resumed, "state = 'running'"),
        (stopped, "state = 'met', stopped_at = now()"),
    ):
        session.execute(text(by_hand.format(what)), {"t": session.tenant, "i": clock_id})
    session.commit()
    marks = dict(session.execute(select(ClockRow.id, ClockRow.look_by)).all())
    assert (marks[moved], marks[resumed], marks[stopped]) == ("", "", None)
    scan(NOVEMBER + timedelta(minutes=1))
    session.rollback()
    marks = dict(session.execute(select(ClockRow.id, ClockRow.look_by)).all())
    assert (marks[moved], marks[resumed], marks[stopped]) == (clocks.mark(), clocks.mark(), None)


def test_a_clock_that_is_none_by_one_policy_is_told_of_by_the_next(
    file, scan, session, monkeypatch
):
    """As when a rule is taken out of the policy, and put back before anything happens."""
    file()
    policy = default_policy()
    fewer = tuple(rule for rule in policy.rules if rule.kind != "acknowledge")
    assert len(fewer) < len(policy.rules)
    without = msgspec.structs.replace(policy, rules=fewer)
    gone = session.scalars(select(ClockRow.id).where(ClockRow.kind == "acknowledge")).one()

    def told_of_it():
        return [key for key in told(session) if key.split(":")[1] == str(gone)]

    with monkeypatch.context() as patch:
        patch.setattr(clocks, "default_policy", lambda: without)
        clocks._replayed.cache_clear()
        scan(LONG_AFTER)
        assert told(session)
        assert told_of_it() == []
    clocks._replayed.cache_clear()
    scan(LONG_AFTER)
    assert len(told_of_it()) == 1


def test_a_stopped_clock_bears_no_mark(file, session):
    (case_id,) = file()
    with clock_at(NOVEMBER + timedelta(hours=1)):
        happen(session, case_id, "acknowledged", {})
        happen(session, case_id, "withdrawn", {})
    rows = session.execute(select(ClockRow.state, ClockRow.look_by, ClockRow.look_at)).all()
    assert ClockState.RUNNING.value not in {state for state, *_ in rows}
    assert {tuple(rest) for _, *rest in rows} == {(None, None)}


def test_a_case_that_is_being_changed_is_left_for_the_next_look(file, scan, session):
    one, _other = file(2)
    mine = {str(i) for i in session.scalars(select(ClockRow.id).where(ClockRow.case_id == one))}
    session.get_one(Case, (session.tenant, one), with_for_update=True)
    scan(LONG_AFTER)
    keys = told(session)  # lets go of the case
    assert keys
    assert not [key for key in keys if key.split(":")[1] in mine]
    scan(LONG_AFTER)
    assert len([key for key in told(session) if key.split(":")[1] in mine]) == len(mine)


def test_two_at_once_tell_nothing_twice(file, engine, tenant, session, monkeypatch):
    monkeypatch.setattr(tasks, "PIECE", 5)
    file(12)
    together = threading.Barrier(2)

    def look():
        together.wait(timeout=20)
        with clock_at(LONG_AFTER), tenant_session(engine, tenant.id) as own:
            tasks.scan(own, None)
            own.commit()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(look), pool.submit(look)]:
            future.result()
    with clock_at(LONG_AFTER):
        drain(engine)
    lines = session.execute(
        select(Entry.case_id, Entry.data["clock"]).where(Entry.verb == "remind")
    )
    found = [tuple(line) for line in lines]
    assert len(found) == len(set(found)) == len(session.scalars(select(ClockRow)).all())


CHILD = f"""
import os, uuid
from datetime import datetime
from huiyin.cases import tasks
from huiyin.db.engine import application_engine
from huiyin.kit import keys
from huiyin.kit.time import clock_at
from huiyin.migrations import tables
from huiyin.queue.worker import drain
tables.load()
keys.configure(b"thirty-two bytes for tests, only.")
tasks.PIECE = 5
with clock_at(datetime.fromisoformat("{LONG_AFTER.isoformat()}")):
    drain(application_engine(os.environ["TEST_DATABASE"]))
"""


@pytest.mark.parametrize("nth", [1, 3])
def test_killed_in_the_middle_a_scan_is_gone_on_with(
    engine, postgres, session, file, nth, monkeypatch
):
    monkeypatch.setattr(tasks, "PIECE", 5)
    file(6)
    session.add(Job(kind=tasks.SCAN, consumer=tasks.SCAN))
    session.commit()
    url = engine.url.render_as_string(hide_password=False)
    fault = f"remind.before_rest:kill@{nth}"
    with buried(postgres, "huiyin_test"):
        done = subprocess.run(
            [sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=90, check=False,
            env={
                **os.environ, "TEST_DATABASE": url, failpoints.VARIABLE: fault,
            },
        )  # fmt: skip
    assert done.returncode == -9, done.stderr
    with clock_at(LONG_AFTER):
        drain(engine, ahead=timedelta(hours=1))
    lines = session.execute(
        select(Entry.case_id, Entry.data["clock"]).where(Entry.verb == "remind")
    )
    found = [tuple(line) for line in lines]
    assert len(found) == len(set(found)) == len(session.scalars(select(ClockRow)).all())
    assert {job.state for job in session.scalars(select(Job))} == {JobState.DONE.value}


def test_a_process_with_other_rules_leaves_the_rest_to_its_own(file, engine, tenant, session):
    file()
    session.add(Job(kind=tasks.REST, consumer=tasks.REST, payload={"by": "another release"}))
    session.commit()
    with clock_at(LONG_AFTER):
        run(engine, tenant, tasks.REST)
    assert told(session) == set()


def test_a_mark_names_calendar_policy_and_way_of_counting(monkeypatch):
    mark = clocks.mark()
    assert looking.is_of(mark, clocks.calendar())
    monkeypatch.setattr(looking, "EDITION", 2)
    assert clocks.mark() != mark
    monkeypatch.setattr(looking, "EDITION", 1)
    monkeypatch.setattr(clocks, "default_policy", other_policy)
    assert clocks.mark() != mark
    assert looking.is_of(clocks.mark(), clocks.calendar())


# -- what was not true when it was to be told ------------------------------------------------------


def reminded(session):
    session.rollback()
    data = session.scalars(select(Entry.data).where(Entry.verb == "remind"))
    return {(line["kind"], line["percent"]) for line in data}


@pytest.fixture
def go_on(scan, engine, tenant):
    """Scans and what they ask for, hour after hour."""

    def since(moment, hours=6):
        for hour in range(hours):
            at = moment + timedelta(hours=hour)
            scan(at)
            with clock_at(at):
                run(engine, tenant, tasks.TELL)

    return since


@pytest.mark.parametrize("percent", [50, 100])
def test_whoever_tells_may_have_a_clock_that_is_behind(
    file, scan, go_on, session, engine, tenant, percent
):
    file()
    row = session.scalars(select(ClockRow).where(ClockRow.kind == "acknowledge")).one()
    at = row.due_at if percent == tasks.OVERDUE else row.look_at
    session.rollback()
    scan(at + timedelta(seconds=1))
    with clock_at(at - timedelta(seconds=2)):
        run(engine, tenant, tasks.TELL)
    assert ("acknowledge", percent) not in reminded(session)
    go_on(at + timedelta(minutes=5))
    assert ("acknowledge", percent) in reminded(session)


@pytest.mark.parametrize("percent", [50, 100])
def test_a_merger_that_is_undone_at_once_costs_no_reminder(
    file, scan, go_on, session, engine, tenant, percent
):
    (case_id,) = file()
    with clock_at(NOVEMBER + timedelta(minutes=1)):
        happen(session, case_id, "stage_entered", {"stage": "investigation"})
    running = select(ClockRow).where(ClockRow.key == "stage:investigation#1")
    row = session.scalars(running).one()
    at = row.due_at if percent == tasks.OVERDUE else row.look_at
    session.rollback()
    scan(at + timedelta(seconds=1))
    with clock_at(at + timedelta(seconds=2)):
        happen(session, case_id, "merged", {})
    with clock_at(at + timedelta(seconds=3)):
        run(engine, tenant, tasks.TELL)
    with clock_at(at + timedelta(minutes=1)):
        happen(session, case_id, "unmerged", {})
    go_on(at + timedelta(minutes=5))
    assert ("stage", percent) in reminded(session)


def of_cases(session, ids):
    rows = session.scalars(select(ClockRow.id).where(ClockRow.case_id.in_(ids)))
    mine = {str(clock_id) for clock_id in rows}
    return len(mine), len([key for key in told(session) if key.split(":")[1] in mine])


def test_one_case_in_hand_with_the_lowest_mark_hides_no_other(file, scan, session):
    first, *others = file(4)
    session.execute(update(ClockRow).values(look_at=None, look_by=text("calendar_version || ' '")))
    session.execute(update(ClockRow).where(ClockRow.case_id == first).values(look_by=""))
    session.commit()
    session.get_one(Case, (session.tenant, first), with_for_update=True)
    scan(LONG_AFTER)
    there, asked = of_cases(session, others)
    assert there == asked > 0


def test_a_piece_full_of_cases_in_hand_hides_none_behind_it(file, scan, session, monkeypatch):
    monkeypatch.setattr(tasks, "PIECE", 10)
    ids = file(6)
    for case_id in ids[:4]:
        session.get_one(Case, (session.tenant, case_id), with_for_update=True)
    scan(LONG_AFTER)
    there, asked = of_cases(session, ids[4:])
    assert there == asked > 0
