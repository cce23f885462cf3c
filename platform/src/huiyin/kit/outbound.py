"""Whom we may call: addresses that a firm typed in lead outside, or nowhere.

A name is resolved once, every address it has is looked at, and the connection goes to one of
those addresses, never to the name again.  ``HUIYIN_OUTBOUND_PRIVATE`` lists networks of the
operator's own that may be called all the same, such as a mail server in the same rack.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from huiyin.kit.errors import HuiyinError
from huiyin.kit.i18n import N_

VARIABLE: Final = "HUIYIN_OUTBOUND_PRIVATE"
Network = IPv4Network | IPv6Network
# Not only what the standard library calls private: shared, metadata, mapped, translated.
CLOSED: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
Resolver = Callable[[str, int], Sequence[Any]]


class Unreachable(HuiyinError):
    """The address leads nowhere, or where nobody may be led."""

    status = 422
    code = "unreachable"
    default = N_("这个地址无法连接，请核对主机名")


def _resolve(host: str, port: int) -> Sequence[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def vetted(host: str, port: int, *, resolver: Resolver = _resolve) -> tuple[str, ...]:
    """The addresses of a host, all of them allowed.

    Raises ``Unreachable`` when there is none, or when a single one of them is not allowed.
    """
    try:
        found = {str(entry[4][0]) for entry in resolver(host, port)}
    except (OSError, UnicodeError, ValueError):
        raise Unreachable from None
    if not found or not all(is_open(address) for address in found):
        raise Unreachable
    return tuple(sorted(found, key=lambda address: (":" in address, address)))


def is_open(address: str) -> bool:
    """Whether an address may be called."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(ip in network for network in _own()):
        return True
    return not any(ip in network for network in CLOSED if network.version == ip.version)


def _own() -> tuple[Network, ...]:
    given = os.environ.get(VARIABLE, "").replace(",", " ").split()
    return tuple(ip_network(text, strict=False) for text in given)


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connection to one of the vetted addresses; raises ``Unreachable`` and ``OSError``."""
    last: OSError | None = None
    for address in vetted(host, port):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as failure:
            last = failure
    raise last or Unreachable
