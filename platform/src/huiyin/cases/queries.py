"""What the staff pages read: a fixed number of queries whatever the data.

Lists are keyset-paged and capped; counts stop at a hundred; rows are plain columns, because a
page of fifty needs no objects.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased, joinedload

from huiyin.cases.change import NO_CLOCK
from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import CaseState, EntryKind, Source, Stage
from huiyin.cases.verbs import END_ASKED
from huiyin.cases.waiting import ANSWERABLE, ASKED, UNSIGNED, fixed
from huiyin.clocks.policy import Unit
from huiyin.clocks.reading import LEFT, OVER
from huiyin.clocks.service import calendar
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import sees_all
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import at_local, local, local_date, now
from huiyin.parties.models import Fund, Investor

PAGE: Final = 50
ENTRIES: Final = 30


def visible(actor: Actor) -> ColumnElement[bool]:
    """The rows this person may know of: never those they are named in."""
    not_walled = ~(Case.walled.any_() == actor.id)
    if sees_all(actor.roles):
        return not_walled
    return and_(not_walled, Case.team.any_() == actor.id)


# -- lists ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is asked for; every field stands in the address of the page."""

    scope: str = "all"  # mine, team, all
    stage: str = ""
    group: str = ""  # first letter of the category
    severity: str = ""
    fund: str = ""
    source: str = ""
    due: str = ""  # soon
    after: str = ""  # keyset: <iso>~<id>


_LISTED: Final = (
    Case.id,
    Case.number,
    Case.version,
    Case.title,
    Case.category,
    Case.severity,
    Case.source,
    Case.stage,
    Case.state,
    Case.outcome,
    Case.next_due_at,
    Case.clocks_held,
    Case.received_at,
    Case.closed_at,
    Case.updated_at,
    Case.last_activity,
    Case.anonymous,
    Case.fund_text,
    Case.amount,
    Case.finding,
    Case.cause,
    Case.facts.has_key("review_asked").label("review_asked"),
    Case.facts[END_ASKED]["verb"].astext.label("ending"),
)


@cache
def _rows() -> Any:  # a select of many columns; naming its type says nothing
    """What stands on a line, put together once; each list adds its own conditions."""
    owner = aliased(Membership)
    return (
        select(
            *_LISTED,
            Investor.name.label("complainant"),
            Fund.short_name.label("fund"),
            owner.name.label("owner"),
        )
        .outerjoin(Investor, Investor.id == Case.complainant_id)
        .outerjoin(Fund, Fund.id == Case.fund_id)
        .outerjoin(owner, owner.account_id == Case.owner_id)
    )


def inbox(
    session: ScopedSession, actor: Actor, wanted: Filter, *, n: int = PAGE,
    ending: bool = False, only_open: bool = False,
) -> Sequence[Row[Any]]:  # fmt: skip
    """Whatever is owed for a case, by time left, ``n + 1`` at most: the last says there are more.

    Those are the open cases, and closed ones for which a review or an answer is still owed;
    with ``ending`` only those whose end was proposed and waits for its answer, with
    ``only_open`` none that is closed.
    """
    query = _rows().where(
        Case.next_due_at.is_not(None), visible(actor), *_conditions(actor, wanted)
    )
    if only_open:
        query = query.where(Case.state == fixed(CaseState.OPEN))
    if ending:
        query = query.where(Case.state == fixed(CaseState.OPEN), ASKED[END_ASKED])
    if key := parse_key(wanted.after):
        query = query.where(tuple_(Case.next_due_at, Case.id) > key)
    return session.execute(query.order_by(Case.next_due_at, Case.id).limit(n + 1)).all()


def cases(
    session: ScopedSession, actor: Actor, wanted: Filter, *, n: int = PAGE
) -> Sequence[Row[Any]]:
    """All cases, newest first."""
    query = _rows().where(visible(actor), *_conditions(actor, wanted))
    if key := parse_key(wanted.after):
        query = query.where(tuple_(Case.received_at, Case.id) < key)
    return session.execute(
        query.order_by(Case.received_at.desc(), Case.id.desc()).limit(n + 1)
    ).all()


def archive(
    session: ScopedSession, actor: Actor, wanted: Filter, *, n: int = PAGE
) -> Sequence[Row[Any]]:
    """Closed cases, the last closed first."""
    query = _rows().where(
        Case.state == fixed(CaseState.CLOSED), visible(actor), *_conditions(actor, wanted)
    )
    if key := parse_key(wanted.after):
        query = query.where(tuple_(Case.closed_at, Case.id) < key)
    return session.execute(query.order_by(Case.closed_at.desc(), Case.id.desc()).limit(n + 1)).all()


def rows_of(session: ScopedSession, actor: Actor, ids: Sequence[uuid.UUID]) -> Sequence[Row[Any]]:
    """The rows of a search, in the order found."""
    if not ids:
        return []
    found = session.execute(_rows().where(Case.id.in_(ids), visible(actor))).all()
    place = {case_id: index for index, case_id in enumerate(ids)}
    return sorted(found, key=lambda row: place[row.id])


