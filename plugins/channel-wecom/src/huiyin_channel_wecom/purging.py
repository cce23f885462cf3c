"""What was declared to end, ends: once an hour, a bounded piece of each kind.

What belongs to a case stands among its evidence by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, or_, select

from huiyin.sdk import TenantContext
from huiyin_channel_wecom.models import Contact, Conversation, Incoming, Nonce, Outgoing

PURGE: Final = "purge"
KEPT: Final = 6  # months
PIECE: Final = 2000
_HALF_A_YEAR: Final = timedelta(days=183)
_NONCES: Final = timedelta(days=1)  # the window of a callback is minutes

Row = type[Contact] | type[Conversation] | type[Incoming] | type[Nonce] | type[Outgoing]


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Delete what is past its time; what is left over is for the next hour."""
    since = ctx.now() - _HALF_A_YEAR
    still = select(Conversation.id).where(
        or_(Conversation.state == "open", Conversation.last_at >= since)
    )
    done = {
        "messages": _piece(
            ctx, Incoming, Incoming.kept_at < since,
            or_(Incoming.conversation_id.is_(None), Incoming.conversation_id.not_in(still)),
        ),
        "conversations": _piece(
            ctx, Conversation, Conversation.state != "open", Conversation.last_at < since,
            ~exists().where(Incoming.conversation_id == Conversation.id),
        ),
        "answers": _piece(ctx, Outgoing, Outgoing.made_at < since),
        "contacts": _piece(ctx, Contact, *_forgotten(since)),
    }  # fmt: skip
    _piece(ctx, Nonce, Nonce.heard_at < ctx.now() - _NONCES)
    if any(done.values()):
        ctx.record("purged", ctx.tenant.id, done)


def _forgotten(since: datetime) -> tuple[ColumnElement[bool], ...]:
    """Accounts that nothing is left of, and that belong to no case."""
    return (
        Contact.created_at < since,
        Contact.case_id.is_(None),
        ~exists().where(Conversation.contact_id == Contact.id),
        ~exists().where(Outgoing.contact_id == Contact.id),
    )


def _piece(ctx: TenantContext, table: Row, *conditions: ColumnElement[bool]) -> int:
    old = select(table.id).where(*conditions).order_by(table.id).limit(PIECE)
    gone = delete(table).where(table.id.in_(old)).returning(table.id)
    found = ctx.session.execute(gone.execution_options(synchronize_session=False))
    return len(found.all())
