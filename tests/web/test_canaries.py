"""Another firm's words never sing in ours, wherever one looks."""

from __future__ import annotations

import io
import re
import zipfile
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from huiyin.cases import queries, waiting
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Task
from huiyin.db import platform_session, tenant_session
from huiyin.identity.models import Account
from huiyin.identity.policy import Role
from huiyin.remedies import service as remedies
from huiyin.testing import factories

from .bodies import BESIDE, JUDGED, NOT_HERE, ON_A_CASE, send, unsafe

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
    ours.person, ours.program, ours.visit = who.person, who.program, who.visit
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
        results = page.partition('id="list"')[2].partition("</section>")[0]
        said = results.replace(f"「{words}」", "")  # what was asked for, when nothing is found
        assert results
        assert theirs.number not in said


def test_their_receipt_opens_nothing_of_ours(ours, theirs, public):
    headers = {"X-Tracking-Code": theirs.code}
    for number in (theirs.number, ours.number):
        answer = public.get(f"/api/v1/p/qinghe/cases/{number}", headers=headers)
        assert answer.status_code == 404
        assert not sings(answer)


@pytest.fixture
def things(engine):
    """``things(firm)``: what the bodies name, as it stands now."""

    def read(of):
        with tenant_session(engine, of.firm.id) as session:
            case = session.scalars(select(Case).where(Case.number == of.number)).one()
            rev = case.version
        return {
            "verb": "accept",
            "plugin": "channel_web",
            **of.known,
            "member": of.officer.id,
            "rev": rev,
            "pick": f"{of.number}~{rev}",
            "other": of.number,
        }

    return read


def made(engine):
    """The account that ``admin:people_new`` made, whose link can be renewed."""
    with platform_session(engine) as session:
        email = BESIDE["admin:people_new"]["email"]
        return session.scalar(select(Account.id).where(Account.email == email))


