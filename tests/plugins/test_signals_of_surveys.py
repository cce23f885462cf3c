"""The scoring plugin's signals about surveys, with the survey plugin as it really is."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from huiyin.sdk import Part, Period, today, uuid7
from huiyin.testing.history import closed_case
from huiyin_scoring_incentive import signals
from huiyin_survey_satisfaction import campaigns, invitations, questionnaires
from huiyin_survey_satisfaction.campaigns import CampaignForm
from huiyin_survey_satisfaction.wording import State

BOTH = ("scoring_incentive", "survey_satisfaction")


@pytest.fixture
def web_plugins():
    return BOTH


@pytest.fixture
def lent(place, session, tenant, make_actor):
    """What each plugin is lent when a supervisor works, both being switched on."""
    for name in BOTH:
        session.execute(
            text(
                "INSERT INTO plugin_activation (tenant_id, id, plugin, active, changed_at)"
                " VALUES (:tenant, :id, :name, true, now())"
            ),
            {"tenant": tenant.id, "id": uuid7(), "name": name},
        )
    session.commit()
    place.host.forget()
    supervisor = make_actor("supervisor")
    return lambda name: place.host.hooks_in(session, tenant, actor=supervisor).context(name)


def begin(ctx, naming):
    made = questionnaires.take(ctx, "after_case")
    questionnaires.publish(ctx, made, "1")
    form = CampaignForm(title="满意度", questionnaire=str(made.id), naming=naming, rest_days=0)
    return campaigns.start(ctx, campaigns.save(ctx, form).id)


@pytest.mark.parametrize("naming", ["signed", "anonymous"])
def test_the_signals_know_which_cases_were_asked_about_and_answered_signed(
    lent, session, make_actor, naming
):
    survey = lent("survey_satisfaction")
    campaign = begin(survey, naming)
    owners = [make_actor("complaint_officer", name=name) for name in ("周岚", "李想")]
    for n in range(16):
        case = closed_case(session, people={Part.OWNER: owners[n % 2]})
        if n % 4 == 1:
            continue  # of the second one's eight cases four are never asked about
        one = invitations.invite_case(survey, campaign, case)
        one.state, one.sent_on = State.SENT.value, today()
        if n % 2:
            one.state = State.ANSWERED.value if naming == "signed" else State.TURNED_IN.value
    session.commit()
    period = Period(today() - timedelta(days=40), today())
    found = {s.code: s for s in signals.signals(lent("scoring_incentive"), period)}
    if naming == "anonymous":
        assert found["answered"].lines == ()
        assert "没有与案件对应" in found["answered"].unknown
        return
    asked, told = (
        {line.name: (line.k, line.n) for line in found[code].lines}
        for code in ("invited", "answered")
    )
    assert asked == {"周岚": (8, 8), "李想": (4, 8)}
    assert told == {"周岚": (0, 8), "李想": (4, 4)}


def test_cases_of_unsigned_surveys_are_not_taken_for_unanswered(lent, session, make_actor):
    survey = lent("survey_satisfaction")
    owners = [make_actor("complaint_officer", name=name) for name in ("周岚", "李想")]
    for owner, naming in zip(owners, ("signed", "anonymous"), strict=True):
        campaign = begin(survey, naming)
        for _ in range(8):
            case = closed_case(session, people={Part.OWNER: owner})
            one = invitations.invite_case(survey, campaign, case)
            one.state, one.sent_on = State.SENT.value, today()
            if naming == "signed":
                one.state = State.ANSWERED.value
    session.commit()
    period = Period(today() - timedelta(days=40), today())
    found = {s.code: s for s in signals.signals(lent("scoring_incentive"), period)}
    assert {line.name for line in found["answered"].lines} == {"周岚"}
    assert {line.name for line in found["invited"].lines} == {"周岚", "李想"}
