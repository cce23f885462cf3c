"""Who answers when: as it is, with every gap."""

import re
import uuid
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from huiyin.db import tenant_session
from huiyin.identity.models import Membership
from huiyin.kit.time import clock_at
from huiyin.sdk import Invalid, Period, at_local
from huiyin.tenancy.models import PluginActivation
from huiyin_channel_phone import figures, keeping, plugin, roster, schedule
from huiyin_channel_phone.models import DAY as MINUTES
from huiyin_channel_phone.models import Shift
from huiyin_channel_phone.schemas import AbsenceForm

from .conftest import DAY, HOME, ONE

A, B = uuid.UUID(int=1), uuid.UUID(int=2)
THERE = lambda person, day: False  # noqa: E731 - nobody is away


def shift(begins="09:00", ends="17:30", days="workdays", people=(A,), **facts):
    begin, end = schedule.minute(begins), schedule.minute(ends)
    length = (end - begin) % MINUTES or MINUTES
    return Shift(
        id=uuid.uuid4(), days=days, begins=begin, length=length, people=list(people),
        first_on=date(2026, 1, 1), last_on=None, weekdays=facts.pop("weekdays", []), title="班",
        **facts,
    )  # fmt: skip


def told(stretches):
    return [f"{schedule.clock(s.begin)}-{schedule.clock(s.end)} {s.cover.value}" for s in stretches]


def test_a_day_is_whole_and_its_gaps_are_stretches():
    assert told(schedule.day_of([shift()], DAY, THERE)) == [
        "00:00-09:00 outside", "09:00-17:30 main", "17:30-24:00 outside",
    ]  # fmt: skip
    assert told(schedule.day_of([], DAY, THERE)) == ["00:00-24:00 outside"]


def test_a_shift_over_midnight_belongs_to_the_day_it_began():
    night = shift("19:00", "01:00")
    friday, saturday, monday = DAY + ONE, DAY + 2 * ONE, DAY + 4 * ONE
    assert told(schedule.day_of([night], friday, THERE))[0] == "00:00-01:00 main"
    # Saturday is no working day, but the shift of Friday reaches into it.
    assert told(schedule.day_of([night], saturday, THERE)) == [
        "00:00-01:00 main", "01:00-24:00 outside",
    ]  # fmt: skip
    assert told(schedule.day_of([night], monday, THERE)) == [
        "00:00-19:00 outside", "19:00-24:00 main",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "stands"),
    [
        (date(2026, 2, 13), {"workdays", "every"}),  # a Friday
        (date(2026, 2, 14), {"workdays", "every"}),  # a Saturday that is made up for
        (date(2026, 2, 16), {"restdays", "every", "weekdays"}),  # a Monday of the Spring Festival
        (date(2026, 2, 21), {"restdays", "every"}),  # a Saturday
        (date(2026, 3, 2), {"workdays", "every", "weekdays"}),  # a Monday
    ],
)
def test_days_follow_the_calendar_of_the_platform(day, stands):
    kinds = ("workdays", "restdays", "every", "weekdays")
    found = {k for k in kinds if schedule.stands_on(shift(days=k, weekdays=[0]), day)}
    assert found == stands


def test_a_deputy_stands_in_and_one_who_is_away_too_does_not():
    one = shift(people=(A, B))
    assert told(schedule.day_of([one], DAY, lambda p, d: p == A))[1] == "09:00-17:30 deputy"
    both = schedule.day_of([one], DAY, lambda p, d: True)
    assert told(both)[1] == "09:00-17:30 absent"
    assert schedule.covered([both]) == []


def test_shifts_that_lie_over_each_other_are_found():
    day, evening = shift(), shift("17:00", "20:00")
    other, on, minute = schedule.clash(evening, [day], DAY)
    assert (other.id, on, minute) == (day.id, DAY, 17 * 60)
    assert schedule.clash(shift("17:30", "20:00"), [day], DAY) is None
    assert schedule.clash(shift(days="restdays"), [day], DAY) is None
    # A night of Friday reaches into the morning of a day of rest.
    night = shift("22:00", "07:00")
    assert schedule.clash(shift("06:00", "08:00", "restdays"), [night], DAY) is not None
    assert schedule.clash(day, [day], DAY) is None  # itself


