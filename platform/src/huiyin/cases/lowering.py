"""降级: a grave case becomes a lesser one only when somebody agrees who does not handle it.

From 重大 down to 较重 or 一般 the opinion of compliance is no longer owed, and the case may be
settled at once.  Every other step of the level removes nothing and is an edit like any other; it
moves no clock, because those follow 繁简 and the dates that were promised.
"""

from __future__ import annotations

from typing import Final

from huiyin.cases.change import Deed, change, find
from huiyin.cases.models import Case
from huiyin.cases.retyping import (
    LEVEL,
    Request,
    file,
    grant_retype,
    is_about,
    pending,
    refuse_retype,
    without,
)
from huiyin.cases.schemas import LowerForm
from huiyin.cases.stages import SEVERITY_TITLES, Severity
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.i18n import N_, Message

GRAVE: Final = frozenset({Severity.S3, Severity.S4})
LESSER: Final = tuple(level for level in Severity if level not in GRAVE)


def takes_second(case: Case, to: str | None) -> bool:
    """Whether this level would take away what the present one owes; none at all does too."""
    return case.severity in GRAVE and to not in GRAVE


def is_open_to(case: Case) -> bool:
    """Whether the level could be lowered now: what was judged on it stays as it was."""
    return case.is_open and case.severity in GRAVE and not case.is_settled


def refuse_alone(case: Case, to: str | None) -> None:
    """Raises ``Invalid`` (field ``severity``) for a step that takes a second person."""
    if takes_second(case, to):
        said = N_("降为较重或一般后不再需要合规意见，须由审批人同意，请在案件页申请降级")
        raise Invalid({"severity": Message(said)})


def ask_lowering(
    session: ScopedSession, actor: Actor, number: str, form: LowerForm, *, rev: int
) -> Case:
    """Ask for a lesser level; until somebody agrees nothing changes.

    Raises ``Invalid`` at ``severity`` for a level that can be set without asking.
    """

    def apply(case: Case) -> None:
        _still_open(case)
        if not takes_second(case, form.severity):
            raise Invalid({"severity": Message(N_("请选择较重或一般；其他调整请直接编辑要素"))})
        file(session, case, actor, form.severity, form.reason, what=LEVEL)

    data, facts = {"title": SEVERITY_TITLES[form.severity]}, {"to": form.severity.value}
    deed = Deed("ask_lowering", body=form.reason, data=data, facts=facts, apply=apply)
    return change(session, actor, number, deed, rev=rev)


def grant_lowering(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Agree to what was asked."""
    deed = Deed("grant_lowering")

    def apply(case: Case) -> None:
        request = pending(case, LEVEL)
        _still_open(case)
        case.severity, case.facts = request["to"], without(case)
        _answers(deed, request)
        deed.body = str(request["note"])

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def refuse_lowering(
    session: ScopedSession, actor: Actor, number: str, reason: str, *, rev: int
) -> Case:
    """Leave the level as it is, and say why."""
    deed = Deed("refuse_lowering", body=reason)

    def apply(case: Case) -> None:
        request = pending(case, LEVEL)
        case.facts = without(case)
        _answers(deed, request)

    deed.apply = apply
    return change(session, actor, number, deed, rev=rev)


def grant(session: ScopedSession, actor: Actor, number: str, *, rev: int) -> Case:
    """Agree to whatever waits, another kind or a lesser level."""
    agree = grant_lowering if is_asked(session, actor, number) else grant_retype
    return agree(session, actor, number, rev=rev)


def refuse(session: ScopedSession, actor: Actor, number: str, reason: str, *, rev: int) -> Case:
    """Leave kind and level as they are, and say why."""
    leave = refuse_lowering if is_asked(session, actor, number) else refuse_retype
    return leave(session, actor, number, reason, rev=rev)


def is_asked(session: ScopedSession, actor: Actor, number: str) -> bool:
    """Whether what waits is about the level.  Raises ``Conflict`` when nothing waits."""
    return is_about(pending(find(session, actor, number)), LEVEL)


def _still_open(case: Case) -> None:
    if not is_open_to(case):
        raise Conflict(N_("方案已提交审批，或级别已经变更，现在不能降级"))


def _answers(deed: Deed, request: Request) -> None:
    to = Severity(request["to"])
    deed.data = {"title": SEVERITY_TITLES[to]}
    deed.facts = {"to": to.value, "asked_by": request["by_id"]}
