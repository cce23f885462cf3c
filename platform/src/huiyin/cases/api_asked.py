"""What one person asks and another answers, for programs: merging, kind, level, more time."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import closing, extensions, lowering, queries, retyping
from huiyin.cases.api_bodies import (
    ExtensionBody,
    LowerBody,
    MergeBody,
    MoveBody,
    RetypeBody,
    RevBody,
)
from huiyin.cases.api_waiting import Asked, extension_asked
from huiyin.cases.errors import NobodyLeft, SecondPersonRequired
from huiyin.cases.models import Case
from huiyin.cases.operations import act, operation
from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Refused
from huiyin.web.desk import Desk
from huiyin.web.programs import Answer


class ExtensionAnswer(Answer, frozen=True, kw_only=True):
    """How far the date of the written answer can still be moved, and what waits.

    ``due_on`` is that date now, ``most`` how many ``unit`` more may be asked for: workday,
    calendar_day, trading_day or hour.  They are null where ``refused`` says why there are none.
    """

    number: str
    rev: int
    due_on: date | None
    most: int | None
    unit: str | None
    refused: str
    asked: Asked | None


def _merge(session: ScopedSession, actor: Actor, number: str, form: MergeBody) -> Case:
    return closing.propose_merge(
        session, actor, number, form.master, rev=form.rev, reason=form.reason
    )


def _extend(session: ScopedSession, actor: Actor, number: str, form: ExtensionBody) -> Case:
    return extensions.ask_extension(session, actor, number, form.days, form.reason, rev=form.rev)


class AskedApi(Controller):
    path = "/api/v1/t/{tenant:str}/cases/{number:str}"
    tags = ["申请与批复"]  # noqa: RUF012 - Litestar reads a list

    merge = act(
        "/merge",
        "merge",
        "case.accept",
        "提请并案",
        says="由未参与办理的审批人以 moves/merge 确认或 moves/return_end 退回，提请人可以 "
        "moves/take_back_end 收回；并案有误的以 moves/unmerge 解除。",
        body=MergeBody,
        required=["master", "reason", "rev"],
        do=_merge,
        refusals=[NobodyLeft],
    )
    retype = act(
        "/retype",
        "retype",
        "case.classify",
        "更改登记类型",
        says="改为投诉立即生效，改为其他类型须由未参与办理的审批人同意后生效。",
        body=RetypeBody,
        required=["intake_type", "reason", "rev"],
        do=lambda session, actor, number, form: retyping.retype(
            session, actor, number, form, rev=form.rev
        ),
    )
    lower = act(
        "/lower",
        "lower",
        "case.classify",
        "申请降级",
        says="重大以上降为一般（S1）或较重（S2），由未参与办理的审批人同意后生效。",
        body=LowerBody,
        required=["severity", "reason", "rev"],
        do=lambda session, actor, number, form: lowering.ask_lowering(
            session, actor, number, form, rev=form.rev
        ),
    )
    withdraw_retype = act(
        "/retype/withdraw",
        "withdraw_retype",
        "case.classify",
        "撤回改类或降级申请",
        says="只能由申请人本人撤回。",
        body=RevBody,
        do=lambda session, actor, number, form: retyping.withdraw(
            session, actor, number, rev=form.rev
        ),
        refusals=[Refused],
    )
    grant_retype = act(
        "/retype/grant",
        "grant_retype",
        "retype.approve",
        "同意改类或降级",
        says="同意案件详情的 asked 所列的申请。",
        body=RevBody,
        do=lambda session, actor, number, form: lowering.grant(
            session, actor, number, rev=form.rev
        ),
        refusals=[SecondPersonRequired],
    )
    refuse_retype = act(
        "/retype/refuse",
        "refuse_retype",
        "retype.approve",
        "不同意改类或降级",
        says="须写明理由。",
        body=MoveBody,
        required=["reason", "rev"],
        do=lambda session, actor, number, form: lowering.refuse(
            session, actor, number, form.reason, rev=form.rev
        ),
        refusals=[SecondPersonRequired],
    )


class ExtensionApi(Controller):
    path = "/api/v1/t/{tenant:str}/cases/{number:str}/extension"
    tags = ["申请与批复"]  # noqa: RUF012 - Litestar reads a list

    @operation(
        "GET", "/", "show", "case.read", "书面答复的延期", of="extension", answer=ExtensionAnswer
    )
    def show(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        return desk.json(_told(desk, queries.open_case(desk.session, desk.actor, number).case))

    ask = act(
        "/",
        "ask",
        "case.handle",
        "申请延期",
        of="extension",
        says="由未参与办理的审批人批准；获准后理由与新的期限书面告知投诉人。",
        body=ExtensionBody,
        required=["days", "reason", "rev"],
        do=_extend,
    )
    grant = act(
        "/grant",
        "grant",
        "extension.approve",
        "批准延期",
        of="extension",
        body=RevBody,
        do=lambda session, actor, number, form: extensions.grant_extension(
            session, actor, number, rev=form.rev
        ),
        refusals=[SecondPersonRequired],
    )
    refuse = act(
        "/refuse",
        "refuse",
        "extension.approve",
        "不批准延期",
        of="extension",
        says="须写明理由，期限不变。",
        body=MoveBody,
        required=["reason", "rev"],
        do=lambda session, actor, number, form: extensions.refuse_extension(
            session, actor, number, form.reason, rev=form.rev
        ),
        refusals=[SecondPersonRequired],
    )
    withdraw = act(
        "/withdraw",
        "withdraw",
        "case.handle",
        "撤回延期申请",
        of="extension",
        body=RevBody,
        do=lambda session, actor, number, form: extensions.withdraw_extension(
            session, actor, number, rev=form.rev
        ),
    )


def _told(desk: Desk, case: Case) -> ExtensionAnswer:
    room, refused = None, ""
    try:
        room = extensions.leeway(case)
    except Conflict as error:
        refused = desk._(error.message)
    return ExtensionAnswer(
        number=case.number,
        rev=case.version,
        due_on=room.due_on if room else None,
        most=room.most if room else None,
        unit=room.unit if room else None,
        refused=refused,
        asked=extension_asked(case, desk._),
    )
