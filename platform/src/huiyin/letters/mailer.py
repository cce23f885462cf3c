"""Sending a letter by SMTP: one message per letter, always under the same Message-ID.

``HUIYIN_SMTP_URL`` is ``smtp://user:password@host:port`` or ``smtps://…``; ``HUIYIN_MAIL_FROM``
the sender.  Without them letters are kept in the portal.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from huiyin.kit.time import SHANGHAI, now
from huiyin.letters.render import LetterDocument, render_text

TIMEOUT: Final = 20.0  # seconds for each step of the talk with the server
NO_ADDRESS: Final = 553
# All in ASCII: a relay that signs, and the servers after it, have nothing to convert.
POLICY: Final = SMTP.clone(cte_type="7bit")
_BEGINNING: Final = re.compile(r"^From ", re.MULTILINE)
_PORTS: Final = {"smtp": 587, "smtps": 465}


class UndeliverableNow(Exception):
    """The server could not be reached or said to come again; ``code`` is its number, or 0."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code


class Undeliverable(Exception):
    """The server refused this letter for good; ``code`` is its number."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class MailSettings:
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False  # from the first byte on

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]


def settings(environment: Mapping[str, str] | None = None) -> MailSettings | None:
    """How to send, or ``None`` when nobody said; raises ``ValueError`` for an unusable address."""
    env = os.environ if environment is None else environment
    url, sender = env.get("HUIYIN_SMTP_URL", ""), env.get("HUIYIN_MAIL_FROM", "")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("HUIYIN_SMTP_URL is smtp://user:password@host:port or smtps://…")
    if "@" not in sender:
        raise ValueError("HUIYIN_MAIL_FROM is the address letters come from")
    return MailSettings(
        host=parts.hostname, port=parts.port or _PORTS[parts.scheme], sender=sender,
        user=unquote(parts.username or ""), password=unquote(parts.password or ""),
        tls=parts.scheme == "smtps",
    )  # fmt: skip


def message_id(letter_id: uuid.UUID, domain: str) -> str:
    """The same for a letter whenever it is sent, so that a repetition is known as one."""
    return f"<letter.{letter_id.hex}@{domain}>"


def message(
    document: LetterDocument, pdf: bytes, *, letter_id: uuid.UUID, to: str,
    chosen: MailSettings, reply_to: str = "", automatic: bool = False,
) -> EmailMessage:  # fmt: skip
    """The letter as a mail: its words as text, and the released PDF.

    Raises ``Undeliverable`` for an address that is none.
    """
    mail = EmailMessage(policy=POLICY)
    mail["Message-ID"] = message_id(letter_id, chosen.domain)
    mail["Date"] = format_datetime(now().astimezone(SHANGHAI))
    mail["From"] = Address(document.firm_name, addr_spec=chosen.sender)
    try:
        mail["To"] = Address(addr_spec=to)
    except (ValueError, IndexError, MessageError):
        raise Undeliverable(NO_ADDRESS) from None
    mail["Subject"] = f"{document.title} {document.case_number}"
    if "@" in reply_to:
        mail["Reply-To"] = Address(addr_spec=reply_to)
    if automatic:
        mail["Auto-Submitted"] = "auto-generated"
    put_words(mail, render_text(document))
    mail.add_attachment(
        pdf, maintype="application", subtype="pdf", filename=f"{document.number}.pdf"
    )
    return mail


def put_words(mail: EmailMessage, text: str) -> None:
    """The words of a mail; where a line could be taken for the beginning of another, encoded."""
    mail.set_content(text, cte="base64" if _BEGINNING.search(text) else None)


def send(chosen: MailSettings, mail: EmailMessage, *, returns: str = "") -> None:
    """Hand one message over; raises ``Undeliverable`` or ``UndeliverableNow``.

    ``returns`` is where reports about it go, the sender's address if not said.
    """
    try:
        with _connect(chosen) as server:
            _secure(server, chosen)
            server.send_message(mail, from_addr=returns or None)
    except smtplib.SMTPRecipientsRefused as refused:
        code = max((code for code, _ in refused.recipients.values()), default=0)
        raise _failure(code) from None
    except smtplib.SMTPAuthenticationError as refused:  # the installation's fault, not the letter's
        raise UndeliverableNow(refused.smtp_code) from None
    except smtplib.SMTPResponseException as refused:
        raise _failure(refused.smtp_code) from None
    except (OSError, smtplib.SMTPException):
        raise UndeliverableNow from None


def _failure(code: int) -> Exception:
    return Undeliverable(code) if code >= 500 else UndeliverableNow(code)


def _connect(chosen: MailSettings) -> smtplib.SMTP:
    if chosen.tls:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(chosen.host, chosen.port, timeout=TIMEOUT, context=context)
    return smtplib.SMTP(chosen.host, chosen.port, timeout=TIMEOUT)


def _secure(server: smtplib.SMTP, chosen: MailSettings) -> None:
    """Encrypt where the server can; a password never leaves this machine in the clear."""
    server.ehlo()
    if not chosen.tls and (server.has_extn("starttls") or (chosen.user and not _here(chosen))):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    if chosen.user:
        server.login(chosen.user, chosen.password)


def _here(chosen: MailSettings) -> bool:
    try:
        return ip_address(chosen.host).is_loopback
    except ValueError:
        return chosen.host == "localhost"
