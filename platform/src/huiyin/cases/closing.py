"""Ending a complaint before its time: proposed by whoever handles it, confirmed by somebody else.

Only the complainant withdraws alone.  What staff propose waits with its reason, the time limits
running on, until an approver who did not handle the case confirms it, and it is done then and
there, or returns it.  The proposer may take it back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from huiyin.cases import duties, merging, subjects
from huiyin.cases.change import Deed, change, find
from huiyin.cases.errors import NobodyLeft, SecondPersonRequired
from huiyin.cases.models import Case
from huiyin.cases.stages import Audience, EntryKind
from huiyin.cases.verbs import END_ASKED, END_CONFIRMED, VERBS, Verb
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid, NotFound, Refused
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now


def asked(case: Case) -> Mapping[str, Any] | None:
    """What waits for an answer: ``verb``, ``at``, ``by``, ``by_id``, ``note``, ``master``."""
    found: Mapping[str, Any] | None = case.facts.get(END_ASKED)
    return found


def asked_of(session: ScopedSession, actor: Actor, case: Case) -> Mapping[str, Any] | None:
    """``asked``, naming the ``master`` to those only who may know of that case."""
    request = asked(case)
    if request is None or not request["master"]:
        return request
    try:
        find(session, actor, request["master"])
    except NotFound:
        return {**request, "master": ""}
    return request


def is_about(verb: Verb) -> bool:
    """Whether the verb proposes, confirms, returns or takes back an ending."""
    return bool(verb.proposes) or verb.seconded or verb.settles_end


def act(
    session: ScopedSession, actor: Actor, number: str, verb: Verb, *, rev: int, reason: str
) -> Case:
    """Do one of these verbs."""
    if verb.proposes:
        return propose(session, actor, number, verb, reason, rev=rev)
    if verb.seconded:
        return confirm(session, actor, number, verb, rev=rev)
    return _settle(session, actor, number, verb, reason, rev=rev)


# -- proposing -----------------------------------------------------------------------------------


def propose(
    session: ScopedSession, actor: Actor, number: str, verb: Verb, reason: str, *,
    rev: int, into: Case | None = None,
) -> Case:  # fmt: skip
    """Ask for the case to be ended, with the reason the complainant will read.

    Raises ``NobodyLeft`` when the firm has nobody who could confirm it.
    """
    master = into.number if into else ""
    deed = Deed(verb.name, body=reason, facts={"for": verb.proposes, "master": master})

    def apply(case: Case) -> None:
        if into is not None:
            subjects.check_left_of_both(session, case, into)
        wanted = VERBS[verb.proposes]
        if not any(p.account_id != actor.id for p in duties.able(session, case, wanted)):
            raise NobodyLeft(role=duties.roles_for(wanted))
        case.facts = {
            **case.facts,
            END_ASKED: {
                "verb": wanted.name, "at": now().isoformat(), "by": actor.name,
                "by_id": str(actor.id), "note": reason, "master": master,
            },
        }  # fmt: skip

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def propose_merge(
    session: ScopedSession, actor: Actor, number: str, master: str, *, rev: int, reason: str
) -> Case:
    """Ask for this case to be closed into another open one."""
    into = _master(session, actor, number, master)
    verb = VERBS["propose_merge"]
    return propose(session, actor, number, verb, reason, rev=rev, into=into)


def _master(session: ScopedSession, actor: Actor, number: str, master: str) -> Case:
    if master == number:
        raise Invalid({"master": Message(N_("请填写另一件案件的编号"))})
    try:
        into = find(session, actor, master)
    except NotFound:
        raise Invalid({"master": Message(N_("没有找到这个编号，请核对"))}) from None
    if not into.is_open:
        raise Invalid({"master": Message(N_("主案已办结，请选择办理中的案件"))})
    if "reply_sent" in into.facts:
        said = N_("主案已签发书面答复，不能再并入，请分别办理")
        raise Invalid({"master": Message(said)})
    return into


# -- answering -----------------------------------------------------------------------------------


def confirm(session: ScopedSession, actor: Actor, number: str, verb: Verb, *, rev: int) -> Case:
    """Do what was proposed; the complainant reads the reason that was given for it."""
    found = find(session, actor, number)
    before = asked(found)
    master = str(before["master"]) if before else ""
    into = _master(session, actor, number, master) if master else None
    if into is not None:
        subjects.lock(session, found, into)
    deed = Deed(
        verb.name, body=str(before["note"]) if before else "", audience=Audience.COMPLAINANT,
    )  # fmt: skip

    def apply(case: Case) -> None:
        request = asked(case)
        if request is None or request != before:
            raise Conflict(N_("没有待确认的提请，请刷新页面"))
        if uuid.UUID(request["by_id"]) == actor.id:
            raise SecondPersonRequired(name=actor.name, parts=Message(N_("提请人")))
        known = case.facts
        case.facts = {**_without(case), END_CONFIRMED: dict(request)}
        if into is not None:
            subjects.check_left_of_both(session, case, into)
            merging.join(case, into, known)
        deed.data = {"proposed_by": request["by"], **({"master": into.number} if into else {})}
        deed.facts = {"proposed_by": request["by_id"], "master": master}

    deed.apply = apply
    case = change(session, actor, number, deed, rev=rev)
    if into is not None:
        merging.tell(session, case)
        told = {"merged": number}
        note = Deed("note", kind=EntryKind.EVENT, data=told, facts=told, apply=merging.count(+1))
        change(session, actor, into.number, note)
        subjects.share(session, case, into, deed.body)
    return case


def _settle(
    session: ScopedSession, actor: Actor, number: str, verb: Verb, reason: str, *, rev: int
) -> Case:
    """Return the proposal, saying why, or take it back."""

    def apply(case: Case) -> None:
        request = asked(case) or {}
        if verb.name == "take_back_end" and request.get("by_id") != str(actor.id):
            raise Refused(N_("只能由提请人收回，其他人可以请审批人退回"))
        case.facts = _without(case)

    return change(session, actor, number, Deed(verb.name, body=reason, apply=apply), rev=rev)


def _without(case: Case) -> dict[str, Any]:
    return {name: fact for name, fact in case.facts.items() if name != END_ASKED}
