"""分派: the rules in their order, the people, and the dry run before anything is saved."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.assignment import service
from huiyin.assignment.choosing import Rule
from huiyin.assignment.models import AssignmentRule
from huiyin.assignment.schemas import SKIPS, RuleForm, StaffForm
from huiyin.cases.controllers import funds
from huiyin.cases.people import member
from huiyin.cases.stages import INTAKE_TITLES, SOURCE_TITLES
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_
from huiyin.kit.text import whole
from huiyin.policies.catalogue import groups
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page

MANAGE: Final = "assignment.manage"
LANGUAGES: Final = {"zh": N_("中文"), "en": N_("英文")}
_LISTS: Final = ("kinds", "groups", "funds", "languages", "channels", "sources", "people")


class AssignmentController(Controller):
    path = "/t/{tenant:str}/w/assignment"

    @page("/", name="assignment:list", permission=MANAGE)
    def list(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.page(
            "assignment/list.html", rules=service.rules_of(desk.session),
            people=service.people_of(desk.session), languages=LANGUAGES,
            describe=_describing(desk),
        )  # fmt: skip

    @page("/try", name="assignment:try", permission=MANAGE)
    def dry_run(self, desk: NamedDependency[Desk]) -> Response[Any]:
        trials, tally = service.dry_run(desk.session, desk.actor)
        return desk.page("assignment/trial.html", trials=trials, tally=tally, skips=SKIPS)

    @page("/rules/new", name="assignment:new", permission=MANAGE)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _rule_page(desk, None, Form({"active": "on"}))

    @action("/rules/new", name="assignment:add", permission=MANAGE)
    def add(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        return _save(desk, None, data)

    @page("/rules/{rule_id:uuid}", name="assignment:edit", permission=MANAGE)
    def edit(self, desk: NamedDependency[Desk], rule_id: FromPath[uuid.UUID]) -> Response[Any]:
        row = service.find_rule(desk.session, rule_id)
        return _rule_page(desk, row, _form_of(row))

    @action("/rules/{rule_id:uuid}", name="assignment:save", permission=MANAGE)
    def save(
        self, desk: NamedDependency[Desk], rule_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        return _save(desk, rule_id, data)

    @action("/rules/{rule_id:uuid}/move", name="assignment:move", permission=MANAGE)
    def move(
        self, desk: NamedDependency[Desk], rule_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        service.move_rule(desk.session, desk.actor, rule_id, data.get("to") == "up")
        return desk.redirect(_home(desk), N_("顺序已更改"))

    @action("/rules/{rule_id:uuid}/delete", name="assignment:delete", permission=MANAGE)
    def delete(
        self,
        desk: NamedDependency[Desk],
        rule_id: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token that is checked before
    ) -> Response[Any]:
        service.delete_rule(desk.session, desk.actor, rule_id)
        return desk.redirect(_home(desk), N_("规则已删除"))

    @page("/people/{account_id:uuid}", name="assignment:person", permission=MANAGE)
    def person(self, desk: NamedDependency[Desk], account_id: FromPath[uuid.UUID]) -> Response[Any]:
        return _person_page(desk, account_id, None)

    @action("/people/{account_id:uuid}", name="assignment:person_save", permission=MANAGE)
    def save_person(
        self, desk: NamedDependency[Desk], account_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        given = {**data, "languages": _many(data.get("languages"))}

        def act() -> Response[Any]:
            form = parse(StaffForm, given)
            rev = whole(str(data.get("rev", ""))) or 0
            service.save_staff(desk.session, desk.actor, account_id, form, rev=rev)
            return desk.redirect(_home(desk), N_("已保存"))

        def again(form: Form, status: int) -> Response[Any]:
            return _person_page(desk, account_id, form, status=status)

        return or_again(desk, given, act, again)


def _home(desk: Desk) -> str:
    return f"/t/{desk.tenant.slug}/w/assignment"


def _many(given: Any) -> list[str]:
    """One box ticked comes as a text, several as a list."""
    if given is None or given == "":
        return []
    return [str(one) for one in given] if isinstance(given, list) else [str(given)]


def _save(desk: Desk, rule_id: uuid.UUID | None, data: Mapping[str, Any]) -> Response[Any]:
    given = {**data, **{name: _many(data.get(name)) for name in _LISTS}}
    trying = given.pop("do", "") == "try"

    def act() -> Response[Any]:
        form = parse(RuleForm, given)
        if trying:
            return _tried(desk, rule_id, form, given)
        rev = whole(str(data.get("rev", ""))) or 0
        service.save_rule(desk.session, desk.actor, form, rule_id, rev=rev)
        return desk.redirect(_home(desk), N_("分派规则已保存"))

    def again(form: Form, status: int) -> Response[Any]:
        row = service.find_rule(desk.session, rule_id) if rule_id else None
        return _rule_page(desk, row, form, status=status)

    return or_again(desk, given, act, again)


def _tried(
    desk: Desk, rule_id: uuid.UUID | None, form: RuleForm, given: Mapping[str, Any]
) -> Response[Any]:
    """The form as it was sent, and below it what the rules would do with it among them."""
    draft = Rule(title=form.title, conditions=form.conditions(), wants=form.wants())
    ids = [row.id for row in service.rules_of(desk.session)]
    at = ids.index(rule_id) if rule_id in ids else None
    trials, tally = service.dry_run(desk.session, desk.actor, draft, at=at)
    row = service.find_rule(desk.session, rule_id) if rule_id else None
    return _rule_page(desk, row, Form(given), trials=trials, tally=tally)


def _rule_page(
    desk: Desk, row: AssignmentRule | None, form: Form, *, status: int = 200, **more: Any
) -> Response[Any]:
    people = service.people_of(desk.session)
    return desk.page(
        "assignment/rule.html",
        status=status,
        rule=row,
        form=form,
        kinds=INTAKE_TITLES,
        groups=groups(),
        funds=funds(desk),
        languages=LANGUAGES,
        channels=[(channel.name, channel.title) for channel in desk.hooks.channels()],
        sources=SOURCE_TITLES,
        people=people,
        departments=sorted({person.department for person in people if person.department}),
        skips=SKIPS,
        **more,
    )


def _form_of(row: AssignmentRule) -> Form:
    wants = dict(row.wants)
    ticks = {"active": row.active, "speaks": wants["speaks"], "on_duty": wants["on_duty"]}
    return Form(
        {
            **row.conditions, **wants, "title": row.title,
            "skills": "、".join(wants["skills"]),
            **{name: "on" if ticked else "" for name, ticked in ticks.items()},
        }
    )  # fmt: skip


def _describing(desk: Desk) -> Callable[[AssignmentRule], list[tuple[str, str]]]:
    """When a rule speaks and whom it looks for, in words; names are read once for all rules."""
    _, mark = desk._, ", " if desk.language == "en" else "、"
    known = {uuid.UUID(key): name for key, name in funds(desk)}
    names = {person.id: person.name for person in service.people_of(desk.session)}
    channels = {channel.name: channel.title for channel in desk.hooks.channels()}

    def chosen(codes: Collection[Any], titles: Mapping[Any, str]) -> list[str]:
        return [_(title) for code, title in titles.items() if code in codes]

    def describe(row: AssignmentRule) -> list[tuple[str, str]]:
        rule = service.as_rule(row)
        when, wants = rule.conditions, rule.wants
        parts = (
            (N_("登记类型"), chosen(when.kinds, INTAKE_TITLES)),
            (N_("投诉类别"), chosen(when.groups, {c: g.title for c, g in groups().items()})),
            (N_("产品"), [known.get(fund, "--") for fund in when.funds]),
            (N_("语言"), chosen(when.languages, LANGUAGES)),
            (N_("渠道"), chosen(when.channels, channels)),
            (N_("来源"), chosen(when.sources, SOURCE_TITLES)),
            (N_("指定人员"), [names.get(one, "--") for one in wants.people]),
            (N_("须具备的技能"), list(wants.skills)),
            (N_("部门"), [wants.department] if wants.department else []),
            (N_("须会投诉人的语言"), [_(N_("是"))] if wants.speaks else []),
            (N_("须正在值班"), [_(N_("是"))] if wants.on_duty else []),
        )
        return [(_(title), mark.join(found)) for title, found in parts if found]

    return describe


def _person_page(
    desk: Desk, account_id: uuid.UUID, form: Form | None, *, status: int = 200
) -> Response[Any]:
    person = member(desk.session, account_id)
    if person is None:
        raise NotFound
    row = service.staffing_of(desk.session, account_id)
    stored = Form(
        {
            "skills": "、".join(row.skills), "languages": row.languages, "most": row.most,
            "away_from": row.away_from.isoformat() if row.away_from else "",
            "away_until": row.away_until.isoformat() if row.away_until else "",
        }
        if row
        else {"most": 0}
    )  # fmt: skip
    return desk.page(
        "assignment/person.html", status=status, person=person, form=form or stored,
        version=row.version if row else 0, languages=LANGUAGES,
    )  # fmt: skip
