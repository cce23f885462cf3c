"""Taking, passing on and finding conversations; who may know of which."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_

from huiyin.sdk import (
    N_,
    Case,
    Colleague,
    Conflict,
    Invalid,
    NotFound,
    TenantContext,
    colleagues,
    visible_cases,
)
from huiyin_channel_chat import hours, talks
from huiyin_channel_chat.models import Conversation, Fate, Said, Side, State
from huiyin_channel_chat.terms import PRESENT, TALKERS

PAGE: Final = 50
TABS: Final = {
    "open": N_("进行中"), "undecided": N_("待判定"), "ended": N_("已结束"),
}  # fmt: skip
NOBODY: Final = N_("请选择一位可以接待的同事")
TAKEN: Final = N_("{name} 已接入这次对话")


def visible(ctx: TenantContext) -> ColumnElement[bool]:
    """The conversations this person may know of: none of a case that is hidden from them."""
    theirs = select(Case.id).where(visible_cases(ctx.actor))
    return or_(Conversation.case_id.is_(None), Conversation.case_id.in_(theirs))


def find(ctx: TenantContext, conversation_id: uuid.UUID) -> Conversation:
    """Raises ``NotFound``, for one that is hidden from this person too."""
    found = ctx.session.scalar(
        select(Conversation).where(Conversation.id == conversation_id, visible(ctx))
    )
    if found is None:
        raise NotFound
    return found


def take(ctx: TenantContext, conversation: Conversation) -> None:
    """Whoever comes first answers, for as long as they can; the same person twice is no fault."""
    talks.lock(ctx, conversation)
    if not conversation.is_open:
        raise Conflict(talks.ENDED)
    if conversation.officer_id == ctx.actor.id:
        return
    if not is_alone(ctx, conversation):
        raise Conflict(TAKEN, name=conversation.officer_name)
    _give(ctx, conversation, ctx.actor.id, ctx.actor.name)
    talks.note(ctx, conversation, talks.TOOK, name=ctx.actor.name)
    talks.changed(ctx, conversation)


def transfer(ctx: TenantContext, conversation: Conversation, to: str) -> None:
    """Pass it on to a colleague who may know of it."""
    chosen = next((one for one in fit(ctx, conversation) if str(one.id) == to), None)
    if chosen is None:
        raise Invalid({"to": NOBODY})
    talks.lock(ctx, conversation)
    if not conversation.is_open:
        raise Conflict(talks.ENDED)
    talks.must_be_mine(ctx, conversation)
    _give(ctx, conversation, chosen.id, chosen.name)
    talks.note(ctx, conversation, talks.PASSED, name=chosen.name)
    talks.changed(ctx, conversation)
    ctx.record("transferred", conversation.id, {"to": str(chosen.id)})


def _give(ctx: TenantContext, conversation: Conversation, who: uuid.UUID, name: str) -> None:
    conversation.officer_id, conversation.officer_name = who, name
    conversation.state = State.TAKEN.value
    conversation.taken_at = conversation.taken_at or ctx.now()


def release_from_walled(ctx: TenantContext, conversation: Conversation, case: Case) -> None:
    """An officer the case is hidden from answers no longer."""
    if conversation.officer_id is None or conversation.officer_id not in case.walled:
        return
    conversation.officer_id, conversation.officer_name = None, ""
    if conversation.is_open:
        conversation.state = State.WAITING.value
        talks.note(ctx, conversation, talks.LEFT_ALONE)


def is_alone(ctx: TenantContext, conversation: Conversation) -> bool:
    """Nobody has taken it, or whoever had it has left, may not know of its case any more, or has
    gone away from it."""
    able = any(one.id == conversation.officer_id for one in _able(ctx, conversation))
    return not able or _is_away(ctx, conversation)


def _is_away(ctx: TenantContext, conversation: Conversation) -> bool:
    """Whoever has it is not there, and has neither come to it nor said a word for as long."""
    if any(row.account_id == conversation.officer_id for row in hours.available(ctx)):
        return False
    came = and_(Said.side == Side.HOUSE.value, Said.body.in_((talks.TOOK, talks.PASSED)))
    seen = select(Said.id).where(
        Said.conversation_id == conversation.id, Said.at > ctx.now() - PRESENT,
        or_(Said.author_id == conversation.officer_id, came),
    )  # fmt: skip
    return ctx.session.scalar(seen.limit(1)) is None


def fit(ctx: TenantContext, conversation: Conversation) -> list[Colleague]:
    """Colleagues it could be passed on to."""
    return [one for one in _able(ctx, conversation) if one.id != conversation.officer_id]


def _able(ctx: TenantContext, conversation: Conversation) -> list[Colleague]:
    """Those who may answer in it."""
    case = None
    if conversation.case_id is not None:
        case = ctx.session.get(Case, (ctx.session.tenant, conversation.case_id))
    walled = set(case.walled) if case else set()
    return [
        one for one in colleagues(ctx.session)
        if one.roles & TALKERS and one.id not in walled
    ]  # fmt: skip


def with_presence(ctx: TenantContext, found: Sequence[Colleague]) -> list[tuple[Colleague, bool]]:
    """Those who are there first."""
    there = {row.account_id for row in hours.available(ctx)}
    return sorted(((one, one.id in there) for one in found), key=lambda pair: not pair[1])


# -- lists -------------------------------------------------------------------------------------


def _chosen(tab: str) -> ColumnElement[bool]:
    if tab == "undecided":
        return Conversation.fate == Fate.UNDECIDED.value
    if tab == "ended":
        return and_(
            Conversation.state == State.CLOSED.value, Conversation.fate != Fate.UNDECIDED.value
        )
    return Conversation.state != State.CLOSED.value


def listed(
    ctx: TenantContext, tab: str, key: str = ""
) -> tuple[Sequence[tuple[Conversation, str]], str]:
    """One page with the cases' numbers, and the key of the next; one query.

    What is open and undecided comes oldest first, what has ended newest first.
    """
    newest = tab == "ended"
    order = (Conversation.last_at, Conversation.id)
    query = (
        select(Conversation, Case.number)
        .outerjoin(Case, Case.id == Conversation.case_id)
        .where(_chosen(tab), visible(ctx))
        .order_by(*(column.desc() if newest else column for column in order))
        .limit(PAGE + 1)
    )
    if at := _read(key):
        here = tuple_(*order)
        query = query.where(here < at if newest else here > at)
    rows = [(row[0], row[1] or "") for row in ctx.session.execute(query)]
    if len(rows) <= PAGE:
        return rows, ""
    last = rows[PAGE - 1][0]
    return rows[:PAGE], f"{last.last_at.isoformat()}~{last.id}"


def _read(key: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, row = key.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at, uuid.UUID(row)) if at.tzinfo else None
    except ValueError:
        return None


def counts(ctx: TenantContext) -> dict[str, int]:
    """How many wait, and how many are to be decided; one query."""
    row = ctx.session.execute(
        select(
            func.count().filter(Conversation.state == State.WAITING.value),
            func.count().filter(Conversation.state == State.TAKEN.value),
            func.count().filter(Conversation.fate == Fate.UNDECIDED.value),
        ).where(
            visible(ctx),
            or_(
                Conversation.state != State.CLOSED.value,
                Conversation.fate == Fate.UNDECIDED.value,
            ),
        )
    ).one()
    return {"waiting": row[0], "taken": row[1], "undecided": row[2]}
