"""Pages: the list for staff, a word for the public, a number for programs."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from sqlalchemy import func, select

from acme_call_back.models import Promise
from acme_call_back.settings import CallBackSettings
from huiyin.sdk import PUBLIC, Desk, FormData, NotFound, action, api, context_of, now, page


class StaffController(Controller):
    @page("/", name="call_back:index", permission="call_back:keep")
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        waiting = desk.session.scalars(
            select(Promise).where(Promise.kept_at.is_(None)).order_by(Promise.due_at).limit(50)
        ).all()
        return desk.page("call_back/index.html", promises=waiting)

    @action("/kept", name="call_back:kept", permission="call_back:keep")
    def kept(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        promise = desk.session.scalar(
            select(Promise).where(Promise.kept_at.is_(None)).order_by(Promise.due_at).limit(1)
        )
        if promise is None:
            raise NotFound
        promise.kept_at, promise.note = now(), str(data.get("note", ""))[:200]
        return desk.redirect(f"/t/{desk.tenant.slug}/w/x/call-back/")


class PublicController(Controller):
    path = "/callback"

    @page("/", name="call_back:promise", permission=PUBLIC)
    def promise(self, desk: NamedDependency[Desk]) -> Response[Any]:
        hours = context_of(desk).settings(CallBackSettings).hours
        return desk.page("call_back/promise.html", hours=hours)


class ApiController(Controller):
    @api("GET", "/waiting", name="call_back:waiting", permission="call_back:keep")
    def waiting(self, desk: NamedDependency[Desk]) -> Response[Any]:
        n = desk.session.scalar(
            select(func.count()).select_from(Promise).where(Promise.kept_at.is_(None))
        )
        return desk.json({"waiting": n})
