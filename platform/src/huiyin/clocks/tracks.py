"""One clock from its first event to its last, as it looked at each of them.

Whatever could lengthen it (an extension, a pause, a higher complexity, a later reply date) counts
only while it is still running: a missed date is never mended afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import msgspec

from huiyin.clocks.dates import Pause, Settled, Terms, add, settle
from huiyin.clocks.events import CaseEvent, Clock, ClockState, Facts
from huiyin.clocks.policy import Audience, ClockRule, Complexity, Policy
from huiyin.kit.calendar import WorkCalendar
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import at_local, local_date

NOT_EXTENDABLE: Final = Message(N_("该时限不可延期，此次延期未计入"))
EXTENSIONS_USED: Final = Message(N_("延期次数已用完，此次延期未计入"))
OTHER_UNIT: Final = Message(N_("延期单位与规定不同，此次延期未计入"))
NOT_PAUSABLE: Final = Message(N_("该时限不可暂停，此次暂停未计入"))
PAUSES_USED: Final = Message(N_("暂停次数已用完，此次暂停未计入"))
TOO_LATE: Final = Message(N_("届满后办理的延期或暂停不改变届满日"))


@dataclass(slots=True)
class Run:
    """A clock from the event that opened it to the one that ended it."""

    rule: ClockRule
    index: int
    event: CaseEvent
    again: bool
    opened_by: CaseEvent | None
    end: int | None = None
    cancelled: bool = False
    key: str = ""
    latest: bool = False

    @property
    def name(self) -> str:
        return f"{self.rule.kind}:{stage}" if (stage := self.stage) else self.rule.kind

    @property
    def stage(self) -> str | None:
        return self.rule.stage if self.rule.applies.stages else None


@dataclass(frozen=True, slots=True)
class Change:
    """The final reply's date from a moment on; none once it is given or moot."""

    at: datetime
    due_on: date | None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    events: tuple[CaseEvent, ...]
    policy: Policy
    calendar: WorkCalendar
    facts: Facts


