"""Cases handled as one: the others close, but each complainant is still owed an answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from huiyin.cases.change import Deed, change, find
from huiyin.cases.duties import in_matter
from huiyin.cases.models import Case, Participation
from huiyin.cases.stages import HANDLING, Audience, CaseState, EntryKind, Part
from huiyin.cases.subjects import lock
from huiyin.cases.verbs import (
    ANSWER_WAITS,
    END_CONFIRMED,
    EXTENSION_ASKED,
    MERGED_OWED,
    RETYPE_ASKED,
)
from huiyin.clocks.models import ClockRow
from huiyin.clocks.service import promised_reply
from huiyin.db import ScopedSession
from huiyin.identity.actor import SYSTEM_ID, Actor, system_actor
from huiyin.kit.errors import Conflict
from huiyin.kit.i18n import N_
from huiyin.kit.time import now, today

OWED: Final = MERGED_OWED  # in the counts of its master: how many
# Facts that a merger drops or writes over, and that its undoing brings back.
_DROPPED: Final = (EXTENSION_ASKED, RETYPE_ASKED, END_CONFIRMED)
_HANDS: Final = Participation.part.in_([part.value for part in HANDLING - {Part.SUBJECT}])


def join(case: Case, into: Case, before: Mapping[str, Any]) -> None:
    """Put the case under its master; ``before`` are the facts it had until then."""
    case.master_id = into.id
    kept = {name: before[name] for name in _DROPPED if name in before}
    case.facts = {
        **case.facts,
        OWED: {"at": now().isoformat(), "note": into.number, "before": kept},
    }


def tell(session: ScopedSession, case: Case) -> None:
    """Let the complainant know that it is merged, and until when the answer comes."""
    words = _words(case, _promised(session, case))
    told = Deed(
        "tell_merged", body=words, kind=EntryKind.MESSAGE_OUT, audience=Audience.COMPLAINANT
    )
    change(session, system_actor(session.tenant), case.number, told)


def _promised(session: ScopedSession, case: Case) -> date | None:
    rows = session.scalars(
        select(ClockRow).where(ClockRow.case_id == case.id, ClockRow.stopped_at.is_(None))
    )
    return promised_reply(rows)


def _words(case: Case, day: date | None) -> str:
    late = day is None or day < today()
    if case.language == "en":
        when = "as soon as we can" if late else f"by {day:%-d %B %Y}"
        return (
            "We now handle your complaint together with another one about the same matter. Your "
            f"number and code stay valid. We will answer you in writing {when}, here on this page."
        )
    when = "尽快" if day is None or late else f"最晚于 {day.year} 年 {day.month} 月 {day.day} 日"
    return (
        "您的投诉已与反映同一事项的另一件投诉合并办理，您的编号和查询码继续有效。"
        f"我公司将{when}书面答复您，届时请在本页查看。"
    )


def count(step: int) -> Callable[[Case], None]:
    """Keep on the master how many merged cases still wait for their answer."""

    def apply(case: Case) -> None:
        case.counts = {**case.counts, OWED: max(0, int(case.counts.get(OWED, 0)) + step)}

    return apply


def settle(session: ScopedSession, case: Case) -> None:
    """Nothing is owed beside the master any more: this case is answered, or goes its own way."""
    if OWED not in case.facts:
        return
    case.facts = {name: fact for name, fact in case.facts.items() if name != OWED}
    master = session.get(Case, (session.tenant, case.master_id))
    if master is not None and not master.is_open:
        count(-1)(master)  # nothing to tell of there, but a reopening must not wait for it
    if master is not None and master.is_open:
        deed = Deed(
            "note", kind=EntryKind.EVENT, apply=count(-1),
            data={"settled": case.number, "merged": case.number}, facts={"settled": case.number},
        )  # fmt: skip
        change(session, system_actor(session.tenant), master.number, deed)


def part(session: ScopedSession, case: Case) -> None:
    """A merged case that is opened again is handled for itself.

    What was one matter until now stays in the history of both: nobody becomes somebody from
    outside by the parting.
    """
    settle(session, case)
    _part_hands(session, case)
    case.master_id = None


def unmerge(session: ScopedSession, actor: Actor, number: str, reason: str, *, rev: int) -> Case:
    """Take a merger back: the case stands where it stood, with its own people, dates and tasks.

    Its clocks go on as if it had never been merged, a date that passed meanwhile is missed.  What
    was done while it was merged stays in its history; so do the walls, because the timeline now
    names the other case.  Raises ``Conflict`` while an answer of its own waits to be signed.
    """
    lock(session, find(session, actor, number))

    def apply(case: Case) -> None:
        if ANSWER_WAITS in case.facts:
            raise Conflict(N_("已为本案单独拟定书面答复，请先签发或作废，再解除并案"))
        before = case.facts[OWED].get("before", {})
        dropped = {OWED, *_DROPPED}
        kept = {name: fact for name, fact in case.facts.items() if name not in dropped}
        deed.data = {"reason": reason, "unmerged": case.facts[OWED]["note"]}
        _leave(session, case)
        case.facts = {**kept, **before}
        case.state, case.outcome, case.closed_at = CaseState.OPEN.value, None, None

    deed = Deed("unmerge", body=reason, apply=apply)
    case = change(session, actor, number, deed, rev=rev)
    words = Deed(
        "tell_parted", body=_parted_words(case, _promised(session, case)),
        kind=EntryKind.MESSAGE_OUT, audience=Audience.COMPLAINANT,
    )  # fmt: skip
    return change(session, system_actor(session.tenant), number, words)


def _leave(session: ScopedSession, case: Case) -> None:
    """Out of the matter, telling the master; whoever had a hand in either keeps it in both."""
    master = session.get(Case, (session.tenant, case.master_id))
    if master is not None and master.is_open:
        told = {"unmerged": case.number}
        gone = Deed("note", kind=EntryKind.EVENT, apply=count(-1), data=told, facts=told)
        change(session, system_actor(session.tenant), master.number, gone)
    elif master is not None:
        count(-1)(master)
    _part_hands(session, case)
    case.master_id = None


def _parted_words(case: Case, day: date | None) -> str:
    late = day is None or day < today()
    if case.language == "en":
        when = "as soon as we can" if late else f"by {day:%-d %B %Y}"
        return (
            "We now handle your complaint on its own again. Your number and code stay valid. We "
            f"will answer you in writing {when}, here on this page."
        )
    when = "尽快" if day is None or late else f"最晚于 {day.year} 年 {day.month} 月 {day.day} 日"
    return (
        "您的投诉已恢复单独办理，您的编号和查询码继续有效。"
        f"我公司将{when}书面答复您，届时请在本页查看。"
    )


def _part_hands(session: ScopedSession, case: Case) -> None:
    """What was one matter until now stays in the history of both sides."""
    mine: list[Participation] = []
    theirs: list[Participation] = []
    for held in session.scalars(select(Participation).where(in_matter(case), _HANDS)):
        (mine if held.case_id == case.id else theirs).append(held)
    if case.master_id is not None:
        _remember(session, case.id, theirs, known=mine)
        there = [held for held in theirs if held.case_id == case.master_id]
        _remember(session, case.master_id, mine, known=there)


def _remember(
    session: ScopedSession, case_id: uuid.UUID, held: Sequence[Participation], *,
    known: Sequence[Participation],
) -> None:  # fmt: skip
    """Write parts held elsewhere into the history of a case, as ended."""
    there = {(one.account_id, one.part) for one in known}
    moment = now()
    for one in held:
        if (one.account_id, one.part) in there:
            continue
        there.add((one.account_id, one.part))
        session.add(
            Participation(
                case_id=case_id, account_id=one.account_id, name=one.name, part=one.part,
                since=one.since, until=one.until or moment, by_id=SYSTEM_ID,
            )
        )  # fmt: skip


def owed_by(session: ScopedSession, master_id: uuid.UUID | None) -> Sequence[uuid.UUID]:
    """The cases under this master whose complainants still wait for their answer."""
    return session.scalars(
        select(Case.id).where(Case.master_id == master_id, Case.facts.has_key(OWED))
    ).all()
