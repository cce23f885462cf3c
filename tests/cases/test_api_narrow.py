"""A token that only writes is told that it wrote, and nothing of what stands there."""

import base64

import pytest
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.db import tenant_session

CHANGED = {"number", "rev", "stage", "state"}
PROCESS = {"kind": "progress", "process": "正与托管人核对"}


@pytest.fixture
def writer(api, actor):
    """A token of the officer with one permission, which writes."""

    def make(permission):
        token = api(actor, permission)
        assert token.get("/api/v1/t/qinghe/cases").status_code == 404
        return token

    return make


@pytest.fixture
def put_at(engine, tenant):
    def stage(name):
        with tenant_session(engine, tenant.id) as session:
            case = session.scalars(select(Case)).one()
            case.stage, case.accepted_at = name, case.received_at
            case.finding, case.cause, case.category, case.severity = "upheld", "RC1-2", "C1", "S2"
            session.commit()

    return stage


def rev(staff, at):
    return staff.get(at).json()["rev"]


def test_a_letter_is_written_and_not_read(staff, writer, at):
    narrow = writer("case.handle")
    drafted = narrow.ask("PUT", f"{at}/letters/notice", json={"rev": rev(staff, at), **PROCESS})
    assert drafted.status_code == 200
    assert set(drafted.json()) == CHANGED
    (letter,) = staff.get(f"{at}/letters").json()["letters"]
    path = f"{at}/letters/{letter['id']}"
    assert narrow.get(path).status_code == 404
    withdrawn = narrow.ask("POST", f"{path}/withdraw", json={"reason": "措辞须改"})
    assert (withdrawn.status_code, set(withdrawn.json())) == (200, CHANGED)
    assert "text" in staff.get(path).json()


def test_a_plan_is_handed_in_and_not_read(staff, writer, at, put_at, make_actor):
    make_actor("approver", name="顾明远")
    put_at("plan")
    plan = {"goal": "补付差额", "basis": "基金合同", "measures": [{"title": "补付"}]}
    saved = staff.ask("PUT", f"{at}/plan", json={"rev": rev(staff, at), **plan})
    assert saved.status_code == 200, saved.text
    narrow = writer("case.draft")
    again = narrow.ask("PUT", f"{at}/plan", json={"rev": rev(staff, at), **plan, "goal": "另拟"})
    assert (again.status_code, set(again.json())) == (200, CHANGED)


def test_a_file_is_verified_and_not_described(staff, writer, at, api, make_actor):
    sent = {"name": "回执.pdf", "content": base64.b64encode(b"%PDF-1.4 x").decode()}
    added = staff.ask("POST", f"{at}/evidence", json=sent)
    assert added.status_code == 201, added.text
    other = api(make_actor("complaint_officer", name="许知安"), "case.note")
    path = f"{at}/evidence/{added.json()['id']}/verify"
    verified = other.ask("POST", path, json={"note": "与原件核对一致"})
    assert verified.status_code == 200, verified.text
    assert set(verified.json()) == CHANGED


def test_what_waits_for_a_judgement_is_not_listed(api, make_actor, put_at, filed):
    put_at("approval")
    approver = make_actor("approver", name="顾明远")
    path = "/api/v1/t/qinghe/approvals?what=plan"
    assert api(approver, "case.approve").get(path).status_code == 404
    assert api(approver).get(path).json()["cases"]
