"""Mails to members, as a server would get them."""

from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import text

from huiyin.sdk import GiveUp, Undeliverable, mail_address, today
from huiyin_training_records import assigning, meetings, plugin, postal
from huiyin_training_records.schemas import MeetingForm
from huiyin_training_records.terms import Origin

from .conftest import HOME, follow


@pytest.fixture
def sent(monkeypatch):
    """A mail server that remembers."""
    letters = []
    monkeypatch.setattr(postal, "can_mail", lambda: True)
    monkeypatch.setattr(postal, "send_mail", lambda _ctx, mail: letters.append(mail))
    return letters


@pytest.fixture
def deliver(ctx_of, session):
    """Do every mail job there is, as often as asked."""
    work = {f"plugin:training_records:{job.name}": job.run for job in plugin.jobs()}

    def do(times=1):
        rows = session.execute(text("SELECT kind, payload FROM job WHERE kind LIKE '%mail%'")).all()
        for kind, payload in rows * times:
            work[kind](ctx_of(), payload)

    return do


@pytest.fixture
def meeting(ctx_of, admin, approver, course, session):
    day = today() + timedelta(days=3)
    form = MeetingForm(
        course=course.id, begins_at=f"{day}T14:00", place="三楼会议室", trainer=f"m:{approver.id}"
    )
    made = meetings.create(ctx_of(admin), form)
    session.commit()
    return made


def test_an_invitation_brings_the_calendar_file_and_a_cancellation_takes_it_back(
    switched_on, sent, deliver, meeting, web, admin, learner, session
):
    browser, path = web(admin), f"{HOME}/manage/sessions/{meeting.id}"
    follow(browser, browser.post(f"{path}/invite", {"people": [str(learner.id)]}))
    deliver(times=2)
    assert {mail.to for mail in sent} == {mail_address(session, learner.id)}
    assert len({mail.id for mail in sent}) == 1  # tried twice, it is the same mail
    (entry,) = Calendar.from_ical(sent[0].attachments[0].content).walk("VEVENT")
    assert entry["STATUS"] == "CONFIRMED"
    sent.clear()
    follow(browser, browser.post(f"{path}/call-off", {"reason": "讲师生病改期"}))
    session.expire_all()
    deliver()
    (mail,) = sent  # the invitation that came too late is not sent any more
    assert mail.subject.startswith("培训取消")


def test_a_reminder_goes_out_once_for_each_time_and_says_nothing_of_the_cause(
    sent, deliver, course, ctx_of, learner, case_of, session
):
    ctx = ctx_of()
    why = assigning.Why(origin=Origin.CAUSE, cause="RC2-1", case_id=case_of(learner).id)
    (row,) = assigning.assign(ctx, course, [learner.id], today(), why)
    assigning.remind(ctx)
    session.commit()
    session.refresh(row)
    deliver()
    (mail,) = sent
    assert course.title in mail.subject
    assert "RC2" not in mail.subject + mail.text
    row.state = "cancelled"
    session.flush()
    deliver()
    assert len(sent) == 1


def test_without_a_server_nothing_is_put_off(course, ctx_of, learner, session):
    why = assigning.Why(origin=Origin.MANUAL)
    assigning.assign(ctx_of(), course, [learner.id], today(), why)
    assert assigning.remind(ctx_of()) == 1
    kinds = session.execute(text("SELECT kind FROM job")).scalars().all()
    assert [kind for kind in kinds if "mail" in kind] == []


def test_a_mail_refused_for_good_holds_up_nothing(
    monkeypatch, sent, deliver, course, ctx_of, learner, session
):
    def refuse(_ctx, _mail):
        raise Undeliverable(550)

    monkeypatch.setattr(postal, "send_mail", refuse)
    why = assigning.Why(origin=Origin.MANUAL)
    assigning.assign(ctx_of(), course, [learner.id], today(), why)
    assigning.remind(ctx_of())
    session.commit()
    session.expire_all()
    deliver()


@pytest.mark.parametrize("payload", [{}, {"row": "x", "turn": 1}, {"row": "x"}])
def test_a_job_about_nothing_gives_up(ctx_of, payload):
    for job in (postal.mail_invitation, postal.mail_reminder):
        with pytest.raises(GiveUp):
            job(ctx_of(), payload)
