"""The register of letters: found, filtered, counted, and completed with what came in elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Label, Select, and_, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import load_only

from huiyin.sdk import (
    N_,
    Case,
    LetterClock,
    NotFound,
    Source,
    TenantContext,
    add_workdays,
    letter_clocks,
    local_date,
    uuid7,
    visible_cases,
)
from huiyin_channel_referral.matters import today_of
from huiyin_channel_referral.models import Transfer
from huiyin_channel_referral.settings import ChannelReferralSettings

PAGE: Final = 50
PIECE: Final = 500  # letters whose targets are looked at together
STATES: Final[Mapping[str, str]] = {
    "owed": N_("待回复"),
    "soon": N_("期限临近"),
    "late": N_("已逾期"),
    "replied": N_("已回复"),
    "none": N_("不要求回复"),
}
_BY_DATE: Final = frozenset({"owed", "soon", "late"})


@dataclass(frozen=True, slots=True)
class Found:
    """A letter, its case, and its clock if it is owed an answer or was."""

    row: Transfer
    case: Case
    clock: LetterClock | None

    @property
    def state(self) -> str:
        if not self.row.wants_reply:
            return "none"
        return "replied" if self.row.replied_on else "owed"

    @property
    def late(self) -> bool:
        """Answered after the day, or not yet although it has passed."""
        return self.clock is not None and self.clock.late


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the register is asked for; every field stands in the address."""

    state: str = ""
    source: str = ""
    words: str = ""
    after: str = ""


_CASE: Final = (
    Case.tenant_id, Case.id, Case.number, Case.title, Case.state, Case.clock_events, Case.owner_id,
)  # fmt: skip


def in_reach(ctx: TenantContext) -> ColumnElement[bool]:
    """Cases this person may know of; a job, which shows nothing to anybody, has all."""
    return visible_cases(ctx.actor) if ctx.actor.is_person else true()


def rows(ctx: TenantContext) -> Select[Transfer, Case]:
    """Letters with their cases, of those this person may know of."""
    same = and_(Case.tenant_id == Transfer.tenant_id, Case.id == Transfer.case_id)
    return select(Transfer, Case).join(Case, same).where(in_reach(ctx)).options(load_only(*_CASE))


def found_in(ctx: TenantContext, query: Select[Transfer, Case]) -> list[Found]:
    """What the query answers, each letter with its clock."""
    pairs = ctx.session.execute(query).all()
    return [Found(row, case, letter_clocks(case).get(row.mark)) for row, case in pairs]


def find(ctx: TenantContext, key: uuid.UUID, *, lock: bool = False) -> Found:
    """Raises ``NotFound`` alike for one that is not there and one this person may not know of."""
    query = rows(ctx).where(Transfer.id == key)
    if lock:
        query = query.with_for_update(of=Transfer)
    found = found_in(ctx, query)
    if not found:
        raise NotFound
    return found[0]


def of_case(ctx: TenantContext, case: Case) -> list[Found]:
    """The letters about one case, oldest first."""
    letters = ctx.session.scalars(
        select(Transfer).where(Transfer.case_id == case.id).order_by(Transfer.id).limit(PAGE)
    )
    clocks = letter_clocks(case)
    return [Found(row, case, clocks.get(row.mark)) for row in letters]


def of_matter(ctx: TenantContext, case: Case) -> list[Found]:
    """The letters about a case and those merged into it that this person may know of."""
    here = or_(Case.id == case.id, Case.master_id == case.id)
    return found_in(ctx, rows(ctx).where(here).order_by(Transfer.id).limit(PAGE))


def listing(ctx: TenantContext, wanted: Wanted, *, most: int = PAGE + 1) -> list[Found]:
    """The register: what waits in the order of its dates, everything else newest first."""
    query = _filtered(ctx, rows(ctx), wanted)
    if wanted.state in _BY_DATE:
        query = query.order_by(Transfer.target_on, Transfer.id)
        if wanted.after:
            query = query.where(tuple_(Transfer.target_on, Transfer.id) > _after(wanted.after))
    else:
        query = query.order_by(Transfer.id.desc())
        if wanted.after:
            query = query.where(Transfer.id < _after(wanted.after)[1])
    return found_in(ctx, query.limit(most))


def after_of(found: Found) -> str:
    return f"{found.row.target_on.isoformat()}~{found.row.id}"


def _after(typed: str) -> tuple[date, uuid.UUID]:
    day, _, key = typed.partition("~")
    try:
        return date.fromisoformat(day), uuid.UUID(key)
    except ValueError:
        raise NotFound from None


def _filtered(
    ctx: TenantContext, query: Select[Transfer, Case], wanted: Wanted
) -> Select[Transfer, Case]:
    if wanted.state:
        query = query.where(_state(ctx, wanted.state))
    if wanted.source:
        query = query.where(Transfer.source == wanted.source)
    if wanted.words:
        query = query.where(
            or_(
                Transfer.number.contains(wanted.words, autoescape=True),
                Transfer.body.contains(wanted.words, autoescape=True),
                Case.number == wanted.words,
            )
        )
    return query


def soon_until(ctx: TenantContext) -> date:
    days = ctx.settings(ChannelReferralSettings).soon_days
    return add_workdays(today_of(ctx), days)


