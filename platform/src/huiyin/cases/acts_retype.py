"""改类 and 降级 on the pages: asked for by who handles, answered by who does not."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import lowering, queries, retyping
from huiyin.cases.acts import number_path, revision, show, simple
from huiyin.cases.models import Case
from huiyin.cases.people import judges
from huiyin.cases.schemas import LowerForm, RetypeAnswerForm, RetypeForm
from huiyin.cases.stages import INTAKE_TITLES, SEVERITY_TITLES, IntakeType, Severity
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

    @action("/withdraw", name="case:retype_withdraw", permission="case.classify")
    def withdraw(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            retyping.withdraw(desk.session, desk.actor, number, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("申请已撤回"))

        def again(form: Form, status: int) -> Response[Any]:
            return show(desk, number, status=status, form=form)

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
            return desk.redirect(number_path(desk, number), _answer(desk, number, data))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _decide(desk, case, form, status=status)

        return or_again(desk, data, act, again)


class LowerController(Controller):
    path = "/t/{tenant:str}/w/cases/{number:str}/lower"

    @page("/", name="case:lower_page", permission="case.classify")
    def ask_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        return _lower(desk, number, Form(), 200)

    @action("/", name="case:lower", permission="case.classify")
    def ask(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(LowerForm, data), revision(data)
            lowering.ask_lowering(desk.session, desk.actor, number, form, rev=rev)
            return desk.redirect(number_path(desk, number), N_("降级申请已提交，等待审批人批复"))

        return or_again(desk, data, act, partial(_lower, desk, number))


def _lower(desk: Desk, number: str, form: Form, status: int) -> Response[Any]:
    case = queries.open_case(desk.session, desk.actor, number).case
    levels = [(level.value, SEVERITY_TITLES[level]) for level in lowering.LESSER]
    return simple(desk, case, "lower", form, status=status, levels=levels)


def _answer(desk: Desk, number: str, data: FormData) -> str:
    """Do what the approver decided about whatever waits; answers what to say."""
    form, rev = parse(RetypeAnswerForm, data), revision(data)
    session, actor = desk.session, desk.actor
    level = lowering.is_asked(session, actor, number)
    if form.decision == "grant":
        lowering.grant(session, actor, number, rev=rev)
        return N_("级别已降低") if level else N_("登记类型已更改")
    lowering.refuse(session, actor, number, form.reason, rev=rev)
    return N_("降级申请已退回") if level else N_("改类申请已退回")


def _decide(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    request = retyping.asked(case)
    level = request is not None and retyping.is_about(request, retyping.LEVEL)
    may = judges(desk.session, case, retyping.APPROVE)
    return desk.page(
        "cases/retype.html",
        status=status,
        case=case,
        form=form,
        asked=request,
        level=level,
        present=_present(case, level=level),
        wanted=retyping.wanted(request) if request else "",
        barred=desk.actor.id not in {judge.account_id for judge in may},
    )


def _present(case: Case, *, level: bool) -> str:
    if not level:
        return INTAKE_TITLES[IntakeType(case.intake_type)]
    return SEVERITY_TITLES[Severity(case.severity)] if case.severity else ""
