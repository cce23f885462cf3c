"""Figures: numbers that one part of the house works out and every other may quote.

A plugin never imports another; what it wants to know of one it asks for by the figure's name.
A figure says how it is worked out and what kind of thing it measures, so that whoever quotes it
can print both, and a formula that must not reward volume or haste can be refused.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import SHANGHAI
from huiyin.plugins.lending import lent

if TYPE_CHECKING:
    from huiyin.plugins.context import TenantContext

log: Final = logging.getLogger(__name__)


class Nature(StrEnum):
    """What a figure measures.  Volume and speed say nothing about how well something was done."""

    QUALITY = "quality"
    TIMELINESS = "timeliness"  # against the clocks of the case, not against colleagues
    RATING = "rating"  # what complainants say
    LEARNING = "learning"
    CONTROL = "control"  # whether what must be there is there
    VOLUME = "volume"
    SPEED = "speed"


NATURE_TITLES: Final[Mapping[Nature, str]] = MappingProxyType(
    {
        Nature.QUALITY: N_("质量"),
        Nature.TIMELINESS: N_("守时"),
        Nature.RATING: N_("评价"),
        Nature.LEARNING: N_("学习与改进"),
        Nature.CONTROL: N_("内控"),
        Nature.VOLUME: N_("数量"),
        Nature.SPEED: N_("快慢"),
    }
)


class FigureUnit(StrEnum):
    """How a value is written."""

    SHARE = "share"  # 0 to 1, shown in per cent
    POINTS = "points"  # 0 to 100
    COUNT = "count"
    DAYS = "days"  # 工作日


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included, in the firm's time."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise ValueError("a period ends after it begins")

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.since, time(), SHANGHAI)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(days=1), time(), SHANGHAI)

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.begin <= moment < self.end


@dataclass(frozen=True, slots=True)
class Proof:
    """Something that was counted; ``path`` stands below ``/t/<tenant>``."""

    title: Message
    path: str = ""
    counted: float = 0.0  # what it added to the value before averaging


@dataclass(frozen=True, slots=True)
class Measured:
    """A value for the firm or for one person; ``None`` when there is nothing to measure.

    ``n`` is how many things stand behind it, ``proofs`` are those things.
    """

    value: float | None
    n: int
    subject: uuid.UUID | None = None
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its definition, ``<plugin>:<figure>``.

    ``per_person`` figures answer one value for each account that has any; the others one for the
    firm.  ``more_is_better`` tells which way is good.
    """

    name: str
    title: str
    definition: str
    unit: FigureUnit
    nature: Nature
    measure: Callable[[TenantContext, Period], Sequence[Measured]]
    per_person: bool = False
    more_is_better: bool = True


class FigureBook:
    """The figures a firm has: those of the core and of the plugins it has switched on."""

    def __init__(self, lend: Callable[[str], TenantContext], figures: Iterable[Figure]) -> None:
        self._lend = lend
        self._figures = {figure.name: figure for figure in figures}

    def __iter__(self) -> Iterator[Figure]:
        return iter(sorted(self._figures.values(), key=lambda figure: figure.name))

    def find(self, name: str) -> Figure:
        """The figure of that name.  Raises ``NotFound`` when the firm has none, or no longer."""
        try:
            return self._figures[name]
        except KeyError:
            raise NotFound from None

    def measure(self, name: str, period: Period) -> list[Measured]:
        """The values of a figure; what its plugin writes while counting is taken back.

        Raises ``NotFound``, and ``FigureFailed`` when its plugin could not work it out.
        """
        figure = self.find(name)
        ctx = self._lend(name.partition(":")[0])
        ctx.session.flush()
        try:
            with lent(ctx.session):
                return list(figure.measure(ctx, period))
        except Exception as fault:
            log.log(logging.ERROR, "figure %s: %s", name, type(fault).__name__)
            raise FigureFailed(name) from fault


class FigureFailed(Exception):
    """A plugin could not work out its figure; whoever quotes it shows it as unknown."""
