"""Pages of the designer: the library, drafts, questions, the phone, versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    Invalid,
    Message,
    NotFound,
    action,
    context_of,
    page,
    parse,
)
from huiyin_survey_satisfaction import designs, editing, questionnaires
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.designs import Design
from huiyin_survey_satisfaction.library import library
from huiyin_survey_satisfaction.models import Questionnaire, Version


class DesignerController(Controller):
    path = "/questionnaires"

    @page("/", name="survey_satisfaction:questionnaires", permission=desks.MANAGE)
    def listed(self, desk: NamedDependency[Desk]) -> Response[Any]:
        lines = questionnaires.listed(context_of(desk))
        return desks.show(desk, "questionnaires.html", lines=lines, library=library())

    @action("/take", name="survey_satisfaction:take", permission=desks.MANAGE)
    def take(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        ctx = context_of(desk)
        code = str(data.get("code", ""))
        if code:
            made = questionnaires.take(ctx, code)
        else:
            made = questionnaires.begin(ctx, desk._(N_("新问卷")), "New questionnaire", Design())
        return desk.redirect(_address(desk, made))

    @page("/library/{code:str}", name="survey_satisfaction:library", permission=desks.MANAGE)
    def ready(self, desk: NamedDependency[Desk], code: FromPath[str]) -> Response[Any]:
        known = library().get(code)
        if known is None:
            raise NotFound
        return _preview(desk, known.title.say(desk.language), known.design, "/questionnaires")

    @page("/{id_:str}", name="survey_satisfaction:questionnaire", permission=desks.MANAGE)
    def show(self, desk: NamedDependency[Desk], id_: FromPath[str]) -> Response[Any]:
        return _designer(desk, _found(desk, id_), Form())

    @page("/{id_:str}/preview", name="survey_satisfaction:preview", permission=desks.MANAGE)
    def preview(self, desk: NamedDependency[Desk], id_: FromPath[str]) -> Response[Any]:
        found = _found(desk, id_)
        newest = questionnaires.versions(context_of(desk), found)[0]
        back = f"/questionnaires/{found.id}"
        return _preview(desk, found.title, designs.read(newest.design), back)

    @action("/{id_:str}/head", name="survey_satisfaction:head", permission=desks.MANAGE)
    def head(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData
    ) -> Response[Any]:
        found = _found(desk, id_)
        try:
            form = parse(editing.HeadForm, data)
            if not form.title:
                raise Invalid({"title": N_("请填写问卷名称")})  # noqa: TRY301 - one way out
        except Invalid as error:
            return _designer(desk, found, Form.failed(data, error, desk._), status=422)
        found.title, found.title_en = form.title, form.title_en
        return _changed(desk, found, data, lambda design: editing.with_head(design, form))

    # -- pages and questions -------------------------------------------------------------------

    @page(
        "/{id_:str}/sections/new", name="survey_satisfaction:section_new", permission=desks.MANAGE
    )
    def section_new(self, desk: NamedDependency[Desk], id_: FromPath[str]) -> Response[Any]:
        return _section(desk, _found(desk, id_), "", Form())

    @page(
        "/{id_:str}/sections/{code:str}",
        name="survey_satisfaction:section",
        permission=desks.MANAGE,
    )
    def section(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str]
    ) -> Response[Any]:
        found = _found(desk, id_)
        design = designs.read(_newest(desk, found).design)
        known = editing.section_in(design, code)
        return _section(desk, found, code, Form(editing.filled_section(known)))

    @action("/{id_:str}/sections/new", name="survey_satisfaction:section_add",
            permission=desks.MANAGE)  # fmt: skip
    def section_add(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData
    ) -> Response[Any]:
        return _put_section(desk, _found(desk, id_), "", data)

    @action("/{id_:str}/sections/{code:str}", name="survey_satisfaction:section_put",
            permission=desks.MANAGE)  # fmt: skip
    def section_put(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str], data: FormData
    ) -> Response[Any]:
        return _put_section(desk, _found(desk, id_), code, data)

    @page("/{id_:str}/sections/{code:str}/questions/new", name="survey_satisfaction:question_new",
          permission=desks.MANAGE)  # fmt: skip
    def question_new(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str]
    ) -> Response[Any]:
        return _question(desk, _found(desk, id_), code, "", Form({"kind": "csat"}))

    @action("/{id_:str}/sections/{code:str}/questions/new", name="survey_satisfaction:question_add",
            permission=desks.MANAGE)  # fmt: skip
    def question_add(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str], data: FormData
    ) -> Response[Any]:
        return _put_question(desk, _found(desk, id_), code, "", data)

    @page("/{id_:str}/questions/{code:str}", name="survey_satisfaction:question",
          permission=desks.MANAGE)  # fmt: skip
    def question(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str]
    ) -> Response[Any]:
        found = _found(desk, id_)
        design = designs.read(_newest(desk, found).design)
        known = editing.question_in(design, code)
        return _question(desk, found, "", code, Form(editing.filled(known)))

    @action("/{id_:str}/questions/{code:str}", name="survey_satisfaction:question_put",
            permission=desks.MANAGE)  # fmt: skip
    def question_put(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str], data: FormData
    ) -> Response[Any]:
        return _put_question(desk, _found(desk, id_), "", code, data)

    @action("/{id_:str}/arrange", name="survey_satisfaction:arrange", permission=desks.MANAGE)
    def arrange(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData
    ) -> Response[Any]:
        """Up, down or away, for a page or a question."""
        code, do = str(data.get("code", "")), str(data.get("do", ""))
        if do not in _ARRANGE:
            raise NotFound
        act = _ARRANGE[do]
        return _changed(desk, _found(desk, id_), data, lambda design: act(design, code))

    # -- versions ------------------------------------------------------------------------------

    @action("/{id_:str}/publish", name="survey_satisfaction:publish", permission=desks.MANAGE)
    def publish(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData
    ) -> Response[Any]:
        found = _found(desk, id_)
        try:
            version = questionnaires.publish(context_of(desk), found, str(data.get("rev", "")))
        except Invalid as error:
            return _designer(desk, found, Form.failed({}, error, desk._), status=422)
        said = Message(N_("第 {n} 版已发布"), {"n": version.number})
        return desk.redirect(_address(desk, found), said)

    @action("/{id_:str}/draft", name="survey_satisfaction:draft", permission=desks.MANAGE)
    def draft(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData  # noqa: ARG002
    ) -> Response[Any]:  # fmt: skip
        found = _found(desk, id_)
        questionnaires.draft_again(context_of(desk), found)
        return desk.redirect(_address(desk, found))


_ARRANGE: dict[str, Callable[[Design, str], Design]] = {
    "up": lambda design, code: editing.move(design, code, -1),
    "down": lambda design, code: editing.move(design, code, 1),
    "drop": editing.drop,
}


def _address(desk: Desk, found: Questionnaire) -> str:
    return desks.staff(desk, f"/questionnaires/{found.id}")


def _found(desk: Desk, id_: str) -> Questionnaire:
    return questionnaires.find(context_of(desk), desks.uuid_of(id_))


def _newest(desk: Desk, found: Questionnaire) -> Version:
    return questionnaires.versions(context_of(desk), found)[0]


def _changed(
    desk: Desk, found: Questionnaire, data: Any, alter: Callable[[Design], Design]
) -> Response[Any]:
    questionnaires.change(context_of(desk), found, str(data.get("rev", "")), alter)
    return desk.redirect(_address(desk, found))


def _designer(desk: Desk, found: Questionnaire, form: Form, *, status: int = 200) -> Response[Any]:
    versions = questionnaires.versions(context_of(desk), found)
    design = designs.read(versions[0].design)
    if not form.values:
        form.values = {
            "title": found.title, "title_en": found.title_en, "intro": design.intro.zh,
            "intro_en": design.intro.en, "thanks": design.thanks.zh, "thanks_en": design.thanks.en,
        }  # fmt: skip
    return desks.show(
        desk, "designer.html", status=status, questionnaire=found, versions=versions,
        version=versions[0], design=design, form=form, draft=versions[0].state == "draft",
        faults=questionnaires.faults(context_of(desk), found, design)
        if versions[0].state == "draft"
        else [],
    )  # fmt: skip


def _section(
    desk: Desk, found: Questionnaire, code: str, form: Form, *, status: int = 200
) -> Response[Any]:
    version = _newest(desk, found)
    return desks.show(
        desk, "section_form.html", status=status, questionnaire=found, code=code, form=form,
        version=version, design=designs.read(version.design), askable=designs.ASKABLE,
    )  # fmt: skip


def _put_section(desk: Desk, found: Questionnaire, code: str, data: Any) -> Response[Any]:
    try:
        form = parse(editing.SectionForm, data)
    except Invalid as error:
        return _section(desk, found, code, Form.failed(data, error, desk._), status=422)
    return _changed(desk, found, data, lambda design: editing.put_section(design, code, form))


def _question(
    desk: Desk, found: Questionnaire, section: str, code: str, form: Form, *, status: int = 200
) -> Response[Any]:
    version = _newest(desk, found)
    design = designs.read(version.design)
    if section:
        editing.section_in(design, section)
    return desks.show(
        desk, "question_form.html", status=status, questionnaire=found, section=section, code=code,
        form=form, version=version, design=design, askable=designs.ASKABLE,
        published=code in questionnaires.known(context_of(desk), found),
    )  # fmt: skip


def _put_question(
    desk: Desk, found: Questionnaire, section: str, code: str, data: Any
) -> Response[Any]:
    try:
        form = parse(editing.QuestionForm, data)
        known = questionnaires.known(context_of(desk), found)
        return _changed(
            desk, found, data,
            lambda design: editing.put_question(design, section, code, form, known),
        )  # fmt: skip
    except Invalid as error:
        failed = Form.failed(data, error, desk._)
        return _question(desk, found, section, code, failed, status=422)


def _preview(desk: Desk, title: str, design: Design, back: str) -> Response[Any]:
    asked = desk.request.query_params.get("in", desk.language)
    language = "en" if asked == "en" else "zh"
    return desks.show(
        desk, "preview.html", title=title, design=design, back=desks.staff(desk, back),
        in_language=language, pipes={"firm": desk.tenant.short_name}, form=Form(),
    )  # fmt: skip
