"""Secrets derived from the one installation secret, one for each purpose.

The installation secret comes from ``HUIYIN_SECRET`` or a 0400 file in the home folder; it is
never stored beside the data it protects.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

_MINIMUM = 32
_root: bytes | None = None


class MissingSecret(RuntimeError):
    """The product was started without its installation secret."""


def configure(secret: bytes) -> None:
    """Set the installation secret for this process; at least 32 bytes."""
    global _root  # noqa: PLW0603 - one installation, one secret
    if len(secret) < _MINIMUM:
        raise MissingSecret(f"the installation secret needs {_MINIMUM} bytes or more")
    _root = secret


def derive(purpose: str) -> bytes:
    """32 bytes that belong to ``purpose`` alone."""
    if _root is None:
        raise MissingSecret("huiyin.kit.keys.configure has not been called")
    return hmac.new(_root, purpose.encode(), hashlib.sha256).digest()


def keep_in(folder: Path) -> bytes:
    """The secret of an installation without ``HUIYIN_SECRET``: made once, readable by us only."""
    if given := os.environ.get("HUIYIN_SECRET"):
        return given.encode()
    path = folder / "secret.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
    return path.read_bytes()
