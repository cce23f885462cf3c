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
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Row,
    Uuid,
    and_,
    any_,
    bindparam,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased, joinedload

from huiyin.cases.change import NO_CLOCK
from huiyin.cases.models import Case
from huiyin.cases.stages import CaseState, Source, Stage
from huiyin.cases.verbs import END_ASKED
from huiyin.cases.waiting import ANSWERABLE, ASKED, UNSIGNED, fixed, in_reach
from huiyin.clocks.policy import Unit
from huiyin.clocks.reading import LEFT, OVER
from huiyin.clocks.service import calendar
from huiyin.db import Ready, ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.identity.policy import sees_all
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import at_local, local, local_date, now
from huiyin.parties.models import Fund, Investor

PAGE: Final = 50


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


# What a list may be asked for, by name; the values are parameters of the same names.
_ME: Final = bindparam("me", type_=Uuid)
_KEY: Final = tuple_(
    bindparam("after_at", type_=DateTime(timezone=True)), bindparam("after_id", type_=Uuid)
)
_CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = {
    "owed": Case.next_due_at.is_not(None),
    "open": Case.state == fixed(CaseState.OPEN),
    "closed": Case.state == fixed(CaseState.CLOSED),
    "unsigned": and_(UNSIGNED, ANSWERABLE),
    **ASKED,
    "mine": or_(Case.owner_id == _ME, Case.investigator_id == _ME),
    "team": Case.team.any_() == _ME,
    "stage": Case.stage == bindparam("stage"),
    "group": Case.category.startswith(bindparam("group")),
    "severity": Case.severity == bindparam("severity"),
    "transfer": Case.source != Source.DIRECT.value,
    "source": Case.source == bindparam("source"),
    "fund": Case.fund_id == bindparam("fund"),
    "soon": Case.next_due_at < bindparam("soon"),
    "ids": Case.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
}
_ORDERS: Final = {
    "due": (Case.next_due_at, Case.id),
    "received": (Case.received_at.desc(), Case.id.desc()),
    "closed": (Case.closed_at.desc(), Case.id.desc()),
}
_AFTER: Final = {
    "due": tuple_(Case.next_due_at, Case.id) > _KEY,
    "received": tuple_(Case.received_at, Case.id) < _KEY,
    "closed": tuple_(Case.closed_at, Case.id) < _KEY,
}


@lru_cache(maxsize=1024)
def _list(order: str, everything: bool, goes_on: bool, conditions: tuple[str, ...]) -> Ready:
    """A list with these conditions, compiled once."""
    query = _rows().where(in_reach(everything), *(_CONDITIONS[name] for name in conditions))
    if goes_on:
        query = query.where(_AFTER[order])
    return Ready(query.order_by(*_ORDERS[order]).limit(bindparam("n", type_=Integer)))


def _listed(
    session: ScopedSession, actor: Actor, order: str, n: int, *conditions: str,
    after: str = "", **values: Any,
) -> Sequence[Row[Any]]:  # fmt: skip
    key = parse_key(after)
    if key:
        values["after_at"], values["after_id"] = key
    ready = _list(order, sees_all(actor.roles), key is not None, conditions)
    return ready.run(session, me=actor.id, n=n, **values).all()


def inbox(
    session: ScopedSession, actor: Actor, wanted: Filter, *, n: int = PAGE,
    ending: bool = False, only_open: bool = False,
) -> Sequence[Row[Any]]:  # fmt: skip
    """Whatever is owed for a case, by time left, ``n + 1`` at most: the last says there are more.

    Those are the open cases, and closed ones for which a review or an answer is still owed;
    with ``ending`` only those whose end was proposed and waits for its answer, with
    ``only_open`` none that is closed.
    """
    narrower = ["owed"]
    if only_open or ending:
        narrower.append("open")
    if ending:
        narrower.append(END_ASKED)
    names, values = _asked(wanted)
    return _listed(session, actor, "due", n + 1, *narrower, *names, after=wanted.after, **values)


def cases(
    session: ScopedSession, actor: Actor, wanted: Filter, *, n: int = PAGE
) -> Sequence[Row[Any]]:
    """All cases, newest first."""
    names, values = _asked(wanted)
    return _listed(session, actor, "received", n + 1, *names, after=wanted.after, **values)


def archive(
    session: ScopedSession, actor: Actor, wanted: Filter, *, n: int = PAGE
) -> Sequence[Row[Any]]:
    """Closed cases, the last closed first."""
    names, values = _asked(wanted)
    return _listed(session, actor, "closed", n + 1, "closed", *names, after=wanted.after, **values)


def rows_of(session: ScopedSession, actor: Actor, ids: Sequence[uuid.UUID]) -> Sequence[Row[Any]]:
    """The rows of a search, in the order found."""
    if not ids:
        return []
    found = _listed(session, actor, "received", len(ids), "ids", ids=list(ids))
    place = {case_id: index for index, case_id in enumerate(ids)}
    return sorted(found, key=lambda row: place[row.id])


def _asked(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """The conditions of a filter by name, and their values."""
    names = [wanted.scope] if wanted.scope in {"mine", "team"} else []
    values: dict[str, Any] = {}
    if wanted.stage in set(Stage):
        values["stage"] = wanted.stage
    if wanted.group:
        values["group"] = wanted.group[:1]
    if wanted.severity:
        values["severity"] = wanted.severity
    if wanted.source == "transfer":
        names.append("transfer")
    elif wanted.source:
        values["source"] = wanted.source
    if wanted.fund:
        values["fund"] = _uuid(wanted.fund)
    if wanted.due == "soon":
        soon = calendar().add_workdays(local_date(now()), 3).on
        values["soon"] = at_local(soon, 23, 59)
    return [*names, *values], values


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
    n, unit = _workdays(today, day), Unit.WORKDAY
    group = "soon" if n <= 3 else "normal"
    if n == 0:  # due on a rest day: days are left, though no working days
        n, unit = (day - today).days, Unit.CALENDAR_DAY
    one, many = LEFT[unit]
    return group, Message(one) if n == 1 else Message(many, {"n": n})


def asked_for(
    session: ScopedSession, actor: Actor, fact: str, after: str = ""
) -> Sequence[Row[Any]]:
    """Open cases in which another kind or more time was asked for, the nearest date first."""
    return _listed(session, actor, "due", PAGE + 1, "open", fact, after=after)


def unsigned(session: ScopedSession, actor: Actor, after: str = "") -> Sequence[Row[Any]]:
    """Cases whose written answer is drafted and waits to be signed, the nearest date first."""
    return _listed(session, actor, "due", PAGE + 1, "unsigned", after=after)


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
