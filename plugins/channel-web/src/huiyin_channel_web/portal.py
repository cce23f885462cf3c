"""Following a complaint with its code: progress, talk, papers, withdrawal, review."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    PUBLIC,
    Case,
    Conflict,
    Desk,
    Form,
    FormData,
    HuiyinError,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    Throttled,
    Upload,
    UploadData,
    action,
    add_files,
    ask_review,
    by_code,
    check_form_token,
    complainant_cards,
    context_of,
    count_try,
    form_token,
    letter_pdf,
    outside_routes,
    page,
    parse,
    read_file,
    say,
    take_back_try,
    withdraw,
)
from huiyin_channel_web import cookies, visits
from huiyin_channel_web.intake import BODY, UPLOADS
from huiyin_channel_web.models import Visit
from huiyin_channel_web.progress import progress_of
from huiyin_channel_web.shared import home, show

NOT_FOUND: Final = N_("没有找到对应的投诉，请核对查询码后重试")
LOCKED: Final = N_("查询次数过多，请 15 分钟后再试")
ENDED: Final = N_("查询已结束或停留时间过长，请重新输入查询码")
LEFT: Final = N_("已退出查询")


def _visiting(desk: Desk) -> Response[Any] | None:
    """Files are read only from a browser that holds a visit."""
    _, case = _visited(desk, context_of(desk))
    return _ended(desk) if case is None else None


class CodeForm(msgspec.Struct, frozen=True, kw_only=True):
    code: Annotated[str, msgspec.Meta(max_length=60)] = ""


class SayForm(msgspec.Struct, frozen=True, kw_only=True):
    body: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class ReasonForm(msgspec.Struct, frozen=True, kw_only=True):
    reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class TrackController(Controller):
    path = "/track"

    @page("/", name="channel_web:track", permission=PUBLIC)
    def ask(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        open_now = visits.find(ctx, cookies.held(desk, cookies.VISIT)) is not None
        return show(desk, "track.html", form=Form(), open_now=open_now)

    @action("/", name="channel_web:open", permission=PUBLIC)
    def enter(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        ctx = context_of(desk)
        try:
            case = _case_of_code(desk, ctx, data)
        except Invalid as error:
            form = Form.failed({}, error, desk._)  # a code is not shown again
            return show(desk, "track.html", status=422, form=form, open_now=False)
        except Throttled as error:
            form = Form(summary=desk._(LOCKED))
            answer = show(desk, "track.html", status=429, form=form, open_now=False)
            answer.headers["Retry-After"] = str(error.retry_after)
            return answer
        secret = visits.begin(ctx, case)
        answer = desk.redirect(home(desk, "/track/case"))
        seconds = int(visits.LONGEST.total_seconds())
        return cookies.give(
            desk, answer, cookies.VISIT, secret, seconds=seconds, same_site="strict"
        )


def _case_of_code(desk: Desk, ctx: TenantContext, data: Mapping[str, Any]) -> Case:
    """The try is counted before anything is looked up, and the answer says no more than no."""
    digits = visits.digits_of(parse(CodeForm, data).code)
    if len(digits) != visits.DIGITS:
        raise Invalid({"code": Message(N_("请输入 {n} 位数字的查询码"), {"n": visits.DIGITS})})
    count_try(desk, visits.TRIES)
    try:
        case = by_code(ctx.session, digits)
    except NotFound:
        raise Invalid({"code": NOT_FOUND}) from None
    take_back_try(desk, visits.TRIES)
    return case


class PortalController(Controller):
    path = "/track/case"

    @page("/", name="channel_web:case", permission=PUBLIC)
    def show_case(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        visit, case = _visited(desk, ctx)
        if visit is None or case is None:
            return _ended(desk)
        return _case_page(desk, ctx, visit, case, Form())

    @action("/say", name="channel_web:say", permission=PUBLIC)
    def speak(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext, case: Case) -> Message:
            body = parse(SayForm, data).body
            if not body:
                raise Invalid({"body": N_("请写下要告诉我们的内容")})
            say(ctx.session, ctx.actor, case, body)
            return Message(N_("留言已送达"))

        return _done(desk, data, do)

    @action("/files", name="channel_web:hand_in", permission=PUBLIC, limit=BODY, first=_visiting)
    def hand_in(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        def do(ctx: TenantContext, case: Case) -> Message:
            uploads = _uploads(data)
            if not uploads:
                raise Invalid({"files": N_("请选择要上传的文件")})
            count_try(desk, UPLOADS)
            add_files(ctx.session, ctx.actor, case.number, uploads)
            return Message(N_("材料已收到，共 {n} 个文件"), {"n": len(uploads)})

        return _done(desk, data, do)

    @page("/files/{file_id:uuid}", name="channel_web:file", permission=PUBLIC)
    def file(self, desk: NamedDependency[Desk], file_id: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        _, case = _visited(desk, ctx)
        if case is None:
            return _ended(desk)
        kept, stream = read_file(ctx.session, ctx.actor, case.number, file_id)
        with stream:
            return desk.file(stream.read(), kept.name, "application/octet-stream")

    @page("/letters/{letter_id:uuid}", name="channel_web:letter", permission=PUBLIC)
    def letter(self, desk: NamedDependency[Desk], letter_id: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        _, case = _visited(desk, ctx)
        if case is None:
            return _ended(desk)
        letter, content = letter_pdf(ctx.session, ctx.actor, case.number, letter_id)
        return desk.file(content, f"{letter.number}.pdf", "application/pdf")

    @page("/withdraw", name="channel_web:ask_withdraw", permission=PUBLIC)
    def ask_withdraw(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _confirm(desk)

    @page("/review", name="channel_web:ask_review", permission=PUBLIC)
    def ask_review(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _confirm(desk)

    @action("/withdraw", name="channel_web:withdraw", permission=PUBLIC)
    def take_back(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext, case: Case) -> Message:
            withdraw(ctx.session, ctx.actor, case, _reason(data, N_("请写明撤回的理由")))
            return Message(N_("投诉已撤回"))

        return _done(desk, data, do, page_again=_confirm_page)

    @action("/review", name="channel_web:review", permission=PUBLIC)
    def review(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext, case: Case) -> Message:
            ask_review(ctx.session, ctx.actor, case, _reason(data, N_("请写明要求复核的理由")))
            return Message(N_("复核要求已送达"))

        return _done(desk, data, do, page_again=_confirm_page)

    @action("/leave", name="channel_web:leave", permission=PUBLIC)
    def leave(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        ctx = context_of(desk)
        visit, _ = _visited(desk, ctx)
        if visit is not None:
            check_form_token(visits.PURPOSE, visit.secret_hash, data)
            visits.leave(ctx, visit)
        answer = desk.redirect(home(desk, "/track"), Message(LEFT))
        return cookies.take(desk, answer, cookies.VISIT)


# -- one visit ---------------------------------------------------------------------------------


def _visited(desk: Desk, ctx: TenantContext) -> tuple[Visit | None, Case | None]:
    visit = visits.find(ctx, cookies.held(desk, cookies.VISIT))
    return visit, visits.case_of(ctx, visit) if visit else None


def _ended(desk: Desk) -> Response[Any]:
    answer = desk.redirect(home(desk, "/track"), Message(ENDED))
    return cookies.take(desk, answer, cookies.VISIT)


PageAgain = Callable[[Desk, TenantContext, Visit, Case, Form], Response[Any]]


def _done(
    desk: Desk,
    data: Mapping[str, Any],
    do: Callable[[TenantContext, Case], Message],
    *,
    page_again: PageAgain | None = None,
) -> Response[Any]:
    """Do something to the visited case; what cannot be taken is shown again with the reason."""
    ctx = context_of(desk)
    visit, case = _visited(desk, ctx)
    if visit is None or case is None:
        return _ended(desk)
    check_form_token(visits.PURPOSE, visit.secret_hash, data)
    try:
        with ctx.session.begin_nested():
            told = do(ctx, case)
    except NotFound:
        raise
    except HuiyinError as error:
        ctx.session.expire_all()  # what it became in between is what the page shows
        form = Form.failed(data, error, desk._)
        answer = (page_again or _case_page)(desk, ctx, visit, case, form)
        answer.status_code = error.status
        if isinstance(error, Throttled):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return desk.redirect(home(desk, "/track/case"), told)


def _reason(data: Mapping[str, Any], missing: str) -> str:
    reason = parse(ReasonForm, data).reason
    if not reason:
        raise Invalid({"reason": missing})
    return reason


def _uploads(data: Mapping[str, Any]) -> list[Upload]:
    given = data.get("files")
    items = given if isinstance(given, list) else [given]
    return [Upload(i.filename, i.file) for i in items if isinstance(i, UploadFile)]  # type: ignore[arg-type]


# -- pages -------------------------------------------------------------------------------------


def _case_page(
    desk: Desk, ctx: TenantContext, visit: Visit, case: Case, form: Form
) -> Response[Any]:
    seen = progress_of(ctx, case)
    visits.has_read(ctx, case, seen.last_seq)
    return show(
        desk, "case.html", case=case, seen=seen, form=form, routes=outside_routes(),
        cards=complainant_cards(desk, case),
        csrf_token=form_token(visits.PURPOSE, visit.secret_hash),
    )  # fmt: skip


def _confirm(desk: Desk) -> Response[Any]:
    ctx = context_of(desk)
    visit, case = _visited(desk, ctx)
    if visit is None or case is None:
        return _ended(desk)
    return _confirm_page(desk, ctx, visit, case, Form())


def _confirm_page(
    desk: Desk, ctx: TenantContext, visit: Visit, case: Case, form: Form
) -> Response[Any]:
    name = desk.request.url.path.rstrip("/").rpartition("/")[2]
    seen = progress_of(ctx, case)
    if not (seen.may_withdraw if name == "withdraw" else seen.may_ask_review):
        if form.summary:  # it could still be done when the reason was begun
            return _case_page(desk, ctx, visit, case, form)
        raise Conflict
    return show(
        desk, f"{name}.html", case=case, form=form,
        csrf_token=form_token(visits.PURPOSE, visit.secret_hash),
    )  # fmt: skip
