"""Who gets in where: generated from the routes themselves and the table of permissions."""

from __future__ import annotations

import pytest

from huiyin.identity.policy import ACCOUNT, PUBLIC, Role, known_permissions
from huiyin.kit.errors import HuiyinError
from huiyin.plugins.loading import SHIPPED
from huiyin.web.desk import Desk

ROLES = tuple(role.value for role in Role)


class Reached(HuiyinError):
    """The guard let the request through; nothing behind it is asked."""

    status = 299


@pytest.fixture
def only_the_guard(monkeypatch):
    """Stop every request right behind the guard."""
    opened = Desk.open

    def stop(self, permission, **given):
        opened(self, permission, **given)
        raise Reached

    monkeypatch.setattr(Desk, "open", stop)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("only_the_guard", "tenant")
def test_the_guard_lets_through_exactly_whom_the_table_names(role, routes, come):
    who = come(role)
    known, staff = known_permissions(), [route for route in routes if route.is_staff]
    assert {route.kind for route in staff} == {"page", "api"}
    wrong = []
    for route in staff:
        status = who.visit(route, route.at(tenant="qinghe")).status_code
        allowed = route.permission == ACCOUNT or Role(role) in known[route.permission]
        refused = 401 if route.kind == "api" and who.program is None else 404
        if status != (299 if allowed else refused):
            wrong.append(f"{route}: {status}, allowed: {allowed}")
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_not_see_is_as_if_it_were_not_there(role, routes, come, ours, entries):
    who = come(role)
    nowhere = {"page": who.person.get("/nowhere"), "api": who.person.get("/api/v1/nowhere")}
    before, told = entries(ours.firm), []
    for route in routes:
        if not route.is_staff or route.permission in {*who.actor.permissions, ACCOUNT}:
            continue
        if route.kind == "api" and who.program is None:
            continue
        answer = who.visit(route, route.at(**ours.known))
        if (answer.status_code, answer.content) != (404, nowhere[route.kind].content):
            told.append(f"{route}: {answer.status_code}")
    assert told == []
    assert entries(ours.firm) == before


def test_somebody_not_logged_in_is_sent_to_log_in(routes, ours, public, visitor, entries):
    stranger = visitor(public)
    before, wrong = entries(ours.firm), []
    for route in (route for route in routes if route.permission != PUBLIC):
        answer = stranger.visit(route, route.at(**ours.known))
        if route.kind == "api":
            right = answer.status_code == 401
        else:
            right = (answer.status_code, answer.headers.get("location", "")[:6]) == (303, "/login")
        if not right:
            wrong.append(f"{route}: {answer.status_code}")
    assert wrong == []
    assert entries(ours.firm) == before


def test_another_firm_is_as_if_it_were_not_there(routes, ours, make_tenant, come):
    stranger = come(*ROLES, of=make_tenant("wanlan", number_prefix="WL"))
    wrong = []
    for route in (route for route in routes if route.is_staff):
        theirs = stranger.visit(route, route.at(**ours.known))
        nowhere = stranger.visit(route, route.at(**{**ours.known, "tenant": "nobody"}))
        expected = 401 if route.kind == "api" else 404
        if (theirs.status_code, theirs.content) != (expected, nowhere.content):
            wrong.append(f"{route}: {theirs.status_code}")
    assert wrong == []


def test_another_firms_number_is_any_unknown_number(routes, ours, make_tenant, come):
    who = come(*ROLES, of=make_tenant("wanlan", number_prefix="WL"))
    own, wrong = {**ours.known, "tenant": "wanlan"}, []
    for route in (route for route in routes if route.is_staff and "{number" in route.path):
        theirs = who.visit(route, route.at(**own))
        random = who.visit(route, route.at(**{**own, "number": "WL-2026-4711"}))
        if (theirs.status_code, theirs.content) != (random.status_code, random.content):
            wrong.append(f"{route}: {theirs.status_code} or {random.status_code}")
        if route.is_safe and theirs.status_code != 404:
            wrong.append(f"{route}: {theirs.status_code}")
    assert wrong == []


