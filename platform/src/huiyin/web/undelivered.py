"""A first link whose mail did not arrive: the administrator sees it, and hands over another."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import func, select

from huiyin.db import ScopedSession
from huiyin.identity.models import PasswordLink
from huiyin.ledger.models import LedgerEntry

NOT_DELIVERED: Final = "member.link_undelivered"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A mail with a first link that did not arrive; ``code`` is the server's, or 0 for none."""

    at: datetime
    code: int


def undelivered(session: ScopedSession, account_id: uuid.UUID) -> Undelivered | None:
    """What the ledger says of the newest link's mail, unless a link was made since."""
    entry = session.execute(
        select(LedgerEntry.at, LedgerEntry.doc)
        .where(LedgerEntry.object_id == account_id, LedgerEntry.kind == NOT_DELIVERED)
        .order_by(LedgerEntry.seq.desc())
        .limit(1)
    ).one_or_none()
    newest = session.scalar(
        select(func.max(PasswordLink.created_at)).where(PasswordLink.account_id == account_id)
    )
    if entry is None or (newest is not None and newest > entry.at):
        return None
    return Undelivered(entry.at, int(msgspec.json.decode(entry.doc)["facts"]["code"]))
