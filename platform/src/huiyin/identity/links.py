"""The first password of an account, set by its holder through a link that opens once.

Whoever makes an account for somebody else never learns a password of theirs.  A new link is made
only by the firm that made the account, and only as long as no link of it was ever used.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, select, update

from huiyin.db import ScopedSession
from huiyin.identity import throttle
from huiyin.identity.actor import Actor
from huiyin.identity.errors import LinkSpent
from huiyin.identity.models import Account, PasswordLink
from huiyin.identity.passwords import hash_password
from huiyin.identity.service import check_password
from huiyin.identity.sessions import digest, revoke_all
from huiyin.kit.errors import NotFound
from huiyin.kit.time import now

LASTS: Final = timedelta(hours=72)


def issue(session: ScopedSession, actor: Actor, account_id: uuid.UUID) -> str:
    """A new link's token, 43 url-safe characters, the only copy; earlier ones end with it."""
    moment = now()
    session.execute(
        update(PasswordLink)
        .where(PasswordLink.account_id == account_id, PasswordLink.expires_at > moment)
        .values(expires_at=moment)
        .execution_options(synchronize_session=False)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        PasswordLink(
            account_id=account_id, token_hash=digest(token), created_by=actor.id,
            created_at=moment, expires_at=moment + LASTS,
        )
    )  # fmt: skip
    session.flush()
    return token


def renewable(session: ScopedSession, account_id: uuid.UUID) -> bool:
    """Whether the account was made in this firm and its holder has not set a password yet."""
    used = session.scalars(
        select(PasswordLink.used_at).where(PasswordLink.account_id == account_id)
    ).all()
    return bool(used) and not any(used)


def renew(session: ScopedSession, actor: Actor, account_id: uuid.UUID) -> str:
    """Another link in place of one that was lost.  Raises ``NotFound`` once one was used."""
    if not renewable(session, account_id):
        raise NotFound
    return issue(session, actor, account_id)


def usable(session: ScopedSession, token: str, *, lock: bool = False) -> PasswordLink:
    """The link of that token.  Raises ``LinkSpent``."""
    query = select(PasswordLink).where(
        PasswordLink.token_hash == digest(token[:200]),
        PasswordLink.used_at.is_(None),
        PasswordLink.expires_at > now(),
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    link = session.scalar(query)
    if link is None:
        raise LinkSpent
    return link


def set_password(
    session: ScopedSession, engine: Engine, token: str, new: str, ip: str, *, pepper: bytes
) -> PasswordLink:
    """Set the password and spend the link; the try counts whatever comes of it.

    Raises ``LinkSpent``, ``Throttled``, or ``Invalid`` at ``new``.
    """
    where = throttle.network(ip)
    throttle.count_attempt(engine, throttle.LINK, where, pepper=pepper)
    link = usable(session, token, lock=True)
    account = _account(session, link)
    check_password(new, account.email, field="new")
    account.password_hash = hash_password(new)
    link.used_at = now()
    revoke_all(session, link.account_id)
    session.flush()
    throttle.take_back(engine, throttle.LINK, where, pepper=pepper)
    return link


def _account(session: ScopedSession, link: PasswordLink) -> Account:
    account = session.scalar(
        select(Account).where(Account.id == link.account_id, Account.disabled_at.is_(None))
    )
    if account is None:
        raise LinkSpent
    return account
