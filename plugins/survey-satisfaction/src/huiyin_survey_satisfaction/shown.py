"""Results in words and numbers, so that the page only has to lay them out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from huiyin.sdk import N_, Message, TenantContext
from huiyin_survey_satisfaction.designs import Question
from huiyin_survey_satisfaction.results import Bar, Part
from huiyin_survey_satisfaction.statistics import Estimate
from huiyin_survey_satisfaction.wording import CSAT_WORDS, QuestionKind


@dataclass(frozen=True, slots=True)
class ShownBar:
    """A value: its name, its bar (0 to 100, none where there are too few) and its count."""

    label: str
    width: int | None
    text: str
    interval: str


@dataclass(frozen=True, slots=True)
class ShownPart:
    title: str
    n: int
    mean: str
    interval: str
    bars: tuple[ShownBar, ...]


def shown(ctx: TenantContext, parts: Sequence[Part]) -> list[ShownPart]:
    """Each question and line of a matrix, in the reader's language."""
    return [_part(ctx, part) for part in parts]


def csat_word(ctx: TenantContext, n: int) -> str:
    """What a step of the five is called; the middle one's word means other things elsewhere."""
    if n == 3:
        return ctx.translator.context("satisfaction", "一般")
    return ctx.text(CSAT_WORDS[n])


def value_titles(ctx: TenantContext, question: Question) -> dict[str, str]:
    """What the values of a question are called."""
    language = ctx.translator.language
    if question.kind is QuestionKind.CSAT:
        return {str(n): csat_word(ctx, n) for n in CSAT_WORDS}
    if question.kind in {QuestionKind.CHOICE, QuestionKind.CHOICES}:
        return {option.code: option.words.say(language) for option in question.options}
    return {value: value for value in question.values()}


def _part(ctx: TenantContext, part: Part) -> ShownPart:
    language = ctx.translator.language
    title = part.question.title.say(language)
    if part.item:
        lines = {option.code: option.words.say(language) for option in part.question.options}
        title = f"{title} · {lines[part.item]}"
    titles = value_titles(ctx, part.question)
    mean, interval = "", ""
    if part.nps is not None:
        mean, interval = f"NPS {part.nps.value:+.0f}", span(ctx, part.nps, 0)
    elif part.mean is not None:
        mean = ctx.text(Message(N_("均值 {n}"), {"n": f"{part.mean.value:.2f}"}))
        interval = span(ctx, part.mean, 2)
    bars = tuple(_bar(bar, titles[bar.value]) for bar in part.bars)
    return ShownPart(title, part.n, mean, interval, bars)


def _bar(bar: Bar, label: str) -> ShownBar:
    share = bar.share
    if share is None:
        return ShownBar(label, None, str(bar.n), "")
    percent = f"{bar.n} · {share.value:.0%}"
    return ShownBar(
        label, round(share.value * 100), percent, f"({share.low * 100:.0f}–{share.high * 100:.0f})"
    )


def span(ctx: TenantContext, of: Estimate | None, digits: int, times: int = 1) -> str:
    """The interval in words; one value alone has none."""
    if of is None or math.isnan(of.low):
        return ""
    low, high = (f"{end * times:.{digits}f}".replace("-", "−") for end in (of.low, of.high))
    return ctx.text(Message(N_("95% 区间 {low} 至 {high}"), {"low": low, "high": high}))
