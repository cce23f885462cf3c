"""Sending one answer: at most once where the provider cannot tell a repetition.

Before the provider is asked, ``sending`` is committed by itself.  A try that finds it knows that
another died in between: 微信客服 is asked again under the same id, 公众号 is not, and the answer is
shown as unsure.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import (
    Case,
    Entry,
    GiveUp,
    TenantContext,
    apart,
    failpoint,
    now,
    public_link,
    tracking_code,
)
from huiyin_channel_wecom import answering, client, tokens
from huiyin_channel_wecom.client import Trouble, Why
from huiyin_channel_wecom.models import Contact, Outgoing
from huiyin_channel_wecom.roads import MP, OVER, Account, account_of
from huiyin_channel_wecom.wording import HERE, LONGER, WORDS

BYTES: Final = 2048  # of one text, as both providers document it
AGAIN: Final = timedelta(minutes=1)  # until a provider that is busy is asked again; then two, four
LONGEST: Final = timedelta(hours=4)
TRIES: Final = 12


def send(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """The job: send it, or say on its row why not."""
    row = ctx.session.get(Outgoing, (ctx.session.tenant, uuid.UUID(str(payload["outgoing"]))))
    if row is None:
        raise GiveUp
    contact = ctx.session.get_one(Contact, (ctx.session.tenant, row.contact_id))
    account = account_of(ctx, OVER[contact.road])
    if row.state not in {"queued", "sending"}:
        return
    if account is None:
        _end(row, "failed")
    elif row.state == "sending" and account.road == MP:
        _end(row, "unsure")
    elif answering.closed(contact):
        _end(row, "closed")
    else:
        _try(ctx, row, contact, account, int(payload.get("try", 1)))


def _try(ctx: TenantContext, row: Outgoing, contact: Contact, account: Account, tried: int) -> None:
    text = words(ctx, row)
    try:
        token = tokens.of(ctx, account)
    except Trouble as trouble:
        _later(ctx, row, trouble, tried)
        return
    _begin(ctx, row)
    failpoint("wecom.before_send")
    try:
        _say(ctx, row, contact, account, token, text)
    except Trouble as trouble:
        if trouble.why is Why.BUSY or (trouble.why is Why.UNSURE and account.road != MP):
            _later(ctx, row, trouble, tried)
        else:
            ends = {Why.UNSURE: "unsure", Why.CLOSED: "closed"}
            _end(row, ends.get(trouble.why, "failed"), trouble.code)
        return
    failpoint("wecom.after_send")
    ctx.session.refresh(contact, with_for_update=True)
    contact.sent_since += 1
    _end(row, "sent")
    row.sent_at = now()


def _say(
    ctx: TenantContext, row: Outgoing, contact: Contact, account: Account, token: str, text: str
) -> None:
    try:
        _post(row, contact, account, token, text)
    except Trouble as trouble:
        if trouble.why is not Why.TOKEN:
            raise
        _post(row, contact, account, tokens.another(ctx, account, token), text)


def _post(row: Outgoing, contact: Contact, account: Account, token: str, text: str) -> None:
    if account.road == MP:
        client.send_mp(token, contact.external_id, text)
    else:
        client.send_kf(token, contact.account, contact.external_id, text, row.id.hex)


def _later(ctx: TenantContext, row: Outgoing, trouble: Trouble, tried: int) -> None:
    """Nothing was done, or the provider will know it again: once more, in a while."""
    if tried >= TRIES:
        _end(row, "failed", trouble.code)
        return
    row.state, row.code = "queued", trouble.code
    due = ctx.now() + min(AGAIN * 2 ** (tried - 1), LONGEST)
    again = {"outgoing": row.id, "try": tried + 1}
    ctx.enqueue(answering.SEND, again, key=f"{row.id}:{tried + 1}", due_at=due)


def _end(row: Outgoing, state: str, code: int = 0) -> None:
    row.state, row.code = state, code


def _begin(ctx: TenantContext, row: Outgoing) -> None:
    """Commit ``sending`` by itself.  The job's own transaction has not touched the row yet."""
    with apart(ctx) as own:
        found = own.session.scalars(select(Outgoing).where(Outgoing.id == row.id)).one()
        found.state = "sending"
    ctx.session.refresh(row)


# -- words -------------------------------------------------------------------------------------


def words(ctx: TenantContext, row: Outgoing) -> str:
    """What it says, in the length that the provider takes."""
    case = ctx.session.get(Case, (ctx.session.tenant, row.case_id)) if row.case_id else None
    link = public_link(ctx.tenant, "track")
    if row.what == "message":
        entry = ctx.session.get(Entry, (ctx.session.tenant, row.entry_id)) if row.entry_id else None
        if entry is None:
            raise GiveUp
        return fitted(entry.body, ctx.text(LONGER, link=link))
    said = {"number": case.number if case else "", "link": link}
    if case is None or row.what != "filed_code":
        return ctx.text(WORDS[row.what], **said)
    said["code"] = tracking_code(ctx.tenant.id, case.id)
    return f"{ctx.text(WORDS[row.what], **said)}\n{ctx.text(HERE)}"


def fitted(text: str, more: str) -> str:
    """The text, or its beginning and where the rest is."""
    if len(text.encode()) <= BYTES:
        return text
    room = BYTES - len(more.encode())
    return text.encode()[:room].decode("utf-8", "ignore") + more
