"""A form that was refused is shown again as it was typed: nobody has to write a page twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response

from huiyin.kit.errors import HuiyinError, NotFound, Unauthenticated
from huiyin.web.desk import Desk
from huiyin.web.forms import Form
from huiyin.web.typed import lost

Again = Callable[[Form, int], Response[Any]]


def or_again(
    desk: Desk, data: Mapping[str, Any], act: Callable[[], Response[Any]], again: Again
) -> Response[Any]:
    """What ``act`` answers; if it is refused, the form ``again`` with what was typed and why.

    ``again`` gets the form and the status and reads anew, so that the version it shows is the
    newest.  Words that have no field on the newest page stand above it, to be copied; an answer
    that holds none of them gives way to the page of the refusal, which does.  What is not there
    for this person stays ``NotFound``.
    """
    try:
        return act()
    except (NotFound, Unauthenticated):
        raise
    except HuiyinError as error:
        shown = _afresh(desk, again, Form.failed(data, error, desk._), error.status)
        if left := lost(data, shown.content):
            form = Form.failed(data, error, desk._, left=left)
            shown = _afresh(desk, again, form, error.status)
            if lost(data, shown.content):
                raise
        return shown


def _afresh(desk: Desk, again: Again, form: Form, status: int) -> Response[Any]:
    desk.session.rollback()
    desk.session.expire_all()
    return again(form, status)
