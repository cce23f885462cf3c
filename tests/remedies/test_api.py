"""The plan over the API: the same services and rules as the page, told to programs."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from huiyin.cases.change import find
from huiyin.db import tenant_session
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.ledger.models import LedgerEntry

BODY = {
    "goal": "补付赎回款并说明原因",
    "measures": [{"title": "补付差额 12800 元", "due_on": "2099-03-20"}, {"title": "复核流程"}],
    "amount": "12800.00",
    "basis": "基金合同第 18 条",
}
LARGE = {**BODY, "amount": "2000000"}


@pytest.fixture
def at(number):
    """The address of the plan of a case that waits for one."""
    return f"/api/v1/t/qinghe/cases/{number}/plan"


@pytest.fixture
def drafter(api, actor):
    return api(actor)


@pytest.fixture
def judge(api, approver):
    return api(approver)


@pytest.fixture
def save(drafter, at):
    """``save(1)`` keeps the plan, read at that version."""
    return lambda rev, **changes: drafter.ask("PUT", at, json={**BODY, **changes, "rev": rev})


@pytest.fixture
def submitted(save, drafter, at, approver, second):
    """The plan as it waits for a judgement."""

    def make(**changes):
        rev = save(1, **changes).json()["rev"]
        answer = drafter.ask("POST", f"{at}/submit", json={"rev": rev})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return make


def judged(client, at, act, plan, **changes):
    body = {"rev": plan["rev"], "plan_hash": plan["hash"], "reason": "已核对", **changes}
    return client.ask("POST", f"{at}/{act}", json=body)


def test_a_plan_is_saved_and_read(save, drafter, at):
    assert drafter.get(at).status_code == 404
    saved = save(1)
    assert saved.status_code == 200
    assert drafter.get(at).json() == saved.json()
    plan = saved.json()
    assert (plan["rev"], plan["version"], plan["state"], plan["stage"]) == (2, 1, "draft", "plan")
    assert (plan["amount"], plan["approvers"], plan["judgements"]) == ("12800.00", 1, [])
    assert plan["measures"][0] == {
        "title": "补付差额 12800 元", "owner_id": None, "owner": "", "due_on": "2099-03-20",
    }  # fmt: skip


def test_a_draft_is_rewritten_and_a_stale_one_told_the_version(save):
    save(1)
    stale = save(1, goal="另一目标")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    assert stale.json()["version"] == 2
    again = save(2, goal="另一目标").json()
    assert (again["version"], again["goal"]) == (1, "另一目标")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"goal": ""}, "goal"),
        ({"measures": []}, "measures"),
        ({"measures": [{"title": "x"}]}, "measures"),
        ({"measures": [{"title": "补付", "until": "x"}]}, "measures"),
        ({"measures": [{"title": "补付", "owner_id": "00000000-0000-0000-0000-000000000007"}]},
         "measures"),
        ({"amount": -1}, "amount"),
        ({"state": "approved"}, "state"),
        ({"approvers": 1}, "approvers"),
        ({"rev": "1"}, "rev"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused_at_its_field(save, drafter, at, changes, field):
    rev = changes.pop("rev", 1)
    answer = save(rev, **changes)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
    assert drafter.get(at).status_code == 404


def test_a_submission_that_lacks_something_says_what(
    approver, drafter, at, session, actor, number, save
):
    save(1)
    case = find(session, actor, number)
    case.facts = {k: v for k, v in case.facts.items() if k != "wish_recorded"}
    session.commit()
    answer = drafter.ask("POST", f"{at}/submit", json={"rev": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "gates_unmet")
    assert answer.json()["missing"] == ["投诉人意向"]


def test_somebody_else_approves_and_the_measures_become_tasks(
    submitted, drafter, judge, at, number
):
    plan = submitted()
    answer = judged(judge, at, "approve", plan)
    assert answer.status_code == 200
    passed = answer.json()
    assert (passed["state"], passed["stage"]) == ("approved", "implementation")
    assert [(j["decision"], j["reason"]) for j in passed["judgements"]] == [("approved", "已核对")]
    tasks = drafter.get(f"/api/v1/t/qinghe/cases/{number}/tasks").json()["tasks"]
    assert {task["title"] for task in tasks} == {"补付差额 12800 元", "复核流程"}
    assert all(task["measure"] and task["done_at"] is None for task in tasks)


def test_an_approval_binds_the_plan_that_was_read(submitted, judge, at):
    plan = submitted()
    for act in ("approve", "return"):
        answer = judged(judge, at, act, plan, plan_hash="0" * 64)
        assert (answer.status_code, answer.json()["code"]) == (409, "plan_changed")
    stale = judged(judge, at, "approve", plan, rev=1)
    assert (stale.status_code, stale.json()["version"]) == (409, plan["rev"])
    assert judge.get(at).json()["state"] == "submitted"


def test_the_drafter_judges_nothing_under_any_role(submitted, api, tenant, engine, at):
    """Both roles in one account are refused at appointment; the service would hold all the same."""
    plan = submitted()
    with tenant_session(engine, tenant.id) as session:
        row = session.scalars(select(Membership).where(Membership.name == "沈佳宁")).one()
        row.roles = ["complaint_officer", "approver"]
        session.commit()
    both = Actor(row.account_id, row.tenant_id, row.name, frozenset(row.roles))
    for act in ("approve", "return"):
        answer = judged(api(both), at, act, plan)
        assert (answer.status_code, answer.json()["code"]) == (403, "second_person_required"), act


def test_a_large_sum_waits_for_a_second_person(submitted, api, judge, second, at):
    plan = submitted(amount="2000000")
    assert plan["approvers"] == 2
    first = judged(judge, at, "approve", plan).json()
    assert (first["state"], first["stage"], len(first["judgements"])) == (
        "submitted",
        "approval",
        1,
    )
    again = judged(judge, at, "approve", first)
    assert (again.status_code, again.json()["code"]) == (403, "second_person_required")
    done = judged(api(second), at, "approve", first).json()
    assert (done["state"], len(done["judgements"])) == ("approved", 2)


def test_a_plan_is_returned_with_a_reason_and_only_with_one(submitted, judge, at):
    plan = submitted()
    wordless = judged(judge, at, "return", plan, reason="")
    assert (wordless.status_code, list(wordless.json()["fields"])) == (422, ["reason"])
    back = judged(judge, at, "return", plan, reason="缺付款依据").json()
    assert (back["state"], back["stage"]) == ("returned", "plan")
    assert back["judgements"][0]["reason"] == "缺付款依据"


def test_a_plan_is_taken_back_and_changed(submitted, drafter, save, at):
    plan = submitted()
    body = {"rev": plan["rev"], "reason": "补充依据"}
    back = drafter.ask("POST", f"{at}/withdraw", json=body).json()
    assert (back["state"], back["stage"]) == ("superseded", "plan")
    assert save(back["rev"]).json()["version"] == 2
    gone = drafter.ask("POST", f"{at}/withdraw", json={"rev": back["rev"] + 1, "reason": "再来"})
    assert gone.status_code == 409


def test_what_the_role_may_not_is_not_there(submitted, drafter, judge, at, api, actor):
    plan = submitted()
    unknown = drafter.get("/api/v1/t/qinghe/cases/TS-2026-9999/plan")
    tried = [
        judged(drafter, at, "approve", plan),
        judged(drafter, at, "return", plan),
        judge.ask("PUT", at, json={**BODY, "rev": 1}),
        judge.ask("POST", f"{at}/submit", json={"rev": 1}),
        api(actor, "case.read").ask("POST", f"{at}/submit", json={"rev": 1}),
    ]
    assert {(t.status_code, t.content) for t in tried} == {(404, unknown.content)}


@pytest.mark.parametrize("path", ["submit", "withdraw", "approve", "return", ""])
def test_a_form_of_another_site_is_no_json(drafter, judge, at, path, engine, tenant):
    def entries():
        with tenant_session(engine, tenant.id) as session:
            return session.scalar(select(func.count()).select_from(LedgerEntry))

    before, client = entries(), judge if path in {"approve", "return"} else drafter
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.ask(
            "POST" if path else "PUT", f"{at}/{path}".rstrip("/"),
            content=b'{"rev":1}', headers={"Content-Type": kind},
        )  # fmt: skip
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["Content-Type"])
    assert entries() == before
