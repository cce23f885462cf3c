"""What the pages read of calls: a fixed number of queries, and nothing behind a wall.

A call that belongs to a case exists only for those who may know of the case.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Label,
    Row,
    Select,
    Uuid,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from huiyin.sdk import Actor, Case, CaseState, Fund, Investor, NotFound, Ready, TenantContext
from huiyin.sdk import visible_cases as visible_to
from huiyin_channel_phone import numbers
from huiyin_channel_phone.models import Call, CallBack, Draft, Recording
from huiyin_channel_phone.terms import BackState, Direction, Sort, Source, State

SHOWN: Final = 50
CANDIDATES: Final = 8
EARLIER: Final = 10
NEAR: Final = timedelta(hours=12)  # within which a record may be of the call at hand
VIEWS: Final = ("all", "unsorted", "missed", "mine")


def visible(actor: Actor) -> ColumnElement[bool]:
    """The calls this person may know of."""
    known = select(Case.id).where(visible_to(actor))
    return or_(Call.case_id.is_(None), Call.case_id.in_(known))


def find(ctx: TenantContext, key: uuid.UUID, *, lock: bool = False) -> Call:
    """The call, or ``NotFound``: not there, another firm's, or of a case behind a wall."""
    if lock:  # judged afterwards: whoever held it may have put it to a case that is new to us
        ctx.session.execute(select(Call.id).where(Call.id == key).with_for_update())
    asked = select(Call).where(Call.id == key, visible(ctx.actor))
    row = ctx.session.scalar(asked.execution_options(populate_existing=lock))
    if row is None:
        raise NotFound
    return row


def find_draft(ctx: TenantContext, key: uuid.UUID, *, lock: bool = False) -> Draft | None:
    """Somebody's own draft."""
    asked = select(Draft).where(Draft.id == key, Draft.account_id == ctx.actor.id)
    return ctx.session.scalar(asked.with_for_update() if lock else asked)


def number_of(ctx: TenantContext, call: Call) -> str:
    """The number of the call's case, ``""`` for a call of none."""
    if call.case_id is None:
        return ""
    return ctx.session.scalar(select(Case.number).where(Case.id == call.case_id)) or ""


# -- lists -------------------------------------------------------------------------------------


def key_of(moment: datetime, row_id: uuid.UUID) -> str:
    """Where a list goes on, as it stands in an address."""
    return f"{moment.isoformat()}~{row_id}"


