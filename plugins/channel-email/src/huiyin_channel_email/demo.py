"""Some mail for a made-up firm, taken in as any mail is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import Case, CaseState, Investor, Raw, TenantContext, receive
from huiyin_channel_email.intake import CHANNEL

PDF: Final = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n"
)


def fill(ctx: TenantContext) -> None:
    """Mail of strangers and machines, and of one person who has a complaint already."""
    text = files("huiyin_channel_email").joinpath("demo_data.toml").read_text(encoding="utf-8")
    for number, mail in enumerate(tomllib.loads(text)["mails"], start=1):
        if sender := mail["sender"] or _known(ctx):
            _take(ctx, number, sender, mail)


def _known(ctx: TenantContext) -> str:
    """Somebody whose complaint is open, ``""`` if there is nobody."""
    found = ctx.session.scalar(
        select(Investor)
        .join(Case, Case.complainant_id == Investor.id)
        .where(Case.state == CaseState.OPEN.value, Investor.email != "")
        .order_by(Case.received_at.desc(), Case.id)
        .limit(1)
    )
    return formataddr((found.name, found.email)) if found else ""


def _take(ctx: TenantContext, number: int, sender: str, told: Mapping[str, Any]) -> None:
    came = ctx.now() - timedelta(hours=told["hours"])
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, ctx.tenant.mailbox, told["subject"]
    mail["Message-ID"], mail["Date"] = f"<demo-{number}@example.com>", format_datetime(came)
    for name, value in told.get("headers", {}).items():
        mail[name] = value
    mail.set_content(told["words"].strip())
    if told.get("file"):
        mail.add_attachment(PDF, maintype="application", subtype="pdf", filename="二季度报告.pdf")
    raw = Raw(channel=CHANNEL, data=mail.as_bytes(), key=f"demo-{number}", received_at=came)
    receive(ctx, raw)
