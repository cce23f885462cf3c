"""Mails of plugins: one message under one Message-ID, however often its job is tried."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from huiyin.kit.time import SHANGHAI, now
from huiyin.letters.mailer import (
    POLICY,
    MailSettings,
    Undeliverable,
    UndeliverableNow,
    put_words,
    send,
    settings,
)
from huiyin.letters.replies import returns_to
from huiyin.plugins.context import TenantContext
from huiyin.queue.registry import Retry
from huiyin.tenancy.models import Tenant

NO_ADDRESS: Final = 553
_ID: Final = re.compile(r"<[!-;=?-~]{3,250}>")  # printable ASCII, so that it folds no header
LATER: Final = 300  # seconds until a server that is busy is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail; ``media_type`` such as ``text/calendar``."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail in plain text.  ``id`` makes its Message-ID: the same mail, the same id.

    ``answers`` is the Message-ID it answers; ``reply_to`` where answers go, if not to the firm's
    mailbox; ``by_person`` says that somebody wrote it, not a machine.
    """

    id: uuid.UUID
    to: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    answers: str = ""
    reply_to: str = ""
    by_person: bool = False


def can_mail() -> bool:
    """Whether this installation sends mail at all; without, show the link and print it."""
    return settings() is not None


def send_mail(ctx: TenantContext, mail: Mail) -> None:
    """Hand a mail to the server; for jobs, which are tried again, never for pages.

    Raises ``Undeliverable`` (``code``) when it is refused for good or nobody can send, and
    ``Retry`` when the server is away or busy.
    """
    chosen = settings()
    if chosen is None:
        raise Undeliverable(0)
    try:
        send(chosen, _message(ctx, mail, chosen), returns=returns_to(ctx.tenant.slug))
    except UndeliverableNow:
        raise Retry(LATER) from None


def _message(ctx: TenantContext, mail: Mail, chosen: MailSettings) -> EmailMessage:
    message = EmailMessage(policy=POLICY)
    message["Message-ID"] = f"<{ctx.slug}.{mail.id.hex}@{chosen.domain}>"
    message["Date"] = format_datetime(now().astimezone(SHANGHAI))
    message["From"] = Address(ctx.tenant.name, addr_spec=chosen.sender)
    try:
        message["To"] = Address(addr_spec=mail.to)
    except (ValueError, IndexError, MessageError):
        raise Undeliverable(NO_ADDRESS) from None
    message["Subject"] = " ".join(mail.subject.split())
    reply_to = mail.reply_to or ctx.tenant.mailbox
    if "@" in reply_to:
        message["Reply-To"] = Address(addr_spec=reply_to)
    if _ID.fullmatch(mail.answers):
        message["In-Reply-To"] = message["References"] = mail.answers
    if not mail.by_person:
        message["Auto-Submitted"] = "auto-replied" if mail.answers else "auto-generated"
    put_words(message, mail.text)
    for file in mail.attachments:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return message


def public_link(tenant: Tenant, path: str) -> str:
    """The whole address of a public page of the firm, for mails and QR codes.

    ``path`` stands below ``/p/{tenant}``.  It begins with ``HUIYIN_PUBLIC_URL``, or, on a laptop,
    with the port the site listens on.
    """
    base = os.environ.get("HUIYIN_PUBLIC_URL", "").rstrip("/")
    return f"{base or _here()}/p/{tenant.slug}/{path.lstrip('/')}"


def _here() -> str:
    return f"http://127.0.0.1:{os.environ.get('HUIYIN_PORT') or '8000'}"
