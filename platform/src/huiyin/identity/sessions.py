"""Logged-in browsers.  The cookie carries 256 random bits; the table keeps only their hash.

An id is never taken from the browser: log-in always makes a new one, so that an id planted
beforehand opens nothing.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    CursorResult,
    DateTime,
    LargeBinary,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.sql import ColumnElement

from huiyin.db import Ready, ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Account, LoginSession, Membership
from huiyin.identity.policy import Role
from huiyin.kit.errors import NotFound
from huiyin.kit.text import clean
from huiyin.kit.time import now as clock

COOKIE_IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)
TOUCH_AFTER: Final = timedelta(seconds=60)  # one write a minute at most, not one a page
_SKEW: Final = timedelta(minutes=5)  # between nodes; a clock set back revives nobody
_TOKEN_LENGTH: Final = 43
_AGENT_LENGTH: Final = 80
# Named one by one: no page ever needs the hash of a password.
_WHO: Final = (
    Account.id,
    Account.name,
    Account.email,
    Account.language,
    Account.theme,
    LoginSession.id.label("row_id"),
    LoginSession.seen_at,
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's active place in the firm of the session."""

    name: str
    roles: frozenset[Role]
    department: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whose browser this is; ``membership`` is None on the platform and for strangers."""

    account_id: uuid.UUID
    account_name: str
    email: str
    language: str
    theme: str
    session_row_id: uuid.UUID
    session_hash: bytes
    seen_at: datetime
    membership: Seat | None = None

    def actor(self, tenant_id: uuid.UUID) -> Actor | None:
        """The person as a member of the firm, or None."""
        seat = self.membership
        if seat is None:
            return None
        return Actor(self.account_id, tenant_id, seat.name, seat.roles, seat.department)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """One line of a person's own list of logged-in browsers."""

    id: uuid.UUID
    agent: str
    created_at: datetime
    seen_at: datetime


def digest(token: str) -> bytes:
    """What is stored: a plain hash is enough for 256 random bits."""
    return sha256(token.encode()).digest()


def known_roles(values: Iterable[str]) -> frozenset[Role]:
    """Stored role names as roles; a name the policy no longer has grants nothing."""
    names = {role.value: role for role in Role}
    return frozenset(names[value] for value in values if value in names)


def open_session(session: ScopedSession, account: Account, agent: str, now: datetime) -> str:
    """Log a browser in and answer the only copy of its id, 43 url-safe characters."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            id_hash=digest(token),
            account_id=account.id,
            created_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE,
            agent=clean(agent)[:_AGENT_LENGTH],
        )
    )
    session.flush()
    return token


def rotate(
    session: ScopedSession, token: str | None, account: Account, agent: str, now: datetime
) -> str:
    """A new id for the same browser; the old one, if it was any, opens nothing afterwards."""
    if token:
        revoke(session, token)
    return open_session(session, account, agent, now)


def _alive(moment: Any, idle: Any, skew: Any) -> ColumnElement[bool]:
    return and_(
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > moment,
        LoginSession.seen_at > idle,
        LoginSession.seen_at <= skew,
    )


def _bind(name: str) -> Any:
    return bindparam(name, type_=DateTime(timezone=True))


@cache
def _whose(in_firm: bool) -> Ready:
    """The one query behind every page, put together once."""
    statement: Select[*tuple[Any, ...]] = (
        select(*_WHO)
        .select_from(LoginSession)
        .join(Account, Account.id == LoginSession.account_id)
        .where(
            LoginSession.id_hash == bindparam("known", type_=LargeBinary),
            _alive(_bind("now"), _bind("idle"), _bind("skew")),
            Account.disabled_at.is_(None),
        )
    )
    if not in_firm:
        return Ready(statement)
    return Ready(
        statement.outerjoin(
            Membership, and_(Membership.account_id == Account.id, Membership.active)
        ).add_columns(
            Membership.name.label("seat"),
            Membership.roles,
            Membership.department,
            # From here on the database knows the person too, at no further round trip.
            func.set_config("huiyin.actor", cast(Account.id, Text), True),
        )
    )


def resolve(session: ScopedSession, token: str) -> Resolved | None:
    """Whose id this is, in one query; None when unknown, idle, expired, revoked or disabled.

    On a firm's session the person's active membership of that firm comes along.
    """
    if len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    known, moment = digest(token), clock()
    row = (
        _whose(session.tenant_id is not None)
        .run(session, known=known, now=moment, idle=moment - COOKIE_IDLE, skew=moment + _SKEW)
        .one_or_none()
    )
    if row is None:
        return None
    seat = None
    if session.tenant_id is not None and row.seat is not None:
        seat = Seat(row.seat, known_roles(row.roles), row.department)
    return Resolved(
        row.id, row.name, row.email, row.language, row.theme, row.row_id, known, row.seen_at, seat
    )


def touch(session: ScopedSession, resolved: Resolved) -> bool:
    """Note that the browser is in use; answers whether anything had to be written."""
    moment = clock()
    if moment - resolved.seen_at <= TOUCH_AFTER:
        return False
    return (
        _change(
            session,
            LoginSession.id == resolved.session_row_id,
            LoginSession.revoked_at.is_(None),
            seen_at=moment,
        )
        == 1
    )


def revoke(session: ScopedSession, token: str) -> None:
    """Log this browser out; an id that is not one is no error."""
    _change(
        session,
        LoginSession.id_hash == digest(token),
        LoginSession.revoked_at.is_(None),
        revoked_at=clock(),
    )


def revoke_all(session: ScopedSession, account_id: uuid.UUID) -> int:
    """Log a person out everywhere; answers from how many browsers."""
    return _change(
        session,
        LoginSession.account_id == account_id,
        LoginSession.revoked_at.is_(None),
        revoked_at=clock(),
    )


def revoke_one(session: ScopedSession, account_id: uuid.UUID, row_id: uuid.UUID) -> None:
    """Log out one browser of the person's own list.  Raises ``NotFound`` for any other."""
    changed = _change(
        session,
        LoginSession.id == row_id,
        LoginSession.account_id == account_id,
        LoginSession.revoked_at.is_(None),
        revoked_at=clock(),
    )
    if changed != 1:
        raise NotFound


def list_sessions(session: ScopedSession, account_id: uuid.UUID) -> list[LiveSession]:
    """Where a person is logged in at this moment, the latest use first."""
    moment = clock()
    alive = _alive(moment, moment - COOKIE_IDLE, moment + _SKEW)
    rows = session.execute(
        select(LoginSession.id, LoginSession.agent, LoginSession.created_at, LoginSession.seen_at)
        .where(LoginSession.account_id == account_id, alive)
        .order_by(LoginSession.seen_at.desc(), LoginSession.id)
    )
    return [LiveSession(*row) for row in rows]


def _change(session: ScopedSession, *which: ColumnElement[bool], **values: datetime) -> int:
    result = session.execute(
        update(LoginSession)
        .where(*which)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0
