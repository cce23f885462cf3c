"""The pages of whoever is asked: no log-in, one page at a time, nothing chosen beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    PUBLIC,
    Desk,
    Form,
    FormData,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    Throttle,
    TooLarge,
    UploadData,
    action,
    clean_file_name,
    context_of,
    count_try,
    is_program,
    page,
    take_back_try,
)
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction import sheets, tokens
from huiyin_survey_satisfaction.designs import Question
from huiyin_survey_satisfaction.reading import read_page
from huiyin_survey_satisfaction.sheets import Asked, Filling
from huiyin_survey_satisfaction.wording import Naming, QuestionKind

TRIES: Final = Throttle("survey_satisfaction.link", 20, 15 * 60)  # wrong links: firm and network
MEGABYTE: Final = 1024 * 1024
LARGEST: Final = 10 * MEGABYTE
_HEAD: Final = 4096
_OTHER: Final = frozenset({"_csrf", "_key", "lang", "do"})


class SurveyController(Controller):
    path = "/survey"

    # -- unsigned; these addresses hold nothing of anybody -------------------------------------

    @page("/ballot/done", name="survey_satisfaction:ballot_done", permission=PUBLIC)
    def ballot_done(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desks.take_ballot(desk, desks.show_public(desk, "done.html", thanks=""))

    @page("/ballot/{number:int}", name="survey_satisfaction:ballot_page", permission=PUBLIC)
    def ballot_page(self, desk: NamedDependency[Desk], number: FromPath[int]) -> Response[Any]:
        ctx = context_of(desk)
        filling = _ballot(desk, ctx)
        if filling is None:
            return _gone(desk)
        return _page(desk, filling, number, Form(), base="/ballot")

    @action("/ballot/{number:int}", name="survey_satisfaction:ballot_answer", permission=PUBLIC)
    def ballot_answer(
        self, desk: NamedDependency[Desk], number: FromPath[int], data: FormData
    ) -> Response[Any]:
        ctx = context_of(desk)
        filling = _ballot(desk, ctx, lock=True, make=True)
        if filling is None:
            return _gone(desk)
        return _answered(desk, ctx, filling, number, data, base="/ballot")

    # -- by the link ---------------------------------------------------------------------------

    @page("/{token:str}", name="survey_satisfaction:open", permission=PUBLIC)
    def entrance(self, desk: NamedDependency[Desk], token: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        asked = _asked(desk, ctx, token)
        if refused := _closed(desk, asked):
            return refused
        filling = sheets.signed(ctx, asked)
        design = sheets.design_of(ctx, asked.campaign.version_id)
        return desks.show_public(
            desk, "entrance.html", asked=asked, filling=filling, design=design, token=token,
            form=Form(), pages=len(design.sections),
        )  # fmt: skip

    @action("/{token:str}/begin", name="survey_satisfaction:begin", permission=PUBLIC)
    def begin(
        self, desk: NamedDependency[Desk], token: FromPath[str], data: FormData
    ) -> Response[Any]:
        ctx = context_of(desk)
        asked = _asked(desk, ctx, token)
        if refused := _closed(desk, asked):
            return refused
        naming = asked.campaign.naming
        sign = str(data.get("sign", "")) if naming == Naming.CHOICE else naming
        if sign not in {Naming.SIGNED, Naming.ANONYMOUS}:
            error = Invalid({"sign": N_("请选择记名或不记名")})
            design = sheets.design_of(ctx, asked.campaign.version_id)
            return desks.show_public(
                desk, "entrance.html", status=422, asked=asked, filling=None, design=design,
                token=token, form=Form.failed(data, error, desk._), pages=len(design.sections),
            )  # fmt: skip
        if sign == Naming.SIGNED:
            sheets.begin_signed(ctx, asked, desk.language)
            return desk.redirect(desks.public(desk, f"/{token}/1"))
        ballot = sheets.turn_in(ctx, asked, desk.language)
        answer = desk.redirect(desks.public(desk, "/ballot/1"))
        return desks.give_ballot(desk, answer, tokens.packed(ctx.tenant.id, ballot))

    @page("/{token:str}/done", name="survey_satisfaction:done", permission=PUBLIC)
    def done(self, desk: NamedDependency[Desk], token: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        asked = _asked(desk, ctx, token)
        if asked.state != "used":
            return desk.redirect(desks.public(desk, f"/{token}"))
        design = sheets.design_of(ctx, asked.campaign.version_id)
        return desks.show_public(desk, "done.html", thanks=design.thanks.say(desk.language))

    @page("/{token:str}/{number:int}", name="survey_satisfaction:page", permission=PUBLIC)
    def page_of(
        self, desk: NamedDependency[Desk], token: FromPath[str], number: FromPath[int]
    ) -> Response[Any]:
        ctx = context_of(desk)
        asked = _asked(desk, ctx, token)
        filling = sheets.signed(ctx, asked)
        if filling is None:
            return _closed(desk, asked) or desk.redirect(desks.public(desk, f"/{token}"))
        return _page(desk, filling, number, Form(), base=f"/{token}")

    @action("/{token:str}/{number:int}", name="survey_satisfaction:answer", permission=PUBLIC)
    def answer(
        self, desk: NamedDependency[Desk], token: FromPath[str], number: FromPath[int],
        data: FormData,
    ) -> Response[Any]:  # fmt: skip
        return _answer_signed(desk, token, number, data)

    @action(
        "/{token:str}/{number:int}/files", name="survey_satisfaction:files", permission=PUBLIC,
        limit=3 * LARGEST + MEGABYTE,
    )  # fmt: skip
    def with_files(
        self, desk: NamedDependency[Desk], token: FromPath[str], number: FromPath[int],
        data: UploadData,
    ) -> Response[Any]:  # fmt: skip
        return _answer_signed(desk, token, number, data)


# -- finding -----------------------------------------------------------------------------------


def _asked(desk: Desk, ctx: TenantContext, token: str) -> Asked:
    """The try is counted before anything is looked up; a right one is not held against anybody."""
    count_try(desk, TRIES)
    asked = sheets.by_token(ctx, token)
    take_back_try(desk, TRIES)
    return asked


def _closed(desk: Desk, asked: Asked) -> Response[Any] | None:
    if asked.state == "open":
        return None
    return desks.show_public(desk, "closed.html", status=410, used=asked.state == "used")


def _ballot(
    desk: Desk, ctx: TenantContext, *, lock: bool = False, make: bool = False
) -> Filling | None:
    ballot = tokens.unpacked(ctx.tenant.id, desks.held_ballot(desk))
    if ballot is None:
        return None
    try:
        return sheets.unsigned(ctx, ballot, lock=lock, make=make)
    except NotFound:
        return None


def _gone(desk: Desk) -> Response[Any]:
    return desks.show_public(desk, "closed.html", status=410, used=False)


# -- a page ------------------------------------------------------------------------------------


def _page(
    desk: Desk, filling: Filling, number: int, form: Form, *, base: str, status: int = 200
) -> Response[Any]:
    if filling.sheet.state != "open":
        return desk.redirect(desks.public(desk, f"{base}/done"))
    shown = filling.pages()
    if not 1 <= number <= len(shown):
        return desk.redirect(desks.public(desk, f"{base}/1"))
    section, questions = shown[number - 1]
    return desks.show_public(
        desk, "page.html", status=status, filling=filling, section=section, questions=questions,
        number=number, total=len(shown), form=form, answers=filling.answers,
        address=desks.public(desk, f"{base}/{number}"),
        back=desks.public(desk, f"{base}/{number - 1}" if number > 1 else ""),
        files=any(q.kind is QuestionKind.FILE for q in questions),
    )  # fmt: skip


def _answer_signed(desk: Desk, token: str, number: int, data: Mapping[str, Any]) -> Response[Any]:
    ctx = context_of(desk)
    asked = _asked(desk, ctx, token)
    if asked.state == "used":
        return desk.redirect(desks.public(desk, f"/{token}/done"))
    filling = sheets.signed(ctx, asked, lock=True)
    if filling is None:
        return _closed(desk, asked) or desk.redirect(desks.public(desk, f"/{token}"))
    return _answered(desk, ctx, filling, number, data, base=f"/{token}")


def _answered(
    desk: Desk, ctx: TenantContext, filling: Filling, number: int, data: Mapping[str, Any],
    *, base: str,
) -> Response[Any]:  # fmt: skip
    """Keep the answers of a page and go on; after the last hand the sheet in."""
    shown = filling.pages()
    if filling.sheet.state != "open" or not 1 <= number <= len(shown):
        return _page(desk, filling, number, Form(), base=base)
    _, questions = shown[number - 1]
    try:
        sheets.keep_files(ctx, filling, _files(ctx, filling, questions, data))
        kept = filling.answers
        given = {name: value for name, value in data.items() if name not in _OTHER}
        answers = read_page(questions, given, kept)
    except Invalid as error:
        form = Form.failed(data, error, desk._)
        return _page(desk, filling, number, form, base=base, status=422)
    sheets.save(filling, [q.code for q in questions], answers)
    if number < len(filling.pages()):
        return desk.redirect(desks.public(desk, f"{base}/{number + 1}"))
    if (gap := filling.first_gap()) is not None:
        return desk.redirect(desks.public(desk, f"{base}/{gap}"), Message(N_("这一题还没有作答")))
    sheets.finish(ctx, filling)
    return desk.redirect(desks.public(desk, f"{base}/done"))


def _files(
    ctx: TenantContext, filling: Filling, questions: tuple[Question, ...], data: Mapping[str, Any]
) -> dict[str, Any]:
    """What was handed in for the file questions of a page; only signed sheets take files."""
    found: dict[str, Any] = {}
    for question in questions:
        upload = data.get(question.code)
        if question.kind is not QuestionKind.FILE or not filling.signed:
            continue
        if isinstance(upload, list):
            upload = upload[-1] if upload else None
        if isinstance(upload, UploadFile) and upload.filename:
            found[question.code] = _keep(ctx, question, upload)
    return found


def _keep(ctx: TenantContext, question: Question, upload: UploadFile) -> dict[str, Any]:
    name = clean_file_name(upload.filename)
    head = upload.file.read(_HEAD)
    upload.file.seek(0)
    if not head or is_program(name, head):
        raise Invalid({question.code: N_("请换成文档、图片或录音文件")})
    try:
        blob = ctx.blobs.put(ctx.tenant.id, upload.file, LARGEST)
    except TooLarge:
        raise Invalid(
            {
                question.code: Message(
                    N_("文件超过 {n} MB，请压缩后再上传"), {"n": LARGEST // MEGABYTE}
                )
            }
        ) from None
    return {"name": name, "key": blob.key, "sha256": blob.sha256, "size": blob.size}
