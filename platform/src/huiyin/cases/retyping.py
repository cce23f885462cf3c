"""改类: a complaint becomes something less only when somebody agrees who does not handle it.

One request waits at a time, for another kind or for a lesser level (see ``lowering``); whoever
asked takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from huiyin.cases.change import Deed, change, find
from huiyin.cases.models import Case
from huiyin.cases.people import judges
from huiyin.cases.schemas import RetypeForm
from huiyin.cases.stages import INTAKE_TITLES, SEVERITY_TITLES, IntakeType, Severity
from huiyin.cases.verbs import RETYPE_ASKED
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid, Refused
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now

ASKED: Final = RETYPE_ASKED
APPROVE: Final = "retype.approve"


# What a request is about.
KIND: Final = "intake_type"
LEVEL: Final = "severity"

Request = Mapping[str, Any]


def asked(case: Case) -> Request | None:
    """The request that waits: ``at``, ``by``, ``by_id``, ``note``, ``what``, ``to``."""
    found: Request | None = case.facts.get(ASKED)
    return found


def is_about(request: Request, what: str) -> bool:
    """``KIND`` or ``LEVEL``; the older ones do not say and are about the kind."""
    return bool(request.get("what", KIND) == what)


def wanted(request: Request) -> str:
    """The title of what was asked for."""
    if is_about(request, LEVEL):
        return SEVERITY_TITLES[Severity(request["to"])]
    return INTAKE_TITLES[IntakeType(request["to"])]


def downgrades(to: IntakeType) -> bool:
    """Whether it takes a second person: anything but a complaint asks less of the firm."""
    return to is not IntakeType.COMPLAINT


def retype(
    session: ScopedSession, actor: Actor, number: str, form: RetypeForm, *, rev: int
) -> Case:
    """Make it a complaint at once, or ask for another kind.

    Raises ``Invalid`` (field ``intake_type``) for the kind it has, or when nobody could agree.
    """
    if find(session, actor, number).intake_type == form.intake_type:
        raise Invalid({"intake_type": Message(N_("已是这一类型，请选择其他类型"))})
    if downgrades(form.intake_type):
        return ask_retype(session, actor, number, form, rev=rev)
    deed = Deed("retype", body=form.reason, apply=lambda case: _turn(case, form.intake_type))
    _tells(deed, form.intake_type)
    return change(session, actor, number, deed, rev=rev)


def _turn(case: Case, to: IntakeType) -> None:
    case.intake_type = to.value
    case.facts = without(case)


def _tells(deed: Deed, to: IntakeType) -> None:
    deed.clocks_changed = True
    deed.data, deed.facts = {"title": INTAKE_TITLES[to]}, {"to": to.value}


def ask_retype(
    session: ScopedSession, actor: Actor, number: str, form: RetypeForm, *, rev: int
) -> Case:
    """Ask for another kind; until somebody agrees nothing changes."""

    def apply(case: Case) -> None:
        file(session, case, actor, form.intake_type, form.reason, what=KIND)

    deed = Deed("ask_retype", body=form.reason, apply=apply)
    _tells(deed, form.intake_type)
    deed.clocks_changed = False
    return change(session, actor, number, deed, rev=rev)


def file(
    session: ScopedSession, case: Case, actor: Actor, to: StrEnum, reason: str, *, what: str
) -> None:
    """Put the request into the case.

    Raises ``Conflict`` while another waits, ``Invalid`` at the field when nobody could agree.
    """
    if asked(case):
        raise Conflict(N_("已有一份申请待批，请等待批复，或由申请人先撤回"))
    if all(judge.account_id == actor.id for judge in judges(session, case, APPROVE)):
        raise Invalid({what: Message(N_("没有未参与办理的审批人，请先由租户管理员增补"))})
    case.facts = {
        **case.facts,
        ASKED: {
            "at": now().isoformat(), "by": actor.name, "by_id": str(actor.id), "note": reason,
            "what": what, "to": to.value,
        },
    }  # fmt: skip


def withdraw(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Take one's own request back; nothing changes.  Raises ``Refused`` for anybody else's."""
    deed = Deed("withdraw_retype")

    def apply(case: Case) -> None:
        request = pending(case)
        if request["by_id"] != str(actor.id):
            raise Refused(N_("只能由申请人本人撤回"))
        case.facts = without(case)
        deed.data = {"title": wanted(request)}
        deed.facts = {"what": request.get("what", KIND), "to": request["to"]}

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def grant_retype(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Agree to what was asked; clocks that bound until then keep their dates in the figures."""
    deed = Deed("grant_retype")

    def apply(case: Case) -> None:
        request = pending(case, KIND)
        to = IntakeType(request["to"])
        _turn(case, to)
        _tells(deed, to)
        deed.body = str(request["note"])
        deed.facts = {"to": to.value, "asked_by": request["by_id"]}

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def refuse_retype(
    session: ScopedSession, actor: Actor, number: str, reason: str, *, rev: int
) -> Case:
    """Leave the kind as it is, and say why."""
    deed = Deed("refuse_retype", body=reason)

    def apply(case: Case) -> None:
        to = IntakeType(pending(case, KIND)["to"])
        case.facts = without(case)
        deed.data, deed.facts = {"title": INTAKE_TITLES[to]}, {"to": to.value}

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def pending(case: Case, what: str = "") -> Request:
    """What waits, of this kind if one is named.  Raises ``Conflict`` when nothing does."""
    request = asked(case)
    if request is None or (what and not is_about(request, what)):
        raise Conflict(N_("没有待批的申请，可能已被撤回或批复"))
    return request


def without(case: Case) -> dict[str, Any]:
    """The facts of the case once the request is answered."""
    return {name: fact for name, fact in case.facts.items() if name != ASKED}