# The first draw on a machine at work may take a second, which says nothing about the roster.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 1439), st.integers(15, 1440), st.booleans()), max_size=6
    )
)  # fmt: skip
def test_whatever_the_shifts_a_day_has_24_hours_and_no_overlap(given_shifts):
    shifts = [
        Shift(
            id=uuid.uuid4(), days="every", begins=begins, length=length, people=[A],
            first_on=date(2026, 1, 1), last_on=None, weekdays=[],
        )
        for begins, length, _ in given_shifts
    ]  # fmt: skip
    whole = schedule.day_of(shifts, DAY, THERE)
    assert whole[0].begin == 0
    assert whole[-1].end == MINUTES
    assert all(a.end == b.begin for a, b in pairwise(whole))
    planned = {m for s in shifts for b, e, _ in schedule.pieces(s, DAY) for m in range(b, e)}
    assert sum(s.minutes for s in whole if s.covered) == len(planned)


# -- services and pages --


def form(officer, **facts):
    return {
        "title": "晚班", "days": "workdays", "begins": "18:00", "ends": "22:00",
        "first_on": "2026-01-01", "person": str(officer.id), **facts,
    }  # fmt: skip


def test_the_page_shows_the_day_as_it_is(browser, make_post, officer):
    make_post()
    page = browser.get(f"{HOME}/").text
    assert "09:00–17:30 沈佳宁" in page
    assert "00:00–09:00 无人值班" in page
    assert "17:30–24:00 无人值班" in page
    assert "00:00–24:00 无人值班" in page  # Saturday and Sunday
    assert "转语音信箱" in page
    assert "本周 42.5 小时有人值班" in page
    now = page[page.index("现在谁在值班") :]
    assert "沈佳宁" in now[:900]


def test_at_night_nobody_is_on_duty_and_the_page_says_so(web, officer, make_post):
    make_post()
    with clock_at(at_local(DAY, 23, 0)):
        assert "现在无人值班" in web(officer).get(f"{HOME}/").text


def test_a_week_with_a_make_up_day_says_so(browser, make_post):
    make_post()
    page = browser.get(f"{HOME}/?from=2026-02-12").text
    assert "补班日" in page
    page = browser.get(f"{HOME}/?from=2026-02-18").text
    assert "节假日" in page
    for odd in ("x", "9999-12-31", "0001-01-01", "2026-02-31"):
        assert browser.get(f"{HOME}/?from={odd}").status_code == 200


def test_an_absence_makes_a_deputy_and_both_make_a_gap(
    browser, make_post, ctx, session, officer, other
):
    make_post()
    absent = {"first_on": "2026-11-26", "last_on": "2026-11-26"}
    browser.post(f"{HOME}/roster/absences", {"account_id": str(officer.id), **absent})
    page = browser.get(f"{HOME}/").text
    assert "09:00–17:30 宋知远 · 替班" in page
    browser.post(f"{HOME}/roster/absences", {"account_id": str(other.id), **absent})
    page = browser.get(f"{HOME}/").text
    assert "09:00–17:30 无人到岗" in page
    assert "现在无人值班" in page
    key = re.search(r"/roster/absences/([0-9a-f-]{36})/drop", browser.get(f"{HOME}/roster").text)[1]
    assert browser.post(f"{HOME}/roster/absences/{key}/drop").status_code == 303
    assert "09:00–17:30 无人到岗" not in browser.get(f"{HOME}/").text


YESTERDAY = DAY - ONE


def of_day(page, day=YESTERDAY):
    return page[page.index(f'id="d-{day}"') :].partition("</section>")[0]


