"""What is done on the page of one case: talk, attest, move, assign, edit, register."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.cases import closing, gates, people, queries, service, workbench
from huiyin.cases.models import Case
from huiyin.cases.opened import open_page
from huiyin.cases.schemas import (
    AttestForm,
    MergeForm,
    MoveForm,
    TalkForm,
)
from huiyin.cases.stages import (
    FINDING_TITLES,
    INTAKE_TITLES,
    PART_TITLES,
)
from huiyin.cases.verbs import MOVES, VERBS, Verb
from huiyin.clocks.reading import derive
from huiyin.clocks.service import calendar
from huiyin.identity.policy import Role, permissions_of
from huiyin.kit.errors import Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import whole
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page

FIELD_TITLES: Final = {
    "title": N_("标题"),
    "category": N_("类别"),
    "severity": N_("级别"),
    "complexity": N_("繁简"),
    "fund_id": N_("产品"),
    "amount": N_("争议金额"),
    "wish": N_("诉求"),
    "finding": N_("调查结论"),
    "cause": N_("根因"),
    "anonymous": N_("匿名"),
    "name": N_("投诉人姓名"),
    "phone": N_("手机号"),
    "email": N_("邮箱"),
}
_RECIPIENT: Final = {
    "accept": N_("投诉人，发出受理告知书"),
    "decline": N_("投诉人，发出不予受理告知书"),
    "merge": N_("投诉人，可凭查询码查看"),
    "unmerge": N_("投诉人，可凭查询码查看"),
    "summary_close": N_("投诉人，可凭查询码查看"),
    "transfer": N_("投诉人，可凭查询码查看"),
    "withdraw": N_("投诉人，可凭查询码查看"),
}


def number_path(desk: Desk, number: str) -> str:
    return f"/t/{desk.tenant.slug}/w/cases/{number}"


def show(desk: Desk, number: str, *, status: int = 200, form: Form | None = None) -> Response[Any]:
    """The page of the case, with a form to be mended if there is one."""
    query = desk.request.query_params
    before = whole(query.get("before", ""))
    context = workbench.context(desk, number, tab=query.get("tab", ""), before=before)
    if form is not None:
        context["form"] = form
    return desk.page(
        "cases/show.html",
        status=status,
        finding_titles=FINDING_TITLES,
        field_titles=FIELD_TITLES,
        **context,
    )


class CaseController(Controller):
    """The page of one case and what is written on it."""

    path = "/t/{tenant:str}/w/cases/{number:str}"

    @page("/", name="case:show", permission="case.read")
    def show(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        return show(desk, number)

    @action("/talk", name="case:talk", permission="case.note")
    def talk(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(TalkForm, data)
            service.talk(desk.session, desk.actor, number, form.mode, form.body)
            said = {
                "note": N_("内部记录已保存"),
                "message": N_("已发送给投诉人"),
                "call": N_("通话已登记"),
            }[form.mode]
            return desk.redirect(number_path(desk, number), said)

        return or_again(desk, data, act, partial(_shown_again, desk, number))

    @action("/attest", name="case:attest", permission="case.note")
    def attest(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(AttestForm, data)
            service.attest(desk.session, desk.actor, number, form.gate, form.note)
            return desk.redirect(f"{number_path(desk, number)}#nba", N_("已记录"))

        return or_again(desk, data, act, partial(_shown_again, desk, number))

    @page("/clocks", name="case:clocks", permission="case.read")
    def clocks(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        opened = open_page(desk.session, desk.actor, number)
        case, clocks = opened.case, workbench.clocks_of(opened.case, opened.promised)
        days = calendar()
        shown = [(workbench.any_card(c), derive(c, days)) for c in clocks]
        beside = workbench.clocks_beside(desk.session, desk.actor, case) if opened.merged else ()
        return desk.page("cases/clocks.html", case=case, shown=shown, beside=beside)

    @page("/do/{verb:str}", name="case:confirm", permission="case.read")
    def confirm(
        self, desk: NamedDependency[Desk], number: FromPath[str], verb: FromPath[str]
    ) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return confirm_page(desk, case, movable(verb))

    @action("/do/{verb:str}", name="case:move", permission="case.read")
    def move(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        verb: FromPath[str],
        data: FormData,
    ) -> Response[Any]:
        wanted = movable(verb)

        def act() -> Response[Any]:
            form, rev = parse(MoveForm, data), revision(data)
            service.move(desk.session, desk.actor, number, verb, rev=rev, reason=form.reason)
            done = Message(N_("已办理：{what}"), {"what": Message(wanted.done)})
            return desk.redirect(number_path(desk, number), done)

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return confirm_page(desk, case, wanted, form, status=status)

        return or_again(desk, data, act, again)

    @page("/merge", name="case:merge_page", permission="case.accept")
    def merge_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return simple(desk, case, "merge", Form())

    @action("/merge", name="case:merge", permission="case.accept")
    def merge(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(MergeForm, data), revision(data)
            closing.propose_merge(
                desk.session, desk.actor, number, form.master, rev=rev, reason=form.reason
            )
            return desk.redirect(number_path(desk, number), N_("已提请并案，等待审批人确认"))

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return simple(desk, case, "merge", form, status=status)

        return or_again(desk, data, act, again)


def _shown_again(desk: Desk, number: str, form: Form, status: int) -> Response[Any]:
    return show(desk, number, status=status, form=form)


def movable(name: str) -> Verb:
    verb = VERBS.get(name)
    if verb is None or verb not in MOVES or name in service.ELSEWHERE:
        raise NotFound
    return verb


def revision(data: dict[str, Any]) -> int:
    """The version the person looked at."""
    given = whole(str(data.get("rev", "")))
    if given is None:
        raise Invalid({"rev": N_("页面已过期，请刷新后重新提交")})
    return given


def confirm_page(
    desk: Desk, case: Case, verb: Verb, form: Form | None = None, *, status: int = 200
) -> Response[Any]:
    """What the act does, whom it reaches, and what is still missing."""
    if not desk.actor.can(verb.permission):
        raise NotFound
    missing = gates.unmet(case, verb.gates)
    blocked = ""
    if missing:
        items = [Message(gate.title) for gate in missing]
        blocked = desk._(N_("还有 {n} 项未完成：{items}"), n=len(missing), items=items)
    recipient = _RECIPIENT.get(verb.name)
    return desk.page(
        "confirm.html",
        block="sheet",
        status=status,
        title=desk._(verb.title),
        eyebrow=f"{case.number} {case.title}",
        effects=[*([desk._(verb.effect)] if verb.effect else []), *_proposal(desk, case, verb)],
        recipient=desk._(recipient) if recipient else None,
        form=form or Form(),
        form_action=f"{number_path(desk, case.number)}/do/{verb.name}",
        action_label=desk._(verb.title),
        cancel_href=number_path(desk, case.number),
        rev=case.version,
        blocked=blocked,
        fields_template=None if verb.seconded else "cases/_reason.html",
        reason_required=verb.reason,
    )


def _proposal(desk: Desk, case: Case, verb: Verb) -> list[str]:
    """What is to be confirmed or returned: who proposed it and why."""
    request = closing.asked_of(desk.session, desk.actor, case)
    if request is None or not closing.is_about(verb):
        return []
    said = [desk._(N_("{who} 提请，理由：{why}"), who=request["by"], why=request["note"])]
    if request["master"]:
        said.append(desk._(N_("主案：{number}"), number=request["master"]))
    return said


# -- small forms: assign, subject, task, reveal, retype, merge -----------------------------------

_SIMPLE: Final = {
    "assign": (
        N_("转交与协办"),
        N_("接手人可查看并办理本案，原负责人的参与记录保留"),
        N_("确认转交"),
    ),
    "subject": (N_("登记被投诉人"), N_("此人从此看不到本案，也不能参与办理"), N_("登记")),
    "subject/lift": (
        N_("撤销被投诉人登记"),
        N_("此人恢复查看本案，原有分派不恢复，登记与撤销均留在记录中"),
        N_("撤销登记"),
    ),
    "tasks/new": (N_("新建任务"), "", N_("新建任务")),
    "reveal": (N_("显示投诉人信息"), N_("查看将写入审计记录"), N_("显示")),
    "retype": (
        N_("更改登记类型"),
        N_("改为投诉立即生效，改为其他类型须由未参与办理的审批人同意后生效"),
        N_("提交"),
    ),
    "lower": (
        N_("申请降级"),
        N_("由未参与办理的审批人同意后生效；此后不再需要合规意见，并可以简易办结"),
        N_("提交申请"),
    ),
    "merge": (
        N_("提请并案"),
        N_("由未参与办理的审批人确认，时限照常计算；确认后理由告知投诉人"),
        N_("提请并案"),
    ),
}


def simple(
    desk: Desk, case: Case, kind: str, form: Form, *, status: int = 200, **context: Any
) -> Response[Any]:
    title, effect, label = _SIMPLE[kind]
    context.setdefault("members", [])
    return desk.page(
        "confirm.html",
        block="sheet",
        status=status,
        title=desk._(title),
        eyebrow=f"{case.number} {case.title}",
        effects=[desk._(effect)] if effect else [],
        form=form,
        form_action=f"{number_path(desk, case.number)}/{kind}",
        action_label=desk._(label),
        cancel_href=number_path(desk, case.number),
        rev=case.version,
        fields_template=f"cases/_{kind.replace('/', '_')}.html",
        reason_required=False,
        part_titles=PART_TITLES,
        intake_titles=INTAKE_TITLES,
        case=case,
        **context,
    )


def members(desk: Desk, case: Case, permission: str = "") -> list[tuple[str, str]]:
    """Active members for a select, those walled from the case left out."""
    found = people.members(desk.session)
    return [
        (str(m.account_id), f"{m.name} · {m.department}" if m.department else m.name)
        for m in found
        if m.account_id not in case.walled
        and (not permission or permission in permissions_of(frozenset(Role(r) for r in m.roles)))
    ]
