"""Open lines: kept before acknowledged, numbered, made up after a break, closed when need be."""

from datetime import timedelta

import pytest
from litestar.exceptions import WebSocketDisconnect
from sqlalchemy import select, update

from huiyin.identity.models import LoginSession
from huiyin.kit.time import now
from huiyin.sdk import Case
from huiyin_channel_chat import talks
from huiyin_channel_chat.models import Conversation
from huiyin_channel_chat.terms import LONGEST

from .conftest import HOME, QUEUE, STORY, Visitor, connect


def hello(line, **more):
    line.send_json({"type": "hello", **more})
    return line.receive_json()


def say(line, body, client_id="client-0001"):
    line.send_json({"type": "say", "id": client_id, "body": body})


def until(line, kind):
    """Frames up to the first of a kind."""
    got = []
    while not got or got[-1]["type"] != kind:
        got.append(line.receive_json())
    return got


def test_a_message_is_in_the_database_when_it_is_acknowledged(visitor, lines):
    visitor.begin()
    with connect(visitor.browser) as line:
        assert hello(line)["seq"] == 0
        say(line, STORY)
        *_, ack = until(line, "ack")
        assert (ack["id"], ack["seq"]) == ("client-0001", 1)
        assert lines() == [("visitor", STORY)]


def test_the_same_message_twice_is_one(visitor, lines):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        for _ in range(2):
            say(line, STORY)
            assert until(line, "ack")[-1]["seq"] == 1
    assert visitor.say(STORY, id="client-0001").status_code == 303  # by the form too
    assert len(lines()) == 1


def test_a_line_that_comes_back_gets_what_it_missed_in_order(visitor, officer, only):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        say(line, "一", "client-0001")
        until(line, "ack")
    path = f"{QUEUE}/talks/{only().id}"
    officer.post(path, {"act": "take"})
    for n in range(3):
        officer.post(path, {"act": "say", "body": f"答 {n}", "id": f"officer-{n}"})
    with connect(visitor.browser) as line:
        assert hello(line, after=1)["seq"] == 5
        *said, state = until(line, "state")
    assert [frame["seq"] for frame in said] == [2, 3, 4, 5]
    assert [frame["body"] for frame in said][1:] == ["答 0", "答 1", "答 2"]
    assert state["state"] == "taken"


def test_an_answer_arrives_on_an_open_line_without_asking(visitor, officer, only):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        path = f"{QUEUE}/talks/{only().id}"
        officer.post(path, {"act": "take"})
        until(line, "said")
        with connect(officer, f"{QUEUE}/live") as desk:
            hello(desk, talk=str(only().id))
            desk.send_json({"type": "typing"})
            until(line, "typing")
            say(desk, "您好", "officer-0001")
            until(desk, "ack")
        assert until(line, "said")[-1]["body"] == "您好"


def test_the_token_of_a_frame_stands_for_the_cookie(visitor, web, only):
    visitor.begin()
    stranger = web()
    with connect(stranger) as line:
        assert hello(line, token=visitor.secret)["seq"] == 0
    with connect(stranger) as line:
        line.send_json({"type": "hello", "token": "guessed"})
        assert closed(line) == 4010


def closed(line):
    """The code a line is closed with."""
    try:
        while True:
            line.receive_json()
    except WebSocketDisconnect as fault:
        return fault.code


@pytest.mark.parametrize(
    ("sent", "code"),
    [("x" * 17_000, 1009), ("not json", 1007), ("[1]", 1007), ("\x00", 1007)],
    ids=["large", "words", "list", "nul"],
)
def test_what_is_no_frame_closes_the_line_with_a_clear_code(visitor, sent, code):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        line.send_text(sent)
        assert closed(line) == code


def test_a_flood_of_frames_closes_the_line(visitor):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        for _ in range(70):
            line.send_json({"type": "beat"})
        assert closed(line) == 4429


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "say", "id": "client-0001", "body": ""}, "invalid"),
        ({"type": "say", "id": "client-0001", "body": "长" * (LONGEST + 1)}, "invalid"),
        ({"type": "say", "id": "", "body": "你好"}, "invalid"),
        ({"type": "say", "id": 7, "body": ["a"]}, "invalid"),
    ],
    ids=["empty", "long", "nameless", "odd"],
)
def test_what_cannot_be_kept_is_refused_and_the_line_stays(visitor, frame, code, lines):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        line.send_json(frame)
        refused = until(line, "refused")[-1]
        assert (refused["re"], refused["code"]) == (frame["id"], code)
        assert refused["fields"]["body"]
        say(line, STORY)
        until(line, "ack")
    assert lines() == [("visitor", STORY)]


