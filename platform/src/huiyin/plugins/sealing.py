"""Secrets of plugins: sealed with a key the database does not have, bound to their place."""

from __future__ import annotations

import base64
import os
import uuid
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from huiyin.kit.keys import derive

_NONCE: Final = 12
_PURPOSE: Final = "plugin-secrets"


class Unsealable(ValueError):
    """Sealed with another installation secret, or moved from another place."""


def seal(text: str, *, tenant_id: uuid.UUID, plugin: str, field: str) -> str:
    """The sealed text; it opens only for the same firm, plugin and field."""
    nonce = os.urandom(_NONCE)
    box = AESGCM(derive(_PURPOSE)).encrypt(nonce, text.encode(), _place(tenant_id, plugin, field))
    return base64.b64encode(nonce + box).decode()


def unseal(sealed: str, *, tenant_id: uuid.UUID, plugin: str, field: str) -> str:
    """The text again; raises ``Unsealable``."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        place = _place(tenant_id, plugin, field)
        return AESGCM(derive(_PURPOSE)).decrypt(raw[:_NONCE], raw[_NONCE:], place).decode()
    except (InvalidTag, ValueError):
        raise Unsealable(f"{plugin}.{field}") from None


def _place(tenant_id: uuid.UUID, plugin: str, field: str) -> bytes:
    return f"{tenant_id}\n{plugin}\n{field}".encode()
