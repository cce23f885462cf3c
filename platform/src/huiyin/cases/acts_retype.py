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
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.mending import or_again
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
        def act() -> Response[Any]:
            form = parse(RetypeForm, data)
            retyping.retype(desk.session, desk.actor, number, form, rev=revision(data))
            waits = retyping.downgrades(form.intake_type)
            said = N_("改类申请已提交，等待审批人批复") if waits else N_("登记类型已更改")
            return desk.redirect(number_path(desk, number), said)

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return simple(desk, case, "retype", form, status=status)

        return or_again(desk, data, act, again)

    @page("/decide", name="case:retype_decide_page", permission="retype.approve")
    def decide_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _decide(desk, case, Form())

    @action("/decide", name="case:retype_decide", permission="retype.approve")
    def decide(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(RetypeAnswerForm, data), revision(data)
            if form.decision == "grant":
                retyping.grant_retype(desk.session, desk.actor, number, rev=rev)
                return desk.redirect(number_path(desk, number), N_("登记类型已更改"))
            retyping.refuse_retype(desk.session, desk.actor, number, form.reason, rev=rev)
            return desk.redirect(number_path(desk, number), N_("改类申请已退回"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _decide(desk, case, form, status=status)

        return or_again(desk, data, act, again)


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