def _state(ctx: TenantContext, name: str) -> ColumnElement[bool]:
    """The condition of one state; only what is asked for is put together."""
    owed = and_(Transfer.wants_reply, Transfer.replied_on.is_(None))
    match name:
        case "owed":
            return owed
        case "soon":
            return and_(owed, Transfer.target_on.between(today_of(ctx), soon_until(ctx)))
        case "late":
            return and_(owed, Transfer.target_on < today_of(ctx))
        case "replied":
            return Transfer.replied_on.is_not(None)
        case _:
            return ~Transfer.wants_reply


def counts(ctx: TenantContext, *names: str, firm: bool = False) -> Mapping[str, int]:
    """How many of each state this person may know of, each to a hundred, in one query.

    ``firm`` counts those of the whole firm, but for cases the person is walled from.
    """
    return numbers(ctx, *(counted(ctx, name, firm=firm) for name in names))


def counted(ctx: TenantContext, name: str, *, firm: bool = False) -> Label[int]:
    same = and_(Case.tenant_id == Transfer.tenant_id, Case.id == Transfer.case_id)
    reach = beyond_walls(ctx) if firm else in_reach(ctx)
    rows = select(Transfer.id).join(Case, same).where(_state(ctx, name), reach)
    return to_a_hundred(name, rows)


def to_a_hundred(name: str, rows: Select[uuid.UUID]) -> Label[int]:
    """How many rows there are, as a column."""
    some = rows.limit(100).subquery()
    return select(func.count()).select_from(some).scalar_subquery().label(name)


def numbers(ctx: TenantContext, *columns: Label[int]) -> dict[str, int]:
    """All of these counts by their names, in one query."""
    return dict(ctx.session.execute(select(*columns)).one()._mapping)  # noqa: SLF001 - public


def beyond_walls(ctx: TenantContext) -> ColumnElement[bool]:
    """For numbers of the firm: whoever is named in a case does not find it there either."""
    return ~(Case.walled.any_() == ctx.actor.id)


# -- letters that came in elsewhere ----------------------------------------------------------------


def adopt(ctx: TenantContext, case: Case) -> int:
    """Enter into the register what was passed on and registered on the core's own pages."""
    known = set(ctx.session.scalars(select(Transfer.mark).where(Transfer.case_id == case.id)))
    clocks = letter_clocks(case)
    marks = set(clocks) or ({""} if case.source != Source.DIRECT and not known else set())
    for mark in sorted(marks - known):
        ctx.session.add(_adopted(case, mark, clocks.get(mark)))
    ctx.session.flush()
    return len(marks - known)


def _adopted(case: Case, mark: str, clock: LetterClock | None) -> Transfer:
    key = uuid7()
    said = _told_of(case, mark)
    came = local_date(said.at)
    due = max(clock.due_on, came) if clock and clock.own else None
    stopped = local_date(clock.stopped_at) if clock and clock.stopped_at else None
    return Transfer(
        id=key, case_id=case.id, mark=mark, source=said.source, number=said.number,
        received_on=came, due_on=due, target_on=clock.due_on if clock else came,
        wants_reply=clock is not None, replied_on=stopped, registered_by=case.owner_id,
        registered_at=case.registered_at, idem_key=key.hex, idem_hash=b"",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Told:
    """What the case knows of one letter: when it came, from whom, and its number."""

    at: datetime
    source: str
    number: str


def _told_of(case: Case, mark: str) -> _Told:
    for event in case.clock_events:
        data = event["data"]
        if mark and event["kind"] == "transfer_received" and data.get("letter") == mark:
            at, source = datetime.fromisoformat(event["at"]), data.get("source") or case.source
            return _Told(at, source, str(data.get("number") or ""))
    return _Told(case.received_at, case.source, case.transfer_number)


def adopt_all(ctx: TenantContext) -> int:
    """Of every case that has none in the register yet; a piece at a time."""
    has = exists().where(Transfer.case_id == Case.id, Transfer.tenant_id == Case.tenant_id)
    cases = ctx.session.scalars(
        select(Case).where(Case.source != Source.DIRECT.value, ~has).order_by(Case.id).limit(500)
    ).all()
    return sum(adopt(ctx, case) for case in cases)


def answered_elsewhere(ctx: TenantContext, case: Case) -> None:
    """The case page says that a letter was answered: so does the register, and the proof is due."""
    for found in of_case(ctx, case):
        stopped = found.clock.stopped_at if found.clock else None
        if stopped and found.row.owed:
            found.row.replied_on = local_date(stopped)
            found.row.rev += 1
    ctx.session.flush()


def follow_dates(ctx: TenantContext, case: Case) -> None:
    """A sender set a later day: the register shows what the clock runs to."""
    for found in of_case(ctx, case):
        if found.clock and found.clock.own and found.row.due_on != found.clock.due_on:
            found.row.due_on = found.row.target_on = found.clock.due_on
            found.row.rev += 1
    ctx.session.flush()


def refresh_targets(ctx: TenantContext) -> None:
    """Targets of letters without a date follow the calendar in force, of all that are owed."""
    owed = rows(ctx).where(_state(ctx, "owed"), Transfer.due_on.is_(None))
    after = uuid.UUID(int=0)
    while letters := found_in(
        ctx, owed.where(Transfer.id > after).order_by(Transfer.id).limit(PIECE)
    ):
        after = letters[-1].row.id
        for found in letters:
            if found.clock and found.row.target_on != found.clock.due_on:
                found.row.target_on = found.clock.due_on
        ctx.session.flush()
