"""Drawing closed cases: from a seed, so that a stranger draws the same.

Take the numbers of all cases of the population; for each, SHA-256 of ``<seed>:<number>`` in
UTF-8; sort by that digest; the first ``n`` are drawn.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from huiyin.sdk import CaseRecord, Period, TenantContext, closed_cases


@dataclass(frozen=True, slots=True)
class Drawn:
    """The population by number, and what was drawn from it with which digest."""

    seed: str
    population: tuple[str, ...]
    drawn: tuple[tuple[CaseRecord, str], ...]

    @property
    def population_hash(self) -> str:
        """SHA-256 of the sorted numbers, one a line."""
        return hashlib.sha256("\n".join(self.population).encode()).hexdigest()


def draw_digest(seed: str, number: str) -> str:
    return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest()


def redraw(seed: str, population: Iterable[str], n: int) -> list[str]:
    """The numbers that this seed draws."""
    return sorted(population, key=lambda number: draw_digest(seed, number))[:n]


def draw(
    ctx: TenantContext, period: Period, n: int, *, seed: str = "", category: str = ""
) -> Drawn:
    """Draw ``n`` of the complaints closed in the period; of one category or group, if named."""
    seed = seed or secrets.token_hex(8)
    records = {
        record.number: record
        for record in closed_cases(ctx.session, ctx.actor, period)
        if not category or (record.category or "").startswith(category)
    }
    chosen = redraw(seed, records, n)
    return Drawn(
        seed, tuple(sorted(records)),
        tuple((records[number], draw_digest(seed, number)) for number in chosen),
    )  # fmt: skip
