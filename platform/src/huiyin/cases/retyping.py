"""改类: a complaint becomes something less only when somebody agrees who does not handle it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from huiyin.cases.change import Deed, change, find
from huiyin.cases.models import Case
from huiyin.cases.people import judges
from huiyin.cases.schemas import RetypeForm
from huiyin.cases.stages import INTAKE_TITLES, IntakeType
from huiyin.cases.verbs import RETYPE_ASKED
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import now

ASKED: Final = RETYPE_ASKED
APPROVE: Final = "retype.approve"


def asked(case: Case) -> Mapping[str, Any] | None:
    """The request that waits for an answer: ``at``, ``by``, ``by_id``, ``note``, ``to``."""
    found: Mapping[str, Any] | None = case.facts.get(ASKED)
    return found


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
    case.facts = {name: fact for name, fact in case.facts.items() if name != ASKED}


def _tells(deed: Deed, to: IntakeType) -> None:
    deed.clocks_changed = True
    deed.data, deed.facts = {"title": INTAKE_TITLES[to]}, {"to": to.value}


def ask_retype(
    session: ScopedSession, actor: Actor, number: str, form: RetypeForm, *, rev: int
) -> Case:
    """Ask for another kind; until somebody agrees nothing changes."""

    def apply(case: Case) -> None:
        if asked(case):
            raise Conflict(N_("已有一份改类申请待批，请等待批复"))
        if all(judge.account_id == actor.id for judge in judges(session, case, APPROVE)):
            raise Invalid(
                {"intake_type": Message(N_("没有未参与办理的审批人，请先由租户管理员增补"))}
            )
        case.facts = {
            **case.facts,
            ASKED: {
                "at": now().isoformat(), "by": actor.name, "by_id": str(actor.id),
                "note": form.reason, "to": form.intake_type.value,
            },
        }  # fmt: skip

    deed = Deed("ask_retype", body=form.reason, apply=apply)
    _tells(deed, form.intake_type)
    deed.clocks_changed = False
    return change(session, actor, number, deed, rev=rev)


def grant_retype(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Agree to what was asked; clocks that bound until then keep their dates in the figures."""
    deed = Deed("grant_retype")

    def apply(case: Case) -> None:
        request = _pending(case)
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
        to = IntakeType(_pending(case)["to"])
        case.facts = {name: fact for name, fact in case.facts.items() if name != ASKED}
        deed.data, deed.facts = {"title": INTAKE_TITLES[to]}, {"to": to.value}

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def _pending(case: Case) -> Mapping[str, Any]:
    request = asked(case)
    if request is None:
        raise Conflict(N_("没有待批的改类申请，请刷新页面"))
    return request
