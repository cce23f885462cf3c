"""Calls: the number first, then what was said, and what became of it."""

from __future__ import annotations

import uuid
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    STAGE_TITLES,
    Conflict,
    Desk,
    Form,
    FormData,
    Invalid,
    Message,
    NotFound,
    Refused,
    TenantContext,
    UploadData,
    action,
    colleagues,
    context_of,
    defaults,
    find_case,
    local,
    page,
    parse,
)
from huiyin_channel_phone import calls, merging, queries, raising, recordings
from huiyin_channel_phone.models import Draft
from huiyin_channel_phone.schemas import (
    BeginForm,
    CallForm,
    JoinForm,
    RaiseForm,
    ReasonForm,
    RecordingForm,
)
from huiyin_channel_phone.settings import ChannelPhoneSettings
from huiyin_channel_phone.shared import attempt, home, mend, rev_of, show, upload_of, without_file
from huiyin_channel_phone.terms import HANDLE, LOOK, Source

BODY: Final = recordings.LIMIT + 1024 * 1024


class CallsController(Controller):
    path = "/calls"

    @page("/", name="channel_phone:calls", permission=LOOK)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx, asked = context_of(desk), desk.request.query_params
        view = asked.get("view", "all")
        view = view if view in queries.VIEWS else "all"
        rows = queries.listing(ctx, view, asked.get("after", ""))
        shown, more = rows[: queries.SHOWN], ""
        if len(rows) > queries.SHOWN:
            last = shown[-1][0]
            more = "?" + urlencode(
                {"view": view, "after": queries.key_of(last.started_at, last.id)}
            )
        return show(
            desk, "calls.html", rows=shown, view=view, more=more,
            people={p.id: p for p in colleagues(ctx.session, former=True)},
            drafts=queries.drafts(ctx), waiting=queries.unsorted(ctx),
        )  # fmt: skip

    @page("/new", name="channel_phone:call_new_page", permission=HANDLE)
    def new_page(self, desk: NamedDependency[Desk]) -> Response[Any]:
        asked = desk.request.query_params
        way = "out" if asked.get("direction") == "out" else "in"
        form = defaults(BeginForm, direction=way, case=asked.get("case", "")[:40])
        return show(desk, "call_new.html", form=form)

    @action("/new", name="channel_phone:call_new", permission=HANDLE)
    def new(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            return f"/calls/forms/{calls.begin(ctx, parse(BeginForm, data)).id}"

        return attempt(
            desk, data, do, "",
            lambda form, status: show(desk, "call_new.html", status=status, form=form),
        )  # fmt: skip

    @page("/forms/{key:uuid}", name="channel_phone:call_form", permission=HANDLE)
    def form_page(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        draft = queries.find_draft(ctx, key)
        if draft is None:
            return desk.redirect(home(desk, f"/calls/{calls.of_draft(ctx, key).id}"))
        return _form(desk, draft, _typed(draft), 200)

    @action("/forms/{key:uuid}/keep", name="channel_phone:call_keep", permission=HANDLE)
    def keep(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        """Keep what was typed so far; a script asks every few seconds, a button does too."""
        ctx = context_of(desk)
        draft = queries.find_draft(ctx, key, lock=True)
        if draft is None:
            return desk.redirect(home(desk, f"/calls/{calls.of_draft(ctx, key).id}"))
        calls.keep(ctx, draft, data)
        if desk.is_htmx:
            return show(desk, "_kept.html", at=draft.updated_at)
        return desk.redirect(home(desk, f"/calls/forms/{key}"), N_("草稿已保存"))

    @action("/forms/{key:uuid}/discard", name="channel_phone:call_discard", permission=HANDLE)
    def discard(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        draft = queries.find_draft(ctx, key, lock=True)
        if draft is not None:
            calls.discard(ctx, draft)
        return desk.redirect(home(desk, "/calls"), N_("草稿已删除"))

    @action("/forms/{key:uuid}", name="channel_phone:call_save", permission=HANDLE)
    def save(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        ctx = context_of(desk)
        draft = queries.find_draft(ctx, key, lock=True)
        if draft is None:  # sent twice: it is the same call
            return desk.redirect(home(desk, f"/calls/{calls.of_draft(ctx, key).id}"))
        try:
            saved = calls.save(ctx, draft, parse(CallForm, data))
        except (Invalid, Conflict, Refused) as error:
            return mend(desk, data, error, lambda form, status: _again(desk, key, form, status))
        said: str | Message = N_("通话已保存")
        if saved.code:
            filed = N_("已登记投诉 {number}，请把编号和查询码告知来电人")
            said = Message(filed, {"number": saved.number})
        return desk.redirect(home(desk, f"/calls/{saved.call.id}"), said)

    @page("/{key:uuid}", name="channel_phone:call", permission=LOOK)
    def one(self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID]) -> Response[Any]:
        return _call(desk, key, Form(), 200)

    @action("/{key:uuid}/complete", name="channel_phone:call_complete", permission=HANDLE)
    def complete(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID],
        data: FormData,
    ) -> Response[Any]:  # fmt: skip
        def do(ctx: TenantContext) -> str:
            return f"/calls/forms/{calls.complete(ctx, queries.find(ctx, key, lock=True)).id}"

        return attempt(desk, data, do, "", lambda form, status: _call(desk, key, form, status))

    @action("/{key:uuid}/aside", name="channel_phone:call_aside", permission=HANDLE)
    def aside(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            call = queries.find(ctx, key, lock=True)
            calls.set_aside(ctx, call, parse(ReasonForm, data).reason, rev_of(data))
            return f"/calls/{key}"

        return attempt(
            desk, data, do, N_("已标为无需登记"),
            lambda form, status: _call(desk, key, form, status),
        )  # fmt: skip

    @action("/{key:uuid}/raise", name="channel_phone:call_raise", permission=HANDLE)
    def raise_(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        """The enquiry was a complaint after all."""

        def do(ctx: TenantContext) -> str:
            call = queries.find(ctx, key, lock=True)
            raising.raise_enquiry(ctx, call, parse(RaiseForm, data), rev_of(data))
            return f"/calls/{key}"

        return attempt(
            desk, data, do, N_("已改登记为投诉，请把编号和查询码告知来电人"),
            lambda form, status: _call(desk, key, form, status),
        )  # fmt: skip

    @action("/{key:uuid}/join", name="channel_phone:call_join", permission=HANDLE)
    def join(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            chosen = parse(JoinForm, data).logged
            first, second = sorted((key, chosen))  # two at once lock in one order
            known = {one: queries.find(ctx, one, lock=True) for one in (first, second)}
            return f"/calls/{merging.join(ctx, known[key], known[chosen]).id}"

        return attempt(
            desk, data, do, N_("已合为一条"), lambda form, status: _call(desk, key, form, status)
        )

    @action(
        "/{key:uuid}/recordings", name="channel_phone:recording_add", permission=HANDLE, limit=BODY
    )
    def add_recording(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], data: UploadData
    ) -> Response[Any]:
        def do(ctx: TenantContext) -> str:
            call = queries.find(ctx, key, lock=True)
            form, file = parse(RecordingForm, without_file(data)), upload_of(data)
            if file is None:
                raise Invalid({"file": N_("请选择要上传的文件")})
            recordings.add(ctx, call, *file, source=Source.FORM.value, consent=form.consent)
            return f"/calls/{key}"

        return attempt(
            desk, without_file(data), do, N_("录音已保存"),
            lambda form, status: _call(desk, key, form, status),
        )  # fmt: skip

    @page("/{key:uuid}/recordings/{which:uuid}", name="channel_phone:recording", permission=LOOK)
    def recording(
        self, desk: NamedDependency[Desk], key: FromPath[uuid.UUID], which: FromPath[uuid.UUID]
    ) -> Response[Any]:
        """The sound, for the player of our own page and for keeping; a page of it there is none."""
        ctx = context_of(desk)
        asked = desk.request.headers.get("range", "")
        sound = recordings.read(ctx, queries.find(ctx, key), which, asked)
        answer = desk.file(sound.content, sound.row.file_name, sound.row.media_type)
        answer.headers["Accept-Ranges"] = "bytes"
        if sound.part is not None:
            first, last = sound.part
            answer.status_code = 206
            answer.headers["Content-Range"] = f"bytes {first}-{last}/{sound.row.size}"
        return answer


# -- pages -------------------------------------------------------------------------------------


def _typed(draft: Draft) -> Form:
    """The draft as it was typed, on top of what is known of the call."""
    known = defaults(CallForm, number=draft.number)
    values = {**known.values, "minutes": "", "started_at": _local(draft), **draft.values}
    return Form(values)


def _local(draft: Draft) -> str:
    return f"{local(draft.started_at):%Y-%m-%dT%H:%M}"


def _again(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    draft = queries.find_draft(ctx, key)
    if draft is None:
        return desk.redirect(home(desk, f"/calls/{calls.of_draft(ctx, key).id}"))
    calls.keep(ctx, draft, form.values)
    calls.release(ctx, draft)
    return _form(desk, draft, form, status)


def _form(desk: Desk, draft: Draft, form: Form, status: int) -> Response[Any]:
    ctx: TenantContext = context_of(desk)
    _check_choice(ctx, form)
    who = queries.caller(ctx, draft.number, draft.direction)
    return show(
        desk, "call_form.html", status=status, form=form, draft=draft, who=who,
        funds=queries.funds(ctx), stages=STAGE_TITLES,
        notice=ctx.settings(ChannelPhoneSettings).notice,
        latest=f"{local(ctx.now()):%Y-%m-%dT%H:%M}", ways=_ways(desk, draft),
    )  # fmt: skip


def _check_choice(ctx: TenantContext, form: Form) -> None:
    """A case chosen earlier that this person may no longer know of was never chosen."""
    way, _, number = str(form.get("to")).partition(":")
    if way == "case" and number:
        try:
            find_case(ctx.session, ctx.actor, number)
        except NotFound:
            form.values.pop("to")
            if form.get("case_number") == number:
                form.values.pop("case_number")


def _ways(desk: Desk, draft: Draft) -> list[tuple[str, str]]:
    """What a call may become, beside the open cases of the caller."""
    found = [("new", desk._(N_("登记为新投诉"))), ("enquiry", desk._(N_("咨询，已当场答复")))]
    if draft.direction == "out" and draft.call_id is None:
        found.append(("unreached", desk._(N_("没有打通"))))
    return found


def _call(desk: Desk, key: uuid.UUID, form: Form, status: int) -> Response[Any]:
    ctx = context_of(desk)
    call = queries.find(ctx, key)
    form.values.setdefault("story", call.story)
    return show(
        desk, "call.html", status=status, form=form, call=call,
        case_number=queries.number_of(ctx, call), code=calls.code_of(ctx, call),
        held=queries.recordings_of(ctx, [call]), played=recordings.PLAYED,
        people={p.id: p for p in colleagues(ctx.session, former=True)},
        noticed=recordings.notice(call.told), most=recordings.MOST,
        twins=merging.twins(ctx, call) if desk.actor.can(HANDLE) else (),
    )  # fmt: skip
