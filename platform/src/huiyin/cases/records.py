"""登记投诉, and editing the facts of a case."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import queries, service
from huiyin.cases.acts import FIELD_TITLES, number_path, revision
from huiyin.cases.controllers import funds
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
from huiyin.kit.errors import Invalid, Stale
from huiyin.kit.i18n import N_, Message
from huiyin.kit.time import local, now
from huiyin.policies.catalogue import categories, causes, groups
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, defaults, parse
from huiyin.web.routes import FormData, action, page


class RecordController(Controller):
    """登记投诉, and editing the facts of a case."""

    path = "/t/{tenant:str}/w"

    @page("/cases/new", name="case:new", permission="case.file")
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return register_page(desk, defaults(RegisterForm))

    @action("/cases/new", name="case:register", permission="case.file")
    def register(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        try:
            form = parse(RegisterForm, data)
            key = str(data.get("_key", ""))[:64] or form.story[:64]
            filed = file_complaint(desk.session, desk.actor, taken_down(form, key))
        except Invalid as error:
            desk.session.rollback()
            return register_page(desk, Form.failed(data, error, desk._), status=422)
        return desk.redirect(
            number_path(desk, filed.number),
            Message(N_("已登记，查询码 {code}，请告知投诉人"), {"code": spaced(filed.code)}),
        )

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
        case = queries.open_case(desk.session, desk.actor, number).case
        try:
            service.edit(
                desk.session, desk.actor, number, parse(FactsForm, data), rev=revision(data)
            )
        except Invalid as error:
            desk.session.rollback()
            return edit_page(desk, case, Form.failed(data, error, desk._), status=422)
        except Stale as error:
            desk.session.rollback()
            desk.session.expire_all()
            case = queries.open_case(desk.session, desk.actor, number).case
            return edit_page(
                desk, case, Form(data, {}, desk._(error.message)), status=409, conflict=True
            )
        return desk.redirect(number_path(desk, number), N_("要素已更新"))


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
        for name, title in FIELD_TITLES.items():
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
        complexities=(
            (Complexity.SIMPLE.value, N_("简单")),
            (Complexity.COMPLEX.value, N_("复杂")),
        ),
    )