def test_a_day_that_is_over_stays_as_it_was(browser, make_post, session, ctx, officer, other):
    post = make_post()
    before = of_day(browser.get(f"{HOME}/").text)
    assert "按现行排班推算" in before
    key = session.scalars(select(Shift.id)).one()
    fields = form(officer, rev="1", begins="08:00", ends="12:00", person=str(other.id))
    assert browser.post(f"{HOME}/roster/shifts/{key}", fields).status_code == 303
    kept = of_day(browser.get(f"{HOME}/").text)
    assert "09:00–17:30 沈佳宁" in kept
    assert "按现行排班推算" not in kept
    assert "08:00–12:00 宋知远" in of_day(browser.get(f"{HOME}/").text, DAY)
    browser.post(f"{HOME}/roster/shifts/{key}/drop", {"rev": "2"})
    gone = {"title": post.title, "outside": "nothing", "retired": "on", "rev": "1"}
    browser.post(f"{HOME}/roster/posts/{post.id}/edit", gone)
    row = session.scalars(select(Membership).where(Membership.account_id == other.id)).one()
    row.active = False
    session.commit()
    period = Period(YESTERDAY, YESTERDAY)
    (measured,) = figures.measure_cover(ctx, period)
    assert measured.value == 510 / 1440
    assert keeping.kept(ctx, YESTERDAY, YESTERDAY)[YESTERDAY][0].title == "投诉热线"


def test_days_are_kept_once_and_those_between_are_made_up_for(ctx, system, make_post, session):
    keeping.keep_days(system)
    assert keeping.kept(ctx, YESTERDAY, DAY) == {}  # without a post there is nothing to keep
    make_post()
    keeping.keep_days(system)
    keeping.keep_days(system)
    with clock_at(at_local(DAY + 3 * ONE, 0, 30)):
        keeping.keep_days(system)
    session.commit()
    kept = keeping.kept(ctx, YESTERDAY - 9 * ONE, DAY + 9 * ONE)
    assert sorted(kept) == [YESTERDAY + n * ONE for n in range(4)]
    assert keeping.minutes(kept[DAY]) == 510


def test_somebody_who_left_covers_nothing(browser, make_post, session, other):
    make_post(person=other.id, deputies=())
    assert "09:00–17:30 宋知远" in browser.get(f"{HOME}/").text
    row = session.scalars(select(Membership).where(Membership.account_id == other.id)).one()
    row.active = False
    session.commit()
    assert "09:00–17:30 无人到岗" in browser.get(f"{HOME}/").text


def test_a_shift_is_arranged_and_its_clash_is_named(browser, make_post, officer):
    post = make_post()
    path = f"{HOME}/roster/posts/{post.id}/shifts/new"
    assert browser.post(path, form(officer)).status_code == 303
    clash = browser.post(path, form(officer, begins="17:00", title="加班"))
    assert clash.status_code == 422
    assert "与「白班」在 2026-11-26 17:00 重叠" in clash.text
    assert 'value="加班"' in clash.text
    listed = browser.get(f"{HOME}/roster/posts/{post.id}").text
    assert "18:00–22:00" in listed


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"begins": "25:00"}, "格式不对"),
        ({"ends": "18:05"}, "至少 15 分钟"),
        ({"days": "weekdays"}, "请选择星期"),
        ({"last_on": "2025-01-01"}, "结束日期不能早于开始日期"),
        ({"person": str(uuid.UUID(int=5))}, "请从在职人员中选择"),
        ({"title": ""}, "请填写班次名称"),
        ({"first_on": "9999-12-01"}, "前后十年以内"),
    ],
)
def test_a_shift_that_cannot_be_is_refused(browser, make_post, officer, facts, said):
    post = make_post()
    answer = browser.post(f"{HOME}/roster/posts/{post.id}/shifts/new", form(officer, **facts))
    assert answer.status_code == 422
    assert said in answer.text


def test_a_deputy_is_somebody_else(browser, make_post, officer, other):
    post = make_post()
    twice = form(officer, deputies=str(officer.id))
    answer = browser.post(f"{HOME}/roster/posts/{post.id}/shifts/new", twice)
    assert "替班人员不能与值班人员相同" in answer.text
    good = form(officer, deputies=[str(other.id)])
    assert browser.post(f"{HOME}/roster/posts/{post.id}/shifts/new", good).status_code == 303


