"""The complainant's side of a case: what the holder of the code sees and may do.

The answer to a wrong code and to a case that does not exist is the same; tries are counted by
whoever calls, before anything is looked up.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from huiyin.cases.change import Deed, change
from huiyin.cases.filing import code_hash
from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import PUBLIC_TITLES, Audience, EntryKind, PublicStage, Stage
from huiyin.cases.verbs import REVIEW_ASKED
from huiyin.clocks.models import ClockRow
from huiyin.clocks.service import promised_reply
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, NotFound
from huiyin.kit.i18n import N_
from huiyin.kit.time import now


@dataclass(frozen=True, slots=True)
class PublicStep:
    """One of the five public stages with its date; ``state`` is done, current or ahead."""

    stage: PublicStage
    title: str
    state: str
    on: date | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """Everything the portal may show of a case, and nothing else."""

    case: Case
    steps: tuple[PublicStep, ...]
    messages: Sequence[Entry]
    promised_by: date | None  # 书面答复最晚日期
    next_date: date | None  # the next date somebody told them to expect word by
    provisional: bool


def by_code(session: ScopedSession, code: str, *, number: str | None = None) -> Case:
    """The case of a tracking code; ``NotFound`` alike for a wrong code and a wrong number."""
    digest = code_hash(code)
    case = session.scalar(select(Case).where(Case.code_hash == digest))
    if case is None or not hmac.compare_digest(case.code_hash, digest):
        raise NotFound(N_("没有找到对应的投诉，请核对编号与查询码"))
    if number is not None and not hmac.compare_digest(number.encode(), case.number.encode()):
        raise NotFound(N_("没有找到对应的投诉，请核对编号与查询码"))
    return case


def track(session: ScopedSession, case: Case) -> Tracked:
    """What the complainant sees: three queries, whatever the case holds."""
    messages = session.scalars(
        select(Entry)
        .where(Entry.case_id == case.id, Entry.audience == Audience.COMPLAINANT.value)
        .order_by(Entry.seq.desc())
        .limit(100)
    ).all()
    clocks = session.scalars(
        select(ClockRow).where(ClockRow.case_id == case.id, ClockRow.audience == "complainant")
    ).all()
    running = [c for c in clocks if c.stopped_at is None]
    nearest = min(running, key=lambda c: c.due_at, default=None)
    return Tracked(
        case=case,
        steps=public_steps(case),
        messages=messages,
        promised_by=promised_reply(running),
        next_date=nearest.due_on if nearest else None,
        provisional=any(c.provisional for c in running),
    )


_DATES = {
    PublicStage.RECEIVED: (Stage.INTAKE,),
    PublicStage.ACCEPTED: (Stage.PRELIMINARY,),
    PublicStage.INVESTIGATING: (Stage.PRELIMINARY, Stage.INVESTIGATION),
    PublicStage.RESOLVING: (Stage.PLAN,),
    PublicStage.ANSWERED: (Stage.RESPONSE,),
}


def public_steps(case: Case) -> tuple[PublicStep, ...]:
    """The five public stages as they stand; approval and enquiry stay inside."""
    order = tuple(PublicStage)
    at = order.index(case.public_stage)
    steps = []
    for index, stage in enumerate(order):
        days = [case.stage_dates.get(s.value) for s in _DATES[stage]]
        first = next((day for day in days if day), None)
        state = "done" if index < at or case.finished else "current" if index == at else "ahead"
        on = date.fromisoformat(first) if first and state != "ahead" else None
        steps.append(PublicStep(stage, PUBLIC_TITLES[stage], state, on))
    return tuple(steps)


def say(session: ScopedSession, actor: Actor, case: Case, body: str, *, road: str = "") -> Case:
    """A message from the complainant; an objection, once the firm has ended the case itself.

    ``road`` is the channel by which it came, if not by the portal.
    """
    if not case.is_open and case.ended_by_firm and REVIEW_ASKED not in case.facts:
        return ask_review(session, actor, case, body)
    return change(
        session,
        actor,
        case.number,
        Deed(
            "say",
            body=body,
            kind=EntryKind.MESSAGE_IN,
            audience=Audience.COMPLAINANT,
            data={"road": road} if road else {},
        ),
    )


def withdraw(session: ScopedSession, actor: Actor, case: Case, reason: str) -> Case:
    """The complainant takes the complaint back; the record stays."""
    return change(
        session,
        actor,
        case.number,
        Deed("withdraw", body=reason, audience=Audience.COMPLAINANT),
    )


def review_asked(case: Case) -> bool:
    """Whether the complainant waits for an answer to having asked for a review."""
    return REVIEW_ASKED in case.facts


def may_ask_review(case: Case) -> bool:
    """Whether there is a decision of the firm to object to."""
    return case.answered_at is not None or case.ended_by_firm


def ask_review(session: ScopedSession, actor: Actor, case: Case, reason: str) -> Case:
    """Ask for a review by someone new; possible once there is an answer, or an end without one."""
    if not may_ask_review(case):
        raise Conflict(N_("书面答复作出后可以要求复核，当前可以直接留言"))
    if REVIEW_ASKED in case.facts:
        raise Conflict(N_("已经收到您的复核要求，请等待答复"))

    def apply(case: Case) -> None:
        case.facts = {**case.facts, REVIEW_ASKED: {"at": now().isoformat()}}

    return change(
        session, actor, case.number,
        Deed(
            "ask_review", body=reason, kind=EntryKind.MESSAGE_IN, audience=Audience.COMPLAINANT,
            apply=apply,
        ),
    )  # fmt: skip


def last_word(messages: Sequence[Entry]) -> datetime | None:
    """When the firm last wrote."""
    return next((m.at for m in messages if m.kind == EntryKind.MESSAGE_OUT), None)
