"""Consultations, and the people from outside."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    NotFound,
    TenantContext,
    action,
    colleagues,
    context_of,
    page,
    parse,
)
from huiyin_training_records import consulting
from huiyin_training_records.schemas import ConsultForm, ExpertForm, PeopleForm, ReplyForm
from huiyin_training_records.shared import (
    attempt,
    home,
    key_of,
    options_of,
    people_of,
    show,
    told,
)
from huiyin_training_records.terms import (
    CONSULT,
    CONSULTATION_TITLES,
    CONSULTING,
    EXPERT_TITLES,
    MANAGE,
    READ,
)


class ConsultController(Controller):
    path = "/consultations"

    @page("/", name="training_records:consultations", permission=CONSULT)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, asked = context_of(desk), desk.request.query_params
        words, state = asked.get("q", "")[:60], asked.get("state", "")
        state = state if state in CONSULTATION_TITLES else ""
        rows = consulting.listing(ctx, words=words, state=state, after=key_of(desk, "after"))
        more = ""
        if len(rows) > consulting.PAGE:
            chosen = {"q": words, "state": state, "after": str(rows[consulting.PAGE - 1].id)}
            more = "?" + urlencode({k: v for k, v in chosen.items() if v})
        return show(
            desk, "consultations.html", rows=rows[: consulting.PAGE], more=more, q=words,
            state=state, states=CONSULTATION_TITLES, names=_names(ctx),
        )  # fmt: skip

    @page("/new", name="training_records:consult_new", permission=CONSULT)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _form(desk, Form(), 200)

    @action("/new", name="training_records:consult_ask", permission=CONSULT)
    def ask(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            return f"/consultations/{consulting.ask(ctx, parse(ConsultForm, data)).id}"

        return attempt(
            desk, data, do, N_("咨询已提出"), lambda form, status: _form(desk, form, status)
        )

    @page("/{key:uuid}", name="training_records:consultation", permission=CONSULT)
    def show_one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _page(desk, key, Form(), 200, read=True)

    @action("/{key:uuid}/reply", name="training_records:consult_reply", permission=CONSULT)
    def reply(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            row = consulting.find(ctx, key, lock=True)
            consulting.reply(ctx, row, parse(ReplyForm, data))
            return f"/consultations/{key}"

        return _tried(desk, key, data, do, N_("已记录"))

    @action("/{key:uuid}/share", name="training_records:consult_share", permission=CONSULT)
    def share(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            row = consulting.find(ctx, key, lock=True)
            consulting.name_more(ctx, row, parse(PeopleForm, data).people)
            return f"/consultations/{key}"

        return _tried(desk, key, data, do, N_("已添加可查看的人"))

    @action("/{key:uuid}/close", name="training_records:consult_close", permission=CONSULT)
    def close(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        row = consulting.find(ctx, key, lock=True)
        return told(
            desk, lambda: consulting.close(ctx, row), f"/consultations/{key}", N_("咨询已办结")
        )


class ExpertsController(Controller):
    path = "/manage/experts"

    @page("/", name="training_records:experts", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _experts(desk, Form(), 200)

    @action("/", name="training_records:expert_enter", permission=MANAGE)
    def enter(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            consulting.enter_expert(ctx, parse(ExpertForm, data))
            return "/manage/experts"

        return attempt(
            desk, data, do, N_("已录入"), lambda form, status: _experts(desk, form, status)
        )

    @action("/{key:uuid}/retire", name="training_records:expert_retire", permission=MANAGE)
    def retire(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        wanted = str(data.get("to", ""))
        if wanted not in {"on", "off"}:
            raise NotFound
        consulting.retire_expert(context_of(desk), key, retired=wanted == "off")
        return desk.redirect(home(desk, "/manage/experts"), N_("已保存"))


def _names(ctx: TenantContext) -> dict[uuid.UUID, str]:
    names = {person.id: person.name for person in colleagues(ctx.session, former=True)}
    return names | {row.id: row.name for row in consulting.experts(ctx, retired=True)}


def _form(desk: Desk, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    people = [p for p in people_of(ctx) if p.id != ctx.actor.id and p.roles & CONSULTING]
    experts = [
        (str(row.id), f"{row.name} · {desk._(EXPERT_TITLES[row.kind])}")
        for row in consulting.experts(ctx)
    ]
    return show(
        desk, "consult_form.html", status=status, form=form, experts=experts,
        people=options_of(desk, people),
    )  # fmt: skip


def _page(
    desk: Desk, key: uuid.UUID, form: Form, status: int, *, read: bool = False
) -> Response[Any]:
    """Reading a privileged one leaves an entry in the ledger."""
    ctx = context_of(desk)
    row = consulting.find(ctx, key)
    named = consulting.named(ctx, row)
    others = [p for p in people_of(ctx) if p.id not in named and p.roles & CONSULTING]
    answer = show(
        desk, "consultation.html", status=status, form=form, row=row, names=_names(ctx),
        replies=consulting.replies(ctx, row), named=named, states=CONSULTATION_TITLES,
        people=options_of(desk, others),
    )  # fmt: skip
    if read and row.privileged:
        ctx.record("consultation_read", row.id, {})
    return answer


def _tried(desk: Desk, key: uuid.UUID, data: Any, do: Any, said: str) -> Response[Any]:
    return attempt(desk, data, do, said, lambda form, status: _page(desk, key, form, status))


def _experts(desk: Desk, form: Form, status: int) -> Response[Any]:
    rows = consulting.experts(context_of(desk), retired=True)
    return show(desk, "experts.html", status=status, form=form, rows=rows, kinds=EXPERT_TITLES)
