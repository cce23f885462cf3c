"""Evidence over the API: one file a request, and the list of all."""

from __future__ import annotations

import base64
import hashlib

import pytest
from sqlalchemy import select

from huiyin.evidence.models import EvidenceFile
from huiyin.ledger.models import LedgerEntry

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


@pytest.fixture
def other(api, make_actor):
    """A program of somebody who did not hand the file in."""
    return api(make_actor("supervisor", name="秦岚"))


def test_a_file_comes_back_byte_for_byte_and_the_reading_is_recorded(
    add, staff, other, at, session, tenant
):
    file = add().json()
    there = f"{at}/{file['id']}/content"
    got = other.get(there)
    assert (got.status_code, got.content) == (200, CONTENT)
    assert got.headers["Content-Disposition"].startswith("attachment; ")
    staff.get(there)
    session.expire_all()
    (row,) = session.scalars(select(EvidenceFile)).all()
    assert [(line["act"], line["by"]) for line in row.custody] == [
        ("add", "沈佳宁"), ("read", "秦岚"), ("read", "沈佳宁"),
    ]  # fmt: skip
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert kinds.count("evidence.read") == 2


def test_a_file_is_verified_by_somebody_else_in_words(add, staff, other, at):
    file = add().json()
    there = f"{at}/{file['id']}/verify"
    own = staff.ask("POST", there, json={"note": "已与原件核对"})
    assert (own.status_code, own.json()["code"]) == (403, "second_person_required")
    for body, field in (({}, "note"), ({"note": "长" * 501}, "note"), ({"note": 7}, "note")):
        refused = other.ask("POST", there, json=body)
        assert (refused.status_code, list(refused.json()["fields"])) == (422, [field])
    done = other.ask("POST", there, json={"note": "已与原件核对"}).json()
    assert (done["verified_by"], done["id"]) == ("秦岚", file["id"])
    assert staff.get(at).json()["files"][0]["verified_at"] == done["verified_at"]


def test_a_file_of_another_case_or_without_the_scope_is_not_there(
    add, staff, at, api, actor, other, session
):
    file = add().json()
    unknown = staff.get("/api/v1/t/qinghe/cases/TS-2026-9999/evidence").content
    nowhere = at.replace("TS-2026-0001", "TS-2026-0002")
    assert nowhere != at
    reader = api(actor, "case.note")
    tried = [
        staff.get(f"{nowhere}/{file['id']}/content"),
        other.ask("POST", f"{nowhere}/{file['id']}/verify", json={"note": "已核对"}),
        other.get(f"{at}/{actor.id}/content"),
        other.ask("POST", f"{at}/{actor.id}/verify", json={"note": "已核对"}),
        reader.get(f"{at}/{file['id']}/content"),
        api(actor, "case.read").ask("POST", f"{at}/{file['id']}/verify", json={"note": "已核对"}),
    ]
    assert {(t.status_code, t.content) for t in tried} == {(404, unknown)}
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert not {"evidence.read", "case.verify_evidence"} & set(kinds)
