"""Passwords: argon2id, with the library's current parameters, raised silently at log-in."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
MINIMUM = 12
MAXIMUM = 256  # hashing time grows with length; nobody types more


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(known: str, password: str) -> bool:
    """Whether ``password`` is the one; a broken or empty hash is never it."""
    try:
        return _hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        return False


def outdated(known: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(known)


# Verified when the address is unknown, so that the answer takes as long.
NOBODY = _hasher.hash("nobody has this password")
