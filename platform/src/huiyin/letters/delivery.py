"""What became of a letter that was released, and what the case owes when it came back.

The written answer is given with its release, because the portal shows it from then on; that it
arrived is another matter, and it is called delivered only with proof.
"""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import select

from huiyin.cases import merging
from huiyin.cases.models import Case, Task
from huiyin.cases.people import count_task
from huiyin.cases.verbs import ANSWER_WAITS
from huiyin.clocks.service import calendar
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.kit.errors import Conflict
from huiyin.kit.i18n import N_
from huiyin.kit.time import now, today
from huiyin.letters.models import Letter, LetterState
from huiyin.letters.wording import LetterKind
from huiyin.queue import service as queue

SEND: Final = "letters.send"
ANSWER: Final = "reply_sent"  # in the facts of a case: the written answer, and how it fared
RETURNED: Final = "answer_returned"  # there too, from when it came back until it is redone
NOT_DELIVERED: Final = N_("书面答复 {number} 未送达，改用其他方式送达")

# What releasing a letter of a kind is, as a verb.
_VERBS: Final = {
    LetterKind.ACKNOWLEDGEMENT: "acknowledge",
    LetterKind.ANSWER: "release_answer",
}


NOT_A_SIGNER: Final = N_("书面答复须由未参与办理的审批人签发")


def may_sign(actor: Actor, kind: str) -> bool:
    """Whether the person's role signs papers of that kind."""
    return actor.can("answer.release" if kind == LetterKind.ANSWER else "case.letter")


def await_signature(case: Case, letter: Letter) -> None:
    """A written answer is drafted: it stands among what waits for an approver."""
    if letter.kind == LetterKind.ANSWER:
        waits = {"at": now().isoformat(), "by": letter.drafted_name, "note": letter.number}
        case.facts = {**case.facts, ANSWER_WAITS: waits}


def no_longer_awaited(case: Case, letter: Letter) -> None:
    """It was signed, or given up."""
    if letter.kind == LetterKind.ANSWER:
        case.facts = {name: fact for name, fact in case.facts.items() if name != ANSWER_WAITS}


def release_verb(actor: Actor, case: Case, kind: LetterKind) -> str:
    """The verb of a release; the answer in a merged case has one of its own."""
    if kind is LetterKind.ANSWER and merging.OWED in case.facts:
        return "answer_merged" if actor.is_person else "answer_along"
    return _VERBS.get(kind, "send_letter")


def answered(session: ScopedSession, actor: Actor, case: Case, letter: Letter) -> None:
    """The written answer is given; one that had come back is replaced by it."""
    _redone(session, actor, case, letter.number)
    merging.settle(session, case)
    case.answered_at = now()
    by = {"at": now().isoformat(), "by": actor.name, "by_id": str(actor.id)}
    case.facts = {**case.facts, ANSWER: {**by, "note": letter.number}}


def send_again(session: ScopedSession, letter: Letter) -> None:
    """Let the mail try once more, to the address that stands on the case by now."""
    if letter.state != LetterState.FAILED:
        raise Conflict(N_("只有未送达的文书可以重新发送，请刷新页面"))
    letter.state = LetterState.RELEASED.value
    key = f"{SEND}:{letter.id}:{now().isoformat()}"
    queue.enqueue(session, SEND, {"letter": letter.id}, key=key, object_id=letter.case_id)


def fared(
    session: ScopedSession, actor: Actor, case: Case, letter: Letter, state: LetterState,
    channel: str, detail: str,
) -> None:  # fmt: skip
    """Note what became of a letter; the first sending keeps its time."""
    letter.state, letter.channel, letter.delivery = state.value, channel, detail
    if state is not LetterState.FAILED:
        letter.sent_at = letter.sent_at or now()
    if state is LetterState.DELIVERED:
        letter.delivered_at = now()
    given = case.facts.get(ANSWER, {})
    if given.get("note") != letter.number:
        return  # not the answer that counts
    if state is LetterState.FAILED:
        _owe(session, actor, case, letter)
        return
    _redone(session, actor, case, detail or letter.number)
    if state is LetterState.DELIVERED:
        case.facts = {**case.facts, ANSWER: {**given, "delivered": now().isoformat()}}


def _owe(session: ScopedSession, actor: Actor, case: Case, letter: Letter) -> None:
    """The answer came back: the case waits for another way, and its owner has a task."""
    given = {k: v for k, v in case.facts[ANSWER].items() if k != "delivered"}
    case.facts = {**case.facts, ANSWER: given}
    if RETURNED in case.facts or not case.is_open:
        return
    owner = session.scalar(select(Membership).where(Membership.account_id == case.owner_id))
    task = Task(
        case_id=case.id, title=NOT_DELIVERED, title_params={"number": letter.number},
        assignee_id=owner.account_id if owner else None, assignee_name=owner.name if owner else "",
        due_on=calendar().add_workdays(today(), 1).on, created_by=actor.id,
    )  # fmt: skip
    session.add(task)
    session.flush()  # its id is kept
    count_task(case, +1, measure=False)
    owed = {"at": now().isoformat(), "note": letter.number, "task": str(task.id)}
    case.facts = {**case.facts, RETURNED: owed}


def _redone(session: ScopedSession, actor: Actor, case: Case, proof: str) -> None:
    """The answer is on its way again, or there; the task it left is done with it."""
    owed = case.facts.get(RETURNED)
    if owed is None:
        return
    case.facts = {name: fact for name, fact in case.facts.items() if name != RETURNED}
    task = session.get(Task, (session.tenant, uuid.UUID(owed["task"])), with_for_update=True)
    if task is not None and task.done_at is None:
        task.done_at, task.done_by, task.proof = now(), actor.id, proof
        count_task(case, -1, measure=False)
