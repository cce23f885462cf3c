"""What returns by itself: the register is completed, and ends of authorities are announced."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from huiyin.sdk import (
    N_,
    Case,
    Event,
    GiveUp,
    Mail,
    NotFound,
    TenantContext,
    Undeliverable,
    can_mail,
    mail_address,
    public_link,
    send_mail,
)
from huiyin_channel_referral import agents, register

TEND: Final = "tend"
REMIND: Final = "mail_expiry"
FILED: Final = "case.filed"
RECEIVED: Final = "case.transfer_received"
ANSWERED: Final = "case.transfer_answered"
EXTENDED: Final = "case.transfer_extended"
LISTENS: Final = (FILED, RECEIVED, ANSWERED, EXTENDED)


def hear(ctx: TenantContext, event: Event) -> None:
    """What is registered or answered on the case's own page stands in the register too."""
    case = ctx.session.get(Case, (ctx.tenant.id, event.object_id))
    if case is None:
        return
    register.adopt(ctx, case)
    if event.kind == ANSWERED:
        register.answered_elsewhere(ctx, case)
    if event.kind == EXTENDED:
        register.follow_dates(ctx, case)


def tend(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Complete the register, let targets follow the calendar, and announce what ends soon."""
    register.adopt_all(ctx)
    register.refresh_targets(ctx)
    for line in agents.to_remind(ctx):
        line.row.reminded = True
        ctx.session.flush()
        if can_mail() and line.case.owner_id:
            about = {"agent": str(line.row.id), "to": str(line.case.owner_id)}
            ctx.enqueue(REMIND, about, key=str(line.row.id), object_id=line.row.id)
        until = str(line.row.valid_until)
        ctx.record("expiry_announced", line.row.id, {"case": line.case.number, "until": until})


def mail_expiry(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """To whoever has the case: an authority ends; no name and no word of the matter."""
    try:
        key, to = uuid.UUID(str(payload["agent"])), uuid.UUID(str(payload["to"]))
        line = agents.find(ctx, key)
    except (KeyError, ValueError, NotFound):
        raise GiveUp from None
    address = mail_address(ctx.session, to)
    if not address or line.row.state != "verified":
        return
    site = public_link(ctx.tenant, "").rpartition("/p/")[0]
    link = f"{site}/t/{ctx.tenant.slug}/w/x/channel-referral/agents/{key}"
    text = ctx.text(
        N_("一份代理授权将于 {day} 到期，请联系代理人补交：{link}"),
        day=str(line.row.valid_until), link=link,
    )  # fmt: skip
    mail = Mail(id=key, to=address, subject=ctx.text(N_("代理授权即将到期")), text=text)
    try:
        send_mail(ctx, mail)
    except Undeliverable as refused:
        ctx.log.warning("mail about %s refused: %s", key, refused.code)