class Track:
    """Follows one run through its events, as it looked at each of them."""

    def __init__(self, run: Run, case: Case, reply: tuple[Change, ...]) -> None:
        self.run, self.case, self.rule = run, case, run.rule
        self.notes: list[Message] = []
        self.changes: list[Change] = []
        self.extended = self.paused_times = 0
        self.paused: CaseEvent | None = None
        begun = run.event.at
        self.terms = self._first_terms()
        before = [change for change in reply if change.at <= begun][-1:]
        self.reply = [change for change in reply if change.at > begun]
        if before and before[0].due_on and self.rule.clip is not None:
            self.terms = self._clipped(before[0].due_on, before[0].provisional)
        self.settled: Settled = settle(self.terms, case.calendar)
        self._record(begun)

    def _first_terms(self) -> Terms:
        rule, event, policy = self.rule, self.run.event, self.case.policy
        anchored = bool(self.run.opened_by) and not self.run.again
        start = self.run.opened_by.at if self.run.opened_by and anchored else event.at
        arrives = event.kind in policy.arrival.events and rule.unit in policy.arrival.units
        floor = None
        if rule.clip is not None or anchored:
            floor = self.case.calendar.add_workdays(local_date(event.at), 1).on
        return Terms(
            start=start,
            amount=rule.amount_for(self._complexity_at(self.run.index)),
            unit=rule.unit,
            due_time=policy.due_time,
            cutoff=policy.arrival.cutoff if arrives and not rule.date_field else None,
            given_on=event.day(rule.date_field) if rule.date_field else None,
            hard_stop=(rule.hard_stop.amount, rule.hard_stop.unit) if rule.hard_stop else None,
            floor_on=floor,
        )

    def _complexity_at(self, index: int) -> Complexity:
        """As set by then; before it was first set a case was simple, whatever it is now."""
        events = self.case.events
        values = [(n, e.text("value")) for n, e in enumerate(events) if e.kind == "complexity_set"]
        earlier = [value for n, value in values if n <= index]
        if earlier:
            return Complexity(earlier[-1])
        return Complexity.SIMPLE if values else self.case.facts.complexity

    def follow(self) -> None:
        """Hear every event of the run, then look at it once more at its end or as of now."""
        run, events = self.run, self.case.events
        for index in range(run.index + 1, len(events) if run.end is None else run.end):
            event = events[index]
            self._come_to(event.at)
            if event.kind == self._agreed_with:
                self._settle_amount(self._complexity_at(index), event.at)
            else:
                self._hear(event)
        end = self.ended_at or self.case.facts.as_of
        if end:
            self._come_to(end)
        if self.ended_at:
            self.changes.append(Change(self.ended_at, None))

    @property
    def ended_at(self) -> datetime | None:
        return None if self.run.end is None else self.case.events[self.run.end].at

    def _come_to(self, moment: datetime) -> None:
        """What happened of itself meanwhile: a pause ran out, the reply's date moved."""
        if self.paused and moment > self._pause_ends(self.paused):
            self._resume(moment)
        while self.reply and self.reply[0].at <= moment:
            change = self.reply.pop(0)
            runs = self.paused is not None or change.at <= self.settled.due_at
            if self.rule.clip is not None and change.due_on and runs:
                self._settle(self._clipped(change.due_on, change.provisional), change.at)

    def _hear(self, event: CaseEvent) -> None:
        if event.kind == "resumed" and self.paused and self._addressed(event):
            self._resume(event.at)
        elif event.kind not in ("extended", "paused"):
            return
        elif self.paused is None and event.at > self.settled.due_at:
            if event.text("kind") and self._addressed(event):
                self.notes.append(TOO_LATE)
        elif self._addressed(event):
            (self._extend if event.kind == "extended" else self._pause)(event)

    @property
    def _agreed_with(self) -> str:
        """The event from which on a complexity counts for this clock.

        What the complainant was told is told anew with the acceptance; later on it takes an
        extension, with its approval and its notice, to move the date.
        """
        return "accepted" if self.rule.audience is Audience.COMPLAINANT else "complexity_set"

    def _settle_amount(self, complexity: Complexity, at: datetime) -> None:
        """A lower complexity holds from the next clock on: nobody's date is shortened."""
        amount = max(self.rule.amount_for(complexity), self.terms.amount)
        if amount != self.terms.amount and (self.paused or at <= self.settled.due_at):
            self._settle(replace(self.terms, amount=amount), at)

    def _addressed(self, event: CaseEvent) -> bool:
        """Events name the clock's kind, and its stage or letter where there are several."""
        if event.text("stage") and event.text("stage") != (self.run.stage or ""):
            return False
        match = self.rule.match
        # The letter it was filed with has no mark: named as such, it is that one alone.
        if match in event.data and event.text(match) != self.run.event.text(match):
            return False
        wanted = event.text("kind")
        return wanted == self.rule.kind or (not wanted and event.kind != "extended")

    def _extend(self, event: CaseEvent) -> None:
        allowed = self.rule.extension
        until = event.day("due_on")
        if self.terms.given_on and until:  # the sender of the letter may set a later day
            later = max(self.terms.given_on, until)
            self._settle(replace(self.terms, given_on=later), event.at)
        elif allowed is None:
            self.notes.append(NOT_EXTENDABLE)
        elif self.extended >= allowed.times:
            self.notes.append(EXTENSIONS_USED)
        elif event.text("unit") not in ("", allowed.unit):
            self.notes.append(OTHER_UNIT)
        else:
            self.extended += 1
            n = min(int(event.text("amount") or allowed.amount), allowed.amount)
            more = (*self.terms.extensions, (n, allowed.unit))
            self._settle(replace(self.terms, extensions=more), event.at)

    def _pause(self, event: CaseEvent) -> None:
        allowed = self.rule.pause
        if self.paused:
            return
        if allowed is None:
            self.notes += [NOT_PAUSABLE] if event.text("kind") else []
        elif self.paused_times >= allowed.times:
            self.notes.append(PAUSES_USED)
        else:
            self.paused_times += 1
            self.paused = event

    def _pause_ends(self, paused: CaseEvent) -> datetime:
        """When a pause runs out by itself."""
        allowed = self.rule.pause
        if allowed is None:
            raise ValueError("this clock cannot be paused")
        day = add(self.case.calendar, local_date(paused.at), allowed.amount, allowed.unit).on
        return at_local(day, self.terms.due_time.hour, self.terms.due_time.minute)

    def _resume(self, moment: datetime) -> None:
        if self.paused is None:
            return
        until = min(moment, self._pause_ends(self.paused))
        pauses = (*self.terms.pauses, Pause(self.paused.at, until))
        self.paused = None
        self._settle(replace(self.terms, pauses=pauses), until)

    def _clipped(self, reply_on: date, provisional: bool) -> Terms:
        last = self.case.calendar.subtract_workdays(reply_on, self.rule.clip or 0)
        return replace(self.terms, ceiling_on=last, ceiling_provisional=provisional)

    def _settle(self, terms: Terms, at: datetime) -> None:
        self.terms = terms
        self.settled = settle(terms, self.case.calendar)
        self._record(at)

    def _record(self, at: datetime) -> None:
        self.changes.append(Change(at, self.settled.due_on, self.settled.provisional))

    def _keep_promise(self) -> None:
        promised = self.case.facts.promised
        day = promised.get(self.run.key) or (
            promised.get(self.run.name) if self.run.latest else None
        )
        if day:
            self.terms = replace(self.terms, promised_on=day)
            self.settled = settle(self.terms, self.case.calendar)

    def _state(self) -> ClockState:
        ended, as_of = self.ended_at, self.case.facts.as_of
        moment = ended or as_of
        if self.paused is None and moment and moment > self.settled.due_at:
            return ClockState.MISSED
        if ended:
            return ClockState.CANCELLED if self.run.cancelled else ClockState.MET
        return ClockState.PAUSED if self.paused else ClockState.RUNNING

    def clock(self) -> Clock:
        self._keep_promise()
        run, rule, settled, state = self.run, self.rule, self.settled, self._state()
        origin = rule.origin
        mark = run.event.text(rule.match) if rule.match else ""
        named = run.event.text("number") if "number" in run.event.data else mark
        if named and rule.date_field:
            origin = msgspec.structs.replace(origin, article=named)
        late = state is ClockState.MISSED and bool(self.ended_at) and not run.cancelled
        return Clock(
            kind=rule.kind,
            stage=run.stage,
            key=run.key,
            title=rule.title,
            audience=rule.audience,
            started_at=run.event.at,
            due_on=settled.due_on,
            due_at=settled.due_at,
            hard_stop_on=settled.hard_stop_on,
            amount=self.terms.amount,
            unit=rule.unit,
            origin=origin,
            provisional=settled.provisional,
            calendar_version=self.case.calendar.id,
            state=state,
            stopped_at=self.ended_at,
            met_late=late,
            paused_at=self.paused.at if self.paused else None,
            pause_reason=self.paused.text("reason") if self.paused else "",
            warn=rule.warn,
            terms=self.terms,
            notes=tuple(self.notes),
            mark=mark,
        )
