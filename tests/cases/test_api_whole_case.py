"""One complaint by programs alone, from the filing to the sealed file, judged by somebody else."""

from __future__ import annotations

import pytest

from huiyin.testing.web import run_jobs

STORY = "二月初申请赎回，合同写明三个工作日到账，至今没有收到。"
NOTE = "已核对并记录在案"
PLAN = {
    "goal": "补付赎回款并说明原因",
    "measures": [{"title": "补付差额 12800 元", "due_on": "2099-03-20"}],
    "amount": "12800.00",
    "basis": "基金合同第 18 条",
}
ANSWER = {
    "findings": "经核查，赎回款未按合同约定的期限支付，投诉成立。",
    "outcome": "我司已补付赎回款 12800 元，并向您致歉。",
    "basis": "基金合同第 18 条",
}


class Program:
    """Somebody's program at one case; every answer is checked and every change names ``rev``."""

    def __init__(self, client, number):
        self.client, self.at = client, f"/api/v1/t/qinghe/cases/{number}"

    def get(self, path=""):
        answer = self.client.get(f"{self.at}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method, path, *, rev=True, **body):
        given = {**body, "rev": self.get()["rev"]} if rev else body
        return self.client.ask(method, f"{self.at}{path}", json=given)

    def do(self, method, path, *, rev=True, **body):
        answer = self.ask(method, path, rev=rev, **body)
        assert answer.status_code in {200, 201}, f"{path}: {answer.text}"
        return answer.json()

    def move(self, verb, reason=""):
        return self.do("POST", f"/moves/{verb}", reason=reason)["stage"]

    def attest(self, *gates):
        for gate in gates:
            self.do("POST", "/attest", rev=False, gate=gate, note=NOTE)

    def missing(self):
        return {gate["name"] for gate in self.get()["gates"] if not gate["met"]}


@pytest.fixture
def filed(public, tenant):
    body = {"story": STORY, "name": "陈建国", "phone": "13800006021", "email": "c@investor.test"}
    key = {"Idempotency-Key": "k-1"}
    return public.ask("POST", "/api/v1/p/qinghe/complaints", json=body, headers=key).json()


def test_a_complaint_goes_from_filing_to_archive_by_programs(
    filed, api, actor, make_actor, place, public
):
    investigator, approver = make_actor("investigator"), make_actor("approver", name="顾明远")
    officer = Program(api(actor), filed["number"])
    looks = Program(api(investigator), filed["number"])
    judge = Program(api(approver), filed["number"])

    officer.do("PATCH", "", category="C1", severity="S1", amount="12800.00")
    officer.do("POST", "/assign", part="owner", account_id=str(actor.id))
    officer.attest("recusal_checked")
    assert officer.move("accept") == "preliminary"
    officer.attest("statement_confirmed", "papers_collected", "third_party_checked")
    officer.attest("group_checked")
    assert officer.move("investigate") == "investigation"

    officer.do("POST", "/assign", part="investigator", account_id=str(investigator.id))
    looks.do("POST", "/evidence", rev=False, name="流水.txt", content="5rWB5rC0")
    looks.attest("evidence_complete", "statements_heard", "evidence_verified")
    looks.attest("independence_declared")
    officer.do("PATCH", "", finding="upheld", cause=_cause(officer))
    assert looks.move("conclude") == "plan"

    plan = officer.do("PUT", "/plan", **PLAN)
    assert (plan["state"], plan["version"], plan["amount"]) == ("draft", 1, "12800.00")
    officer.attest("precedents_compared", "wish_recorded")
    assert officer.do("POST", "/plan/submit")["stage"] == "approval"

    seen = judge.get("/plan")
    passed = judge.do("POST", "/plan/approve", plan_hash=seen["hash"], reason="同意")
    assert (passed["state"], passed["stage"]) == ("approved", "implementation")
    assert [(one["decision"], one["by"]) for one in passed["judgements"]] == [
        ("approved", "顾明远")
    ]

    (task,) = [task for task in officer.get("/tasks")["tasks"] if task["measure"]]
    officer.do("POST", f"/tasks/{task['id']}/done", rev=False, proof="付款回单已附")
    judge.attest("execution_checked")
    assert officer.move("implemented") == "response"

    letter = officer.do("PUT", "/letters/answer", **ANSWER)
    assert [f for f in letter["findings"] if f["severity"] == "block"] == []
    own = officer.ask("POST", f"/letters/{letter['id']}/release", fingerprint=letter["fingerprint"])
    assert (own.status_code, own.json()["code"]) == (403, "refused")
    path = f"/letters/{letter['id']}"
    read = judge.get(path)
    assert any("补付赎回款" in line for line in read["text"])
    judge.do("POST", f"{path}/release", fingerprint=read["fingerprint"])
    run_jobs(place)
    done = officer.do(
        "POST", f"{path}/delivery", rev=False, outcome="delivered", channel="post", detail="EMS 123"
    )
    assert (done["state"], done["proof"]) == ("delivered", "EMS 123")
    officer.attest("reply_talked")
    assert officer.move("answered") == "followup"

    officer.attest("visit_made", "resolved_or_explained")
    assert officer.move("followed_up") == "archive"
    officer.attest("dossier_whole", "lessons_written")
    judge.attest("retention_set")
    assert judge.missing() == set()
    judge.move("archive")
    assert (judge.get()["state"], judge.get()["outcome"]) == ("closed", "archived")

    headers = {"X-Tracking-Code": filed["code"]}
    told = public.get(f"/api/v1/p/qinghe/cases/{filed['number']}", headers=headers).json()
    assert told["number"] == filed["number"]


def _cause(program):
    """Any cause; the list is the firm's."""
    from huiyin.policies.catalogue import causes  # noqa: PLC0415

    return next(iter(causes()))
