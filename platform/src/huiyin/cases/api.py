"""The staff's operations for programs: the same services as the pages, with a bearer token.

Whatever is not there, not this firm's, or beyond the token's permissions gives one and the same
404.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.cases import api_shapes as answers
from huiyin.cases import api_tasks, people, queries, search, service, timeline
from huiyin.cases.api_bodies import (
    CaseQuery,
    FactsBody,
    ListQuery,
    MoveBody,
    SearchQuery,
    WordsBody,
)
from huiyin.cases.change import find
from huiyin.cases.errors import GatesUnmet, KeyReused, NobodyLeft, SecondPersonRequired
from huiyin.cases.filing import file_complaint, taken_down
from huiyin.cases.models import Case
from huiyin.cases.opened import open_page
from huiyin.cases.operations import CHANGE, Doing, act, operation, paged, telling
from huiyin.cases.public_api import KEY, idempotency_key
from huiyin.cases.schemas import AttestForm, ProofForm, RegisterForm, TaskForm
from huiyin.cases.verbs import VERBS
from huiyin.kit.errors import NotFound, Refused, Stale
from huiyin.web.desk import Desk
from huiyin.web.forms import parse
from huiyin.web.programs import Header, body_of


class CaseListApi(Controller):
    """Lists, search and registering."""

    path = "/api/v1/t/{tenant:str}"
    tags = ["案件"]  # noqa: RUF012 - Litestar reads a list

    @operation(
        "GET",
        "/cases",
        "list",
        "case.read",
        "案件列表",
        says="按收到时间由新到旧。",
        answer=answers.CasePage,
        query=ListQuery,
    )
    def cases(self, desk: NamedDependency[Desk]) -> Response[Any]:
        asked = paged(desk, ListQuery)
        names = ("scope", "stage", "group", "severity", "fund", "source", "due", "after")
        shown = queries.Filter(**{name: getattr(asked, name) for name in names})
        rows = queries.cases(desk.session, desk.actor, shown, n=asked.limit)
        page = answers.listed(rows[: asked.limit], desk._)
        return desk.json(answers.CasePage(cases=page, next=_next(rows, asked.limit)))

    @operation(
        "GET",
        "/search",
        "search",
        "case.search",
        "检索案件",
        says="由新到旧。",
        answer=answers.CasePage,
        query=SearchQuery,
    )
    def search(self, desk: NamedDependency[Desk]) -> Response[Any]:
        asked = paged(desk, SearchQuery)
        found = search.search(
            desk.session,
            desk.actor,
            asked.q,
            n=asked.limit + 1,
            before=queries.parse_key(asked.after),
        )
        rows = queries.rows_of(desk.session, desk.actor, [f.id for f in found[: asked.limit]])
        page = answers.listed(rows, desk._)
        return desk.json(answers.CasePage(cases=page, next=_next(found, asked.limit)))

    @operation(
        "POST",
        "/cases",
        "register",
        "case.file",
        "登记投诉",
        says="收到时间不填即为现在；不带时区的按北京时间。",
        body=RegisterForm,
        answer=answers.Registered,
        status=201,
        headers=[Header(KEY, "1 至 64 个可见 ASCII 字符，重试时不变")],
        refusals=[KeyReused],
    )
    def register(self, desk: NamedDependency[Desk], body: RawBody) -> Response[Any]:
        # A program's keys never meet those of the pages.
        key = f"api:{idempotency_key(desk)}"
        form = parse(RegisterForm, body_of(desk, body), strict=True)
        filed = file_complaint(desk.session, desk.actor, taken_down(form, key))
        return desk.json(answers.Registered(number=filed.number, code=filed.code), status=201)


def said(mode: str) -> Doing[WordsBody]:
    """Words put down as a note, a message or a call."""
    return lambda session, actor, number, form: service.talk(
        session, actor, number, mode, form.body
    )


class CaseApi(Controller):
    """One case: what is known of it, and every act that needs no page."""

    path = "/api/v1/t/{tenant:str}/cases/{number:str}"
    tags = ["案件"]  # noqa: RUF012 - Litestar reads a list

    @operation(
        "GET", "/", "show", "case.read", "案件详情", answer=answers.CaseAnswer, query=CaseQuery
    )
    def show(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        asked = parse(CaseQuery, dict(desk.request.query_params))
        opened = open_page(desk.session, desk.actor, number)
        lines = timeline.entries(
            desk.session, desk.actor, opened.case, tab=asked.tab, before=asked.before
        )
        return desk.json(answers.whole(desk, opened, lines))

    @operation(
        "PATCH",
        "/",
        "edit",
        "case.classify",
        "编辑要素",
        says="未列出的栏目保持不变，null 表示清除。",
        body=FactsBody,
        required=["rev"],
        answer=answers.Changed,
        refusals=[*CHANGE, Stale],
    )
    @telling
    def edit(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        given = body_of(desk, body)
        case = find(desk.session, desk.actor, number)
        form = parse(FactsBody, {**_facts(case), **given}, strict=True)
        case = service.edit(desk.session, desk.actor, number, form, rev=form.rev)
        return desk.json(answers.changed(case))

    note = act(
        "/notes", "note", "case.note", "写内部记录", body=WordsBody, do=said("note"), status=201
    )
    message = act(
        "/messages",
        "message",
        "case.talk",
        "回复投诉人",
        says="投诉人凭查询码即可看到。",
        body=WordsBody,
        do=said("message"),
        status=201,
    )
    call = act(
        "/calls", "call", "case.talk", "登记通话", body=WordsBody, do=said("call"), status=201
    )
    attest = act(
        "/attest",
        "attest",
        "case.note",
        "完成核对",
        says="事项的代码见案件详情的 gates。",
        body=AttestForm,
        do=lambda session, actor, number, form: service.attest(
            session, actor, number, form.gate, form.note
        ),
        refusals=[SecondPersonRequired],
    )

    @operation(
        "POST",
        "/moves/{verb:str}",
        "move",
        "case.read",
        "阶段流转",
        says="可办的 verb 见案件详情的 moves；方案、并案提请另有操作。",
        body=MoveBody,
        answer=answers.Changed,
        refusals=[*CHANGE, Stale, GatesUnmet, NobodyLeft, Refused, SecondPersonRequired],
    )
    @telling
    def move(
        self, desk: NamedDependency[Desk], number: FromPath[str], verb: FromPath[str], body: RawBody
    ) -> Response[Any]:
        known = VERBS.get(verb)
        if known is None or not desk.actor.can(known.permission):
            raise NotFound
        form = parse(MoveBody, body_of(desk, body), strict=True)
        case = service.move(
            desk.session, desk.actor, number, verb, rev=form.rev, reason=form.reason
        )
        return desk.json(answers.changed(case))

    @operation(
        "GET",
        "/tasks",
        "tasks",
        "case.read",
        "任务列表",
        says="未完成的在前；方案通过后各项措施即为任务。",
        answer=api_tasks.TaskList,
    )
    def tasks(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        opened = open_page(desk.session, desk.actor, number)
        return desk.json(api_tasks.listed(opened, desk._))

    @operation(
        "POST",
        "/tasks",
        "add_task",
        "case.handle",
        "新建任务",
        body=TaskForm,
        answer=api_tasks.TaskAnswer,
        status=201,
        refusals=CHANGE,
    )
    def add_task(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        form = parse(TaskForm, body_of(desk, body), strict=True)
        made = people.add_task(desk.session, desk.actor, number, form)
        desk.session.flush()  # its id is made on the way in
        return desk.json(api_tasks.made(number, made), status=201)

    @operation(
        "POST",
        "/tasks/{task_id:uuid}/done",
        "finish_task",
        "case.handle",
        "完成任务",
        body=ProofForm,
        answer=answers.Changed,
        refusals=CHANGE,
    )
    def finish_task(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        task_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[Any]:
        form = parse(ProofForm, body_of(desk, body), strict=True)
        case = people.finish_task(desk.session, desk.actor, number, task_id, form.proof)
        return desk.json(answers.changed(case))


def _next(found: Sequence[Any], limit: int) -> str | None:
    """The key of the page after, if one row more was found than asked for."""
    if len(found) <= limit:
        return None
    return queries.key_of(found[limit - 1].received_at, found[limit - 1].id)


def _facts(case: Case) -> Mapping[str, Any]:
    """The facts as a program would send them; what is not set is left out."""
    names = (
        "title",
        "category",
        "severity",
        "complexity",
        "fund_id",
        "amount",
        "wish",
        "finding",
        "cause",
        "anonymous",
    )
    found = {name: getattr(case, name) for name in names}
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in found.items()
        if value is not None
    }
