"""Letters of a case: drafted, checked, signed by a second person, sent, proven."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import bindparam, select

from huiyin.cases import extensions, queries
from huiyin.cases.acts import number_path, revision
from huiyin.cases.models import Case
from huiyin.cases.people import judges
from huiyin.cases.schemas import ExtensionForm, MoveForm
from huiyin.db import Ready
from huiyin.kit.errors import Conflict
from huiyin.kit.i18n import N_, Message
from huiyin.letters import service
from huiyin.letters.checks import blocks
from huiyin.letters.delivery import may_sign
from huiyin.letters.models import (
    CHANNEL_TITLES,
    STATE_TITLES,
    Letter,
    LetterState,
    delivery_title,
)
from huiyin.letters.render import numbered_parts
from huiyin.letters.schemas import AnswerForm, DeliveryForm, NoticeForm
from huiyin.letters.wording import LetterKind
from huiyin.remedies import service as remedies
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse, shown
from huiyin.web.mending import or_again
from huiyin.web.routes import FormData, action, page
from huiyin.web.site import Panel

_NOTICES: Final = (
    (LetterKind.SUPPLEMENT, N_("补正材料通知")),
    (LetterKind.PROGRESS, N_("进度告知")),
    (LetterKind.CLOSURE, N_("结案告知")),
)


_NEWEST: Final = Ready(
    select(
        Letter.id,
        Letter.number,
        Letter.document["title"].astext.label("title"),
        Letter.state,
        Letter.channel,
        Letter.created_at,
        Letter.released_at,
    )
    .where(Letter.case_id == bindparam("case"))
    .order_by(Letter.created_at.desc(), Letter.id.desc())
    .limit(6)
)


def panel(desk: Desk, case: Case) -> Panel:
    """The card 文书 of the case page."""
    letters = [
        (letter, delivery_title(letter.channel, letter.state))
        for letter in _NEWEST.run(desk.session, case=case.id)
    ]
    return Panel("letters/_panel.html", {"letters": letters})


class LetterController(Controller):
    path = "/t/{tenant:str}/w/cases/{number:str}/letters"

    @page("/answer", name="letter:answer_page", permission="case.read")
    def answer_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        letters = service.letters_of(desk.session, case)
        drafts = [
            x for x in letters if x.kind == LetterKind.ANSWER and x.state != LetterState.WITHDRAWN
        ]
        if drafts and (drafts[-1].is_released or not desk.actor.can("case.handle")):
            return _letter_page(desk, case, drafts[-1], Form())
        return _answer(desk, case, _answer_form(desk, case, drafts[-1] if drafts else None))

    @action("/answer", name="letter:answer", permission="case.handle")
    def answer(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(AnswerForm, data), revision(data)
            letter = service.draft_answer(desk.session, desk.actor, number, form, rev=rev)
            return desk.redirect(
                f"{number_path(desk, number)}/letters/{letter.id}",
                N_("草稿已保存，请核对后交审批人签发"),
            )

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _answer(desk, case, form, status=status)

        return or_again(desk, data, act, again)

    @page("/new", name="letter:notice_page", permission="case.handle")
    def notice_page(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _notice(desk, case, Form({"kind": LetterKind.PROGRESS.value}))

    @action("/new", name="letter:notice", permission="case.handle")
    def notice(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(NoticeForm, data), revision(data)
            letter = service.draft_notice(desk.session, desk.actor, number, form, rev=rev)
            return desk.redirect(
                f"{number_path(desk, number)}/letters/{letter.id}", N_("草稿已保存")
            )

        def again(form: Form, status: int) -> Response[Any]:
            case = queries.open_case(desk.session, desk.actor, number).case
            return _notice(desk, case, form, status=status)

        return or_again(desk, data, act, again)

    @page("/{letter_id:uuid}", name="letter:show", permission="case.read")
    def show(
        self, desk: NamedDependency[Desk], number: FromPath[str], letter_id: FromPath[uuid.UUID]
    ) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _letter_page(desk, case, service.find_letter(desk.session, case, letter_id), Form())

    @page("/{letter_id:uuid}/pdf", name="letter:pdf", permission="case.read")
    def pdf(
        self, desk: NamedDependency[Desk], number: FromPath[str], letter_id: FromPath[uuid.UUID]
    ) -> Response[Any]:
        letter, content = service.pdf_of(desk.session, desk.actor, number, letter_id)
        return desk.file(content, letter.file_name, "application/pdf", inline=True)

    @action("/{letter_id:uuid}/release", name="letter:release", permission="case.letter")
    def release(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        letter_id: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:
        def act() -> Response[Any]:
            seal = str(data.get("fingerprint", ""))
            rev = revision(data)
            service.release(desk.session, desk.actor, number, letter_id, seal, rev=rev)
            return desk.redirect(number_path(desk, number), N_("文书已签发，投诉人可在查询页查看"))

        return or_again(desk, data, act, partial(_letter_again, desk, number, letter_id))

    @action("/{letter_id:uuid}/withdraw", name="letter:withdraw", permission="case.handle")
    def withdraw(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        letter_id: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:
        def act() -> Response[Any]:
            reason = str(data.get("reason") or desk._(N_("草稿作废")))[:500]
            service.withdraw(desk.session, desk.actor, number, letter_id, reason)
            return desk.redirect(number_path(desk, number), N_("草稿已作废，编号保留"))

        return or_again(desk, data, act, partial(_letter_again, desk, number, letter_id))

    @action("/{letter_id:uuid}/delivery", name="letter:delivery", permission="case.handle")
    def delivery(
        self,
        desk: NamedDependency[Desk],
        number: FromPath[str],
        letter_id: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form = parse(DeliveryForm, data)
            service.record_delivery(desk.session, desk.actor, number, letter_id, form)
            return desk.redirect(
                f"{number_path(desk, number)}/letters/{letter_id}", N_("送达情况已登记")
            )

        return or_again(desk, data, act, partial(_letter_again, desk, number, letter_id))


class ExtensionController(Controller):
    """延期: asked for with a reason, granted by somebody who does not handle the case."""

    path = "/t/{tenant:str}/w/cases/{number:str}/extend"

    @page("/", name="extension:page", permission="case.read")
    def show(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        case = queries.open_case(desk.session, desk.actor, number).case
        return _extension(desk, case, Form())

    @action("/", name="extension:ask", permission="case.handle")
    def ask(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            form, rev = parse(ExtensionForm, data), revision(data)
            extensions.ask_extension(
                desk.session, desk.actor, number, form.days, form.reason, rev=rev
            )
            return desk.redirect(number_path(desk, number), N_("延期申请已提交审批"))

        return or_again(desk, data, act, partial(_extension_again, desk, number))

    @action("/grant", name="extension:grant", permission="extension.approve")
    def grant(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            extensions.grant_extension(desk.session, desk.actor, number, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("已批准延期，将书面告知投诉人"))

        return or_again(desk, data, act, partial(_extension_again, desk, number))

    @action("/refuse", name="extension:refuse", permission="extension.approve")
    def refuse(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            reason, rev = parse(MoveForm, data).reason, revision(data)
            extensions.refuse_extension(desk.session, desk.actor, number, reason, rev=rev)
            return desk.redirect(number_path(desk, number), N_("延期申请未获批准，期限不变"))

        return or_again(desk, data, act, partial(_extension_again, desk, number))

    @action("/withdraw", name="extension:withdraw", permission="case.handle")
    def withdraw(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            extensions.withdraw_extension(desk.session, desk.actor, number, rev=revision(data))
            return desk.redirect(number_path(desk, number), N_("延期申请已撤回"))

        return or_again(desk, data, act, partial(_extension_again, desk, number))


def _answer_form(desk: Desk, case: Case, draft: Letter | None) -> Form:
    """What is known already: the draft's words, else the plan's."""
    if draft is not None:
        return Form({name: shown(value) for name, value in draft.inputs.items()})
    plan = remedies.current_plan(desk.session, case)
    if plan is None:
        return Form()
    return Form(
        {
            "outcome": plan.goal,
            "basis": plan.basis,
            "measures": "；".join(str(m["title"]) for m in plan.measures),
        }
    )


def _answer(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    return desk.page("letters/answer.html", status=status, case=case, form=form)


def _notice(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    return desk.page(
        "letters/notice.html",
        status=status,
        case=case,
        form=form,
        kinds=[(kind.value, title) for kind, title in _NOTICES],
    )


def _letter_page(
    desk: Desk, case: Case, letter: Letter, form: Form, *, status: int = 200
) -> Response[Any]:
    document = service.document_of(letter)
    draft = letter.state == LetterState.DRAFT
    findings = service.check(desk.session, case, letter) if draft else []
    second = letter.kind == LetterKind.ANSWER and (
        desk.actor.id == letter.drafted_by or not may_sign(desk.actor, letter.kind)
    )
    return desk.page(
        "letters/show.html",
        status=status,
        case=case,
        letter=letter,
        document=document,
        parts=numbered_parts(document),
        findings=findings,
        blocked=blocks(findings),
        form=form,
        draft=draft,
        states=STATE_TITLES,
        channels=CHANNEL_TITLES,
        needs_other=second,
    )


def _letter_again(
    desk: Desk, number: str, letter_id: uuid.UUID, form: Form, status: int
) -> Response[Any]:
    case = queries.open_case(desk.session, desk.actor, number).case
    letter = service.find_letter(desk.session, case, letter_id)
    return _letter_page(desk, case, letter, form, status=status)


def _extension_again(desk: Desk, number: str, form: Form, status: int) -> Response[Any]:
    case = queries.open_case(desk.session, desk.actor, number).case
    return _extension(desk, case, form, status=status)


def _extension(desk: Desk, case: Case, form: Form, *, status: int = 200) -> Response[Any]:
    room, refused = None, None
    may = judges(desk.session, case, extensions.APPROVE)
    try:
        room = extensions.leeway(case)
    except Conflict as error:
        refused = error.message
    return desk.page(
        "letters/extend.html",
        status=status,
        case=case,
        form=form,
        room=room,
        refused=refused or Message(""),
        asked=extensions.asked(case),
        barred=desk.actor.id not in {j.account_id for j in may},
    )
