"""The choice itself: a pure function of the case, the rules and the people.

Rules are tried in their order; the first that speaks and finds somebody decides.  Among those it
finds, whoever has the fewest open cases takes it, then whoever has waited longest.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from huiyin.assignment.schemas import Conditions, Wants


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What a rule may ask of a case; ``words`` is what the complainant wrote."""

    kind: str
    group: str
    fund: uuid.UUID | None
    language: str
    channel: str
    source: str
    words: str
    walled: Collection[uuid.UUID] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may own cases.  ``load`` counts open ones, ``last`` when they last got one."""

    id: uuid.UUID
    name: str
    department: str = ""
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    most: int = 0
    away: tuple[date | None, date | None] = (None, None)
    load: int = 0
    last: datetime | None = None
    on_duty: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    title: str
    conditions: Conditions
    wants: Wants
    active: bool = True


@dataclass(frozen=True, slots=True)
class Skip:
    """Somebody a rule would have found, and why not; a code of ``SKIPS``."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of it.  Without ``person`` nobody was found; ``rule`` is the last that spoke."""

    rule: str = ""
    person: Person | None = None
    skipped: tuple[Skip, ...] = field(default=())


def choose(case: CaseFacts, rules: Sequence[Rule], people: Sequence[Person], on: date) -> Choice:
    """Who takes the case on that day."""
    spoke, skipped = "", []
    for rule in rules:
        if not rule.active or not speaks_of(rule.conditions, case):
            continue
        spoke = rule.title
        able: list[Person] = []
        for person in people:
            if rule.wants.people and person.id not in rule.wants.people:
                continue
            why = why_not(person, rule.wants, case, on)
            if why:
                skipped.append(Skip(person.name, why))
            else:
                able.append(person)
        if able:
            return Choice(spoke, min(able, key=_turn), tuple(dict.fromkeys(skipped)))
    return Choice(spoke, None, tuple(dict.fromkeys(skipped)))


def _turn(person: Person) -> tuple[int, float, str, bytes]:
    waited = person.last.timestamp() if person.last else 0.0
    return person.load, waited, person.name, person.id.bytes


def speaks_of(wanted: Conditions, case: CaseFacts) -> bool:
    """Whether every condition that is given holds."""
    asked = (
        (wanted.kinds, case.kind), (wanted.groups, case.group), (wanted.funds, case.fund),
        (wanted.languages, case.language), (wanted.channels, case.channel),
        (wanted.sources, case.source),
    )  # fmt: skip
    return all(not given or value in given for given, value in asked)


def why_not(person: Person, wants: Wants, case: CaseFacts, on: date) -> str:
    """The first reason against a person, ``""`` for none.  Conflicts come before everything."""
    begins, ends = person.away
    against = (
        ("walled", person.id in case.walled),
        ("named", len(person.name) > 1 and person.name in case.words),
        ("away", begins is not None and begins <= on and (ends is None or on <= ends)),
        ("department", bool(wants.department) and person.department != wants.department),
        ("skill", not set(wants.skills) <= person.skills),
        ("language", wants.speaks and case.language not in person.languages),
        ("off_duty", wants.on_duty and not person.on_duty),
        ("full", bool(person.most) and person.load >= person.most),
    )
    return next((why for why, holds in against if holds), "")
