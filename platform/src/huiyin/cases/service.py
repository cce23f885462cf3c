"""What people do with cases.  Each verb is one call of ``change``; none commits."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any, Final

from sqlalchemy import select

from huiyin.cases import merging, search
from huiyin.cases.change import Deed, change, find
from huiyin.cases.errors import MoveNotAllowed
from huiyin.cases.gates import EXIT, GATES, How
from huiyin.cases.models import Case
from huiyin.cases.schemas import FactsForm, RetypeForm
from huiyin.cases.stages import (
    INTAKE_TITLES,
    Audience,
    EntryKind,
    IntakeType,
    Stage,
)
from huiyin.cases.verbs import MOVES, REVIEW_ASKED, TRANSFER_ANSWERED, VERBS
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.identity.models import Membership
from huiyin.kit.errors import Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now
from huiyin.parties.models import Fund, Investor
from huiyin.policies.catalogue import categories, causes

_MODES = {
    "note": ("note", EntryKind.NOTE, Audience.INTERNAL),
    "message": ("message", EntryKind.MESSAGE_OUT, Audience.COMPLAINANT),
    "call": ("call", EntryKind.CALL, Audience.INTERNAL),
}


# Moves that carry more than words: merging, and everything about a plan (huiyin.remedies).
ELSEWHERE: Final = frozenset({"approve", "merge", "return_plan", "submit_plan", "withdraw_plan"})
TOLD: Final = frozenset({"refuse_review"})  # whose words the complainant reads


def talk(session: ScopedSession, actor: Actor, number: str, mode: str, body: str) -> Case:
    """Write an internal note, a message to the complainant, or down a call.

    Internal notes never leave the firm; a message shows in the portal at once.
    """
    verb, kind, audience = _MODES[mode]
    return change(session, actor, number, Deed(verb, body=body, kind=kind, audience=audience))


def move(
    session: ScopedSession, actor: Actor, number: str, verb: str, *, rev: int, reason: str = ""
) -> Case:
    """Take the case through one of ``MOVES``, except those of ``ELSEWHERE``."""
    wanted = VERBS.get(verb)
    if wanted is None or wanted not in MOVES or verb in ELSEWHERE:
        raise NotFound
    deed = Deed(verb, body=reason, apply=_stamp(verb))
    if verb == "reopen":
        deed.apply = partial(merging.part, session)
    if verb in TOLD:
        deed.kind, deed.audience = EntryKind.MESSAGE_OUT, Audience.COMPLAINANT
    return change(session, actor, number, deed, rev=rev)


def _stamp(verb: str) -> Any:
    def apply(case: Case) -> None:
        if verb == "accept":
            case.accepted_at = now()
        if verb == "summary_close":
            case.answered_at = now()
            case.finding = case.finding or "upheld"
        if verb == "refuse_review":
            case.facts = {k: v for k, v in case.facts.items() if k != REVIEW_ASKED}
        if verb == "answer_transfer":
            case.facts = {**case.facts, TRANSFER_ANSWERED: {"at": now().isoformat()}}

    return apply


def merge(
    session: ScopedSession, actor: Actor, number: str, master: str, *, rev: int, reason: str
) -> Case:
    """Close this case into another open one, with whose answer its own complainant is answered."""
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
    named = {"master": into.number}
    deed = Deed("merge", body=reason, data=named, facts=named)
    deed.apply = partial(merging.join, into=into)
    case = change(session, actor, number, deed, rev=rev)
    merging.tell(session, case)
    change(
        session,
        actor,
        into.number,
        Deed(
            "note",
            kind=EntryKind.EVENT,
            data={"merged": number},
            facts={"merged": number},
            apply=merging.count(+1),
        ),
    )
    return case


def attest(session: ScopedSession, actor: Actor, number: str, gate: str, note: str) -> Case:
    """State that something was done, and how it is known.  Only for gates of the present stage."""
    known = GATES.get(gate)
    if known is None or known.how is not How.ATTEST:
        raise NotFound

    def apply(case: Case) -> None:
        here = EXIT[Stage(case.stage)]
        if gate not in here and gate != "summary_agreed":
            raise MoveNotAllowed(
                N_("「{gate}」不属于当前阶段，请刷新页面"), gate=Message(known.title)
            )
        case.facts = {
            **case.facts,
            gate: {"at": now().isoformat(), "by": actor.name, "by_id": str(actor.id), "note": note},
        }

    return change(
        session,
        actor,
        number,
        Deed("attest", body=note, data={"gate": gate}, facts={"gate": gate}, apply=apply),
    )


# fmt: off
EDITED: Final = (
    "title", "category", "severity", "complexity", "fund_id", "amount", "wish", "finding",
    "cause", "anonymous",
)
# fmt: on


def edit(session: ScopedSession, actor: Actor, number: str, form: FactsForm, *, rev: int) -> Case:
    """Change the facts of the case.  The story itself is never edited."""
    _check_codes(session, form)
    changed: dict[str, list[str]] = {}
    case_before = find(session, actor, number)
    investor = None
    if not form.anonymous and any((form.name, form.phone, form.email)):
        investor = _complainant(session, case_before, form)

    def apply(case: Case) -> None:
        for name in EDITED:
            new = getattr(form, name)
            new = getattr(new, "value", new)
            if getattr(case, name) != new:
                changed[name] = [str(getattr(case, name) or ""), str(new or "")]
                setattr(case, name, new)
        if investor is not None and case.complainant_id != investor.id:
            case.complainant_id = investor.id
            changed["complainant"] = ["", ""]

    complexity = form.complexity.value
    event = "complexity_set" if complexity != case_before.complexity else ""
    shown = {k: v for k, v in changed.items() if k != "complainant"}
    case = change(
        session,
        actor,
        number,
        Deed(
            "edit",
            data={"changed": shown},
            apply=apply,
            clock_event=event,
            clock_data={"value": complexity} if event else {},
            facts={"category": form.category, "severity": form.severity},
        ),
        rev=rev,
    )
    _reindex(session, case)
    return case


def _reindex(session: ScopedSession, case: Case) -> None:
    """What the case can be found by, from the record as it now stands."""
    who = None
    if case.complainant_id:
        who = session.get(Investor, (session.tenant, case.complainant_id))
    fund = session.get(Fund, (session.tenant, case.fund_id)) if case.fund_id else None
    words = [case.number, case.title, case.story, case.wish, case.fund_text]
    words += [who.name, who.phone] if who else []
    words += [fund.name] if fund else []
    search.index(session, case.id, case.received_at, words)


def _check_codes(session: ScopedSession, form: FactsForm) -> None:
    errors: dict[str, Message] = {}
    if form.category and form.category not in categories():
        errors["category"] = Message(N_("请从列表中选择类别"))
    if form.cause and form.cause not in causes():
        errors["cause"] = Message(N_("请从列表中选择根因"))
    if form.fund_id and session.get(Fund, (session.tenant, form.fund_id)) is None:
        errors["fund_id"] = Message(N_("请从列表中选择产品"))
    if errors:
        raise Invalid(errors)


def _complainant(session: ScopedSession, case: Case, form: FactsForm) -> Investor:
    """The complainant's record, with what the form says; made when there was none."""
    investor = None
    if case.complainant_id:
        investor = session.get(Investor, (session.tenant, case.complainant_id))
    if investor is None:
        investor = Investor()
        session.add(investor)
    investor.name = form.name or investor.name
    investor.phone = form.phone or investor.phone
    investor.email = form.email or investor.email
    session.flush()  # its id is needed on the case
    return investor


