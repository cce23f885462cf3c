"""A first password is set by its holder, through a link that opens once."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from huiyin.db import platform_session, tenant_session
from huiyin.identity import throttle
from huiyin.identity.models import Account, PasswordLink
from huiyin.identity.service import find_account
from huiyin.kit.time import now
from huiyin.ledger.models import LedgerEntry
from huiyin.letters import mailer, welcome
from huiyin.queue.models import Job
from huiyin.queue.registry import REGISTRY
from huiyin.queue.worker import drain
from huiyin.testing.mail import Sink

PEOPLE = "/t/qinghe/admin/people"
NEW = {"email": "ning@qinghe.test", "name": "沈佳宁", "roles": "investigator"}
PHRASE = "a long and private phrase"
SET = {"new": PHRASE, "again": PHRASE}


@pytest.fixture
def web_plugins():
    return ()


@pytest.fixture
def admin(web, make_actor):
    return web(make_actor("tenant_admin", name="林之航"))


@pytest.fixture
def account(engine):
    def known():
        with platform_session(engine) as session:
            return find_account(session, NEW["email"]).id

    return known


def shown(page):
    return urlsplit(re.search(r'id="initial" readonly value="([^"]+)"', page.text)[1]).path


@pytest.fixture
def link(admin):
    return shown(admin.post(f"{PEOPLE}/new", NEW))


def log_in(browser, password):
    fields = {"login": NEW["email"], "password": password, "next": ""}
    return browser.post("/login", fields).status_code


def test_the_holder_sets_the_password_and_logs_in(link, public, engine, tenant):
    assert "设置密码" in public.get(link).text
    done = public.post(link, SET)
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert log_in(public, PHRASE) == 303
    with tenant_session(engine, tenant.id) as session:
        row = session.scalars(select(PasswordLink)).one()
        assert row.used_at is not None
        assert link[-43:].encode() not in row.token_hash


def test_a_link_opens_once(link, public):
    public.post(link, SET)
    other = {"new": "somebody else's phrase", "again": "somebody else's phrase"}
    assert public.get(link).status_code == 404
    assert public.post(link, other).status_code == 404
    assert log_in(public, PHRASE) == 303


def test_a_link_is_no_longer_good_after_three_days(link, public, engine, tenant):
    with tenant_session(engine, tenant.id) as session:
        row = session.scalars(select(PasswordLink)).one()
        assert row.expires_at - row.created_at == timedelta(hours=72)
        session.execute(update(PasswordLink).values(expires_at=now() - timedelta(seconds=1)))
        session.commit()
    assert public.get(link).status_code == 404
    assert public.post(link, SET).status_code == 404


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"new": "short", "again": "short"}, "new"), ({"new": PHRASE, "again": "x"}, "again")],
)
def test_a_password_that_will_not_do_leaves_the_link_good(link, public, fields, name):
    page = public.post(link, fields)
    assert page.status_code == 422
    assert f'id="f-{name}-e"' in page.text
    assert PHRASE not in page.text
    assert public.post(link, SET).status_code == 303


def test_a_lost_link_is_replaced_until_a_password_is_set(admin, link, account, public):
    person = f"{PEOPLE}/{account()}"
    assert "重新生成链接" in admin.get(person).text
    again = shown(admin.post(f"{person}/link"))
    assert public.get(link).status_code == 404
    assert public.post(again, SET).status_code == 303
    assert "重新生成链接" not in admin.get(person).text
    assert admin.post(f"{person}/link").status_code == 404


def test_nobody_gets_a_link_for_an_account_with_a_password(admin, make_actor):
    member = make_actor("investigator")
    assert admin.post(f"{PEOPLE}/{member.id}/link").status_code == 404


def test_a_link_of_one_firm_opens_nothing_in_another(link, public, make_tenant):
    make_tenant("wanlan", number_prefix="WL")
    assert public.get(link.replace("/t/qinghe/", "/t/wanlan/")).status_code == 404


def test_guessing_is_throttled(public, tenant, link):
    for _ in range(throttle.LINK.limit):
        assert public.get(f"/t/{tenant.slug}/welcome/guess").status_code == 404
    assert public.get(f"/t/{tenant.slug}/welcome/guess").status_code == 429
    assert public.post(link, SET).status_code == 429


# -- mailed to its holder --------------------------------------------------------------------------


@pytest.fixture
def sink(monkeypatch):
    with Sink().running() as server:
        monkeypatch.setenv("HUIYIN_SMTP_URL", server.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "letters@qinghe.test")
        monkeypatch.setenv("HUIYIN_PUBLIC_URL", "https://huiyin.test")
        yield server


@pytest.fixture
def mailed(sink, engine):
    """Do the jobs; the path of the link in the newest mail."""

    def newest():
        with REGISTRY.isolated() as empty:
            empty.handler(welcome.SEND)(welcome.send)
            drain(engine)
        mail = sink.parsed()[-1]
        assert mail["To"] == NEW["email"]
        return urlsplit(re.search(r"https://\S+", mail.get_body().get_content())[0]).path

    return newest


def test_where_mail_is_sent_the_administrator_never_sees_the_link(
    admin, public, mailed, engine, tenant, account
):
    page = admin.post(f"{PEOPLE}/new", NEW)
    assert page.status_code == 200
    assert "链接已发往本人的登录邮箱" in page.text
    assert "/welcome/" not in page.text
    first = mailed()
    with tenant_session(engine, tenant.id) as session:
        payloads = [str(job.payload) for job in session.scalars(select(Job))]
    assert not any(first[-43:] in payload for payload in payloads)
    assert "/welcome/" not in admin.post(f"{PEOPLE}/{account()}/link").text
    second = mailed()
    assert public.get(first).status_code == 404
    assert public.post(second, SET).status_code == 303
    assert log_in(public, PHRASE) == 303


@pytest.fixture
def refused(sink, engine, monkeypatch):
    """Do the jobs while the server refuses the address for good."""

    def answer(*_):
        raise mailer.Undeliverable(550)

    def go():
        with monkeypatch.context() as patch, REGISTRY.isolated() as empty:
            patch.setattr(mailer, "send", answer)
            empty.handler(welcome.SEND)(welcome.send)
            drain(engine)

    return go


def test_a_link_that_did_not_arrive_is_seen_and_another_is_handed_over(
    admin, public, refused, account, engine, tenant
):
    admin.post(f"{PEOPLE}/new", NEW)
    person = f"{PEOPLE}/{account()}"
    assert "未能送达" not in admin.get(person).text
    refused()
    page = admin.get(person).text
    assert f"未能送达 {NEW['email']}" in page
    assert "邮件服务器答复 550" in page
    assert "生成链接并交给本人" in page
    link = shown(admin.post(f"{person}/link"))
    page = admin.get(person).text
    assert "未能送达" not in page
    assert public.post(link, SET).status_code == 303
    assert log_in(public, PHRASE) == 303
    with tenant_session(engine, tenant.id) as session:
        kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)).all()
    assert "member.link_handed_over" in kinds
    assert "member.link_renewed" not in kinds


def test_nobody_is_shown_a_link_that_was_sent(admin, mailed, account):
    admin.post(f"{PEOPLE}/new", NEW)
    mailed()
    page = admin.post(f"{PEOPLE}/{account()}/link").text
    assert "/welcome/" not in page


def test_the_mail_speaks_the_language_of_the_account(admin, sink, mailed, account, engine):
    admin.post(f"{PEOPLE}/new", NEW)
    mailed()
    first = sink.parsed()[-1]
    assert first["Subject"].endswith("：请设置登录密码")
    assert f"{NEW['name']}，您好：" in first.get_body().get_content()
    with platform_session(engine) as session:
        session.get_one(Account, account()).language = "en"
        session.commit()
    admin.post(f"{PEOPLE}/{account()}/link")
    mailed()
    second = sink.parsed()[-1]
    assert second["Subject"].startswith("Set your password for ")
    assert "opens once" in second.get_body().get_content()
    assert "您好" not in second.get_body().get_content()
