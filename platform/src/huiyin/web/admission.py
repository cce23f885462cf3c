"""Whether somebody may send files at all is asked before they are read.

A body of many megabytes is a burden on whoever takes it, so a stranger gets the answer of the
route without it.
"""

from __future__ import annotations

from typing import Any, cast

import anyio.to_thread
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import BodyKwarg
from litestar.types import Guard

from huiyin.web.desk import Desk
from huiyin.web.routes import refused_unread
from huiyin.web.site import Site


class Answered(Exception):
    """The answer is known; nothing of the body was read."""

    def __init__(self, response: Response[Any]) -> None:
        super().__init__("answered")
        self.response = response


def at_the_door(site: Site) -> Guard:
    """The guard of routes that take files; it lets the others pass."""

    async def admit(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        taken = handler.parsed_data_field
        how = taken.kwarg_definition if taken else None
        if not isinstance(how, BodyKwarg) or how.media_type != RequestEncodingType.MULTI_PART:
            return
        desk = Desk(site, cast("Request[Any, Any, Any]", connection))
        response = await anyio.to_thread.run_sync(refused_unread, desk)
        if response is not None:
            raise Answered(response)

    return admit
