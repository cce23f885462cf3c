"""How an operation of the staff's API is made, in every slice alike: described, and refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from huiyin.cases.change import find
from huiyin.cases.errors import GatesUnmet, MoveNotAllowed
from huiyin.kit.errors import Conflict, Stale, Unauthenticated
from huiyin.web.desk import Desk
from huiyin.web.programs import Problem, described
from huiyin.web.routes import FORM_LIMIT, Handler, api

_BEARER: Final = "请求头 Authorization: Bearer hy_…（在「接口令牌」中创建）。"
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
    return api(
        method,
        path,
        name=f"api:{of}:{name}",
        permission=permission,
        limit=limit,
        summary=summary,
        operation_id=f"{of}_{name}",
        description=f"{says}{_BEARER}",
        operation_class=described(refusals=refusals, **shape),
    )


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
