"""What was declared to end, ends on its day, and nothing before."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Period, TenantContext, at_local, today, uuid7
from huiyin_scoring_incentive import appeals, plugin, purging, rounds
from huiyin_scoring_incentive.models import (
    Appeal,
    Award,
    Credit,
    Reward,
    Round,
    RoundInput,
    Score,
)
from huiyin_scoring_incentive.schemas import AppealForm

from .conftest import NOON

OLD = Period(date(2012, 4, 1), date(2012, 6, 30))
LAST = date(2022, 6, 30)  # the last day on which it is kept
FIRST = LAST + timedelta(days=1)


@pytest.fixture
def purge_on(monkeypatch, lend, session):
    """``purge_on(day)`` does the daily job as it is done on that day."""

    def do(day):
        session.commit()
        with monkeypatch.context() as patched:
            patched.setattr(TenantContext, "now", lambda _: at_local(day, 3))
            purging.purge(lend(), {})
        session.commit()
        session.expire_all()

    return do


@pytest.fixture
def left(session):
    def count(*tables):
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]

    return count


@pytest.fixture
def long_ago(lend, formula, cases, count, score_of, session):
    """A round of 2012, published, with an appeal."""
    formula()
    cases(at=datetime(2012, 5, 10, 4, tzinfo=NOON.tzinfo))
    found = count(period=OLD)
    rounds.sign(lend("approver2"), found.id, found.scores_hash)
    rounds.publish(lend("supervisor"), found.id, found.scores_hash)
    (score,) = score_of(found, "officer2")
    form = AppealForm(grounds="有一件重启是因为投诉人补充了新的事实")
    appeals.file(lend("officer2"), score.id, form)
    session.commit()
    return found


def test_what_is_declared_is_what_is_carried_out():
    assert {p.retention_months for p in plugin.MANIFEST.personal_data} == {purging.KEPT}
    (job,) = [job for job in plugin.jobs() if job.name == purging.PURGE]
    assert job.every == timedelta(days=1)
    for day, first in ((date(2024, 2, 29), date(2014, 2, 28)), (FIRST, date(2012, 7, 1))):
        assert purging.ends(day) == first


def test_scores_what_went_in_and_appeals_end_ten_years_after_their_period(
    long_ago, purge_on, left, session
):
    there = left(Appeal, Score, RoundInput)
    assert all(there)
    purge_on(LAST)
    assert left(Appeal, Score, RoundInput) == there
    purge_on(FIRST)
    assert left(Appeal, Score, RoundInput, Round) == [0, 0, 0, 1]
    assert session.get(Round, (long_ago.tenant_id, long_ago.id)).scores_hash
    query = text("SELECT count(*) FROM ledger_entry WHERE kind = :kind")
    kind = {"kind": "scoring_incentive:purged"}
    assert session.execute(query, kind).scalar_one() == 1
    purge_on(FIRST)
    assert session.execute(query, kind).scalar_one() == 1


def test_a_piece_a_day_and_the_rest_on_the_next(long_ago, purge_on, left, monkeypatch):
    monkeypatch.setattr(purging, "PIECE", 3)
    (before,) = left(RoundInput)
    purge_on(FIRST)
    assert left(RoundInput) == [before - 3]
    for _ in range(before):
        purge_on(FIRST)
    assert left(Appeal, Score, RoundInput) == [0, 0, 0]


def test_what_is_younger_is_deleted_by_nobody(published, purge_on, left, session):
    published()
    purge_on(today())
    assert all(left(Score, RoundInput))
    for table in ("score", "input"):
        with pytest.raises(IntegrityError, match="not deleted before"), session.begin_nested():
            session.execute(text(f"DELETE FROM plugin_scoring_incentive__{table}"))


def test_thanks_and_awards_end_ten_years_after_they_were_said(
    cases, staff, purge_on, left, session
):
    case = cases(1)[0]
    for day in (OLD.until, OLD.until + timedelta(days=1)):
        reward = Reward(
            id=uuid7(), year=day.year + day.month, opened_by=staff.executive.id, opener_name="某"
        )
        session.add(reward)
        session.flush()
        session.add_all(
            [
                Credit(
                    id=uuid7(), kind="help" if day == OLD.until else "lesson",
                    case_id=case.id, case_number=case.number,
                    doer_id=staff.officer.id, doer_name="某", by_id=staff.officer2.id,
                    by_name="某", what=f"{day}", at=at_local(day, 12), state="waiting",
                ),
                Award(
                    id=uuid7(), reward_id=reward.id, year=reward.year, honour="奖",
                    nominee_id=staff.officer.id, nominee_name="某", grounds="理由", citation="文",
                    nominated_by=staff.officer2.id, nominator_name="某",
                    nominated_at=at_local(day, 12),
                ),
            ]
        )  # fmt: skip
    purge_on(LAST)
    assert left(Credit, Award) == [2, 2]
    purge_on(FIRST)
    assert left(Credit, Award) == [1, 1]
    purge_on(FIRST + timedelta(days=1))
    assert left(Credit, Award, Reward) == [0, 0, 2]
