"""Whose account it is: known for certain, or not at all.

Certain is who sends the number and the code of a case, from whose chat a case was filed, or whom
an officer has made sure of.  A wrong code is answered like any other, and counted.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Final

from huiyin.sdk import N_, Case, Conflict, NotFound, TenantContext, by_code, now
from huiyin_channel_wecom import answering
from huiyin_channel_wecom.models import Contact, Incoming
from huiyin_channel_wecom.said import read

TRIES: Final = 5  # wrong codes of one account within a day; then none is looked at
_DAY: Final = timedelta(days=1)
_NUMBER: Final = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{1,10}-20\d\d-\d{4,6})(?!\d)", re.IGNORECASE)
_CODE: Final = re.compile(r"(?<!\d)\d{4}(?:[ -]?\d{4}){3}(?!\d)")
HIDDEN: Final = "****"
_CALLED: Final = re.compile(
    r"编号|查询码|案件|投诉|查询|我的|号码|number|code|case|complaint|tracking|my|and|is|[\W\d_]|[是为和]",
    re.IGNORECASE,
)
BESIDE: Final = 4  # letters beside number, code and what one calls them: somebody says something


def is_code(text: str) -> bool:
    """Whether a message gives the number and the code of a case."""
    return _parts(text) is not None


def _parts(text: str) -> tuple[str, str] | None:
    number = _NUMBER.search(text)
    code = _CODE.search(_NUMBER.sub(" ", text)) if number else None
    return (number[1].upper(), re.sub(r"\D", "", code[0])) if number and code else None


def answer(ctx: TenantContext, contact: Contact, row: Incoming, text: str) -> None:
    """Look at the code, and say in the chat whether it was right.  The code itself is not kept,
    what is written beside it is."""
    case = _tried(ctx, contact, text)
    row.raw = _without_code(row, text)
    row.raw_sha256 = hashlib.sha256(row.raw).hexdigest()
    if case is None:
        answering.ask(ctx, contact, "not_bound", key=f"code:{row.id}")
        return
    answering.ask(ctx, contact, "bound", key=f"code:{row.id}", case=case)
    bind(ctx, contact, case, "code")


def _without_code(row: Incoming, text: str) -> bytes:
    """The message with its codes hidden, and nothing of one that says no more than them."""
    bare = _NUMBER.sub(" ", text)
    if len(_CALLED.sub("", _CODE.sub("", bare))) < BESIDE:
        return b""
    raw = row.raw
    for code in _CODE.findall(bare):
        for written in (code.encode(), json.dumps(code)[1:-1].encode()):
            raw = raw.replace(written, HIDDEN.encode())
    left = read(row.source, raw)
    return raw if left is not None and not is_code(left.text) else b""


def _tried(ctx: TenantContext, contact: Contact, text: str) -> Case | None:
    if contact.tries_since is None or contact.tries_since < now() - _DAY:
        contact.tries, contact.tries_since = 0, now()
    parts = _parts(text)
    if parts is None or contact.tries >= TRIES:
        return None
    number, code = parts
    try:
        return by_code(ctx.session, code, number=number)
    except NotFound:
        contact.tries += 1
        return None


def bind(
    ctx: TenantContext, contact: Contact, case: Case, how: str, name: str = "", reason: str = ""
) -> None:
    """From now on what this account writes belongs to the case, and its answers go there."""
    contact.case_id, contact.bound_how = case.id, how
    contact.bound_at, contact.bound_name = now(), name
    contact.version += 1
    ctx.session.flush()
    said = {"reason": reason} if reason else {}
    ctx.record("bound", contact.id, {"case": case.id, "how": how}, said)


def unbind(ctx: TenantContext, contact: Contact) -> None:
    """It was a mistake, or another person uses the account by now."""
    if contact.case_id is None:
        raise Conflict(N_("这个账号没有关联投诉，请刷新页面"))
    facts = {"case": contact.case_id, "how": contact.bound_how}
    contact.case_id, contact.bound_how, contact.bound_at, contact.bound_name = None, "", None, ""
    contact.version += 1
    ctx.session.flush()
    ctx.record("unbound", contact.id, facts)
