"""What the tallies say: one grouped query, then counts, shares, means and trends.

Fewer than ``few`` answers are shown as counts alone.  Unsigned answers are in the tallies only
once enough were counted together, so a page can never show a single one.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CompoundSelect,
    Float,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)  # fmt: skip

from huiyin.sdk import Ready, TenantContext
from huiyin_survey_satisfaction import designs, hiding, statistics, telling
from huiyin_survey_satisfaction.campaigns import Head
from huiyin_survey_satisfaction.counting import ALL, LOW, MONTH, OWN, SCORE, SEGMENT, WHOLE
from huiyin_survey_satisfaction.designs import NUMBERS, Design, Question
from huiyin_survey_satisfaction.models import Campaign, Invitation, Tally, Version
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings
from huiyin_survey_satisfaction.sheets import CROWD
from huiyin_survey_satisfaction.statistics import Estimate, Independence
from huiyin_survey_satisfaction.wording import ASKED, Naming, QuestionKind, State

MOST_SEGMENTS: Final = 30
MOST_MONTHS: Final = 24
REST: Final = "_rest"  # groups that are shown together because each is small


@dataclass(frozen=True, slots=True)
class Bar:
    """A value, how often it was given, and its share where there are enough."""

    value: str
    n: int
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class Part:
    """A question, or one line of a matrix, as it was answered."""

    question: Question
    item: str
    n: int
    bars: tuple[Bar, ...]
    mean: Estimate | None = None
    nps: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Everything on the page of results."""

    n: int
    low: int | None  # nothing where it would say who was dissatisfied
    score: Estimate | None
    parts: tuple[Part, ...]
    trend: tuple[tuple[str, int, float | None], ...]  # month, answers, mean score
    segments: tuple[tuple[str, int, float | None], ...]
    few: int
    crowd: int  # fewer of a group, or of unsigned ones, are not shown at all
    hidden: frozenset[str] = frozenset()  # products that are not shown by themselves

    @property
    def too_few(self) -> bool:
        return self.n < self.few


_VALUES: Final = "values"


def _counts() -> CompoundSelect[Any]:
    """How often each value was given, as many rows as there are values; and the answers of each
    month and product with the sum of their scores and how many were scored."""
    of_campaign = Tally.campaign_id == bindparam("campaign")
    scored = Tally.question == SCORE
    points = cast(case((scored, Tally.value), else_="0"), Float)
    values = select(
        literal(_VALUES).label("of"), Tally.question, Tally.item, Tally.value, Tally.n,
        cast(null(), Float), literal(0),
    ).where(of_campaign, Tally.cut == bindparam("cut"), Tally.key == bindparam("key"))  # fmt: skip
    averages = select(
        Tally.cut, Tally.key, literal(""), literal(""),
        func.sum(case((Tally.question == ALL, Tally.n), else_=0)),
        func.sum(points * Tally.n),
        func.sum(case((scored, Tally.n), else_=0)),
    ).where(
        of_campaign, or_(Tally.cut == MONTH, Tally.cut == SEGMENT),
        or_(Tally.question == ALL, scored),
    ).group_by(Tally.cut, Tally.key)  # fmt: skip
    return union_all(values, averages).order_by("of", Tally.question, Tally.item, Tally.value)


_COUNTS: Final = Ready(_counts())


@dataclass(frozen=True, slots=True)
class Counted:
    """All that a page of results is made of.  Equal counts give equal pages, so that the
    statistics and the words of a page are worked out once for each state of its survey."""

    campaign: uuid.UUID
    version: uuid.UUID
    segment: str | None
    values: tuple[tuple[str, str, str, int], ...]
    averages: tuple[tuple[str, str, int, float | None, int], ...]
    few: int
    crowd: int
    signed: bool
    hidden: frozenset[str]


