"""How refusals and faults look: one page, one JSON shape, no detail for strangers."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from litestar import Response

from huiyin.kit.errors import (
    BadOrigin,
    Collided,
    HuiyinError,
    Invalid,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from huiyin.kit.i18n import Translator
from huiyin.web.typed import NOTHING, Typed

if TYPE_CHECKING:
    from huiyin.web.desk import Desk

log = logging.getLogger("huiyin.web")


def answer(
    desk: Desk,
    error: HuiyinError,
    *,
    api: bool,
    cause: BaseException | None = None,
    typed: Typed = NOTHING,
) -> Response[Any]:
    """The response for an error.  A fault gets an opaque reference that the log carries too.

    ``typed`` is what stood in a form; the page gives it back to whoever sent it.
    """
    reference = ""
    if cause is not None:
        reference = secrets.token_hex(6)
        # Type and place only: messages of lower layers may quote what people wrote.
        log.error(
            "fault %s: %s on %s",
            reference,
            type(cause).__name__,
            desk.request.route_handler.name,
            exc_info=bare(cause),
        )
    if api:
        return problem(desk._, error, reference)
    if not _from_our_page(desk):
        typed = NOTHING
    if isinstance(error, Unauthenticated) and not typed.words:
        return _to_login(desk)
    return _page(desk, error, reference, typed)


def _from_our_page(desk: Desk) -> bool:
    """Whether the words may be shown as the reader's own: another site may have put them there."""
    try:
        desk.check_origin()
    except BadOrigin:
        return False
    return True


def bare(cause: BaseException) -> BaseException:
    """The same traceback without the text of database errors, which may carry values."""
    return RuntimeError(type(cause).__name__).with_traceback(cause.__traceback__)


def problem(_: Translator, error: HuiyinError, reference: str = "") -> Response[Any]:
    """``{"code", "message", "fields"?, "reference"?}`` in the caller's language."""
    body: dict[str, Any] = {"code": error.code, "message": _(error.message)}
    if isinstance(error, Invalid):
        body["fields"] = {name: _(message) for name, message in error.fields.items()}
    if reference:
        body["reference"] = reference
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled) else {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        msgspec.json.encode(body),
        status_code=error.status,
        media_type="application/json",
        headers=headers,
    )


def _address(desk: Desk) -> str:
    url = desk.request.url
    return url.path + (f"?{url.query}" if url.query else "")


def _to_login(desk: Desk) -> Response[Any]:
    target = f"/login?next={quote(_address(desk))}" if desk.request.method == "GET" else "/login"
    if desk.request.headers.get("hx-request") == "true":
        return Response(
            "", status_code=401, media_type="text/html", headers={"HX-Redirect": target}
        )
    return Response("", status_code=303, media_type="text/html", headers={"Location": target})


def _can_be_sent_again(error: HuiyinError, typed: Typed) -> bool:
    """Whether the same form may pass the next time: nobody judged it, and nothing of it is missing.

    It carries the same keys, so that what did get through is not done twice.
    """
    unjudged = type(error) in {HuiyinError, Unavailable, Collided, Throttled}
    return unjudged and typed.whole and bool(typed.words)


def _page(desk: Desk, error: HuiyinError, reference: str, typed: Typed) -> Response[Any]:
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled) else {}
    html = desk.templates.get_template("error.html").render(
        _=desk._,
        lang=desk.language,
        theme=desk.request.cookies.get("hy_theme", "system"),
        status=error.status,
        # To whoever was writing it is not "log in first": the log-in ran out.
        message="" if isinstance(error, Unauthenticated) else desk._(error.message),
        reference=reference,
        fields=typed.fields if typed.words else (),
        whole=typed.whole,
        sends_again=_can_be_sent_again(error, typed),
        action=_address(desk),
        enctype=desk.request.content_type[0],
    )
    return Response(html, status_code=error.status, media_type="text/html", headers=headers)