def retype(
    session: ScopedSession, actor: Actor, number: str, form: RetypeForm, *, rev: int
) -> Case:
    """Change the kind of intake.  Away from a complaint takes a second person's name."""
    downgrade = form.intake_type is not IntakeType.COMPLAINT
    if downgrade:
        second = member(session, form.second_id) if form.second_id else None
        if second is None or second.account_id == actor.id or "approver" not in second.roles:
            raise Invalid({"second_id": Message(N_("投诉改为其他类型，须由另一位审批人复核"))})

    def apply(case: Case) -> None:
        case.intake_type = form.intake_type.value

    return change(
        session,
        actor,
        number,
        Deed(
            "retype",
            body=form.reason,
            apply=apply,
            clocks_changed=True,
            data={"to": INTAKE_TITLES[form.intake_type]},
            facts={"to": form.intake_type.value, "second": form.second_id},
        ),
        rev=rev,
    )


def reveal(session: ScopedSession, actor: Actor, number: str, reason: str) -> Investor | None:
    """Show the complainant's identity to somebody who says why; the act is written down."""
    case = change(session, actor, number, Deed("reveal", body=reason))
    if case.complainant_id is None:
        return None
    return session.get(Investor, (session.tenant, case.complainant_id))


def member(session: ScopedSession, account_id: uuid.UUID | None) -> Membership | None:
    """An active member of the firm."""
    if account_id is None:
        return None
    return session.scalar(
        select(Membership).where(Membership.account_id == account_id, Membership.active)
    )
