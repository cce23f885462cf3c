"""What staff may choose from, and whether a choice needs somebody else's word."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_, Message, Translator
from huiyin.policies.catalogue import (
    Category,
    CategoryGroup,
    Cause,
    CauseGroup,
    GroupLevel,
    GroupStep,
    SeverityRule,
    categories,
    category_of,
    cause_groups,
    causes,
    groups,
    public_topics,
    severity_rules,
    severity_table,
)


def grouped_categories() -> tuple[tuple[CategoryGroup, tuple[Category, ...]], ...]:
    """Every group with its leaves, for a picker."""
    leaves = categories().values()
    return tuple(
        (group, tuple(leaf for leaf in leaves if leaf.group == group.code))
        for group in groups().values()
    )


def grouped_causes() -> tuple[tuple[CauseGroup, tuple[Cause, ...]], ...]:
    """Every group of root causes with its leaves, for a picker."""
    return tuple(
        (group, tuple(cause for cause in causes().values() if cause.group == group.code))
        for group in cause_groups().values()
    )


def categories_of_topic(topic: str) -> tuple[Category, ...]:
    """The leaves a public answer may turn out to be; raises ``Invalid`` (``topic``) if unknown."""
    if topic not in public_topics():
        raise Invalid({"topic": Message(N_("请选择最接近的一类问题"))})
    return tuple(leaf for leaf in categories().values() if leaf.topic == topic)


def find_categories(words: str, translator: Translator) -> tuple[Category, ...]:
    """Leaves whose code, title or plain words hold every word typed, in either language."""
    wanted = words.casefold().split()
    return tuple(leaf for leaf in categories().values() if _holds(leaf, wanted, translator))


def _holds(leaf: Category, wanted: list[str], translator: Translator) -> bool:
    texts = (leaf.code, leaf.title, leaf.english, leaf.plain, translator(leaf.plain))
    text = "\n".join(texts).casefold()
    return all(word in text for word in wanted)


def cause_of(code: str) -> Cause:
    """The root cause of this code; raises ``Invalid`` (field ``cause``) if there is none."""
    try:
        return causes()[code]
    except KeyError:
        raise Invalid({"cause": Message(N_("请从根因表中选择主要根因"))}) from None


def severity_of(code: str) -> SeverityRule:
    """The level of this code; raises ``Invalid`` (field ``severity``) if there is none."""
    try:
        return severity_rules()[code]
    except KeyError:
        raise Invalid({"severity": Message(N_("请选择一般、较重、重大或特别重大"))}) from None


def lowers(category: str, severity: str) -> bool:
    """Whether this level is below the leaf's own, which only an approver may allow."""
    order = tuple(severity_rules())
    floor = category_of(category).severity
    return order.index(severity_of(severity).code) < order.index(floor)


def review_needed(category: str, severity: str) -> bool:
    """Whether compliance must be heard, because of the leaf or because of the level."""
    return category_of(category).review or severity_of(severity).review


def group_steps() -> Mapping[GroupLevel, GroupStep]:
    """The words, threshold and consequence of each level of group watch."""
    return MappingProxyType({step.level: step for step in severity_table().group.steps})
