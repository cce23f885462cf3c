"""The formula as data, and the forms."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any, Final, Literal

import msgspec

from huiyin.sdk import N_

M = msgspec.Meta
MOST_TERMS: Final = 10


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator.  ``floor`` and ``target`` are in the unit people read: 80 means 80 %."""

    figure: str
    weight: float
    floor: float  # no points at or below
    target: float  # full points from here on
    minimum: float = 5  # with fewer things counted it is left out
    strength: float = 10.0  # cases the pool counts for; 0: estimated from the data
    cap: float = 100.0  # most points it can bring


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A whole formula.  ``coverage`` is the share of the weights that must be measured."""

    terms: tuple[Term, ...]
    coverage: float = 60.0


class HeadForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a formula says of itself."""

    title: Annotated[str, M(min_length=2, max_length=60, title=N_("名称"))]
    reason: Annotated[str, M(min_length=4, max_length=600, title=N_("修订理由"))]
    rev: int = 0


class RoundForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, M(min_length=2, max_length=60, title=N_("名称"))]
    since: Annotated[date, M(title=N_("起始日"))]
    until: Annotated[date, M(title=N_("截止日"))]


class ReasonForm(msgspec.Struct, frozen=True, kw_only=True):
    reason: Annotated[str, M(min_length=4, max_length=1000, title=N_("理由"))]


class AppealForm(msgspec.Struct, frozen=True, kw_only=True):
    grounds: Annotated[str, M(min_length=8, max_length=2000, title=N_("申诉理由"))]
    figure: Annotated[str, M(max_length=100, title=N_("指标"))] = ""


class DecisionForm(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Annotated[Literal["upheld", "partly", "dismissed"], M(title=N_("决定"))]
    reason: Annotated[str, M(min_length=8, max_length=2000, title=N_("理由"))]
    leave_out: Annotated[
        list[Annotated[str, M(max_length=120)]], M(max_length=200, title=N_("剔除事项"))
    ] = msgspec.field(default_factory=list)
    figure: Annotated[str, M(max_length=100, title=N_("更正指标"))] = ""
    value: Annotated[float, M(title=N_("更正后的数值"))] | None = None
    n: Annotated[int, M(ge=1, le=100_000, title=N_("更正后的样本"))] | None = None


class CreditForm(msgspec.Struct, frozen=True, kw_only=True):
    kind: Annotated[Literal["help", "lesson"], M(title=N_("类型"))]
    number: Annotated[str, M(min_length=4, max_length=40, title=N_("案件编号"))]
    doer: Annotated[str, M(max_length=40, title=N_("同事"))] = ""
    what: Annotated[str, M(min_length=8, max_length=500, title=N_("具体事项"))]


class NominationForm(msgspec.Struct, frozen=True, kw_only=True):
    nominee: Annotated[str, M(min_length=30, max_length=40, title=N_("被提名人"))]
    honour: Annotated[str, M(min_length=2, max_length=30, title=N_("奖项"))]
    grounds: Annotated[str, M(min_length=10, max_length=1000, title=N_("提名理由"))]
    citation: Annotated[str, M(min_length=8, max_length=300, title=N_("表扬文字"))]


class YearForm(msgspec.Struct, frozen=True, kw_only=True):
    year: Annotated[int, M(ge=2000, le=2100, title=N_("年度"))]


def number(text: Any) -> float:
    """A number as people type it; ``nan`` for what is none, so that the lint says so."""
    try:
        value = float(str(text).strip().replace(",", "").removesuffix("%"))
    except ValueError:
        return math.nan
    return value if abs(value) < 1e9 else math.inf