def test_pages_open_for_those_who_may(routes, ours, come):
    """The other tests would pass on a site that answers 404 to everything."""
    who = come(*ROLES)
    known = {**ours.known, "verb": "accept", "view": "soon", "plugin": SHIPPED[0]}
    faults, opened = [], 0
    for route in (route for route in routes if route.is_staff and route.is_safe):
        answer = who.visit(route, route.at(**known))
        opened += answer.status_code == 200
        if answer.status_code >= 500:
            faults.append(f"{route}: {answer.status_code}")
    assert faults == []
    assert opened >= 25


# -- forms must come from our own pages --


def unsafe(routes):
    return [r for r in routes if r.kind == "page" and not r.is_safe]


@pytest.fixture
def person(ours, come):
    """Somebody who may do anything, in a firm with one of everything."""
    browser = come(*ROLES).person
    browser.known, browser.firm = ours.known, ours.firm
    return browser


@pytest.fixture
def stranger(person, web):
    """Another log-in of the same person."""
    return web(person.actor)


OWN = {"Sec-Fetch-Site": "same-origin"}
FIELDS = {
    "without a token": lambda _: {"x": "1"},
    "with an empty token": lambda _: {"_csrf": ""},
    "with the token of another log-in": lambda other: {"_csrf": other.csrf},
}
BODIES = {
    "as plain text": {"content": "_csrf={0}&x=1", "headers": {"Content-Type": "text/plain"}},
    "as JSON": {"content": '{{"_csrf": "{0}"}}', "headers": {"Content-Type": "application/json"}},
}


@pytest.mark.parametrize("how", FIELDS)
def test_no_form_is_taken(how, routes, person, stranger, entries):
    fields, before, taken = FIELDS[how](stranger), entries(person.firm), []
    for route in unsafe(routes):
        if route.permission == PUBLIC and "{tenant" in route.path:
            continue  # nobody's log-in is used there, so nobody's can be misused
        answer = person.ask(
            "POST", route.at(**person.known), data=fields, headers=OWN, **route.files
        )
        if answer.status_code != 403:
            taken.append(f"{route}: {answer.status_code}")
    assert taken == []
    assert entries(person.firm) == before


@pytest.mark.parametrize("how", BODIES)
def test_no_other_body_gets_round_the_token(how, routes, person, stranger, entries):
    """A page elsewhere can make a browser send these without asking; it knows no token."""
    given, other, before, taken = BODIES[how], stranger.csrf, entries(person.firm), []
    for route in unsafe(routes):
        if route.permission == PUBLIC and "{tenant" in route.path:
            continue
        answer = person.ask(
            "POST",
            route.at(**person.known),
            content=given["content"].format(other),
            headers={**OWN, **given["headers"]},
        )
        # A route for files does not even read it.
        if answer.status_code != (422 if route.upload else 403):
            taken.append(f"{route}: {answer.status_code}")
    assert taken == []
    assert entries(person.firm) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_no_form_of_another_site_is_taken(headers, routes, person, entries):
    before, taken = entries(person.firm), []
    fields = {"_csrf": person.csrf, "login": "a@b.test", "password": "x" * 12}
    for route in unsafe(routes):
        status = person.ask(
            "POST", route.at(**person.known), data=fields, headers=headers, **route.files
        ).status_code
        if status != 403:
            taken.append(f"{route}: {status}")
    assert taken == []
    assert entries(person.firm) == before


def test_the_own_page_is_taken(ours, web):
    answer = web(ours.officer).post(
        f"/t/qinghe/w/cases/{ours.number}/talk", {"mode": "note", "body": "记一笔"}
    )
    assert answer.status_code == 303


def test_nothing_is_changed_by_looking(routes, person, entries):
    before = entries(person.firm)
    for route in (r for r in routes if r.kind == "page" and r.is_safe):
        if "file" in route.path or route.path.endswith("/export"):
            continue  # whoever reads evidence or takes data away leaves a line, and is meant to
        person.get(route.at(**person.known))
    assert entries(person.firm) == before
