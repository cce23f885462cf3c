"""Keeping a message as it came, once, with the job that takes it to its conversation."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import select

from huiyin.sdk import TenantContext, failpoint, uuid7
from huiyin_channel_wecom import xml
from huiyin_channel_wecom.models import Incoming

TAKE: Final = "take"
CHANNEL: Final = "wecom"


def key_of(raw: bytes, call: str = "") -> str:
    """The provider's own id of a message by callback; an event has none and is one for each call.

    Raises ``xml.Malformed``.
    """
    fields = xml.read(raw)
    if message_id := fields.get("MsgId", "").strip()[:100]:
        return f"m:{message_id}"
    return f"e:{hashlib.sha256(call.encode() + raw).hexdigest()}"


def keep(ctx: TenantContext, source: str, key: str, raw: bytes) -> bool:
    """Keep it, to be taken soon; False if it was here before.

    Say that it came only after the commit.
    """
    known = select(Incoming.id).where(Incoming.source == source, Incoming.key == key)
    if ctx.session.scalar(known) is not None:
        return False
    row = Incoming(
        id=uuid7(), source=source, key=key, raw=raw, raw_sha256=hashlib.sha256(raw).hexdigest()
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.enqueue(TAKE, {"message": row.id}, key=str(row.id))
    failpoint("wecom.after_insert")
    return True
