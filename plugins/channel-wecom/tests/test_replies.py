"""Answers: sent once, by the same road, and seen to be sent or not."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases import service
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.db import tenant_session
from huiyin.kit.time import clock_at, now
from huiyin.queue.service import emit
from huiyin.sdk import complainant_actor
from huiyin_channel_wecom import answering, sending
from huiyin_channel_wecom.models import Contact, Outgoing

from .conftest import STORY, kf_event, kf_message, message, texts

CUSTOM, KF = "cgi-bin/message/custom/send", "cgi-bin/kf/send_msg"


@pytest.fixture
def chat(firm, call, work, found):
    """A case from a chat with the 公众号, confirmed there."""
    call(message())
    work()
    firm.sent.clear()
    return found.cases[0]


@pytest.fixture
def desk(firm, call, work, found):
    """A case from 微信客服, confirmed there."""
    firm.messages = [kf_message(1, STORY)]
    call(kf_event(), road="wecom")
    work()
    firm.sent.clear()
    return found.cases[0]


@pytest.fixture
def say(session, actor):
    def run(case, text="请稍候，正在核对。"):
        service.talk(session, actor, case.number, "message", text)
        session.commit()

    return run


def last(found):
    return found.answers[-1]


# -- the window --------------------------------------------------------------------------------


def test_after_48_hours_nothing_is_sent_and_the_case_says_so(
    firm, chat, say, work, found, session, web, actor
):
    contact = session.scalars(select(Contact)).one()
    contact.heard_at = now() - timedelta(hours=48)
    session.commit()
    say(chat)
    work()
    assert (last(found).state, firm.sent) == ("closed", [])
    page = web(actor).get(f"/t/qinghe/w/cases/{chat.number}").text
    assert "已超过 48 小时" in page
    assert "不能发送" in page


def test_five_answers_are_sent_and_the_sixth_waits_for_them_to_write(
    firm, chat, say, work, found, call
):
    for n in range(5):  # one confirmation was sent already
        say(chat, f"第 {n} 条")
        work()
    assert len(firm.sent) == 4
    assert last(found).state == "closed"
    call(message("好的", number="9", at=now() + timedelta(seconds=5)))
    work()
    say(chat, "最后一条")
    work()
    assert texts(firm)[-1] == "最后一条"


def test_what_comes_late_does_not_open_the_window(firm, chat, call, work, found):
    heard = found.contacts[0].heard_at
    call(message("迟到的", number="8", at=heard - timedelta(seconds=200)))
    work()
    assert found.contacts[0].heard_at == heard
    assert found.contacts[0].sent_since == 1


@pytest.mark.parametrize("code", [45015, 45047])
def test_the_providers_own_no_is_a_closed_window(firm, chat, say, work, found, code):
    firm.fail[CUSTOM] = [code]
    say(chat)
    work()
    assert (last(found).state, last(found).code) == ("closed", code)


# -- once --------------------------------------------------------------------------------------


def test_a_busy_provider_is_asked_again_until_it_does_it(firm, chat, say, work, found):
    firm.fail[CUSTOM] = [45009, -1]
    say(chat)
    work()
    assert (last(found).state, last(found).code) == ("queued", 45009)
    work(minutes=1)
    work(minutes=5)
    assert last(found).state == "sent"
    assert len(firm.sent) == 1


def test_a_provider_that_stays_away_is_given_up_in_the_end(
    firm, chat, say, work, found, monkeypatch
):
    monkeypatch.setattr(sending, "TRIES", 3)
    firm.fail[CUSTOM] = [-1] * 9
    say(chat)
    for _ in range(4):
        work(hours=12)
    assert (last(found).state, last(found).code) == ("failed", -1)


def test_an_expired_token_is_replaced_at_once(firm, chat, say, work, found):
    firm.expire()
    say(chat)
    work()
    assert last(found).state == "sent"
    assert len(firm.sent) == 1


def test_an_unknown_refusal_is_shown_with_its_code(firm, chat, say, work, found):
    firm.fail[CUSTOM] = [48001]
    say(chat)
    work()
    work(hours=5)
    assert (last(found).state, last(found).code) == ("failed", 48001)


def test_a_line_that_drops_is_repeated_only_where_the_provider_knows_it_again(
    firm, desk, say, work, found
):
    firm.drop.add(KF)
    say(desk)
    work()
    assert last(found).state == "queued"
    assert len(firm.sent) == 1  # it had been done
    firm.drop.clear()
    work(minutes=2)
    assert last(found).state == "sent"
    assert len(firm.sent) == 1


def test_a_line_that_drops_is_not_repeated_by_the_official_account(firm, chat, say, work, found):
    firm.drop.add(CUSTOM)
    say(chat)
    work()
    firm.drop.clear()
    work(hours=9)
    assert last(found).state == "unsure"
    assert len(firm.sent) == 1


@pytest.mark.parametrize(("spot", "sent"), [("wecom.before_send", 0), ("wecom.after_send", 1)])
def test_a_worker_that_dies_sends_nothing_twice(
    firm, chat, say, work, found, monkeypatch, spot, sent
):
    monkeypatch.setenv("HUIYIN_FAILPOINT", f"{spot}:raise")
    say(chat)
    work()
    assert last(found).state == "sending"
    monkeypatch.delenv("HUIYIN_FAILPOINT")
    work(hours=1)
    assert last(found).state == "unsure"
    assert len(firm.sent) == sent


def test_a_worker_that_dies_sends_again_under_the_same_id(
    firm, desk, say, work, found, monkeypatch
):
    monkeypatch.setenv("HUIYIN_FAILPOINT", "wecom.after_send:raise")
    say(desk)
    work()
    monkeypatch.delenv("HUIYIN_FAILPOINT")
    work(hours=1)
    assert last(found).state == "sent"
    assert len(firm.sent) == 1
    assert firm.asked.count(KF) >= 3  # a confirmation, and this one twice


def test_an_outage_does_not_set_the_plugin_aside(firm, chat, say, work, found, place, session):
    firm.fail[CUSTOM] = [-1] * 30
    firm.fail["cgi-bin/kf/sync_msg"] = [-1] * 30
    for n in range(7):
        say(chat, f"第 {n} 条")
    work(hours=1)
    assert place.host.is_active(session, "channel_wecom")


# -- what is sent ------------------------------------------------------------------------------


def test_a_long_message_is_cut_and_says_where_the_rest_is(firm, chat, say, work):
    say(chat, "很长的回复。" * 400)
    work()
    text = texts(firm)[-1]
    assert len(text.encode()) <= 2048
    assert text.endswith("凭编号和查询码查看。")


def test_internal_notes_and_calls_stay_inside(firm, chat, session, actor, work):
    service.talk(session, actor, chat.number, "note", "内部记录")
    service.talk(session, actor, chat.number, "call", "已致电")
    session.commit()
    work()
    assert not firm.sent


def test_a_letter_is_announced(firm, chat, session, work, found):
    emit(session, "letter.sent", object_id=chat.id, payload={"number": chat.number})
    session.commit()
    work()
    assert any(answer.what == "letter" for answer in found.answers)
    assert chat.number in texts(firm)[-1]


def test_a_case_without_a_chat_sends_nothing(firm, session, actor, say, work, found):
    filing = Filing(channel="web", idem_key="k", story="没有会话的投诉", phone="13800006021")
    file_complaint(session, complainant_actor(session.tenant), filing)
    session.commit()
    case = session.scalars(select(Case)).one()
    say(case)
    work()
    assert not found.answers


def test_a_firm_without_confirmations_sends_none(firm, call, settle, work, found):
    settle(confirm=False)
    call(message())
    work()
    assert found.cases
    assert not firm.sent


def test_one_account_is_confirmed_three_times_a_day(firm, chat, call, work, found):
    for n in range(6):
        call(message(f"再补充一句 {n}", number=f"2{n}", at=now() + timedelta(seconds=n)))
        work(minutes=11)
    confirmed = [a for a in found.answers if a.what in {"filed_code", "joined"}]
    assert len(confirmed) == 3


def test_two_workers_at_once_send_it_once(firm, chat, say, work, found, engine, tenant):
    say(chat)
    work()
    assert len(firm.sent) == 1
    with tenant_session(engine, tenant.id) as own:
        assert own.scalars(select(Outgoing.state)).all() == ["sent", "sent"]


def test_the_window_opens_by_the_houses_clock(chat, found):
    with clock_at(now() + timedelta(hours=47)):
        assert answering.closed(found.contacts[0]) == ""
    with clock_at(now() + timedelta(hours=49)):
        assert answering.closed(found.contacts[0]) == "late"
