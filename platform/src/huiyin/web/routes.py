"""Routes.  Each names its permission; each runs in one thread and one transaction.

``page`` and ``action`` are for people, ``api`` for programs.  A route made any other way does
not boot (see ``audit``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, TypeVar

from litestar import Litestar, Response, delete, get, patch, post, put
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from huiyin.db.errors import is_deadlock
from huiyin.identity.policy import OPEN_PERMISSIONS, known_permissions
from huiyin.kit.errors import Collided, HuiyinError, NotFound, Unavailable
from huiyin.web.csrf import SAFE
from huiyin.web.desk import Desk
from huiyin.web.errors import answer
from huiyin.web.typed import NOTHING, Typed, typed_in

MARK: Final = "huiyin_permission"
MEGABYTE: Final = 1024 * 1024
FORM_LIMIT: Final = MEGABYTE

FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
UploadData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]

Handler = Callable[..., Response[Any]]
T = TypeVar("T")
# Asked before the body is read: an answer for whoever may not send one, else ``None``.
First = Callable[[Desk], Response[Any] | None]


def page(
    path: str | list[str] = "/", *, name: str, permission: str
) -> Callable[[Handler], HTTPRouteHandler]:
    """A page to look at: GET, changes nothing."""
    return _route(get, path, name=name, permission=permission)


def action(
    path: str | list[str] = "/",
    *,
    name: str,
    permission: str,
    limit: int = FORM_LIMIT,
    first: First | None = None,
) -> Callable[[Handler], HTTPRouteHandler]:
    """A form: POST, from our own pages only.  ``limit`` bounds the body in bytes.

    ``first`` may answer in place of a form with files before these are read.
    """
    return _route(
        post,
        path,
        name=name,
        permission=permission,
        status_code=200,
        request_max_body_size=limit,
        first=first,
    )


_VERBS: Final = {"GET": get, "POST": post, "PUT": put, "PATCH": patch, "DELETE": delete}


def api(
    method: str,
    path: str | list[str] = "/",
    *,
    name: str,
    permission: str,
    limit: int = FORM_LIMIT,
    first: First | None = None,
    **options: Any,
) -> Callable[[Handler], HTTPRouteHandler]:
    """An operation for programs: a bearer token instead of a cookie, JSON instead of pages.

    ``first`` may answer in place of a request with files before these are read.
    """
    extra: dict[str, Any] = {} if method == "GET" else {"request_max_body_size": limit}
    return _route(
        _VERBS[method],
        path,
        name=name,
        permission=permission,
        kind="api",
        first=first,
        status_code=200,
        include_in_schema=True,
        **extra,
        **options,
    )


def _route(
    verb: Any,
    path: str | list[str],
    *,
    name: str,
    permission: str,
    kind: str = "page",
    first: First | None = None,
    **options: Any,
) -> Callable[[Handler], HTTPRouteHandler]:
    options.setdefault("include_in_schema", False)

    def decorate(handler: Handler) -> HTTPRouteHandler:
        run = _in_one_transaction(handler, permission, kind)
        told = {MARK: permission, "kind": kind, "first": first}
        made: HTTPRouteHandler = verb(path, name=name, sync_to_thread=True, opt=told, **options)(
            run
        )
        return made

    return decorate


def refused_unread(desk: Desk) -> Response[Any] | None:
    """The answer to whoever may not send this form at all, known without reading its files.

    The route checks the same again, and more, in its own transaction.
    """
    told = desk.request.route_handler.opt
    kind = str(told.get("kind", "page"))
    first: First | None = told.get("first")

    def once() -> Response[Any] | None:
        _open(desk, told[MARK], kind)
        if kind == "page":
            desk.check_origin()
        return first(desk) if first else None

    return _answered(desk, once, api=kind == "api")


def _open(desk: Desk, permission: str, kind: str) -> None:
    plugin = desk.request.route_handler.opt.get("plugin", "")
    desk.open(permission, bearer=kind == "api", plugin=plugin)


def _in_one_transaction(handler: Handler, permission: str, kind: str) -> Handler:
    @functools.wraps(handler)
    def run(*args: Any, desk: Desk, **kwargs: Any) -> Response[Any]:
        def once() -> Response[Any]:
            _open(desk, permission, kind)
            if kind == "page" and desk.request.method not in SAFE:
                desk.check_form(kwargs.get("data"))
            response = handler(*args, desk=desk, **kwargs)
            desk.session.commit()
            return response

        if kind == "page" and desk.request.method not in SAFE:
            return _answered(desk, once, api=False, typed=typed_in(kwargs.get("data"), permission))
        return _answered(desk, once, api=kind == "api")

    return run


def _answered(
    desk: Desk, once: Callable[[], T], *, api: bool, typed: Typed = NOTHING
) -> T | Response[Any]:
    """The response, or the page of what went wrong, with what was ``typed``.

    The session is closed either way.
    """
    fails = functools.partial(answer, desk, api=api, typed=typed)
    try:
        try:
            return once()
        except (IntegrityError, OperationalError) as error:
            # Two requests did the same thing at once, or waited for each other: the second, run
            # again, reads what the first wrote.  A second failure is a conflict.
            if isinstance(error, OperationalError) and not is_deadlock(error):
                raise
            desk.reset()
            return once()
    except HuiyinError as error:
        _undo(desk)
        return fails(error)
    except DataError:
        # An address holds what no column can, such as a NUL: there is nothing of that name.
        _undo(desk)
        return fails(NotFound())
    except IntegrityError as error:
        _undo(desk)
        return fails(Collided(), cause=error)
    except (OperationalError, InterfaceError, PendingRollbackError, PoolTimeout) as error:
        _undo(desk)
        return fails(Unavailable(), cause=error)
    except Exception as error:  # noqa: BLE001 - the last line: nothing leaks, all is logged
        _undo(desk)
        return fails(HuiyinError(), cause=error)
    finally:
        desk.close()


def _undo(desk: Desk) -> None:
    try:
        if hasattr(desk, "session"):
            desk.session.rollback()
    except DBAPIError:
        desk.session.invalidate()


class UnguardedRoute(RuntimeError):
    """A route without a known permission: the product does not start."""


def audit(app: Litestar, *, exempt: Iterable[str] = ()) -> None:
    """Refuse to boot with a route that names no permission of the table.

    ``exempt`` are prefixes of addresses that carry nothing of any firm.
    """
    known = set(known_permissions()) | OPEN_PERMISSIONS
    outside = tuple(exempt)
    for route in app.routes:
        for handler in getattr(route, "route_handlers", None) or [
            getattr(route, "route_handler", None)
        ]:
            if handler is None or (outside and route.path.startswith(outside)):
                continue
            if getattr(handler, "http_methods", set()) == {"OPTIONS"}:
                continue
            if handler.opt.get(MARK) not in known:
                raise UnguardedRoute(f"{route.path} names no known permission")
