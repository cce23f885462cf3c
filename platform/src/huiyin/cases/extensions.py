"""More time for the written answer: asked by whoever handles, granted by somebody who does not.

How much there may be is the policy's rule; a date that has passed is not mended afterwards, and
a request that waited so long can still be refused or taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from huiyin.cases.change import Deed, change
from huiyin.cases.models import Case
from huiyin.cases.verbs import EXTENSION_ASKED
from huiyin.clocks import service as clocks
from huiyin.clocks.policy import Allowance, Complexity
from huiyin.clocks.rules import Clock, Facts
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now

KIND: Final = "reply"
ASKED: Final = EXTENSION_ASKED
APPROVE: Final = "extension.approve"


@dataclass(frozen=True, slots=True)
class Leeway:
    """What the policy still allows: the present date, the most days more, and their unit."""

    due_on: date
    most: int
    unit: str


def leeway(case: Case) -> Leeway:
    """How far the answer's date may still be moved.

    Raises ``Conflict`` when no answer is due, the date has passed, or the extensions are used.
    """
    clock = _reply(case, case.clock_events)
    allowed = _allowance()
    if clock is None or allowed is None:
        raise Conflict(N_("当前没有可以延期的书面答复期限"))
    if now() > clock.due_at:
        raise Conflict(N_("书面答复期限已过，延期不改变届满日，请尽快答复"))
    if _used(case) >= allowed.times:
        raise Conflict(N_("延期次数已用完，最多 {n} 次"), n=allowed.times)
    return Leeway(clock.due_on, allowed.amount, allowed.unit.value)


def _allowance() -> Allowance | None:
    rules = clocks.policy().rules_for(KIND)
    return rules[0].extension if rules else None


def _used(case: Case) -> int:
    """Extensions of the present round; a reopened case begins a new one."""
    used = 0
    for event in case.clock_events:
        if event["kind"] == "reopened":
            used = 0
        used += event["kind"] == "extended" and event["data"].get("kind") == KIND
    return used


def _reply(case: Case, events: list[Any]) -> Clock | None:
    found = clocks.replay(
        events, Facts(intake=case.intake_type, complexity=Complexity(case.complexity))
    )
    return next((clock for clock in found if clock.kind == KIND and clock.open), None)


def asked(case: Case) -> Mapping[str, Any] | None:
    """The request that waits for an answer: ``at``, ``by``, ``by_id``, ``note``, ``days``."""
    found: Mapping[str, Any] | None = case.facts.get(ASKED)
    return found


def ask_extension(
    session: ScopedSession, actor: Actor, number: str, days: int, reason: str, *, rev: int
) -> Case:
    """Ask for so many days more (in the policy's unit); the reason goes to the complainant.

    Raises ``Invalid`` (field ``days``) beyond what the policy allows, or ``Conflict``.
    """

    def apply(case: Case) -> None:
        if asked(case):
            raise Conflict(N_("已有一份延期申请待批，请等待批复"))
        room = leeway(case)
        if not 1 <= days <= room.most:
            raise Invalid({"days": Message(N_("最多可延期 {n} 日"), {"n": room.most})})
        case.facts = {
            **case.facts,
            ASKED: {
                "at": now().isoformat(), "by": actor.name, "by_id": str(actor.id),
                "note": reason, "days": days,
            },
        }  # fmt: skip

    return change(
        session, actor, number,
        Deed("extend", body=reason, apply=apply, data={"days": days}, facts={"days": days}),
        rev=rev,
    )  # fmt: skip


def grant_extension(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Grant what was asked for; the complainant is told the reason and the new date.

    The entry carries the reason as it was asked, because the notice quotes it.
    """
    deed = Deed("grant_extension")

    def apply(case: Case) -> None:
        request = _pending(case)
        room = leeway(case)
        data = {"kind": KIND, "amount": min(int(request["days"]), room.most), "unit": room.unit}
        extended = clocks.event("extended", now(), **data)
        after = _reply(case, [*case.clock_events, extended])
        if after is None or after.due_on <= room.due_on:
            raise Conflict(N_("延期后的日期没有变化，已达最长期限"))
        case.facts = {name: fact for name, fact in case.facts.items() if name != ASKED}
        dates = {"previous": room.due_on.isoformat(), "due": after.due_on.isoformat()}
        deed.body = str(request["note"])
        deed.clock_data, deed.outbox_data = data, dates
        deed.data = {"days": data["amount"], **dates}
        deed.facts = {"days": data["amount"], "asked_by": request["by_id"], **dates}

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def refuse_extension(
    session: ScopedSession, actor: Actor, number: str, reason: str, *, rev: int
) -> Case:
    """Leave the date where it is, and say why."""
    return change(session, actor, number, _dropping("refuse_extension", reason), rev=rev)


def withdraw_extension(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Take the request back; nothing changes."""
    return change(session, actor, number, _dropping("withdraw_extension"), rev=rev)


def _dropping(verb: str, reason: str = "") -> Deed:
    deed = Deed(verb, body=reason)

    def apply(case: Case) -> None:
        request = _pending(case)
        case.facts = {name: fact for name, fact in case.facts.items() if name != ASKED}
        deed.data = {"days": request["days"]}
        deed.facts = {"days": request["days"], "asked_by": request["by_id"]}

    deed.apply = apply
    return deed


def _pending(case: Case) -> Mapping[str, Any]:
    request = asked(case)
    if request is None:
        raise Conflict(N_("没有待批的延期申请，请刷新页面"))
    return request
