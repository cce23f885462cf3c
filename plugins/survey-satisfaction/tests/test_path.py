"""The whole way: a case is closed, its complainant asked and dissatisfied, and it is reviewed."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.sdk import Event, today, uuid7
from huiyin_survey_satisfaction import invitations, plugin, tasks, tokens
from huiyin_survey_satisfaction import reviews as judging
from huiyin_survey_satisfaction.errors import HandledOne
from huiyin_survey_satisfaction.models import Invitation, Response, Review

from .conftest import PUBLIC, STAFF, lent, words_of


def closed(ctx, case, kind="case.closed"):
    plugin.on_event(ctx, Event(uuid7(), kind, case.id, {}))
    ctx.session.commit()


@pytest.fixture
def review_of(session):
    def read():
        session.rollback()
        return session.scalars(select(Review)).one()

    return read


def test_a_low_score_is_concluded_by_somebody_who_did_not_handle_the_case(
    ask, case, system, work, mailbox, respondent, web, supervisor, review_of, session
):
    ask()
    complaint = case()
    closed(system, complaint)
    work()
    (mail,) = mailbox.mails
    assert mail["To"] == "chen@investor.test"
    assert complaint.number in mail.get_body().get_content()
    (token,) = mailbox.links()

    entrance = respondent.get(token)
    assert entrance.status_code == 200
    assert "checked" not in entrance.text
    done = respondent.answer(token, overall="1", solved="no", why="slow", words="太慢了")
    assert done.headers["location"] == f"{PUBLIC}/{token}/done"
    assert "谢谢" in words_of(respondent.browser.get(done.headers["location"]))

    review = review_of()
    assert review.case_id == complaint.id
    browser = web(supervisor)
    shown = words_of(browser.get(f"{STAFF}/reviews/{review.id}"))
    assert "太慢了" in shown
    assert "很不满意" in shown
    missing = browser.post(f"{STAFF}/reviews/{review.id}", {"finding": "", "cause": ""})
    assert missing.status_code == 422
    ended = browser.post(
        f"{STAFF}/reviews/{review.id}",
        {"finding": "没有按约定回电", "cause": "RC3-2", "training": "on"},
    )
    assert ended.status_code == 303
    review = review_of()
    assert (review.state, review.cause, review.training) == ("concluded", "RC3-2", True)
    events = dict(
        session.execute(
            text("SELECT kind, payload FROM outbox_event WHERE kind LIKE 'survey_satisfaction:%'")
        ).all()
    )
    assert events["survey_satisfaction:low_score"] == {"case": str(complaint.id)}
    assert events["survey_satisfaction:review_concluded"] == {
        "case": str(complaint.id), "cause": "RC3-2", "training": True,
    }  # fmt: skip


def test_whoever_handled_the_case_cannot_conclude_not_even_past_the_page(
    ask, case, handler, system, work, mailbox, respondent, web, review_of, session
):
    ask()
    complaint = case(by=handler)
    closed(system, complaint)
    work()
    respondent.answer(*mailbox.links(), overall="1")
    review = review_of()
    browser = web(handler)
    assert "须由未参与办理的人员复核" in words_of(browser.get(f"{STAFF}/reviews/{review.id}"))
    form = {"finding": "都很好", "cause": "RC3-2"}
    assert browser.post(f"{STAFF}/reviews/{review.id}", form).status_code == 403
    with pytest.raises(Exception, match="not_a_handler"):
        session.execute(
            text(
                "UPDATE plugin_survey_satisfaction__review SET state = 'concluded',"
                " concluded_by = :who WHERE id = :id"
            ),
            {"who": handler.id, "id": review.id},
        )


def test_a_good_score_makes_no_review(ask, case, system, work, mailbox, respondent, session):
    ask()
    closed(system, case())
    work()
    respondent.answer(*mailbox.links(), overall="4")
    assert session.scalars(select(Review)).all() == []
    assert session.scalars(select(Response)).one().score == 75


def test_told_twice_somebody_is_asked_once(ask, case, system, work, mailbox, session, on):
    ask()
    complaint = case()
    for _ in range(2):
        closed(system, complaint)
        work()
    assert len(mailbox.mails) == 1
    assert len(session.scalars(select(Invitation)).all()) == 1


@pytest.mark.parametrize("outcome", ["withdrawn", "transferred", "declined", "merged"])
def test_nobody_is_asked_about_a_case_that_did_not_go_its_way(
    ask, case, system, work, mailbox, outcome, session, on
):
    ask()
    closed(system, case(outcome=outcome))
    work()
    assert mailbox.mails == []
    assert session.scalars(select(Invitation)).all() == []


def test_an_investor_is_left_in_peace_for_the_rest_period(
    ask, case, system, work, mailbox, session, on
):
    ask(rest_days=90)
    closed(system, case())
    closed(system, case())
    work()
    assert len(mailbox.mails) == 1
    states = session.scalars(select(Invitation.state)).all()
    assert sorted(states) == ["resting", "sent"]


@pytest.fixture
def unsigned(ask, case, handler, system, session, respondents, work, on):
    """Five low unsigned answers about cases of which the handler had one."""

    def give(campaign=None):
        campaign = campaign or ask(naming="anonymous", rest_days=0)
        for n in range(5):
            complaint = case(email=f"p{n}@investor.test", **({"by": handler} if n == 3 else {}))
            one = invitations.invite_case(system, campaign, complaint)
            one.state, one.sent_on = "sent", today()
            session.commit()
            token = tokens.token_of(system.tenant.id, one.id)
            respondents().answer(token, sign="anonymous", overall="1")
        tasks.tend(system, {})
        session.commit()
        session.expire_all()
        return session.scalars(select(Review).order_by(Review.id)).all()

    return give


def test_of_unsigned_answers_nobody_is_judge_who_handled_a_case_that_was_asked_about(
    unsigned, handler, supervisor, actor, web, session
):
    reviews = unsigned()
    assert len(reviews) == 5
    assert {tuple(review.barred) for review in reviews} == {tuple(sorted((handler.id, actor.id)))}
    at = f"{STAFF}/reviews/{reviews[0].id}"
    form = {"finding": "没有问题", "cause": "RC3-2", "training": "on"}
    theirs = web(handler)
    assert "不记名的回答须由未参与办理的人员复核" in words_of(theirs.get(at))
    refused = theirs.post(at, form)
    assert refused.status_code == 403
    assert "您参与过这项调查所问案件的办理" in words_of(refused)
    browser = web(supervisor)
    page = browser.get(at).text
    assert 'name="training"' not in page
    assert "不在这里安排培训" in page
    assert browser.post(at, form).status_code == 303
    session.expire_all()
    assert [r.training for r in reviews if r.state == "concluded"] == [False]


def test_whoever_joins_a_case_afterwards_is_barred_from_its_unsigned_answer_too(
    unsigned, ask, case, supervisor, place, session, system
):
    campaign = ask(naming="anonymous", rest_days=0)
    review, *_ = unsigned(campaign)
    ctx = lent(session, place, supervisor)
    assert judging.may_conclude(ctx, review, None)
    late = case(email="late@investor.test", by=supervisor)
    one = invitations.invite_case(system, campaign, late)
    one.made_on = today() + timedelta(days=1)
    session.commit()
    assert judging.may_conclude(ctx, review, None), "asked after the answer came"
    one.made_on = today()
    session.commit()
    with pytest.raises(HandledOne):
        judging.conclude(ctx, review.id, judging.ReviewForm(finding="没有", cause="RC3-2"))


def test_an_unsigned_answer_of_a_periodic_survey_bars_nobody(
    ask, invite, respondents, system, session, on
):
    campaign = ask(trigger="periodic", source="list", naming="anonymous", start=False)
    tokens_ = invite(campaign, 5)
    campaign.state = "running"
    session.commit()
    for token in tokens_:
        respondents().answer(token, sign="anonymous", overall="1")
    tasks.tend(system, {})
    assert [r.barred for r in session.scalars(select(Review))] == [[]] * 5


def test_every_review_is_reached_page_by_page(ask, ctx, supervisor, web, session, on, make_actor):
    """Also beyond two hundred, and also when the one a page ended with is concluded meanwhile."""
    campaign = ask()
    wanted = []
    for n in range(230):
        response = Response(
            id=uuid.uuid4(), campaign_id=campaign.id, version_id=campaign.version_id,
            signed=False, on_day=today(), low=True,
        )  # fmt: skip
        session.add(response)
        session.flush()
        review = Review(
            id=uuid.uuid4(), response_id=response.id, due_on=today() + timedelta(days=n % 3)
        )
        session.add(review)
        wanted.append(review)
    session.commit()
    wanted.sort(key=lambda review: (review.due_on, review.id))
    seen, after = [], None
    while len(seen) < 400:
        lines, more = judging.listed(ctx, "open", after)
        seen += [line.review.id for line in lines]
        if not more:
            break
        after = uuid.UUID(more)
        if len(seen) == judging.PAGE:
            form = judging.ReviewForm(finding="没有", cause="RC3-2")
            judging.conclude(ctx, lines[-1].review.id, form)
    assert seen == [review.id for review in wanted]
    session.commit()
    browser = web(supervisor)
    assert "229 份低分回答等待复核" in words_of(browser.get(f"{STAFF}/"))
    last = browser.get(f"{STAFF}/reviews?state=open&after={wanted[-31].id}")
    assert "本页 30 份" in words_of(last)
    assert browser.get(f"{STAFF}/reviews?state=open&after=x").status_code == 404
