"""The entrance of a firm's public pages, and the notice of all its channels."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import (
    PUBLIC,
    PUBLIC_TITLES,
    Channel,
    Desk,
    context_of,
    outside_routes,
    page,
)
from huiyin_channel_web.drafts import CHANNEL
from huiyin_channel_web.poster import pledges, public_address, qr
from huiyin_channel_web.shared import home, settings_of, show


class EntranceController(Controller):
    @page("/", name="channel_web:entrance", permission=PUBLIC)
    def entrance(self, desk: NamedDependency[Desk]) -> Response[Any]:
        opening = settings_of(context_of(desk)).opening
        return show(desk, "entrance.html", doors=_other_doors(desk), opening=opening)

    @page("/channels", name="channel_web:channels", permission=PUBLIC)
    def channels(self, desk: NamedDependency[Desk]) -> Response[Any]:
        address = public_address(desk)
        return show(
            desk, "channels.html", address=address, code=qr(address), doors=_other_doors(desk),
            stages=list(PUBLIC_TITLES.values()), pledges=pledges(), routes=outside_routes(),
        )  # fmt: skip


def _other_doors(desk: Desk) -> list[dict[str, str]]:
    """Channels of other plugins that have a public page of their own."""
    found: list[Channel] = desk.hooks.channels()
    return [
        {"href": home(desk, f"/{channel.path}"), "title": desk._(channel.title)}
        for channel in found
        if channel.path and channel.name != CHANNEL
    ]