def test_an_old_version_keeps_what_was_typed(browser, make_post, session, officer):
    post = make_post()
    page = browser.get(f"{HOME}/roster/posts/{post.id}").text
    key = re.search(r"/roster/shifts/([0-9a-f-]{36})", page)[1]
    path = f"{HOME}/roster/shifts/{key}"
    assert 'name="rev" value="1"' in browser.get(path).text
    fields = form(officer, title="改过的班", rev="1", begins="08:00", ends="16:00")
    assert browser.post(path, fields).status_code == 303
    late = browser.post(path, {**fields, "title": "迟到的修改"})
    assert late.status_code == 409
    assert "刚被其他人更新" in late.text
    assert 'value="迟到的修改"' in late.text
    assert 'name="rev" value="2"' in late.text
    browser.post(f"{path}/drop", {"rev": "1"})
    assert browser.get(path).status_code == 200  # somebody had changed it
    browser.post(f"{path}/drop", {"rev": "2"})
    assert browser.get(path).status_code == 404
    edit = f"{HOME}/roster/posts/{post.id}/edit"
    assert (
        browser.post(edit, {"title": "热线", "line": "400-000-0000", "rev": "1"}).status_code == 303
    )
    old = browser.post(edit, {"title": "另一个名字", "rev": "1"})
    assert (old.status_code, 'value="另一个名字"' in old.text) == (409, True)
    assert "请填写 3 到 20 位" not in old.text


def test_who_may_arrange_and_who_may_look(web, make_actor, make_post, supervisor):
    post = make_post()
    admin = web(make_actor("tenant_admin"))
    assert admin.get(f"{HOME}/roster").status_code == 200
    assert admin.get(f"{HOME}/").status_code == 200
    assert "待回电" not in admin.get(f"{HOME}/").text
    looker = web(supervisor)
    assert looker.get(f"{HOME}/").status_code == 200
    for path in ("/roster", f"/roster/posts/{post.id}", "/roster/posts/new"):
        assert looker.get(f"{HOME}{path}").status_code == 404
    assert looker.post(f"{HOME}/roster/posts/new", {"title": "岗位"}).status_code == 404
    assert web(make_actor("executive_viewer")).get(f"{HOME}/").status_code == 404


def test_another_firms_post_is_not_there(make_tenant, make_actor, web, make_post, engine):
    post = make_post()
    there = make_tenant("yuancen")
    with tenant_session(engine, there.id) as session:
        session.add(PluginActivation(plugin="channel_phone", active=True))
        session.commit()
    admin = web(make_actor("tenant_admin", of=there))
    home = HOME.replace("qinghe", "yuancen")
    assert admin.get(f"{home}/roster").status_code == 200
    assert admin.get(f"{home}/roster/posts/{post.id}").status_code == 404
    assert admin.post(f"{home}/roster/posts/{post.id}/edit", {"title": "岗位"}).status_code == 404


def test_the_week_asks_as_often_for_many_posts(browser, make_post, queries):
    make_post()
    browser.get(f"{HOME}/")
    queries.clear()
    browser.get(f"{HOME}/")
    before = len(queries)
    for n in range(5):
        make_post(f"岗位 {n}")
    queries.clear()
    assert "岗位 4" in browser.get(f"{HOME}/").text
    assert len(queries) == before <= 12


def test_a_program_asks_who_is_on_duty(api, make_post, officer, supervisor):
    make_post()
    found = api(supervisor).get("/api/v1/p/qinghe/x/channel-phone/duty").json()
    assert [one["name"] for one in found["duty"]] == ["沈佳宁"]
    assert found["posts"] == [{"post": "投诉热线", "outside": "voicemail"}]


def test_an_absence_that_cannot_be_is_refused(ctx, officer):
    for facts in (
        {"account_id": officer.id, "first_on": DAY, "last_on": DAY - ONE},
        {"account_id": uuid.uuid4(), "first_on": DAY, "last_on": DAY},
    ):
        with pytest.raises(Invalid):
            roster.enter_absence(ctx, AbsenceForm(**facts))


def test_an_absence_that_is_sent_twice_is_one(ctx, officer):
    given = AbsenceForm(account_id=officer.id, first_on=DAY, last_on=DAY)
    first = roster.enter_absence(ctx, given)
    assert roster.enter_absence(ctx, given).id == first.id
    roster.end_absence(ctx, first.id)
    assert roster.absences(ctx, DAY) == []


def test_rules_of_assignment_hear_who_is_on_duty(ctx, officer, make_post):
    make_post()
    assert plugin.people_on_duty(ctx) == (officer.id,)
    with clock_at(at_local(DAY, 23, 0)):
        assert plugin.people_on_duty(ctx) == ()
