"""The access token: one for each road and firm, kept in the database, fetched by one node."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import TenantContext, apart, now, uuid7
from huiyin_channel_wecom import client
from huiyin_channel_wecom.models import Token
from huiyin_channel_wecom.roads import Account

SPARE: Final = timedelta(minutes=5)  # a token is given up before the provider does
_NAME: Final = "access_token"


def of(ctx: TenantContext, account: Account) -> str:
    """A token that is good for some minutes.  Raises ``client.Trouble``."""
    known = _good(ctx, account)
    return known or _fetched(ctx, account, "")


def another(ctx: TenantContext, account: Account, bad: str) -> str:
    """A token in place of one that the provider no longer takes, unless somebody has one by now."""
    return _fetched(ctx, account, bad)


def _good(ctx: TenantContext, account: Account) -> str:
    found = ctx.session.execute(
        select(Token.sealed, Token.good_until).where(Token.road == account.road)
    ).one_or_none()
    if found is None or not found.good_until or found.good_until <= now() + SPARE:
        return ""
    return ctx.unseal(_place(account), found.sealed)


def _fetched(ctx: TenantContext, account: Account, bad: str) -> str:
    """Whoever comes second waits for the first, and takes what that one has brought.

    In a transaction of its own: the token stands whatever becomes of the work it was fetched for.
    """
    with apart(ctx) as own:
        row = _locked(own, account.road)
        known = _good(own, account)
        if known and known != bad:
            return known
        try:
            token, seconds = client.get_token(account)
        except client.Trouble as trouble:
            row.error, row.error_at = trouble.code or -1, now()
            failed = trouble
        else:
            row.sealed = own.seal(_place(account), token)
            row.good_until, row.error, row.error_at = now() + timedelta(seconds=seconds), 0, None
            return token
    raise failed


def _locked(ctx: TenantContext, road: str) -> Token:
    ctx.session.execute(
        insert(Token)
        .values(
            tenant_id=ctx.session.tenant, id=uuid7(), road=road, sealed="", good_until=None, error=0
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "road"])
    )
    return ctx.session.scalars(
        select(Token).where(Token.road == road).with_for_update()
    ).one()  # fmt: skip


def _place(account: Account) -> str:
    """A token opens for the account it was given to: another AppID begins with none."""
    return f"{_NAME}:{account.road}:{account.id}"
