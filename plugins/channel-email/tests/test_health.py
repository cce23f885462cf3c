"""The health card, the connection test, and the page that shows how mail comes in."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from huiyin.plugins import checking
from huiyin.plugins.models import ChannelCheck
from huiyin.queue.models import Job
from huiyin.queue.worker import TimedOut
from huiyin.sdk import Condition, now, rehearse
from huiyin.testing.mail import Sink
from huiyin.testing.web import run_jobs
from huiyin_channel_email import health, plugin, pulling
from huiyin_channel_email.models import Mailbox
from huiyin_channel_email.settings import ChannelEmailSettings

from .conftest import mail

ADMIN = "/t/qinghe/admin/plugins/channel_email"


def conditions(ctx):
    return {check.title.key: check.condition for check in health.health(ctx)}


def test_a_firm_without_a_way_in_is_told_so(ctx):
    found = conditions(ctx)
    assert found["没有收信方式"] == Condition.BAD
    assert found["还没有收到过来信"] == Condition.WARN


def test_what_waits_and_when_it_last_came_stand_there(ctx, deliver, monkeypatch):
    monkeypatch.setenv("HUIYIN_MAIL_DOMAIN", "in.test")
    monkeypatch.setenv("HUIYIN_MAIL_LISTEN", "lmtp://127.0.0.1:8024")
    deliver(mail())
    deliver(mail("另一件事", message_id="<2@x>"))
    found = conditions(ctx)
    assert found["收信地址"] == Condition.GOOD
    assert found["最近来信"] == Condition.GOOD
    assert found["来信待识别"] == Condition.WARN


def test_trouble_with_the_mailbox_is_said(session, ctx):
    chosen = ChannelEmailSettings(pull=True, host="imap.example.com", user="u")
    lent = rehearse(plugin, session, name="channel_email", settings=chosen)
    assert conditions(lent)["从邮箱收取"] == Condition.WARN
    session.add(Mailbox(taken=3, error="login"))
    session.flush()
    assert conditions(lent)["从邮箱收取"] == Condition.BAD
    assert pulling.ERRORS["login"] in {
        check.detail.key for check in health.health(lent) if check.detail
    }


@pytest.fixture
def admin(make_actor, web):
    return web(make_actor("tenant_admin", name="林之航"))


def test_an_administrator_tests_the_channel(admin, ctx, session, place, monkeypatch):
    with Sink().running() as sink:
        monkeypatch.setenv("HUIYIN_SMTP_URL", sink.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@in.test")
        monkeypatch.setenv("HUIYIN_MAIL_DOMAIN", "in.test")
        monkeypatch.setenv("HUIYIN_MAIL_LISTEN", "lmtp://127.0.0.1:8024")
        page = admin.get(f"{ADMIN}?tab=runs")
        assert "发送测试" in page.text
        assert admin.post(f"{ADMIN}/test", {"channel": "email"}).status_code == 303
        assert "正在测试" in admin.get(f"{ADMIN}?tab=runs").text
        run_jobs(place)
        assert sink.parsed()[0]["To"] == "qinghe@in.test"
    assert "qinghe@in.test" in admin.get(f"{ADMIN}?tab=runs").text
    row = session.scalars(select(ChannelCheck)).one()
    assert row.asked_name == "林之航"
    assert row.done_at is not None


def broken(_ctx):
    raise RuntimeError("4000 secrets")


@pytest.mark.parametrize("ending", ["fails", "is interrupted", "kills its worker"])
def test_a_test_that_comes_to_nothing_says_so(
    admin, ctx, session, place, monkeypatch, caplog, ending
):
    def interrupted(_ctx):
        raise TimedOut

    run = interrupted if ending == "is interrupted" else broken
    monkeypatch.setattr(health, "_try_sending", run)
    assert admin.post(f"{ADMIN}/test", {"channel": "email"}).status_code == 303
    if ending == "kills its worker":
        session.execute(update(Job).values(state="leased", deaths=2, lease_until=now()))
        session.commit()
    run_jobs(place, ahead=timedelta(minutes=1))
    row = session.scalars(select(ChannelCheck)).one()
    assert row.done_at is not None
    page = admin.get(f"{ADMIN}?tab=runs").text
    assert "测试没有完成" in page
    assert "正在测试" not in page
    assert "secrets" not in caplog.text


def test_a_channel_that_is_none_is_not_tested(admin, ctx):
    assert admin.post(f"{ADMIN}/test", {"channel": "post"}).status_code == 404


def test_an_officer_sees_how_it_is_and_an_investigator_does_not(make_actor, web, ctx):
    officer = web(make_actor("complaint_officer"))
    assert "没有收信方式" in officer.get("/t/qinghe/w/x/channel-email").text
    assert officer.get("/t/qinghe/w/help/channel_email:mail").status_code == 200
    investigator = web(make_actor("investigator"))
    assert investigator.get("/t/qinghe/w/x/channel-email").status_code == 404


def test_a_health_card_that_fails_says_so(admin, ctx, monkeypatch, place):
    def broken(_ctx):
        raise RuntimeError

    channel = replace(plugin.EMAIL, health=broken)
    assert checking.health_of(ctx, channel)[0].title.key == "无法读取渠道状况"
