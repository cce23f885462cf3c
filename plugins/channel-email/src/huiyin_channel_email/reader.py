"""A mail read: who, about what, which words are new, what is attached, and who really wrote it.

This runs in a confined process and knows nothing of the platform: bytes in, a ``dict`` in the
shape of ``huiyin.sdk.Reading`` out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from huiyin_channel_email import limits, quoting
from huiyin_channel_email.decoding import Faults, header_text, one_line
from huiyin_channel_email.natures import nature_of, report_of
from huiyin_channel_email.parts import Bag, body_of, leaves, payload_of
from huiyin_channel_email.vouching import vouched

LINE: Final = 1_000  # characters of a header that are kept
TEXT: Final = 1_000_000  # characters of the body that are kept
_ID: Final = re.compile(r"<[^<>\s]{3,500}>")
_ADDRESS: Final = re.compile(rb"[^\s<>\"',;:()]{1,64}@[^\s<>\"',;:()]{1,190}")
_COMMENTS: Final = 20  # brackets in an address field; the parser recurses on each
_TO: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


def read(raw: bytes, folder: Path) -> dict[str, Any]:
    """Read one mail; its files go into ``folder`` under numbers."""
    if refused := limits.refusal(raw):
        return _at_a_glance(raw, refused)
    faults = Faults()
    message = message_from_bytes(raw, policy=compat32)
    if message.defects:
        faults.add("defects")
    bag = Bag(folder, faults)
    text = body_of(message, faults)
    bag.fill(message)
    own, quoted = quoting.split(text)
    who = _who(message, faults)
    answer: dict[str, Any] = {
        **who,
        "vouched": vouched(message, who["sender"]["address"]),
        "message_id": _id_of(message),
        "references": _references(message),
        "subject": _header(message, "subject", faults),
        "sent_at": _date(message),
        "nature": nature_of(message, text, faults),
        "bounce": report_of(message, text),
        "forwarded": _forwarded(message, quoted, faults),
        "files": bag.files,
        "identity": _identity(message),
    }
    if len(own) > TEXT or len(quoted) > TEXT:
        faults.add("text_cut")
    answer |= {"text": own[:TEXT], "quoted": quoted[:TEXT], "faults": sorted(faults)}
    return answer


def _at_a_glance(raw: bytes, fault: str) -> dict[str, Any]:
    """What can be said without parsing, so that a person knows whose mail it is."""
    head = limits.head_of(raw)[: limits.HEADERS]
    line = re.search(rb"^from:[^\r\n]*", head, re.IGNORECASE | re.MULTILINE)
    found = _ADDRESS.search(line[0][5:]) if line else None
    address = found[0].decode("ascii", "ignore") if found else ""
    return {"sender": {"address": address}, "faults": [fault]}


# -- headers -----------------------------------------------------------------------------------


def values(message: Message, name: str) -> list[str]:
    """Every header of that name as it came, raw bytes as surrogates."""
    return [str(value) for key, value in message.raw_items() if key.lower() == name]


def _header(message: Message, name: str, faults: Faults) -> str:
    found = values(message, name)
    return header_text(found[0][: LINE * 8], faults)[:LINE] if found else ""


def addresses(found: list[str], faults: Faults) -> list[tuple[str, str]]:
    """Names and addresses of some headers."""
    if sum(value.count("(") for value in found) > _COMMENTS:
        faults.add("defects")
        found = [re.sub(r"[()]", " ", value) for value in found]
    # Some programs encode the address together with the name.
    found = [value if "@" in value else header_text(value[: LINE * 8], faults) for value in found]
    try:
        pairs = getaddresses([value.replace("\r", "").replace("\n", " ") for value in found])
    except (RecursionError, ValueError, IndexError, TypeError):
        faults.add("defects")
        return []
    return [
        (header_text(name, faults)[:200], one_line(address)[:320])
        for name, address in pairs
        if "@" in address
    ]


def _who(message: Message, faults: Faults) -> dict[str, Any]:
    headers = values(message, "from")
    senders = addresses(headers, faults)
    if len(headers) > 1 or len({address.lower() for _, address in senders}) > 1:
        faults.add("several_senders")
    if not senders:
        faults.add("no_sender")
    to = [pair for name in _TO for pair in addresses(values(message, name), faults)]
    name, address = senders[0] if senders else ("", "")
    tags = {local.partition("+")[2] for _, a in to for local in (a.rpartition("@")[0],)}
    return {
        "sender": {"name": name, "address": address},
        "recipients": [a for _, a in to][:500],
        "tags": sorted(tag for tag in tags if 0 < len(tag) <= 100)[:50],
    }


def _ids(message: Message, name: str) -> list[str]:
    text = " ".join(values(message, name))[: LINE * 50]
    return [one.encode("ascii", "ignore").decode() for one in _ID.findall(text)]


def _id_of(message: Message) -> str:
    found = _ids(message, "message-id")
    return found[0] if found else ""


def _references(message: Message) -> list[str]:
    """The ids it refers to, each once, the nearest last."""
    found = [*_ids(message, "references"), *_ids(message, "in-reply-to")]
    return list(dict.fromkeys(reversed(found)))[:100][::-1]


def _date(message: Message) -> str | None:
    found = values(message, "date")
    try:
        moment = parsedate_to_datetime(found[0][:100]) if found else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment is None or not 1990 <= moment.year <= 2100:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat()


# -- what is inside ----------------------------------------------------------------------------


def _forwarded(message: Message, quoted: str, faults: Faults) -> dict[str, Any] | None:
    """The message that somebody passed on, attached or below a header block."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0) if part.is_multipart() else None
            if isinstance(inner, Message):
                who = _who(inner, Faults())["sender"]
                text = body_of(inner, faults)[:TEXT]
                return {"sender": who, "subject": _header(inner, "subject", faults),
                        "sent_at": _date(inner), "text": text}  # fmt: skip
    subject = _header(message, "subject", faults).lower()
    inner_text = quoting.inner_of(quoted)
    if inner_text is None or not inner_text.address:
        return None
    if not (inner_text.passed_on or re.match(r"^\s*(fwd?|转发|轉寄|wg)\s*[:：]", subject)):
        return None
    return {
        "sender": {"name": inner_text.name[:200], "address": inner_text.address[:320]},
        "subject": inner_text.subject[:LINE], "sent_at": None, "text": inner_text.text[:TEXT],
    }  # fmt: skip


def _identity(message: Message) -> str:
    """The same for one mail however it is encoded, received or delivered again."""
    digest = hashlib.sha256(_id_of(message).encode())
    if not _id_of(message):
        for name in ("from", "date", "subject"):
            digest.update("\0".join(values(message, name)).encode("utf-8", "surrogateescape"))
    for part in _content(message):
        digest.update(b"\0" + hashlib.sha256(part).digest())
    return digest.hexdigest()


def _content(message: Message) -> Iterator[bytes]:
    for part in leaves(message):
        # The fields of a report look like headers of an empty part.
        fields = "\n".join(f"{name}: {value}" for name, value in part.raw_items())
        data = payload_of(part) or fields.encode("utf-8", "replace")
        if part.get_content_maintype() == "text":  # line ends are the transport's
            data = data.replace(b"\r\n", b"\n").strip()
        yield data
