"""How a browser is known, and what its page shows.

The full page holds a cookie.  Inside a frame on the firm's own site our cookies are third-party and
browsers keep them back, so the frame gets the secret in its page, keeps it in its own
(partitioned) session storage, and sends it in each form or in the first frame of its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Response

from huiyin.sdk import (
    Desk,
    Form,
    TenantContext,
    check_form_token,
    context_of,
    defaults,
    form_token,
    let_frame,
    uuid7,
)
from huiyin_channel_chat import cookies, filing, hours, talks
from huiyin_channel_chat.forms import BeginForm
from huiyin_channel_chat.models import Conversation, Side
from huiyin_channel_chat.settings import ChannelChatSettings
from huiyin_channel_chat.terms import LONGEST, SEAL, TOPICS, WAY_BACK

TOKEN: Final = "x-chat-token"  # noqa: S105 - a header's name
SHOWN: Final = 200  # messages on a page
_LANGUAGE: Final = "hy_lang"
_YEAR: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Door:
    """One browser before the chat: on the full page, or in the frame."""

    desk: Desk
    framed: bool
    secret: str

    @classmethod
    def at(cls, desk: Desk, *, framed: bool, data: Mapping[str, Any] | None = None) -> Door:
        if framed:
            return cls(desk, True, str((data or {}).get("token", ""))[:200])
        return cls(desk, False, held(desk))

    @property
    def ctx(self) -> TenantContext:
        return context_of(self.desk)

    @property
    def path(self) -> str:
        return f"/p/{self.desk.tenant.slug}/chat" + ("/frame" if self.framed else "")

    def conversation(self) -> Conversation | None:
        return talks.find(self.ctx, self.secret)

    def check(self, conversation: Conversation, data: Mapping[str, Any]) -> None:
        """The form is this browser's: by the token itself, or by one bound to the cookie."""
        if not self.framed:
            check_form_token(SEAL, conversation.secret_hash, data)

    # -- answering ---------------------------------------------------------------------------

    def page(
        self, conversation: Conversation | None, form: Form | None = None, status: int = 200,
        *, secret: str = "",
    ) -> Response[Any]:  # fmt: skip
        """The chat as it is now; ``secret`` is that of a conversation begun right now."""
        desk, ctx = self.desk, self.ctx
        template = "channel_chat/frame.html" if self.framed else "channel_chat/chat.html"
        if desk.request.query_params.get("lang") == desk.language:
            desk.set_cookie(_LANGUAGE, desk.language, _YEAR)
        shown = _talk_of(ctx, conversation) if conversation else {"log": ()}
        answer = desk.page(
            template, status=status, form=form or defaults(BeginForm), door=hours.now_of(ctx),
            conversation=conversation, topics=TOPICS, here=self.path, framed=self.framed,
            token=(secret or self.secret) if self.framed and conversation else "",
            csrf_token=form_token(SEAL, conversation.secret_hash) if conversation else "",
            client_id=uuid7().hex, greeting=ctx.settings(ChannelChatSettings).greeting,
            intake=_intake(desk), longest=LONGEST, hotline=desk.tenant.hotline, **shown,
        )  # fmt: skip
        if self.framed:
            return let_frame(answer, ctx.settings(ChannelChatSettings).origins)
        return answer

    def done(self, conversation: Conversation | None, secret: str = "") -> Response[Any]:
        """After a form: the full page goes back to its address, the frame is shown at once."""
        if self.framed:
            return self.page(conversation, secret=secret)
        answer = self.desk.redirect(f"{self.path}#now")
        if secret:
            seconds = int(WAY_BACK.total_seconds())
            return cookies.give(self.desk, answer, secret, seconds=seconds)
        return answer


def held(desk: Desk) -> str:
    """The secret of a request without a form: the frame's header, or the cookie."""
    return desk.request.headers.get(TOKEN, "")[:200] or cookies.held(desk)


def _talk_of(ctx: TenantContext, conversation: Conversation) -> dict[str, Any]:
    since = max(0, conversation.last_seq - SHOWN)
    number, code = filing.receipt(ctx, conversation)
    said, card = talks.after(ctx, conversation, since), filing.prefilled(ctx, conversation)
    return {
        "log": [talks.frame_of(ctx, one, Side.VISITOR) for one in said],
        "card": card,
        "card_form": Form(msgspec.structs.asdict(card)),
        "number": number,
        "code": code,
        "earlier": since,
    }


def _intake(desk: Desk) -> str:
    """The public form of another channel, where there is one."""
    found = (c.path for c in desk.hooks.channels() if c.name == "web" and c.path)
    path = next(found, "")
    return f"/p/{desk.tenant.slug}/{path}/start" if path else ""
