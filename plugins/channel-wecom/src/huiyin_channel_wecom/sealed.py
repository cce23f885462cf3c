"""The envelope of a callback: signed with SHA-1, sealed with AES-256-CBC.

As 企业微信 and 公众号 (安全模式) document it: the signature is over the sorted token,
timestamp, nonce and sealed text; inside are 16 random bytes, the length of the message in network
order, the message, and the receiver's id, padded to 32 bytes (PKCS#7).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK: Final = 32  # bytes that the padding fills up to; twice the cipher's own
_RANDOM: Final = 16
_HEAD: Final = _RANDOM + 4


class Refused(Exception):
    """Not from the provider, or not for us; why is nobody's business outside."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the firm and the provider share; ``receiver`` is the CorpID or AppID."""

    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    receiver: str

    def signature(self, *parts: str) -> str:
        """The signature over the token and these parts, in hex."""
        joined = "".join(sorted((self.token, *parts)))
        return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()

    def check(self, given: str, *parts: str) -> None:
        """Raises ``Refused`` unless the signature is right."""
        if not hmac.compare_digest(self.signature(*parts).encode(), given.lower().encode()):
            raise Refused

    def open(self, sealed: str) -> bytes:
        """The message inside.  Raises ``Refused`` alike for whatever is wrong with it.

        Call it only with what has been checked: then nobody without the token can ask it anything.
        """
        try:
            box = base64.b64decode(sealed, validate=True)
            turn = self._cipher().decryptor()
            padded = turn.update(box) + turn.finalize()
        except ValueError:
            raise Refused from None
        pad = padded[-1] if padded else 0
        if not 1 <= pad <= BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise Refused
        plain = padded[:-pad]
        if len(plain) < _HEAD:
            raise Refused
        (length,) = struct.unpack(">I", plain[_RANDOM:_HEAD])
        inner, receiver = plain[_HEAD : _HEAD + length], plain[_HEAD + length :]
        if len(inner) != length or not hmac.compare_digest(receiver, self.receiver.encode()):
            raise Refused
        return inner

    def seal(self, message: bytes) -> str:
        """What ``open`` opens; the other side's part, for the connection test and for tests."""
        head = secrets.token_bytes(_RANDOM) + struct.pack(">I", len(message))
        plain = head + message + self.receiver.encode()
        pad = BLOCK - len(plain) % BLOCK
        turn = self._cipher().encryptor()
        box = turn.update(plain + bytes([pad]) * pad) + turn.finalize()
        return base64.b64encode(box).decode()

    def _cipher(self) -> Cipher[CBC]:
        key = base64.b64decode(f"{self.aes_key}=")
        return Cipher(AES(key), CBC(key[:16]))
