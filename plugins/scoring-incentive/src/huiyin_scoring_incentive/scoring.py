"""From what was measured to a score, step by step and without a database.

points = (shrunk − floor) ÷ (target − floor), between 0 and the cap; the score is the weighted
mean of the points that could be measured, in per cent of what those could bring.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec

from huiyin.sdk import N_, Figure, FigureUnit, Measured, Message, Nature
from huiyin_scoring_incentive import statistics as stats
from huiyin_scoring_incentive.balance import Weighed, tilted
from huiyin_scoring_incentive.schemas import Body, Term

# How a value is written: a share of 0.8 reads 80.
SCALE: Final[Mapping[FigureUnit, float]] = {FigureUnit.SHARE: 100.0}
EMPTY: Final = "empty"  # nothing to count
SMALL: Final = "small"  # too little of it


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """What all who are scored show together: the pull of the small sample."""

    mean: float | None
    strength: float
    estimated: bool
    spread: float
    people: int
    n: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator of one person, as the explanation prints it; values as people read them."""

    figure: str
    title: str
    definition: str
    nature: str
    unit: str
    weight: float
    floor: float
    target: float
    minimum: float
    cap: float
    n: int
    value: float | None
    prior: float | None
    strength: float
    shrunk: float | None = None
    low: float | None = None
    high: float | None = None
    points: float | None = None
    points_low: float | None = None
    points_high: float | None = None
    contribution: float | None = None  # to the score, in points
    missing: str = ""  # why it does not count
    corrected: bool = False  # by an appeal; then ``was`` is what had been measured
    was: float | None = None
    was_n: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A score with its interval; ``None`` when too little of the formula could be measured."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    coverage: Decimal
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A figure of one person: its value, how many stand behind it, and what each added."""

    value: float | None
    n: int
    counted: tuple[float, ...] = ()

    @classmethod
    def of(cls, measured: Measured) -> Input:
        return cls(measured.value, measured.n, tuple(p.counted for p in measured.proofs))

    @property
    def group(self) -> stats.Group:
        """For the spread: the things counted, if they were told."""
        if len(self.counted) == self.n:
            squares = math.fsum(c * c for c in self.counted)
            return stats.Group(self.n, math.fsum(self.counted), squares)
        mean = self.value or 0.0
        return stats.Group(self.n, mean * self.n, mean * mean * self.n)

    def without(self, positions: Iterable[int]) -> Input:
        """The same with some of the things left out; an adjusted mean moves as the plain one."""
        gone = set(positions)
        if not gone or self.value is None:
            return self
        kept = tuple(c for i, c in enumerate(self.counted) if i not in gone)
        if not kept:
            return Input(None, 0, ())
        shift = math.fsum(kept) / len(kept) - math.fsum(self.counted) / len(self.counted)
        return Input(self.value + shift, len(kept), kept)

    def fewer(self, positions: Iterable[int]) -> Input:
        """The same for what is counted and not averaged."""
        gone = set(positions)
        kept = tuple(c for i, c in enumerate(self.counted) if i not in gone)
        return Input(math.fsum(kept), len(kept), kept)


Inputs = Mapping[str, Mapping[uuid.UUID, Input]]


# What was learnt, and what must be there, is a fact and no sample: it is taken as it is.
FACTS: Final = frozenset({Nature.LEARNING, Nature.CONTROL})


def is_sample(figure: Figure) -> bool:
    """Whether chance has a part in the value, so that a small number of things is shrunk."""
    return figure.nature not in FACTS and figure.unit in {FigureUnit.SHARE, FigureUnit.POINTS}


def scale(figure: Figure) -> float:
    return SCALE.get(figure.unit, 1.0)


def pool_of(term: Term, figure: Figure, inputs: Iterable[Input]) -> Pool:
    """Mean and strength over everybody who has anything to count."""
    found = [i for i in inputs if i.value is not None and i.n > 0]
    n = sum(i.n for i in found)
    if not found or not is_sample(figure):
        return Pool(mean=None, strength=0.0, estimated=False, spread=0.0, people=len(found), n=n)
    mean = math.fsum((i.value or 0.0) * i.n for i in found) / n
    groups = [i.group for i in found]
    estimated = term.strength == 0
    strength = term.strength
    if estimated and figure.unit is FigureUnit.SHARE:
        strength = stats.share_strength([((i.value or 0.0) * i.n, i.n) for i in found], mean)
    elif estimated:
        strength = stats.mean_strength(groups)
    return Pool(
        mean=mean, strength=strength, estimated=estimated, spread=stats.spread_within(groups),
        people=len(found), n=n,
    )  # fmt: skip


def part_of(term: Term, figure: Figure, given: Input | None, pool: Pool) -> Part:
    """One indicator of one person, up to its points."""
    by = scale(figure)
    counts = figure.unit is FigureUnit.COUNT
    if given is None:
        given = Input(0.0 if counts else None, 0)
    part = Part(
        figure=figure.name, title=figure.title, definition=figure.definition,
        nature=figure.nature.value, unit=figure.unit.value, weight=term.weight, floor=term.floor,
        target=term.target, minimum=term.minimum, cap=term.cap, n=given.n,
        value=None if given.value is None else given.value * by,
        prior=None if pool.mean is None else pool.mean * by, strength=pool.strength,
    )  # fmt: skip
    if given.value is None:
        return msgspec.structs.replace(part, missing=EMPTY)
    if given.n < term.minimum and not counts:
        return msgspec.structs.replace(part, missing=SMALL)
    moved = _shrunk(figure, given, pool)
    at = [points(term, value * by) for value in (moved.value, moved.low, moved.high)]
    return msgspec.structs.replace(
        part, shrunk=moved.value * by, low=moved.low * by, high=moved.high * by,
        points=at[0], points_low=min(at), points_high=max(at),
    )  # fmt: skip


def _shrunk(figure: Figure, given: Input, pool: Pool) -> stats.Shrunk:
    value = given.value or 0.0
    if pool.mean is None:
        return stats.Shrunk(value, value, value)
    if figure.unit is FigureUnit.SHARE:
        return stats.shrink_share(value * given.n, given.n, pool.mean, pool.strength)
    return stats.shrink_mean(value, given.n, pool.mean, pool.strength, pool.spread)


def points(term: Term, value: float) -> float:
    """0 to the cap, along a straight line from floor to target."""
    reached = (value - term.floor) / (term.target - term.floor) * 100
    return min(term.cap, max(0.0, reached))


def measured(parts: Iterable[Part]) -> list[Part]:
    return [p for p in parts if p.points is not None]


def share_of(parts: Sequence[Part]) -> float:
    """The share of the weights that could be measured, in per cent."""
    weight = math.fsum(p.weight for p in measured(parts))
    return weight / math.fsum(p.weight for p in parts) * 100


def unscored(parts: Sequence[Part], coverage: float) -> Message | None:
    """Why these parts make no score, or nothing: too few of them, or a selection that is unfair."""
    share = share_of(parts)
    if share < coverage - 1e-9:
        said = N_("能计的权重只有 {share}%，少于规定的 {least}%，不评分")
        return Message(said, {"share": f"{share:g}", "least": f"{coverage:g}"})
    here = [Weighed(Nature(p.nature), p.weight, p.cap) for p in measured(parts)]
    return tilted(here)


def add_up(parts: Sequence[Part], coverage: float) -> Result:
    """The score from its parts; what is missing gives its weight to the rest.

    There is none when too little is left, or what is left speaks of haste alone.
    """
    here = measured(parts)
    weight, share = math.fsum(p.weight for p in here), share_of(parts)
    if unscored(parts, coverage) is not None:
        return Result(None, None, None, rounded(share), tuple(parts))
    told = [
        msgspec.structs.replace(p, contribution=p.weight * p.points / weight)
        if p.points is not None
        else p
        for p in parts
    ]
    value = math.fsum(p.contribution or 0.0 for p in told)
    down = math.sqrt(math.fsum((p.weight / weight * _below(p)) ** 2 for p in here))
    up = math.sqrt(math.fsum((p.weight / weight * _above(p)) ** 2 for p in here))
    return Result(
        rounded(value), rounded(max(0.0, value - down)), rounded(min(100.0, value + up)),
        rounded(share), tuple(told),
    )  # fmt: skip


def _below(part: Part) -> float:
    return (part.points or 0.0) - (part.points_low or 0.0)


def _above(part: Part) -> float:
    return (part.points_high or 0.0) - (part.points or 0.0)


def rounded(value: float) -> Decimal:
    """To one decimal, halves up, as people round."""
    return Decimal(repr(round(value, 9))).quantize(Decimal("0.1"), ROUND_HALF_UP)


def scores(
    body: Body, figures: Mapping[str, Figure], inputs: Inputs, people: Iterable[uuid.UUID]
) -> tuple[dict[uuid.UUID, Result], dict[str, Pool]]:
    """Everybody's score, and the pools they were measured against."""
    who = list(people)
    pools = {
        term.figure: pool_of(
            term, figures[term.figure],
            [i for person, i in inputs.get(term.figure, {}).items() if person in set(who)],
        )
        for term in body.terms
    }  # fmt: skip
    return {
        person: score_of(body, figures, pools, {
            name: by[person] for name, by in inputs.items() if person in by
        })
        for person in who
    }, pools  # fmt: skip


def score_of(
    body: Body,
    figures: Mapping[str, Figure],
    pools: Mapping[str, Pool],
    given: Mapping[str, Input],
) -> Result:
    """One person's score against known pools."""
    parts = [
        part_of(term, figures[term.figure], given.get(term.figure), pools[term.figure])
        for term in body.terms
    ]
    return add_up(parts, body.coverage)


def plain(value: Any) -> Any:
    """As JSON keeps it."""
    return msgspec.to_builtins(value)
