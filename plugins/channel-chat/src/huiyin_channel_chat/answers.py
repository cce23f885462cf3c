"""Answers written once and used often: a managed list."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Conflict,
    Desk,
    Form,
    FormData,
    Invalid,
    NotFound,
    TenantContext,
    action,
    context_of,
    or_again,
    page,
    parse,
    whole,
)
from huiyin_channel_chat.models import Canned
from huiyin_channel_chat.terms import CANNED, LONGEST

MOST: Final = 100
TWICE: Final = N_("已有同名的常用语，请换一个名称")
ENOUGH: Final = N_("常用语已达 100 条，请先删除不用的")
CHANGED: Final = N_("这条常用语刚被其他人修改，请核对后再保存")


class CannedForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=40, title=N_("名称"))]
    body: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST, title=N_("内容"))]


def listed(ctx: TenantContext) -> Sequence[Canned]:
    """All of them by title; there are never more than ``MOST``."""
    return ctx.session.scalars(select(Canned).order_by(Canned.title).limit(MOST)).all()


def save(ctx: TenantContext, key: uuid.UUID | None, form: CannedForm, rev: int) -> None:
    """Write a new one, or change one as it was seen."""
    twin = select(Canned.id).where(Canned.title == form.title)
    if ctx.session.scalar(twin if key is None else twin.where(Canned.id != key)):
        raise Invalid({"title": TWICE})
    if key is None:
        if ctx.session.scalars(select(func.count()).select_from(Canned)).one() >= MOST:
            raise Conflict(ENOUGH)
        ctx.session.add(Canned(title=form.title, body=form.body, by_name=ctx.actor.name))
        return
    row = find(ctx, key)
    if row.version != rev:
        raise Conflict(CHANGED)
    row.title, row.body, row.by_name = form.title, form.body, ctx.actor.name
    row.version += 1


def body_of(ctx: TenantContext, key: str) -> str:
    """The words of one of them, ``""`` for one that is gone."""
    return next((row.body for row in listed(ctx) if str(row.id) == key), "")


def find(ctx: TenantContext, key: uuid.UUID) -> Canned:
    row = ctx.session.scalar(select(Canned).where(Canned.id == key).with_for_update())
    if row is None:
        raise NotFound
    return row


class CannedController(Controller):
    path = "/answers"

    @page("/", name="channel_chat:answers", permission=CANNED)
    def show(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _list(desk)

    @action("/", name="channel_chat:add_answer", permission=CANNED)
    def add(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        return _save(desk, None, data)

    @action("/{key:uuid}", name="channel_chat:change_answer", permission=CANNED)
    def change(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        if data.get("act") == "delete":
            ctx = context_of(desk)
            ctx.session.delete(find(ctx, key))
            return desk.redirect(_home(desk), N_("已删除"))
        return _save(desk, key, data)


def _home(desk: Desk) -> str:
    return f"/t/{desk.tenant.slug}/w/x/channel-chat/answers"


def _save(desk: Desk, key: uuid.UUID | None, data: dict[str, Any]) -> Response[Any]:
    def act() -> Response[Any]:
        fields = {name: value for name, value in data.items() if name not in {"act", "at"}}
        rev = whole(str(data.get("rev", "")))
        save(context_of(desk), key, parse(CannedForm, fields), rev or 0)
        return desk.redirect(_home(desk), N_("已保存"))

    def again(form: Form, status: int) -> Response[Any]:
        return _list(desk, form, status)

    return or_again(desk, {**data, "at": str(key or "new")}, act, again)


def _list(desk: Desk, form: Form | None = None, status: int = 200) -> Response[Any]:
    rows, open_ = listed(context_of(desk)), desk.request.query_params.get("edit", "")
    forms = {str(row.id): Form({"title": row.title, "body": row.body}) for row in rows}
    asked = form or Form()
    at = str(asked.values.get("at", ""))
    if at in forms:
        forms[at], open_ = asked.beside(forms[at]), at
    return desk.page(
        "channel_chat/answers.html", status=status, rows=rows, forms=forms, open=open_,
        form=asked, blank=asked.at("new"), most=MOST,
    )  # fmt: skip
