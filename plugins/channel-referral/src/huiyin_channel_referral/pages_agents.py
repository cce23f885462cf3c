"""Agents and heirs: who may speak, and who checked it."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    TenantContext,
    UploadData,
    action,
    context_of,
    defaults,
    page,
    parse,
)
from huiyin_channel_referral import agents, matters
from huiyin_channel_referral.agents import STATES, may_be_told
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.schemas import AgentForm, CheckForm, EndForm
from huiyin_channel_referral.settings import ChannelReferralSettings
from huiyin_channel_referral.shared import (
    BODY,
    address,
    attempt,
    files_of_form,
    key_in,
    names_of,
    one_of,
    rev_of,
    show,
    without_files,
)
from huiyin_channel_referral.terms import READ, REGISTER, VERIFY


class AgentsController(Controller):
    path = "/agents"

    @page("/", name="channel_referral:agents", permission=READ)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, state = context_of(desk), one_of(desk, "state", STATES)
        found = agents.listing(ctx, state=state, after=key_in(desk))
        rows = found[: agents.PAGE]
        more = address(state=state, after=str(rows[-1].row.id)) if len(found) > len(rows) else ""
        return show(
            desk, "agents.html", rows=rows, state=state, states=STATES, more=more,
            counts=agents.counts(ctx, "waiting", "expiring", "expired"),
        )  # fmt: skip

    @page("/new", name="channel_referral:agent_new", permission=REGISTER)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        form = defaults(AgentForm, case=desk.request.query_params.get("case", "")[:40])
        form.values["valid_from"] = today_of(context_of(desk)).isoformat()
        return _form(desk, form, 200)

    @action("/new", name="channel_referral:agent_take", permission=REGISTER, limit=BODY)
    def take(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        typed = without_files(data)

        def do(ctx: TenantContext) -> str:
            form, key = parse(AgentForm, typed), matters.key_of(data.get("_key"))
            return f"/agents/{agents.take(ctx, form, key, files_of_form(data)).id}"

        said = N_("已登记，授权核实之前不得告知案件内容")
        return attempt(desk, typed, do, said, lambda form, status: _form(desk, form, status))

    @page("/{key:uuid}", name="channel_referral:agent", permission=READ)
    def one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _one(desk, key, Form(), 200)

    @action("/{key:uuid}/check", name="channel_referral:check", permission=VERIFY)
    def check(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            line = agents.find(ctx, key, lock=True)
            agents.check(ctx, line, parse(CheckForm, data), rev_of(data))
            return f"/agents/{key}"

        return _tried(desk, key, data, do, N_("核实结果已记录"))

    @action("/{key:uuid}/end", name="channel_referral:end", permission=VERIFY)
    def end(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            line = agents.find(ctx, key, lock=True)
            agents.end(ctx, line, parse(EndForm, data).reason, rev_of(data))
            return f"/agents/{key}"

        return _tried(desk, key, data, do, N_("授权已终止"))


def _form(desk: Desk, form: Form, status: int) -> Response[Any]:
    asks = {code: agents.asks_for(code) for code in ("agent", "lawyer", "guardian", "heir")}
    return show(desk, "agent_form.html", status=status, form=form, asks=asks)


def _one(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    line = agents.find(ctx, key)
    told, allowed = may_be_told(line)
    return show(
        desk, "agent.html", status=status, form=form, line=line, told=told, allowed=allowed,
        names=names_of(ctx), asks=agents.asks_for(line.row.relation),
        looked=any(done["by_id"] == str(ctx.actor.id) for done in line.row.checks),
        two=ctx.settings(ChannelReferralSettings).two_person,
    )  # fmt: skip


def _tried(desk: Desk, key: uuid.UUID, data: Any, do: Any, said: str) -> Response[Any]:
    return attempt(desk, data, do, said, lambda form, status: _one(desk, key, form, status))
