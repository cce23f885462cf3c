"""The staff's API as a program meets it: reading, acting, who may, and the description."""

from __future__ import annotations

import re

import msgspec
import pytest
from sqlalchemy import select

from huiyin.cases import service
from huiyin.cases.api_bodies import (
    AssignBody,
    ExtensionBody,
    FactsBody,
    LowerBody,
    MergeBody,
    MoveBody,
    RetypeBody,
    RevBody,
    SubjectBody,
    WordsBody,
)
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.cases.schemas import (
    AttestForm,
    ComplaintBody,
    MoveForm,
    ProofForm,
    RegisterForm,
    TaskForm,
)
from huiyin.db import tenant_session
from huiyin.evidence.api import UploadBody, VerifyBody
from huiyin.ledger.models import LedgerEntry
from huiyin.letters.api import AnswerBody, NoticeBody, ReleaseBody
from huiyin.letters.schemas import DeliveryForm
from huiyin.remedies.api import JudgeBody, PlanBody, WithdrawBody

from .given import STORY, count, track


def many(engine, tenant, actor, n):
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session:
        for i in range(n):
            file_complaint(
                session,
                actor,
                Filing(
                    channel="phone",
                    idem_key=str(i),
                    story=f"第 {i} 件：{STORY}",
                    name="陈建国",
                    phone="13800006021",
                ),
            )
        session.commit()


def test_the_list_is_paged_without_gaps_or_repeats(staff, engine, tenant, actor):
    many(engine, tenant, actor, 7)
    seen, after = [], ""
    for _ in range(4):
        page = staff.get(f"/api/v1/t/qinghe/cases?limit=2&after={after}".replace("+", "%2B")).json()
        seen += [case["number"] for case in page["cases"]]
        after = page["next"]
    assert after is None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7


def test_the_list_masks_names(staff, filed):
    (case,) = staff.get("/api/v1/t/qinghe/cases").json()["cases"]
    assert (case["complainant"], case["stage_label"]) == ("陈*国", "受理")
    assert case["next_due_at"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=201", "limit"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("after=x", "after"),
        ("scope=theirs", "scope"),
        ("due=never", "due"),
        ("owner=me", "owner"),
    ],
)
def test_a_list_asked_for_wrongly_says_where(staff, query, field):
    answer = staff.get(f"/api/v1/t/qinghe/cases?{query}")
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_filters_narrow_the_list(staff, filed):
    assert len(staff.get("/api/v1/t/qinghe/cases?stage=intake&scope=all").json()["cases"]) == 1
    assert staff.get("/api/v1/t/qinghe/cases?stage=plan").json()["cases"] == []
    assert staff.get("/api/v1/t/qinghe/cases?scope=mine").json()["cases"] == []


def test_a_case_tells_its_clocks_gates_and_masked_complainant(staff, at, filed):
    case = staff.get(at).json()
    assert (case["number"], case["rev"], case["story"]) == (filed["number"], 1, STORY)
    assert case["complainant"] == {
        "anonymous": False,
        "name": "陈*国",
        "contact": "138 **** 6021",
    }
    assert {clock["kind"] for clock in case["clocks"]} >= {"acknowledge", "accept", "reply"}
    assert all(clock["origin"]["label"] and clock["origin"]["line"] for clock in case["clocks"])
    gates = {gate["name"]: gate["met"] for gate in case["gates"]}
    assert gates["elements_whole"] is True
    assert gates["recusal_checked"] is False
    assert case["forward"] == "accept"
    assert [line["verb"] for line in case["timeline"]] == ["file"]
    whole = staff.get(at).text
    assert "陈建国" not in whole
    assert "13800006021" not in whole


def test_the_timeline_goes_on_where_it_ended(staff, at, engine, actor, filed):
    with tenant_session(engine, actor.tenant_id, actor_id=actor.id) as session:
        for n in range(31):
            service.talk(session, actor, filed["number"], "note", f"第 {n} 条")
        session.commit()
    first = staff.get(at).json()
    rest = staff.get(f"{at}?before={first['older']}").json()
    seqs = [line["seq"] for line in first["timeline"] + rest["timeline"]]
    assert seqs == list(range(32, 0, -1))
    assert rest["older"] is None
    assert staff.get(f"{at}?tab=talk").json()["timeline"] == []


def test_search_finds_by_two_characters(staff, filed):
    found = staff.get("/api/v1/t/qinghe/search?q=到账").json()
    assert [case["number"] for case in found["cases"]] == [filed["number"]]
    assert staff.get("/api/v1/t/qinghe/search?q=电影").json() == {"cases": [], "next": None}
    assert staff.get("/api/v1/t/qinghe/search").json()["fields"]["q"]


