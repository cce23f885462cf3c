"""The plan for programs: drafted, submitted and judged by the services the pages use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.cases import queries
from huiyin.cases.api_bodies import PageQuery, RevBody
from huiyin.cases.api_shapes import CasePage, changed, listed
from huiyin.cases.errors import GatesUnmet, NobodyLeft, SecondPersonRequired
from huiyin.cases.models import Case
from huiyin.cases.operations import CHANGE, operation, paged, telling
from huiyin.cases.schemas import Reason, Rev
from huiyin.kit.errors import NotFound, Stale
from huiyin.kit.i18n import N_
from huiyin.remedies import service
from huiyin.remedies.approvals import waiting_for
from huiyin.remedies.errors import AlreadyApproved, PlanChanged, PlanMissing
from huiyin.remedies.models import Plan
from huiyin.remedies.schemas import PlanForm
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Answer, Moment, body_of

_TAG: Final = "方案"


class PlanBody(PlanForm, frozen=True, kw_only=True):
    """The whole plan each time; ``rev`` is the version of the case that was read."""

    rev: Rev


class WithdrawBody(RevBody, frozen=True, kw_only=True):
    reason: Reason = ""


class JudgeBody(WithdrawBody, frozen=True, kw_only=True):
    """``plan_hash`` is the ``hash`` of the plan that was read."""

    plan_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", title=N_("方案版本"))]


class MeasureAnswer(Answer, frozen=True, kw_only=True):
    title: str
    owner_id: UUID | None
    owner: str
    due_on: date | None


class Judgement(Answer, frozen=True, kw_only=True):
    decision: str
    by: str
    reason: str
    at: Moment


class PlanAnswer(Answer, frozen=True, kw_only=True):
    """The newest version of the plan.  A judgement names ``hash``, the next change ``rev``."""

    number: str
    rev: int
    stage: str
    version: int
    state: str
    hash: str
    goal: str
    measures: list[MeasureAnswer]
    amount: Decimal | None
    basis: str
    feasibility: str
    precedent: str
    wish: str
    drafted_by: str
    submitted_at: Moment | None
    decided_at: Moment | None
    approvers: int  # how many must agree
    judgements: list[Judgement]


# The lists of 待我审批 as programs call them.
_LISTS: Final = {
    "plan": "after",
    "answer": "answers",
    "kind": "kinds",
    "extension": "time",
    "ending": "ends",
    "archive": "archive",
}


class ApprovalQuery(PageQuery, frozen=True, kw_only=True):
    """Which of the lists."""

    what: Annotated[
        str,
        msgspec.Meta(
            pattern=f"^({'|'.join(_LISTS)})$",
            title=N_("事项"),
            description="plan 方案，answer 待签发答复，kind 改类与降级，extension 延期，"
            "ending 结束与并案，archive 归档",
        ),
    ]


class ApprovalApi(Controller):
    """What waits for a judgement."""

    path = "/api/v1/t/{tenant:str}/approvals"
    tags = ["申请与批复"]  # noqa: RUF012 - Litestar reads a list

    @operation(
        "GET",
        "/",
        "list",
        "case.approve",
        "待我审批",
        of="approval",
        says="每次一类，按期限由近到远；申请的内容见案件详情的 asked。",
        answer=CasePage,
        query=ApprovalQuery,
    )
    def approvals(self, desk: NamedDependency[Desk]) -> Response[Any]:
        if not desk.actor.can("case.read"):
            raise NotFound
        asked = paged(desk, ApprovalQuery)
        rows = waiting_for(desk.session, desk.actor)[_LISTS[asked.what]](asked.after)
        shown = rows[: queries.PAGE]
        more = len(rows) > len(shown)
        after = queries.key_of(shown[-1].next_due_at, shown[-1].id) if more else None
        return desk.json(CasePage(cases=listed(shown, desk._), next=after))


class PlanApi(Controller):
    """The plan of one case."""

    path = "/api/v1/t/{tenant:str}/cases/{number:str}/plan"
    tags = [_TAG]  # noqa: RUF012 - Litestar reads a list

    @operation("GET", "/", "show", "case.read", "处理方案", of="plan", answer=PlanAnswer)
    def show(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        return _told(desk, number)

    @operation(
        "PUT",
        "/",
        "save",
        "case.draft",
        "保存方案",
        of="plan",
        says="未提交的草稿就地改写，已提交或已审批的另起一版。",
        body=PlanBody,
        answer=PlanAnswer,
        refusals=[*CHANGE, Stale, SecondPersonRequired],
    )
    @telling
    def save(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(PlanBody, body_of(desk, body), strict=True)
        service.save_draft(desk.session, desk.actor, number, form, rev=form.rev)
        return _told(desk, number)

    @operation(
        "POST",
        "/submit",
        "submit",
        "case.draft",
        "提交审批",
        of="plan",
        body=RevBody,
        answer=PlanAnswer,
        refusals=[*CHANGE, Stale, GatesUnmet, PlanMissing, NobodyLeft, SecondPersonRequired],
    )
    @telling
    def submit(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(RevBody, body_of(desk, body), strict=True)
        service.submit(desk.session, desk.actor, number, rev=form.rev)
        return _told(desk, number)

    @operation(
        "POST",
        "/withdraw",
        "withdraw",
        "case.draft",
        "撤回方案",
        of="plan",
        says="已有的审批意见作废。",
        body=WithdrawBody,
        answer=PlanAnswer,
        refusals=[*CHANGE, Stale, PlanMissing],
    )
    @telling
    def withdraw(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(WithdrawBody, body_of(desk, body), strict=True)
        service.withdraw_plan(desk.session, desk.actor, number, rev=form.rev, reason=form.reason)
        return _told(desk, number)

    @operation(
        "POST",
        "/approve",
        "approve",
        "case.approve",
        "审批通过",
        of="plan",
        says="只通过所读的那一版。金额超过单人审批额度的，由另一位审批人再次审批后生效。",
        body=JudgeBody,
        answer=PlanAnswer,
        refusals=[
            *CHANGE, Stale, GatesUnmet, PlanMissing, PlanChanged, AlreadyApproved,
            SecondPersonRequired,
        ],
    )  # fmt: skip
    @telling
    def approve(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(JudgeBody, body_of(desk, body), strict=True)
        service.approve(
            desk.session, desk.actor, number, form.plan_hash, rev=form.rev, opinion=form.reason
        )
        return _told(desk, number)

    @operation(
        "POST",
        "/return",
        "return",
        "case.approve",
        "驳回方案",
        of="plan",
        says="须写明缺什么。",
        body=JudgeBody,
        answer=PlanAnswer,
        refusals=[*CHANGE, Stale, PlanMissing, PlanChanged, AlreadyApproved, SecondPersonRequired],
    )
    @telling
    def send_back(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(JudgeBody, body_of(desk, body), strict=True)
        service.return_plan(
            desk.session, desk.actor, number, form.plan_hash, rev=form.rev, reason=form.reason
        )
        return _told(desk, number)


def _told(desk: Desk, number: str) -> Response[Any]:
    """The plan as it stands now, for whoever may know of the case."""
    case = queries.open_case(desk.session, desk.actor, number).case
    if not desk.actor.can("case.read"):  # a token that only writes
        return desk.json(changed(case))
    plan = service.current_plan(desk.session, case)
    if plan is None:
        raise NotFound
    return desk.json(_answer(desk, case, plan))


# Under the very name the answer has for it.
_SAME: Final = (
    "version", "state", "hash", "goal", "amount", "basis", "feasibility", "precedent", "wish",
    "submitted_at", "decided_at", "approvers",
)  # fmt: skip


def _answer(desk: Desk, case: Case, plan: Plan) -> PlanAnswer:
    return PlanAnswer(
        **{name: getattr(plan, name) for name in _SAME},
        number=case.number,
        rev=case.version,
        stage=case.stage,
        drafted_by=plan.drafted_name,
        measures=[
            MeasureAnswer(
                title=measure["title"],
                owner_id=UUID(measure["owner_id"]) if measure["owner_id"] else None,
                owner=measure["owner_name"],
                due_on=date.fromisoformat(measure["due_on"]) if measure["due_on"] else None,
            )
            for measure in plan.measures
        ],
        judgements=[
            Judgement(decision=one.decision, by=one.by_name, reason=one.reason, at=one.at)
            for one in service.approvals_of(desk.session, plan)
        ],
    )
