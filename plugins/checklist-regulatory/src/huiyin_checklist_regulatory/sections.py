"""The twenty sections: how far each is, who said so, and the record that shows it."""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from huiyin.sdk import (
    N_,
    Case,
    Figure,
    Invalid,
    Message,
    NotFound,
    Period,
    TenantContext,
    find_case,
    local_date,
    today,
    uuid7,
)
from huiyin_checklist_regulatory import library, live
from huiyin_checklist_regulatory.models import SectionRecord
from huiyin_checklist_regulatory.schemas import SectionForm
from huiyin_checklist_regulatory.terms import RecordKind, SectionState

MONTHS: Final = 6
OWN: Final = "checklist_regulatory:"
_LINK: Final = re.compile(r"https://\S{4,280}")


def months_before(day: date, n: int) -> date:
    """The same day ``n`` months earlier, or the last one that month has."""
    month = day.year * 12 + day.month - 1 - n
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def oldest(on: date) -> date:
    """The first day whose record still shows, ``on`` some day, that a section is running."""
    return months_before(on, MONTHS)


@dataclass(frozen=True, slots=True)
class Cell:
    """One section as it stands on a day: an old record no longer shows that it is running."""

    section: library.Section
    newest: SectionRecord | None
    on: date

    @property
    def lapsed(self) -> bool:
        record = self.newest
        return bool(
            record is not None
            and record.state == SectionState.RUNNING
            and (record.record_on is None or record.record_on < oldest(self.on))
        )

    @property
    def state(self) -> SectionState:
        if self.newest is None:
            return SectionState.UNASSESSED
        return SectionState.DOCUMENTED if self.lapsed else SectionState(self.newest.state)


def strip(ctx: TenantContext, *, at: datetime | None = None, on: date | None = None) -> list[Cell]:
    """All twenty, in one query; ``at`` and ``on`` as it was known then and stood that day."""
    query = select(SectionRecord).ext(distinct_on(SectionRecord.no))
    if at is not None:
        query = query.where(SectionRecord.at < at)
    rows = ctx.session.scalars(
        query.order_by(SectionRecord.no, SectionRecord.at.desc(), SectionRecord.id.desc())
    )
    newest = {row.no: row for row in rows}
    return [Cell(s, newest.get(no), on or today()) for no, s in library.sections().items()]


def tally(cells: Sequence[Cell]) -> Mapping[SectionState, int]:
    """How many sections are in each state."""
    counted = Counter(cell.state for cell in cells)
    return {state: counted[state] for state in SectionState}


def quarter_ends(day: date, n: int) -> list[date]:
    """The last days of the ``n`` quarters before the one of ``day``, latest first."""
    ends = []
    begun = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    for _ in range(n):
        ends.append(begun - timedelta(days=1))
        begun = months_before(begun, 3)
    return ends


def past(ctx: TenantContext, n: int = 4) -> list[tuple[date, list[Cell]]]:
    """The strip as it was known and stood at the end of each of the last quarters."""
    return [
        (end, strip(ctx, at=Period(end, end).end, on=end)) for end in quarter_ends(today(), n)
    ]  # fmt: skip


def history(ctx: TenantContext, no: int, n: int = 50) -> Sequence[SectionRecord]:
    if no not in library.sections():
        raise NotFound
    query = select(SectionRecord).where(SectionRecord.no == no)
    return ctx.session.scalars(
        query.order_by(SectionRecord.at.desc(), SectionRecord.id.desc()).limit(n)
    ).all()


def assess(ctx: TenantContext, no: int, form: SectionForm) -> SectionRecord:
    """Say how far a section is.  Raises ``NotFound``, and ``Invalid``: 已运行 needs a record."""
    if no not in library.sections():
        raise NotFound
    row = SectionRecord(
        id=uuid7(), no=no, state=form.state.value, note=form.note, by_id=ctx.actor.id,
        by_name=ctx.actor.name, at=ctx.now(), frozen={},
    )  # fmt: skip
    if form.state is SectionState.RUNNING:
        _prove(ctx, row, form)
    elif form.state is not SectionState.UNASSESSED and not form.note:
        raise Invalid({"note": N_("请写明依据，例如制度名称或缺什么")})
    ctx.session.add(row)
    facts: dict[str, Any] = {"no": no, "state": form.state, "record_on": row.record_on}
    ctx.record("section_assessed", row.id, facts, {"record": row.record, "note": form.note})
    return row


def choices(ctx: TenantContext) -> list[Figure]:
    """The figures that may show that a section is running: not those made of such assessments."""
    return [figure for figure in live.choices(ctx) if not figure.name.startswith(OWN)]


def _prove(ctx: TenantContext, row: SectionRecord, form: SectionForm) -> None:
    row.record_kind = form.record_kind.value
    if form.record_kind is RecordKind.FIGURE:
        _by_figure(ctx, row, form.figure)
        return
    if not form.record:
        raise Invalid({"record": N_("「已运行」须有近六个月内的记录，请写明是哪一份")})
    case = None
    if form.record_kind is RecordKind.LINK and not _LINK.fullmatch(form.record):
        case = _case(ctx, form.record)
    on = local_date(case.closed_at or case.updated_at) if case else form.record_on
    if on is None:
        raise Invalid({"record_on": N_("请填写记录的日期")})
    _check_day(on, "record" if case else "record_on")
    row.record, row.record_on = form.record, on


def _by_figure(ctx: TenantContext, row: SectionRecord, name: str) -> None:
    if name.startswith(OWN):
        raise Invalid({"figure": N_("自评与自查自己的数不能证明已运行，请换一项记录")})
    live.checked(ctx, name)
    reading = live.read(ctx, name, Period(oldest(today()), today()))
    if reading.value is None or reading.value <= 0 or not reading.n:
        raise Invalid({"figure": N_("近六个月没有这项数据，不能证明已运行，请换一项记录")})
    row.record, row.record_on, row.frozen = name, today(), reading.as_json()


def _case(ctx: TenantContext, number: str) -> Case:
    """A case speaks for itself: its end, or else what last happened in it."""
    try:
        return find_case(ctx.session, ctx.actor, number)
    except NotFound:
        raise Invalid({"record": N_("请填写案件编号，或以 https:// 开头的网址")}) from None


def _check_day(on: date, field: str) -> None:
    if on > today():
        raise Invalid({field: N_("记录日期不能晚于今天")})
    if on < oldest(today()):
        said = N_("记录早于 {day}，已满六个月，不能再证明已运行；请补充新的记录或改选「仅有制度」")
        raise Invalid({field: Message(said, {"day": oldest(today()).isoformat()})})
