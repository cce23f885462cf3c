"""A form that was refused is shown again as it was typed: nobody has to write a page twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response

from huiyin.kit.errors import HuiyinError, NotFound, Unauthenticated
from huiyin.web.desk import Desk
from huiyin.web.forms import Form

Again = Callable[[Form, int], Response[Any]]


def or_again(
    desk: Desk, data: Mapping[str, Any], act: Callable[[], Response[Any]], again: Again
) -> Response[Any]:
    """What ``act`` answers; if it is refused, the form ``again`` with what was typed and why.

    ``again`` gets the form and the status and reads anew, so that the version it shows is the
    newest.  What is not there for this person stays ``NotFound``.
    """
    try:
        return act()
    except (NotFound, Unauthenticated):
        raise
    except HuiyinError as error:
        desk.session.rollback()
        desk.session.expire_all()
        return again(Form.failed(data, error, desk._), error.status)