def counted(ctx: TenantContext, campaign: Campaign | Head, segment: str | None = None) -> Counted:
    """The counts of a campaign, for everybody or for one product; one query for any number."""
    settings = ctx.settings(SurveySatisfactionSettings)
    cut, key = (WHOLE, "") if segment is None else (SEGMENT, segment)
    rows = _COUNTS.run(ctx.session, campaign=campaign.id, cut=cut, key=key).all()
    averages = tuple(
        (of, name, n, points / k if k else None, k)
        for of, name, _item, _value, n, points, k in rows if of != _VALUES
    )  # fmt: skip
    sizes = {name: n for of, name, n, _mean, _k in averages if of == SEGMENT}
    return Counted(
        campaign.id, campaign.version_id, segment,
        tuple((row[1], row[2], row[3], row[4]) for row in rows if row[0] == _VALUES),
        averages if segment is None else (), settings.few, settings.batch,
        campaign.naming == Naming.SIGNED, hiding.small(sizes, settings.batch),
    )  # fmt: skip


def of_campaign(
    ctx: TenantContext, campaign: Campaign, segment: str | None = None
) -> tuple[Design, Results]:
    """What a campaign came to, for everybody or for one product."""
    found = counted(ctx, campaign, segment)
    return of_counts(ctx, found)


def of_counts(ctx: TenantContext, found: Counted) -> tuple[Design, Results]:
    """The statistics of these counts; the wording of a published version never changes."""
    version = ctx.session.get_one(Version, (ctx.tenant.id, found.version))
    design = designs.read(version.design)
    few, crowd, segment = found.few, found.crowd, found.segment
    values: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for question, item, value, times in found.values:
        values[(question, item)][value] = times
    n = values[(ALL, "")].total()
    # A handful of answers would say who gave them, and so would what is left of the whole.
    alone = n < crowd and not found.signed if segment is None else segment in found.hidden
    averages = {(cut, key): (k, mean, of) for cut, key, k, mean, of in found.averages}
    scores = Counter({float(v): k for v, k in values[(SCORE, "")].items()})
    return design, Results(
        n=n,
        low=None if alone else values[(LOW, "")].total(),
        score=statistics.mean(scores) if scores.total() >= few and not alone else None,
        parts=()
        if alone
        else tuple(
            _part(question, item, values, few)
            for question in design.questions()
            for item in _items(question)
        ),
        trend=_shown(averages, MONTH, few)[-MOST_MONTHS:],
        segments=_shown(averages, SEGMENT, few, found.hidden)[:MOST_SEGMENTS],
        few=few,
        crowd=crowd,
        hidden=found.hidden,
    )


Values = Mapping[tuple[str, str], Counter[str]]
# How many answers, and the mean of their scores with how many were scored.
Averages = Mapping[tuple[str, str], tuple[int, float | None, int]]


def _shown(
    averages: Averages, cut: str, few: int, hidden: frozenset[str] = frozenset()
) -> tuple[tuple[str, int, float | None], ...]:
    """Months in their order, products by how many answered; means only of enough answers."""
    found = [
        (key, n, average if k >= few and key not in hidden else None)
        for (of, key), (n, average, k) in averages.items()
        if of == cut
    ]
    if cut == MONTH:
        return tuple(sorted(found))
    return tuple(sorted(found, key=lambda line: (-line[1], line[0])))


def _items(question: Question) -> Sequence[str]:
    if question.kind is QuestionKind.MATRIX:
        return [option.code for option in question.options]
    return [""] if question.kind.value in NUMBERS or question.options else []


def _part(question: Question, item: str, values: Values, few: int) -> Part:
    counted = values.get((question.code, item), Counter())
    # Only what this version can hold: an older one may have had other options.
    given = Counter({value: counted[value] for value in question.values()})
    n = given.total()
    if question.kind is QuestionKind.CHOICES:
        answered = values.get((question.code, "_n"), Counter()).total()
        n = max([answered, *given.values()])
    enough = n >= few
    bars = tuple(
        Bar(value, given[value], statistics.share(given[value], n) if enough else None)
        for value in question.values()
    )
    if not enough or question.kind.value not in NUMBERS | {QuestionKind.MATRIX.value}:
        return Part(question, item, n, bars)
    numbers: dict[float, int] = {int(value): k for value, k in given.items()}
    return Part(
        question, item, n, bars,
        mean=statistics.mean(numbers),
        nps=statistics.nps(numbers) if question.kind is QuestionKind.NPS else None,
    )  # fmt: skip


