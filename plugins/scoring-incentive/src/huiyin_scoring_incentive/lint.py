"""What a formula may not be.  Every fault is a sentence at the field it concerns.

The rules are numbers in this one table; the page, the help and the tests read it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from huiyin.sdk import N_, Figure, FigureBook, FigureUnit, Message, Nature, NotFound
from huiyin_scoring_incentive.balance import (
    GOOD,
    LIMITS,
    TIMELY,
    Weighed,
    heaviest_tilt,
    share,
    too_little_good,
    too_timely,
)
from huiyin_scoring_incentive.schemas import MOST_TERMS, Body, Term

OWN_SCORE: Final = "scoring_incentive:score"
FORBIDDEN: Final[Mapping[Nature, str]] = {
    Nature.VOLUME: N_("「{title}」衡量数量：投诉多少不说明处理得好坏，不得计分"),
    Nature.SPEED: N_("「{title}」只衡量快慢：赶快办结不等于办好，不得计分；守时请用「各阶段守时」"),
}
RANGE: Final[Mapping[FigureUnit, tuple[float, float]]] = {
    FigureUnit.SHARE: (0, 100),
    FigureUnit.POINTS: (0, 100),
    FigureUnit.COUNT: (0, 100),
    FigureUnit.DAYS: (0, 365),
}
USUAL_COVERAGE: Final = 60.0
Errors = dict[str, Message]
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*:[a-z][a-z0-9_]*")


def lint(body: Body, book: FigureBook) -> Errors:
    """Everything that keeps the formula from being saved as fit; empty when nothing does.

    Keys are fields of the form: ``figure-2`` is the figure of the third indicator.
    """
    errors: Errors = {}
    known: dict[int, Figure] = {}
    for index, term in enumerate(body.terms):
        for field, message in _figure(term, book):
            errors[f"{field}-{index}"] = message
        if f"figure-{index}" not in errors:
            known[index] = book.find(term.figure)
        for field, message in _numbers(term, known.get(index)):
            errors.setdefault(f"{field}-{index}", message)
    for index in _twice(body.terms):
        errors.setdefault(f"figure-{index}", Message(N_("同一指标只能出现一次，请删除重复的一行")))
    low, high = LIMITS.coverage
    if not low <= body.coverage <= high:
        errors["coverage"] = Message(N_("请填写 {low} 到 {high} 之间的数字"), _bounds(low, high))
    if len(body.terms) < LIMITS.fewest:
        errors["terms"] = Message(N_("至少选用 {n} 项指标，避免一项定高低"), {"n": LIMITS.fewest})
    if not errors:
        found = [known[i] for i in range(len(body.terms))]
        errors |= dict(_whole(body.terms, found, body.coverage))
    return errors


def _figure(term: Term, book: FigureBook) -> Iterator[tuple[str, Message]]:
    """Whether an indicator may be rewarded at all."""
    if not _NAME.fullmatch(term.figure):
        yield "figure", Message(N_("请从列表选择一项指标：指标之间不能相除、相乘或嵌套"))
        return
    if term.figure == OWN_SCORE:
        yield "figure", Message(N_("得分不能作为计算得分的指标"))
        return
    try:
        figure = book.find(term.figure)
    except NotFound:
        said = N_("指标「{name}」不存在，或所属插件未启用，请换一项或先启用插件")
        yield "figure", Message(said, {"name": term.figure})
        return
    if figure.nature in FORBIDDEN:
        yield "figure", Message(FORBIDDEN[figure.nature], {"title": figure.title})
    elif not figure.per_person:
        said = N_("「{title}」只有本机构整体的数，不能落到个人")
        yield "figure", Message(said, {"title": figure.title})


def _numbers(term: Term, figure: Figure | None) -> Iterator[tuple[str, Message]]:
    """Whether every number is one, within its bounds, and divides by something."""
    between = N_("请填写 {low} 到 {high} 之间的数字")
    unit = figure.unit if figure else FigureUnit.SHARE
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("weight", term.weight, 1, LIMITS.heaviest),
        ("floor", term.floor, *RANGE[unit]),
        ("target", term.target, *RANGE[unit]),
        ("minimum", term.minimum, 1, LIMITS.most_minimum),
        ("strength", term.strength, 0, LIMITS.most_strength),
        ("cap", term.cap, LIMITS.least_cap, 100),
    )
    wrong = set()
    for field, value, low, high in bounds:
        if not math.isfinite(value):
            wrong.add(field)
            yield field, Message(N_("请填写数字，例如 80"))
        elif field == "minimum" and value != int(value):
            yield field, Message(N_("请填写整数"))
        elif field == "weight" and value <= 0:
            wrong.add(field)
            yield field, Message(N_("权重须大于 0，不用的指标请删除"))
        elif not low <= value <= high:
            wrong.add(field)
            yield field, Message(between, _bounds(low, high))
    if wrong & {"floor", "target"}:
        return
    if term.target == term.floor:
        yield "target", Message(N_("满分线不能等于零分线，否则要除以零"))
    elif figure and (term.target > term.floor) != figure.more_is_better:
        said = (
            N_("「{title}」越高越好，满分线须高于零分线")
            if figure.more_is_better
            else N_("「{title}」越低越好，满分线须低于零分线")
        )
        yield "target", Message(said, {"title": figure.title})


def _twice(terms: Iterable[Term]) -> Iterator[int]:
    seen: set[str] = set()
    for index, term in enumerate(terms):
        if term.figure in seen:
            yield index
        seen.add(term.figure)


def _whole(
    terms: tuple[Term, ...], figures: list[Figure], coverage: float
) -> Iterator[tuple[str, Message]]:
    """What only shows when all is seen together: sums, what caps hide, and what may be left."""
    total = sum(term.weight for term in terms)
    if abs(total - 100) > 1e-6:
        said = N_("权重合计为 {total}，须为 100")
        yield "terms", Message(said, {"total": f"{total:g}"})
        return
    parts = weighed(terms, figures)
    reach = sum(part.reach for part in parts)
    for index, part in enumerate(parts):
        if part.reach / reach * 100 > LIMITS.heaviest + 1e-6:
            said = N_("扣除其他指标的封顶后，这一项实际占 {share}%，不得超过 {most}%")
            found = {"share": f"{part.reach / reach * 100:.0f}", "most": f"{LIMITS.heaviest:g}"}
            yield f"weight-{index}", Message(said, found)
    if too_timely(parts):
        said = N_("守时类指标实际合计占 {share}%，不得超过 {most}%，否则等于只奖励快")
        found = {"share": f"{share(parts, TIMELY):.0f}", "most": f"{LIMITS.timeliness:g}"}
        yield "terms", Message(said, found)
    elif too_little_good(parts):
        said = N_("质量和评价类指标实际合计占 {share}%，不得少于 {least}%")
        found = {"share": f"{share(parts, GOOD):.0f}", "least": f"{LIMITS.quality:g}"}
        yield "terms", Message(said, found)
    elif (tilt := heaviest_tilt(parts)) >= coverage - 1e-6:
        said = N_("数据不全时，只计 {tilt}% 的权重会使守时过重或质量过轻；请填写大于 {tilt} 的数字")
        yield "coverage", Message(said, {"tilt": f"{tilt:g}"})


def weighed(terms: Iterable[Term], figures: Iterable[Figure]) -> list[Weighed]:
    pairs = zip(terms, figures, strict=True)
    return [Weighed(figure.nature, term.weight, term.cap) for term, figure in pairs]


def _bounds(low: float, high: float) -> dict[str, object]:
    return {"low": f"{low:g}", "high": f"{high:g}"}


def choices(book: FigureBook) -> list[Figure]:
    """What a formula may choose from; at most ten are taken."""
    return [
        figure
        for figure in book
        if figure.per_person and figure.nature not in FORBIDDEN and figure.name != OWN_SCORE
    ]


def starter(book: FigureBook) -> Body:
    """A formula to begin with, of those indicators that the firm has."""
    have = {figure.name for figure in choices(book)}
    chosen = [term for term in STARTER if term.figure in have][:MOST_TERMS]
    total = sum(term.weight for term in chosen) or 1
    weights = [round(term.weight / total * 100) for term in chosen]
    if weights:
        weights[0] += 100 - sum(weights)
    terms = tuple(
        msgspec.structs.replace(term, weight=w) for term, w in zip(chosen, weights, strict=True)
    )
    return covered(terms, book)


def covered(terms: tuple[Term, ...], book: FigureBook) -> Body:
    """A formula of these indicators that asks for enough of them to stay fair."""
    tilt = heaviest_tilt(weighed(terms, [book.find(term.figure) for term in terms]))
    return Body(terms=terms, coverage=max(USUAL_COVERAGE, 5.0 * (tilt // 5 + 1)))


STARTER: Final = (
    Term(figure="case:not_reopened", weight=25, floor=60, target=95),
    Term(figure="case:plan_first_time", weight=20, floor=40, target=90),
    Term(figure="case:stages_in_time", weight=20, floor=60, target=95),
    Term(figure="survey_satisfaction:rating", weight=15, floor=40, target=85),
    Term(figure="training_records:up_to_date", weight=10, floor=50, target=100, minimum=1,
         strength=0),
    Term(figure="scoring_incentive:lessons_adopted", weight=10, floor=0, target=3, minimum=1,
         strength=0),
    Term(figure="scoring_incentive:peer_help", weight=10, floor=0, target=4, minimum=1,
         strength=0),
)  # fmt: skip
