"""Call-backs that are owed, and what became of them."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

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
    page,
    parse,
)
from huiyin_channel_phone import backs, calls, queries, roster
from huiyin_channel_phone.models import Call
from huiyin_channel_phone.schemas import BeginForm, ReasonForm
from huiyin_channel_phone.shared import attempt, rev_of, show
from huiyin_channel_phone.terms import HANDLE, LOOK


class BacksController(Controller):
    path = "/call-backs"

    @page("/", name="channel_phone:call_backs", permission=LOOK)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, asked = context_of(desk), desk.request.query_params
        over, after = asked.get("tab") == "settled", asked.get("after", "")
        rows = backs.settled(ctx, after) if over else backs.waiting(ctx, after)
        shown, more = rows[: backs.SHOWN], ""
        if len(rows) > backs.SHOWN:
            last = shown[-1]
            moment = last.closed_at if over and last.closed_at else last.due_at
            query = {"tab": "settled"} if over else {}
            more = "?" + urlencode({**query, "after": queries.key_of(moment, last.id)})
        return show(
            desk, "call_backs.html", rows=shown, over=over, more=more,
            counted=backs.counted(ctx), on_duty=roster.today(ctx).now(ctx.now()),
            people={p.id: p for p in colleagues(ctx.session, former=True)},
        )  # fmt: skip

    @page("/{key:uuid}", name="channel_phone:call_back", permission=LOOK)
    def one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _back(desk, key, Form(), 200)

    @action("/{key:uuid}/call", name="channel_phone:call_back_call", permission=HANDLE)
    def call(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        """Begin the form of the call back; what is saved there settles it."""

        def do(ctx: TenantContext) -> str:
            back = backs.find(ctx, key)
            draft = calls.begin(ctx, BeginForm(number=back.number, direction="out"))
            return f"/calls/forms/{draft.id}"

        return attempt(desk, data, do, "", lambda form, status: _back(desk, key, form, status))

    @action("/{key:uuid}/drop", name="channel_phone:call_back_drop", permission=HANDLE)
    def drop(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            back = backs.find(ctx, key, lock=True)
            backs.drop(ctx, back, parse(ReasonForm, data).reason, rev_of(data))
            return f"/call-backs/{key}"

        return attempt(
            desk, data, do, N_("已记为无需回电"),
            lambda form, status: _back(desk, key, form, status),
        )  # fmt: skip


def _back(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx: TenantContext = context_of(desk)
    back = backs.find(ctx, key)
    rows = ctx.session.scalars(
        select(Call)
        .where(
            Call.number == back.number, Call.number != "", Call.started_at >= back.missed_at,
            queries.visible(ctx.actor),
        )
        .order_by(Call.started_at, Call.id)
        .limit(queries.SHOWN)
    ).all()  # fmt: skip
    return show(
        desk,
        "call_back.html",
        status=status,
        form=form,
        back=back,
        rows=rows,
        people={p.id: p for p in colleagues(ctx.session, former=True)},
    )
