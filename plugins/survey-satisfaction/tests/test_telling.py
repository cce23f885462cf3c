"""No word about a single invitation, at any moment, says whether an unsigned answer came."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.sdk import today
from huiyin_survey_satisfaction import invitations, panels, tasks, telling, tokens
from huiyin_survey_satisfaction.models import Campaign, Invitation

from .conftest import STAFF, words_of


@pytest.fixture
def seven(ask, case, respondents, system, session, work, on):
    """Seven complainants were asked, six of them answered unsigned and were marked."""

    def make(naming):
        campaign = ask(naming=naming, rest_days=0, reminders=1, remind_days=1)
        cases = [case(email=f"p{n}@investor.test") for n in range(7)]
        made = [invitations.invite_case(system, campaign, one) for one in cases]
        for one in made:
            one.state, one.sent_on = "sent", today()
        session.commit()
        for one in made[:6]:
            respondents().answer(tokens.token_of(system.tenant.id, one.id), sign="anonymous")
        tend(system, session, work)
        states = [one.state for one in made]
        assert states == ["turned_in"] * 6 + ["sent"]
        return campaign, cases, made

    return make


def tend(system, session, work):
    tasks.tend(system, {})
    session.commit()
    work()
    session.expire_all()


def later(session, days):
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__invitation SET sent_on = sent_on - :d,"
            " made_on = made_on - :d, expires_on = expires_on - :d"
        ),
        {"d": days},
    )
    session.commit()
    session.expire_all()


def masked(page):
    """Without the mailbox and the form's seal, in which any two pages differ."""
    return re.sub(r"[^\s<>\"]*@investor\.test|<input[^>]*_csrf[^>]*>", "", page)


@pytest.mark.parametrize("naming", ["anonymous", "choice"])
@pytest.mark.parametrize("days", [0, 2, 33])
def test_whoever_answered_unsigned_looks_like_whoever_did_not(
    seven, web, api, supervisor, system, session, work, mailbox, naming, days
):
    campaign, cases, made = seven(naming)
    later(session, days)
    tend(system, session, work)
    later(session, 1)
    tend(system, session, work)
    browser, program = web(supervisor), api(supervisor)
    root = "/api/v1/p/qinghe/x/survey-satisfaction/cases"
    seen = []
    for one, case in ((made[0], cases[0]), (made[6], cases[6])):
        (told,) = program.get(f"{root}/{case.number}/invitations").json()["invitations"]
        assert told.pop("id") == str(one.id)
        page = browser.get(f"{STAFF}/invitations/{one.id}").text
        page = page.partition("<main")[2].replace(str(one.id), "").replace(case.number, "")
        listed = browser.get(f"{STAFF}/campaigns/{campaign.id}/invitations").text
        row = listed.partition(f"{one.id}")[2].partition("</tr>")[0]
        seen.append((str(panels.beside_case(system, case).body), told, masked(page), masked(row)))
    assert seen[0] == seen[1]
    assert "已发出" in seen[0][0]
    counts = words_of(browser.get(f"{STAFF}/campaigns/{campaign.id}/invitations"))
    assert "已发出 7" in counts
    assert "作答" not in counts.partition("全部")[2]
    assert "过期" not in counts.partition("全部")[2]
    found = words_of(browser.get(f"{STAFF}/campaigns/{campaign.id}/invitations?state=turned_in"))
    assert "没有邀请" in found
    sent = words_of(browser.get(f"{STAFF}/campaigns/{campaign.id}/invitations?state=sent"))
    assert "本页 7 人" in sent


def test_in_a_signed_survey_the_state_is_told(ask, case, respondents, system, session, on):
    campaign = ask(naming="signed")
    complaint = case()
    one = invitations.invite_case(system, campaign, complaint)
    one.state, one.sent_on = "sent", today() - timedelta(days=40)
    one.expires_on = today() - timedelta(days=10)
    session.commit()
    tasks.tend(system, {})
    session.commit()
    session.expire_all()
    assert "已过期" in str(panels.beside_case(system, complaint).body)


@pytest.mark.parametrize(
    ("refusal", "road", "sent", "wanted"),
    [
        (0, "letter", False, "waiting"),
        (550, "mail", False, "undeliverable"),
        (550, "letter", True, "sent"),
        (0, "mail", True, "sent"),
    ],
)
def test_one_answered_on_the_tracking_page_is_told_as_its_mail_or_letter_stood(
    ask, invite, session, ctx, refusal, road, sent, wanted
):
    campaign = ask(naming="anonymous")
    invite(campaign)
    one = session.scalars(select(Invitation)).one()
    one.state, one.refusal, one.road = "turned_in", refusal, road
    one.sent_on = today() if sent else None
    session.commit()
    assert telling.told(one, campaign) == wanted
    column = select(telling.told_in_database(campaign)).select_from(Invitation)
    assert session.scalars(column).all() == [wanted]
    if wanted == "sent":
        return
    invitations.put_on_paper(ctx, one)
    assert (one.state, telling.told(one, campaign)) == ("turned_in", "sent")


def test_a_mail_that_comes_too_late_is_dated_and_not_sent(
    ask, invite, session, system, mailbox, tenant
):
    campaign = ask(naming="anonymous")
    invite(campaign, state="turned_in")
    one = session.scalars(select(Invitation)).one()
    assert telling.told(one, campaign) == "waiting"
    tasks.send(system, {"invitation": str(one.id)})
    assert (one.state, telling.told(one, campaign), mailbox.mails) == ("turned_in", "sent", [])


def test_a_reminder_that_is_refused_changes_nothing_that_is_seen(
    ask, invite, session, system, mailbox, tenant
):
    campaign = ask(naming="choice")
    invite(campaign)
    one = session.scalars(select(Invitation)).one()
    mailbox.refuse = "550 no such user"
    tasks.remind(system, {"invitation": str(one.id), "number": 1})
    assert (one.state, one.refusal, one.reminded) == ("sent", 0, 1)
    assert telling.reminded(one, session.get_one(Campaign, (tenant.id, campaign.id))) == 0