def send(client, method, path, body):
    return client.ask(method, path, json=body)


def test_registering_gives_number_and_code_and_again_the_same(staff, engine, tenant):
    body = {
        "channel": "letter",
        "story": STORY,
        "name": "陈建国",
        "phone": "13800006021",
        "amount": "1200.50",
    }
    key = {"Idempotency-Key": "r-1"}
    first = staff.ask("POST", "/api/v1/t/qinghe/cases", json=body, headers=key)
    again = staff.ask("POST", "/api/v1/t/qinghe/cases", json=body, headers=key)
    assert (first.status_code, again.json()) == (201, first.json())
    assert count(engine, tenant) == 1
    case = staff.get(f"/api/v1/t/qinghe/cases/{first.json()['number']}").json()
    assert (case["channel"], case["amount"], case["owner"]) == ("letter", "1200.50", "沈佳宁")
    keyless = send(staff, "POST", "/api/v1/t/qinghe/cases", body)
    assert list(keyless.json()["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("where", "kind"), [("notes", "note"), ("messages", "message_out"), ("calls", "call")]
)
def test_words_are_written_where_they_belong(staff, at, where, kind):
    answer = send(staff, "POST", f"{at}/{where}", {"body": "已致电投诉人"})
    assert (answer.status_code, answer.json()["rev"]) == (201, 2)
    newest = staff.get(at).json()["timeline"][0]
    assert (newest["kind"], newest["body"], newest["author"]) == (kind, "已致电投诉人", "沈佳宁")
    empty = send(staff, "POST", f"{at}/{where}", {"body": " "})
    assert (empty.status_code, list(empty.json()["fields"])) == (422, ["body"])


def test_a_move_that_lacks_something_says_what(staff, at):
    answer = send(staff, "POST", f"{at}/moves/accept", {"rev": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "gates_unmet")
    assert answer.json()["missing"] == ["分类定级", "首接负责人已定", "回避检查"]
    assert staff.get(at).json()["rev"] == 1


def test_a_stale_change_is_told_the_present_version(staff, at, actor):
    send(staff, "POST", f"{at}/notes", {"body": "先到"})
    stale = {
        ("POST", "moves/accept"): {"rev": 1},
        ("POST", "assign"): {"rev": 1, "part": "owner", "account_id": str(actor.id)},
        ("PATCH", ""): {"rev": 1, "wish": "道歉"},
    }
    for (method, path), body in stale.items():
        answer = send(staff, method, f"{at}/{path}".rstrip("/"), body)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale_version"), path
        assert answer.json()["version"] == 2
    assert staff.get(at).json()["wish"] == ""


def test_a_case_can_be_accepted_by_programs_alone(staff, at, actor, public, filed):
    facts = {"rev": 1, "category": "C1", "severity": "S1"}
    assert send(staff, "PATCH", at, facts).json()["rev"] == 2
    owner = {"rev": 2, "part": "owner", "account_id": str(actor.id)}
    assert send(staff, "POST", f"{at}/assign", owner).json()["rev"] == 3
    attested = {"gate": "recusal_checked", "note": "与经办人无利害关系"}
    assert send(staff, "POST", f"{at}/attest", attested).json()["rev"] == 4
    moved = send(staff, "POST", f"{at}/moves/accept", {"rev": 4})
    assert moved.json() == {
        "number": filed["number"],
        "rev": 5,
        "stage": "preliminary",
        "state": "open",
    }
    assert track(public, filed["number"], filed["code"]).json()["stage"] == "investigating"


@pytest.mark.parametrize("verb", ["approve", "merge", "submit_plan", "note", "nonsense"])
def test_moves_that_need_more_than_words_are_not_there(staff, at, verb):
    unknown = staff.get("/api/v1/t/qinghe/cases/TS-2026-9999")
    answer = send(staff, "POST", f"{at}/moves/{verb}", {"rev": 1, "reason": "理由"})
    assert (answer.status_code, answer.content) == (404, unknown.content)


def test_editing_keeps_what_is_not_named_and_clears_what_is_null(staff, at):
    send(staff, "PATCH", at, {"rev": 1, "category": "C1", "amount": 100, "wish": "道歉"})
    send(staff, "PATCH", at, {"rev": 2, "severity": "S2", "amount": None})
    case = staff.get(at).json()
    assert (case["category"], case["severity"], case["wish"]) == ("C1", "S2", "道歉")
    assert case["amount"] is None
    assert case["complainant"]["name"] == "陈*国"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"category": "C1"}, "rev"),
        ({"rev": 1, "tenant_id": "x"}, "tenant_id"),
        ({"rev": 1, "story": "改写"}, "story"),
        ({"rev": 1, "stage": "archive"}, "stage"),
        ({"rev": 1, "version": 9}, "version"),
        ({"rev": 1, "title": None}, "title"),
        ({"rev": 1, "category": "ZZ"}, "category"),
        ({"rev": "1"}, "rev"),
        ({"rev": True}, "rev"),
        ({"rev": 1, "amount": -1}, "amount"),
        ({"rev": 1, "anonymous": "yes"}, "anonymous"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_at_its_field(staff, at, body, field):
    answer = send(staff, "PATCH", at, body)
    assert (answer.status_code, list(answer.json().get("fields", []))) == (422, [field])
    assert staff.get(at).json()["rev"] == 1


def test_a_task_is_done_once(staff, at, actor, engine, tenant):
    with tenant_session(engine, tenant.id) as session:
        case = session.scalars(select(Case)).one()
        case.stage, case.accepted_at = "preliminary", case.received_at
        session.commit()
    made = send(
        staff,
        "POST",
        f"{at}/tasks",
        {"title": "调取托管流水", "assignee_id": str(actor.id), "due_on": "2026-12-01"},
    )
    assert (made.status_code, made.json()["assignee"]) == (201, "沈佳宁")
    done = f"{at}/tasks/{made.json()['id']}/done"
    assert send(staff, "POST", done, {"proof": "流水已附"}).status_code == 200
    assert send(staff, "POST", done, {"proof": "流水已附"}).status_code == 409
    unknown = send(staff, "POST", f"{at}/tasks/{tenant.id}/done", {"proof": "流水已附"})
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "path",
    ["notes", "messages", "calls", "attest", "assign", "tasks", "moves/accept", "merge", "retype",
     "lower", "extension", "subject", "reveal"],
)  # fmt: skip
def test_a_form_of_another_site_is_no_json(staff, at, path, engine, tenant):
    before = count(engine, tenant, LedgerEntry)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = staff.ask(
            "POST", f"{at}/{path}", content=b'{"body":"x"}', headers={"Content-Type": kind}
        )
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["Content-Type"])
    assert count(engine, tenant, LedgerEntry) == before


