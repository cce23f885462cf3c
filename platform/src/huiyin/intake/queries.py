"""What the pages of arrivals read: fixed numbers of queries, keyset-paged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from huiyin.cases.models import Case
from huiyin.cases.queries import PAGE, key_of, parse_key, visible
from huiyin.cases.waiting import also_count, fixed
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.kit.i18n import N_

_S: Final = ArrivalState
# The three lists: what waits, what has its place, what was put aside.
TABS: Final = {
    "waiting": N_("待识别"),
    "placed": N_("已归入"),
    "aside": N_("未处理"),
}
_STATES: Final = {
    "waiting": (_S.WAITING, _S.RECEIVED),
    "placed": (_S.FILED, _S.JOINED, _S.RETURNED),
    "aside": (_S.IGNORED,),
}


def open_to(me: Any) -> ColumnElement[bool]:
    """Not what may belong to a case in which this person is named: it may be about them."""
    one = func.jsonb_array_elements(Arrival.candidates).column_valued("one")
    number = one.op("->>")(literal_column("'number'"))
    named = aliased(Case)  # a list joins the case an arrival belongs to as well
    return ~select(named.id).where(named.number == number, named.walled.any_() == me).exists()


also_count(
    "arrivals", Arrival.id,
    and_(Arrival.state == fixed(_S.WAITING), open_to(bindparam("me", type_=Uuid))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArrivalPage:
    """One page of a list; ``after`` is the key of the next, ``""`` on the last."""

    rows: Sequence[Any]
    after: str


def arrivals(session: ScopedSession, actor: Actor, tab: str, *, after: str = "") -> ArrivalPage:
    """Newest first; what belongs or may belong to a case hidden from this person is not there."""
    query = (
        select(
            Arrival.id, Arrival.received_at, Arrival.channel, Arrival.state, Arrival.reason,
            Arrival.sender_name, Arrival.sender_address, Arrival.subject, Case.number,
        )
        .outerjoin(Case, Case.id == Arrival.case_id)
        .where(
            Arrival.state.in_([state.value for state in _STATES[tab]]),
            or_(Arrival.case_id.is_(None), visible(actor)),
            open_to(actor.id),
        )
        .order_by(Arrival.received_at.desc(), Arrival.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    if key := parse_key(after):
        query = query.where(tuple_(Arrival.received_at, Arrival.id) < key)
    rows = session.execute(query).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return ArrivalPage(rows[:PAGE], key_of(last.received_at, last.id) if last else "")


def candidates(session: ScopedSession, actor: Actor, arrival: Arrival) -> list[dict[str, Any]]:
    """The cases it may belong to that this person may know of, in the order they were found."""
    why = {one["number"]: one["why"] for one in arrival.candidates}
    if not why:
        return []
    rows = session.execute(
        select(Case.number, Case.title, Case.stage, Case.state, Case.received_at).where(
            Case.number.in_(why), visible(actor)
        )
    ).all()
    found = {row.number: {**row._mapping, "why": why[row.number]} for row in rows}  # noqa: SLF001 - public in SQLAlchemy
    return [found[number] for number in why if number in found]
