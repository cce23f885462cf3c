"""Files that are handed in with a signed answer."""

import io

import pytest
from sqlalchemy import select

from huiyin_survey_satisfaction import campaigns, questionnaires
from huiyin_survey_satisfaction.campaigns import CampaignForm
from huiyin_survey_satisfaction.designs import Design, Question, Section, Words
from huiyin_survey_satisfaction.models import Answer, Review, Sheet
from huiyin_survey_satisfaction.wording import QuestionKind

from .conftest import PUBLIC, STAFF, words_of

PDF = b"%PDF-1.7 receipt"


@pytest.fixture
def token(ctx, invite, on):
    """A link to a questionnaire of one page with a rating, a file and a date."""
    asked = (
        Question("overall", QuestionKind.CSAT, Words("满意吗", "Satisfied?"), required=True),
        Question("proof", QuestionKind.FILE, Words("凭证", "Receipt")),
        Question("day", QuestionKind.DATE, Words("哪一天", "Which day?")),
    )
    design = Design(sections=(Section("s1", questions=asked),))
    made = questionnaires.begin(ctx, "带文件", "With a file", design)
    questionnaires.publish(ctx, made, "1")
    form = CampaignForm(title="带文件", questionnaire=str(made.id))
    campaign = campaigns.start(ctx, campaigns.save(ctx, form).id)
    ctx.session.commit()
    return invite(campaign)[0]


def send(respondent, token, file=None, **fields):
    files = {"proof": file} if file else {"proof": ("", b"")}
    return respondent.browser.ask(
        "POST", f"{PUBLIC}/{token}/1/files", data=fields, files=files,
        headers={"Sec-Fetch-Site": "same-origin"},
    )  # fmt: skip


def test_a_file_is_kept_though_the_page_is_mended_and_read_by_the_reviewer(
    token, respondent, session, web, supervisor, make_actor
):
    respondent.begin(token)
    file = ("赎回凭证.pdf", io.BytesIO(PDF))
    mended = send(respondent, token, file, day="someday")
    assert mended.status_code == 422
    assert "已收到：赎回凭证.pdf" in words_of(mended)
    assert "2026-03-18" in words_of(mended)
    done = send(respondent, token, overall="1", day="2026-03-18")
    assert done.headers["location"].endswith("/done")
    kept = session.scalars(select(Answer).where(Answer.question == "proof")).one()
    assert kept.words == "赎回凭证.pdf"
    review = session.scalars(select(Review)).one()
    browser = web(supervisor)
    assert f"/files/{kept.id}" in browser.get(f"{STAFF}/reviews/{review.id}").text
    got = browser.get(f"{STAFF}/files/{kept.id}")
    assert got.content == PDF
    assert "attachment" in got.headers["content-disposition"]
    officer = web(make_actor("complaint_officer"))
    assert officer.get(f"{STAFF}/files/{kept.id}").status_code == 404


@pytest.mark.parametrize("content", [b"", b"MZ\x90\x00program", b"#!/bin/sh\nrm"])
def test_a_program_or_nothing_is_not_taken(token, respondent, session, content):
    respondent.begin(token)
    refused = send(respondent, token, ("a.exe", io.BytesIO(content)), overall="3")
    assert refused.status_code == 422
    assert "请换成文档、图片或录音文件" in words_of(refused)
    assert session.scalars(select(Sheet)).one().answers == {}


def test_an_unsigned_answer_is_not_asked_for_a_file(token, respondent):
    base = respondent.begin(token, "anonymous")
    page = respondent.get(f"{base}/1")
    assert 'type="file"' not in page.text
    assert "凭证" not in words_of(page)
    done = respondent.post(f"{base}/1", overall="5")
    assert done.headers["location"].endswith("/done")


def test_an_export_names_the_file(token, respondent, session, web, supervisor):
    respondent.begin(token)
    send(respondent, token, ("凭证.pdf", io.BytesIO(PDF)), overall="5")
    one = session.scalars(select(Answer)).first()
    csv = web(supervisor).get(f"{STAFF}/campaigns/{one.campaign_id}/export.csv")
    assert "凭证.pdf" in csv.content.decode("utf-8-sig")
