"""Headers on every answer, and what refusals look like."""

from __future__ import annotations

import logging
import re
from types import SimpleNamespace

import pytest
from litestar.datastructures import Cookie
from sqlalchemy.exc import OperationalError

from huiyin.cases import queries
from huiyin.identity.policy import Role
from huiyin.testing import factories
from huiyin.testing.web import OWN_PAGE
from huiyin.web.desk import Desk, OwnCookie

ROLES = tuple(role.value for role in Role)
# A script that the firm's own site loads.  Nothing of anybody is in it.
FOR_OTHER_SITES = {"channel_chat:embed"}
NEVER = ("unsafe-inline", "unsafe-eval", "*", "data:", "http:", "https:")


def is_safe(answer) -> list[str]:
    """What is wrong with the headers of an answer."""
    headers, wrong = answer.headers, []
    policy = headers.get("content-security-policy", "")
    if "default-src 'none'" not in policy or any(word in policy.split() for word in NEVER):
        wrong.append(f"content-security-policy: {policy}")
    if "sandbox" not in policy and "frame-ancestors 'none'" not in policy:
        wrong.append("may be framed")
    fixed = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    wrong += [name for name, value in fixed.items() if headers.get(name) != value]
    wrong += [] if "permissions-policy" in headers else ["permissions-policy"]
    wrong += [name for name in ("server", "x-powered-by") if name in headers]
    return wrong


@pytest.fixture
def person(ours, come):
    """Somebody who may do anything, in a firm with one of everything."""
    browser = come(*ROLES).person
    browser.known = ours.known
    return browser


def test_every_route_carries_them(routes, person, api, public):
    program, wrong = api(person.actor), []
    for route in routes:
        path = route.at(**person.known)
        for client in (program if route.kind == "api" else person, public):
            answer = client.ask(route.method, path)
            if answer.headers.get("cache-control") != "no-store":
                wrong.append(f"{route}: may be kept")
            faults = is_safe(answer)
            if route.name in FOR_OTHER_SITES:
                faults.remove("cross-origin-resource-policy")
            wrong += [f"{route}: {fault}" for fault in faults]
    assert wrong == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/api/v1/nowhere"),
        ("POST", "/t/qinghe/w"),
        ("GET", "/static/css/app.css"),
        ("GET", "/static/nowhere.css"),
        ("GET", "/static/../x"),
        ("GET", "/api/v1/schema/openapi.json"),
        ("OPTIONS", "/login"),
        ("DELETE", "/login"),
        ("GET", "/t/%00/w"),
        ("GET", "/t/qinghe/w/cases/%ff"),
    ],
)
def test_answers_of_no_handler_carry_them_too(method, path, public, tenant):
    answer = public.ask(method, path)
    assert is_safe(answer) == []
    assert answer.status_code < 500


def test_static_files_are_served(public, tenant):
    answer = public.get("/static/css/app.css")
    assert (answer.status_code, answer.headers["content-type"][:8]) == (200, "text/css")


def test_a_page_carries_no_script_or_style_the_policy_would_stop(routes, person):
    inline = re.compile(
        r"<script(?![^>]*\ssrc=)[^>]*>\s*\S|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:"
    )
    found = []
    for route in (r for r in routes if r.kind == "page" and r.is_safe):
        answer = person.get(route.at(**person.known))
        if answer.headers.get("content-type", "").startswith("text/html"):
            found += [f"{route}: {hit}" for hit in inline.findall(answer.text)]
    assert found == []


def test_a_page_asks_for_nothing_of_another_host(routes, person):
    outside = re.compile(r"""(?:src|href|action|hx-\w+)=["'](?:https?:)?//[^"']+""")
    found = []
    for route in (r for r in routes if r.kind == "page" and r.is_safe):
        found += [
            f"{route}: {hit}" for hit in outside.findall(person.get(route.at(**person.known)).text)
        ]
    assert found == []


# -- refusals --


def test_an_unknown_address_is_one_page_for_all(public, tenant):
    assert public.get("/nowhere").status_code == 404
    assert public.get("/nowhere").content == public.get("/also/not/here").content
    assert public.get("/api/v1/nowhere").json()["code"] == "not_found"


def test_a_fault_shows_a_reference_and_nothing_else(person, monkeypatch, caplog):
    secret = "陈建国 13800006021"

    def fail(*_args, **_given):
        raise RuntimeError(secret)

    monkeypatch.setattr(queries, "inbox", fail)
    with caplog.at_level(logging.ERROR, logger="huiyin.web"):
        answer = person.get("/t/qinghe/w")
    assert answer.status_code == 500
    assert secret not in answer.text
    assert "Traceback" not in answer.text
    (record,) = caplog.records
    assert record.args[0] in answer.text
    assert secret not in caplog.text


@pytest.mark.parametrize("layer", ["timeline.entries", "api.open_page"])
def test_a_fault_in_the_api_is_as_silent(layer, person, api, monkeypatch, caplog):
    secret = "13800006021"

    def fail(*_args, **_given):
        raise ValueError(secret)

    monkeypatch.setattr(f"huiyin.cases.{layer}", fail)
    answer = api(person.actor).get(f"/api/v1/t/qinghe/cases/{person.known['number']}")
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert set(answer.json()) == {"code", "message", "reference"}
    assert secret not in answer.text + caplog.text
    assert answer.json()["reference"] in caplog.text


def test_a_database_that_is_away_is_told_as_such(person, api, monkeypatch):
    def fail(*_args, **_given):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(queries, "inbox", fail)
    monkeypatch.setattr(queries, "cases", fail)
    assert person.get("/t/qinghe/w").status_code == 503
    answer = api(person.actor).get("/api/v1/t/qinghe/cases")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_logging_in_leads_back_to_the_page_asked_for(public, tenant):
    answer = public.get("/t/qinghe/w/cases?scope=mine")
    assert answer.headers["location"] == "/login?next=/t/qinghe/w/cases%3Fscope%3Dmine"
    htmx = public.get("/t/qinghe/w", headers={"HX-Request": "true"})
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (401, "/login?next=/t/qinghe/w")


def test_cookies_are_for_the_server_alone(public, engine):
    account = factories.make_account(engine, email="ann@huiyin.test")
    answer = public.ask(
        "POST",
        "/login",
        headers=OWN_PAGE,
        data={"login": account.email, "password": factories.PASSWORD},
    )
    (cookie,) = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("secure", [True, False])
def test_a_cookie_is_written_out_as_the_library_would(secure):
    given = {"key": "hy_x", "value": "Ab-_9", "max_age": 60, "secure": secure}
    usual = Cookie(**given, path="/", httponly=True, samesite="lax")
    assert OwnCookie(**given).to_encoded_header() == usual.to_encoded_header()


@pytest.mark.parametrize("value", ['a"b', "a;b", "a b", "中", "a\r\nSet-Cookie: b"])
def test_a_cookie_that_needs_quoting_is_refused_before_anything_is_committed(value):
    desk = Desk(SimpleNamespace(settings=SimpleNamespace(secure=True)), None)
    with pytest.raises(ValueError, match="quoting"):
        desk.set_cookie("hy_x", value, 60)
