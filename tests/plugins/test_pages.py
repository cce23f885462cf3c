"""Pages of a plugin: there when it is on, not there when it is off."""

import re
from importlib import import_module

import pytest

from huiyin.db import platform_session, tenant_session
from huiyin.identity.models import Account
from huiyin.identity.sessions import open_session
from huiyin.identity.tokens import create_token
from huiyin.kit.time import now
from huiyin.plugins import activation

PUBLIC = "/p/qinghe/callback/"
STAFF = "/t/qinghe/w/x/call-back/"
API = "/api/v1/p/qinghe/x/call-back/waiting"


@pytest.fixture
def logged_in(client, engine):
    """The browser of one person."""

    def go(actor):
        with platform_session(engine) as session:
            account = session.get_one(Account, actor.id)
            client.cookies.set("huiyin", open_session(session, account, "test", now()))
            session.commit()
        return client

    return go


def test_a_public_page_stands_at_its_root_while_the_plugin_is_on(client, switched_on):
    page = client.get(PUBLIC)
    assert page.status_code == 200
    assert "我们承诺 24 小时内给您回电" in page.text


def test_it_speaks_english_too(client, switched_on):
    assert "within 24 hours" in client.get(f"{PUBLIC}?lang=en").text


def test_off_it_is_as_if_it_were_not_there(client, switched_on, firm, admin):
    assert client.get(PUBLIC).status_code == 200
    with firm() as session:
        activation.deactivate(switched_on, session, admin, "call_back")
        session.commit()
    off = client.get(PUBLIC)
    assert off.status_code == 404
    assert off.text == client.get("/p/nobody/callback/").text


def test_a_staff_page_asks_for_a_log_in_first(client, switched_on):
    answer = client.get(STAFF, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


def test_a_member_with_the_permission_sees_the_page_and_its_line(logged_in, switched_on, actor):
    page = logged_in(actor).get(STAFF)
    assert page.status_code == 200
    assert "没有待回电" in page.text
    assert 'href="/t/qinghe/w/x/call-back"' in page.text
    assert not re.search(r'w/x/call-back"[^>]*>.*?class="n', page.text)  # nothing waits


def test_what_waits_is_counted_beside_its_line(logged_in, switched_on, actor, firm, case):
    promise = import_module("acme_call_back.models").Promise
    with firm() as session:
        session.add(promise(case_id=case.id, due_at=case.received_at))
        session.commit()
    page = logged_in(actor).get(STAFF)
    assert re.search(r'w/x/call-back"[^>]*>.*?<span class="n">1</span>', page.text)


def test_a_member_without_it_finds_nothing(logged_in, switched_on, second):
    assert logged_in(second).get(STAFF).status_code == 404


def test_off_the_line_and_the_page_are_gone(logged_in, switched_on, actor, firm, admin):
    browser = logged_in(actor)
    with firm() as session:
        activation.deactivate(switched_on, session, admin, "call_back")
        session.commit()
    assert browser.get(STAFF).status_code == 404


def test_a_form_of_a_plugin_is_checked_like_any_other(logged_in, switched_on, actor):
    assert logged_in(actor).post(f"{STAFF}kept", data={"note": "x"}).status_code == 403


def test_a_program_needs_a_token_with_the_permission(client, switched_on, engine, tenant, actor):
    assert client.get(API).status_code == 401
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session:
        token = create_token(session, actor, "test", ["call_back:keep"])
        session.commit()
    answer = client.get(API, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (200, {"waiting": 0})


def test_every_page_carries_the_name_of_its_plugin(client):
    handlers = [
        handler
        for route in client.app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.http_methods != {"OPTIONS"}
    ]
    assert len(handlers) == 4
    assert {handler.opt["plugin"] for handler in handlers} == {"call_back"}
