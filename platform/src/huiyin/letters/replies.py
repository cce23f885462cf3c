"""The mark in an address that answers come to: which case, and that we wrote it.

It stands after a ``+`` in the local part, so only where the mail server is ours and knows that
sign.  Nobody can make one, and one of another case says nothing about who sends it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import uuid
from collections.abc import Mapping
from typing import Final

from huiyin.kit import keys

DOMAIN: Final = "HUIYIN_MAIL_DOMAIN"
_BEGINNING: Final = "c-"
_MARK: Final = 8  # bytes of the seal


def mail_domain(environment: Mapping[str, str] | None = None) -> str:
    """The domain whose mail comes to us, ``""`` when there is none."""
    env = os.environ if environment is None else environment
    return env.get(DOMAIN, "").strip().strip(".").lower()


def returns_to(slug: str) -> str:
    """Where reports about a firm's mail should go: to us, if mail comes to us at all."""
    domain = mail_domain()
    return f"{slug}@{domain}" if domain else ""


def tag_of(case_id: uuid.UUID) -> str:
    """The mark of a case, 41 characters of letters, digits and a dash."""
    sealed = case_id.bytes + _seal(case_id)
    return _BEGINNING + base64.b32encode(sealed).decode().rstrip("=").lower()


def case_of(tag: str) -> uuid.UUID | None:
    """The case of a mark, or ``None`` for one that we did not make."""
    if not tag.lower().startswith(_BEGINNING):
        return None
    text = tag[len(_BEGINNING) :].upper()
    try:
        sealed = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    if len(sealed) != 16 + _MARK:
        return None
    case_id = uuid.UUID(bytes=sealed[:16])
    return case_id if hmac.compare_digest(sealed[16:], _seal(case_id)) else None


def _seal(case_id: uuid.UUID) -> bytes:
    return hmac.digest(keys.derive("reply-tag"), case_id.bytes, "sha256")[:_MARK]


def reply_address(mailbox: str, case_id: uuid.UUID) -> str:
    """Where an answer about the case should go: the mailbox, with the mark if it is ours."""
    name, _, domain = mailbox.rpartition("@")
    if not name or domain.lower() != mail_domain() or "+" in name:
        return mailbox
    return f"{name}+{tag_of(case_id)}@{domain}"
