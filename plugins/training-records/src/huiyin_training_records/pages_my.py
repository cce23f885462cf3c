"""我的培训: what a member has to learn, learns and has learnt."""

from __future__ import annotations

import uuid
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Conflict,
    Desk,
    Form,
    FormData,
    NotFound,
    Refused,
    Throttle,
    action,
    context_of,
    count_try,
    or_again,
    page,
    parse,
    take_back_try,
)
from huiyin_training_records import certificates, courses, learning, meetings, quiz, records
from huiyin_training_records.schemas import AttestForm
from huiyin_training_records.shared import attempt, home, show, told
from huiyin_training_records.terms import LEARN, READ, AssignmentState, Standing

SIGN_IN: Final = Throttle("training_records.sign_in", 20, 15 * 60)
_OPEN: Final = (Standing.LATE, Standing.LOCKED, Standing.OPEN)
SHOWN: Final = 200


class MyController(Controller):
    @page("/", name="training_records:my", permission=LEARN)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        mine = records.listing(ctx, account_id=ctx.actor.id, most=SHOWN)
        todo = sorted((r for r in mine if r.standing in _OPEN), key=lambda r: r.line.due_on)
        done = [r for r in mine if r.standing not in _OPEN]
        return show(desk, "my.html", todo=todo, done=done, planned=meetings.mine(ctx))

    @page("/assignments/{key:uuid}", name="training_records:assignment", permission=LEARN)
    def assignment(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _assignment(desk, key, Form(), 200)

    @page(
        "/assignments/{key:uuid}/materials/{material:uuid}", name="training_records:material",
        permission=LEARN,
    )  # fmt: skip
    def material(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], material: FromPath[uuid.UUID]
    ) -> Response[Any]:
        ctx = context_of(desk)
        row = learning.own(ctx, key)
        return show(
            desk, "material.html", at=learning.progress(ctx, row),
            material=learning.material_of(ctx, row, material),
        )  # fmt: skip

    @page(
        "/assignments/{key:uuid}/materials/{material:uuid}/file",
        name="training_records:material_file", permission=LEARN,
    )  # fmt: skip
    def file(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], material: FromPath[uuid.UUID]
    ) -> Response[Any]:
        ctx = context_of(desk)
        row = learning.material_of(ctx, learning.own(ctx, key), material)
        if not row.blob_key:
            raise NotFound
        with ctx.blobs.open(row.blob_key) as stream:
            return desk.file(stream.read(), row.file_name, courses.MEDIA[row.kind])

    @action(
        "/assignments/{key:uuid}/materials/{material:uuid}/read", name="training_records:read_it",
        permission=LEARN,
    )  # fmt: skip
    def read_it(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        material: FromPath[uuid.UUID], data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        row = learning.own(ctx, key, lock=True)
        found = learning.material_of(ctx, row, material)
        return told(
            desk, lambda: learning.mark_read(ctx, row, found), f"/assignments/{key}",
            N_("已记为学习完成"),
        )  # fmt: skip

    # -- the quiz ------------------------------------------------------------------------------

    @action("/assignments/{key:uuid}/quiz", name="training_records:quiz_start", permission=LEARN)
    def start(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        try:
            begun = quiz.start(ctx, learning.own(ctx, key, lock=True))
        except (Conflict, Refused) as error:
            return desk.redirect(home(desk, f"/assignments/{key}"), error.message)
        return desk.redirect(home(desk, f"/assignments/{key}/quiz/{begun.number}"))

    @page(
        "/assignments/{key:uuid}/quiz/{number:int}", name="training_records:quiz", permission=LEARN
    )
    def sit(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], number: FromPath[int]
    ) -> Response[Any]:
        return _quiz_page(desk, key, number, Form(), 200)

    @action(
        "/assignments/{key:uuid}/quiz/{number:int}", name="training_records:quiz_submit",
        permission=LEARN,
    )  # fmt: skip
    def hand_in(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], number: FromPath[int],
        data: FormData,
    ) -> Response[Any]:  # fmt: skip
        def act() -> Response[Any]:
            ctx = context_of(desk)
            row = learning.own(ctx, key, lock=True)
            sat = quiz.attempt_of(ctx, row, number, lock=True)
            passed = quiz.submit(ctx, row, sat, data)
            here = home(desk, f"/assignments/{key}/quiz/{number}")
            return desk.redirect(here, N_("测验通过") if passed else N_("这次没有达到及格线"))

        return or_again(
            desk, data, act, lambda form, status: _quiz_page(desk, key, number, form, status)
        )

    # -- signing -------------------------------------------------------------------------------

    @page("/assignments/{key:uuid}/attest", name="training_records:attest", permission=LEARN)
    def attest_page(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _attest_page(desk, key, Form(), 200)

    @action("/assignments/{key:uuid}/attest", name="training_records:attest_do", permission=LEARN)
    def attest(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: Any) -> str:
            row = learning.own(ctx, key, lock=True)
            learning.attest(ctx, row, parse(AttestForm, data))
            return f"/assignments/{key}"

        return attempt(
            desk, data, do, N_("培训完成，证书已生成"),
            lambda form, status: _attest_again(desk, key, form, status),
        )  # fmt: skip

    @page("/assignments/{key:uuid}/certificate", name="training_records:my_paper", permission=LEARN)
    def certificate(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        own = records.find(ctx, key)
        if own.account_id != ctx.actor.id and not ctx.actor.can(READ):
            raise NotFound
        found = certificates.of(ctx.session, key)
        if found is None:
            raise NotFound
        name = f"{desk._(N_('培训证书'))}-{certificates.code_of(found)[:4]}.pdf"
        return desk.file(certificates.pdf(ctx, found), name, "application/pdf")

    # -- sessions ------------------------------------------------------------------------------

    @page("/meetings/{key:uuid}/invitation", name="training_records:ics", permission=LEARN)
    def invitation(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        meeting = meetings.find(ctx, key)
        if not (ctx.actor.can(READ) or meetings.concerns(ctx, meeting)):
            raise NotFound
        file = meetings.invitation(
            ctx, meetings.planned_of(ctx, meeting), f"{ctx.tenant.slug}.huiyin"
        )
        return desk.file(file, "invitation.ics", "text/calendar; charset=utf-8")

    @page("/sign-in/{key:uuid}/{code:str}", name="training_records:sign_in", permission=LEARN)
    def sign_in_page(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], code: FromPath[str]
    ) -> Response[Any]:
        ctx = context_of(desk)
        count_try(desk, SIGN_IN, ctx.actor.id)
        meeting = meetings.check_code(ctx, key, code)
        take_back_try(desk, SIGN_IN, ctx.actor.id)
        return show(
            desk, "sign_in.html", planned=meetings.planned_of(ctx, meeting),
            action=home(desk, f"/sign-in/{key}/{code}"),
        )  # fmt: skip

    @action("/sign-in/{key:uuid}/{code:str}", name="training_records:sign_in_do", permission=LEARN)
    def sign_in(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], code: FromPath[str],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        count_try(desk, SIGN_IN, ctx.actor.id)
        meetings.sign_in(ctx, key, code)
        take_back_try(desk, SIGN_IN, ctx.actor.id)
        return desk.redirect(home(desk, "/"), N_("签到完成"))


def _quiz_page(desk: Desk, key: uuid.UUID, number: int, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    row = learning.own(ctx, key)
    sat = quiz.attempt_of(ctx, row, number)
    at = learning.progress(ctx, row)
    template = "quiz.html" if sat.submitted_at is None else "result.html"
    return show(
        desk, template, status=status, at=at, sat=sat, asked=quiz.asked(ctx, row, sat), form=form
    )


def _assignment(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    at = learning.progress(ctx, learning.own(ctx, key))
    return show(
        desk, "assignment.html", status=status, form=form, at=at,
        attempts=quiz.attempts_of(ctx, key), author=str(ctx.actor.id) in at.version.authors,
        certificate=certificates.of(ctx.session, key),
        held=at.assignment.state == AssignmentState.DONE,
    )  # fmt: skip


def _attest_again(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    """The refused form, or what is to be done in its place."""
    at = learning.progress(context_of(desk), learning.own(context_of(desk), key))
    page_of = _attest_page if at.next_step == "attest" else _assignment
    return page_of(desk, key, form, status)


def _attest_page(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    at = learning.progress(ctx, learning.own(ctx, key))
    if at.next_step != "attest":
        return desk.redirect(home(desk, f"/assignments/{key}"))
    return show(desk, "attest.html", status=status, at=at, form=form)
