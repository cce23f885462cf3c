"""How much of a score may come from clocks, and how much of it must come from quality.

Asked of a whole formula, of every selection of its indicators by which it would still score, and
of each person: what could not be measured must not turn a fair formula into a prize for haste.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

from huiyin.sdk import N_, Message, Nature

TIMELY: Final = frozenset({Nature.TIMELINESS})
GOOD: Final = frozenset({Nature.QUALITY, Nature.RATING})
_NEARLY: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a formula, in per cent of the weights unless said otherwise."""

    fewest: int = 3  # indicators
    heaviest: float = 50  # any one of them, its cap counted in
    timeliness: float = 40  # all of them that measure clocks
    quality: float = 30  # at least: quality and ratings together
    least_cap: float = 50  # points
    most_minimum: int = 30  # things counted
    most_strength: float = 60  # cases
    coverage: tuple[float, float] = (50, 100)


LIMITS: Final = Limits()


class Weighed(NamedTuple):
    """An indicator as far as the balance goes."""

    nature: Nature
    weight: float
    cap: float  # points

    @property
    def reach(self) -> float:
        """The most it can bring."""
        return self.weight * self.cap / 100


def share(parts: Sequence[Weighed], natures: frozenset[Nature]) -> float:
    """What these natures can bring, in per cent of what all can, caps counted in."""
    whole = sum(part.reach for part in parts)
    return sum(p.reach for p in parts if p.nature in natures) / whole * 100 if whole else 0.0


def too_timely(parts: Sequence[Weighed]) -> bool:
    return share(parts, TIMELY) > LIMITS.timeliness + _NEARLY


def too_little_good(parts: Sequence[Weighed]) -> bool:
    return share(parts, GOOD) < LIMITS.quality - _NEARLY


def tilted(parts: Sequence[Weighed]) -> Message | None:
    """Why these indicators alone make no fair score, or nothing."""
    if too_timely(parts):
        said = N_("能计的指标里守时类占 {share}%，超过 {most}%，只剩快慢，不评分")
        found = {"share": f"{share(parts, TIMELY):.0f}", "most": f"{LIMITS.timeliness:g}"}
        return Message(said, found)
    if too_little_good(parts):
        said = N_("能计的指标里质量和评价类只占 {share}%，不足 {least}%，不评分")
        found = {"share": f"{share(parts, GOOD):.0f}", "least": f"{LIMITS.quality:g}"}
        return Message(said, found)
    return None


def selections(parts: Sequence[Weighed]) -> Iterator[tuple[Weighed, ...]]:
    """Everything that may be left when data are missing; at most ten indicators."""
    for n in range(1, len(parts) + 1):
        yield from combinations(parts, n)


def heaviest_tilt(parts: Sequence[Weighed]) -> float:
    """The largest share of the weights, in per cent, that would be measured and yet be unfair.

    A formula must ask for more than that; 0 when no selection is unfair.
    """
    whole = sum(part.weight for part in parts)
    unfair: Iterable[float] = (
        sum(part.weight for part in left) / whole * 100
        for left in selections(parts)
        if too_timely(left) or too_little_good(left)
    )
    return max(unfair, default=0.0)
