"""Who answers when: the coverage as it is, and the roster behind it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    TenantContext,
    action,
    colleagues,
    context_of,
    defaults,
    is_workday,
    local_date,
    page,
    parse,
)
from huiyin_channel_phone import backs, keeping, roster, schedule
from huiyin_channel_phone.health import hours
from huiyin_channel_phone.models import DAY, Shift
from huiyin_channel_phone.schemas import AbsenceForm, PostForm, ShiftForm
from huiyin_channel_phone.shared import attempt, home, key_of, rev_of, show, told
from huiyin_channel_phone.terms import DUTY, LOOK, ROSTER

WEEK: Final = 7
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShownDay:
    """A day of the coverage page; ``kind`` is work, rest, makeup or holiday."""

    on: date
    kind: str
    rows: Sequence[tuple[str, Sequence[schedule.Stretch]]]
    minutes: int
    guessed: bool  # over, and nothing was kept of it

    @property
    def gap(self) -> int:
        return DAY - self.minutes


def _kind(day: date) -> str:
    if is_workday(day):
        return "makeup" if day.weekday() > 4 else "work"
    return "rest" if day.weekday() > 4 else "holiday"


def _kept_day(day: date, posts: Sequence[keeping.KeptPost]) -> ShownDay:
    rows = [(post.title, post.stretches) for post in posts]
    return ShownDay(day, _kind(day), rows, keeping.minutes(posts), guessed=False)


def _planned(shown: roster.Picture, day: date, today: date) -> ShownDay:
    rows = [(post.title, shown.day(post, day)) for post in shown.posts]
    return ShownDay(day, _kind(day), rows, shown.minutes(day), guessed=day < today)


def _first_day(desk: Desk, today: date) -> date:
    """The day in the address, within ten years; else the Monday of this week."""
    typed = desk.request.query_params.get("from", "")
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = today
    if abs((day - today).days) > roster.FAR:
        day = today
    return day - day.weekday() * _ONE


class DutyController(Controller):
    @page("/", name="channel_phone:duty_page", permission=DUTY)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """A week, hour by hour; a gap is shown as a gap."""
        ctx = context_of(desk)
        today = local_date(ctx.now())
        first = _first_day(desk, today)
        last = first + (WEEK - 1) * _ONE
        shown = roster.picture(ctx, min(first, today), max(last, today))
        known = keeping.kept(ctx, first, last)
        days = [
            _kept_day(day, known[day]) if day in known else _planned(shown, day, today)
            for day in (first + n * _ONE for n in range(WEEK))
        ]
        owed = backs.counted(ctx) if desk.actor.can(LOOK) else (0, 0)
        return show(
            desk, "duty.html", days=days, today=today, people=shown.people,
            posts=shown.posts, on_duty=shown.now(ctx.now()), hours=hours, owed=owed,
            total=sum(day.minutes for day in days), minute=schedule.minute_of(ctx.now())[1],
            before=(first - WEEK * _ONE).isoformat(), after=(first + WEEK * _ONE).isoformat(),
        )  # fmt: skip


class RosterController(Controller):
    path = "/roster"

    @page("/", name="channel_phone:roster", permission=ROSTER)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _roster(desk, Form(), 200)

    @page("/posts/new", name="channel_phone:post_new_page", permission=ROSTER)
    def new_post_page(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return show(desk, "post_form.html", form=defaults(PostForm), post=None)

    @action("/posts/new", name="channel_phone:post_new", permission=ROSTER)
    def new_post(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            keeping.keep_days(ctx)
            return f"/roster/posts/{roster.save_post(ctx, _post_form(data)).id}"

        return attempt(
            desk, data, do, N_("岗位已保存，请安排班次"),
            lambda form, status: show(desk, "post_form.html", status=status, form=form, post=None),
        )  # fmt: skip

    @page("/posts/{key:uuid}", name="channel_phone:post", permission=ROSTER)
    def post(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _post(desk, key, Form(), 200)

    @page("/posts/{key:uuid}/edit", name="channel_phone:post_edit_page", permission=ROSTER)
    def edit_post_page(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]
    ) -> Response[Any]:
        post = roster.find_post(context_of(desk).session, key)
        names = ("title", "line", "outside", "outside_note", "retired")
        form = defaults(PostForm, **{name: getattr(post, name) for name in names})
        return show(desk, "post_form.html", form=form, post=post)

    @action("/posts/{key:uuid}/edit", name="channel_phone:post_edit", permission=ROSTER)
    def edit_post(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            keeping.keep_days(ctx)
            post = roster.find_post(ctx.session, key, lock=True)
            roster.save_post(ctx, _post_form(data), post, rev_of(data))
            return f"/roster/posts/{key}"

        def again(form: Form, status: int) -> Response[Any]:
            post = roster.find_post(context_of(desk).session, key)
            return show(desk, "post_form.html", status=status, form=form, post=post)

        return attempt(desk, data, do, N_("岗位已保存"), again)

    @page("/posts/{key:uuid}/shifts/new", name="channel_phone:shift_new_page", permission=ROSTER)
    def new_shift_page(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]
    ) -> Response[Any]:
        today = local_date(context_of(desk).now())
        return _shift(desk, key, None, defaults(ShiftForm, first_on=today), 200)

    @action("/posts/{key:uuid}/shifts/new", name="channel_phone:shift_new", permission=ROSTER)
    def new_shift(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            keeping.keep_days(ctx)
            roster.save_shift(ctx, roster.find_post(ctx.session, key), parse(ShiftForm, data))
            return f"/roster/posts/{key}"

        return attempt(
            desk, data, do, N_("班次已保存"),
            lambda form, status: _shift(desk, key, None, form, status),
        )  # fmt: skip

    @page("/shifts/{key:uuid}", name="channel_phone:shift_edit_page", permission=ROSTER)
    def edit_shift_page(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]
    ) -> Response[Any]:
        shift = roster.find_shift(context_of(desk).session, key)
        return _shift(desk, shift.post_id, shift, _shift_values(shift), 200)

    @action("/shifts/{key:uuid}", name="channel_phone:shift_edit", permission=ROSTER)
    def edit_shift(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            keeping.keep_days(ctx)
            shift = roster.find_shift(ctx.session, key, lock=True)
            post = roster.find_post(ctx.session, shift.post_id)
            roster.save_shift(ctx, post, parse(ShiftForm, data), shift, rev_of(data))
            return f"/roster/posts/{post.id}"

        def again(form: Form, status: int) -> Response[Any]:
            shift = roster.find_shift(context_of(desk).session, key)
            return _shift(desk, shift.post_id, shift, form, status)

        return attempt(desk, data, do, N_("班次已保存"), again)

    @action("/shifts/{key:uuid}/drop", name="channel_phone:shift_drop", permission=ROSTER)
    def drop_shift(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        ctx = context_of(desk)
        keeping.keep_days(ctx)
        shift = roster.find_shift(ctx.session, key, lock=True)
        return told(
            desk, lambda: roster.drop_shift(ctx, shift, rev_of(data)),
            f"/roster/posts/{shift.post_id}", N_("班次已删除"),
        )  # fmt: skip

    @action("/absences", name="channel_phone:absence_new", permission=ROSTER)
    def absent(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            keeping.keep_days(ctx)
            roster.enter_absence(ctx, parse(AbsenceForm, data))
            return "/roster"

        return attempt(
            desk, data, do, N_("缺勤已登记，由替班人员顶班"),
            lambda form, status: _roster(desk, form, status),
        )  # fmt: skip

    @action("/absences/{key:uuid}/drop", name="channel_phone:absence_drop", permission=ROSTER)
    def present(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        keeping.keep_days(ctx)
        roster.end_absence(ctx, key)
        return desk.redirect(home(desk, "/roster"), N_("缺勤已撤销"))


def _post_form(data: Any) -> PostForm:
    return parse(PostForm, data)


def _roster(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    today = local_date(ctx.now())
    shown = roster.picture(ctx, today, today + roster.FAR * _ONE)
    away = roster.absences(ctx, today, key_of(desk, "after"))
    more = f"?after={away[roster.SHOWN - 1].id}" if len(away) > roster.SHOWN else ""
    return show(
        desk, "roster.html", status=status, form=form, posts=shown.posts, shifts=shown.shifts,
        people=shown.people, absences=away[: roster.SHOWN], more=more,
        retired=roster.retired(ctx.session),
        options=[(str(p.id), p.name) for p in roster.able(list(shown.people.values()))],
    )  # fmt: skip


def _post(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    post = roster.find_post(ctx.session, key)
    people = {p.id: p for p in colleagues(ctx.session, former=True)}
    return show(
        desk, "post.html", status=status, form=form, post=post, people=people,
        shifts=roster.shifts_of(ctx.session, post),
    )  # fmt: skip


def _shift(
    desk: Desk, post_id: uuid.UUID, shift: Shift | None, form: Form, status: int
) -> Response[Any]:
    ctx = context_of(desk)
    options = [(str(p.id), p.name) for p in roster.able(colleagues(ctx.session))]
    return show(
        desk, "shift_form.html", status=status, form=form, shift=shift, people=options,
        post=roster.find_post(ctx.session, post_id),
    )  # fmt: skip


def _shift_values(shift: Shift) -> Form:
    ends = (shift.begins + shift.length) % DAY
    return defaults(
        ShiftForm, title=shift.title, days=shift.days, weekdays=shift.weekdays,
        begins=schedule.clock(shift.begins), ends=schedule.clock(ends), first_on=shift.first_on,
        last_on=shift.last_on, person=shift.people[0] if shift.people else None,
        deputies=shift.people[1:],
    )  # fmt: skip
