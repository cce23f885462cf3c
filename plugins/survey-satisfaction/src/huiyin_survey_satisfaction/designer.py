"""Pages of the designer: the library, drafts, questions, the phone, versions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

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
    or_again,
    page,
    parse,
)
from huiyin_survey_satisfaction import designs, editing, questionnaires
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.designs import Design
from huiyin_survey_satisfaction.library import library
from huiyin_survey_satisfaction.models import Questionnaire, Version

T = TypeVar("T")


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
        def act() -> Response[Any]:
            form = parse(editing.HeadForm, data)
            if not form.title:
                raise Invalid({"title": N_("请填写问卷名称")})
            found = _found(desk, id_)
            found.title, found.title_en = form.title, form.title_en
            return _changed(desk, found, data, lambda design: editing.with_head(design, form))

        return or_again(desk, data, act, partial(_head_again, desk, id_))

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
        return _put_section(desk, id_, "", data)

    @action("/{id_:str}/sections/{code:str}", name="survey_satisfaction:section_put",
            permission=desks.MANAGE)  # fmt: skip
    def section_put(
        self, desk: NamedDependency[Desk], id_: FromPath[str], code: FromPath[str], data: FormData
    ) -> Response[Any]:
        return _put_section(desk, id_, code, data)

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
        return _put_question(desk, id_, code, "", data)

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
        return _put_question(desk, id_, "", code, data)

    @action("/{id_:str}/arrange", name="survey_satisfaction:arrange", permission=desks.MANAGE)
    def arrange(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData
    ) -> Response[Any]:
        """Up, down or away, for a page or a question."""
        code, do = str(data.get("code", "")), str(data.get("do", ""))
        if do not in _ARRANGE:
            raise NotFound
        alter = _ARRANGE[do]

        def act() -> Response[Any]:
            return _changed(desk, _found(desk, id_), data, lambda design: alter(design, code))

        return or_again(desk, data, act, partial(_button_again, desk, id_))

    # -- versions ------------------------------------------------------------------------------

    @action("/{id_:str}/publish", name="survey_satisfaction:publish", permission=desks.MANAGE)
    def publish(
        self, desk: NamedDependency[Desk], id_: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            found = _found(desk, id_)
            version = questionnaires.publish(context_of(desk), found, str(data.get("rev", "")))
            said = Message(N_("第 {n} 版已发布"), {"n": version.number})
            return desk.redirect(_address(desk, found), said)

        return or_again(desk, data, act, partial(_button_again, desk, id_))

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


def _head_again(desk: Desk, id_: str, form: Form, status: int) -> Response[Any]:
    return _designer(desk, _found(desk, id_), form, status=status)


def _button_again(desk: Desk, id_: str, form: Form, status: int) -> Response[Any]:
    """A button sends no words: the page as it is, and why it was refused."""
    return _designer(
        desk, _found(desk, id_), Form(errors=form.errors, summary=form.summary), status=status
    )


def _is_overtaken(form: Form, version: Version) -> bool:
    """Whether somebody else changed the draft since this form was opened."""
    return bool(form.values.get("rev")) and form.get("rev") != str(version.rev)


def _designer(desk: Desk, found: Questionnaire, form: Form, *, status: int = 200) -> Response[Any]:
    versions = questionnaires.versions(context_of(desk), found)
    design = designs.read(versions[0].design)
    stored = {
        "title": found.title, "title_en": found.title_en, "intro": design.intro.zh,
        "intro_en": design.intro.en, "thanks": design.thanks.zh, "thanks_en": design.thanks.en,
    }  # fmt: skip
    if not form.values:
        form.values = stored
    elif _is_overtaken(form, versions[0]):
        form.beside(Form(stored))
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


def _put_section(desk: Desk, id_: str, code: str, data: Any) -> Response[Any]:
    def act() -> Response[Any]:
        form = parse(editing.SectionForm, data)
        return _changed(
            desk, _found(desk, id_), data, lambda design: editing.put_section(design, code, form)
        )

    def again(form: Form, status: int) -> Response[Any]:
        found = _found(desk, id_)
        newest = _newest(desk, found)
        known = _still(lambda: editing.section_in(designs.read(newest.design), code))
        if newest.state != "draft" or (code and known is None):
            return _designer(desk, found, form, status=status)
        if known is not None and _is_overtaken(form, newest):
            form.beside(Form(editing.filled_section(known)))
        return _section(desk, found, code, form, status=status)

    return or_again(desk, data, act, again)


def _still(find: Callable[[], T]) -> T | None:
    """What is looked for, unless somebody else has taken it away meanwhile."""
    try:
        return find()
    except NotFound:
        return None


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


def _put_question(desk: Desk, id_: str, section: str, code: str, data: Any) -> Response[Any]:
    def act() -> Response[Any]:
        form, found = parse(editing.QuestionForm, data), _found(desk, id_)
        known = questionnaires.known(context_of(desk), found)
        return _changed(
            desk, found, data,
            lambda design: editing.put_question(design, section, code, form, known),
        )  # fmt: skip

    def again(form: Form, status: int) -> Response[Any]:
        found = _found(desk, id_)
        newest = _newest(desk, found)
        design = designs.read(newest.design)
        known = _still(lambda: editing.question_in(design, code))
        place = known if code else _still(lambda: editing.section_in(design, section))
        if newest.state != "draft" or place is None:
            return _designer(desk, found, form, status=status)
        if known is not None and _is_overtaken(form, newest):
            form.beside(Form(editing.filled(known)))
        return _question(desk, found, section, code, form, status=status)

    return or_again(desk, data, act, again)


def _preview(desk: Desk, title: str, design: Design, back: str) -> Response[Any]:
    asked = desk.request.query_params.get("in", desk.language)
    language = "en" if asked == "en" else "zh"
    return desks.show(
        desk, "preview.html", title=title, design=design, back=desks.staff(desk, back),
        in_language=language, pipes={"firm": desk.tenant.short_name}, form=Form(),
    )  # fmt: skip