def _average(scores: Counter[float], few: int) -> float | None:
    n = scores.total()
    return sum(value * k for value, k in scores.items()) / n if n >= few else None


# -- response ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """A group of those asked: how many, and how many answered."""

    name: str
    asked: int
    answered: int
    undeliverable: int
    waiting: int
    rate: Estimate | None


def response(ctx: TenantContext, campaign: Campaign) -> tuple[Group, Sequence[Group], Independence]:
    """Who answered and who did not, whole and by group, and whether the groups differ.

    A group's unsigned answers are known only as far as they were marked together, and groups in
    which one could count on one's fingers who took part are put together.
    """
    few = ctx.settings(SurveySatisfactionSettings).few
    rows = ctx.session.execute(
        select(Invitation.segment, Invitation.state, func.count())
        .where(Invitation.campaign_id == campaign.id)
        .group_by(Invitation.segment, Invitation.state)
    )
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for segment, state, k in rows:
        states[segment][state] += k
    shown = _put_together(states) if telling.hides(campaign) else states
    groups = [_group(name, counted, few) for name, counted in shown.items()]
    groups.sort(key=lambda group: (-group.asked, group.name))
    whole = _group("", sum(states.values(), Counter()), few)
    table = [[g.answered, g.asked - g.answered] for g in groups if g.asked]
    return whole, groups[:MOST_SEGMENTS], statistics.independence(table)


def _put_together(states: Mapping[str, Counter[str]]) -> Mapping[str, Counter[str]]:
    asked = {name: _asked(counted) for name, counted in states.items()}
    hidden = hiding.small(asked, CROWD)
    kept = {name: counted for name, counted in states.items() if name not in hidden}
    if not hidden:
        return kept
    return {**kept, REST: sum((states[name] for name in hidden), Counter())}


def _asked(states: Mapping[str, int]) -> int:
    return sum(states.get(state.value, 0) for state in ASKED)


def _group(name: str, states: Mapping[str, int], few: int) -> Group:
    asked = _asked(states)
    answered = sum(states.get(s.value, 0) for s in (State.ANSWERED, State.TURNED_IN))
    return Group(
        name, asked, answered, states.get(State.UNDELIVERABLE.value, 0),
        states.get(State.WAITING.value, 0),
        statistics.share(answered, asked) if asked >= few else None,
    )  # fmt: skip


# -- all campaigns -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overview:
    """A campaign in the list."""

    campaign: Campaign
    asked: int
    n: int
    low: int | None
    score: float | None
    too_few: bool


def overview(ctx: TenantContext, listed: Sequence[Campaign]) -> Sequence[Overview]:
    """How each stands, in two queries for any number of campaigns."""
    settings = ctx.settings(SurveySatisfactionSettings)
    few = settings.few
    asked = {
        campaign: int(n)
        for campaign, n in ctx.session.execute(
            select(Invitation.campaign_id, func.count())
            .where(Invitation.state.in_([state.value for state in ASKED]))
            .group_by(Invitation.campaign_id)
        )
    }
    counts: dict[uuid.UUID, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    rows = ctx.session.execute(
        select(Tally.campaign_id, Tally.question, Tally.value, func.sum(Tally.n))
        .where(Tally.cut == WHOLE, Tally.question.in_(OWN))
        .group_by(Tally.campaign_id, Tally.question, Tally.value)
    )
    for campaign_id, question, value, k in rows:
        counts[campaign_id][question][value] += int(k)
    found = []
    for campaign in listed:
        mine = counts[campaign.id]
        n = mine[ALL].total()
        scores = Counter({float(v): k for v, k in mine[SCORE].items()})
        found.append(
            Overview(
                campaign, asked.get(campaign.id, 0), n,
                None if telling.hides(campaign) and n < settings.batch else mine[LOW].total(),
                _average(scores, few), n < few,
            )
        )  # fmt: skip
    return found


def few_of(ctx: TenantContext) -> int:
    """From how many answers on shares and means are shown."""
    return ctx.settings(SurveySatisfactionSettings).few
