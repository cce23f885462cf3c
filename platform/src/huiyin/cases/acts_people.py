"""Who does what in a case: hand over, name who must keep away, tasks, the complainant's name."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import people, queries, service, subjects
from huiyin.cases.acts import members, number_path, revision, show, simple
from huiyin.cases.models import Case
from huiyin.cases.schemas import AssignForm, MoveForm, ProofForm, SubjectForm, TaskForm
from huiyin.cases.stages import Part
from huiyin.kit.i18n import N_
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, defaults, parse
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page


class PeopleController(Controller):
    """Who does what in the case."""

    path = "/t/{tenant:str}/w/cases/{number:str}"

    @page("/assign", name="case:assign_page", permission="case.assign")
    def assign_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        form = defaults(AssignForm, part=Part.INVESTIGATOR if case.owner_id else Part.OWNER)
        return simple(desk, case, "assign", form, members=members(desk, case, "case.note"))

    @action("/assign", name="case:assign", permission="case.assign")
    def assign(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(AssignForm, data)
            people.assign(desk.session, desk.actor, number, form, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("已转交"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            able = members(desk, case, "case.note")
            return simple(desk, case, "assign", form, status=status, members=able)

        return or_again(desk, data, act, again)

    @page("/subject", name="case:subject_page", permission="case.assign")
    def subject_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return simple(desk, case, "subject", Form(), members=members(desk, case))

    @action("/subject", name="case:subject", permission="case.assign")
    def subject(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(SubjectForm, data)
            subjects.name_subject(desk.session, desk.actor, number, form, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("已登记，此人须回避本案"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            others = members(desk, case)
            return simple(desk, case, "subject", form, status=status, members=others)

        return or_again(desk, data, act, again)

    @page("/subject/lift", name="case:lift_page", permission="case.lift")
    def lift_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return simple(desk, case, "subject/lift", Form(), members=_named(desk, case))

    @action("/subject/lift", name="case:lift", permission="case.lift")
    def lift(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(SubjectForm, data)
            subjects.lift_subject(desk.session, desk.actor, number, form, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("已撤销登记"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            named = _named(desk, case)
            return simple(desk, case, "subject/lift", form, status=status, members=named)

        return or_again(desk, data, act, again)

    @page("/tasks/new", name="case:task_page", permission="case.handle")
    def task_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return simple(desk, case, "tasks/new", Form(), members=members(desk, case, "case.handle"))

    @action("/tasks/new", name="case:add_task", permission="case.handle")
    def add_task(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            people.add_task(desk.session, desk.actor, number, parse(TaskForm, data))
            return desk.redirect(f"{number_path(desk, number)}#tasks", N_("任务已新建"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            able = members(desk, case, "case.handle")
            return simple(desk, case, "tasks/new", form, status=status, members=able)

        return or_again(desk, data, act, again)

    @action("/tasks/{task_id:uuid}", name="case:finish_task", permission="case.handle")
    def finish_task(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        task_id: FromPath[Any],
        data: FormData,
    ) -> Response[Any]:
        def act() -> Response[Any]:
            proof = parse(ProofForm, data).proof
            people.finish_task(desk.session, desk.actor, number, task_id, proof)
            return desk.redirect(f"{number_path(desk, number)}#tasks", N_("已登记完成"))

        def again(form: Form, status: int) -> Response[Any]:
            return show(desk, number, status=status, form=form)

        return or_again(desk, {**data, "task": str(task_id)}, act, again)

    @page("/reveal", name="case:reveal_page", permission="case.reveal")
    def reveal_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return simple(desk, case, "reveal", Form())

    @action("/reveal", name="case:reveal", permission="case.reveal")
    def reveal(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            form = parse(MoveForm, data)
            investor = service.reveal(desk.session, desk.actor, number, form.reason)
            return desk.page("cases/revealed.html", case=case, investor=investor)

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return simple(desk, case, "reveal", form, status=status)

        return or_again(desk, data, act, again)


def _named(desk: Desk, case: Case) -> list[tuple[str, str]]:
    return [(str(p.account_id), p.name) for p in subjects.subjects(desk.session, case)]