def test_a_token_does_no_more_than_its_scopes(api, actor, at, filed):
    reader = api(actor, "case.read")
    unknown = reader.get("/api/v1/t/qinghe/cases/TS-2026-9999")
    assert unknown.status_code == 404
    tried = [
        send(reader, "POST", f"{at}/notes", {"body": "x"}),
        send(reader, "POST", f"{at}/moves/accept", {"rev": 1}),
        send(reader, "PATCH", at, {"rev": 1}),
        reader.get("/api/v1/t/qinghe/search?q=到账"),
    ]
    assert {(t.status_code, t.content) for t in tried} == {(404, unknown.content)}
    assert reader.get(at).status_code == 200


def test_a_cookie_opens_no_api_and_a_token_no_page(web, api, actor, at):
    assert web(actor).get(at).status_code == 401
    assert api(actor).get("/t/qinghe/w").status_code == 303


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer hy_" + "x" * 43, "Basic eDp5"])
def test_without_a_token_the_answer_names_the_way(public, at, header):
    answer = public.get(at, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "unauthenticated"


def test_another_firms_token_and_number_open_nothing(api, make_tenant, make_actor, at, filed):
    other = make_tenant("wanlan", number_prefix="WL")
    stranger = api(make_actor("complaint_officer", of=other))
    at_ours = stranger.get(at)
    nowhere = stranger.get("/api/v1/t/nobody/cases/x")
    assert (at_ours.status_code, at_ours.content) == (401, nowhere.content)
    theirs = stranger.get(f"/api/v1/t/wanlan/cases/{filed['number']}")
    unknown = stranger.get("/api/v1/t/wanlan/cases/WL-2026-9999")
    assert (theirs.status_code, theirs.content) == (404, unknown.content)


def test_an_investigator_sees_only_the_own_cases(api, make_actor, at):
    investigator = api(make_actor("investigator"))
    assert investigator.get(at).status_code == 404
    assert investigator.get("/api/v1/t/qinghe/cases").json()["cases"] == []


BODIES = {
    "api:public:file": ComplaintBody,
    "api:case:register": RegisterForm,
    "api:case:note": WordsBody,
    "api:case:message": WordsBody,
    "api:case:call": WordsBody,
    "api:case:attest": AttestForm,
    "api:case:move": MoveBody,
    "api:case:edit": FactsBody,
    "api:case:assign": AssignBody,
    "api:case:subject": SubjectBody,
    "api:case:lift": SubjectBody,
    "api:case:reveal": MoveForm,
    "api:case:merge": MergeBody,
    "api:case:retype": RetypeBody,
    "api:case:withdraw_retype": RevBody,
    "api:case:grant_retype": RevBody,
    "api:case:refuse_retype": MoveBody,
    "api:case:lower": LowerBody,
    "api:extension:ask": ExtensionBody,
    "api:extension:grant": RevBody,
    "api:extension:refuse": MoveBody,
    "api:extension:withdraw": RevBody,
    "api:case:add_task": TaskForm,
    "api:case:finish_task": ProofForm,
    "api:plan:save": PlanBody,
    "api:plan:submit": RevBody,
    "api:plan:withdraw": WithdrawBody,
    "api:plan:approve": JudgeBody,
    "api:plan:return": JudgeBody,
    "api:letter:answer": AnswerBody,
    "api:letter:notice": NoticeBody,
    "api:letter:withdraw": MoveForm,
    "api:letter:release": ReleaseBody,
    "api:letter:delivery": DeliveryForm,
    "api:evidence:add": UploadBody,
    "api:evidence:verify": VerifyBody,
}


def test_every_operation_is_described_with_its_body(place, public):
    paths = public.get("/api/v1/schema/openapi.json").json()["paths"]
    seen = set()
    for route in place.routes:
        if not route.path.startswith("/api/v1/") or route.path.startswith("/api/v1/schema"):
            continue
        path = route.path.replace(":str}", "}").replace(":uuid}", "}")
        for handler in route.route_handlers:
            for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                told = paths[path][method.lower()]
                named = [p["name"] for p in told["parameters"] if p["in"] == "path"]
                assert sorted(named) == sorted(re.findall(r"\{(\w+)\}", path))
                if path.startswith("/api/v1/t/"):
                    told_of = [p for p in told["parameters"] if p.get("description")]
                    assert {p["name"] for p in told_of} >= {*named}, path
                assert told["summary"]
                assert told["tags"]
                assert any(status.startswith("2") for status in told["responses"])
                seen.add(handler.name)
                if handler.name in BODIES:
                    shape = BODIES[handler.name]
                    schema = told["requestBody"]["content"]["application/json"]["schema"]
                    fields = {f.encode_name for f in msgspec.structs.fields(shape)}
                    assert set(schema["properties"]) == fields
                elif handler.name.startswith("api:"):
                    assert method == "GET", handler.name
    assert seen >= set(BODIES)


def test_the_description_names_keys_codes_and_filters(public):
    paths = public.get("/api/v1/schema/openapi.json").json()["paths"]

    def parameters(path, method):
        return {p["name"] for p in paths[path][method]["parameters"]}

    assert "Idempotency-Key" in parameters("/api/v1/p/{tenant}/complaints", "post")
    needed = paths["/api/v1/t/{tenant}/approvals"]["get"]["parameters"]
    assert {p["name"] for p in needed if p["required"]} == {"tenant", "what"}
    assert "X-Tracking-Code" in parameters("/api/v1/p/{tenant}/cases/{number}", "get")
    assert {"after", "limit", "stage"} <= parameters("/api/v1/t/{tenant}/cases", "get")
    edit = paths["/api/v1/t/{tenant}/cases/{number}"]["patch"]
    schema = edit["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["rev"]
    assert {"409", "401", "404", "422"} <= set(edit["responses"])


def test_the_description_tells_moments_units_files_and_what_an_act_asks(public):
    paths = public.get("/api/v1/schema/openapi.json").json()["paths"]
    case = "/api/v1/t/{tenant}/cases/{number}"

    def body(path):
        content = paths[f"{case}/{path}"]["post"]["requestBody"]["content"]
        return content["application/json"]["schema"]

    answer = paths[case]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["properties"]["received_at"]["format"] == "date-time"
    assert "\n    " not in str(paths)
    assert "unit" in body("extension")["properties"]["days"]["description"]
    assert body("reveal")["required"] == ["reason"]
    assert body("merge")["required"] == ["master", "reason", "rev"]
    pdf = paths[f"{case}/letters/{{letter_id}}/pdf"]["get"]["responses"]["200"]["content"]
    assert pdf == {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
