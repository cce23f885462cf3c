"""登记投诉, and editing the facts of a case."""

from __future__ import annotations

from typing import Any, ClassVar

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import lowering, queries, service
from huiyin.cases.acts import FIELD_TITLES, number_path, revision
from huiyin.cases.controllers import funds
from huiyin.cases.errors import KeyReused
from huiyin.cases.filing import file_complaint, taken_down
from huiyin.cases.models import Case
from huiyin.cases.schemas import FactsForm, RegisterForm
from huiyin.cases.stages import (
    FINDING_TITLES,
    INTAKE_TITLES,
    SEVERITY_TITLES,
    SOURCE_TITLES,
    Complexity,
)
from huiyin.kit.errors import Conflict, Stale
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import local, now
from huiyin.policies.catalogue import categories, causes, groups
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, defaults, parse
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page


class RecordController(Controller):
    """登记投诉, and editing the facts of a case."""

    path = "/t/{tenant:str}/w"

    @page("/cases/new", name="case:new", permission="case.file")
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return register_page(desk, defaults(RegisterForm))

    @action("/cases/new", name="case:register", permission="case.file")
    def register(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(RegisterForm, data)
            key = str(data.get("_key", ""))[:64] or form.story[:64]
            try:
                filed = file_complaint(desk.session, desk.actor, taken_down(form, key))
            except KeyReused:
                raise Registered from None
            code = spaced(filed.code)
            return desk.redirect(
                number_path(desk, filed.number),
                Message(N_("已登记，查询码 {code}，请告知投诉人"), {"code": code}),
            )

        def again(form: Form, status: int) -> Response[Any]:
            if status == Registered.status and not form.errors:
                form.values.pop("_key", None)  # sent again, it is a complaint of its own
            return register_page(desk, form, status=status)

        return or_again(desk, data, act, again)

    @page("/cases/{number:str}/edit", name="case:edit_page", permission="case.classify")
    def edit_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
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
        form = defaults(FactsForm, **{name: getattr(case, name) for name in names})
        return edit_page(desk, case, form)

    @action("/cases/{number:str}/edit", name="case:edit", permission="case.classify")
    def edit(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(FactsForm, data), revision(data)
            service.edit(desk.session, desk.actor, number, form, rev=rev)
            return desk.redirect(number_path(desk, number), N_("要素已更新"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            conflict = status == Stale.status
            return edit_page(desk, case, form, status=status, conflict=conflict)

        return or_again(desk, data, act, again)


class Registered(Conflict):
    """The form was sent before and has become a case; what stands in it now is something else."""

    default: ClassVar[str] = N_(
        "这一页已登记过一件投诉，内容与现在填写的不同。如须另行登记，请核对后再次提交"
    )


def spaced(code: str) -> str:
    """4827 1930 5562 7741."""
    return " ".join(code[i : i + 4] for i in range(0, len(code), 4))


def register_page(desk: Desk, form: Form, *, status: int = 200) -> Response[Any]:
    return desk.page(
        "cases/new.html",
        status=status,
        form=form,
        funds=funds(desk),
        latest=f"{local(now()):%Y-%m-%dT%H:%M}",
        sources=SOURCE_TITLES,
        intakes=INTAKE_TITLES,
    )


def edit_page(
    desk: Desk, case: Case, form: Form, *, status: int = 200, conflict: bool = False
) -> Response[Any]:
    rows = []
    if conflict:
        for name, title in ((known, FIELD_TITLES[known]) for known in service.EDITED):
            theirs, mine = str(getattr(case, name) or ""), str(form.get(name))
            if name != "anonymous" and theirs != mine:
                rows.append({"name": name, "label": desk._(title), "theirs": theirs, "mine": mine})
    return desk.page(
        "cases/edit.html",
        status=status,
        case=case,
        form=form,
        funds=funds(desk),
        categories=categories(),
        groups=groups(),
        causes=causes(),
        severities=SEVERITY_TITLES,
        findings=FINDING_TITLES,
        conflicts=rows,
        can_be_lowered=lowering.is_open_to(case),
        complexities=(
            (Complexity.SIMPLE.value, N_("简单")),
            (Complexity.COMPLEX.value, N_("复杂")),
        ),
    )
