"""Sessions: invitations, the code on the wall, and who was there."""

from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Invalid, NotFound, Refused, at_local, local, now, today
from huiyin_training_records import assigning, courses, learning, meetings
from huiyin_training_records.models import Attendance
from huiyin_training_records.schemas import MeetingForm
from huiyin_training_records.terms import Origin

from .conftest import HOME, follow

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def planned(ctx_of, admin, approver, session):
    """``planned(course, learner)`` is a session that has just begun, taught by the approver."""

    def make(course, *people):
        ctx = ctx_of(admin)
        begins = local(now())
        form = MeetingForm(
            course=course.id, begins_at=f"{begins:%Y-%m-%dT%H:%M}", minutes=60, place="三楼会议室",
            trainer=f"m:{approver.id}",
        )  # fmt: skip
        meeting = meetings.create(ctx, form)
        meetings.invite(ctx, meeting, [person.id for person in people])
        session.commit()
        return meeting

    return make


@pytest.fixture
def meeting(planned, course, learner, admin):
    return planned(course, learner, admin)


def wall(meeting, moment=None):
    return f"{HOME}/sign-in/{meeting.id}/{meetings.sign_in_code(meeting, moment or now())}"


def test_the_code_on_the_wall_signs_in_whoever_is_invited_and_twice_is_once(
    switched_on, meeting, web, learner, session
):
    browser, path = web(learner), wall(meeting)
    assert "确认签到" in browser.get(path).text
    for _ in range(2):
        assert "签到完成" in follow(browser, browser.post(path)).text
    session.rollback()
    (row,) = session.query(Attendance).filter_by(account_id=learner.id).all()
    assert row.how == "qr"
    assert row.present_at is not None


def test_old_foreign_and_guessed_codes_are_all_alike(
    switched_on, meeting, planned, course, web, learner
):
    browser, other = web(learner), planned(course, learner)
    window = timedelta(seconds=meetings.WINDOW)
    stale = wall(meeting, now() - 2 * window)
    foreign = f"{HOME}/sign-in/{meeting.id}/{meetings.sign_in_code(other, now())}"
    guessed = f"{HOME}/sign-in/{meeting.id}/AAAAAAAAAA"
    answers = [browser.get(path) for path in (stale, foreign, guessed)]
    assert {a.status_code for a in answers} == {404}
    assert len({a.text.replace(a.request.url.path, "") for a in answers}) == 1
    assert browser.post(stale).status_code == 404
    assert browser.get(wall(meeting, now() - window)).status_code == 200


def test_guessing_is_counted(switched_on, meeting, web, learner):
    browser = web(learner)
    for _ in range(20):
        assert browser.get(f"{HOME}/sign-in/{meeting.id}/AAAAAAAAAA").status_code == 404
    assert browser.get(wall(meeting)).status_code == 429


def test_a_session_long_over_or_called_off_takes_no_code(ctx_of, meeting, admin, learner, session):
    late = meeting.ends_at + meetings.EARLY + timedelta(minutes=1)
    assert not meetings.can_sign_in(meeting, late)
    assert meetings.can_sign_in(meeting, meeting.begins_at - meetings.EARLY)
    meetings.call_off(ctx_of(admin), meeting, "讲师生病改期")
    session.commit()
    with pytest.raises(NotFound):
        meetings.sign_in(ctx_of(learner), meeting.id, meetings.sign_in_code(meeting, now()))


def test_whoever_is_not_invited_is_told_so(switched_on, meeting, web, actor):
    answer = web(actor).post(wall(meeting))
    assert answer.status_code == 403
    assert "不在这场培训的名单上" in answer.text


