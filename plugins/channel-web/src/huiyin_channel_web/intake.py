"""The public form: one question a page, a draft kept on the server, a receipt at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final

from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.sdk import (
    N_,
    PUBLIC,
    Desk,
    Form,
    FormData,
    Fund,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    Throttle,
    UploadData,
    action,
    context_of,
    count_try,
    local,
    outside_routes,
    page,
    parse,
    public_topics,
    told_dates,
    tracking_code,
)
from huiyin_channel_web import cookies, drafts
from huiyin_channel_web.models import Draft
from huiyin_channel_web.poster import pledges
from huiyin_channel_web.shared import home, settings_of, show
from huiyin_channel_web.steps import CheckForm, Step, beside, missing, steps_for
from huiyin_channel_web.words import FORCES, PROMISED

# Ten files of 30 MB and the form around them; each file is bounded by the firm's setting.
BODY: Final = 10 * 30 * 1024 * 1024 + 1024 * 1024
UPLOADS: Final = Throttle("channel_web.upload", 300, 15 * 60)  # firm and network
CONSENT: Final = N_("请勾选确认后再提交")
GONE: Final = N_("收据在提交后 30 分钟内可以再次查看。请凭查询码查询进度")
EXPIRED: Final = N_("没有找到填写中的内容，可能已过保留时间。已经提交的请凭查询码查询")
_TO_CHECK: Final = "?to=check"


class IntakeController(Controller):
    path = "/complain"

    @page("/", name="channel_web:complain", permission=PUBLIC)
    def complain(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.redirect(home(desk, "/complain/start"))

    @page("/start", name="channel_web:start", permission=PUBLIC)
    def start(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        draft = _open(desk, ctx)
        steps = steps_for(settings_of(ctx))
        first = (missing(steps, draft.answers) if draft else None) or steps[0]
        resume = first.name if draft and missing(steps, draft.answers) else "check"
        return show(desk, "start.html", draft=draft, resume=resume, first=first.name,
                    pledges=pledges())  # fmt: skip

    @action("/discard", name="channel_web:discard", permission=PUBLIC)
    def discard(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:  # noqa: ARG002 - read for its origin check
        ctx = context_of(desk)
        draft = _open(desk, ctx, lock=True)
        if draft is not None:
            drafts.discard(ctx, draft)
        answer = desk.redirect(home(desk, "/complain/start"), Message(N_("填写的内容已清除")))
        return cookies.take(desk, answer, cookies.DRAFT)

    # -- files ---------------------------------------------------------------------------------

    @page("/files", name="channel_web:files", permission=PUBLIC)
    def files(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return _files_page(desk, ctx, _open(desk, ctx), Form())

    @action("/files", name="channel_web:add_files", permission=PUBLIC, limit=BODY)
    def add_files(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        ctx = context_of(desk)
        sent = _uploads(data)
        going_on = data.get("do") == "next"
        if not sent and going_on:
            return desk.redirect(_after(desk, ctx, "files"))
        draft, secret = _open_or_begin(desk, ctx)
        answer = _keep(desk, ctx, draft, sent)
        if answer is None:
            onward = _after(desk, ctx, "files") if going_on else _here(desk, "files")
            answer = desk.redirect(onward)
        return _give(desk, ctx, answer, secret)

    @action("/files/remove", name="channel_web:remove_file", permission=PUBLIC)
    def remove_file(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        ctx = context_of(desk)
        draft = _open(desk, ctx, lock=True)
        if draft is None:
            raise NotFound
        drafts.drop_file(ctx, draft, str(data.get("file", "")))
        return desk.redirect(_here(desk, "files"), Message(N_("文件已移除")))

    # -- check and send ------------------------------------------------------------------------

    @page("/check", name="channel_web:check", permission=PUBLIC)
    def check(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        draft = _open(desk, ctx)
        return _unfinished(desk, ctx, draft) or _check_page(desk, ctx, draft, Form())

    @action("/check", name="channel_web:send", permission=PUBLIC)
    def send(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        ctx = context_of(desk)
        secret = cookies.held(desk, cookies.DRAFT)
        draft = drafts.find(ctx, secret, lock=True)
        if draft is None or draft.case_id is None:
            if back := _unfinished(desk, ctx, draft):
                return back
            assert draft is not None  # noqa: S101 - unfinished otherwise
            try:
                _agreed(data)
                with ctx.session.begin_nested():
                    drafts.hand_in(ctx, draft, language=desk.language)
            except Invalid as error:
                form = Form.failed(data, error, desk._)
                return _check_page(desk, ctx, draft, form, status=422)
        answer = desk.redirect(home(desk, "/complain/done"))
        seconds = int(drafts.RECEIPT.total_seconds())
        return cookies.give(desk, answer, cookies.DRAFT, secret, seconds=seconds)

    @page("/done", name="channel_web:done", permission=PUBLIC)
    def done(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        draft = drafts.find(ctx, cookies.held(desk, cookies.DRAFT))
        if draft is None or draft.case_id is None:
            return desk.redirect(home(desk, "/track"), Message(GONE))
        case = drafts.receipt_case(ctx, draft)
        told = [d for d in told_dates(ctx.session, case) if d.running and d.kind in PROMISED]
        return show(
            desk, "done.html", case=case, code=tracking_code(desk.tenant.id, case.id), told=told,
            promised=PROMISED, forces=FORCES, routes=outside_routes(), at=local(case.received_at),
        )  # fmt: skip

    # -- the other questions -------------------------------------------------------------------

    @page("/{step:str}", name="channel_web:question", permission=PUBLIC)
    def question(self, desk: NamedDependency[Desk], step: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        asked = _step(ctx, step)
        draft = _open(desk, ctx)
        known = draft.answers.get(asked.name, {}) if draft else {}
        return _question_page(desk, ctx, asked, Form(known))

    @action("/{step:str}", name="channel_web:answer", permission=PUBLIC)
    def answer(
        self, desk: NamedDependency[Desk], step: FromPath[str], data: FormData
    ) -> Response[Any]:
        ctx = context_of(desk)
        asked = _step(ctx, step)
        try:
            said = asked.read(data)
            _check_fund(ctx, said)
        except Invalid as error:
            return _question_page(desk, ctx, asked, Form.failed(data, error, desk._), status=422)
        draft, secret = _open_or_begin(desk, ctx)
        drafts.save(ctx, draft, asked.name, said)
        return _give(desk, ctx, desk.redirect(_after(desk, ctx, asked.name)), secret)


# -- drafts and their cookies ------------------------------------------------------------------


def _open(desk: Desk, ctx: TenantContext, *, lock: bool = False) -> Draft | None:
    """The draft in hand; one that has been filed is none any more."""
    draft = drafts.find(ctx, cookies.held(desk, cookies.DRAFT), lock=lock)
    return draft if draft is not None and draft.case_id is None else None


def _open_or_begin(desk: Desk, ctx: TenantContext) -> tuple[Draft, str]:
    draft = _open(desk, ctx, lock=True)
    if draft is not None:
        return draft, cookies.held(desk, cookies.DRAFT)
    return drafts.begin(ctx)


def _give(desk: Desk, ctx: TenantContext, answer: Response[Any], secret: str) -> Response[Any]:
    days = settings_of(ctx).draft_days
    return cookies.give(desk, answer, cookies.DRAFT, secret, seconds=days * 24 * 3600)


def _step(ctx: TenantContext, name: str) -> Step:
    """A question that this firm asks on a page of the common kind; raises ``NotFound``."""
    for step in steps_for(settings_of(ctx)):
        if step.name == name and step.shape is not None:
            return step
    raise NotFound


def _after(desk: Desk, ctx: TenantContext, step: str) -> str:
    """Back to the page of answers for those who came from there, else on to the next question."""
    onward = "check" if _mending(desk) else beside(steps_for(settings_of(ctx)), step)[1]
    return home(desk, f"/complain/{onward}")


def _here(desk: Desk, step: str) -> str:
    return home(desk, f"/complain/{step}") + (_TO_CHECK if _mending(desk) else "")


def _mending(desk: Desk) -> bool:
    """Whether this question was opened from the page of answers."""
    return desk.request.query_params.get("to") == "check"


def _unfinished(desk: Desk, ctx: TenantContext, draft: Draft | None) -> Response[Any] | None:
    if draft is None:
        return desk.redirect(home(desk, "/complain/start"), Message(EXPIRED))
    step = missing(steps_for(settings_of(ctx)), draft.answers)
    if step is None:
        return None
    words = Message(N_("提交前请先填写「{title}」"), {"title": Message(step.title)})
    return desk.redirect(home(desk, f"/complain/{step.name}{_TO_CHECK}"), words)


def _agreed(data: Mapping[str, Any]) -> None:
    if not parse(CheckForm, data).consent:
        raise Invalid({"consent": CONSENT})


def _check_fund(ctx: TenantContext, said: Mapping[str, Any]) -> None:
    fund = said.get("fund", "")
    if fund not in {"", "unsure"} and fund not in {str(f.id) for f in _funds(ctx)}:
        raise Invalid({"fund": N_("请从给出的产品中选择，不确定可以选最后一项")})


def _funds(ctx: TenantContext) -> Sequence[Fund]:
    """The products a firm lets strangers choose from."""
    query = select(Fund).where(Fund.listed).order_by(Fund.name).limit(200)
    return ctx.session.scalars(query).all()


# -- pages -------------------------------------------------------------------------------------


def _frame(desk: Desk, ctx: TenantContext, name: str) -> dict[str, Any]:
    """Where a question stands among the others, and where its answer leads back to."""
    steps = steps_for(settings_of(ctx))
    back = "check" if _mending(desk) else beside(steps, name)[0]
    return {
        "step": next(s for s in steps if s.name == name),
        "n": [s.name for s in steps].index(name) + 1,
        "total": len(steps),
        "back": home(desk, f"/complain/{back}"),
        "here": _here(desk, name),
        "query": _TO_CHECK if _mending(desk) else "",
    }


def _question_page(
    desk: Desk, ctx: TenantContext, step: Step, form: Form, *, status: int = 200
) -> Response[Any]:
    extra: dict[str, Any] = {}
    if step.name == "topic":
        extra["topics"] = list(public_topics().values())
    if step.name == "product":
        extra["funds"] = _funds(ctx)
    frame = _frame(desk, ctx, step.name)
    return show(desk, f"{step.name}.html", status=status, form=form, **frame, **extra)


def _files_page(
    desk: Desk, ctx: TenantContext, draft: Draft | None, form: Form, *, status: int = 200
) -> Response[Any]:
    kept = drafts.files(ctx.session, draft) if draft else ()
    return show(
        desk, "files.html", status=status, form=form, kept=kept, **_frame(desk, ctx, "files")
    )


def _check_page(
    desk: Desk, ctx: TenantContext, draft: Draft | None, form: Form, *, status: int = 200
) -> Response[Any]:
    assert draft is not None  # noqa: S101 - unfinished otherwise
    said = draft.answers
    fund_id = said.get("product", {}).get("fund", "")
    fund = next((f for f in _funds(ctx) if str(f.id) == fund_id), None)
    steps = steps_for(settings_of(ctx))
    return show(
        desk, "check.html", status=status, form=form, said=said, steps=steps,
        topic=public_topics()[said["topic"]["topic"]], fund=fund,
        kept=drafts.files(ctx.session, draft), back=home(desk, f"/complain/{steps[-1].name}"),
    )  # fmt: skip


# -- uploads -----------------------------------------------------------------------------------


def _uploads(data: Mapping[str, Any]) -> list[tuple[str, BinaryIO]]:
    """What was chosen; a browser sends an empty text for a field without a file."""
    given = data.get("files")
    items = given if isinstance(given, list) else [given]
    return [(i.filename, i.file) for i in items if isinstance(i, UploadFile)]  # type: ignore[misc]


def _keep(
    desk: Desk, ctx: TenantContext, draft: Draft, sent: Sequence[tuple[str, BinaryIO]]
) -> Response[Any] | None:
    """Keep what can be kept; the page with the reasons for the rest, or ``None``."""
    faults: list[str] = [] if sent else [desk._(drafts.NONE)]
    for name, stream in sent:
        count_try(desk, UPLOADS)
        try:
            drafts.keep_file(ctx, draft, name, stream)
        except Invalid as error:
            faults += [desk._(message) for message in error.fields.values()]
    if not faults:
        return None
    words = ("; " if desk.language == "en" else "；").join(dict.fromkeys(faults))
    return _files_page(desk, ctx, draft, Form(errors={"files": words}), status=422)
