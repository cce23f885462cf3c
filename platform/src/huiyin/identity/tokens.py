"""API tokens: a member's own bearer secrets, narrower than the member, never wider.

A token acts as its maker and loses with them: roles taken away, a membership ended or an
account disabled bite on the next request.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Text, cast, func, or_, select, update

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Account, ApiToken, Membership
from huiyin.identity.sessions import TOUCH_AFTER, digest, known_roles
from huiyin.kit.errors import Invalid, NotFound, Refused
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import clean
from huiyin.kit.time import now

PREFIX: Final = "hy_"
LENGTH: Final = 46
LONGEST_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """One line of the list of tokens; the token itself is shown once, when made."""

    id: uuid.UUID
    account_id: uuid.UUID
    owner: str
    label: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def create_token(
    session: ScopedSession, actor: Actor, label: str, scopes: Iterable[str], days: int = 90
) -> str:
    """A bearer token that acts as its maker within ``scopes`` for 1 to 365 ``days``.

    Raises ``Refused`` to anything but a logged-in person, ``Invalid`` at ``label``,
    ``scopes`` or ``days``.
    """
    if not actor.is_person or actor.scopes is not None or actor.tenant_id != session.tenant:
        raise Refused(N_("接口令牌须由成员登录后创建"))
    chosen, called = frozenset(scopes), clean(label)
    if not called:
        raise Invalid({"label": N_("请填写令牌用途")})
    if not chosen:
        raise Invalid({"scopes": N_("请至少选择一项权限")})
    if not chosen <= actor.permissions:
        raise Invalid({"scopes": N_("只能选择本人已有的权限")})
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid({"days": Message(N_("有效期须为 1 至 {n} 天"), {"n": LONGEST_DAYS})})
    plain = PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(
            token_hash=digest(plain),
            account_id=actor.id,
            label=called,
            scopes=sorted(chosen),
            expires_at=now() + timedelta(days=days),
        )
    )
    session.flush()
    return plain


def resolve_token(session: ScopedSession, plain: str) -> Actor | None:
    """Who a bearer token acts as in this firm, in one query; None when it opens nothing."""
    if len(plain) != LENGTH or not plain.startswith(PREFIX) or not plain.isascii():
        return None
    row = session.execute(
        select(
            Membership.account_id,
            Membership.name,
            Membership.roles,
            Membership.department,
            ApiToken.scopes,
            # From here on the database knows the person too, at no further round trip.
            func.set_config("huiyin.actor", cast(Membership.account_id, Text), True),
        )
        .select_from(ApiToken)
        .join(Membership, Membership.account_id == ApiToken.account_id)
        .join(Account, Account.id == ApiToken.account_id)
        .where(
            ApiToken.token_hash == digest(plain),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now(),
            Membership.active,
            Account.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return Actor(
        row.account_id,
        session.tenant,
        row.name,
        known_roles(row.roles),
        row.department,
        scopes=frozenset(row.scopes),
    )


def note_use(session: ScopedSession, plain: str) -> None:
    """Remember when a token was last used, at most once a minute."""
    moment = now()
    session.execute(
        update(ApiToken)
        .where(
            ApiToken.token_hash == digest(plain),
            or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < moment - TOUCH_AFTER),
        )
        .values(last_used_at=moment)
        .execution_options(synchronize_session=False)
    )


def list_tokens(session: ScopedSession, actor: Actor) -> list[TokenEntry]:
    """The person's own tokens; those who manage the firm's tokens see everybody's."""
    statement = (
        select(
            ApiToken.id,
            ApiToken.account_id,
            Membership.name,
            ApiToken.label,
            ApiToken.scopes,
            ApiToken.created_at,
            ApiToken.expires_at,
            ApiToken.revoked_at,
            ApiToken.last_used_at,
        )
        .join(Membership, Membership.account_id == ApiToken.account_id)
        .order_by(ApiToken.created_at.desc(), ApiToken.id)
    )
    if not actor.can("admin.tokens"):
        statement = statement.where(ApiToken.account_id == actor.id)
    return [TokenEntry(*r[:4], frozenset(r.scopes), *r[5:]) for r in session.execute(statement)]


def revoke_token(session: ScopedSession, actor: Actor, token_id: uuid.UUID) -> None:
    """End a token at once: the person's own, or any by those who manage the firm's tokens.

    Raises ``NotFound`` for every other.
    """
    row = session.scalars(select(ApiToken).where(ApiToken.id == token_id)).one_or_none()
    if row is None or (row.account_id != actor.id and not actor.can("admin.tokens")):
        raise NotFound
    row.revoked_at = row.revoked_at or now()
    session.flush()
