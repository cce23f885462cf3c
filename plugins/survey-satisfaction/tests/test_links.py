"""Links: used, expired, foreign, guessed; answering page by page, with bad input."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.sdk import today
from huiyin_survey_satisfaction import tokens
from huiyin_survey_satisfaction.models import Answer, Invitation, Response, Sheet

from .conftest import PUBLIC, words_of


@pytest.fixture
def open_link(ask, invite):
    (token,) = invite(ask())
    return token


def test_a_used_link_says_so_and_counts_no_second_answer(open_link, respondents, session):
    respondents().answer(open_link)
    again = respondents()
    page = again.get(open_link)
    assert page.status_code == 410
    assert "每个链接只能用一次" in words_of(page)
    assert again.post(f"{open_link}/begin", sign="signed").status_code == 410
    sent = again.post(f"{open_link}/3", solved="yes")
    assert sent.headers["location"] == f"{PUBLIC}/{open_link}/done"
    assert len(session.scalars(select(Response)).all()) == 1


def test_the_last_page_sent_twice_counts_once(open_link, respondent, session):
    base = respondent.begin(open_link)
    respondent.post(f"{base}/1", overall="4")
    respondent.post(f"{base}/2")
    for _ in range(2):
        sent = respondent.post(f"{base}/3", solved="yes")
        assert sent.headers["location"].endswith("/done")
    assert len(session.scalars(select(Response)).all()) == 1


def test_an_expired_link_shows_other_ways(open_link, respondent, session, make_tenant, tenant):
    session.execute(
        text("UPDATE plugin_survey_satisfaction__invitation SET expires_on = :day"),
        {"day": today() - timedelta(days=1)},
    )
    session.execute(text("SELECT 1"))
    session.commit()
    page = respondent.get(open_link)
    assert page.status_code == 410
    assert "链接已过有效期" in words_of(page)
    assert f'href="/p/{tenant.slug}/track"' in page.text
    assert respondent.post(f"{open_link}/begin", sign="signed").status_code == 410


def test_a_link_of_an_ended_survey_is_over(ask, invite, ctx, respondent):
    from huiyin_survey_satisfaction import campaigns  # noqa: PLC0415

    campaign = ask()
    (token,) = invite(campaign)
    campaigns.end(ctx, campaign.id)
    ctx.session.commit()
    assert respondent.get(token).status_code == 410


def test_a_link_of_another_firm_is_a_guess(open_link, respondent, make_tenant, off, place, engine):
    from huiyin.testing.factories import tenant_session  # noqa: PLC0415

    from .conftest import switch  # noqa: PLC0415

    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as theirs:
        switch(theirs, other, active=True)
    place.host.forget()
    foreign = respondent.browser.get(f"/p/yuancen/survey/{open_link}")
    guessed = respondent.browser.get(f"/p/yuancen/survey/{'a' * tokens.LENGTH}")
    assert foreign.status_code == guessed.status_code == 404
    assert foreign.text.replace(open_link, "") == guessed.text.replace("a" * tokens.LENGTH, "")


def test_guessing_is_stopped_and_right_links_are_not_counted(open_link, respondent):
    for _ in range(25):
        assert respondent.get(open_link).status_code == 200
    answers = [respondent.get("a" * tokens.LENGTH).status_code for _ in range(22)]
    assert answers[:20] == [404] * 20
    assert answers[-1] == 429


@pytest.mark.parametrize("token", ["x", "a" * 25, "a" * 27, "%00" * 26, "ballot", "é" * 26])
def test_what_is_no_link_leads_nowhere(token, respondent):
    assert respondent.get(token).status_code in {404, 405, 410}


def test_a_signed_answer_can_be_left_and_gone_on_with_elsewhere(open_link, respondents):
    first, second = respondents(), respondents()
    base = first.begin(open_link)
    first.post(f"{base}/1", overall="2")
    entrance = second.get(open_link)
    assert "继续作答" in words_of(entrance)
    assert 'value="2" checked' in second.get(f"{open_link}/1").text


def test_nothing_is_chosen_beforehand(open_link, respondent):
    assert "checked" not in respondent.get(open_link).text
    base = respondent.begin(open_link)
    for number in (1, 2, 3):
        assert "checked" not in respondent.get(f"{base}/{number}").text
        respondent.post(f"{base}/{number}", overall="3", solved="yes")


@pytest.mark.parametrize(
    ("page", "fields", "said"),
    [
        (1, {}, "请选择一项"),
        (1, {"overall": "6"}, "请从给出的选项中选择"),
        (1, {"overall": "'; DROP"}, "请从给出的选项中选择"),
        (2, {"aspects-timely": "9"}, "请从给出的选项中选择"),
        (3, {}, "请选择一项"),
        (3, {"solved": "maybe"}, "请从给出的选项中选择"),
        (3, {"solved": "yes", "words": "长" * 501}, "最多 500 个字"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_question(open_link, respondent, page, fields, said):
    base = respondent.begin(open_link)
    if page > 1:
        respondent.post(f"{base}/1", overall="3")
    if page > 2:
        respondent.post(f"{base}/2")
    answer = respondent.post(f"{base}/{page}", **fields)
    assert answer.status_code == 422
    assert said in words_of(answer)
    if "words" in fields:
        assert "长长长" in answer.text
        assert 'value="yes" checked' in answer.text


def test_the_choice_to_sign_must_be_made(open_link, respondent, session):
    answer = respondent.post(f"{open_link}/begin")
    assert answer.status_code == 422
    assert "请选择记名或不记名" in words_of(answer)
    assert session.scalars(select(Sheet)).all() == []


def test_a_required_question_skipped_by_address_is_asked_again(open_link, respondent, session):
    base = respondent.begin(open_link)
    sent = respondent.post(f"{base}/3", solved="yes")
    assert sent.headers["location"] == f"{PUBLIC}/{base}/1"
    assert session.scalars(select(Response)).all() == []


def test_an_answer_that_is_no_longer_asked_for_is_let_go(open_link, respondent, session):
    base = respondent.begin(open_link)
    respondent.post(f"{base}/1", overall="3")
    respondent.post(f"{base}/2")
    failed = respondent.post(f"{base}/3", solved="no", words="长" * 501)
    assert failed.status_code == 422
    respondent.post(f"{base}/3", solved="yes", why=["slow"])
    answers = session.scalars(select(Answer.question)).all()
    assert "why" not in answers


def test_every_page_is_whole_without_a_script_and_in_english(open_link, respondent):
    import re  # noqa: PLC0415

    respondent.get(f"{open_link}?lang=en")
    base = respondent.begin(open_link)
    assert "Neutral" in words_of(respondent.get(f"{base}/1"))
    for path in (open_link, f"{base}/1", f"{base}/2", f"{base}/3"):
        page = respondent.get(path)
        assert page.text.count("<h1") == 1, path
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)", page.text)
        shown = words_of(page).replace("投诉处理满意度", "").replace("中文", "")
        assert not re.search(r"[\u4e00-\u9fff]", shown), shown
        respondent.post(path, overall="3", solved="yes")


def test_a_text_names_the_case_it_is_about_if_the_answer_is_signed(
    ask, case, system, work, mailbox, respondents, session
):
    from huiyin_survey_satisfaction import invitations  # noqa: PLC0415

    campaign = ask("after_answer", trigger="case.answered", naming="choice")
    complaint = case()
    invitations.invite_case(system, campaign, complaint)
    session.commit()
    token = tokens.token_of(system.tenant.id, session.scalars(select(Invitation.id)).one())
    signed, unsigned = respondents(), respondents()
    base = signed.begin(token)
    assert complaint.number in words_of(signed.get(f"{base}/1"))
    base = unsigned.begin(token, "anonymous")
    assert complaint.number not in unsigned.get(f"{base}/1").text
    assert "这件投诉" in words_of(unsigned.get(f"{base}/1"))