def parse_key(value: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, row_id = value.partition("~")
    try:
        return datetime.fromisoformat(moment), uuid.UUID(row_id)
    except ValueError:
        return None


def listing(ctx: TenantContext, view: str, after: str = "") -> Sequence[Row[Call, str]]:
    """Calls with the numbers of their cases, newest first; one more than is shown."""
    found = (
        select(Call, Case.number)
        .outerjoin(Case, Case.id == Call.case_id)
        .where(visible(ctx.actor))
    )  # fmt: skip
    if view == "unsorted":
        found = found.where(Call.sort == Sort.UNSORTED.value)
    elif view == "missed":
        found = found.where(Call.state == State.MISSED.value)
    elif view == "mine":
        found = found.where(Call.account_id == ctx.actor.id)
    if key := parse_key(after):
        found = found.where(tuple_(Call.started_at, Call.id) < key)
    found = found.order_by(Call.started_at.desc(), Call.id.desc()).limit(SHOWN + 1)
    return ctx.session.execute(found).all()


def drafts(ctx: TenantContext) -> Sequence[Draft]:
    """Somebody's own unfinished forms."""
    found = select(Draft).where(Draft.account_id == ctx.actor.id)
    return ctx.session.scalars(
        found.order_by(Draft.updated_at.desc(), Draft.id.desc()).limit(SHOWN)
    ).all()


_LEFT: Final = select(Call.id).where(Call.sort == Sort.UNSORTED.value)
_OWED: Final = select(CallBack.id).where(CallBack.state == BackState.OPEN.value)


def _to_a_hundred(rows: Select[Any], name: str) -> Label[int]:
    some = rows.limit(literal_column("100")).subquery()
    return select(func.count()).select_from(some).scalar_subquery().label(name)


_COUNTS: Final = Ready(select(_to_a_hundred(_OWED, "owed"), _to_a_hundred(_LEFT, "unsorted")))
_HAS_CALLS: Final = Ready(
    select(exists(Call.id).where(Call.case_id == bindparam("case", type_=Uuid)))
)


def counts(ctx: TenantContext) -> tuple[int, int]:
    """What is owed and what is unsorted, in one query; a hundred stands for more."""
    row = _COUNTS.run(ctx.session).one()
    return int(row.owed), int(row.unsorted)


def unsorted(ctx: TenantContext) -> int:
    """How many calls nobody has written down yet; a hundred stands for more."""
    return counts(ctx)[1]


def has_calls(ctx: TenantContext, case: Case) -> bool:
    return bool(_HAS_CALLS.run(ctx.session, case=case.id).scalar_one())


def last_record(ctx: TenantContext) -> datetime | None:
    """When the telephone system last told of a call."""
    found = select(func.max(Call.logged_at)).where(Call.source == Source.WEBHOOK.value)
    return ctx.session.scalar(found)


def funds(ctx: TenantContext) -> list[tuple[str, str]]:
    rows = ctx.session.execute(
        select(Fund.id, Fund.name)
        .where(Fund.liquidated_on.is_(None))
        .order_by(Fund.name)
        .limit(300)
    )
    return [(str(row.id), row.name) for row in rows]


# -- who is calling ----------------------------------------------------------------------------


# Number, title, stage, state, when it came, and the complainant's name.
Found = Row[str, str, str, str, datetime, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a number, for this reader: it decides nothing by itself."""

    earlier: Sequence[Row[Call, str]]
    candidates: Sequence[Found]  # open cases
    closed: Sequence[Found]
    records: Sequence[Call]  # of the telephone system, not written down yet

    @property
    def known(self) -> bool:
        return bool(self.earlier or self.candidates or self.closed or self.records)


def caller(ctx: TenantContext, number: str, direction: str = Direction.IN.value) -> Caller:
    """Earlier calls of the number and cases of whoever has it; three queries."""
    if not number:
        return Caller((), (), (), ())
    earlier = ctx.session.execute(
        select(Call, Case.number)
        .outerjoin(Case, Case.id == Call.case_id)
        .where(Call.number == number, visible(ctx.actor))
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(EARLIER)
    ).all()
    by_call = select(Call.case_id).where(Call.number == number, Call.case_id.is_not(None))
    cases = ctx.session.execute(
        select(
            Case.number, Case.title, Case.stage, Case.state, Case.received_at,
            Investor.name.label("complainant"),
        )
        .outerjoin(Investor, Investor.id == Case.complainant_id)
        .where(
            or_(Investor.phone.in_(numbers.spellings(number)), Case.id.in_(by_call)),
            visible_to(ctx.actor),
        )
        .order_by((Case.state == CaseState.CLOSED.value), Case.received_at.desc(), Case.id.desc())
        .limit(CANDIDATES)
    ).all()  # fmt: skip
    return Caller(
        earlier, [row for row in cases if row.state == CaseState.OPEN.value],
        [row for row in cases if row.state != CaseState.OPEN.value],
        _records(ctx, number, direction),
    )  # fmt: skip


def _records(ctx: TenantContext, number: str, direction: str) -> Sequence[Call]:
    return ctx.session.scalars(
        select(Call)
        .where(
            Call.number == number, Call.sort == Sort.UNSORTED.value, Call.direction == direction,
            Call.started_at > ctx.now() - NEAR,
        )
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(3)
    ).all()  # fmt: skip


# -- one case ----------------------------------------------------------------------------------


def calls_of(ctx: TenantContext, case: Case, most: int = 6) -> Sequence[Call]:
    """The calls of a case the caller of this may know of, newest first."""
    return ctx.session.scalars(
        select(Call)
        .where(Call.case_id == case.id)
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(most)
    ).all()


def recordings_of(ctx: TenantContext, calls: Sequence[Call]) -> Sequence[Recording]:
    return ctx.session.scalars(
        select(Recording)
        .where(Recording.call_id.in_([call.id for call in calls]))
        .order_by(Recording.at, Recording.id)
    ).all()
