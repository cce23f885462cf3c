"""How an operation of the staff's API is made, in every slice alike: described, and refused."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, RawBody

from huiyin.cases import queries
from huiyin.cases.api_bodies import PageQuery
from huiyin.cases.api_shapes import Changed, changed
from huiyin.cases.change import find
from huiyin.cases.errors import GatesUnmet, MoveNotAllowed
from huiyin.cases.models import Case
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, HuiyinError, Invalid, Stale, Unauthenticated
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Problem, body_of, described
from huiyin.web.routes import FORM_LIMIT, Handler, api

T = TypeVar("T", bound=msgspec.Struct)
P = TypeVar("P", bound=PageQuery)
Doing = Callable[[ScopedSession, Actor, str, T], Case]  # what a form does to the case of a number

_BEARER: Final = "请求头 Authorization: Bearer hy_…（在「接口令牌」中创建）。"
_PLACES: Final = {
    "number": "案件编号",
    "verb": "案件详情的 moves 所列",
    "task_id": "任务列表所列",
    "letter_id": "文书列表所列",
    "file_id": "证据列表所列",
}
CHANGE: Final = (Conflict, MoveNotAllowed)  # what any change of a case may meet


def operation(
    method: str,
    path: str,
    name: str,
    permission: str,
    summary: str,
    *,
    of: str = "case",
    says: str = "",
    limit: int = FORM_LIMIT,
    **shape: Any,
) -> Callable[[Handler], HTTPRouteHandler]:
    """An operation ``of`` a slice with its description; ``shape`` as ``described`` takes it."""
    refusals = (Unauthenticated, *shape.pop("refusals", ()))
    make = api(
        method,
        path,
        name=f"api:{of}:{name}",
        permission=permission,
        limit=limit,
        summary=summary,
        operation_id=f"{of}_{name}",
        description=f"{says}{_BEARER}",
        operation_class=described(refusals=refusals, places=_PLACES, **shape),
    )
    return lambda handler: make(_there(handler) if "body" in shape else handler)


def _there(handler: Handler) -> Handler:
    """What is not theirs is not there, whatever they send: the case is looked for first."""

    @functools.wraps(handler)
    def run(*args: Any, desk: Desk, **given: Any) -> Response[Any]:
        if "number" in given:
            find(desk.session, desk.actor, given["number"])
        return handler(*args, desk=desk, **given)

    return run


def act(
    path: str,
    name: str,
    permission: str,
    summary: str,
    *,
    body: type[T],
    do: Doing[T],
    refusals: Collection[type[HuiyinError]] = (),
    status: int = 200,
    **told: Any,
) -> HTTPRouteHandler:
    """An act upon one case that needs no more than its form; answers the case after it."""
    versioned = [Stale] if "rev" in body.__struct_fields__ else []
    shape, given = body, {"body": body, "answer": Changed, "status": status, **told}

    @operation(
        "POST", path, name, permission, summary, refusals=[*CHANGE, *versioned, *refusals], **given
    )
    @telling
    def run(
        self: Controller,  # noqa: ARG001 - Litestar knows it by this name
        desk: NamedDependency[Desk],
        number: FromPath[str],
        body: RawBody,
    ) -> Response[Any]:
        form = parse(shape, body_of(desk, body), strict=True)
        case = do(desk.session, desk.actor, number, form)
        return desk.json(changed(case), status=status)

    return run


def paged(desk: Desk, shape: type[P]) -> P:
    """What a list is asked for.  A key nobody gave out would quietly begin at the first page."""
    asked = parse(shape, dict(desk.request.query_params))
    if asked.after and queries.parse_key(asked.after) is None:
        raise Invalid({"after": N_("请使用上一页答复中的 next")})
    return asked


def telling(handler: Handler) -> Handler:
    """Let a 409 carry what a program needs to go on: the version, or what is missing."""

    @functools.wraps(handler)
    def run(*args: Any, desk: Desk, number: str, **given: Any) -> Response[Any]:
        try:
            return handler(*args, desk=desk, number=number, **given)
        except Stale as error:
            desk.session.rollback()
            version = find(desk.session, desk.actor, number).version
            problem = Problem(code=error.code, message=desk._(error.message), version=version)
        except GatesUnmet as error:
            desk.session.rollback()
            missing = [desk._(title) for title in error.missing]
            problem = Problem(code=error.code, message=desk._(error.message), missing=missing)
        return desk.json(problem, status=Conflict.status)

    return run
