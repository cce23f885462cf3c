"""Sessions: who is invited, the invitation as a file, and who was there."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar
from icalendar import Event as Entry
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    NotFound,
    Refused,
    TenantContext,
    at_local,
    colleagues,
    sealed,
    uuid7,
)
from huiyin_training_records import courses
from huiyin_training_records.certificates import ALPHABET
from huiyin_training_records.errors import CODE_GONE, NOT_INVITED, OWN_ATTENDANCE, TRAINER
from huiyin_training_records.models import Attendance, Course, Expert, Meeting
from huiyin_training_records.schemas import MeetingForm
from huiyin_training_records.terms import Presence, SessionState

WINDOW: Final = 60  # seconds one code is shown; it holds for the next such window too
EARLY: Final = timedelta(minutes=30)  # before the beginning and after the end one can sign in
PAGE: Final = 50
_SEAL: Final = "training_records.sign_in"


def find(ctx: TenantContext, meeting_id: uuid.UUID, *, lock: bool = False) -> Meeting:
    asked = select(Meeting).where(Meeting.id == meeting_id)
    found = ctx.session.scalars(asked.with_for_update() if lock else asked).one_or_none()
    if found is None:
        raise NotFound
    return found


def create(ctx: TenantContext, form: MeetingForm) -> Meeting:
    """Raises ``Invalid`` for a course, a trainer or a time that cannot be."""
    course = ctx.session.scalars(select(Course).where(Course.id == form.course)).one_or_none()
    if course is None or course.retired:
        raise Invalid({"course": N_("请从给出的选项中选择")})
    begins = _moment(form.begins_at)
    if begins < ctx.now() - timedelta(days=1):
        raise Invalid({"begins_at": N_("请选择今天或以后的时间")})
    member, expert = _trainer(ctx, form.trainer)
    row = Meeting(
        id=uuid7(), course_id=course.id, begins_at=begins, place=form.place,
        ends_at=begins + timedelta(minutes=form.minutes), trainer_id=member, expert_id=expert,
        created_by=ctx.actor.id,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record("session_planned", row.id, {"course": str(course.id), "at": begins.isoformat()})
    return row


def _moment(typed: str) -> datetime:
    try:
        there = datetime.fromisoformat(typed)
        return at_local(there.date(), there.hour, there.minute)
    except ValueError:
        raise Invalid({"begins_at": N_("请按 2026-03-18T09:30 的格式填写时间")}) from None


def _trainer(ctx: TenantContext, typed: str) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """``m:<account>`` or ``x:<expert>``."""
    kind, _, key = typed.partition(":")
    try:
        who = uuid.UUID(key)
    except ValueError:
        raise Invalid({"trainer": N_("请从给出的选项中选择")}) from None
    if kind == "m" and any(person.id == who for person in colleagues(ctx.session)):
        return who, None
    known = select(Expert.id).where(Expert.id == who, ~Expert.retired)
    if kind == "x" and ctx.session.scalar(known) is not None:
        return None, who
    raise Invalid({"trainer": N_("请从给出的选项中选择")})


def call_off(ctx: TenantContext, meeting: Meeting, reason: str) -> None:
    """Nobody attended it; the invitation says that it is cancelled."""
    _planned(meeting)
    meeting.state, meeting.reason = SessionState.CANCELLED.value, reason
    meeting.sequence += 1
    ctx.session.flush()
    ctx.record("session_cancelled", meeting.id, {}, {"reason": reason})


def invite(ctx: TenantContext, meeting: Meeting, people: Iterable[uuid.UUID]) -> int:
    """Put members on the list; those who are on it stay.  Answers how many are new."""
    _planned(meeting)
    wanted = set(people)
    if meeting.trainer_id in wanted:
        raise Invalid({"people": TRAINER})
    wanted &= {person.id for person in colleagues(ctx.session)}
    rows = [
        {
            "tenant_id": ctx.session.tenant, "id": uuid7(), "meeting_id": meeting.id,
            "account_id": who, "invited_by": ctx.actor.id,
        }
        for who in sorted(wanted)
    ]  # fmt: skip
    if not rows:
        return 0
    added = ctx.session.scalars(
        insert(Attendance)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["tenant_id", "meeting_id", "account_id"])
        .returning(Attendance.id)
    ).all()
    ctx.record("session_invited", meeting.id, {"people": [str(row["account_id"]) for row in rows]})
    return len(added)


def _planned(meeting: Meeting) -> None:
    if meeting.state != SessionState.PLANNED:
        raise Conflict(N_("这场培训已取消"))


# -- who was there -----------------------------------------------------------------------------


def sign_in_code(meeting: Meeting, moment: datetime) -> str:
    """The code on the wall at that moment: ten characters, another every minute."""
    return _code(meeting, int(moment.timestamp()) // WINDOW)


def _code(meeting: Meeting, window: int) -> str:
    secret = sealed(_SEAL, f"{meeting.tenant_id}:{meeting.id}:{window}")
    number = int.from_bytes(secret[:8])
    return "".join(ALPHABET[number >> shift & 31] for shift in range(45, -1, -5))


def can_sign_in(meeting: Meeting, moment: datetime) -> bool:
    planned = meeting.state == SessionState.PLANNED
    return planned and meeting.begins_at - EARLY <= moment <= meeting.ends_at + EARLY


def check_code(ctx: TenantContext, meeting_id: uuid.UUID, code: str) -> Meeting:
    """Raises ``NotFound`` for a code that is old, of another session, or made up: all alike."""
    meeting = ctx.session.scalars(select(Meeting).where(Meeting.id == meeting_id)).one_or_none()
    if meeting is None or not can_sign_in(meeting, ctx.now()):
        raise NotFound(CODE_GONE)
    window = int(ctx.now().timestamp()) // WINDOW
    good = [_code(meeting, window - back) for back in (0, 1)]
    if not any(hmac.compare_digest(known.encode(), code.upper().encode()) for known in good):
        raise NotFound(CODE_GONE)
    return meeting


def sign_in(ctx: TenantContext, meeting_id: uuid.UUID, code: str) -> Meeting:
    """The actor is here.  Twice is once.  Raises ``Refused`` for somebody not invited."""
    meeting = check_code(ctx, meeting_id, code)
    if meeting.trainer_id == ctx.actor.id:
        raise Refused(TRAINER)
    row = _row(ctx, meeting, ctx.actor.id)
    if row is None:
        raise Refused(NOT_INVITED)
    if row.present_at is None:
        row.present_at, row.how = ctx.now(), Presence.QR.value
        row.marked_by = ctx.actor.id
        ctx.session.flush()
        ctx.record("present", meeting.id, {"account": str(row.account_id), "how": row.how})
    return meeting


def mark(ctx: TenantContext, meeting: Meeting, people: Collection[uuid.UUID]) -> int:
    """Enter by hand who was there.  Raises ``Refused`` for one's own name."""
    _planned(meeting)
    if ctx.actor.id in people:
        raise Refused(OWN_ATTENDANCE)
    if ctx.now() < meeting.begins_at:
        raise Conflict(N_("培训还没有开始，开始后再登记出席"))
    rows = ctx.session.scalars(
        select(Attendance)
        .where(
            Attendance.meeting_id == meeting.id, Attendance.account_id.in_(people),
            Attendance.present_at.is_(None),
        )
        .with_for_update()
    ).all()  # fmt: skip
    for row in rows:
        row.present_at, row.how = ctx.now(), Presence.MANUAL.value
        row.marked_by = ctx.actor.id
    ctx.session.flush()
    if rows:
        ctx.record(
            "present", meeting.id,
            {"accounts": [str(row.account_id) for row in rows], "how": Presence.MANUAL.value},
        )  # fmt: skip
    return len(rows)


