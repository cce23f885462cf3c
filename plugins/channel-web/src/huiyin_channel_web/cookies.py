"""Cookies of these pages: they go back to this firm's public pages and to nothing else."""

from __future__ import annotations

from typing import Any, Final, Literal

from litestar import Response
from litestar.datastructures import Cookie

from huiyin.sdk import Desk

DRAFT: Final = "hy_draft"
VISIT: Final = "hy_visit"


def held(desk: Desk, name: str) -> str:
    """What the browser sent, or nothing."""
    return desk.request.cookies.get(_called(desk, name), "")[:200]


def give(
    desk: Desk, response: Response[Any], name: str, secret: str, *, seconds: int,
    same_site: Literal["lax", "strict"] = "lax",
) -> Response[Any]:  # fmt: skip
    """Let the browser hold a secret for so many seconds."""
    response.set_cookie(
        Cookie(
            key=_called(desk, name), value=secret, max_age=seconds, path=_path(desk),
            httponly=True, secure=desk.site.settings.secure, samesite=same_site,
        )
    )  # fmt: skip
    return response


def take(desk: Desk, response: Response[Any], name: str) -> Response[Any]:
    """Have the browser forget it."""
    response.delete_cookie(_called(desk, name), path=_path(desk))
    return response


def _called(desk: Desk, name: str) -> str:
    return f"__Secure-{name}" if desk.site.settings.secure else name


def _path(desk: Desk) -> str:
    return f"/p/{desk.tenant.slug}"
