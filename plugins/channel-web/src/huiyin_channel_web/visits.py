"""The complainant's visits to a case: opened with the code, short, and bound to that one case."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, Uuid, bindparam, delete, func, or_, select

from huiyin.sdk import Audience, Case, Entry, EntryKind, Ready, TenantContext, Throttle, sealed
from huiyin_channel_web.models import Reading, Visit

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=8)
TRIES: Final = Throttle("channel_web.track", 5, 15 * 60)  # firm and network
DIGITS: Final = 16
PURPOSE: Final = "channel_web.visit"
_TOUCH: Final = timedelta(minutes=1)


def digits_of(code: str) -> str:
    """The digits of a code as people type it: full-width, with blanks or dashes."""
    plain = unicodedata.normalize("NFKC", code)
    return "".join(c for c in plain if c.isascii() and c.isdigit())


def begin(ctx: TenantContext, case: Case) -> str:
    """Open a visit; answers the secret for the browser."""
    secret = secrets.token_urlsafe(32)
    moment = ctx.now()
    ctx.session.add(
        Visit(secret_hash=sealed(PURPOSE, secret), case_id=case.id, began_at=moment, seen_at=moment)
    )
    ctx.session.flush()
    return secret


def find(ctx: TenantContext, secret: str) -> Visit | None:
    """The visit of this browser, if it has not ended."""
    if not secret:
        return None
    moment = ctx.now()
    visit = ctx.session.scalar(
        select(Visit).where(
            Visit.secret_hash == sealed(PURPOSE, secret),
            Visit.seen_at > moment - IDLE,
            Visit.began_at > moment - LONGEST,
        )
    )
    if visit is not None and moment - visit.seen_at >= _TOUCH:
        visit.seen_at = moment
    return visit


def case_of(ctx: TenantContext, visit: Visit) -> Case | None:
    return ctx.session.scalar(select(Case).where(Case.id == visit.case_id))


def leave(ctx: TenantContext, visit: Visit) -> None:
    ctx.session.delete(visit)


def sweep(ctx: TenantContext) -> int:
    """Remove visits that have ended; answers how many."""
    moment = ctx.now()
    ended = or_(Visit.seen_at <= moment - IDLE, Visit.began_at <= moment - LONGEST)
    return len(ctx.session.scalars(delete(Visit).where(ended).returning(Visit.id)).all())


# -- how far they have read --------------------------------------------------------------------


def reading_of(ctx: TenantContext, case: Case) -> Reading | None:
    return ctx.session.scalar(select(Reading).where(Reading.case_id == case.id))


def has_read(ctx: TenantContext, case: Case, seq: int) -> None:
    """The complainant has opened the page and seen the talk up to this entry."""
    reading = reading_of(ctx, case)
    if reading is None:
        reading = Reading(case_id=case.id, seen_seq=0)
        ctx.session.add(reading)
    reading.last_at = ctx.now()
    reading.seen_seq = max(reading.seen_seq, seq)


def _attention() -> Select[Any]:
    case = bindparam("case", type_=Uuid)
    seen = select(Reading.seen_seq).where(Reading.case_id == case).scalar_subquery()
    unread = (
        select(func.count())
        .select_from(Entry)
        .where(
            Entry.case_id == case,
            Entry.audience == Audience.COMPLAINANT.value,
            or_(Entry.kind == EntryKind.MESSAGE_OUT.value, Entry.kind == EntryKind.MOVE.value),
            Entry.seq > func.coalesce(seen, 0),
        )
        .scalar_subquery()
    )
    last_at = select(Reading.last_at).where(Reading.case_id == case).scalar_subquery()
    return select(last_at.label("last_at"), unread.label("unread"))


_ATTENTION: Final = Ready(_attention())


def attention(ctx: TenantContext, case: Case) -> tuple[datetime | None, int]:
    """When the complainant last looked, and how many messages have not been on their screen."""
    found = _ATTENTION.run(ctx.session, case=case.id).one()
    return found.last_at, found.unread