def test_nobody_enters_his_own_presence_by_hand(switched_on, meeting, web, admin, learner, session):
    browser = web(admin)
    path = f"{HOME}/manage/sessions/{meeting.id}"
    page = browser.post(f"{path}/present", {"people": [str(admin.id)]})
    assert page.status_code == 403
    assert "或现场扫码签到" in page.text
    assert session.query(Attendance).filter(Attendance.present_at.is_not(None)).count() == 0
    follow(browser, browser.post(f"{path}/present", {"people": [str(learner.id)]}))
    session.rollback()
    (row,) = session.query(Attendance).filter(Attendance.present_at.is_not(None)).all()
    assert (row.account_id, row.how, row.marked_by) == (learner.id, "manual", admin.id)
    with pytest.raises(IntegrityError):
        session.execute(
            text(
                "UPDATE plugin_training_records__attendance SET how='manual', marked_by=account_id"
            )
        )
    session.rollback()


def test_a_trainer_is_no_participant(ctx_of, meeting, admin, approver, session):
    with pytest.raises(Invalid):
        meetings.invite(ctx_of(admin), meeting, [approver.id])
    with pytest.raises(Refused):
        meetings.sign_in(ctx_of(approver), meeting.id, meetings.sign_in_code(meeting, now()))


def test_the_invitation_is_a_calendar_file_and_a_cancelled_one_says_so(
    switched_on, meeting, web, learner, actor, ctx_of, admin, session
):
    path = f"{HOME}/meetings/{meeting.id}/invitation"
    (entry,) = Calendar.from_ical(web(learner).get(path).content).walk("VEVENT")
    assert entry["LOCATION"] == "三楼会议室"
    assert entry.decoded("DTSTART") == meeting.begins_at
    uid = str(entry["UID"])
    assert web(actor).get(path).status_code == 404
    meetings.call_off(ctx_of(admin), meeting, "讲师生病改期")
    session.commit()
    (entry,) = Calendar.from_ical(web(learner).get(path).content).walk("VEVENT")
    assert (str(entry["UID"]), entry["SEQUENCE"], entry["STATUS"]) == (uid, 1, "CANCELLED")


def test_a_course_that_asks_for_a_session_is_done_only_by_who_was_there(
    make_course, planned, ctx_of, learner, session
):
    course = make_course("KC-05", pool=0, draw=0, causes=(), needs_session=True)
    why = assigning.Why(origin=Origin.MANUAL)
    (row,) = assigning.assign(ctx_of(), course, [learner.id], today(), why)
    ctx = ctx_of(learner)
    for material in courses.materials(session, row.version_id):
        learning.mark_read(ctx, row, material)
    assert learning.progress(ctx, row).next_step == "session"
    meeting = planned(course, learner)
    meetings.sign_in(ctx, meeting.id, meetings.sign_in_code(meeting, now()))
    assert learning.progress(ctx, row).next_step == "attest"


def test_the_wall_shows_the_code_only_to_managers_and_asks_for_itself_again(
    switched_on, meeting, web, admin, supervisor, learner
):
    path = f"{HOME}/manage/sessions/{meeting.id}/code"
    shown = web(admin).get(path)
    assert 'class="qr"' in shown.text
    assert int(shown.headers["refresh"]) < meetings.WINDOW
    for person in (supervisor, learner):
        assert web(person).get(path).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"course": NOBODY}, "course"), ({"minutes": "3"}, "minutes"), ({"place": ""}, "place"),
        ({"begins_at": "2020-01-01T09:00"}, "begins_at"), ({"tenant_id": "1"}, "tenant_id"),
        ({"begins_at": "2026-13-40T99:99"}, "begins_at"), ({"trainer": f"m:{NOBODY}"}, "trainer"),
        ({"trainer": "x:nonsense"}, "trainer"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_at_the_field(
    switched_on, course, web, admin, approver, wrong, field
):
    good = {
        "course": str(course.id), "minutes": "60", "place": "三楼会议室",
        "begins_at": f"{local(at_local(today() + timedelta(days=2), 9)):%Y-%m-%dT%H:%M}",
        "trainer": f"m:{approver.id}",
    }  # fmt: skip
    answer = web(admin).post(f"{HOME}/manage/sessions/new", {**good, **wrong})
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
