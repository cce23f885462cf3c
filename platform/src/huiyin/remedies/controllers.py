"""The resolution plan and its approval: drafted on one page, judged on one screen."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import queries
from huiyin.cases.acts import members, number_path, revision
from huiyin.cases.models import Case
from huiyin.cases.people import participations
from huiyin.cases.queries import Filter
from huiyin.cases.schemas import MoveForm, Shape
from huiyin.cases.stages import FINDING_TITLES, PART_TITLES, Part, Stage
from huiyin.cases.verbs import VERBS
from huiyin.cases.workbench import counts, next_step
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_
from huiyin.kit.time import now
from huiyin.policies.catalogue import categories, causes
from huiyin.remedies import service
from huiyin.remedies.models import PLAN_TITLES, Plan, PlanState
from huiyin.remedies.schemas import PlanFields
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse, shown
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page

_ROWS = 4


class JudgeForm(Shape, frozen=True, kw_only=True):
    """通过 or 驳回, of exactly the plan that was read."""

    decision: Annotated[str, msgspec.Meta(pattern="^(approve|return)$", title=N_("决定"))]
    plan_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", title=N_("方案版本"))]
    reason: Annotated[str, msgspec.Meta(max_length=2_000, title=N_("意见"))] = ""


class PlanController(Controller):
    path = "/t/{tenant:str}/w/cases/{number:str}"

    @page("/plan", name="plan:edit_page", permission="case.draft")
    def edit_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        plan = service.current_plan(desk.session, case)
        return _edit(desk, case, plan, _form_of(plan, case))

    @action("/plan", name="plan:save", permission="case.draft")
    def save(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(PlanFields, data).plan()
            service.save_draft(desk.session, desk.actor, number, form, rev=revision(data))
            return desk.redirect(f"{number_path(desk, number)}#nba", N_("方案已保存"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            plan = service.current_plan(desk.session, case)
            return _edit(desk, case, plan, form, status=status)

        return or_again(desk, data, act, again)

    @page("/plan/submit", name="plan:submit_page", permission="case.draft")
    def submit_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _submit(desk, case, Form())

    @action("/plan/submit", name="plan:submit", permission="case.draft")
    def submit(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            service.submit(desk.session, desk.actor, number, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("方案已提交审批"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _submit(desk, case, form, status=status)

        return or_again(desk, data, act, again)

    @page("/approve", name="plan:judge_page", permission="case.read")
    def judge_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _judge(desk, case, Form())

    @action("/approve", name="plan:judge", permission="case.approve")
    def judge(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            return desk.redirect(number_path(desk, number), _judged(desk, number, data))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _judge(desk, case, form, status=status)

        return or_again(desk, data, act, again)

    @page("/withdraw-plan", name="plan:withdraw_page", permission="case.draft")
    def withdraw_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _withdraw(desk, case, Form())

    @action("/withdraw-plan", name="plan:withdraw", permission="case.draft")
    def withdraw(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(MoveForm, data), revision(data)
            service.withdraw_plan(desk.session, desk.actor, number, rev=rev, reason=form.reason)
            return desk.redirect(f"{number_path(desk, number)}/plan", N_("方案已撤回，可以修改"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _withdraw(desk, case, form, status=status)

        return or_again(desk, data, act, again)


def _judged(desk: Desk, number: str, data: dict[str, Any]) -> str:
    """Judge the plan as the form says; answers what was done."""
    form, rev = parse(JudgeForm, data), revision(data)
    session, actor = desk.session, desk.actor
    if form.decision == "return":
        service.return_plan(session, actor, number, form.plan_hash, rev=rev, reason=form.reason)
        return N_("方案已驳回")
    plan = service.approve(session, actor, number, form.plan_hash, rev=rev, opinion=form.reason)
    if plan.state == PlanState.APPROVED:
        return N_("方案已通过，措施已生成任务")
    return N_("已通过，等待第二位审批人")


def _form_of(plan: Plan | None, case: Case) -> Form:
    if plan is None:
        return Form({"amount": shown(case.amount), "wish": case.wish})
    values: dict[str, Any] = {
        name: shown(getattr(plan, name))
        for name in ("goal", "basis", "amount", "feasibility", "precedent", "wish")
    }
    values["measure_title"] = [m["title"] for m in plan.measures]
    values["measure_owner"] = [m["owner_id"] or "" for m in plan.measures]
    values["measure_due"] = [m["due_on"] or "" for m in plan.measures]
    return Form(values)


def _edit(
    desk: Desk, case: Case, plan: Plan | None, form: Form, *, status: int = 200
) -> Response[Any]:
    titles = _list(form.get("measure_title"))
    owners, dues = _list(form.get("measure_owner")), _list(form.get("measure_due"))
    count = max(len(titles) + 1, _ROWS)
    rows = [(_nth(titles, n), _nth(owners, n), _nth(dues, n)) for n in range(count)]
    return desk.page(
        "remedies/plan.html",
        status=status,
        case=case,
        plan=plan,
        form=form,
        rows=rows,
        members=members(desk, case, "case.handle"),
        plan_titles=PLAN_TITLES,
        editable=case.stage == Stage.PLAN,
        precedents=service.precedents(desk.session, desk.actor, case),
        finding_titles=FINDING_TITLES,
    )


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _nth(values: list[str], n: int) -> str:
    return values[n] if n < len(values) else ""


def _judge(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    plan = service.current_plan(desk.session, case)
    if plan is None:
        raise NotFound
    history = participations(desk.session, case)
    return desk.page(
        "remedies/approve.html",
        status=status,
        case=case,
        plan=plan,
        form=form,
        approvals=service.approvals_of(desk.session, plan),
        plan_titles=PLAN_TITLES,
        precedents=service.precedents(desk.session, desk.actor, case),
        step=next_step(desk.actor, case, history),
        finding_titles=FINDING_TITLES,
        people=[(PART_TITLES[Part(p.part)], p.name) for p in history if p.part != Part.SUBJECT],
        subjects=[p.name for p in history if p.part == Part.SUBJECT and counts(p)],
        category=categories().get(case.category or ""),
        cause=causes().get(case.cause or ""),
        open=plan.state == PlanState.SUBMITTED and case.stage == Stage.APPROVAL,
        left=queries.time_left(case.next_due_at, now()),
        **_neighbours(desk, case),
    )


def _neighbours(desk: Desk, case: Case) -> dict[str, Any]:
    """Where this plan stands among those that wait, so that one decides one after the other."""
    waiting = queries.inbox(desk.session, desk.actor, Filter(stage=Stage.APPROVAL.value))
    numbers = [row.number for row in waiting[: queries.PAGE]]
    if case.number not in numbers:
        return {"place": 0, "waiting": len(numbers), "before": "", "after": ""}
    at = numbers.index(case.number)
    return {
        "place": at + 1,
        "waiting": len(numbers),
        "before": numbers[at - 1] if at else "",
        "after": numbers[at + 1] if at + 1 < len(numbers) else "",
    }


def _submit(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    here = number_path(desk, case.number)
    verb = VERBS["submit_plan"]
    return desk.page(
        "confirm.html",
        block="sheet",
        status=status,
        title=desk._(verb.title),
        eyebrow=f"{case.number} {case.title}",
        effects=[desk._(verb.effect)],
        form=form,
        form_action=f"{here}/plan/submit",
        action_label=desk._(verb.title),
        cancel_href=here,
        rev=case.version,
    )


def _withdraw(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    here = number_path(desk, case.number)
    return desk.page(
        "confirm.html",
        block="sheet",
        status=status,
        title=desk._(N_("撤回修改")),
        eyebrow=f"{case.number} {case.title}",
        effects=[desk._(N_("方案退回修改，已有的审批意见作废"))],
        form=form,
        form_action=f"{here}/withdraw-plan",
        action_label=desk._(N_("撤回修改")),
        cancel_href=f"{here}/approve",
        rev=case.version,
        fields_template="cases/_reason.html",
        reason_required=True,
    )
