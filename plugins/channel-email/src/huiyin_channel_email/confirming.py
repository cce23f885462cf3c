"""A word to whoever wrote: that it came, and where it is.

A new case has its 收到告知书 from the platform; this is for what was added to a case, and for what
somebody still has to recognise.  Machines are never answered, and nobody more than a few times
a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from huiyin.sdk import (
    N_,
    Event,
    Mail,
    TenantContext,
    Undeliverable,
    arrival_of,
    arrivals_from,
    can_mail,
    now,
    send_mail,
)
from huiyin_channel_email import messages
from huiyin_channel_email.intake import CHANNEL
from huiyin_channel_email.settings import ChannelEmailSettings

SETTLED: Final = "arrival.settled"
CONFIRM: Final = "confirm"
MOST: Final = 3  # answers to one address within a day
_DAY: Final = timedelta(days=1)
# What is never answered by itself, whatever the settings.
_SILENT: Final = frozenset({"spam", "unreadable", "several_senders", "member", "unverified"})
JOINED: Final = N_("您的来信已经收到，并已归入投诉 {number}，经办人会看到。")
WAITING: Final = N_("您的来信已经收到，正在登记。如需核对身份或事项，我们会与您联系。")
HELLO: Final = N_("您好：")
FOOT: Final = N_("这是自动确认，直接回复本邮件即可继续补充。")
SUBJECT: Final = N_("已收到您的来信")


def settled(ctx: TenantContext, event: Event) -> None:
    """Ask for a confirmation where one is due."""
    said = event.payload
    if said.get("channel") != CHANNEL or said.get("state") not in {"joined", "waiting"}:
        return
    if said.get("reason") in _SILENT or said.get("reason") == "decided":
        return
    if ctx.settings(ChannelEmailSettings).confirm and can_mail():
        asked = {"arrival": str(event.object_id), "state": said["state"]}
        ctx.enqueue(CONFIRM, asked, key=str(event.object_id))


def confirm(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Send it, unless this address has had enough for today.

    What a person has decided meanwhile is that person's to answer: it may stand in a case that
    is not the sender's.
    """
    arrival = arrival_of(ctx, str(payload["arrival"]))
    if arrival is None or not arrival.sender_address or arrival.state != payload["state"]:
        return
    if arrivals_from(ctx, arrival.sender_address, since=now() - _DAY) > MOST:
        return
    said = ctx.text(JOINED if arrival.case_number else WAITING, number=arrival.case_number)
    text = "\n\n".join([ctx.text(HELLO), said, ctx.text(FOOT), messages.signed(ctx)])
    mail = Mail(
        id=arrival.id, to=arrival.sender_address, subject=ctx.text(SUBJECT), text=text,
        answers=arrival.message_id, reply_to=arrival.reply_to,
    )  # fmt: skip
    try:
        send_mail(ctx, mail)
    except Undeliverable as fault:
        ctx.log.info("confirmation of %s not deliverable: %s", arrival.id, fault.code)
