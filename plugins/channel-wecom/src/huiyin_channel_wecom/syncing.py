"""Asking 微信客服 for what was written: page by page, each kept together with how far we are.

A callback only says that there is something.  One that was lost is made good by a look every
quarter of an hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import Retry, TenantContext, now, uuid7
from huiyin_channel_wecom import client, gathering, keeping, tokens
from huiyin_channel_wecom.client import Page, Trouble, Why
from huiyin_channel_wecom.models import Desk
from huiyin_channel_wecom.roads import WECOM, Account, account_of

LOOK: Final = "look"
AGAIN: Final = 60  # seconds


def sync(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """The job: one page of one account; the next page is another job."""
    chosen = account_of(ctx, WECOM)
    if chosen is None:
        return
    row = _locked(ctx, str(payload["account"]))
    try:
        page = _page(ctx, chosen, row, str(payload.get("hint", "")))
    except Trouble as trouble:
        if trouble.why is not Why.REFUSED:
            raise Retry(AGAIN) from None
        row.error = trouble.code or -1  # a person must look at it; the health card shows it
        return
    row.error = 0
    for message in page.messages:
        if message_id := str(message.get("msgid", ""))[:100]:
            keeping.keep(ctx, "kf", message_id, json.dumps(message).encode())
    moved = page.cursor and page.cursor != row.cursor
    row.read_at = now()
    if moved:
        row.cursor = page.cursor
    if page.more and moved:
        ctx.enqueue(gathering.SYNC, payload, key=f"{row.account}:{page.cursor[:200]}")


def _page(ctx: TenantContext, chosen: Account, row: Desk, hint: str) -> Page:
    token = tokens.of(ctx, chosen)
    try:
        return client.sync_messages(token, row.account, row.cursor, hint)
    except Trouble as trouble:
        if trouble.why is not Why.TOKEN:
            raise
    token = tokens.another(ctx, chosen, token)
    return client.sync_messages(token, row.account, row.cursor, hint)


def _locked(ctx: TenantContext, account: str) -> Desk:
    """How far this account was read; nobody else reads it meanwhile."""
    ctx.session.execute(
        insert(Desk)
        .values(tenant_id=ctx.session.tenant, id=uuid7(), account=account[:200], cursor="", error=0)
        .on_conflict_do_nothing(index_elements=["tenant_id", "account"])
    )
    return ctx.session.scalars(
        select(Desk).where(Desk.account == account[:200]).with_for_update()
    ).one()  # fmt: skip


def look(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Ask for every account that we know of, whether a callback came or not."""
    if account_of(ctx, WECOM) is None:
        return
    for account in ctx.session.scalars(select(Desk.account).order_by(Desk.account)):
        ctx.enqueue(gathering.SYNC, {"account": account})
