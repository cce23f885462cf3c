"""Evidence over the API: one file a request, and the list of all."""

from __future__ import annotations

import base64
import hashlib

import pytest

CONTENT = "付款回单：2026-03-20，12800 元".encode()


@pytest.fixture
def at(site, number):
    return f"/api/v1/t/qinghe/cases/{number}/evidence"


@pytest.fixture
def staff(api, actor):
    return api(actor)


@pytest.fixture
def add(staff, at):
    """``add()`` hands a file in."""
    body = {"name": "回单.txt", "content": base64.b64encode(CONTENT).decode(), "note": "财务提供"}
    return lambda **changes: staff.ask("POST", at, json={**body, **changes})


def test_a_file_is_kept_as_it_was_sent_and_listed(add, staff, at):
    made = add()
    assert made.status_code == 201, made.text
    file = made.json()
    assert (file["number"], file["name"], file["size"]) == ("E-01", "回单.txt", len(CONTENT))
    assert file["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (file["audience"], file["uploaded_by"], file["note"]) == (
        "internal", "沈佳宁", "财务提供",
    )  # fmt: skip
    assert add(shared=True).json()["audience"] == "complainant"
    assert [one["number"] for one in staff.get(at).json()["files"]] == ["E-01", "E-02"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": "kein base64!"}, "content"),
        ({"content": ""}, "content"),
        ({"name": ""}, "name"),
        ({"name": "virus.exe", "content": base64.b64encode(b"MZ" + bytes(200)).decode()}, "files"),
        ({"sha256": "x"}, "sha256"),
    ],
)
def test_what_is_no_file_is_refused_at_its_field(add, staff, at, changes, field):
    refused = add(**changes)
    assert (refused.status_code, list(refused.json()["fields"])) == (422, [field])
    assert staff.get(at).json() == {"files": []}


def test_a_token_without_the_right_hands_in_nothing(api, actor, add, at):
    unknown = api(actor).get("/api/v1/t/qinghe/cases/TS-2026-9999/evidence")
    body = {"name": "a.txt", "content": "YQ=="}
    refused = api(actor, "case.read").ask("POST", at, json=body)
    assert (refused.status_code, refused.content) == (404, unknown.content)
