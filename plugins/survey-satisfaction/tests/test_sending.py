"""How they are asked: mails, reminders, letters, and the cards beside a case."""

import io
import re

from pypdf import PdfReader
from sqlalchemy import select, text

from huiyin.sdk import today
from huiyin_survey_satisfaction import (
    invitations,
    panels,
    plugin,
    tasks,
    tokens,
)
from huiyin_survey_satisfaction.models import Invitation

from .conftest import PUBLIC, STAFF, lent, words_of


def age(session, days):
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__invitation SET sent_on = sent_on - :d,"
            " made_on = made_on - :d, reminded_on = reminded_on - :d"
        ),
        {"d": days},
    )
    session.commit()
    session.expire_all()


def test_those_who_did_not_answer_are_reminded_so_often_and_no_more(
    ask, invite, session, work, mailbox, system, respondents
):
    campaign = ask(reminders=2, remind_days=7)
    signed, unsigned, _ = invite(campaign, 3)
    session.execute(text("UPDATE plugin_survey_satisfaction__invitation SET sent_on = made_on"))
    session.commit()
    respondents().answer(signed)
    respondents().answer(unsigned, sign="anonymous")
    sent = []
    for _ in range(4):
        age(session, 8)
        tasks.tend(system, {})
        session.commit()
        work()
        sent.append(len(mailbox.mails))
    assert sent == [1, 2, 2, 2]
    assert {mail["To"] for mail in mailbox.mails} == {"person2@investor.test"}
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 2


def test_a_refused_mailbox_is_shown_and_a_letter_can_be_made(
    ask, case, system, work, mailbox, session, browser, respondent
):
    campaign = ask()
    mailbox.refuse = "550 no such user"
    invitations.invite_case(system, campaign, case())
    session.commit()
    work()
    one = session.scalars(select(Invitation)).one()
    session.refresh(one)
    assert (one.state, one.refusal) == ("undeliverable", 550)
    at = f"{STAFF}/invitations/{one.id}"
    assert "未送达" in words_of(browser.get(at))
    letter = browser.post(f"{at}/letter")
    said = "".join(p.extract_text() for p in PdfReader(io.BytesIO(letter.content)).pages)
    token = tokens.token_of(system.tenant.id, one.id)
    assert token in re.sub(r"[\s\u200b]", "", said)
    session.refresh(one)
    assert (one.state, one.road) == ("sent", "letter")
    link = words_of(browser.post(f"{at}/link"))
    assert "已记入账本" in link
    kinds = session.scalars(text("SELECT kind FROM ledger_entry")).all()
    assert {"survey_satisfaction:letter_made", "survey_satisfaction:link_shown"} <= set(kinds)


def test_without_a_mail_server_there_are_letters(ask, case, system, work, session, monkeypatch):
    monkeypatch.delenv("HUIYIN_SMTP_URL", raising=False)
    invitations.invite_case(system, ask(), case())
    session.commit()
    work()
    one = session.scalars(select(Invitation)).one()
    assert (one.state, one.road) == ("waiting", "letter")


def test_whoever_handled_the_case_neither_asks_nor_holds_the_link(
    ask, case, handler, web, on, system, session
):
    campaign = ask()
    complaint = case(by=handler)
    browser = web(handler)
    asked = browser.post(f"{STAFF}/cases/{complaint.number}", {"campaign": str(campaign.id)})
    assert asked.status_code == 403
    one = invitations.invite_case(system, campaign, complaint)
    session.commit()
    at = f"{STAFF}/invitations/{one.id}"
    assert browser.get(at).status_code == 403
    assert browser.post(f"{at}/link").status_code == 403
    assert browser.post(f"{at}/letter").status_code == 403


def test_those_named_in_a_case_do_not_know_of_its_survey(
    ask, case, supervisor, browser, system, session, respondent
):
    campaign = ask()
    complaint = case(walled=[supervisor.id])
    one = invitations.invite_case(system, campaign, complaint)
    session.commit()
    respondent.answer(tokens.token_of(system.tenant.id, one.id), overall="1", words="暗号词")
    assert browser.get(f"{STAFF}/invitations/{one.id}").status_code == 404
    assert complaint.number not in browser.get(f"{STAFF}/reviews").text
    at = f"{STAFF}/campaigns/{campaign.id}"
    assert str(one.id) not in browser.get(f"{at}/invitations").text
    assert "暗号词" not in browser.get(f"{at}/texts").text
    assert "暗号词" not in browser.get(f"{at}/export.csv").content.decode("utf-8-sig")


def test_the_complainant_finds_the_survey_on_the_tracking_page_until_it_is_answered(
    ask, case, system, session, respondents
):
    complaint = case()
    one = invitations.invite_case(system, ask(), complaint)
    one.state = "sent"
    session.commit()
    token = tokens.token_of(system.tenant.id, one.id)
    assert f"{PUBLIC}/{token}" in str(panels.for_complainant(system, complaint).body)
    respondents().begin(token, "anonymous")
    session.expire_all()
    assert panels.for_complainant(system, complaint) is None


def test_the_handler_reads_beside_the_case_a_signed_score_and_no_sign_of_an_unsigned_one(
    ask, case, system, session, respondents, place, actor
):
    campaign = ask()
    first, second = case(), case(email="li@investor.test")
    for complaint, sign in ((first, "signed"), (second, "anonymous")):
        one = invitations.invite_case(system, campaign, complaint)
        one.state, one.sent_on = "sent", today()
        session.commit()
        token = tokens.token_of(system.tenant.id, one.id)
        respondents().answer(token, sign=sign, overall="2")
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__invitation SET state = 'turned_in'"
            " WHERE state = 'sent'"
        )
    )
    session.commit()
    session.expire_all()
    reader = lent(session, place, actor)
    assert "得分 25" in str(plugin.case_panels(reader, first).body)
    unsigned = str(plugin.case_panels(reader, second).body)
    assert "已发出" in unsigned
    assert "作答" not in unsigned
    assert plugin.case_panels(reader, case(email="z@investor.test")) is None
