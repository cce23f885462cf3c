"""The public API as a program meets it: filing and tracking, over HTTP, on a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from huiyin.cases import public_api, service
from huiyin.cases.models import Case
from huiyin.db import tenant_session
from huiyin.identity.throttle import TRACKING, Throttle
from huiyin.web.desk import Desk

from .given import BODY, STORY, count, file, track


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
