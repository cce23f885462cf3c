"""What others may quote and read: settings, figures, programs."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.sdk import Part, Period, today
from huiyin.testing.history import closed_case
from huiyin_survey_satisfaction import (
    figures_of,
    invitations,
    plugin,
    tasks,
    tokens,
)
from huiyin_survey_satisfaction.models import Campaign, Invitation, Response
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings

from .conftest import STAFF, lent


def test_drafted_settings_say_what_they_would_change(ask, invite, respondents, system):
    campaign = ask()
    for token, overall in zip(invite(campaign, 3), "123", strict=True):
        respondents().answer(token, overall=overall)
    old = SurveySatisfactionSettings()
    new = SurveySatisfactionSettings(low_score=50, few=30, batch=9)
    said = " ".join(str(m) for m in plugin.preview_settings(system, old, new))
    assert "低分由 2 份变为 3 份" in said
    assert "满 9 份" in said
    assert plugin.preview_settings(system, old, old) == []


def test_the_rating_is_held_against_cases_of_the_same_kind(
    session, make_actor, system, ask, invite
):
    """Somebody with only hard cases is not worse than somebody with only easy ones."""
    easy, hard, both = (make_actor("complaint_officer") for _ in range(3))
    campaign = ask()
    for who, kind, score in (
        (easy, "C1", 80), (both, "C1", 90), (hard, "A1", 40), (both, "A1", 30),
    ):  # fmt: skip
        case = closed_case(session, people={Part.OWNER: who}, category=kind)
        session.add(
            Response(
                campaign_id=campaign.id, version_id=campaign.version_id, signed=True,
                case_id=case.id, on_day=today(), segment="", score=score, low=False,
            )
        )  # fmt: skip
    session.commit()
    period = Period(today() - timedelta(days=5), today())
    found = {m.subject: (m.value, m.n) for m in figures_of.rating(system, period)}
    # Mean of all 60; C1 has 85 on average, A1 has 35.
    assert found[easy.id] == (pytest.approx(80 / 85 * 60), 1)
    assert found[hard.id] == (pytest.approx(40 / 35 * 60), 1)
    assert found[both.id] == (pytest.approx(120 / 120 * 60), 2)


def test_the_response_rate_is_of_everybody_who_was_asked(ask, invite, respondents, system, session):
    tokens_ = invite(ask(), 4)
    session.execute(text("UPDATE plugin_survey_satisfaction__invitation SET sent_on = made_on"))
    session.commit()
    respondents().answer(tokens_[0])
    session.expire_all()
    period = Period(today(), today())
    (rate,) = figures_of.response_rate(system, period)
    assert (rate.value, rate.n, rate.proofs) == (0.25, 4, ())
    assert figures_of.invited(system, period) == [], "nobody was asked about a case"
    earlier = Period(today() - timedelta(9), today() - timedelta(5))
    assert figures_of.response_rate(system, earlier) == []


@pytest.fixture
def asked_about(ask, case, system, session, respondents, on, supervisor):
    """Four cases asked about by a survey; the first two answered, one signed where that may be."""

    def make(naming):
        campaign = ask(naming=naming, rest_days=0)
        numbers = []
        for n in range(4):
            walled = [supervisor.id] if n == 3 else []
            complaint = case(email=f"{naming}{n}@investor.test", walled=walled)
            numbers.append(complaint.number)
            one = invitations.invite_case(system, campaign, complaint)
            one.state, one.sent_on = "sent", today()
            session.commit()
            sign = (
                "anonymous" if naming == "anonymous" or (naming, n) == ("choice", 1) else "signed"
            )
            if n < 2:
                respondents().answer(tokens.token_of(system.tenant.id, one.id), sign=sign)
        session.expire_all()
        return numbers

    return make


def proved(measured):
    return {
        proof.path.removeprefix("/w/cases/"): proof.counted
        for one in measured
        for proof in one.proofs
    }


def test_who_was_asked_about_is_proved_case_by_case(asked_about, system, ctx):
    numbers = [n for naming in ("signed", "choice", "anonymous") for n in asked_about(naming)]
    period = Period(today(), today())
    (asked,) = figures_of.invited(system, period)
    assert (asked.value, asked.n) == (12.0, 12)
    assert proved([asked]) == dict.fromkeys(numbers, 1.0)
    (seen,) = figures_of.invited(ctx, period)
    assert set(proved([seen])) == {n for i, n in enumerate(numbers) if i % 4 != 3}


def test_who_answered_is_proved_only_where_every_answer_is_signed(asked_about, system, session):
    signed, choice, anonymous = (asked_about(n) for n in ("signed", "choice", "anonymous"))
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__invitation i SET state = 'turned_in'"
            " FROM plugin_survey_satisfaction__campaign c, case_file f WHERE c.id = i.campaign_id"
            " AND f.id = i.case_id AND c.naming = 'anonymous' AND f.number IN (:a, :b)"
        ),
        {"a": anonymous[0], "b": anonymous[1]},
    )
    (rate,) = figures_of.response_rate(system, Period(today(), today()))
    assert rate.n == 12
    assert rate.value == pytest.approx(5 / 12)
    assert proved([rate]) == dict(zip(signed, (1.0, 1.0, 0.0, 0.0), strict=True))
    assert not set(proved([rate])) & {*choice, *anonymous}


def test_programs_read_results_and_ask_about_a_case(ask, case, api, supervisor, on, handler):
    campaign = ask()
    complaint = case(by=handler)
    root = "/api/v1/p/qinghe/x/survey-satisfaction"
    program = api(supervisor)
    results = program.get(f"{root}/campaigns/{campaign.id}/results")
    assert results.status_code == 200
    assert results.json()["answers"] == 0
    at = f"{root}/cases/{complaint.number}/invitations"
    made = [
        program.ask("POST", at, json={"campaign": str(campaign.id)}).json()["id"] for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(program.get(at).json()["invitations"]) == 1
    assert program.ask("POST", at, json={}).status_code == 422
    assert program.ask("POST", at, data={"campaign": str(campaign.id)}).status_code == 422
    assert api(handler).get(at).status_code == 403
    assert program.get(f"{root}/cases/TS-0000-0000/invitations").status_code == 404
    assert api(supervisor, "case.read").get(f"{root}/campaigns").status_code == 404


def test_old_contacts_and_sheets_are_forgotten(ask, invite, respondent, session, system):
    (token,) = invite(ask(), 1)
    base = respondent.begin(token)
    respondent.post(f"{base}/1", overall="3")
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__invitation SET made_on = made_on - 400;"
            " UPDATE plugin_survey_satisfaction__sheet SET expires_on = expires_on - 400"
        )
    )
    session.commit()
    tasks.tend(system, {})
    session.commit()
    session.expire_all()
    one = session.scalars(select(Invitation)).one()
    assert (one.name, one.email) == ("", "")
    assert session.execute(
        text("SELECT count(*) FROM plugin_survey_satisfaction__sheet")
    ).scalar_one() == 0  # fmt: skip


def test_the_demonstration_fills_a_firm_that_every_page_can_show(
    ctx, session, on, browser, actor, case, place
):
    for n in range(6):
        case(email=f"demo{n}@investor.test")
    plugin.demonstrate(lent(session, place, ctx.actor))
    session.commit()
    shown = session.scalars(select(Campaign)).all()
    assert len(shown) == 3
    for campaign in shown:
        for tab in ("", "/results", "/response", "/cross", "/texts", "/invitations"):
            assert browser.get(f"{STAFF}/campaigns/{campaign.id}{tab}").status_code == 200
