"""Whoever was missed is called back: by when, by whom, and how it is known."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.kit.time import clock_at
from huiyin.queue.models import Job, OutboxEvent
from huiyin.sdk import GiveUp, Period, at_local, mail_address
from huiyin_channel_phone import backs, figures, health, plugin, promises, schedule
from huiyin_channel_phone.settings import ChannelPhoneSettings

from .conftest import DAY, HOME, NOW, NUMBER, ONE, STORY, backs_in, event

THURSDAY_9 = at_local(DAY, 9, 0)


def back(session):
    (one,) = backs_in(session)
    return one


# -- by when --


@pytest.mark.parametrize(
    ("missed", "due"),
    [
        (at_local(DAY, 9, 0), at_local(DAY, 11, 0)),
        (at_local(DAY, 16, 30), at_local(DAY + ONE, 10, 0)),  # an hour today, one tomorrow
        (at_local(DAY, 22, 0), at_local(DAY + ONE, 11, 0)),
        (at_local(DAY + ONE, 17, 0), at_local(DAY + 4 * ONE, 10, 30)),  # over the week-end
    ],
)
def test_hours_on_duty_leave_out_what_nobody_answers(ctx, make_post, missed, due):
    make_post()
    moment, promise = promises.due(ctx, missed)
    assert moment == due
    assert promise == {"amount": 2, "basis": "duty_hours"}


def test_without_a_roster_it_is_a_working_day(ctx):
    moment, promise = promises.due(ctx, at_local(DAY + ONE, 12, 0))
    assert moment == schedule.moment_of(DAY + 4 * ONE, 1439)  # Monday
    assert promise["basis"] == "no_roster"


def test_other_ways_of_counting(ctx_of, officer, make_post):
    make_post()
    hours = ctx_of(officer, counted="hours", within=3)
    assert promises.due(hours, THURSDAY_9)[0] == at_local(DAY, 12, 0)
    days = ctx_of(officer, counted="workdays", within=2)
    assert promises.due(days, THURSDAY_9)[0] == schedule.moment_of(DAY + 4 * ONE, 1439)


def test_the_promise_is_said_to_be_one(browser, tell, make_post):
    make_post()
    tell()
    page = browser.get(f"{HOME}/call-backs/").text
    assert "公司承诺：2 个值班小时内回电" in page
    assert "法" not in page[page.index("<main") :]


# -- what settles it --


def test_more_calls_of_one_number_are_one_thing_to_do(tell, session):
    tell("1")
    tell("2", started_at=(NOW - timedelta(minutes=5)).isoformat())
    tell("3", caller="021-6000 0000")
    one, other = backs_in(session)
    assert {(b.number, b.missed) for b in (one, other)} == {(NUMBER, 2), ("02160000000", 1)}


def test_nobody_is_owed_a_call_who_showed_no_number(tell, session):
    tell(caller="anonymous")
    assert backs_in(session) == []


def test_a_logged_call_back_settles_it_with_proof(browser, tell, session):
    tell()
    page = browser.get(f"{HOME}/call-backs/").text
    assert "138 **** 6021" in page
    assert "138 0000 6021" in browser.get(f"{HOME}/call-backs/{back(session).id}").text
    path = browser.post(f"{HOME}/call-backs/{back(session).id}/call").headers["location"]
    fields = {"number": NUMBER, "story": STORY, "told": "on", "to": "new"}
    saved = browser.post(path, fields).headers["location"]
    done = back(session)
    assert (done.state, str(done.closing_call_id)) == ("done", saved.rpartition("/")[2])
    assert done.in_time is True
    assert "回电凭证" in browser.get(f"{HOME}/call-backs/{done.id}").text
    assert "按承诺完成" in browser.get(f"{HOME}/call-backs/?tab=settled").text
    assert "没有待回电" in browser.get(f"{HOME}/call-backs/").text


def test_a_try_that_reached_nobody_settles_nothing(browser, tell, session):
    tell()
    path = browser.post(f"{HOME}/call-backs/{back(session).id}/call").headers["location"]
    browser.post(path, {"number": NUMBER, "to": "unreached"})
    assert (back(session).state, back(session).attempts) == ("open", 1)
    assert "1 次未接通" in browser.get(f"{HOME}/call-backs/").text


def test_the_caller_reaching_us_again_settles_it(tell, session):
    tell("1")
    tell("2", answered=True, seconds=60, started_at=(NOW - timedelta(minutes=9)).isoformat())
    assert back(session).state == "done"
    assert back(session).in_time is True


def test_an_earlier_talk_settles_nothing(tell, session):
    tell("1")
    tell("2", answered=True, started_at=(NOW - timedelta(hours=2)).isoformat())
    assert back(session).state == "open"


def test_it_does_not_matter_which_report_comes_first(tell, session):
    tell("2", answered=True, started_at=(NOW - timedelta(minutes=9)).isoformat())
    tell("1")
    done = back(session)
    assert (done.state, done.closed_at) == ("done", NOW - timedelta(minutes=9))


def ago(minutes):
    return (NOW - timedelta(minutes=minutes)).isoformat()


def test_an_earlier_call_that_is_told_late_moves_the_promise_to_where_it_began(
    ctx_of, tell, session
):
    tell("2", started_at=ago(10))
    late = back(session).due_at
    first = tell("1", started_at=ago(60))
    owed = back(session)
    assert (owed.missed, owed.call_id) == (2, first.id)
    assert owed.missed_at == NOW - timedelta(minutes=60)
    assert owed.last_missed_at == NOW - timedelta(minutes=10)
    assert owed.due_at <= late


def test_a_talk_that_is_told_late_settles_only_what_came_before_it(tell, session):
    tell("1", started_at=ago(60))
    tell("2", started_at=ago(50))
    tell("4", started_at=ago(10))
    tell("5", started_at=ago(5))
    tell("3", answered=True, seconds=30, started_at=ago(30))
    done, owed = backs_in(session)
    assert (done.state, done.missed, owed.state, owed.missed) == ("done", 2, "open", 2)
    assert done.last_missed_at == NOW - timedelta(minutes=50)
    assert owed.missed_at == NOW - timedelta(minutes=10)


def test_calls_told_after_the_talk_that_followed_them_are_one_thing_done(tell, session):
    tell("3", answered=True, started_at=ago(1))
    tell("2", started_at=ago(50))
    tell("1", started_at=ago(60))
    done = back(session)
    assert (done.state, done.missed, done.missed_at) == ("done", 2, NOW - timedelta(minutes=60))


def test_it_can_be_dropped_with_a_reason_once(browser, tell, session):
    tell()
    path = f"{HOME}/call-backs/{back(session).id}/drop"
    assert browser.post(path, {"rev": "1", "reason": "略"}).status_code == 422
    stale = browser.post(path, {"rev": "7", "reason": "推销电话"})
    assert (stale.status_code, 'value="推销电话"' in stale.text) == (409, True)
    assert browser.post(path, {"rev": "1", "reason": "推销电话"}).status_code == 303
    assert (back(session).state, back(session).reason) == ("void", "推销电话")
    assert browser.post(path, {"rev": "2", "reason": "推销电话"}).status_code == 409


def test_its_proof_stays_behind_the_wall(browser, tell, session, make_case, officer, other, web):
    filed = make_case(officer, phone="13900000000")
    tell()
    path = browser.post(f"{HOME}/call-backs/{back(session).id}/call").headers["location"]
    browser.post(
        path, {"number": NUMBER, "story": STORY, "to": "case", "case_number": filed.number}
    )
    done = back(session)
    walled = web(other)
    assert walled.get(f"{HOME}/call-backs/{done.id}").status_code == 200
    session.get_one(Case, (session.tenant, filed.case_id)).walled = [other.id]
    session.commit()
    assert walled.get(f"{HOME}/call-backs/{done.id}").status_code == 404
    assert "**** 6021" not in walled.get(f"{HOME}/call-backs/?tab=settled").text


def test_who_may_look_and_who_may_call(web, tell, session, supervisor, make_actor):
    tell()
    looker = web(supervisor)
    assert "138 **** 6021" in looker.get(f"{HOME}/call-backs/").text
    assert "138 **** 6021" in looker.get(f"{HOME}/call-backs/{back(session).id}").text
    assert "回电并登记" not in looker.get(f"{HOME}/call-backs/").text
    assert looker.post(f"{HOME}/call-backs/{back(session).id}/call").status_code == 404
    assert web(make_actor("tenant_admin")).get(f"{HOME}/call-backs/").status_code == 404


def test_what_waits_is_counted_in_the_navigation(browser, tell, web, make_actor):
    tell("1")
    tell("2", caller="02160000000")
    tell("3", answered=True, caller="02160000001")
    page = browser.get("/t/qinghe/w").text
    line = page[page.index("/x/channel-phone/call-backs") :][:400]
    assert '<span class="n hot">2</span>' in line
    line = page[page.index("/x/channel-phone/calls") :][:400]
    assert '<span class="n">1</span>' in line
    other = web(make_actor("investigator")).get("/t/qinghe/w").text
    assert "/x/channel-phone/call-backs" not in other


def test_the_list_goes_on_by_key_and_asks_as_often(browser, tell, queries):
    tell("0", caller="13800001000")
    browser.get(f"{HOME}/call-backs/")
    queries.clear()
    browser.get(f"{HOME}/call-backs/")
    before = len(queries)
    for n in range(1, 56):
        tell(f"{n}", caller=f"1380000{1000 + n}")
    browser.get(f"{HOME}/call-backs/")  # what is remembered for seconds is asked for again
    queries.clear()
    page = browser.get(f"{HOME}/call-backs/").text
    assert len(queries) == before <= 13, list(queries)
    more = page[page.rindex('href="?after=') + 6 :].partition('"')[0].replace("&amp;", "&")
    rest = browser.get(f"{HOME}/call-backs/{more}").text
    assert page.count('/call" method') + rest.count('/call" method') == 56


# -- late --


def kinds(session):
    session.expire_all()
    return [
        e.payload
        for e in session.scalars(select(OutboxEvent))
        if e.kind == "channel_phone:call_back_late"
    ]


def test_what_is_late_is_chased_once_for_each_step(system, tell, session, make_post, ctx_of):
    make_post()
    tell()  # due at 11
    backs.chase(system)
    assert back(session).level == 0
    for hour, level in ((11, 1), (12, 1), (16, 2), (17, 2)):
        with clock_at(at_local(DAY, hour, 1)):
            backs.chase(system)
            session.commit()
        assert back(session).level == level
    assert sorted(payload["level"] for payload in kinds(session)) == [1, 2]


def test_mails_name_no_number(system, tell, session, make_post, supervisor, monkeypatch, officer):
    mails = []
    monkeypatch.setattr(backs, "can_mail", lambda: True)
    monkeypatch.setattr(backs, "send_mail", lambda _ctx, mail: mails.append(mail))
    make_post()
    tell()
    told = {}
    for hour in (11, 16):
        with clock_at(at_local(DAY, hour, 1)):
            backs.chase(system)
            session.commit()
            for job in session.scalars(select(Job).where(Job.kind == "plugin:channel_phone:tell")):
                told[job.id] = job.payload
    for payload in told.values():
        backs.tell(system, payload)
    assert {mail.to for mail in mails} == {
        mail_address(session, officer.id), mail_address(session, supervisor.id)
    }  # fmt: skip
    assert len({mail.id for mail in mails}) == len(mails) == 2
    for mail in mails:
        assert "6021" not in mail.subject + mail.text
        assert "/call-backs" in mail.text
    with pytest.raises(GiveUp):
        backs.tell(system, {})


# -- told to others --


def test_the_health_card_says_how_it_is(ctx, tell, make_post, session, officer, other):
    from huiyin_channel_phone.plugin import PHONE  # noqa: PLC0415

    assert PHONE.health is not None
    said = [c.condition.value for c in PHONE.health(ctx)]
    assert said == ["bad", "good", "good", "warn"]  # no post, nothing owed, never heard of it
    make_post()
    tell("1")
    tell("2", answered=True, caller="02160000000")
    said = [c.condition.value for c in PHONE.health(ctx)]
    assert said == ["good", "warn", "warn", "good"]
    with clock_at(at_local(DAY, 12, 0)):
        checks = PHONE.health(ctx)
        assert checks[1].condition.value == "bad"
        assert ctx.text(checks[1].detail) == "1 项待回电，其中 1 项已超时"
    assert health.hours(510) == "8.5"


def test_call_backs_in_time_count_what_is_due(ctx, tell, make_post, session):
    make_post()
    tell("1")
    tell("2", answered=True, direction="out", caller="4000000000", called=NUMBER,
         started_at=(NOW - timedelta(minutes=5)).isoformat())  # fmt: skip
    tell("3", caller="02160000000")  # open, and not late yet
    period = Period(DAY, DAY)
    (one,) = figures.measure_backs(ctx, period)
    assert (one.value, one.n) == (1.0, 1)
    with clock_at(at_local(DAY, 18, 0)):
        (one,) = figures.measure_backs(ctx, period)
    assert (one.value, one.n) == (0.5, 2)
    (cover,) = figures.measure_cover(ctx, Period(DAY - ONE, DAY + 9 * ONE))
    assert cover.n == 2
    assert cover.value == pytest.approx(8.5 / 24)


def test_a_new_promise_is_for_calls_to_come(ctx, tell):
    tell()
    old, new = ChannelPhoneSettings(), ChannelPhoneSettings(within=8)
    (said,) = plugin.preview_settings(ctx, old, new)
    assert "1 项待回电沿用原来的时限" in ctx.text(said)
    assert plugin.preview_settings(ctx, old, old) == ()


def test_a_program_asks_what_is_owed_and_gets_no_numbers(api, tell, supervisor):
    tell()
    answer = api(supervisor).get("/api/v1/p/qinghe/x/channel-phone/call-backs")
    assert answer.json()["call_backs"][0]["missed"] == 1
    assert NUMBER not in answer.text
    assert event() is not None
