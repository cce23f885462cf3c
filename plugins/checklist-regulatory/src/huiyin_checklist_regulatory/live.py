"""Figures of the house as evidence: shown live while a run is open, frozen when it is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from huiyin.sdk import (
    N_,
    Figure,
    FigureFailed,
    FigureUnit,
    Invalid,
    Message,
    NotFound,
    Period,
    TenantContext,
)

FEW: Final = 20  # below that a share says little


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure said about a period, and how it was worked out."""

    name: str
    title: str = ""
    definition: str = ""
    unit: str = ""
    value: float | None = None
    n: int = 0
    since: date
    until: date
    at: str = ""
    problem: str = ""

    @property
    def shown(self) -> str:
        """The value as it is written; ``--`` for none."""
        if self.value is None:
            return "--"
        if self.unit == FigureUnit.SHARE:
            return f"{self.value * 100:.1f}%"
        return f"{self.value:.0f}" if self.unit == FigureUnit.COUNT else f"{self.value:.1f}"

    @property
    def few(self) -> bool:
        return self.unit == FigureUnit.SHARE and 0 < self.n < FEW

    @property
    def problem_message(self) -> Message:
        return Message(self.problem)

    def as_json(self) -> dict[str, Any]:
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept


def reading_of(kept: Mapping[str, Any]) -> Reading:
    return msgspec.convert(kept, Reading)


def choices(ctx: TenantContext) -> list[Figure]:
    """The figures that speak of the firm as a whole, by name."""
    return [figure for figure in ctx.figures() if not figure.per_person]


def checked(ctx: TenantContext, name: str, field: str = "figure") -> Figure:
    """The figure, if it may be evidence.  Raises ``Invalid`` at ``field``."""
    found = next((figure for figure in choices(ctx) if figure.name == name), None)
    if found is None:
        raise Invalid({field: N_("请选择列出的系统数据；相关插件停用时不能引用")})
    return found


def read(ctx: TenantContext, name: str, period: Period) -> Reading:
    """The value now; one that cannot be had says why, and stays empty."""
    blank = Reading(
        name=name,
        since=period.since,
        until=period.until,
        at=ctx.now().isoformat(timespec="seconds"),
    )
    try:
        figure = ctx.figures().find(name)
        blank = msgspec.structs.replace(
            blank, title=figure.title, definition=figure.definition, unit=figure.unit.value
        )
        measured = ctx.figures().measure(name, period)
    except NotFound:
        return msgspec.structs.replace(blank, problem=N_("提供这项数据的插件已停用"))
    except FigureFailed:
        return msgspec.structs.replace(blank, problem=N_("这项数据暂时算不出来"))
    whole = next((m for m in measured if m.subject is None), None)
    if whole is None or whole.value is None:
        return msgspec.structs.replace(blank, problem=N_("期内没有可以统计的内容"))
    return msgspec.structs.replace(blank, value=round(float(whole.value), 6), n=whole.n)
