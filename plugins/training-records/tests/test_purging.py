"""What was declared to end, ends on its day, and nothing before."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from huiyin.sdk import TenantContext, at_local, now, today, uuid7
from huiyin_training_records import consulting, imports, plugin, purging, records
from huiyin_training_records.library_models import Consultation, ImportRow, ImportRun
from huiyin_training_records.models import Assignment, Attempt, Certificate, Expert
from huiyin_training_records.schemas import ExpertForm, RecogniseForm
from huiyin_training_records.standing import add_months

from .conftest import HOME, text_of


@pytest.fixture
def purge_on(monkeypatch, ctx_of, session):
    """``purge_on(day)`` does the daily job as it will be done on that day."""

    def do(day):
        session.commit()
        with monkeypatch.context() as patched:
            patched.setattr(TenantContext, "now", lambda _: at_local(day, 3))
            purging.purge(ctx_of(), {})
        session.commit()
        session.expire_all()

    return do


def after(months, day=None):
    """The last day on which it is kept, and the first on which it is not."""
    end = add_months(day or today(), months)
    return end, end + timedelta(days=1)


def test_what_is_declared_is_what_is_carried_out():
    declared = {item.retention_months for item in plugin.MANIFEST.personal_data}
    assert declared == set(purging.KEPT.values())
    (job,) = [job for job in plugin.jobs() if job.name == purging.PURGE]
    assert job.every == timedelta(days=1)


def test_rows_and_file_of_an_import_end_after_a_year(
    course, learner, ctx_of, admin, session, site, purge_on, switched_on, web
):
    file = io.BytesIO(
        "姓名,部门,课程编号,完成日期\n周岚,,KC-01,2025-03-18\n没有人,,KC-01,x".encode()
    )
    run = imports.begin(ctx_of(admin), ("去年.csv", file))
    imports.check(ctx_of(), {"run": str(run.id)})
    key = run.blob_key
    kept, gone = after(12)
    purge_on(kept)
    assert (session.query(ImportRow).count(), run.state) == (2, "checked")
    purge_on(gone)
    assert (session.query(ImportRow).count(), run.blob_key, run.state) == (0, "", "expired")
    (payload,) = session.execute(
        text("SELECT payload FROM job WHERE kind LIKE '%training_records:forget'")
    ).scalars()
    assert payload == {"keys": [key]}
    purging.forget(ctx_of(), payload)
    assert not site.blobs.exists(key)
    page = text_of(web(admin).get(f"{HOME}/manage/imports/{run.id}"))
    assert "内容已过保存期" in page
    assert "下载错误文件" not in page
    assert "没有人" not in page


def test_bytes_that_are_still_named_are_not_forgotten(course, ctx_of, admin, session, site):
    file = io.BytesIO("姓名,部门,课程编号,完成日期\n周岚,,KC-01,2025-03-18".encode())
    run = imports.begin(ctx_of(admin), ("去年.csv", file))
    purging.forget(ctx_of(), {"keys": [run.blob_key]})
    assert site.blobs.exists(run.blob_key)


def test_a_piece_a_day_and_the_rest_on_the_next(ctx_of, admin, session, purge_on, monkeypatch):
    session.add_all(
        ImportRun(id=uuid7(), file_name="x.csv", blob_key=f"k{n}", sha256="", by=admin.id,
                  at=now(), state="done")
        for n in range(purging.FILES + 2)
    )  # fmt: skip
    _, gone = after(12)

    def left():
        return session.query(ImportRun).filter(ImportRun.blob_key != "").count()

    purge_on(gone)
    assert left() == 2
    purge_on(gone)
    assert left() == 0


def test_what_was_answered_ends_after_ten_years_and_the_score_stays(
    course, learner, ctx_of, admin, session, purge_on
):
    row = records.recognise(
        ctx_of(admin),
        RecogniseForm(
            person=learner.id, course=course.id, completed_on=today(), proof="签到表第 3 页"
        ),
    )
    session.flush()
    tried = Attempt(
        id=uuid7(), assignment_id=row.id, number=1, drawn=[], answers={"q0": [1]}, score=100,
        passed=True, started_at=now(), submitted_at=now(),
    )  # fmt: skip
    session.add(tried)
    kept, gone = after(120)
    purge_on(kept)
    assert tried.answers == {"q0": [1]}
    purge_on(gone)
    assert (tried.answers, tried.score) == ({}, 100)


def test_a_training_ends_with_all_that_hangs_on_it_after_twenty_years(
    course, learner, approver, ctx_of, admin, session, purge_on
):
    for who in (learner, approver):
        form = RecogniseForm(
            person=who.id, course=course.id, completed_on=today(), proof="签到表第 3 页"
        )
        records.recognise(ctx_of(admin), form)
    kept, gone = after(240)
    session.execute(
        update(Assignment)
        .where(Assignment.account_id == approver.id)
        .values(valid_until=gone + timedelta(days=9))
    )
    purge_on(kept)
    assert session.query(Certificate).count() == 2
    purge_on(gone)
    (left,) = session.query(Assignment).all()
    assert left.account_id == approver.id, "still valid"
    assert session.query(Certificate).count() == 1
    purge_on(gone + timedelta(days=10))
    assert session.query(Assignment).count() == 0


def test_a_contact_ends_five_years_after_it_was_last_of_use(ctx_of, admin, session, purge_on):
    ctx = ctx_of(admin)
    idle, asked = (
        consulting.enter_expert(ctx, ExpertForm(kind="counsel", name=name, contact="13800000000"))
        for name in ("甲律师", "乙律师")
    )
    kept, gone = after(60)
    session.add(
        Consultation(
            id=uuid7(), subject="问", question="问", expert_id=asked.id, asked_by=admin.id,
            asked_at=at_local(kept),
        )
    )  # fmt: skip
    purge_on(kept)
    assert (idle.contact, asked.contact) == ("13800000000", "13800000000")
    purge_on(gone)
    assert (idle.contact, asked.contact) == ("", "13800000000")
    purge_on(after(60, kept)[1])
    assert {e.contact for e in session.query(Expert)} == {""}


def test_what_was_purged_is_recorded_and_nothing_when_there_was_nothing(
    ctx_of, admin, session, purge_on
):
    query = text("SELECT count(*) FROM ledger_entry WHERE kind LIKE '%training_records:purged'")
    purge_on(after(12)[1])
    assert session.execute(query).scalar_one() == 0
    consulting.enter_expert(ctx_of(admin), ExpertForm(kind="counsel", name="甲", contact="1380000"))
    purge_on(after(60)[1])
    assert session.execute(query).scalar_one() == 1
