"""Tries at a secret are counted in the database, so that every node sees the same count.

Limits are data.  One limit never eats another's count, and a limit on one account holds for one
network only: whoever guesses from elsewhere cannot lock the owner out.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Final

from sqlalchemy import CursorResult, Engine, bindparam, delete, update
from sqlalchemy.dialects.postgresql import insert

from huiyin.db import Ready, ScopedSession, platform_session
from huiyin.identity.models import Attempt
from huiyin.kit.errors import Throttled
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most ``limit`` tries per key in each window of ``window`` seconds."""

    name: str
    limit: int
    window: int


_QUARTER: Final = 15 * 60
LOGIN: Final = Throttle("login", 10, _QUARTER)  # account, network
LOGIN_NETWORK: Final = Throttle("login.network", 50, _QUARTER)  # network
PASSWORD: Final = Throttle("password", 10, _QUARTER)  # account, logged in
LINK: Final = Throttle("password.link", 20, _QUARTER)  # network
TRACKING: Final = Throttle("tracking", 5, _QUARTER)  # tenant, case number, network
TRACKING_NUMBER: Final = Throttle("tracking.number", 100, _QUARTER)  # tenant, case number
TRACKING_NETWORK: Final = Throttle("tracking.network", 30, _QUARTER)  # network
_KEEP: Final = timedelta(days=1)


def network(ip: str) -> str:
    """The neighbourhood of an address: /24 of IPv4 (mapped ones too), /48 of IPv6.

    An address that cannot be read is a neighbourhood of its own, never a way round the count.
    """
    try:
        address = ip_address(ip.strip())
    except ValueError:
        return "unreadable"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = 24 if address.version == 4 else 48
    bare = str(address).partition("%")[0]
    return str(ip_network(f"{bare}/{prefix}", strict=False))


def hit(session: ScopedSession, throttle: Throttle, *keys: object, pepper: bytes) -> int:
    """Count one try and answer how many there were.  Raises ``Throttled`` beyond the limit.

    The count stands only if the caller commits whatever comes of it; see ``count_attempt``.
    """
    tries = _count(session, throttle, keys, pepper)
    if tries > throttle.limit:
        raise Throttled(_seconds_left(throttle))
    return tries


def count_attempt(engine: Engine, throttle: Throttle, *keys: object, pepper: bytes) -> int:
    """``hit`` in a short transaction of its own: the try counts even if the request fails."""
    with platform_session(engine, purpose="throttle") as session:
        tries = _count(session, throttle, keys, pepper)
        session.commit()
    if tries > throttle.limit:
        raise Throttled(_seconds_left(throttle))
    return tries


def clear(engine: Engine, throttle: Throttle, *keys: object, pepper: bytes) -> None:
    """Forget the tries of a key, after the right secret was given."""
    with platform_session(engine, purpose="throttle") as session:
        session.execute(
            delete(Attempt)
            .where(Attempt.key_hash == _key(throttle, keys, pepper))
            .execution_options(synchronize_session=False)
        )
        session.commit()


def take_back(engine: Engine, throttle: Throttle, *keys: object, pepper: bytes) -> None:
    """Uncount one try that was right: an office behind one address is not an attack, and one
    good password among them does not wipe out the bad ones."""
    with platform_session(engine, purpose="throttle") as session:
        session.execute(
            update(Attempt)
            .where(
                Attempt.key_hash == _key(throttle, keys, pepper),
                Attempt.window_start == _window(throttle),
                Attempt.count > 0,
            )
            .values(count=Attempt.count - 1)
            .execution_options(synchronize_session=False)
        )
        session.commit()


def forget_old(session: ScopedSession) -> int:
    """Delete the counts of windows long past; answers how many."""
    result = session.execute(
        delete(Attempt)
        .where(Attempt.window_start < now() - _KEEP)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


_COUNTED: Final = Ready(
    insert(Attempt)
    .values(
        id=bindparam("id"), key_hash=bindparam("key"), window_start=bindparam("window"), count=1
    )
    .on_conflict_do_update(
        index_elements=[Attempt.key_hash, Attempt.window_start],
        set_={"count": Attempt.count + 1},
    )
    .returning(Attempt.count)
)


def _count(
    session: ScopedSession, throttle: Throttle, keys: tuple[object, ...], pepper: bytes
) -> int:
    tries: int = _COUNTED.run(
        session, id=uuid7(), key=_key(throttle, keys, pepper), window=_window(throttle)
    ).scalar_one()
    return tries


def _key(throttle: Throttle, keys: tuple[object, ...], pepper: bytes) -> bytes:
    # The pepper keeps addresses and e-mails from being guessed out of a stolen table.
    parts = [part.encode() for part in (throttle.name, *map(str, keys))]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(pepper, message, "sha256")


def _window(throttle: Throttle) -> datetime:
    second = int(now().timestamp())
    return datetime.fromtimestamp(second - second % throttle.window, UTC)


def _seconds_left(throttle: Throttle) -> int:
    end = _window(throttle) + timedelta(seconds=throttle.window)
    return max(1, ceil((end - now()).total_seconds()))