def _row(ctx: TenantContext, meeting: Meeting, who: uuid.UUID) -> Attendance | None:
    return ctx.session.scalars(
        select(Attendance)
        .where(Attendance.meeting_id == meeting.id, Attendance.account_id == who)
        .with_for_update()
    ).one_or_none()


# -- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A session as lists show it."""

    meeting: Meeting
    course: str
    trainer: str
    invited: int = 0
    present: int = 0
    mine: bool = False


def _named(ctx: TenantContext) -> Mapping[uuid.UUID, str]:
    people = {person.id: person.name for person in colleagues(ctx.session, former=True)}
    return people | dict(ctx.session.execute(select(Expert.id, Expert.name)).all())


def _planned_rows(
    ctx: TenantContext, rows: Iterable[tuple[Meeting, str, int, int]]
) -> list[Planned]:
    names = _named(ctx)
    return [
        Planned(
            meeting=meeting, course=course, invited=invited, present=present,
            trainer=names.get(meeting.trainer_id or meeting.expert_id, ""),  # type: ignore[arg-type]
        )
        for meeting, course, invited, present in rows
    ]  # fmt: skip


def listing(ctx: TenantContext, after: uuid.UUID | None = None) -> list[Planned]:
    """The newest first, fifty and one more, if there is more."""
    count = (
        select(
            Attendance.meeting_id,
            func.count().label("invited"),
            func.count(Attendance.present_at).label("present"),
        )
        .group_by(Attendance.meeting_id)
        .subquery()
    )
    asked = (
        select(
            Meeting, Course.title, func.coalesce(count.c.invited, 0),
            func.coalesce(count.c.present, 0),
        )
        .join(Course, Course.id == Meeting.course_id)
        .outerjoin(count, count.c.meeting_id == Meeting.id)
        .order_by(Meeting.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    if after is not None:
        asked = asked.where(Meeting.id < after)
    return _planned_rows(ctx, [tuple(row) for row in ctx.session.execute(asked)])


def mine(ctx: TenantContext) -> list[Planned]:
    """Sessions to come to which the reader is invited or which the reader teaches."""
    invited = select(Attendance.meeting_id).where(Attendance.account_id == ctx.actor.id)
    rows = ctx.session.execute(
        select(Meeting, Course.title)
        .join(Course, Course.id == Meeting.course_id)
        .where(
            Meeting.ends_at >= ctx.now() - EARLY,
            Meeting.id.in_(invited) | (Meeting.trainer_id == ctx.actor.id),
        )
        .order_by(Meeting.begins_at)
        .limit(PAGE)
    )
    return _planned_rows(ctx, [(meeting, title, 0, 0) for meeting, title in rows])


def list_of(ctx: TenantContext, meeting: Meeting) -> Sequence[Attendance]:
    return ctx.session.scalars(
        select(Attendance).where(Attendance.meeting_id == meeting.id).order_by(Attendance.id)
    ).all()


def concerns(ctx: TenantContext, meeting: Meeting) -> bool:
    """Whether the reader is invited to it or teaches it."""
    return meeting.trainer_id == ctx.actor.id or _row(ctx, meeting, ctx.actor.id) is not None


def invitation(ctx: TenantContext, planned: Planned, host: str) -> bytes:
    """The session as an iCalendar file; a later one takes the place of an earlier."""
    meeting = planned.meeting
    file = Calendar()
    file.add("prodid", "-//Huiyin//training-records//ZH")
    file.add("version", "2.0")
    cancelled = meeting.state == SessionState.CANCELLED
    file.add("method", "CANCEL" if cancelled else "PUBLISH")
    entry = Entry()
    entry.add("uid", f"{meeting.id}@{host}")
    entry.add("sequence", meeting.sequence)
    entry.add("dtstamp", ctx.now())
    entry.add("dtstart", meeting.begins_at)
    entry.add("dtend", meeting.ends_at)
    entry.add("summary", planned.course)
    entry.add("location", meeting.place)
    entry.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if planned.trainer:
        entry.add("description", ctx.text(N_("讲师：{name}"), name=planned.trainer))
    file.add_component(entry)
    return bytes(file.to_ical())


def planned_of(ctx: TenantContext, meeting: Meeting) -> Planned:
    title = courses.find(ctx.session, meeting.course_id).title
    return _planned_rows(ctx, [(meeting, title, 0, 0)])[0]
