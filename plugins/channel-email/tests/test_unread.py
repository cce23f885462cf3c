"""What no try could read: a person does, or has it tried again."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import EntryKind
from huiyin.evidence.models import EvidenceFile
from huiyin.intake import readers, tasks
from huiyin.intake.models import Arrival
from huiyin.ledger.models import LedgerEntry
from huiyin.queue.models import Job
from huiyin.queue.relay import sweep
from huiyin.sdk import Investor
from huiyin.testing.web import run_jobs

from .conftest import mail
from .test_pages import HOME

DAY = timedelta(days=2)


@pytest.fixture
def officer(make_actor, web):
    return web(make_actor("complaint_officer", name="沈若溪"))


@pytest.fixture
def broken(monkeypatch):
    """Nothing can be read until this is undone."""
    with monkeypatch.context() as away:

        def fail(_arrival):
            raise MemoryError

        away.setattr(readers, "read", fail)
        yield away


@pytest.fixture
def given_up(deliver, place, session, broken):
    """An arrival whose reading was tried for a day, in vain."""
    arrival = deliver(mail(), envelope={"from": "chen@example.com"}, jobs=False)
    session.execute(update(Job).where(Job.kind == "intake.read").values(attempts=tasks.TRIES - 1))
    session.commit()
    run_jobs(place, ahead=timedelta(seconds=1))
    broken.undo()
    session.expire_all()
    return arrival


def now_of(session, arrival):
    session.expire_all()
    return session.get_one(Arrival, (session.tenant, arrival.id))


def test_it_stands_among_what_waits_and_says_so(given_up, officer, session):
    assert (given_up.state, given_up.reason) == ("waiting", "unreadable")
    states = session.scalars(select(Job.state).where(Job.kind == "intake.read")).all()
    assert states == ["quarantined"]
    listed = officer.get(HOME).text
    assert "无法自动读取" in listed
    assert "chen@example.com" in listed
    assert 'class="n hot">1<' in listed
    page = officer.get(f"{HOME}/{given_up.id}").text
    assert "读取失败" in page
    assert "重新读取" in page
    assert officer.get(f"{HOME}/{given_up.id}/original").content == mail().as_bytes()


def test_an_arrival_that_kills_its_workers_stands_there_too(deliver, place, session, engine):
    arrival = deliver(mail(), jobs=False)
    session.execute(
        update(Job).where(Job.kind == "intake.read")
        .values(state="leased", deaths=2, lease_until=arrival.received_at - DAY)
    )  # fmt: skip
    session.commit()
    assert sweep(engine) == 1
    run_jobs(place)
    assert (now_of(session, arrival).state, arrival.reason) == ("waiting", "unreadable")


def test_an_officer_reads_the_original_and_registers_it(given_up, officer, session):
    path = f"{HOME}/{given_up.id}"
    bad = officer.post(path, {"rev": given_up.version, "to": "new", "words": "没到账",
                              "address": "nobody"})  # fmt: skip
    assert bad.status_code == 422
    assert "没到账" in bad.text
    officer.post(path, {"rev": given_up.version, "to": "new", "words": "赎回款没有到账",
                        "address": "li@example.com"})  # fmt: skip
    arrival = now_of(session, given_up)
    assert (arrival.state, arrival.settled_name) == ("filed", "沈若溪")
    case = session.get_one(Case, (session.tenant, arrival.case_id))
    assert (case.story, case.received_at) == ("赎回款没有到账", arrival.received_at)
    who = session.get_one(Investor, (session.tenant, case.complainant_id))
    assert who.email == "li@example.com"
    kept = session.scalars(select(EvidenceFile.sha256).where(EvidenceFile.case_id == case.id))
    assert arrival.raw_sha256 in kept.all()


def test_an_officer_adds_it_to_a_case_or_puts_it_aside(given_up, officer, deliver, session):
    filed = deliver(mail(message_id="<2@x>", sender="li@example.com"))
    case = session.get_one(Case, (session.tenant, filed.case_id))
    path = f"{HOME}/{given_up.id}"
    officer.post(path, {"rev": given_up.version, "to": "nothing", "reason": "乱码广告"})
    aside = now_of(session, given_up)
    assert (aside.state, aside.note) == ("ignored", "乱码广告")
    officer.post(path, {"rev": aside.version, "to": "case", "number": case.number,
                        "words": "补充合同编号"})  # fmt: skip
    assert now_of(session, given_up).state == "joined"
    said = select(Entry.body).where(
        Entry.case_id == case.id, Entry.kind == EntryKind.MESSAGE_IN.value
    )
    assert session.scalars(said).all() == ["补充合同编号"]


def test_it_is_read_again_when_the_fault_is_mended(given_up, officer, session, place):
    answer = officer.post(f"{HOME}/{given_up.id}/again", {"rev": given_up.version})
    assert answer.status_code == 303
    assert now_of(session, given_up).state == "received"
    run_jobs(place)
    arrival = now_of(session, given_up)
    assert (arrival.state, arrival.reason) == ("filed", "new")
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert "arrival.read_again" in kinds
    late = officer.post(f"{HOME}/{given_up.id}/again", {"rev": arrival.version})
    assert late.status_code == 409


def test_given_up_twice_it_waits_again(given_up, officer, session, place, monkeypatch):
    def fail(_arrival):
        raise MemoryError

    officer.post(f"{HOME}/{given_up.id}/again", {"rev": given_up.version})
    session.execute(
        update(Job).where(Job.kind == "intake.read", Job.state == "queued")
        .values(attempts=tasks.TRIES - 1)
    )  # fmt: skip
    session.commit()
    with monkeypatch.context() as away:
        away.setattr(readers, "read", fail)
        run_jobs(place, ahead=timedelta(seconds=1))
    assert now_of(session, given_up).state == "waiting"


def test_nobody_reads_it_within_a_working_day_and_it_is_a_case(given_up, session, place):
    run_jobs(place, ahead=timedelta(days=20))
    arrival = now_of(session, given_up)
    assert (arrival.state, arrival.reason) == ("filed", "overdue")
    case = session.get_one(Case, (session.tenant, arrival.case_id))
    assert case.received_at == arrival.received_at


def test_put_aside_and_read_again_after_its_day_it_is_still_registered(
    given_up, officer, session, place, monkeypatch
):
    officer.post(f"{HOME}/{given_up.id}", {"rev": given_up.version, "to": "nothing", "reason": "?"})
    run_jobs(place, ahead=timedelta(days=20))
    aside = now_of(session, given_up)
    assert aside.state == "ignored"
    officer.post(f"{HOME}/{given_up.id}/again", {"rev": aside.version})
    session.execute(
        update(Job).where(Job.kind == "intake.read", Job.state == "queued")
        .values(attempts=tasks.TRIES - 1)
    )  # fmt: skip
    session.commit()
    with monkeypatch.context() as away:
        away.setattr(readers, "read", lambda _arrival: 1 / 0)
        run_jobs(place, ahead=timedelta(days=20))
    arrival = now_of(session, given_up)
    assert (arrival.state, arrival.reason) == ("filed", "overdue")


def test_the_clock_of_an_earlier_reading_makes_no_complaint_of_spam(
    deliver, place, session, broken, officer
):
    sent = mail(X_Spam_Flag="YES")
    arrival = deliver(sent, envelope={"from": "chen@example.com"}, jobs=False)
    session.execute(update(Job).where(Job.kind == "intake.read").values(attempts=tasks.TRIES - 1))
    session.commit()
    run_jobs(place, ahead=timedelta(seconds=1))
    broken.undo()
    arrival = now_of(session, arrival)
    assert (arrival.state, arrival.reason) == ("waiting", "unreadable")
    officer.post(f"{HOME}/{arrival.id}/again", {"rev": arrival.version})
    run_jobs(place, ahead=timedelta(days=20))
    arrival = now_of(session, arrival)
    assert (arrival.state, arrival.reason) == ("waiting", "spam")
