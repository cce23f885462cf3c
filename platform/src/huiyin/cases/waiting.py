"""What waits for somebody: its conditions, and the numbers beside the navigation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    union,
)

from huiyin.cases.models import Case, Participation
from huiyin.cases.stages import CaseState, Stage
from huiyin.cases.verbs import (
    ANSWER_WAITS,
    END_ASKED,
    EXTENSION_ASKED,
    MERGED_OWED,
    RETYPE_ASKED,
)
from huiyin.clocks.service import calendar
from huiyin.db import Ready
from huiyin.identity.models import RoleGrant
from huiyin.identity.policy import sees_all
from huiyin.kit.time import at_local, local_date, now

if TYPE_CHECKING:
    from huiyin.web.desk import Desk

CAP: Final = 100  # counts stop here
_AT_MOST: Final = literal_column(str(CAP), Integer)

# What waits for an approver: in words of their own, so that the partial indexes are found.
ASKED: Final = {
    fact: Case.facts.has_key(literal_column(f"'{fact}'"))
    for fact in (END_ASKED, RETYPE_ASKED, EXTENSION_ASKED)
}
UNSIGNED: Final = Case.facts.has_key(literal_column(f"'{ANSWER_WAITS}'"))
# An answer is signed in its own stage, and in a merged case as long as it is owed.
ANSWERABLE: Final = or_(
    and_(Case.state == CaseState.OPEN.value, Case.stage == Stage.RESPONSE.value),
    Case.facts.has_key(MERGED_OWED),
)


def fixed(value: str) -> ColumnElement[str]:
    """A word of ours that stands in the statement itself.

    A partial index serves a prepared statement only if the planner reads its condition there.
    """
    if not value.isidentifier():
        raise ValueError(f"{value!r} is no word")
    return literal_column(f"'{value}'", Text)


def in_reach(everything: bool) -> ColumnElement[bool]:
    """What ``queries.visible`` says, for whoever asks as the parameter ``me``."""
    me = bindparam("me", type_=Uuid)
    not_walled = ~(Case.walled.any_() == me)
    if everything:
        return not_walled
    # Whoever is in a team has a part, and parts have an index that finds the few of one person.
    parts = select(Participation.case_id).where(Participation.account_id == me)
    return and_(not_walled, Case.team.any_() == me, Case.id.in_(parts))


def counters(desk: Desk) -> Mapping[str, int]:
    """The numbers beside the navigation, in one query, each counted to a hundred at most."""
    actor = desk.actor
    if not actor.can("case.read"):
        return {}
    soon = at_local(calendar().add_workdays(local_date(now()), 3).on, 23, 59)
    found = counting(sees_all(actor.roles)).run(desk.session, me=actor.id, soon=soon).one()
    return dict(found._mapping)  # noqa: SLF001 - public in SQLAlchemy


_beside: list[tuple[str, Any, ColumnElement[bool]]] = []


def also_count(name: str, column: Any, condition: ColumnElement[bool]) -> None:
    """Let a slice above have its own number counted in the one query; asking twice is once."""
    if name not in {known for known, _, _ in _beside}:
        _beside.append((name, column, condition))
        counting.cache_clear()


def _up_to_cap(*reads: Select[Any]) -> Subquery:
    """The cases that one of these finds, each once; no read goes on beyond the cap.

    Their order is that of an index, so that the planner walks it and stops.
    """
    capped = [read.limit(_AT_MOST).subquery() for read in reads]
    if len(capped) == 1:
        return capped[0]
    return union(*(select(rows.c.id) for rows in capped)).limit(_AT_MOST).subquery()


def _waiting(everything: bool) -> dict[str, Subquery]:
    """What is counted of the cases, by the name of its line."""
    me, soon = bindparam("me", type_=Uuid), bindparam("soon", type_=DateTime(timezone=True))
    reach, due = in_reach(everything), (Case.next_due_at, Case.id)
    if not everything:  # found once, and the statement stays short enough to be remembered
        reach = Case.id.in_(select(select(Case.id).where(reach).cte("own").c.id))
    seen = select(Case.id).where(reach)
    is_open = Case.state == fixed(CaseState.OPEN)
    mine = or_(Case.owner_id == me, Case.investigator_id == me)
    unaccepted = and_(is_open, Case.stage == fixed(Stage.INTAKE))
    # Each by its own partial index: asked for in one OR, the planner reads the whole table.
    approvals = (
        and_(is_open, Case.stage == fixed(Stage.APPROVAL)),
        and_(is_open, Case.stage == fixed(Stage.ARCHIVE)),
        *(and_(is_open, waits) for waits in ASKED.values()),
        and_(UNSIGNED, ANSWERABLE),
    )
    return {
        "todo": _up_to_cap(seen.where(Case.next_due_at.is_not(None), mine)),
        "unaccepted": _up_to_cap(seen.where(unaccepted).order_by(Case.received_at, Case.id)),
        "approvals": _up_to_cap(*(seen.where(waits).order_by(*due) for waits in approvals)),
        "soon": _up_to_cap(seen.where(Case.next_due_at < soon).order_by(*due)),
    }


@cache
def counting(everything: bool) -> Ready:
    """The counts as one statement, put together once for each reach."""
    columns = [
        select(func.count()).select_from(rows).scalar_subquery().label(name)
        for name, rows in _waiting(everything).items()
    ]
    asked = select(RoleGrant.id).where(RoleGrant.state == fixed("asked")).limit(_AT_MOST).subquery()
    columns.append(select(func.count()).select_from(asked).scalar_subquery().label("grants"))
    for name, column, condition in _beside:
        rows = select(column).where(condition).limit(_AT_MOST).subquery()
        columns.append(select(func.count()).select_from(rows).scalar_subquery().label(name))
    return Ready(select(*columns))
