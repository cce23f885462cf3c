"""The duty roster: who is asked to answer when, who is away, and what that comes to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Select, or_, select

from huiyin.sdk import (
    N_,
    Colleague,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Role,
    ScopedSession,
    TenantContext,
    colleagues,
    local_date,
    uuid7,
)
from huiyin_channel_phone import numbers, schedule
from huiyin_channel_phone.errors import Stale
from huiyin_channel_phone.models import DAY, Absence, Post, Shift
from huiyin_channel_phone.schedule import Stretch
from huiyin_channel_phone.schemas import AbsenceForm, PostForm, ShiftForm
from huiyin_channel_phone.terms import INSIDERS, Days

M = TypeVar("M", Post, Shift, Absence)
MOST: Final = 60  # posts, and shifts of one post
SHOWN: Final = 50
FAR: Final = 3660  # days; beyond that the year is mistyped
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody who answers a post now, until ``until``."""

    post: Post
    person: Colleague
    until: datetime
    deputy: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The roster between two days, read at once."""

    posts: Sequence[Post]
    shifts: Mapping[uuid.UUID, Sequence[Shift]]
    people: Mapping[uuid.UUID, Colleague]
    absences: Sequence[Absence]

    def away(self, person: uuid.UUID, day: date) -> bool:
        """Whether somebody cannot be counted on that day: absent, or no longer with the firm."""
        known = self.people.get(person)
        if known is None or not known.active:
            return True
        return any(a.account_id == person and a.first_on <= day <= a.last_on for a in self.absences)

    def day(self, post: Post, day: date) -> list[Stretch]:
        return schedule.day_of(self.shifts.get(post.id, ()), day, self.away)

    def covered(self, day: date) -> list[tuple[int, int]]:
        """When anybody answers any post."""
        return schedule.covered(self.day(post, day) for post in self.posts)

    def minutes(self, day: date) -> int:
        return sum(end - begin for begin, end in self.covered(day))

    def now(self, moment: datetime) -> list[OnDuty]:
        """Who answers at this moment, post by post."""
        day, minute = schedule.minute_of(moment)
        found = []
        for post in self.posts:
            for one in self.day(post, day):
                if one.begin <= minute < one.end and one.who is not None:
                    until = schedule.moment_of(day, one.end)
                    deputy = one.cover is schedule.Cover.DEPUTY
                    found.append(OnDuty(post, self.people[one.who], until, deputy))
        return found


def picture(ctx: TenantContext, first: date, last: date) -> Picture:
    """Four queries, whatever the roster."""
    posts = ctx.session.scalars(
        select(Post).where(~Post.retired).order_by(Post.id).limit(MOST)
    ).all()
    shifts: dict[uuid.UUID, list[Shift]] = {}
    found = select(Shift).where(
        Shift.first_on <= last, or_(Shift.last_on.is_(None), Shift.last_on >= first - _ONE)
    )
    for shift in ctx.session.scalars(found.order_by(Shift.begins, Shift.id)):
        shifts.setdefault(shift.post_id, []).append(shift)
    away = select(Absence).where(Absence.last_on >= first - _ONE, Absence.first_on <= last)
    return Picture(
        posts, shifts, {person.id: person for person in colleagues(ctx.session, former=True)},
        ctx.session.scalars(away).all(),
    )  # fmt: skip


def today(ctx: TenantContext) -> Picture:
    day = local_date(ctx.now())
    return picture(ctx, day, day)


def able(people: Sequence[Colleague]) -> list[Colleague]:
    """Who may answer a complaint line: members with a post inside."""
    return [p for p in people if p.active and p.roles & INSIDERS]


# -- posts -------------------------------------------------------------------------------------


def find_post(session: ScopedSession, key: uuid.UUID, *, lock: bool = False) -> Post:
    return _found(session, select(Post).where(Post.id == key), lock=lock)


def find_shift(session: ScopedSession, key: uuid.UUID, *, lock: bool = False) -> Shift:
    return _found(session, select(Shift).where(Shift.id == key), lock=lock)


def _found(session: ScopedSession, asked: Select[M], *, lock: bool) -> M:
    row = session.scalar(asked.with_for_update() if lock else asked)
    if row is None:
        raise NotFound
    return row


def save_post(ctx: TenantContext, form: PostForm, post: Post | None = None, rev: int = 0) -> Post:
    """A new post, or another state of one.  Raises ``Stale`` for an old version."""
    line = numbers.normal(form.line) if form.line else ""
    row = post or Post(id=uuid7(), rev=0, title=form.title)
    if post is not None and post.rev != rev:
        raise Stale
    row.title, row.line, row.outside = form.title, line, form.outside
    row.outside_note, row.retired, row.rev = form.outside_note, form.retired, row.rev + 1
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record("post_saved", row.id, {"version": row.rev, "outside": row.outside})
    return row


def retired(session: ScopedSession) -> Sequence[Post]:
    """Posts out of use, the last first."""
    found = select(Post).where(Post.retired).order_by(Post.id.desc()).limit(MOST)
    return session.scalars(found).all()


def shifts_of(session: ScopedSession, post: Post) -> Sequence[Shift]:
    found = select(Shift).where(Shift.post_id == post.id)
    return session.scalars(found.order_by(Shift.begins, Shift.id).limit(MOST + 1)).all()


def save_shift(
    ctx: TenantContext, post: Post, form: ShiftForm, shift: Shift | None = None, rev: int = 0
) -> Shift:
    """A new shift, or another state of one.

    Raises ``Stale`` for an old version, ``Invalid`` for one that lies over another of its post.
    """
    if shift is not None and shift.rev != rev:
        raise Stale
    find_post(ctx.session, post.id, lock=True)  # two people arranging one post wait for each other
    others = shifts_of(ctx.session, post)
    if shift is None and len(others) >= MOST:
        raise Conflict(N_("一个岗位的班次已经太多，请先停用不再使用的班次"))
    made = _shift(ctx, post, form)
    made.id = shift.id if shift else made.id
    _check_clash(ctx, made, others)
    row = shift or made
    if shift is not None:
        for name in _COPIED:
            setattr(shift, name, getattr(made, name))
        shift.rev += 1
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record(
        "shift_saved", row.id,
        {"post": post.id, "version": row.rev, "days": row.days, "people": list(row.people)},
    )  # fmt: skip
    return row


_COPIED: Final = ("title", "days", "weekdays", "begins", "length", "first_on", "last_on", "people")


def _shift(ctx: TenantContext, post: Post, form: ShiftForm) -> Shift:
    begins, ends = schedule.minute(form.begins), schedule.minute(form.ends)
    length = (ends - begins) % DAY or DAY
    errors: dict[str, Message | str] = {}
    if abs((form.first_on - local_date(ctx.now())).days) > FAR:
        errors["first_on"] = N_("起始日期应在前后十年以内，请核对")
    if length < 15:
        errors["ends"] = N_("一个班次至少 15 分钟")
    if form.days == Days.WEEKDAYS.value and not form.weekdays:
        errors["weekdays"] = N_("请选择星期")
    if form.last_on and form.last_on < form.first_on:
        errors["last_on"] = N_("结束日期不能早于开始日期")
    chosen = [form.person, *form.deputies]
    if len(set(chosen)) != len(chosen):
        errors["deputies"] = N_("替班人员不能与值班人员相同，也不能重复")
    known = {p.id for p in able(colleagues(ctx.session))}
    if not set(chosen) <= known:
        errors["person"] = N_("请从在职人员中选择")
    if errors:
        raise Invalid(errors)
    weekdays = sorted(set(form.weekdays)) if form.days == Days.WEEKDAYS.value else []
    return Shift(
        id=uuid7(), post_id=post.id, title=form.title, days=form.days, weekdays=weekdays,
        begins=begins, length=length, first_on=form.first_on, last_on=form.last_on, people=chosen,
        rev=1,
    )  # fmt: skip


def _check_clash(ctx: TenantContext, new: Shift, others: Sequence[Shift]) -> None:
    found = schedule.clash(new, others, local_date(ctx.now()))
    if found:
        other, day, minute = found
        told = {"title": other.title, "day": day.isoformat(), "time": schedule.clock(minute)}
        raise Invalid({"begins": Message(N_("与「{title}」在 {day} {time} 重叠，请调整"), told)})


def drop_shift(ctx: TenantContext, shift: Shift, rev: int) -> None:
    """Take a shift away; raises ``Stale`` for an old version."""
    if shift.rev != rev:
        raise Stale
    ctx.session.delete(shift)
    ctx.session.flush()
    ctx.record("shift_dropped", shift.id, {"post": shift.post_id})


# -- absences ----------------------------------------------------------------------------------


def absences(ctx: TenantContext, since: date, after: uuid.UUID | None = None) -> Sequence[Absence]:
    """Those that are not over, the last entered first; one more than is shown."""
    found = select(Absence).where(Absence.last_on >= since)
    if after is not None:
        found = found.where(Absence.id < after)
    return ctx.session.scalars(found.order_by(Absence.id.desc()).limit(SHOWN + 1)).all()


def enter_absence(ctx: TenantContext, form: AbsenceForm) -> Absence:
    if form.last_on < form.first_on:
        raise Invalid({"last_on": N_("结束日期不能早于开始日期")})
    if form.account_id not in {p.id for p in able(colleagues(ctx.session))}:
        raise Invalid({"account_id": N_("请从在职人员中选择")})
    same = select(Absence).where(
        Absence.account_id == form.account_id, Absence.first_on == form.first_on,
        Absence.last_on == form.last_on,
    )  # fmt: skip
    if known := ctx.session.scalars(same.limit(1)).one_or_none():
        return known  # sent twice, it is one
    row = Absence(
        id=uuid7(), account_id=form.account_id, first_on=form.first_on, last_on=form.last_on,
        entered_by=ctx.actor.id,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    days = {"first": form.first_on.isoformat(), "last": form.last_on.isoformat()}
    ctx.record("absence_entered", row.id, {"account": form.account_id, **days})
    return row


def end_absence(ctx: TenantContext, key: uuid.UUID) -> None:
    """Somebody is there after all."""
    row = _found(ctx.session, select(Absence).where(Absence.id == key), lock=True)
    ctx.session.delete(row)
    ctx.session.flush()
    ctx.record("absence_dropped", row.id, {"account": row.account_id})


def heads(picture_: Picture) -> list[Colleague]:
    """Who is told when nobody on duty acted: approvers and supervisors."""
    above = frozenset({Role.APPROVER, Role.SUPERVISOR})
    return [p for p in picture_.people.values() if p.active and p.roles & above]
