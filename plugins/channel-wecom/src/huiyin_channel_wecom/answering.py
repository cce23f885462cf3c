"""What we may still say in a chat, and asking for it to be said."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import Case, TenantContext, now, uuid7
from huiyin_channel_wecom.models import Contact, Outgoing
from huiyin_channel_wecom.roads import OVER, account_of

SEND: Final = "send"
# As the providers document it, for 微信客服 and for 公众号 alike.
WINDOW: Final = timedelta(hours=48)  # after they last wrote
MOST: Final = 5  # answers within that
CONFIRMATIONS: Final = 3  # by ourselves to one account within a day
_DAY: Final = timedelta(days=1)


def why_not(ctx: TenantContext, road: str, heard_at: datetime | None, sent_since: int) -> str:
    """The same, and ``off`` where the firm has not set the road up."""
    if road != "app" and account_of(ctx, OVER[road]) is None:
        return "off"
    return closed_to(road, heard_at, sent_since)


def closed(contact: Contact) -> str:
    """Why nothing can be sent now, ``member``, ``late`` or ``used_up``, or ``""``."""
    return closed_to(contact.road, contact.heard_at, contact.sent_since)


def closed_to(road: str, heard_at: datetime | None, sent_since: int) -> str:
    """The same of what was read of a contact."""
    if road == "app":
        return "member"
    if heard_at is None or heard_at + WINDOW <= now():
        return "late"
    return "used_up" if sent_since >= MOST else ""


def ask(
    ctx: TenantContext, contact: Contact, what: str, *, key: str, case: Case | None = None,
    entry_id: uuid.UUID | None = None,
) -> None:  # fmt: skip
    """Have it sent, once for this key; nothing where the road is not set up."""
    if contact.road == "app" or account_of(ctx, OVER[contact.road]) is None:
        return
    row = {
        "tenant_id": ctx.session.tenant, "id": uuid7(), "contact_id": contact.id,
        "case_id": case.id if case else None, "key": key, "what": what, "entry_id": entry_id,
        "state": "queued", "code": 0, "made_at": now(),
    }  # fmt: skip
    made = ctx.session.scalar(
        insert(Outgoing)
        .values(row)
        .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
        .returning(Outgoing.id)
    )
    if made is not None:
        ctx.enqueue(SEND, {"outgoing": made}, key=str(made))


def had_enough(ctx: TenantContext, contact: Contact) -> bool:
    """Whether this account was answered by ourselves often enough for a day."""
    found = select(func.count()).select_from(Outgoing).where(
        Outgoing.contact_id == contact.id, Outgoing.made_at > now() - _DAY,
        Outgoing.what.in_(("filed_code", "joined", "waiting")),
    )  # fmt: skip
    return ctx.session.scalars(found).one() >= CONFIRMATIONS
