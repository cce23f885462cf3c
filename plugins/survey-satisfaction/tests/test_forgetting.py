"""What the manifest declares to be kept so long is kept so long and no longer."""

import io
from datetime import date

import pytest
from sqlalchemy import func, select

from huiyin_survey_satisfaction import campaigns, forgetting, plugin, tasks
from huiyin_survey_satisfaction.models import Answer, Invitation, Response, Sheet, Tally
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings

from .test_files import PDF, send, token  # noqa: F401 - a fixture

BEGIN = date(2026, 1, 31)


@pytest.fixture
def on_day(monkeypatch, system, work):
    """The hourly job as it runs on a day."""

    def tend(day):
        monkeypatch.setattr(forgetting, "today", lambda: day)
        tasks.tend(system, {})
        system.session.commit()
        work()
        system.session.expire_all()

    return tend


def dated(session, table, **columns):
    for row in session.scalars(select(table)):
        for name, value in columns.items():
            setattr(row, name, value)
    session.commit()


def test_every_column_declared_is_let_go_of_when_its_months_are_over():
    declared = {
        d.column.rpartition("__")[2]: d.retention_months for d in plugin.MANIFEST.personal_data
    }
    assert declared == {
        "invitation.name": forgetting.CONTACT_MONTHS,
        "invitation.email": forgetting.CONTACT_MONTHS,
        "answer.words": forgetting.WORDS_MONTHS,
        "sheet.answers": forgetting.SHEET_MONTHS,
    }
    assert SurveySatisfactionSettings().contact_months <= forgetting.CONTACT_MONTHS


def response_on(session, response, day):
    """A response is never updated; so it is made again with another day."""
    kept = [
        {c.key: getattr(a, c.key) for c in Answer.__table__.columns}
        for a in session.scalars(select(Answer))
    ]
    facts = {c.key: getattr(response, c.key) for c in Response.__table__.columns}
    session.delete(response)
    session.flush()
    session.expunge_all()
    session.add(Response(**{**facts, "on_day": day}))
    session.flush()
    session.add_all([Answer(**one) for one in kept])
    session.commit()


def test_words_go_after_ten_years_and_what_was_ticked_stays(
    ask, invite, respondent, session, on_day, ctx
):
    campaign = ask(naming="signed")
    (link,) = invite(campaign)
    respondent.answer(link, words="铁观音标记", overall="4")
    response_on(session, session.scalars(select(Response)).one(), BEGIN)
    tallied = select(func.sum(Tally.n))
    before = session.scalar(tallied)

    on_day(date(2036, 1, 31))
    assert "铁观音标记" in session.scalars(select(Answer.words)).all()
    on_day(date(2036, 2, 1))
    assert set(session.scalars(select(Answer.words)).all()) == {""}
    assert "overall" in session.scalars(select(Answer.question)).all()
    assert session.scalars(select(Response.score)).one() == 75
    assert session.scalar(tallied) == before


def test_a_file_goes_with_its_name_and_its_bytes(
    token, respondent, session, on_day, place  # noqa: F811 - the fixture
):  # fmt: skip
    respondent.begin(token)
    send(respondent, token, ("凭证.pdf", io.BytesIO(PDF)), overall="5", day="2026-01-01")
    response_on(session, session.scalars(select(Response)).one(), BEGIN)
    key = session.scalars(select(Answer.blob_key).where(Answer.blob_key != "")).one()
    with place.site.blobs.open(key) as stream:
        assert stream.read() == PDF
    on_day(date(2036, 2, 1))
    assert session.scalars(select(Answer).where(Answer.words != "")).all() == []
    with pytest.raises(Exception, match=key.rpartition("/")[2]):
        place.site.blobs.open(key)


@pytest.mark.parametrize(("day", "kept"), [(date(2027, 1, 31), True), (date(2027, 2, 1), False)])
def test_contacts_go_after_the_months_the_firm_chose(ask, invite, session, on_day, day, kept):
    invite(ask())
    dated(session, Invitation, made_on=BEGIN)
    on_day(day)
    one = session.scalars(select(Invitation)).one()
    assert (bool(one.name), bool(one.email)) == (kept, kept)


def test_a_sheet_that_found_no_company_goes_after_half_a_year(
    ask, invite, respondents, session, on_day, system
):
    campaign = ask(naming="anonymous")
    for link in invite(campaign, 4):
        respondents().answer(link, sign="anonymous", words="铁观音标记")
    # Begun at the earliest on the 1st of January, so good until the end of February.
    dated(session, Sheet, expires_on=date(2026, 2, 28))
    on_day(date(2026, 6, 30))
    assert len(session.scalars(select(Sheet)).all()) == 4
    on_day(date(2026, 7, 1))
    assert session.scalars(select(Sheet)).all() == []
    assert session.scalars(select(Response)).all() == []


def test_what_is_counted_in_time_is_not_lost(ask, invite, respondents, session, on_day):
    campaign = ask(naming="anonymous")
    for link in invite(campaign, 5):
        respondents().answer(link, sign="anonymous")
    dated(session, Sheet, expires_on=date(2026, 2, 28))
    on_day(date(2026, 7, 29))
    assert len(session.scalars(select(Response)).all()) == 5


def test_it_goes_in_pieces(ask, invite, respondents, session, on_day, monkeypatch):
    monkeypatch.setattr(forgetting, "PIECE", 2)
    campaign = ask(naming="signed")
    for link in invite(campaign, 3):
        respondents().begin(link)
    dated(session, Sheet, expires_on=BEGIN)
    dated(session, Invitation, made_on=BEGIN)
    left = []
    for _ in range(2):
        on_day(date(2027, 2, 1))
        named = select(func.count()).select_from(Invitation).where(Invitation.name != "")
        sheets = select(func.count()).select_from(Sheet)
        left.append((session.scalar(named), session.scalar(sheets)))
    assert left == [(1, 1), (0, 0)]
    assert campaigns.months_after(date(2026, 3, 31), -1) == date(2026, 2, 28)
