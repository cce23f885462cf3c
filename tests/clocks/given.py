"""What the tests of clocks are given: moments, events, and the default policy."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import msgspec

from huiyin.clocks.policy import (
    default_policy,
)
from huiyin.clocks.rules import CaseEvent, Clock, Facts, compute
from huiyin.kit.calendar import shipped
from huiyin.kit.time import at_local

CALENDAR = shipped()
POLICY = default_policy()
SOURCE = Path(__file__).parents[2] / "platform/src/huiyin/clocks/default_policy.toml"


def at(text: str) -> datetime:
    """``2026-02-13`` at ten, or ``2026-02-13 17:30``, in Shanghai."""
    day, _, clock = text.partition(" ")
    hour, minute = map(int, (clock or "10:00").split(":"))
    return at_local(date.fromisoformat(day), hour, minute)


def event(kind: str, when: str, /, **data: object) -> CaseEvent:
    return CaseEvent(kind, at(when), data)


def clocks(*events: CaseEvent, **facts: object) -> dict[str, Clock]:
    return {clock.key: clock for clock in compute(events, POLICY, CALENDAR, Facts(**facts))}


def with_rule(kind: str, **changes: object):
    """The default policy with one rule changed."""
    rules = tuple(
        msgspec.structs.replace(rule, **changes) if rule.kind == kind else rule
        for rule in POLICY.rules
    )
    return msgspec.structs.replace(POLICY, rules=rules)


def day(text: str) -> date:
    return date.fromisoformat(text)


def entered(stage: str, when: str) -> CaseEvent:
    return event("stage_entered", when, stage=stage)
