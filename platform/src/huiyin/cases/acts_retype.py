"""改类 on the pages: asked for by who handles, answered by who does not."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import queries, retyping
from huiyin.cases.acts import number_path, revision, simple
from huiyin.cases.models import Case
from huiyin.cases.people import judges
from huiyin.cases.schemas import RetypeAnswerForm, RetypeForm
from huiyin.cases.stages import INTAKE_TITLES, IntakeType
from huiyin.kit.errors import Conflict, Invalid
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.routes import FormData, action, page


class RetypeController(Controller):
    path = "/t/{tenant:str}/w/cases/{number:str}/retype"

    @page("/", name="case:retype_page", permission="case.classify")
    def retype_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return simple(desk, case, "retype", Form({"intake_type": case.intake_type}))

    @action("/", name="case:retype", permission="case.classify")
    def retype(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        try:
            form = parse(RetypeForm, data)
            retyping.retype(desk.session, desk.actor, number, form, rev=revision(data))
        except (Invalid, Conflict) as error:
            desk.session.rollback()
            case = queries.open_case(desk.session, desk.actor, number).case
            return simple(desk, case, "retype", _failed(desk, data, error), status=error.status)
        waits = retyping.downgrades(form.intake_type)
        said = N_("改类申请已提交，等待审批人批复") if waits else N_("登记类型已更改")
        return desk.redirect(number_path(desk, number), said)

    @page("/decide", name="case:retype_decide_page", permission="retype.approve")
    def decide_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _decide(desk, case, Form())

    @action("/decide", name="case:retype_decide", permission="retype.approve")
    def decide(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        session, actor = desk.session, desk.actor
        try:
            form, rev = parse(RetypeAnswerForm, data), revision(data)
            if form.decision == "grant":
                retyping.grant_retype(session, actor, number, rev=rev)
            else:
                retyping.refuse_retype(session, actor, number, form.reason, rev=rev)
        except (Invalid, Conflict) as error:
            session.rollback()
            session.expire_all()
            case = queries.open_case(session, actor, number).case
            return _decide(desk, case, _failed(desk, data, error), status=error.status)
        done = N_("登记类型已更改") if form.decision == "grant" else N_("改类申请已退回")
        return desk.redirect(number_path(desk, number), done)


def _failed(desk: Desk, data: dict[str, Any], error: Invalid | Conflict) -> Form:
    if isinstance(error, Invalid):
        return Form.failed(data, error, desk._)
    return Form(data, {}, desk._(error.message))


def _decide(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    request = retyping.asked(case)
    may = judges(desk.session, case, retyping.APPROVE)
    return desk.page(
        "cases/retype.html",
        status=status,
        case=case,
        form=form,
        asked=request,
        present=INTAKE_TITLES[IntakeType(case.intake_type)],
        wanted=INTAKE_TITLES[IntakeType(request["to"])] if request else "",
        barred=desk.actor.id not in {judge.account_id for judge in may},
    )