def test_too_many_messages_a_minute_are_told_to_wait(visitor, ctx, lines):
    visitor.begin()
    with connect(visitor.browser) as line:
        hello(line)
        for n in range(20):
            say(line, f"第 {n} 条", f"client-{n:04d}")
            until(line, "ack")
        say(line, "再来一条", "client-9999")
        refused = until(line, "refused")[-1]
    assert (refused["code"], refused["after"]) == ("throttled", 15)
    assert len(lines()) == 20


def refused(browser, path, **headers):
    """The handshake fails, whatever the reason."""
    with pytest.raises(WebSocketDisconnect), connect(browser, path, **headers):
        raise AssertionError("it was let in")


def test_only_our_own_pages_get_a_line(visitor, web):
    visitor.begin()
    for origin in ("https://elsewhere.test", "null", ""):
        refused(visitor.browser, f"{HOME}/live", origin=origin)


def test_a_wrong_firm_role_or_switch_is_no_address(
    visitor, public, make_actor, make_tenant, web, officer
):
    make_tenant("yuancen", chat=False)
    refused(public, "/p/nobody/chat/live")
    refused(public, "/p/yuancen/chat/live")
    refused(public, f"{QUEUE}/live")
    refused(web(make_actor("investigator")), f"{QUEUE}/live")
    refused(officer, "/t/yuancen/w/x/channel-chat/live")
    with connect(officer, f"{QUEUE}/live") as line:
        assert hello(line)["type"] == "queue"


def test_an_officer_walled_from_the_case_loses_the_talk(visitor, officer, session, only, ctx):
    visitor.begin(phone="138 0000 6021")
    visitor.say(STORY)
    path = f"{QUEUE}/talks/{only().id}"
    officer.post(path, {"act": "take"})
    with connect(officer, f"{QUEUE}/live") as line:
        hello(line, talk=str(only().id))
        until(line, "state")
        visitor.post("convert", story=STORY, phone="138 0000 6021", consent="on")
        until(line, "state")
        case = session.query(Case).one()
        case.walled = [officer.actor.id]
        session.commit()
        visitor.say("只说给能看的人")
        assert closed(line) == 4404
    assert officer.get(path).status_code == 404
    assert STORY not in officer.get(f"{QUEUE}/").text


def test_one_address_has_so_many_lines_and_others_are_served(visitor, place, monkeypatch):
    visitor.begin()
    monkeypatch.setattr(place.site.doorkeeper, "per_address", 2)
    with connect(visitor.browser), connect(visitor.browser):
        refused(visitor.browser, f"{HOME}/live")
        assert visitor.say(STORY).status_code == 303  # the form goes on
    with connect(visitor.browser) as line:
        hello(line)
    assert len(place.site.doorkeeper) == 0


@pytest.mark.parametrize(
    ("kind", "somebody"), [("beat", False), ("hello", False), ("typing", True)]
)
def test_a_page_left_open_keeps_nobody_logged_in(officer, session, monkeypatch, kind, somebody):
    monkeypatch.setattr("huiyin.web.live.LOOK", 0.0)
    with connect(officer, f"{QUEUE}/live") as line:
        hello(line)
        long_ago = now() - timedelta(minutes=20)
        session.execute(update(LoginSession).values(seen_at=long_ago))
        session.commit()
        line.send_json({"type": kind})
        line.send_json({"type": "beat"})
        until(line, "beat")
    session.expire_all()
    (seen,) = session.scalars(select(LoginSession.seen_at)).all()
    assert (seen > long_ago) is somebody


def test_a_line_hears_of_one_talk_only(officer, visitor, web, only, session):
    visitor.begin()
    first = only()
    Visitor(web()).begin()
    second = session.scalars(select(Conversation).where(Conversation.id != first.id)).one()
    with connect(officer, f"{QUEUE}/live") as line:
        hello(line, talk=str(first.id))
        until(line, "state")
        hello(line, talk=str(second.id))
        until(line, "state")
        visitor.say(STORY)
        assert until(line, "queue")[0]["type"] == "queue"
        watched = [key for key in officer.site.bus._watching if first.id.hex in key]
    assert watched == []


def test_a_talk_has_an_end_and_its_page_reads_no_more_than_it_shows(
    visitor, ctx, only, session, monkeypatch, lines
):
    monkeypatch.setattr(talks, "LINES", 3)
    visitor.begin()
    for n in range(2):
        assert visitor.say(f"第 {n} 句").status_code == 303
    talks.note(ctx, only(), "一件事")
    session.commit()
    refused = visitor.say("还有一句")
    assert refused.status_code == 409
    assert "请结束后重新发起" in refused.text
    assert "还有一句" in refused.text
    assert len(lines()) == 2
    assert visitor.post("end").status_code == 303
