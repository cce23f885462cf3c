"""One way in for every mail: from the listener, the mailbox, or the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from huiyin.sdk import Raw, Receipt, ServiceContext, mail_domain, receive

CHANNEL: Final = "email"
AUTHSERV: Final = "HUIYIN_MAIL_AUTHSERV"


def authserv(environment: Mapping[str, str] | None = None) -> str:
    """The names, parted by blanks, under which the mail server before us writes what it found."""
    env = os.environ if environment is None else environment
    return " ".join(env.get(AUTHSERV, "").replace(",", " ").split())


def firm_of(recipient: str) -> str:
    """The firm's slug in ``<slug>[+mark]@HUIYIN_MAIL_DOMAIN``, else ``""``."""
    local, _, domain = recipient.strip().strip("<>").rpartition("@")
    ours = mail_domain()
    if not ours or domain.lower().rstrip(".") != ours:
        return ""
    return local.partition("+")[0].lower()


def take(
    ctx: ServiceContext, slug: str, data: bytes, *, sender: str | None, recipient: str = "",
    key: str = "", checked_by: str = "",
) -> Receipt:  # fmt: skip
    """Keep one mail for one firm, committed when this returns.

    ``sender`` is the transport's, ``""`` for a report, ``None`` when the road names none;
    ``checked_by`` the servers whose word about the sender is believed on this road.
    Raises ``NotFound``, ``TooLarge``, ``StorageFull``, or what a database that is away raises.
    """
    envelope = {"to": recipient}
    if sender is not None:
        envelope["from"] = sender
    if checked_by:
        envelope["checked_by"] = checked_by
    with ctx.firm(slug) as firm:
        return receive(firm, Raw(channel=CHANNEL, data=data, key=key, envelope=envelope))
