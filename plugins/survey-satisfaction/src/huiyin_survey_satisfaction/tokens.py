"""Secrets of links and ballots: derived or held by a browser, never stored.

A link's token is derived from its invitation with the installation's secret; the row keeps a seal
to be found by.  A token that is turned in leaves another seal, which leads nowhere without that
secret.  A ballot's secret is random and only in the browser: nothing joins it with an invitation.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Final

from huiyin.sdk import sealed

LENGTH: Final = 26  # 130 bits in base 32
_LINK: Final = "survey_satisfaction.link"
_TOKEN: Final = "survey_satisfaction.token"  # noqa: S105 - a purpose, no secret
_SPENT: Final = "survey_satisfaction.spent"
_PERSON: Final = "survey_satisfaction.person"
_ASKING: Final = "survey_satisfaction.asking"
_BALLOT: Final = "survey_satisfaction.ballot"
_HOLDER: Final = "survey_satisfaction.holder"


def token_of(tenant: uuid.UUID, invitation: uuid.UUID) -> str:
    """What stands in the link: lower case letters and digits, so that it can be typed."""
    raw = sealed(_TOKEN, f"{tenant}:{invitation}")
    return base64.b32encode(raw).decode().lower()[:LENGTH]


def link_hash(tenant: uuid.UUID, token: str) -> bytes:
    return sealed(_LINK, f"{tenant}:{token}")


def spent_seal(tenant: uuid.UUID, invitation: uuid.UUID) -> bytes:
    return sealed(_SPENT, f"{tenant}:{token_of(tenant, invitation)}")


def person_seal(tenant: uuid.UUID, address: str) -> bytes:
    """The same person in two campaigns has the same seal; it does not lead back."""
    return sealed(_PERSON, f"{tenant}:{''.join(address.split()).lower()}")


def asking_seal(tenant: uuid.UUID) -> bytes:
    """What the firm's surveys hold while they choose whom to ask."""
    return sealed(_ASKING, str(tenant))


@dataclass(frozen=True, slots=True)
class Ballot:
    """What an unsigned answer is written on; ``secret`` is held by the browser alone."""

    campaign: uuid.UUID
    version: uuid.UUID
    segment: str
    language: str
    expires_on: date
    secret: str

    def holder(self) -> bytes:
        return sealed(_HOLDER, self.secret)


def new_ballot(
    campaign: uuid.UUID, version: uuid.UUID, segment: str, language: str, expires_on: date
) -> Ballot:
    secret = secrets.token_hex(16)
    return Ballot(campaign, version, segment, language, expires_on, secret)


def packed(tenant: uuid.UUID, ballot: Ballot) -> str:
    """The ballot as a cookie: its facts, its secret, and a seal over them."""
    parts = [ballot.campaign.hex, ballot.version.hex, ballot.language]
    parts += [ballot.expires_on.isoformat(), ballot.secret, ballot.segment]
    body = "|".join(parts)
    text = base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")
    return f"{text}.{_seal(tenant, text)}"


def unpacked(tenant: uuid.UUID, cookie: str) -> Ballot | None:
    """The ballot of a cookie, if it is one of ours for this firm."""
    text, _, seal = cookie.partition(".")
    if not seal or not hmac.compare_digest(seal.encode(), _seal(tenant, text).encode()):
        return None
    body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    campaign, version, language, expires_on, secret, segment = body.split("|", 5)
    return Ballot(
        uuid.UUID(campaign), uuid.UUID(version), segment, language,
        date.fromisoformat(expires_on), secret,
    )  # fmt: skip


def _seal(tenant: uuid.UUID, text: str) -> str:
    return sealed(_BALLOT, f"{tenant}:{text}").hex()


def signed_holder(invitation: uuid.UUID) -> bytes:
    return sealed(_HOLDER, f"signed:{invitation}")
