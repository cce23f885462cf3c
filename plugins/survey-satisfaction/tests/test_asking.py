"""Whom to ask: lists, draws, rest periods, reminders, letters, the cards, figures, programs."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select, text

from huiyin.sdk import Investor, Part, Period, rehearse, today
from huiyin.testing.factories import tenant_session
from huiyin.testing.history import closed_case
from huiyin_survey_satisfaction import (
    campaigns,
    figures_of,
    invitations,
    panels,
    plugin,
    tasks,
    tokens,
)
from huiyin_survey_satisfaction.models import Campaign, Invitation, Response
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings

from .conftest import PUBLIC, STAFF, lent, words_of

HEAD = "姓名,邮箱,产品,语言"


@pytest.fixture
def browser(web, supervisor, on):
    return web(supervisor)


@pytest.fixture
def listing(ask, on):
    return ask(
        "yearly", start=False, trigger="periodic", source="list", naming="anonymous",
        title="年度调查",
    )  # fmt: skip


def upload(browser, campaign, content, name="list.csv", **fields):
    return browser.ask(
        "POST", f"{STAFF}/campaigns/{campaign.id}/list",
        data={"_csrf": browser.csrf, **fields},
        files={"file": (name, content.encode() if isinstance(content, str) else content)},
        headers={"Sec-Fetch-Site": "same-origin"},
    )  # fmt: skip


def states(session, campaign):
    session.expire_all()
    rows = session.execute(
        select(Invitation.state, Invitation.segment).where(Invitation.campaign_id == campaign.id)
    ).all()
    return sorted(rows)


# -- lists -------------------------------------------------------------------------------------


def test_ten_thousand_rows_are_taken(browser, listing, session):
    rows = "\n".join(f"投资者{n},p{n}@investor.test,稳进{n % 4}号,中文" for n in range(10_000))
    assert upload(browser, listing, f"{HEAD}\n{rows}").status_code == 303
    assert len(states(session, listing)) == 10_000


def test_one_wrong_row_among_ten_thousand_and_nothing_is_taken(browser, listing, session):
    rows = [f"投资者{n},p{n}@investor.test,稳进,中文" for n in range(9_996)]
    rows += ["甲,not-a-mailbox,稳进,", ",x@investor.test,稳进,", "乙,p1@investor.test,稳进,",
             "丙,q@investor.test,稳进,火星文"]  # fmt: skip
    content = "\n".join([HEAD, *rows])
    refused = upload(browser, listing, content)
    assert refused.status_code == 422
    said = words_of(refused)
    for part in ("4 行需要修改", "第 9998 行：邮箱不完整", "第 9999 行：缺少姓名", "重复"):
        assert part in said
    assert states(session, listing) == []
    errors = upload(browser, listing, content, do="errors")
    file = errors.content.decode("utf-8-sig")
    assert "attachment" in errors.headers["content-disposition"]
    assert file.count("\n") == 5
    assert "not-a-mailbox" in file
    assert states(session, listing) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "缺少列"), ("姓名,邮箱\n甲,a@b.test", "缺少列：产品"), (HEAD, "没有数据"),
        (b"\x00\x01\x02", "无法识别"),
        (HEAD + "\n" + "\n".join("甲,a@b.test,c," for _ in range(10_001)), "超过 10000 行"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_told_at_its_field(browser, listing, session, content, said):
    answer = upload(browser, listing, content)
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert states(session, listing) == []


def test_a_survey_with_a_list_does_not_start_without_one(browser, listing):
    answer = browser.post(f"{STAFF}/campaigns/{listing.id}/start")
    assert answer.status_code == 422
    assert "请先导入名单" in words_of(answer)


# -- draws -------------------------------------------------------------------------------------


def test_a_quota_is_drawn_for_each_product_and_the_draw_can_be_repeated(
    browser, ask, ctx, session, work, mailbox, on
):
    rows = "\n".join(f"投资者{n},p{n}@investor.test,{'甲乙'[n % 2]}产品,英文" for n in range(30))
    drawn = []
    for seed in (7, 7, 8):
        campaign = ask(
            "yearly", start=False, trigger="periodic", source="list", quota=5, rest_days=0
        )
        campaign.seed = seed
        session.commit()
        assert upload(browser, campaign, f"{HEAD}\n{rows}").status_code == 303
        assert browser.post(f"{STAFF}/campaigns/{campaign.id}/start").status_code == 303
        work()
        found = states(session, campaign)
        assert [s for s, _ in found].count("sent") == 10
        assert [g for s, g in found if s == "sent"].count("甲产品") == 5
        sent = select(Invitation.email).where(
            Invitation.campaign_id == campaign.id, Invitation.state == "sent"
        )
        drawn.append(set(session.scalars(sent)))
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(mailbox.mails) == 30
    assert mailbox.mails[0]["Subject"].startswith("Please tell us")


def test_the_register_is_asked_once_a_mailbox_and_again_when_its_round_comes(
    ask, session, work, mailbox, system, on
):
    for n in range(3):
        session.add(Investor(name=f"投资者{n}", email=f"p{n // 2}@investor.test"))
    session.add(Investor(name="没有邮箱", phone="13800006021"))
    session.commit()
    campaign = ask("yearly", trigger="periodic", naming="anonymous", every_months=12, rest_days=0)
    work()
    assert len(mailbox.mails) == 2
    session.refresh(campaign)
    assert campaign.next_on == campaigns.months_after(today(), 12)
    campaign.next_on = today()
    session.commit()
    for _ in range(2):
        tasks.tend(system, {})
        session.commit()
        work()
    assert len(mailbox.mails) == 4


def test_the_rest_period_holds_across_surveys(ask, invite, session, work, mailbox, on):
    invite(ask(), 1)
    session.add(Investor(name="投资者", email="PERSON0@investor.test "))
    session.commit()
    campaign = ask("yearly", trigger="periodic", naming="anonymous", rest_days=30)
    work()
    assert mailbox.mails == []
    assert [s for s, _ in states(session, campaign)] == ["resting"]


@pytest.fixture
def other(engine, tenant, actor, place):
    """A second transaction, as another worker's, in a thread of its own."""
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session, ThreadPoolExecutor() as t:
        lent_too = replace(
            rehearse(plugin, session, name="survey_satisfaction"), blobs=place.site.blobs
        )

        def run(act):
            def whole():
                act(lent_too)
                session.commit()

            return t.submit(whole)

        yield run


