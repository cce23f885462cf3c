"""One page for the staff: how the mailbox is."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency

from huiyin.sdk import Desk, Role, context_of, page
from huiyin_channel_email import health
from huiyin_channel_email.settings import ChannelEmailSettings

SEE: Final = "channel_email:see"
READERS: Final = frozenset(
    {Role.TENANT_ADMIN, Role.COMPLAINT_OFFICER, Role.APPROVER, Role.SUPERVISOR}
)


class MailboxController(Controller):
    @page("/", name="channel_email:mailbox", permission=SEE)
    def mailbox(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        chosen = ctx.settings(ChannelEmailSettings)
        return desk.page(
            "channel_email/mailbox.html", checks=health.health(ctx), chosen=chosen,
            address=health.own_address(ctx),
        )  # fmt: skip
