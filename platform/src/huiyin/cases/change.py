"""The one way a case changes.

In one transaction: lock the row, check that the person may know of it, the version, the
permission, the stage, the separation of duties and the gates; write the row; append the
timeline; recompute the clocks; put the event into the outbox; append to the ledger, last,
because that locks the firm's chain until the commit.  Pages, API, jobs and plugins all come
through here, and nothing else writes these tables.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, select

from huiyin.cases import duties, gates
from huiyin.cases.errors import GatesUnmet, MoveNotAllowed
from huiyin.cases.models import Case, Entry, Participation
from huiyin.cases.stages import (
    HANDLING,
    STAGE_TITLES,
    Audience,
    CaseState,
    EntryKind,
    Part,
    Stage,
)
from huiyin.cases.verbs import (
    END_ASKED,
    EXTENSION_ASKED,
    RETYPE_ASKED,
    VERBS,
    Verb,
    in_reach,
    outcome_of,
)
from huiyin.clocks import service as clocks
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor, ActorKind, system_actor
from huiyin.kit.errors import Invalid, NotFound, Refused, Stale
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import local_date, now
from huiyin.ledger import service as ledger
from huiyin.queue import service as queue

_ANSWERED: Final = frozenset({Stage.FOLLOWUP, Stage.ARCHIVE})
# Open cases whose clocks all stand still sort after every date.
NO_CLOCK: Final = datetime(9999, 1, 1, tzinfo=UTC)
RECOUNT: Final = "recount"


@dataclass(slots=True)
class Deed:
    """What somebody is about to do: the verb, the words, and how the row changes."""

    verb: str
    body: str = ""
    kind: EntryKind = EntryKind.EVENT
    audience: Audience = Audience.INTERNAL
    data: Mapping[str, Any] = field(default_factory=dict)  # shown in the timeline
    facts: Mapping[str, Any] = field(default_factory=dict)  # for the ledger: ids, codes, hashes
    commits: Mapping[str, str | bytes] = field(default_factory=dict)
    apply: Callable[[Case], None] = lambda _: None
    clock_event: str | None = None  # overrides the verb's
    clock_data: Mapping[str, Any] = field(default_factory=dict)
    clock_at: datetime | None = None  # when it happened, if before it was written down
    outbox_data: Mapping[str, Any] = field(default_factory=dict)
    clocks_changed: bool = False
    judges: bool = False  # a look from outside, which makes nobody a handler


# What others hold against a move: plugins, through the composition root.
Consulted = Callable[[ScopedSession, Actor, Case, Verb], Sequence[Message]]
_consulted: list[Consulted] = []


def consult(adviser: Consulted) -> None:
    """Ask ``adviser`` before each move; its reasons stop the move, its silence allows nothing."""
    _consulted[:] = [adviser]


_FOUND: Final = select(Case).where(Case.number == bindparam("number"))
_FOUND_LOCKED: Final = _FOUND.with_for_update().execution_options(populate_existing=True)


def find(session: ScopedSession, actor: Actor, number: str, *, lock: bool = False) -> Case:
    """The case of that number, if this person may know of it; ``NotFound`` otherwise."""
    case = session.scalar(_FOUND_LOCKED if lock else _FOUND, {"number": number})
    if case is None or not case.visible_to(actor):
        raise NotFound
    return case


def change(
    session: ScopedSession, actor: Actor, number: str, deed: Deed, *, rev: int | None = None
) -> Case:
    """Do one deed to one case.

    ``rev`` is the version the person looked at; ``None`` for acts that cannot overwrite
    anything, such as notes.  Raises ``NotFound``, ``Stale``, ``Refused``,
    ``SecondPersonRequired``, ``MoveNotAllowed``, ``GatesUnmet`` or ``Invalid``.
    """
    verb = VERBS[deed.verb]
    case = find(session, actor, number, lock=True)
    _check_permission(actor, verb)
    if rev is not None and rev != case.version:
        raise Stale
    if not in_reach(verb, case, by_complainant=actor.kind is ActorKind.COMPLAINANT):
        raise MoveNotAllowed(
            stage=Message(STAGE_TITLES[Stage(case.stage)]), verb=Message(verb.title)
        )
    needs_words = verb.reason or (verb.complainant and verb.closes is not None)
    if needs_words and not deed.body:
        raise Invalid({"reason": Message(N_("请写明理由"))})
    duties.check(session, actor, case, verb)
    return _write(session, actor, case, verb, deed)


def _check_permission(actor: Actor, verb: Verb) -> None:
    if actor.kind is ActorKind.SYSTEM:
        if verb.bars:
            raise Refused  # the system judges nothing
        return
    if actor.kind is ActorKind.COMPLAINANT:
        if not verb.complainant:
            raise NotFound
        return
    if not actor.can(verb.permission):
        raise Refused(N_("当前角色没有办理「{verb}」的权限"), verb=Message(verb.title))


def _write(session: ScopedSession, actor: Actor, case: Case, verb: Verb, deed: Deed) -> Case:
    moment = now()
    before = Stage(case.stage)
    deed.apply(case)
    _check_gates(session, actor, case, verb)
    if actor.is_person:
        _take_own_part(session, actor, case, verb, deed, moment)
    heard = len(case.clock_events)
    _hear(case, verb, deed, moment)
    if verb.to or verb.closes:
        _move(case, verb, moment)
    if verb.anew:
        duties.begin_round(session, case, moment)
    case.version += 1
    case.updated_at = moment
    entry = append_entry(session, actor, case, deed, moment, before)
    _tell_clocks(session, case, verb, deed, heard)
    if verb.outbox:
        said = {"number": case.number, "verb": verb.name, "entry": str(entry.id)}
        said |= {"from": before.value, "to": case.stage, **deed.outbox_data}
        queue.emit(session, verb.outbox, object_id=case.id, actor_id=actor.id, payload=said)
    ledger.append(
        session,
        kind=f"case.{verb.name}",
        object_id=case.id,
        actor_id=actor.id,
        facts={
            "number": case.number,
            "seq": entry.seq,
            "version": case.version,
            "from": before.value,
            "to": case.stage,
            "state": case.state,
            **deed.facts,
        },
        commits={**({"body": deed.body} if deed.body else {}), **deed.commits},
        at=moment,
    )
    return case


def _take_own_part(
    session: ScopedSession, actor: Actor, case: Case, verb: Verb, deed: Deed, moment: datetime
) -> None:
    """What the deed makes of its doer: nobody shapes a case without a line in its history."""
    part = verb.part
    if part is None and verb.handles and not deed.judges:
        known = duties.parts_of(session, case, actor.id)
        part = None if known & HANDLING else Part.ASSISTANT
    if part:
        take_part(session, actor, case, actor.id, actor.name, part, moment)


def _check_gates(session: ScopedSession, actor: Actor, case: Case, verb: Verb) -> None:
    reasons = [Message(gate.title) for gate in gates.unmet(case, verb.gates)]
    if verb.to or verb.closes:
        for adviser in _consulted:
            reasons += adviser(session, actor, case, verb)
    if reasons:
        raise GatesUnmet(reasons)


def _heard(verb: Verb, deed: Deed) -> str:
    return deed.clock_event if deed.clock_event is not None else verb.clock_event


def _hear(case: Case, verb: Verb, deed: Deed, moment: datetime) -> None:
    """Let the clocks hear of the deed itself, before the stage it leads to: what begins a round
    comes before the first stage of that round."""
    told = {**verb.clock_data, **deed.clock_data}
    tick(case, _heard(verb, deed), deed.clock_at or moment, told)


def _tell_clocks(session: ScopedSession, case: Case, verb: Verb, deed: Deed, heard: int) -> None:
    """Compute the clocks anew if the deed concerns them.

    Dates that a holiday notice had moved before anybody counted them anew are told beside it.
    """
    if _heard(verb, deed) or verb.to or verb.closes or deed.clocks_changed:
        due = clocks.recompute(
            session,
            case.id,
            case.clock_events,
            intake=case.intake_type,
            complexity=case.complexity,
            before=heard,
        )
        show_due(case, due)
        if due.shifts and verb.name != RECOUNT:
            beside = recounted(due.shifts)
            deed.facts = {**deed.facts, **beside.facts}
            system, stage = system_actor(session.tenant), Stage(case.stage)
            append_entry(session, system, case, beside, case.updated_at, stage)
            case.last_activity = verb.name


def recounted(shifts: Sequence[clocks.Shift]) -> Deed:
    """The record of dates that another calendar moved or made firm."""
    dates: list[dict[str, Any]] = [msgspec.to_builtins(shift) for shift in shifts]
    facts = [{name: date[name] for name in date if name != "title"} for date in dates]
    version = {"calendar": clocks.calendar().id}
    return Deed(
        RECOUNT,
        data={**version, "dates": dates},
        facts={**version, "dates": facts},
        clocks_changed=True,
    )


def _move(case: Case, verb: Verb, moment: datetime) -> None:
    reopened = not case.is_open
    if verb.back and verb.to:
        fallen = gates.ROUND_FACTS.get(verb.to, frozenset())
        case.facts = {k: v for k, v in case.facts.items() if k not in fallen}
    if verb.to:
        case.stage = verb.to.value
        case.stage_since = moment
        case.stage_dates = {**case.stage_dates, verb.to.value: local_date(moment).isoformat()}
        if reopened:
            case.state, case.closed_at, case.outcome = CaseState.OPEN.value, None, None
            case.master_id = None
        case.clock_events = [
            *case.clock_events,
            clocks.event("stage_entered", moment, stage=verb.to.value),
        ]
    if outcome := outcome_of(verb, case):
        case.state, case.outcome = CaseState.CLOSED.value, outcome.value
        case.closed_at = moment
    _drop_proposal(case)
    if reopened or not case.is_open or case.stage in _ANSWERED:
        # No more time is asked for an answer that was given, or in a round that is over.
        _forget(case, EXTENSION_ASKED)
    if reopened or not case.is_open:
        _forget(case, RETYPE_ASKED)


def _forget(case: Case, fact: str) -> None:
    case.facts = {name: known for name, known in case.facts.items() if name != fact}


def _drop_proposal(case: Case) -> None:
    """An ending that was proposed cannot be confirmed where the case now stands."""
    verb = VERBS.get(case.facts.get(END_ASKED, {}).get("verb", ""))
    if verb and not (case.is_open and case.stage in verb.stages):
        _forget(case, END_ASKED)


def tick(case: Case, kind: str, moment: datetime, data: Mapping[str, Any]) -> None:
    """Let the clocks hear of something; kept on the case, replayed whenever needed."""
    if kind:
        case.clock_events = [*case.clock_events, clocks.event(kind, moment, **data)]


def show_due(case: Case, due: clocks.NextDue) -> None:
    """Keep what lists sort by on the row.

    A closed case has a date only while something is still owed for it: a review that was asked
    for, or the answer to whoever passed the complaint on.
    """
    case.next_due_at = due.at or (NO_CLOCK if case.is_open else None)
    case.next_due_kind = due.kind
    case.clocks_held = due.held and case.is_open


_COUNTED = {
    EntryKind.NOTE: "notes",
    EntryKind.MESSAGE_IN: "talk",
    EntryKind.MESSAGE_OUT: "talk",
    EntryKind.CALL: "talk",
    EntryKind.MOVE: "moves",
    EntryKind.EVENT: "events",
}


def append_entry(
    session: ScopedSession, actor: Actor, case: Case, deed: Deed, moment: datetime, stage: Stage
) -> Entry:
    """The next line of the timeline, and the counts the tabs show."""
    verb = VERBS.get(deed.verb)
    kind = EntryKind.MOVE if verb and (verb.to or verb.closes) else deed.kind
    seq = int(case.counts.get("entries", 0)) + 1
    counted = _COUNTED[kind]
    case.counts = {**case.counts, "entries": seq, counted: int(case.counts.get(counted, 0)) + 1}
    data = dict(deed.data)
    if verb and verb.to:
        data |= {"from": stage.value, "to": verb.to.value}
    entry = Entry(
        case_id=case.id,
        seq=seq,
        at=moment,
        kind=kind.value,
        audience=deed.audience.value,
        verb=deed.verb,
        author_id=actor.id,
        author_name=actor.name,
        body=deed.body,
        data=data,
        stage=stage.value,
    )
    session.add(entry)
    case.last_activity = deed.verb
    return entry


def take_part(
    session: ScopedSession,
    by: Actor,
    case: Case,
    account_id: uuid.UUID,
    name: str,
    part: Part,
    moment: datetime,
) -> None:
    """Write down somebody's part.  A part once held stays in the history."""
    known = session.scalar(
        select(Participation).where(
            Participation.case_id == case.id,
            Participation.account_id == account_id,
            Participation.part == part.value,
        )
    )
    if known:
        if known.until is not None:
            known.until, known.by_id = None, by.id
    else:
        session.add(
            Participation(
                case_id=case.id,
                account_id=account_id,
                name=name,
                part=part.value,
                since=moment,
                by_id=by.id,
            )
        )
    if part is Part.SUBJECT:
        case.walled = [*{*case.walled, account_id}]
        case.team = [member for member in case.team if member != account_id]
    elif account_id not in case.team:
        case.team = [*case.team, account_id]
