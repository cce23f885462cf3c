"""What somebody typed is still there when it was refused."""

import re

import pytest

from huiyin.cases.change import find
from huiyin.cases.stages import CaseState
from huiyin.db import tenant_session
from huiyin.identity.policy import Role
from huiyin.kit.time import now

from .bodies import ON_A_CASE

WORDS = "这些话写了很久，不能丢失"
# Fields that a person writes in words; the others are chosen or hidden.
WRITTEN = {
    "basis", "body", "detail", "findings", "goal", "measure_title", "note", "outcome", "process",
    "proof", "reason", "title",
}  # fmt: skip
CHOSEN = {"outcome": {"letter:delivery"}}  # a list there, words elsewhere
WORDLESS = {
    "plan:submit", "extension:grant", "extension:withdraw", "letter:release",
    "case:retype_withdraw",
}  # fmt: skip


def written(name, body):
    return {f for f in body if f in WRITTEN and name not in CHOSEN.get(f, ())}


@pytest.fixture
def person(ours, come):
    who = come(*(role.value for role in Role)).person
    second = {"story": "另一件投诉，也等了很久", "phone": "13800006021"}
    assert who.post("/t/qinghe/w/cases/new", second).status_code == 303
    return who


def fill(ours, fields, /, **more):
    known = {**ours.known, "member": ours.officer.id, "colleague": ours.officer.id}
    known["other"] = ours.known["number"].replace("0001", "0002")
    given = {
        name: known.get(value[1:], value) if str(value)[:1] == "@" else value
        for name, value in fields.items()
    }
    return {name: str(value) for name, value in {**given, **more}.items()}


def test_a_form_somebody_overtook_comes_back_as_it_was_typed(routes, ours, person):
    lost, tried = [], set()
    for route in routes:
        body = ON_A_CASE.get(route.name, {}) if route.kind == "page" else {}
        fields = written(route.name, body)
        if "rev" not in body or route.name in WORDLESS:
            continue
        assert fields, f"{route} has no words: name it above"
        tried.add(route.name)
        sent = fill(ours, body, rev="1", **dict.fromkeys(fields, WORDS))
        path = route.at(**{**ours.known, "verb": "accept"})
        answer = person.post(path, sent)
        fresh = re.search(r'name="rev" value="(\d+)"', answer.text)
        if answer.status_code != 409 or answer.text.count(WORDS) < len(fields):
            lost.append(f"{route}: {answer.status_code}, {answer.text.count(WORDS)} of {fields}")
        elif fresh and int(fresh[1]) == 1:
            lost.append(f"{route}: the old version")
    assert lost == []
    assert {"plan:save", "letter:answer", "letter:notice", "case:assign", "case:merge"} <= tried


def test_what_a_closed_case_refuses_comes_back_too(routes, ours, person, engine):
    with tenant_session(engine, ours.firm.id, actor_id=ours.officer.id) as session:
        case = find(session, ours.officer, ours.number)
        case.state, case.closed_at, rev = CaseState.CLOSED.value, now(), case.version
        session.commit()
    lost = []
    for name in ("case:talk", "case:attest", "case:add_task", "case:finish_task", "plan:save",
                 "extension:ask", "evidence:verify"):  # fmt: skip
        (route,) = (r for r in routes if r.name == name)
        fields = written(name, ON_A_CASE[name])
        more = {"rev": rev} if "rev" in ON_A_CASE[name] else {}
        sent = fill(ours, ON_A_CASE[name], **more, **dict.fromkeys(fields, WORDS))
        answer = person.post(route.at(**ours.known), sent)
        if answer.status_code not in {403, 409} or answer.text.count(WORDS) < len(fields):
            lost.append(f"{route}: {answer.status_code}")
    assert lost == []


def test_a_message_to_the_complainant_does_not_come_back_as_a_note(ours, person):
    answer = person.post(f"/t/qinghe/w/cases/{ours.number}/talk", {"mode": "message", "body": "  "})
    assert answer.status_code == 422
    assert re.search(r'value="message" checked', answer.text)


def test_a_registration_sent_twice_with_other_words_is_offered_anew(ours, person):
    form = {"story": "赎回款没有到账，已经等了很久", "phone": "13800006021", "_key": "once"}
    assert person.post("/t/qinghe/w/cases/new", form).status_code == 303
    answer = person.post("/t/qinghe/w/cases/new", {**form, "story": WORDS})
    assert answer.status_code == 409
    assert WORDS in answer.text
    key = re.search(r'name="_key" value="([^"]+)"', answer.text)[1]
    assert key != "once"
    again = person.post("/t/qinghe/w/cases/new", {**form, "story": WORDS, "_key": key})
    assert again.status_code == 303
