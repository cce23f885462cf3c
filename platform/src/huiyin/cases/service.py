"""What people do with cases.  Each verb is one call of ``change``; none commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import or_, select

from huiyin.cases import closing, lowering, merging, search, transfers
from huiyin.cases.change import Deed, change, find
from huiyin.cases.duties import parts_of
from huiyin.cases.errors import MoveNotAllowed, SecondPersonRequired
from huiyin.cases.gates import EXIT, GATES, Gate, How, rule_against
from huiyin.cases.models import Case, Task
from huiyin.cases.schemas import FactsForm
from huiyin.cases.stages import Audience, EntryKind, Stage
from huiyin.cases.verbs import MOVES, REVIEW_ASKED, SETTLED, VERBS
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import mask_email, mask_name, mask_phone
from huiyin.kit.time import now
from huiyin.parties.models import Fund, Investor
from huiyin.policies.catalogue import categories, causes

_MODES = {
    "note": ("note", EntryKind.NOTE, Audience.INTERNAL),
    "message": ("message", EntryKind.MESSAGE_OUT, Audience.COMPLAINANT),
    "call": ("call", EntryKind.CALL, Audience.INTERNAL),
}


# Moves that carry more than words: everything about a plan (huiyin.remedies).
ELSEWHERE: Final = frozenset({"approve", "return_plan", "submit_plan", "withdraw_plan"})
# Moves that touch more than this one case, or happen more than once in it.
_OWN_WAY: Final = {"unmerge": merging.unmerge, "answer_transfer": transfers.answer_all}
TOLD: Final = frozenset({"refuse_review", "summary_close"})  # whose words the complainant reads


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
    if closing.is_about(wanted):
        return closing.act(session, actor, number, wanted, rev=rev, reason=reason)
    if verb in _OWN_WAY:
        return _OWN_WAY[verb](session, actor, number, reason, rev=rev)
    deed = Deed(verb, body=reason, apply=_stamp(verb))
    if verb in {"reopen", "reopen_intake"}:
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
            case.facts = {**case.facts, SETTLED: {"at": now().isoformat()}}
        if verb == "refuse_review":
            case.facts = {k: v for k, v in case.facts.items() if k != REVIEW_ASKED}

    return apply


def attest(session: ScopedSession, actor: Actor, number: str, gate: str, note: str) -> Case:
    """State that something was done, and how it is known.  Only for gates of the present stage.

    Raises ``SecondPersonRequired`` with the gate's rule for somebody it is not meant for.
    """
    known = GATES.get(gate)
    if known is None or known.how is not How.ATTEST:
        raise NotFound

    def apply(case: Case) -> None:
        here = EXIT[Stage(case.stage)]
        if gate not in here and gate != "summary_agreed":
            raise MoveNotAllowed(
                N_("「{gate}」不属于当前阶段，请刷新页面"), gate=Message(known.title)
            )
        rule = rule_for(session, actor, case, known)
        if rule:
            raise SecondPersonRequired(rule)
        case.facts = {
            **case.facts,
            gate: {"at": now().isoformat(), "by": actor.name, "by_id": str(actor.id), "note": note},
        }

    return change(
        session,
        actor,
        number,
        Deed(
            "attest",
            body=note,
            data={"gate": gate},
            facts={"gate": gate},
            apply=apply,
            judges=known.judge,
        ),
    )


def rule_for(session: ScopedSession, actor: Actor, case: Case, gate: Gate) -> str:
    """Why this person may not meet the gate, or ``""``."""
    if not gate.rule:
        return ""
    investigates = case.investigator_id == actor.id
    executes = not gate.executors and bool(
        session.scalar(
            select(Task.id)
            .where(
                Task.case_id == case.id,
                Task.is_measure,
                or_(Task.assignee_id == actor.id, Task.done_by == actor.id),
            )
            .limit(1)
        )
    )
    held = parts_of(session, case, actor.id)
    return rule_against(gate, actor, held, investigates=investigates, executes=executes)


# fmt: off
# What the approval rests on: from the submission of the plan on it stays as it was judged.
JUDGED_ON: Final = ("category", "severity", "amount", "finding", "cause")
_ASKED_LATER: Final = ("finding", "cause")  # by the archive, where the way there did not
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
    investor, contact = None, dict[str, str]()
    if not form.anonymous and any((form.name, form.phone, form.email)):
        investor = _complainant(session, case_before)
        contact = _contact(investor, form, changed)
        session.flush()  # its id is needed on the case

    def apply(case: Case) -> None:
        _rewrite(case, form, changed)
        if investor is not None and case.complainant_id != investor.id:
            case.complainant_id = investor.id

    complexity = form.complexity.value
    event = "complexity_set" if complexity != case_before.complexity else ""
    case = change(
        session,
        actor,
        number,
        Deed(
            "edit",
            data={"changed": changed},
            apply=apply,
            clock_event=event,
            clock_data={"value": complexity} if event else {},
            facts={"category": form.category, "severity": form.severity},
            commits=contact,
        ),
        rev=rev,
    )
    _reindex(session, case)
    return case


def _rewrite(case: Case, form: FactsForm, changed: dict[str, list[str]]) -> None:
    """Put the facts of the form into the case, and before and after of each into ``changed``."""
    if not case.is_settled:
        lowering.refuse_alone(case, form.severity)
    for name in EDITED:
        new = getattr(form, name)
        new = getattr(new, "value", new)
        if getattr(case, name) != new:
            changed[name] = [str(getattr(case, name) or ""), str(new or "")]
            setattr(case, name, new)
    _refuse_settled(case, changed)


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


def _refuse_settled(case: Case, changed: Mapping[str, Sequence[str]]) -> None:
    """What was judged is not rewritten under the judgement; the plan goes back first.

    What a short way never asked for may still be filled in: nothing was judged on it.
    """
    if not case.is_settled:
        return
    said = Message(N_("方案提交审批后不再修改；须修改的，请先撤回、退回或变更方案"))
    filled = {name for name in _ASKED_LATER if not changed.get(name, [""])[0]}
    if wrong := {name: said for name in JUDGED_ON if name in changed and name not in filled}:
        raise Invalid(wrong)


_MASKS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"name": mask_name, "phone": mask_phone, "email": mask_email}
)


def _contact(investor: Investor, form: FactsForm, changed: dict[str, list[str]]) -> dict[str, str]:
    """Write down what the form says of the complainant: masked in ``changed``, and whole for
    the ledger to commit to, because papers go to this address."""
    new: dict[str, str] = {}
    for name, mask in _MASKS.items():
        old, given = getattr(investor, name) or "", getattr(form, name)
        if given and given != old:
            changed[name] = [mask(old) if old else "", mask(given)]
            new[name] = given
            setattr(investor, name, given)
    return new


def _complainant(session: ScopedSession, case: Case) -> Investor:
    """The complainant's record; made when there was none."""
    investor = None
    if case.complainant_id:
        investor = session.get(Investor, (session.tenant, case.complainant_id))
    if investor is None:
        investor = Investor()
        session.add(investor)
    return investor


def reveal(session: ScopedSession, actor: Actor, number: str, reason: str) -> Investor | None:
    """Show the complainant's identity to somebody who says why; the act is written down."""
    case = change(session, actor, number, Deed("reveal", body=reason))
    if case.complainant_id is None:
        return None
    return session.get(Investor, (session.tenant, case.complainant_id))
