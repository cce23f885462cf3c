"""Every operation of the staff's API answers an odd body at its field, and never with a fault."""

from __future__ import annotations

import re

import pytest

from huiyin.identity.policy import Role

from .bodies import ON_A_CASE

HAN = re.compile(r"[\u3400-\u9fff]")
LONG = "长" * 30_000
UNSEEN = "\x00\x1b\x9b\u202e"
# What each kind of value is never taken for.
WRONG = {
    str: [7, True, ["x"], {"x": 1}, LONG],
    int: ["1", 1.5, True, -1, 0, 10**30, [1]],
    list: ["x", {"x": 1}, [7], [[]], [None]],
}
NOTHING = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"7",
    b"{",
    b'{"rev": 1,}',
    b"[" * 3000,
    b"\xff\xfe{}",
    b'{"\\ud800": 1}',
]


@pytest.fixture
def program(ours, come):
    return come(*(role.value for role in Role)).program


@pytest.fixture
def operations(routes, ours):
    """Method, address and a good body of each operation that changes a case."""
    found = [
        (r.method, r.at(**{**ours.known, "verb": "reopen"}), ON_A_CASE[r.name])
        for r in routes
        if r.kind == "api" and r.name in ON_A_CASE
    ]
    assert len(found) > 30
    return found


def filled(body, ours):
    known = {"@rev": 1, "@member": str(ours.officer.id), "@colleague": str(ours.officer.id)}
    known["@other"] = "TS-2026-0009"
    return {name: known.get(v, v) if isinstance(v, str) else v for name, v in body.items()}


def odd(body):
    """The field that is wrong, and the body with it."""
    yield "tenant_id", {**body, "tenant_id": "x"}
    yield "__class__", {**body, "__class__": {}}
    for name, value in body.items():
        for wrong in WRONG[type(value)]:
            yield name, {**body, name: wrong}


def test_what_is_wrong_is_told_at_its_field_in_the_readers_language(
    operations, ours, program, entries
):
    before, wrong = entries(ours.firm), []
    for method, path, body in operations:
        for field, sent in odd(filled(body, ours)):
            answer = program.ask(method, f"{path}?lang=en", json=sent)
            told = answer.json()
            fields = told.get("fields", {})
            if answer.status_code != 422 or field not in {n.partition("[")[0] for n in fields}:
                wrong.append(f"{method} {path} {field}={str(sent[field])[:20]}: {answer.text[:90]}")
            elif HAN.search(told["message"] + "".join(fields.values())):
                wrong.append(f"{method} {path} {field}: {fields}")
    assert wrong == []
    assert entries(ours.firm) == before


def test_what_cannot_be_seen_is_as_if_it_were_not_there(operations, ours, program, entries):
    before, wrong = entries(ours.firm), []
    for method, path, body in operations:
        here = filled(body, ours)
        for name in (name for name, value in here.items() if isinstance(value, str)):
            if name == "assignee_id":
                continue  # a task may be nobody's
            empty = program.ask(method, path, json={**here, name: ""})
            unseen = program.ask(method, path, json={**here, name: UNSEEN})
            same = (unseen.status_code, unseen.content) == (empty.status_code, empty.content)
            if not same or unseen.status_code >= 500:
                wrong.append(f"{method} {path} {name}: {unseen.text[:90]}")
    assert wrong == []
    assert entries(ours.firm) == before


@pytest.mark.parametrize("content", NOTHING, ids=lambda content: ascii(content[:12]))
def test_what_is_no_object_is_told(content, operations, program):
    json = {"Content-Type": "application/json"}
    wrong = [
        f"{method} {path}: {answer.text[:90]}"
        for method, path, _ in operations
        if (answer := program.ask(method, path, content=content, headers=json)).status_code != 422
    ]
    assert wrong == []


def test_a_number_of_nobody_is_that_whatever_is_sent(routes, ours, program):
    unknown, wrong = program.get("/api/v1/t/qinghe/cases/TS-2026-9999").content, []
    known = {**ours.known, "verb": "reopen", "number": "TS-2026-9999"}
    for route in (r for r in routes if r.kind == "api" and r.name in ON_A_CASE):
        for sent in ({}, {"more": []}, filled(ON_A_CASE[route.name], ours)):
            answer = program.ask(route.method, route.at(**known), json=sent)
            if (answer.status_code, answer.content) != (404, unknown):
                wrong.append(f"{route} {sent}: {answer.text[:90]}")
    assert wrong == []
