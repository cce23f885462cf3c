"""Whether a person wrote a mail, or a machine answers by itself.

What the headers of RFC 3834, RFC 3464 and common servers say, as tables.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import Any, Final

from huiyin_channel_email.decoding import Faults, header_text

_AUTOMATIC_HEADERS: Final = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-mail-autoreply")
_AUTOMATIC_PRECEDENCE: Final = frozenset({"auto_reply", "auto-reply"})
_BULK_PRECEDENCE: Final = frozenset({"bulk", "list", "junk"})
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"^\s*(自动回复|自动答复|自動回覆|休假自动回复|外出自动回复|automatic reply"
    r"|auto[- ]?reply|out of office|autoreply|abwesenheit)",
    re.IGNORECASE,
)
_SPAM: Final = (("x-spam-flag", "yes"), ("x-spam", "yes"), ("x-spam-status", "yes"))
_SERVERS: Final = re.compile(r"^(mailer-daemon|postmaster|mail-daemon)@", re.IGNORECASE)
_OUR_ID: Final = re.compile(r"<?([a-z0-9-]{1,60}\.[0-9a-f]{32}@[^\s<>]{1,190})>?")
_STATUS: Final = re.compile(r"\b([45]\.\d{1,3}\.\d{1,3})\b")


def _first(message: Message, name: str) -> str:
    found = [str(value) for key, value in message.raw_items() if key.lower() == name]
    return found[0].strip() if found else ""


def nature_of(message: Message, text: str, faults: Faults) -> str:
    """``message``, ``automatic``, ``bulk``, ``spam`` or ``bounce``."""
    if report_of(message, text) is not None:
        return "bounce"
    submitted = _first(message, "auto-submitted").lower()
    precedence = _first(message, "precedence").lower()
    subject = header_text(_first(message, "subject")[:500], faults)
    if (
        (submitted and not submitted.startswith("no"))
        or any(_first(message, name) for name in _AUTOMATIC_HEADERS)
        or precedence in _AUTOMATIC_PRECEDENCE
        or _AUTOMATIC_SUBJECT.match(subject)
        or _first(message, "return-path").replace(" ", "") == "<>"
    ):
        return "automatic"
    if precedence in _BULK_PRECEDENCE or _first(message, "list-id"):
        return "bulk"
    if any(_first(message, name).lower().startswith(yes) for name, yes in _SPAM):
        return "spam"
    return "message"


def report_of(message: Message, text: str) -> dict[str, Any] | None:
    """What a server reports about a mail of ours, if this is a report."""
    status = next(
        (p for p in message.walk() if p.get_content_type() == "message/delivery-status"), None
    )
    if status is not None:
        return _standard(message, status)
    sender = _first(message, "from").partition("<")[2].strip(">") or _first(message, "from")
    found = _OUR_ID.search(text)
    if _SERVERS.match(sender.strip()) and found:
        code = _STATUS.search(text)
        return {"original_id": f"<{found[1]}>", "recipient": "", "action": "failed",
                "status": code[1] if code else ""}  # fmt: skip
    return None


def _standard(message: Message, status: Message) -> dict[str, Any]:
    """RFC 3464: fields by recipient, and the mail that came back or its headers."""
    fields: dict[str, str] = {}
    blocks = status.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        for key, value in block.raw_items() if isinstance(block, Message) else []:
            fields.setdefault(key.lower(), str(value).strip()[:500])
    original = ""
    for part in message.walk():
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            original = original or _returned_id(part)
    recipient = fields.get("final-recipient", "").partition(";")[2].strip()
    return {
        "original_id": original or fields.get("original-message-id", ""),
        "recipient": recipient[:320],
        "action": fields.get("action", "").lower().split(" ")[0],
        "status": fields.get("status", "").split(" ")[0][:20],
    }


def _returned_id(part: Message) -> str:
    if part.is_multipart():
        inner = part.get_payload(0)
        return _first(inner, "message-id") if isinstance(inner, Message) else ""
    data = part.get_payload(decode=True)
    text = data.decode("ascii", "replace") if isinstance(data, bytes) else ""
    found = re.search(r"^message-id:\s*(<[^<>\s]+>)", text, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""
