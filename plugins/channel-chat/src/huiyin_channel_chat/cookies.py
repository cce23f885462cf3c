"""The one cookie of the full page; inside a frame there is none, see ``doors``."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response
from litestar.datastructures import Cookie

from huiyin.sdk import Desk

NAME: Final = "hy_chat"


def held(desk: Desk) -> str:
    return desk.request.cookies.get(_called(desk), "")[:200]


def give(desk: Desk, response: Response[Any], secret: str, *, seconds: int) -> Response[Any]:
    response.set_cookie(
        Cookie(
            key=_called(desk), value=secret, max_age=seconds, path=f"/p/{desk.tenant.slug}/chat",
            httponly=True, secure=desk.site.settings.secure, samesite="lax",
        )
    )  # fmt: skip
    return response


def _called(desk: Desk) -> str:
    return f"__Secure-{NAME}" if desk.site.settings.secure else NAME
