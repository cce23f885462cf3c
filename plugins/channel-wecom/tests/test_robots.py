"""Notices to the staff: which events, in what words, signed, again when nobody answers."""

import pytest
from sqlalchemy import select

from huiyin.cases.filing import Filing, file_complaint
from huiyin.queue.service import emit
from huiyin.sdk import complainant_actor, rehearse, uuid7
from huiyin_channel_wecom import health, plugin, robots
from huiyin_channel_wecom.models import Robot
from huiyin_channel_wecom.settings import ChannelWecomSettings

from .conftest import ROBOTS

HOOK = "cgi-bin/webhook/send"
NAME, PHONE, STORY = "陈建国", "13800006021", "赎回款没有到账，身份证 310101198001010011"


@pytest.fixture
def groups(firm, settle):
    settle(wecom=False, mp=False, **ROBOTS)
    return firm


@pytest.fixture
def filed(groups, session, work):
    filing = Filing(channel="web", idem_key="k", story=STORY, name=NAME, phone=PHONE)
    made = file_complaint(session, complainant_actor(session.tenant), filing)
    session.commit()
    work()
    return made


def told(provider):
    return [
        body["content"]["text"] if "content" in body else body["text"]["content"]
        for _, body in provider.sent
    ]


def test_a_new_complaint_is_told_to_every_robot_without_anybodys_data(groups, filed):
    assert sorted(where for where, _ in groups.sent) == [HOOK, "dingtalk", "feishu"]
    for text in told(groups):
        assert filed.number in text
        assert f"/t/qinghe/w/cases/{filed.number}" in text
        for secret in (NAME, PHONE, "310101", "赎回", filed.code):
            assert secret not in text


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("clock.due", {"number": "TS-2026-0001", "overdue": True, "due_on": "2026-11-20"},
         "2026-11-20"),
        ("arrival.settled", {"state": "returned", "case": "TS-2026-0001", "channel": "email"},
         "退回"),
        ("arrival.settled", {"state": "waiting", "case": "", "channel": "email"}, "/w/arrivals"),
    ],
)  # fmt: skip
def test_each_event_has_its_words(groups, session, work, settle, kind, payload, words):
    emit(session, kind, object_id=uuid7(), payload=payload)
    session.commit()
    work()
    assert len(told(groups)) == 3
    assert all(words in text for text in told(groups))
    settle(tell_overdue=False, tell_returned=False, tell_waiting=False)
    emit(session, kind, object_id=uuid7(), payload=payload)
    session.commit()
    work()
    assert len(told(groups)) == 3


@pytest.mark.parametrize(
    "payload",
    [
        ("clock.due", {"number": "A", "overdue": False, "due_on": "2026-11-20"}),
        ("arrival.settled", {"state": "joined", "case": "A", "channel": "email"}),
        ("arrival.settled", {"state": "filed", "case": "A", "channel": "email"}),
    ],
)
def test_what_nobody_has_to_do_is_not_told(groups, session, work, payload):
    emit(session, payload[0], object_id=uuid7(), payload=payload[1])
    session.commit()
    work()
    assert not groups.sent


def test_a_robot_that_is_busy_is_asked_again_and_told_once(groups, session, filed, work):
    groups.sent.clear()
    groups.fail[HOOK] = [45009, -1]
    emit(session, "arrival.settled", object_id=uuid7(), payload={"state": "waiting"})
    session.commit()
    work()
    assert len(groups.sent) == 2
    assert session.scalars(select(Robot.error).where(Robot.robot == "wecom")).one() == "unreachable"
    work(minutes=2)
    work(minutes=5)
    assert len(groups.sent) == 3
    assert session.scalars(select(Robot.error).where(Robot.robot == "wecom")).one() == ""


def test_a_robot_that_stays_away_is_given_up(groups, session, work, monkeypatch):
    monkeypatch.setattr(robots, "TRIES", 2)
    groups.fail[HOOK] = [45009] * 9
    emit(session, "arrival.settled", object_id=uuid7(), payload={"state": "waiting"})
    session.commit()
    for _ in range(3):
        work(hours=1)
    row = session.scalars(select(Robot).where(Robot.robot == "wecom")).one()
    assert row.error == "gone"
    assert groups.asked.count(HOOK) == 2


def test_a_wrong_secret_is_shown_on_the_card_and_by_the_test(groups, settle, session):
    chosen = ChannelWecomSettings(**{**ROBOTS, "feishu_secret": "no", "dingtalk_secret": "no"})
    ctx = rehearse(plugin, session, name="channel_wecom", settings=chosen)
    checks = {check.title.key: check for check in health.test(ctx)}
    assert checks["企业微信群机器人"].condition == "good"
    assert checks["钉钉群机器人"].condition == "bad"
    assert checks["飞书群机器人"].condition == "bad"
    assert checks["飞书群机器人"].detail.key == robots.ERRORS["refused"]


def test_an_address_elsewhere_is_refused_by_the_settings_and_never_called():
    for name in ("robot_wecom", "robot_dingtalk", "robot_feishu"):
        with pytest.raises(ValueError, match="群机器人地址"):
            ChannelWecomSettings(**{name: "https://evil.test/x"})
    with pytest.raises(ValueError, match="群机器人地址"):
        ChannelWecomSettings(robot_wecom=ROBOTS["robot_feishu"])
