"""How many open lines there may be: for one address, one firm, one member, and in all.

Counted in each process; what is turned away costs no thread and no query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network


class Full(Exception):
    """No more lines for this one."""


@dataclass(slots=True)
class Doorkeeper:
    """Counts lines while they are open and keeps nothing of those that have ended."""

    per_address: int = 30  # an office, or a provider's shared address, is many people
    per_firm: int = 1000
    per_member: int = 12
    in_all: int = 3000
    for_members: int = 300  # of all, so that visitors cannot keep those out who answer them
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)

    @contextmanager
    def public(self, address: str, firm: str, counted: bool = True) -> Iterator[None]:
        """A line of anybody; ``counted`` is false for those of members, see ``member``."""
        limits = {("all", ""): self.in_all}
        if counted:
            limits[("visitors", "")] = self.in_all - self.for_members
            limits[("address", _home(address))] = self.per_address
            limits[("firm", firm)] = self.per_firm
        with self._within(limits):
            yield

    @contextmanager
    def member(self, account: str) -> Iterator[None]:
        """A line of a member; nothing for ``""``."""
        with self._within({("member", account): self.per_member} if account else {}):
            yield

    @contextmanager
    def _within(self, limits: dict[tuple[str, str], int]) -> Iterator[None]:
        if any(self._open[key] >= limit for key, limit in limits.items()):
            self._tidy(limits)
            raise Full
        self._open.update(limits.keys())
        try:
            yield
        finally:
            self._open.subtract(limits.keys())
            self._tidy(limits)

    def _tidy(self, keys: dict[tuple[str, str], int]) -> None:
        for key in keys:
            if self._open[key] <= 0:
                del self._open[key]

    def __len__(self) -> int:
        """How many lines are open."""
        return self._open.get(("all", ""), 0)


def _home(address: str) -> str:
    """The address itself, or the /64 that one household has of IPv6."""
    try:
        read = ip_address(address.strip())
    except ValueError:
        return "unreadable"
    if isinstance(read, IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(ip_network(f"{str(read).partition('%')[0]}/64", strict=False))
    return str(read)