TAKEN = {
    "page": {"extension:ask", "extension:grant", "case:retype", "case:retype_decide", "link:renew"},
    "api": {
        "api:extension:ask", "api:extension:grant", "api:case:retype", "api:case:grant_retype",
        "api:case:subject", "api:case:lift", "api:case:reveal",
        "api:letter:notice", "api:letter:withdraw", "api:evidence:verify",
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", TAKEN)
def test_every_body_is_taken_at_home(
    kind, ours, routes, things, make_actor, file_other, come, engine
):
    """A sweep that is refused for its bodies would find every wall standing."""
    known = {"colleague": make_actor("investigator").id, "other": file_other(ours.firm)}
    second, wrong, done = come(*ROLES), [], set()
    last = (
        "api:case:merge", "case:merge", "api:case:subject", "api:case:lift", "case:subject",
        "case:lift", "admin:person_change", "admin:person_end",
    )  # fmt: skip
    table = [pair for pair in unsafe(routes, ON_A_CASE | BESIDE) if pair[0].kind == kind]
    table.sort(key=lambda pair: last.index(pair[0].name) if pair[0].name in last else -1)
    for route, body in table:
        here = {**things(ours), **known}
        if route.name == "link:renew":
            here["account"] = made(engine)
        who = second if route.name in JUDGED else ours
        answer = send(who, route, route.at(**here), body, here)
        expected = NOT_HERE.get(route.name)
        if answer.status_code not in ({expected} if expected else {200, 201, 303, 409}):
            wrong.append(f"{route}: {answer.status_code}")
        if answer.status_code < 400:
            done.add(route.name)
    assert not wrong, "; ".join(wrong)
    assert TAKEN[kind] <= done
    assert len(done) > len(table) / 2  # the others lack a gate, a state or a second person


def test_acting_on_their_things_changes_nothing(ours, theirs, routes, entries, engine, things):
    """Every unsafe route of ours, pointed at what is theirs."""
    before, wrong = entries(theirs.firm), []
    # The people are ours, so that nothing but the case is amiss.
    people = dict.fromkeys(("member", "colleague"), ours.officer.id)
    there = {**things(theirs), **people, "tenant": "qinghe"}
    for route, body in unsafe(routes, ON_A_CASE | BESIDE):
        answer = send(ours, route, route.at(**there), body, there)
        assert not sings(answer), route
        if route.name in ON_A_CASE and answer.status_code != 404:
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, "; ".join(wrong)
    assert entries(theirs.firm) == before
    with tenant_session(engine, theirs.firm.id) as session:
        case = session.scalars(select(Case)).one()
    assert (case.title, case.owner_id) == (CANARY, theirs.officer.id)


# -- a case and the person named in it -------------------------------------------------------------


@pytest.fixture
def file_other(engine, make_actor):
    """``file_other(firm, "words")``: one more case of the firm, and its number."""

    def file(firm, words="另一件", **facts):
        officer = make_actor("complaint_officer", of=firm)
        with tenant_session(engine, firm.id, actor_id=officer.id) as session:
            filing = Filing(
                channel="phone",
                idem_key=words,
                title=words,
                story=f"{words}，讲了很久的经过",
                phone="13800006021",
                **facts,
            )
            filed = file_complaint(session, officer, filing)
            session.commit()
        return filed.number

    return file


@pytest.fixture
def named(ours, engine, file_other):
    """Our person is named in a case full of birds, and has a task in it from before; its number.

    Another case, of the same product and category, is open to the person: that of ``ours``.
    """
    with tenant_session(engine, ours.firm.id) as session:
        fund = session.scalars(select(Case.fund_id)).one()
    number = file_other(ours.firm, CANARY, fund_id=fund)
    with tenant_session(engine, ours.firm.id) as session:
        case = session.scalars(select(Case).where(Case.number == number)).one()
        session.execute(update(Case).values(category="C1", finding="upheld"))
        case.walled = [ours.person.actor.id]
        session.add(
            Task(
                case_id=case.id,
                title=CANARY,
                assignee_id=ours.person.actor.id,
                created_by=ours.officer.id,
            )
        )
        session.commit()
    return number


def close(engine, firm, number):
    with tenant_session(engine, firm.id) as session:
        session.execute(
            update(Case)
            .where(Case.number == number)
            .values(state="closed", closed_at=Case.received_at, outcome="archived")
        )
        session.commit()


@pytest.mark.parametrize("state", ["open", "closed"])
def test_whoever_is_named_in_a_case_meets_404_on_every_route_of_it(
    state, ours, named, routes, things, entries, engine
):
    here = {**things(ours), "number": named, "colleague": ours.officer.id}
    if state == "closed":
        close(engine, ours.firm, named)
    before, wrong = entries(ours.firm), []
    swept = [(route, {}) for route in routes if route.is_safe and "{number" in route.path]
    swept = [(route, body) for route, body in swept if route.is_staff]
    assert len(swept) > 20
    for route, body in swept + unsafe(routes, ON_A_CASE):
        path = route.at(**here)
        answer = ours.visit(route, path) if route.is_safe else send(ours, route, path, body, here)
        if answer.status_code != 404 or sings(answer):
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, "; ".join(wrong)
    assert entries(ours.firm) == before


@pytest.mark.parametrize("state", ["open", "closed"])
def test_no_list_names_it_to_whoever_is_named_in_it(
    state, ours, named, routes, engine, come, things
):
    if state == "closed":
        close(engine, ours.firm, named)
    colleague, known = come(*ROLES), {**things(ours), "view": "soon"}
    asked = ("", "?scope=all", "?scope=team", "?scope=mine", "?q=经过", f"?q={named[:7]}")
    wanted = {"case:list", "case:search", "api:case:list", "api:case:search"}
    wanted |= {"case:palette", "case:inbox"} if state == "open" else {"archive:list"}
    heard, at_all = [], set()
    for route in (route for route in routes if route.is_staff and route.is_safe):
        for query in asked:
            path = route.at(**known) + query
            # The page of the other case is among these, with what is related and what is like it.
            answer = ours.visit(route, path)
            if sings(answer) or named in answer.text:
                heard.append(f"{route}{query}")
            if route.name in wanted - at_all and sings(colleague.visit(route, path)):
                at_all.add(route.name)
    assert heard == []
    assert at_all == wanted


def test_no_counter_counts_it_for_whoever_is_named_in_it(ours, named, engine, come):
    colleague = come(*ROLES)
    with tenant_session(engine, ours.firm.id) as session:

        def counted(who):
            return waiting.counters(SimpleNamespace(actor=who.actor, session=session))

        assert counted(colleague)["unaccepted"] == 1
        assert counted(ours.person)["unaccepted"] == 0


def test_neither_related_nor_like_cases_name_it(ours, named, engine, come):
    close(engine, ours.firm, named)
    colleague = come(*ROLES)
    with tenant_session(engine, ours.firm.id) as session:
        case = session.scalars(select(Case).where(Case.number == ours.number)).one()

        def shown(who):
            near = queries.related(session, who.actor, case)
            like = remedies.precedents(session, who.actor, case)
            return {row.number for row in near}, {row.number for row in like}

        assert shown(colleague) == ({named}, {named})
        assert shown(ours.person) == (set(), set())


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
