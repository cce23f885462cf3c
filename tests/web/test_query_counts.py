"""A page asks the database the same number of questions, however much there is to show."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import update

from huiyin.cases import service
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.db import tenant_session
from huiyin.parties.models import Fund

SIZES = (1, 10, 50)


@pytest.fixture
def web_plugins():
    """What ships and is on by default speaks on the pages too."""
    return ("channel_web",)


@pytest.fixture
def fill(engine, actor):
    """``fill(n)`` brings the firm to ``n`` cases, each with a name, a product and an owner."""
    numbers = []

    def more(n):
        with tenant_session(engine, actor.tenant_id, actor_id=actor.id) as session:
            fund = Fund(name="稳健一号", short_name="稳健", filing_code=f"S{len(numbers)}")
            session.add(fund)
            session.flush()
            for i in range(len(numbers), n):
                filed = file_complaint(
                    session,
                    actor,
                    Filing(
                        channel="phone",
                        idem_key=str(i),
                        story=f"第 {i} 笔赎回款没有到账，等了很久",
                        name=f"陈建国{i}",
                        phone="13800006021",
                        fund_id=fund.id,
                    ),
                )
                numbers.append(filed.number)
            session.commit()
        return numbers

    return more


@pytest.fixture
def talk(engine, actor):
    """``talk(number, n)`` writes ``n`` notes."""

    def more(number, n):
        with tenant_session(engine, actor.tenant_id, actor_id=actor.id) as session:
            for i in range(n):
                service.talk(session, actor, number, "note", f"第 {i} 条")
            session.commit()

    return more


@pytest.fixture
def close_all(engine, tenant):
    """Move every case to the archive."""

    def close():
        with tenant_session(engine, tenant.id) as session:
            session.execute(
                update(Case).values(state="closed", closed_at=Case.received_at, outcome="archived")
            )
            session.commit()

    return close


@pytest.fixture
def person(web, actor):
    return web(actor)


@pytest.fixture
def program(api, actor):
    return api(actor)


def measure(queries, act, status=200):
    """The number of statements one request needs, once everything is warm.

    What is remembered for some seconds may be asked for again in between, on a slow machine.
    """
    counts = []
    for _ in range(3):
        queries.clear()
        answer = act()
        assert answer.status_code == status, answer.text[:500]
        counts.append(len(queries))
    return min(counts)


LISTS = {
    "inbox": ("/t/qinghe/w", 5),
    "unaccepted": ("/t/qinghe/w/unaccepted", 5),
    "all cases": ("/t/qinghe/w/cases", 5),
    "archive": ("/t/qinghe/w/archive", 5),
    "search": ("/t/qinghe/w/search?q=到账", 5),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_any_number_of_rows(name, fill, close_all, person, queries):
    path, limit = LISTS[name]
    counts = []
    for size in SIZES:
        fill(size)
        if name == "archive":
            close_all()
        page = person.get(path).text
        assert page.count("TS-") >= size, "the rows must be there to be counted"
        counts.append(measure(queries, lambda: person.get(path)))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= limit, list(queries)


ASKED = {"kinds": "retype_asked", "time": "extension_asked", "answers": "answer_waits"}


@pytest.mark.parametrize("name", ASKED)
def test_what_waits_for_an_approver_goes_on_by_key_and_costs_the_same(
    name, fill, engine, actor, make_actor, web, queries
):
    approver = web(make_actor("approver"))
    counts, found = [], []
    for size in (1, 50, 120):
        fill(size)
        with tenant_session(engine, actor.tenant_id) as session:
            facts = {ASKED[name]: {"by": "沈佳宁", "note": "核对后"}}
            session.execute(update(Case).values(facts=facts, stage="response"))
            session.commit()
        path, found = "/t/qinghe/w/approvals", []
        counts.append(measure(queries, lambda: approver.get("/t/qinghe/w/approvals")))
        while path:
            page = approver.get(path).text
            card = page.split(f'<section class="card" id="{name}"')[1].split("</section>")[0]
            found += re.findall(r'class="ttl clip" href="[^"]+/cases/([^/"]+)', card)
            more = re.search(r'href="([^"#]+)#\w+" rel="next"', card)
            path = f"/t/qinghe/w/approvals{unescape(more[1])}" if more else ""
        assert len(found) == len(set(found)) == size
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 10, list(queries)


@pytest.mark.parametrize("path", ["/cases?limit=200", "/search?q=到账&limit=200"])
def test_a_list_of_the_api_costs_the_same_too(path, fill, program, queries):
    counts = []
    for size in SIZES:
        fill(size)
        found = program.get(f"/api/v1/t/qinghe{path}").json()["cases"]
        assert len(found) == size
        counts.append(measure(queries, lambda: program.get(f"/api/v1/t/qinghe{path}")))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 5, list(queries)


def test_the_workbench_costs_the_same_for_any_timeline(fill, talk, person, program, queries):
    (number,) = fill(1)
    counts = []
    for size in SIZES:
        talk(number, size)
        page = measure(queries, lambda: person.get(f"/t/qinghe/w/cases/{number}"))
        told = measure(queries, lambda: program.get(f"/api/v1/t/qinghe/cases/{number}"))
        counts.append((page, told))
    assert len(set(counts)) == 1, counts
    assert counts[0][0] <= 10, counts  # those of the panels among them
    assert counts[0][1] <= 5, counts


def test_a_note_costs_little_however_long_the_timeline(fill, talk, person, queries):
    (number,) = fill(1)
    path, note = f"/t/qinghe/w/cases/{number}/talk", {"mode": "note", "body": "记一笔"}
    counts = []
    for size in SIZES:
        talk(number, size)
        counts.append(measure(queries, lambda: person.post(path, note), 303))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 6, list(queries)


def test_filing_costs_the_same_for_the_first_and_the_fiftieth(fill, public, queries):
    def file(key):
        return public.ask(
            "POST",
            "/api/v1/p/qinghe/complaints",
            headers={"Idempotency-Key": key},
            json={"story": "赎回款没有到账，已经等了很久", "phone": "13800006021"},
        )

    counts = []
    for size in SIZES:
        fill(size)
        file(f"warm {size}".replace(" ", "-"))
        queries.clear()
        assert file(f"k-{size}").status_code == 201
        # The count of the network is a transaction of its own; filing is what follows.
        assert "INSERT INTO attempt" in queries.statements[1]
        counts.append(len(queries.statements[2:]))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 9, list(queries)
