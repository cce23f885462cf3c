"""Headers every answer carries, errors and files included; set at the outermost edge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from litestar import Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)
_ORIGIN: Final = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?")
_ALWAYS: Final[dict[bytes, bytes]] = {
    b"content-security-policy": f"{_POLICY}'none'".encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cache-control": b"no-store",
}


def is_origin(text: str) -> bool:
    """Whether it is one web origin, without a path and without a wildcard."""
    return _ORIGIN.fullmatch(text) is not None


def let_frame(response: Response[Any], origins: Iterable[str]) -> Response[Any]:
    """Let pages of these origins show this one answer in a frame, and nobody else.

    Raises ``ValueError`` for what is no origin.  Without any it stays as it is: framed nowhere.
    """
    allowed = sorted(set(origins))
    for origin in allowed:
        if not is_origin(origin):
            raise ValueError(f"not an origin: {origin!r}")
    if allowed:
        response.headers["Content-Security-Policy"] = f"{_POLICY}{' '.join(allowed)}"
    return response


class SecureHeaders:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self.fixed = list(_ALWAYS.items())
        if secure:
            self.fixed.append(
                (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = list(message.get("headers", []))
                present = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in self.fixed if name not in present]
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, with_headers)
