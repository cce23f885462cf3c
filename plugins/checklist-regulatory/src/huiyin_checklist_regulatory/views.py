"""Items and packs as a reader sees them, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from huiyin.sdk import N_, Message, Period
from huiyin_checklist_regulatory import library
from huiyin_checklist_regulatory.packfile import Cite, Item, Pack, Source
from huiyin_checklist_regulatory.standing import Standing, verdict
from huiyin_checklist_regulatory.terms import (
    CONFIDENCE_TITLES,
    DUTY_TITLES,
    FORCE_TITLES,
    SCOPE_TITLES,
    Answer,
    Applies,
)

Reasons = Sequence[Sequence[Any]]  # [fact, answer or None]


def pick(zh: str, en: str, language: str) -> str:
    return en if language == "en" else zh


@dataclass(frozen=True, slots=True)
class CiteView:
    """One citation: which document, where in it, of what force, and how sure we are."""

    cite: Cite
    source: Source
    language: str

    @property
    def label(self) -> str:
        name = pick(self.source.instrument_zh, self.source.instrument_en, self.language)
        article = pick(self.cite.article_zh, self.cite.article_en, self.language)
        if self.language == "en":
            number = (
                f" ({self.source.number})"
                if self.source.number.isascii() and self.source.number
                else ""
            )
            return f"{name}{number}{', ' + article if article else ''}"
        number = f"（{self.source.number}）" if self.source.number else ""
        return f"《{name}》{number}{article}"

    @property
    def force(self) -> str:
        return FORCE_TITLES[self.source.force]

    @property
    def scope(self) -> str:
        return SCOPE_TITLES[self.source.scope]

    @property
    def confidence(self) -> str:
        return CONFIDENCE_TITLES[self.cite.confidence]

    def in_force(self, on: date) -> str:
        """A word when the source is not in force that day."""
        if self.source.effective_from and on < self.source.effective_from:
            return N_("尚未施行")
        if self.source.effective_to and on > self.source.effective_to:
            return N_("已失效")
        return ""


@dataclass(frozen=True)
class ItemView:
    """An item with its sources."""

    item: Item
    sources: Mapping[str, Source]
    language: str

    @classmethod
    def of_pack(cls, pack: Pack, item: Item, language: str) -> ItemView:
        return cls(item, pack.sources, language)

    @classmethod
    def of_content(cls, content: Mapping[str, Any], language: str) -> ItemView:
        """From what a run has kept."""
        return cls(
            msgspec.convert(content["item"], Item),
            msgspec.convert(content["sources"], dict[str, Source]),
            language,
        )

    @property
    def text(self) -> str:
        return pick(self.item.text_zh, self.item.text_en, self.language)

    @property
    def duty(self) -> str:
        return DUTY_TITLES[self.item.duty]

    @cached_property
    def cites(self) -> list[CiteView]:
        return [CiteView(c, self.sources[c.source], self.language) for c in self.item.cites]

    @property
    def citation(self) -> str:
        return ("; " if self.language == "en" else "；").join(c.label for c in self.cites)

    @property
    def confidence(self) -> str:
        return CONFIDENCE_TITLES[self.item.confidence]

    @property
    def evidence_types(self) -> str:
        zh = "、".join(self.item.evidence_types_zh)
        return pick(zh, ", ".join(self.item.evidence_types_en), self.language)

    def binds(self, concerns: str, period: Period) -> bool:
        """Whether the item concerned the firm, every source in force on each day of the period."""
        days = (period.since, period.until)
        in_force = not any(cite.in_force(day) for cite in self.cites for day in days)
        return concerns == Applies.YES and in_force

    def verdict(
        self, answer: str | None, standing: Standing, *, concerns: str, period: Period
    ) -> Message | None:
        given = Answer(answer) if answer else None
        binds = self.binds(concerns, period)
        return verdict(self.item, given, standing, self.citation, binds=binds)


def content_of(pack: Pack, item: Item) -> dict[str, Any]:
    """What a run keeps of an item, so that it reads the same when the pack is long gone."""
    cited = {cite.source: pack.sources[cite.source] for cite in item.cites}
    kept: dict[str, Any] = msgspec.to_builtins({"item": item, "sources": cited})
    return kept


# -- applicability -----------------------------------------------------------------------------


def applies(keys: Sequence[str], answers: Mapping[str, bool]) -> tuple[Applies, list[list[Any]]]:
    """Whether a rule on facts holds, and each fact it rests on: all must be so."""
    reasons: list[list[Any]] = [[key, answers.get(key)] for key in keys]
    known = [answer for _, answer in reasons]
    if False in known:
        return Applies.NO, reasons
    return (Applies.OPEN if None in known else Applies.YES), reasons


def item_applies(
    pack: Pack, item: Item, answers: Mapping[str, bool]
) -> tuple[Applies, list[list[Any]]]:
    """An item concerns whom its pack concerns, if its own rule holds too."""
    return applies(tuple(dict.fromkeys((*pack.when, *item.when))), answers)


def why(reasons: Reasons, language: str) -> list[Message]:
    """The reasons in words."""
    if not reasons:
        return [Message(N_("适用于所有机构"))]
    said = {True: N_("{fact}：是"), False: N_("{fact}：否"), None: N_("{fact}：未回答")}
    known = library.facts()
    return [
        Message(
            said[answer], {"fact": pick(known[key].question_zh, known[key].question_en, language)}
        )
        for key, answer in reasons
        if key in known
    ]
