"""The core's own figures, worked out from closed complaints.

Each says how it counts; a plugin that quotes one prints that sentence beside the number.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from huiyin.archive.records import CaseRecord, ClockOutcome, closed_cases
from huiyin.cases.stages import Part
from huiyin.clocks.service import calendar
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import local_date
from huiyin.plugins.figures import Figure, FigureUnit, Measured, Nature, Period, Proof

if TYPE_CHECKING:
    from huiyin.plugins.context import TenantContext

# Who answers for the clock of a stage: the person whose turn it was.
TURN: Final[dict[str, Part]] = {
    "investigation": Part.INVESTIGATOR,
    "plan": Part.DRAFTER,
    "approval": Part.APPROVER,
}

# For each thing that counts: who it counts for (None: the firm), how much, and what it was.
Counted = Iterable[tuple[uuid.UUID | None, float, Proof]]
Counting = Callable[[CaseRecord], Counted]


def _of_cases(count: Counting, ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """The mean for each subject over everything the cases of the period have to count.

    Only what was carried through counts: there is nothing to judge in a complaint that was
    withdrawn, declined, merged or passed on.  Nobody is measured by a case in which they are
    named: their number would tell of it.
    """
    proofs: dict[uuid.UUID | None, list[Proof]] = defaultdict(list)
    for record in closed_cases(ctx.session, ctx.actor, period):
        for subject, value, proof in count(record) if record.finished else ():
            if subject not in record.walled:
                proofs[subject].append(Proof(proof.title, proof.path, value))
    return [
        Measured(
            sum(p.counted for p in counted) / len(counted), len(counted), subject, tuple(counted)
        )
        for subject, counted in proofs.items()
    ]


def _proof(record: CaseRecord, said: Message | None = None) -> Proof:
    title = said or Message(N_("案件 {number}"), {"number": record.number})
    return Proof(title, f"/w/cases/{record.number}")


def _clock_proof(record: CaseRecord, clock: ClockOutcome) -> Proof:
    said = N_("案件 {number}「{clock}」守时") if clock.kept else N_("案件 {number}「{clock}」超时")
    return _proof(record, Message(said, {"number": record.number, "clock": clock.title}))


def _kept(kind: str, record: CaseRecord) -> Iterator[tuple[None, float, Proof]]:
    for clock in record.clocks:
        if clock.kind == kind:
            yield None, float(clock.kept), _clock_proof(record, clock)


def _turns(record: CaseRecord) -> Iterator[tuple[uuid.UUID, float, Proof]]:
    for clock in record.clocks:
        if clock.kind != "stage":
            continue
        for who in record.who(TURN.get(clock.stage, Part.OWNER)):
            yield who, float(clock.kept), _clock_proof(record, clock)


def _first_time(record: CaseRecord) -> Iterator[tuple[uuid.UUID, float, Proof]]:
    said = (
        N_("案件 {number} 方案被驳回 {n} 次")
        if record.returned
        else N_("案件 {number} 方案一次通过")
    )
    message = Message(said, {"number": record.number, "n": record.returned})
    for who in record.who(Part.DRAFTER):
        yield who, float(not record.returned), _proof(record, message)


def _stood(record: CaseRecord) -> Iterator[tuple[uuid.UUID, float, Proof]]:
    said = N_("案件 {number} 重启或复核 {n} 次") if record.reopened else N_("案件 {number} 未重启")
    message = Message(said, {"number": record.number, "n": record.reopened})
    for who in record.who(Part.OWNER, Part.INVESTIGATOR):
        yield who, float(not record.reopened), _proof(record, message)


def _lessons(record: CaseRecord) -> Iterator[tuple[None, float, Proof]]:
    yield None, float("lessons_written" in record.facts and bool(record.cause)), _proof(record)


def _each(record: CaseRecord) -> Iterator[tuple[uuid.UUID, float, Proof]]:
    for who in record.who(Part.OWNER):
        yield who, 1.0, _proof(record)


def _days(record: CaseRecord) -> Iterator[tuple[uuid.UUID, float, Proof]]:
    first, last = local_date(record.received_at), local_date(record.closed_at)
    for who in record.who(Part.OWNER):
        yield who, float(calendar().workdays_between(first, last)), _proof(record)


def _number_closed(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """How many, not a mean: the one figure that adds up."""
    found = _of_cases(_each, ctx, period)
    return [Measured(float(m.n), m.n, m.subject, m.proofs) for m in found]


FIGURES: Final = (
    Figure(
        name="case:acknowledged_in_time", title=N_("按时确认收到"), unit=FigureUnit.SHARE,
        nature=Nature.TIMELINESS, measure=partial(_of_cases, partial(_kept, "acknowledge")),
        definition=N_("期内办结的投诉中，「确认收到」时限按时完成的比例"),
    ),
    Figure(
        name="case:answered_in_time", title=N_("按时书面答复"), unit=FigureUnit.SHARE,
        nature=Nature.TIMELINESS, measure=partial(_of_cases, partial(_kept, "reply")),
        definition=N_("期内办结的投诉中，「书面答复」时限按时完成的比例，经批准的延期按延期后的期限计算"),
    ),
    Figure(
        name="case:stages_in_time", title=N_("各阶段守时"), unit=FigureUnit.SHARE,
        nature=Nature.TIMELINESS, per_person=True, measure=partial(_of_cases, _turns),
        definition=N_("期内办结的投诉中，由本人负责的阶段在时限内完成的比例"),
    ),
    Figure(
        name="case:plan_first_time", title=N_("方案一次通过"), unit=FigureUnit.SHARE,
        nature=Nature.QUALITY, per_person=True, measure=partial(_of_cases, _first_time),
        definition=N_("期内办结的投诉中，本人拟定的方案未被驳回的比例"),
    ),
    Figure(
        name="case:not_reopened", title=N_("办结后未重启"), unit=FigureUnit.SHARE,
        nature=Nature.QUALITY, per_person=True, measure=partial(_of_cases, _stood),
        definition=N_("期内办结、由本人首接或调查的投诉中，没有重启或复核的比例"),
    ),
    Figure(
        name="case:lessons_written", title=N_("根因与经验教训已记录"), unit=FigureUnit.SHARE,
        nature=Nature.LEARNING, measure=partial(_of_cases, _lessons),
        definition=N_("期内办结的投诉中，根因与经验教训都已记录的比例"),
    ),
    Figure(
        name="case:closed", title=N_("办结件数"), unit=FigureUnit.COUNT, nature=Nature.VOLUME,
        per_person=True, measure=_number_closed,
        definition=N_("期内办结、由本人首接的投诉件数，只说明工作量，不说明好坏"),
    ),
    Figure(
        name="case:handling_days", title=N_("办理天数"), unit=FigureUnit.DAYS,
        nature=Nature.SPEED, per_person=True, more_is_better=False,
        measure=partial(_of_cases, _days),
        definition=N_("期内办结、由本人首接的投诉从收到到办结的平均工作日，只说明快慢，不说明好坏"),
    ),
)  # fmt: skip
