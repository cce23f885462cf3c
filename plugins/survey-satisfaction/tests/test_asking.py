"""Whom to ask: lists, draws, rest periods."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.sdk import Investor, rehearse, today
from huiyin.testing.factories import tenant_session
from huiyin_survey_satisfaction import (
    campaigns,
    invitations,
    plugin,
    tasks,
)
from huiyin_survey_satisfaction.models import Campaign, Invitation

from .conftest import STAFF, words_of
from .given import HEAD, states, upload


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