def waits_for_a_lock(session):
    """Whether somebody comes to wait for one; it takes no longer than looking a thousand times."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(1_000):
        if session.execute(waiting).scalar_one():
            return True
        session.execute(text("SELECT pg_sleep(0.005)"))
    return False


@pytest.mark.parametrize("first", ["draw", "invite"])
def test_two_surveys_at_once_do_not_ask_one_person_twice(
    ask, invite, case, session, system, other, on, tenant, first
):
    drawn = ask("yearly", start=False, trigger="periodic", source="list", rest_days=90)
    second = ask("yearly", start=False, trigger="periodic", source="list", rest_days=90)
    for campaign in (drawn, second):
        invite(campaign, 1, state="planned")
        campaign.state = "running"
    after_case = ask(rest_days=90)
    complaint = case(email="person0@investor.test")
    session.commit()
    if first == "draw":
        assert campaigns.draw(system, drawn) == 1
    else:
        assert invitations.invite_case(system, after_case, complaint).state == "waiting"
    key = (tenant.id, second.id)
    theirs = other(lambda ctx: campaigns.draw(ctx, ctx.session.get_one(Campaign, key)))
    waited = waits_for_a_lock(session)
    session.commit()
    theirs.result(30)
    assert waited
    assert [s for s, _ in states(session, second)] == ["resting"]


def test_a_list_imported_long_ago_is_good_from_the_day_of_the_draw(
    ask, invite, session, work, mailbox, on, ctx
):
    campaign = ask("yearly", start=False, trigger="periodic", source="list", valid_days=30)
    invite(campaign, 2, state="planned")
    session.execute(
        text(
            "UPDATE plugin_survey_satisfaction__invitation SET made_on = made_on - 100,"
            " expires_on = expires_on - 100"
        )
    )
    session.commit()
    campaigns.start(ctx, campaign.id)
    session.commit()
    work()
    session.expire_all()
    for one in session.scalars(select(Invitation)):
        assert (one.state, one.made_on) == ("sent", today())
        assert one.expires_on == today() + timedelta(days=30)
    assert len(mailbox.mails) == 2


@pytest.mark.parametrize(
    ("day", "months", "wanted"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-15", 12, "2027-12-15"),
    ],
)
def test_a_round_returns_on_its_day_or_the_last_of_the_month(day, months, wanted):
    from datetime import date  # noqa: PLC0415

    assert campaigns.months_after(date.fromisoformat(day), months) == date.fromisoformat(wanted)
    assert campaigns.months_after(date.fromisoformat(day), 0) is None


# -- sending -----------------------------------------------------------------------------------


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


# -- cards -------------------------------------------------------------------------------------


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


# -- settings, figures, programs -----------------------------------------------------------------


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