def _conditions(actor: Actor, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.scope == "mine":
        found.append(or_(Case.owner_id == actor.id, Case.investigator_id == actor.id))
    elif wanted.scope == "team":
        found.append(Case.team.any_() == actor.id)
    if wanted.stage in set(Stage):
        found.append(Case.stage == wanted.stage)
    if wanted.group:
        found.append(Case.category.startswith(wanted.group[:1]))
    if wanted.severity:
        found.append(Case.severity == wanted.severity)
    if wanted.source == "transfer":
        found.append(Case.source != Source.DIRECT.value)
    elif wanted.source:
        found.append(Case.source == wanted.source)
    if wanted.fund:
        found.append(Case.fund_id == _uuid(wanted.fund))
    if wanted.due == "soon":
        soon = calendar().add_workdays(local_date(now()), 3).on
        found.append(Case.next_due_at < at_local(soon, 23, 59))
    return found


def _uuid(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        return uuid.UUID(int=0)


def key_of(moment: datetime, row_id: uuid.UUID) -> str:
    """The keyset as it stands in an address."""
    return f"{moment.isoformat()}~{row_id}"


def parse_key(value: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, row_id = value.partition("~")
    try:
        return datetime.fromisoformat(moment), uuid.UUID(row_id)
    except ValueError:
        return None


# -- time left -----------------------------------------------------------------------------------

GROUPS: Final = (
    ("late", N_("已超时")),
    ("today", N_("今日到期")),
    ("soon", N_("3 个工作日内")),
    ("normal", N_("正常")),
    ("held", N_("未计时")),
)


def _workdays(start: date, end: date) -> int:
    return _counted(calendar().id, start, end)


@lru_cache(maxsize=4096)
def _counted(version: str, start: date, end: date) -> int:  # noqa: ARG001 - part of the key
    return calendar().workdays_between(start, end)


def time_left(due_at: datetime | None, moment: datetime) -> tuple[str, Message]:
    """A group's key and the words for it: late, today, soon, normal or held."""
    if due_at is None or due_at >= NO_CLOCK - timedelta(days=1):
        return "held", Message(N_("未计时"))
    today, day = local_date(moment), local_date(due_at)
    if due_at < moment:
        n = max(_workdays(day, today), 0)
        if n == 0:
            return "late", Message(N_("已超时"))
        one, many = OVER[Unit.WORKDAY]
        return "late", Message(one) if n == 1 else Message(many, {"n": n})
    if day == today:
        return "today", Message(N_("今天 {time} 前"), {"time": f"{local(due_at):%H:%M}"})
    n = _workdays(today, day)
    one, many = LEFT[Unit.WORKDAY]
    return "soon" if n <= 3 else "normal", Message(one) if n == 1 else Message(many, {"n": n})


def asked_for(
    session: ScopedSession, actor: Actor, fact: str, after: str = ""
) -> Sequence[Row[Any]]:
    """Open cases in which another kind or more time was asked for, the nearest date first."""
    return _nearest(
        session, after, Case.state == fixed(CaseState.OPEN), ASKED[fact], visible(actor)
    )


def unsigned(session: ScopedSession, actor: Actor, after: str = "") -> Sequence[Row[Any]]:
    """Cases whose written answer is drafted and waits to be signed, the nearest date first."""
    return _nearest(session, after, UNSIGNED, ANSWERABLE, visible(actor))


def _nearest(
    session: ScopedSession, after: str, *conditions: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    """By time left, one more than a page at most: the last says there are more."""
    query = _rows().where(*conditions)
    if key := parse_key(after):
        query = query.where(tuple_(Case.next_due_at, Case.id) > key)
    return session.execute(query.order_by(Case.next_due_at, Case.id).limit(PAGE + 1)).all()


# -- one case ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A case as its page needs it."""

    case: Case
    owner: str
    investigator: str


def open_case(session: ScopedSession, actor: Actor, number: str) -> Opened:
    """The case with its complainant, fund and people, in one query; ``NotFound`` otherwise."""
    owner, investigator = aliased(Membership), aliased(Membership)
    row = session.execute(
        select(Case, owner.name, investigator.name)
        .outerjoin(owner, owner.account_id == Case.owner_id)
        .outerjoin(investigator, investigator.account_id == Case.investigator_id)
        .options(joinedload(Case.complainant), joinedload(Case.fund))
        .where(Case.number == number)
    ).one_or_none()
    if row is None or not row[0].visible_to(actor):
        raise NotFound
    return Opened(row[0], row[1] or "", row[2] or "")


_TABS: Final[Mapping[str, tuple[EntryKind, ...]]] = {
    "talk": (EntryKind.MESSAGE_IN, EntryKind.MESSAGE_OUT, EntryKind.CALL),
    "notes": (EntryKind.NOTE,),
    "moves": (EntryKind.MOVE,),
}


def entries(
    session: ScopedSession,
    case: Case,
    *,
    tab: str = "",
    before: int | None = None,
    n: int = ENTRIES,
) -> Sequence[Entry]:
    """The timeline, newest first, ``n + 1`` at most."""
    query = select(Entry).where(Entry.case_id == case.id)
    if kinds := _TABS.get(tab):
        query = query.where(Entry.kind.in_([kind.value for kind in kinds]))
    if before is not None:
        query = query.where(Entry.seq < before)
    return session.scalars(query.order_by(Entry.seq.desc()).limit(n + 1)).all()


def related(session: ScopedSession, actor: Actor, case: Case, *, n: int = 5) -> Sequence[Row[Any]]:
    """Others of the same complainant or product, newest first."""
    same: list[ColumnElement[bool]] = []
    if case.complainant_id:
        same.append(Case.complainant_id == case.complainant_id)
    if case.fund_id:
        since = case.received_at - timedelta(days=90)
        same.append(and_(Case.fund_id == case.fund_id, Case.received_at > since))
    if not same:
        return []
    return session.execute(
        _rows()
        .where(or_(*same), Case.id != case.id, visible(actor))
        .order_by(Case.received_at.desc(), Case.id.desc())
        .limit(n)
    ).all()
