"""What a telephone system tells: signed, fresh, once, and never believed otherwise."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from huiyin.ledger.models import LedgerEntry
from huiyin.tenancy.models import PluginActivation
from huiyin_channel_phone import webhook
from huiyin_channel_phone.models import Recording

from .conftest import (
    API,
    HOME,
    NOW,
    NUMBER,
    SECRET,
    backs_in,
    calls_in,
    event,
    headers,
    sha256,
    sound,
)


@pytest.fixture
def post(public, keyed):
    """``post(body, headers)`` as a telephone system sends it."""

    def run(body, given=None):
        return public.ask("POST", f"{API}/calls", content=body, headers=given or headers(body))

    return run


def test_a_call_is_kept_before_it_is_acknowledged(post, session):
    answer = post(event())
    assert (answer.status_code, answer.json()["fresh"]) == (201, True)
    (call,) = calls_in(session)
    assert answer.json()["id"] == str(call.id)
    assert (call.number, call.line, call.state, call.source) == (
        NUMBER, "4000000000", "missed", "webhook",
    )  # fmt: skip
    (back,) = backs_in(session)
    assert back.number == NUMBER


def test_the_same_call_again_is_answered_the_same(post, session):
    first, second = post(event()), post(event())
    assert (second.status_code, second.json()["fresh"]) == (200, False)
    assert first.json()["id"] == second.json()["id"]
    assert len(calls_in(session)) == 1
    assert backs_in(session)[0].missed == 1


def test_many_at_once_are_one_call(keyed, web, session):
    body = event()
    clients = [web() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = [
            pool.submit(copy_context().run, c.ask, "POST", f"{API}/calls", content=body,
                        headers=headers(body))
            for c in clients
        ]  # fmt: skip
        told = [answer.result() for answer in answers]
    assert sorted(a.status_code for a in told) == [200] * 5 + [201]
    assert len({a.json()["id"] for a in told}) == 1
    assert len(calls_in(session)) == 1
    assert backs_in(session)[0].missed == 1


def test_the_same_call_with_other_content_is_refused(post, session):
    post(event())
    other = event(answered=True)
    answer = post(other, headers(other))
    assert (answer.status_code, answer.json()["code"]) == (409, "call_reused")
    assert calls_in(session)[0].state == "missed"


def forged():
    body = event()
    good = headers(body)
    late, early = NOW - timedelta(minutes=6), NOW + timedelta(minutes=6)
    without = {k: v for k, v in good.items() if k != webhook.SIGNATURE}
    return {
        "other key": headers(body, secret="another key of theirs"),
        "no signature": without,
        "empty signature": {**good, webhook.SIGNATURE: ""},
        "other body": headers(event("pbx-1", answered=True)),
        "other id": {**good, webhook.ID: "pbx-2"},
        "old": headers(body, at=late),
        "of the future": headers(body, at=early),
        "newer time, old signature": {**good, webhook.TIMESTAMP: str(int(NOW.timestamp()) + 1)},
        "no time": {k: v for k, v in good.items() if k != webhook.TIMESTAMP},
        "odd time": {**good, webhook.TIMESTAMP: "-1"},
        "no id": {k: v for k, v in good.items() if k != webhook.ID},
        "upper case": {**good, webhook.SIGNATURE: good[webhook.SIGNATURE].upper()},
    }


@pytest.mark.parametrize("how", forged())
def test_what_is_not_certain_is_refused_alike(post, session, how):
    answer = post(event(), forged()[how])
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_signature")
    assert answer.json() == post(event(), headers(event(), secret="x" * 20)).json()
    assert calls_in(session) == []
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_without_a_key_nothing_is_taken(public, switched_on, session):
    body = event()
    for secret in (SECRET, ""):
        answer = public.ask(
            "POST", f"{API}/calls", content=body, headers=headers(body, secret=secret)
        )
        assert answer.status_code == 403
    assert calls_in(session) == []


def test_off_there_is_no_such_address(public, keyed, session, place):
    row = session.scalars(select(PluginActivation)).one()
    row.active = False
    session.commit()
    place.host.forget()
    body = event()
    for path in ("/calls", "/nothing"):
        answer = public.ask("POST", f"{API}{path}", content=body, headers=headers(body))
        assert answer.status_code == 404
    there = API.replace("qinghe", "nowhere")
    assert (
        public.ask("POST", f"{there}/calls", content=body, headers=headers(body)).status_code == 404
    )


def test_keys_are_not_guessed_for_ever(post):
    bad = headers(event(), secret="x" * 20)
    seen = {post(event(), bad).status_code for _ in range(31)}
    assert seen == {403, 429}
    assert post(event()).status_code == 201  # who knows the key is not shut out


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"call_id": "pbx-1"}', b"\xff\xfe", b"[" * 5000,
        event(direction="sideways"), event(answered="yes"), event(seconds=-1),
        event(started_at="yesterday"), event(started_at="2026-11-26T09:00:00"),
        event(started_at=(NOW + timedelta(hours=1)).isoformat()),
        event(started_at="1999-01-01T00:00:00Z"), event(caller="nobody knows"),
        event(caller="1" * 41), event(more="than asked"), event("pbx-2"),
    ],
)  # fmt: skip
def test_nonsense_that_is_signed_is_refused_too(post, session, body):
    answer = post(body)
    assert answer.status_code == 422, answer.text
    assert calls_in(session) == []


def test_a_body_that_is_too_large_is_not_read(post):
    body = event(agent="x" * 70_000)
    assert post(body).status_code == 413


def test_nothing_of_it_is_in_the_logs(post, caplog, session):
    caplog.set_level(logging.DEBUG)
    post(event())
    post(event(), headers(event(), secret="x" * 20))
    post(event(caller="不详的号码"))
    for word in (NUMBER, "138-0000-6021", SECRET, "不详的号码", "4000000000"):
        assert word not in caplog.text
    facts = "".join(str(entry.doc) for entry in session.scalars(select(LedgerEntry)))
    assert NUMBER not in facts


# -- recordings --


@pytest.fixture
def send(public, keyed):
    """``send("pbx-1", name, data)``: the sound of a call."""

    def run(call_id="pbx-1", name="a.wav", data=b"", *, said=None, secret=SECRET, at=NOW):
        hash_ = said or sha256(data)
        signed = headers(hash_.encode(), call_id, secret, at)
        signed.pop("Content-Type")
        signed[webhook.DIGEST] = hash_
        return public.ask(
            "POST", f"{API}/recordings", files={"file": (name, data, "audio/wav")}, headers=signed
        )

    return run


def test_a_recording_follows_its_call(send, tell, session):
    call = tell(answered=True, seconds=9)
    name, data = sound()
    answer = send("pbx-1", name, data)
    assert answer.status_code == 201, answer.text
    row = session.scalars(select(Recording)).one()
    assert (row.call_id, row.sha256, row.size) == (call.id, sha256(data), len(data))
    assert answer.json()["sha256"] == row.sha256
    assert send("pbx-1", name, data).json()["id"] == str(row.id)  # sent twice, kept once
    assert session.scalar(select(func.count()).select_from(Recording)) == 1


def test_a_recording_of_an_unknown_call_is_refused(send, session):
    assert send("pbx-9", *sound()).status_code == 404
    assert session.scalar(select(func.count()).select_from(Recording)) == 0


def test_a_recording_that_is_not_what_was_signed_is_refused(send, tell, session):
    tell(answered=True)
    name, data = sound()
    assert send("pbx-1", name, data, said=sha256(b"other")).status_code == 409
    assert send("pbx-1", name, data, secret="x" * 20).status_code == 403
    assert send("pbx-1", name, data, at=NOW - timedelta(hours=1)).status_code == 403
    assert send("pbx-1", name, data, said="zz").status_code == 403
    assert session.scalar(select(func.count()).select_from(Recording)) == 0


def test_a_recording_that_is_not_signed_is_not_read(public, keyed):
    garbage = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = public.ask("POST", f"{API}/recordings", content=b"garbage", headers=garbage)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_signature")


def test_a_program_posing_as_sound_is_refused(send, tell, session):
    tell(answered=True)
    for name, data in (("a.wav", b"MZ\x90\x00" * 99), ("a.exe", sound()[1]), ("a.wav", b"<html>")):
        answer = send("pbx-1", name, data)
        assert answer.status_code == 422
        assert "WAV" in json.dumps(answer.json(), ensure_ascii=False)
    assert session.scalar(select(func.count()).select_from(Recording)) == 0


def test_the_page_of_the_call_plays_it(send, tell, browser):
    call = tell(answered=True)
    send("pbx-1", *sound())
    page = browser.get(f"{HOME}/calls/{call.id}").text
    assert "<audio controls" in page
    assert "未记录是否告知录音" in page
