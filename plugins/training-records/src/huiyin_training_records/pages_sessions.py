"""Sessions as managers plan them, with the sign-in code for the wall."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

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
    local,
    page,
    parse,
)
from huiyin_training_records import consulting, meetings, postal
from huiyin_training_records.models import Course
from huiyin_training_records.schemas import MeetingForm, PeopleForm, ReasonForm
from huiyin_training_records.shared import (
    address_of,
    attempt,
    home,
    key_of,
    options_of,
    people_of,
    qr,
    show,
)
from huiyin_training_records.terms import MANAGE, PRESENCE_TITLES, READ


class SessionsController(Controller):
    path = "/manage/sessions"

    @page("/", name="training_records:sessions", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        rows = meetings.listing(ctx, key_of(desk, "after"))
        more = len(rows) > meetings.PAGE
        return show(
            desk, "sessions.html", rows=rows[: meetings.PAGE],
            more=f"?after={rows[meetings.PAGE - 1].meeting.id}" if more else "",
        )  # fmt: skip

    @page("/new", name="training_records:session_new", permission=MANAGE)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        there = local(context_of(desk).now())
        form = defaults(MeetingForm, begins_at=f"{there:%Y-%m-%d}T14:00")
        return _form(desk, form, 200)

    @action("/new", name="training_records:session_create", permission=MANAGE)
    def create(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            return f"/manage/sessions/{meetings.create(ctx, parse(MeetingForm, data)).id}"

        return attempt(
            desk, data, do, N_("培训已安排，请添加参加人"),
            lambda form, status: _form(desk, form, status),
        )  # fmt: skip

    @page("/{key:uuid}", name="training_records:session", permission=READ)
    def show_one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _page(desk, key, Form(), 200)

    @action("/{key:uuid}/invite", name="training_records:invite", permission=MANAGE)
    def invite(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            meeting = meetings.find(ctx, key, lock=True)
            meetings.invite(ctx, meeting, parse(PeopleForm, data).people)
            postal.invitations(ctx, meeting)
            return f"/manage/sessions/{key}"

        return _tried(desk, key, data, do, N_("参加人已添加"))

    @action("/{key:uuid}/present", name="training_records:present", permission=MANAGE)
    def present(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            meeting = meetings.find(ctx, key, lock=True)
            meetings.mark(ctx, meeting, parse(PeopleForm, data).people)
            return f"/manage/sessions/{key}"

        return _tried(desk, key, data, do, N_("出席已登记"))

    @action("/{key:uuid}/call-off", name="training_records:call_off", permission=MANAGE)
    def call_off(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            meeting = meetings.find(ctx, key, lock=True)
            meetings.call_off(ctx, meeting, parse(ReasonForm, data).reason)
            postal.invitations(ctx, meeting)
            return f"/manage/sessions/{key}"

        return _tried(desk, key, data, do, N_("培训已取消"))

    @page("/{key:uuid}/code", name="training_records:code", permission=MANAGE)
    def code(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        """The wall: it asks for itself again before the code runs out."""
        ctx = context_of(desk)
        meeting = meetings.find(ctx, key)
        is_open = meetings.can_sign_in(meeting, ctx.now())
        code = meetings.sign_in_code(meeting, ctx.now())
        address = address_of(desk, home(desk, f"/sign-in/{key}/{code}"))
        answer = show(
            desk, "session_code.html", planned=meetings.planned_of(ctx, meeting),
            is_open=is_open, qr=qr(address) if is_open else "", back=f"/manage/sessions/{key}",
        )  # fmt: skip
        answer.headers["Refresh"] = str(meetings.WINDOW // 2)
        return answer


def _tried(desk: Desk, key: uuid.UUID, data: Any, do: Any, said: str) -> Response[Any]:
    return attempt(desk, data, do, said, lambda form, status: _page(desk, key, form, status))


def _form(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    known = ctx.session.execute(
        select(Course.id, Course.code, Course.title).where(~Course.retired).order_by(Course.code)
    )
    trainers = [(f"m:{p.id}", p.name) for p in people_of(ctx)]
    trainers += [
        (f"x:{e.id}", f"{e.name} · {e.organisation or desk._(N_('外部'))}")
        for e in consulting.experts(ctx)
    ]
    return show(
        desk, "session_form.html", status=status, form=form, trainers=trainers,
        courses=[(key, f"{code} {title}") for key, code, title in known],
    )  # fmt: skip


def _page(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    meeting = meetings.find(ctx, key)
    attending = meetings.list_of(ctx, meeting)
    listed = {row.account_id for row in attending}
    people = people_of(ctx)
    free = [p for p in people if p.id not in listed and p.id != meeting.trainer_id]
    return show(
        desk, "session.html", status=status, form=form, attending=attending,
        planned=meetings.planned_of(ctx, meeting), presence=PRESENCE_TITLES,
        names={p.id: p for p in colleagues(ctx.session, former=True)},
        free=options_of(desk, free), begun=ctx.now() >= meeting.begins_at,
        is_open=meetings.can_sign_in(meeting, ctx.now()),
    )  # fmt: skip
