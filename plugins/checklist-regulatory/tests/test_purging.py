"""What was declared to end, ends on its day, and nothing before."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import TenantContext, at_local, today
from huiyin.testing.web import run_jobs
from huiyin_checklist_regulatory import evidence, findings, packs, plugin, purging, runs
from huiyin_checklist_regulatory.models import (
    Action,
    Evidence,
    Finding,
    Run,
    RunEvent,
    RunItem,
    SampleCase,
    Vouch,
)
from huiyin_checklist_regulatory.schemas import (
    ActionForm,
    CloseForm,
    DoneForm,
    RetestForm,
    ReviewForm,
    SampleForm,
    VouchForm,
)
from huiyin_checklist_regulatory.terms import SampleResult, Voucher

SEALED = date(2012, 6, 30)
LAST = date(2022, 6, 30)  # the last day on which it is kept
FIRST = LAST + timedelta(days=1)
WHOLE = (Run, RunItem, SampleCase, RunEvent, Finding, Action, Evidence)


@pytest.fixture
def on_day(monkeypatch):
    """``on_day(day, act)`` does it as it is done on that day."""

    def do(day, act, *given):
        with monkeypatch.context() as patched:
            patched.setattr(TenantContext, "now", lambda _: at_local(day, 12))
            return act(*given)

    return do


@pytest.fixture
def purge_on(on_day, lend, session):
    def do(day):
        session.commit()
        on_day(day, purging.purge, lend("supervisor"), {})
        session.commit()
        session.expire_all()

    return do


@pytest.fixture
def left(session):
    def count(*tables):
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]

    return count


@pytest.fixture
def long_ago(lend, tiny_pack, cases, kit, people, session, on_day):
    """A run of 2012, sealed, with its file, its drawn cases and its finding."""
    run = runs.begin(lend("approver"), kit.run_form(sample_size=2), "old")
    file = io.BytesIO(b"minutes of 2012")
    evidence.add_file(lend("approver"), runs.item(lend("approver"), run.id, 1), "m.txt", file)
    for place, answer in ((1, "not_met"), (2, "unverified")):
        runs.assign(lend("approver"), run.id, place, people["investigator"].id)
        kit.say(lend("investigator"), run, place, answer, "张三没有回电")
    for drawn in evidence.sample(lend("approver"), run.id):
        form = SampleForm(result=SampleResult.PASS, note="张三的件没有问题")
        runs.judge_sample(lend("approver"), run.id, drawn.case_id, form)
    on_day(SEALED, runs.submit, lend("approver"), run.id)
    sealed = on_day(SEALED, runs.review, lend("supervisor"), run.id, ReviewForm(decision="seal"))
    on_day(SEALED, findings.raise_rest, lend("supervisor"), sealed)
    session.commit()
    return sealed


@pytest.fixture
def close(lend, people, session, on_day):
    """``close(day)``: the finding is mended, tested by another and closed on that day."""

    def do(day):
        (finding,) = session.scalars(select(Finding)).all()
        form = ActionForm(title="补一份制度", owner=people["officer"].id)
        made = findings.plan(lend("supervisor"), finding.id, form, "a1")
        findings.finish(lend("officer"), made.id, DoneForm(proof="已补"))
        findings.test(lend("supervisor"), made.id, RetestForm(result="pass", note="已看过"))
        on_day(day, findings.close, lend("approver2"), finding.id, CloseForm(note="不会再有"))
        session.commit()

    return do


def test_what_is_declared_is_what_is_carried_out():
    assert {p.retention_months for p in plugin.MANIFEST.personal_data} == {purging.KEPT}
    (job,) = [job for job in plugin.jobs() if job.name == purging.PURGE]
    assert job.every == timedelta(days=1)
    for day, first in ((date(2024, 2, 29), date(2014, 2, 28)), (FIRST, date(2012, 7, 1))):
        assert purging.ends(day) == first


def test_a_run_ends_whole_ten_years_after_its_seal_and_the_seal_stays_in_the_ledger(
    long_ago, close, purge_on, left, session
):
    seal = long_ago.seal
    close(SEALED)
    there = left(*WHOLE)
    assert all(there)
    purge_on(LAST)
    assert left(*WHOLE) == there
    purge_on(FIRST)
    assert left(*WHOLE) == [0] * len(WHOLE)
    entries = "SELECT count(*) FROM ledger_entry WHERE kind = :kind"
    told = {"kind": "checklist_regulatory:purged"}
    assert session.execute(text(entries), told).scalar_one() == 1
    kept = text("SELECT count(*) FROM ledger_entry WHERE convert_from(doc, 'UTF8') LIKE :seal")
    assert session.execute(kept, {"seal": f"%{seal}%"}).scalar_one() >= 1
    purge_on(FIRST)
    assert session.execute(text(entries), told).scalar_one() == 1


@pytest.mark.parametrize("closed", [None, FIRST])
def test_a_run_waits_for_its_finding(long_ago, close, purge_on, left, closed):
    if closed is not None:
        close(closed)
    there = left(*WHOLE)
    purge_on(FIRST)
    assert left(*WHOLE) == there


def test_the_bytes_of_its_files_go_too(
    long_ago, close, purge_on, session, place, site, switched_on
):
    close(SEALED)
    (key,) = session.scalars(select(Evidence.blob_key).where(Evidence.blob_key.is_not(None)))
    with site.blobs.open(key) as stream:
        assert stream.read()
    purge_on(FIRST)
    run_jobs(place)
    with pytest.raises(FileNotFoundError), site.blobs.open(key):
        pass


def test_a_piece_a_day_and_the_rest_on_the_next(long_ago, close, purge_on, left, monkeypatch):
    close(SEALED)
    monkeypatch.setattr(purging, "RUNS", 0)
    purge_on(FIRST)
    assert left(Run) == [1]
    monkeypatch.setattr(purging, "RUNS", 1)
    purge_on(FIRST)
    assert left(Run) == [0]


def test_who_vouched_is_forgotten_and_the_item_is_to_be_verified_again(
    lend, tiny_pack, purge_on, left, session, on_day
):
    form = VouchForm(kind=Voucher.READ, person="甲", on=SEALED, source="全文")
    on_day(SEALED, packs.vouch, lend("investigator"), "tiny", "1", form)
    session.execute(text("UPDATE plugin_checklist_regulatory__vouch SET at = :at"),
                    {"at": at_local(SEALED, 12)})  # fmt: skip
    purge_on(LAST)
    assert left(Vouch) == [1]
    purge_on(FIRST)
    assert left(Vouch) == [0]
    assert packs.vouches(lend("investigator"), "tiny") == {}


def test_what_is_younger_is_deleted_by_nobody(handed_in, lend, purge_on, left, session):
    run = runs.review(lend("supervisor"), handed_in.id, ReviewForm(decision="seal"))
    findings.raise_rest(lend("supervisor"), run)
    form = VouchForm(kind=Voucher.READ, person="甲", on=today(), source="全文")
    packs.vouch(lend("investigator"), "tiny", "1", form)
    purge_on(today())
    assert all(left(Run, Finding, Vouch))
    for table in ("finding", "run", "vouch"):
        with pytest.raises(IntegrityError, match="not deleted before"), session.begin_nested():
            session.execute(text(f"DELETE FROM plugin_checklist_regulatory__{table}"))
