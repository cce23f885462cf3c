"""Another firm's words never sing in ours, wherever one looks."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.db import tenant_session
from huiyin.identity.policy import Role
from huiyin.testing import factories

CANARY = "金丝雀"
ROLES = tuple(role.value for role in Role)
ENGLISH = "canary-8f3d"


def sings(answer) -> bool:
    """Whether the bird is in the answer, as text, escaped, in a header or in an archive."""
    said = [answer.text, *answer.headers.values()]
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            said += [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    escaped = (CANARY.encode("unicode_escape").decode(), "%E9%87%91%E4%B8%9D", ENGLISH)
    return any(bird in text for text in said for bird in (CANARY, *escaped))


@pytest.fixture
def theirs(make_tenant, furnish):
    """Another firm, full of birds."""
    firm = make_tenant(
        "wanlan",
        number_prefix="WL",
        name=CANARY,
        short_name=CANARY,
        mark="金",
        hotline=ENGLISH,
        mailbox=f"{ENGLISH}@huiyin.test",
        address=CANARY,
    )
    return furnish(firm, CANARY)


@pytest.fixture
def ours(ours, come):
    """Our own firm, with a person who may do everything and a program of that person."""
    who = come(*ROLES)
    ours.person, ours.program = who.person, who.program
    return ours


def test_the_bird_sings_at_home(theirs, routes, come):
    """A sweep that hears nothing must be able to hear."""
    who, heard = come(*ROLES, of=theirs.firm), set()
    for route in (route for route in routes if route.is_staff and route.is_safe):
        path = route.at(**theirs.known, plugin="channel_web", view="soon", verb="accept")
        if sings(who.visit(route, path)):
            heard.add(route.name)
    assert {
        "case:show",
        "case:list",
        "case:inbox",
        "api:case:show",
        "api:case:list",
        "plan:edit_page",
        "admin:people",
    } <= heard
    assert len(heard) >= 25


@pytest.mark.parametrize("path", ["ours", "their number and things", "their address"])
def test_no_page_of_ours_knows_their_words(path, ours, theirs, routes):
    own = {"plugin": "channel_web", "view": "soon", "verb": "accept"}
    known = {
        "ours": {**own, **ours.known},
        "their number and things": {**own, **theirs.known, "tenant": "qinghe"},
        "their address": {**own, **theirs.known},
    }[path]
    heard = [
        f"{route}{query}"
        for route in routes
        # Their public pages carry their public name.
        if route.is_safe and (route.is_staff or path != "their address")
        for query in ("", "?scope=all&q=WL-2026", "?lang=en")
        if sings(
            (ours.program if route.kind == "api" else ours.person).get(route.at(**known) + query)
        )
    ]
    assert heard == []


def test_search_finds_none_of_their_words(ours, theirs):
    for words in (CANARY, theirs.number, "经过"):
        found = ours.program.get(f"/api/v1/t/qinghe/search?q={words}").json()["cases"]
        assert {case["number"] for case in found} <= {ours.number}
        page = ours.person.get(f"/t/qinghe/w/search?q={words}").text
        assert theirs.number not in page.replace(f'value="{theirs.number}"', "") or (
            words == theirs.number
        )


def test_their_receipt_opens_nothing_of_ours(ours, theirs, public):
    headers = {"X-Tracking-Code": theirs.code}
    for number in (theirs.number, ours.number):
        answer = public.get(f"/api/v1/p/qinghe/cases/{number}", headers=headers)
        assert answer.status_code == 404
        assert not sings(answer)


def test_acting_on_their_things_changes_nothing(ours, theirs, routes, entries, engine):
    """Every unsafe route of ours, pointed at what is theirs."""
    own = {**theirs.known, "tenant": "qinghe", "verb": "accept", "plugin": "channel_web"}
    before = entries(theirs.firm)
    body = {
        "body": "x",
        "reason": "改动",
        "rev": 1,
        "part": "owner",
        "proof": "附件",
        "title": "任务",
        "gate": "recusal_checked",
        "note": "核对",
        "master": theirs.number,
        "mode": "note",
        "account_id": str(theirs.officer.id),
        "assignee_id": str(theirs.officer.id),
    }
    for route in (route for route in routes if not route.is_safe and route.is_staff):
        path = route.at(**own)
        if route.kind == "api":
            answer = ours.program.ask(route.method, path, json=body)
        else:
            answer = ours.person.post(path, {name: str(value) for name, value in body.items()})
        assert not sings(answer), route
    assert entries(theirs.firm) == before
    with tenant_session(engine, theirs.firm.id) as session:
        case = session.scalars(select(Case)).one()
    assert (case.title, case.owner_id) == (CANARY, theirs.officer.id)


def test_the_same_number_in_two_firms_is_two_cases(tenant, make_tenant, furnish, web, api):
    firm = make_tenant("wanlan")  # the same prefix, so the same number
    ours, theirs = furnish(tenant), furnish(firm, CANARY)
    assert ours.number == theirs.number
    page = web(ours.officer).get(f"/t/qinghe/w/cases/{ours.number}")
    told = api(ours.officer).get(f"/api/v1/t/qinghe/cases/{ours.number}")
    assert (page.status_code, told.status_code) == (200, 200)
    assert not sings(page)
    assert not sings(told)


def test_a_person_of_both_firms_sees_one_at_a_time(engine, ours, theirs, web):
    person = ours.person.actor
    with tenant_session(engine, theirs.firm.id) as session:
        session.add(
            factories.Membership(account_id=person.id, name=person.name, roles=["approver"])
        )
        session.commit()
    both = web(person)
    assert not sings(both.get("/t/qinghe/w/cases"))
    assert sings(both.get("/t/wanlan/w/cases"))
    assert not re.search(CANARY, both.get("/t/qinghe/w/cases").text)
