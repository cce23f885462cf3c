"""The API as a program meets it: over HTTP, against a real database."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import func, select

from huiyin.cases import public_api, service
from huiyin.cases.api_shapes import AssignBody, FactsBody, MoveBody, RevBody, WordsBody
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.cases.schemas import AttestForm, ComplaintBody, ProofForm, RegisterForm, TaskForm
from huiyin.db import tenant_session
from huiyin.evidence.api import UploadBody
from huiyin.identity.throttle import TRACKING, Throttle
from huiyin.ledger.models import LedgerEntry
from huiyin.letters.api import AnswerBody, ReleaseBody
from huiyin.letters.schemas import DeliveryForm
from huiyin.remedies.api import JudgeBody, PlanBody, WithdrawBody
from huiyin.web.desk import Desk

STORY = "二月初申请赎回，合同写明三个工作日到账，至今没有收到。"
BODY = {"story": STORY, "name": "陈建国", "phone": "13800006021", "fund": "青禾稳健一号"}


def file(client, body=None, key="k-1", firm="qinghe", **headers):
    return client.ask(
        "POST",
        f"/api/v1/p/{firm}/complaints",
        json=BODY if body is None else body,
        headers={"Idempotency-Key": key, **headers},
    )


def track(client, number, code, firm="qinghe"):
    return client.get(f"/api/v1/p/{firm}/cases/{number}", headers={"X-Tracking-Code": code})


def count(engine, tenant, model=Case):
    with tenant_session(engine, tenant.id) as session:
        return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def filed(public, tenant):
    """The receipt of one complaint: number and code."""
    return file(public).json()


@pytest.fixture
def staff(api, actor):
    """A program that may do all a complaint officer may."""
    return api(actor)


@pytest.fixture
def at(filed):
    return f"/api/v1/t/qinghe/cases/{filed['number']}"


# -- filing --


def test_a_complaint_is_answered_with_its_number_and_code(public, tenant, engine):
    answer = file(public)
    assert answer.status_code == 201
    assert set(answer.json()) == {"number", "code"}
    assert len(answer.json()["code"]) == 16
    with tenant_session(engine, tenant.id) as session:
        case = session.scalars(select(Case)).one()
    assert (case.number, case.story, case.channel) == (answer.json()["number"], STORY, "api")
    assert case.idem_key == "k-1"


@pytest.mark.parametrize("key", ["", "a" * 65, "two words", "tab\there"])
def test_a_key_is_one_to_sixty_four_visible_characters(public, tenant, engine, key):
    answer = file(public, key=key)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["fields"]
    assert count(engine, tenant) == 0


def test_without_a_key_nothing_is_filed(public, tenant, engine):
    answer = public.ask("POST", "/api/v1/p/qinghe/complaints", json=BODY)
    assert answer.status_code == 422
    assert "1 至 64" in answer.json()["fields"]["Idempotency-Key"]
    assert count(engine, tenant) == 0


def test_the_same_key_and_body_give_the_same_answer(public, tenant, engine):
    first, again = file(public), file(public)
    assert (again.status_code, again.content) == (201, first.content)
    assert count(engine, tenant) == 1


def test_the_same_key_with_another_body_is_refused(public, tenant, engine):
    file(public)
    answer = file(public, {**BODY, "wish": "按合同支付"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count(engine, tenant) == 1


def test_the_same_key_at_another_firm_is_another_complaint(public, tenant, make_tenant, engine):
    other = make_tenant("wanlan", number_prefix="WL")
    first, second = file(public), file(public, {**BODY, "wish": "道歉"}, firm="wanlan")
    assert second.status_code == 201
    assert first.json()["code"] != second.json()["code"]
    assert (count(engine, tenant), count(engine, other)) == (1, 1)


def test_fifty_at_once_with_one_key_are_one_case(public, tenant, engine):
    with public.http, ThreadPoolExecutor(50) as threads:
        found = list(threads.map(lambda _: file(public), range(50)))
    assert {answer.status_code for answer in found} == {201}
    assert len({answer.content for answer in found}) == 1
    assert count(engine, tenant) == 1
    with tenant_session(engine, tenant.id) as session:
        assert session.scalar(select(Case.number)).endswith("-0001")
    assert file(public, key="k-2").json()["number"].endswith("-0002")


def test_every_fault_is_told_at_once_at_its_field(public, tenant, engine):
    answer = file(public, {"story": "太短", "email": "no", "tenant_id": "x", "status": "closed"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert set(answer.json()["fields"]) == {"story", "email", "tenant_id", "status"}
    assert count(engine, tenant) == 0


@pytest.mark.parametrize("contact", [{}, {"phone": ""}, {"phone": "  ", "email": None}])
def test_without_a_way_to_answer_both_ways_are_asked_for(public, tenant, contact):
    answer = file(public, {"story": STORY, **contact})
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"phone", "email"}


@pytest.mark.parametrize("phone", ["------", "(+) - 12345", "12345"])
def test_a_number_that_reaches_nobody_is_no_contact(public, tenant, phone):
    answer = file(public, {"story": STORY, "phone": phone})
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"phone"}


@pytest.mark.parametrize("phone", ["123456", "+86 (010) 6021-1234", "138 0000 6021"])
def test_a_number_with_six_digits_is(public, tenant, phone):
    assert file(public, {"story": STORY, "phone": phone}).status_code == 201


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/plain", b'{"story": "%b", "phone": "13800006021"}' % STORY.encode()),
        ("application/x-www-form-urlencoded", b"story=aaaaaaaaaaaa&phone=13800006021"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("", b"{}"),
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b'{"story": "\xff"}'),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b'"text"'),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"story":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001),
        ("application/json", b'{"story": 1, "phone": ["13800006021"], "name": {}}'),
    ],
)
def test_anything_but_a_json_object_is_refused(public, tenant, engine, kind, content):
    answer = public.ask(
        "POST",
        "/api/v1/p/qinghe/complaints",
        content=content,
        headers={"Idempotency-Key": "k", "Content-Type": kind},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert count(engine, tenant) == 0


def test_a_body_beyond_the_limit_is_refused(public, tenant, engine):
    answer = file(public, {**BODY, "wish": "愿" * public_api.LIMIT})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert count(engine, tenant) == 0


def test_the_longest_story_fits_even_when_escaped(public, tenant):
    story = "赎" * 10_000
    content = '{"phone":"13800006021","story":"' + "\\u8d4e" * 10_000 + '"}'
    answer = public.ask(
        "POST",
        "/api/v1/p/qinghe/complaints",
        content=content,
        headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
    )
    assert answer.status_code == 201
    assert file(public, {"phone": "13800006021", "story": story}, "k").json() == answer.json()


def test_refusals_speak_the_readers_language(public, tenant):
    path, headers = "/api/v1/p/qinghe/complaints", {"Idempotency-Key": "k"}
    given = {"json": {"story": "short"}}
    by_header = public.ask("POST", path, **given, headers={**headers, "Accept-Language": "en-GB"})
    by_address = public.ask("POST", f"{path}?lang=en", **given, headers=headers)
    chinese = public.ask("POST", path, **given, headers=headers)
    assert by_header.json() == by_address.json()
    english = [by_header.json()["message"], *by_header.json()["fields"].values()]
    assert all(text.isascii() for text in english), english
    assert chinese.json()["fields"]["story"] == "请至少写 10 个字"
    for broken in ({"content": b"{"}, {"content": b"{}", "headers": {"Idempotency-Key": ""}}):
        sent = {"Content-Type": "application/json", "Accept-Language": "en", **headers}
        answer = public.ask(
            "POST", path, **{**broken, "headers": {**sent, **broken.get("headers", {})}}
        )
        assert all(text.isascii() for text in answer.json()["fields"].values()), answer.json()


def test_a_network_that_files_too_much_must_wait(public, tenant, engine, monkeypatch):
    monkeypatch.setattr(public_api, "FILING", Throttle("filing.network", 2, 900))
    assert [file(public, key=str(n)).status_code for n in range(3)] == [201, 201, 429]
    answer = file(public, key="4")
    assert 1 <= int(answer.headers["Retry-After"]) <= 900
    assert answer.json()["code"] == "throttled"
    assert count(engine, tenant) == 2


def test_a_firm_that_does_not_exist_takes_nothing(public, tenant):
    assert file(public, firm="nobody").status_code == 404


def test_whoever_is_logged_in_still_files_as_a_complainant(web, actor, tenant, engine):
    assert file(web(actor)).status_code == 201
    with tenant_session(engine, tenant.id) as session:
        assert session.scalars(select(Case.owner_id)).one() is None


# -- tracking --


def test_the_code_shows_the_stage_and_the_promised_day(public, filed):
    answer = track(public, filed["number"], filed["code"])
    assert answer.status_code == 200
    seen = answer.json()
    assert set(seen) == {
        "number",
        "received_at",
        "stage",
        "stage_label",
        "promised_by",
        "next_date",
        "messages",
    }
    assert (seen["stage"], seen["stage_label"], seen["messages"]) == ("received", "已收到", [])
    assert seen["promised_by"] > seen["next_date"]


def test_messages_show_who_wrote_and_internal_notes_never(public, filed, engine, tenant, actor):
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session:
        service.talk(session, actor, filed["number"], "note", "内部：先查流水")
        service.talk(session, actor, filed["number"], "message", "已向托管人核实")
        session.commit()
    seen = track(public, filed["number"], filed["code"]).json()
    assert [(m["from"], m["body"]) for m in seen["messages"]] == [("firm", "已向托管人核实")]


def test_every_wrong_way_to_ask_gets_the_same_answer(public, filed, make_tenant):
    make_tenant("wanlan", number_prefix="WL")
    theirs = file(public, key="k-2", firm="wanlan").json()
    ours, code = filed["number"], filed["code"]
    found = [
        track(public, ours, "0" * 16),
        track(public, ours, ""),
        track(public, "TS-2026-9999", code),
        track(public, theirs["number"], theirs["code"]),
        track(public, theirs["number"], code),
        track(public, ours, code, firm="wanlan"),
        public.get(f"/api/v1/p/qinghe/cases/{ours}"),
    ]
    assert {answer.status_code for answer in found} == {404}
    assert len({answer.content for answer in found}) == 1


def test_guessing_ends_before_anything_is_looked_up(public, filed, queries):
    for _ in range(TRACKING.limit):
        assert track(public, filed["number"], "1" * 16).status_code == 404
    queries.clear()
    answer = track(public, filed["number"], filed["code"])
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert not [statement for statement in queries if "case_file" in statement]


def test_the_right_code_forgets_the_wrong_ones(public, filed):
    for _ in range(3):
        for _ in range(TRACKING.limit - 1):
            track(public, filed["number"], "1" * 16)
        assert track(public, filed["number"], filed["code"]).status_code == 200


@pytest.fixture
def networks(monkeypatch):
    """Requests come from where their header says."""
    said = property(lambda desk: desk.request.headers.get("x-from", "192.0.2.1"))
    monkeypatch.setattr(Desk, "ip", said)

    def ask(client, number, code, source):
        path = f"/api/v1/p/qinghe/cases/{number}"
        return client.get(path, headers={"X-Tracking-Code": code, "X-From": source}).status_code

    return ask


def test_whoever_guesses_elsewhere_locks_nobody_out(public, filed, networks):
    for _ in range(TRACKING.limit + 2):
        networks(public, filed["number"], "1" * 16, "198.51.100.7")
    assert networks(public, filed["number"], filed["code"], "198.51.100.8") == 429
    assert networks(public, filed["number"], filed["code"], "203.0.113.9") == 200


def test_many_networks_together_must_wait(public, filed, networks, monkeypatch):
    monkeypatch.setattr(public_api, "TRACKING_NUMBER", Throttle("tracking.number", 3, 900))
    sources = [f"198.51.{n}.7" for n in range(4)]
    wrong = [networks(public, filed["number"], "1" * 16, source) for source in sources]
    assert wrong == [404, 404, 404, 429]
    assert networks(public, "TS-2026-4711", "1" * 16, "203.0.113.9") == 404


def test_a_network_that_guesses_numbers_must_wait(public, filed, monkeypatch):
    monkeypatch.setattr(public_api, "TRACKING_NETWORK", Throttle("tracking.network", 3, 900))
    tried = [track(public, f"TS-2026-{n:04d}", "1" * 16).status_code for n in range(1000, 1004)]
    assert tried == [404, 404, 404, 429]


# -- staff: reading --


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


# -- staff: acting --


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
    "path", ["notes", "messages", "calls", "attest", "assign", "tasks", "moves/accept"]
)
def test_a_form_of_another_site_is_no_json(staff, at, path, engine, tenant):
    before = count(engine, tenant, LedgerEntry)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = staff.ask(
            "POST", f"{at}/{path}", content=b'{"body":"x"}', headers={"Content-Type": kind}
        )
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["Content-Type"])
    assert count(engine, tenant, LedgerEntry) == before


# -- staff: who may --


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


# -- the description --

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
    "api:case:add_task": TaskForm,
    "api:case:finish_task": ProofForm,
    "api:plan:save": PlanBody,
    "api:plan:submit": RevBody,
    "api:plan:withdraw": WithdrawBody,
    "api:plan:approve": JudgeBody,
    "api:plan:return": JudgeBody,
    "api:letter:answer": AnswerBody,
    "api:letter:release": ReleaseBody,
    "api:letter:delivery": DeliveryForm,
    "api:evidence:add": UploadBody,
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
                named = {p["name"] for p in told["parameters"] if p["in"] == "path"}
                assert named == set(re.findall(r"\{(\w+)\}", path))
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
    assert "X-Tracking-Code" in parameters("/api/v1/p/{tenant}/cases/{number}", "get")
    assert {"after", "limit", "stage"} <= parameters("/api/v1/t/{tenant}/cases", "get")
    edit = paths["/api/v1/t/{tenant}/cases/{number}"]["patch"]
    schema = edit["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["rev"]
    assert {"409", "401", "404", "422"} <= set(edit["responses"])
