"""The public pages: the full one, the frame for the firm's own site, and what loads it."""

from __future__ import annotations

import uuid
from importlib.resources import files
from typing import Any, Final

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    PUBLIC,
    Desk,
    Form,
    FormData,
    HuiyinError,
    Invalid,
    Message,
    NotFound,
    Throttled,
    UploadData,
    action,
    check_form_token,
    context_of,
    count_try,
    or_again,
    page,
)
from huiyin_channel_chat import attachments, doors, forms, talks, visiting
from huiyin_channel_chat.doors import Door
from huiyin_channel_chat.models import Side
from huiyin_channel_chat.terms import BODY_LIMIT, SEAL, UPLOADS

GONE: Final = N_("这次对话已经结束或已过期，请重新发起")
_EMBED: Final = (files("huiyin_channel_chat") / "static/channel_chat/embed.js").read_text("utf-8")


def _speaking(desk: Desk) -> Response[Any] | None:
    """Files are read only from a browser that holds a talk."""
    if talks.find(context_of(desk), doors.held(desk)) is None:
        return _refused(desk, NotFound())
    return None


class ChatController(Controller):
    path = "/chat"

    @page("/", name="channel_chat:chat", permission=PUBLIC)
    def chat(self, desk: NamedDependency[Desk]) -> Response[Any]:
        door = Door.at(desk, framed=False)
        if desk.request.query_params.get("new"):
            return door.page(None)
        return door.page(door.conversation())

    @action("/", name="channel_chat:act", permission=PUBLIC)
    def act(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        return _act(Door.at(desk, framed=False), data)

    @page("/frame", name="channel_chat:frame", permission=PUBLIC)
    def frame(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return Door.at(desk, framed=True).page(None)

    @action("/frame", name="channel_chat:act_framed", permission=PUBLIC)
    def act_framed(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        return _act(Door.at(desk, framed=True, data=data), data)

    @action(
        "/files", name="channel_chat:send_file", permission=PUBLIC, limit=BODY_LIMIT,
        first=_speaking,
    )  # fmt: skip
    def send_file(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        ctx, door = context_of(desk), Door.at(desk, framed=False)
        conversation = door.conversation()
        if conversation is None:
            return _refused(desk, NotFound())
        by_script = doors.TOKEN in desk.request.headers

        def act() -> Response[Any]:
            if not by_script:
                check_form_token(SEAL, conversation.secret_hash, data)
            count_try(desk, UPLOADS)
            file = attachments.chosen(data)
            attachments.send(ctx, conversation, Side.VISITOR, str(data.get("id", "")), file)
            return desk.json({"ok": True}) if by_script else door.done(conversation)

        def again(form: Form, status: int) -> Response[Any]:
            return door.page(door.conversation(), form, status)

        if not by_script:
            return or_again(desk, forms.shown(data), act, again)
        try:
            with ctx.session.begin_nested():
                return act()
        except HuiyinError as error:
            return _refused(desk, error)

    @page("/files/{said_id:uuid}", name="channel_chat:file", permission=PUBLIC)
    def file(self, desk: NamedDependency[Desk], said_id: FromPath[uuid.UUID]) -> Response[Any]:
        ctx = context_of(desk)
        conversation = talks.find(ctx, doors.held(desk))
        said = talks.message_of(ctx, conversation, said_id) if conversation else None
        if said is None or not said.blob_key:
            raise NotFound
        with ctx.blobs.open(said.blob_key) as stream:
            return desk.file(stream.read(), said.file_name, "application/octet-stream")

    @page("/embed.js", name="channel_chat:embed", permission=PUBLIC)
    def embed(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """The one line of the firm's site loads this; it makes a button and a frame of our page."""
        words = {
            "frame": f"/p/{desk.tenant.slug}/chat/frame",
            "open": desk._(N_("打开在线客服")),
            "close": desk._(N_("收起在线客服")),
        }
        told = msgspec.json.encode(words).decode().replace("</", "<\\/")
        # Made to be loaded by other sites; nothing of anybody is in it.
        headers = {"Cross-Origin-Resource-Policy": "cross-origin"}
        script = _EMBED.replace("__WORDS__", told)
        return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)


def _act(door: Door, data: dict[str, Any]) -> Response[Any]:
    """Any form of the page."""
    asked = str(data.get("act", ""))
    if asked == "begin":
        return _begin(door, data)
    conversation = door.conversation()
    if conversation is None:
        form, status = Form(summary=door.desk._(Message(GONE))), 409
        if asked == "resume":  # a script found an old token; nobody did anything wrong
            form, status = Form(), 200
        return door.page(None, form, status)
    if asked == "resume":
        return door.page(conversation)

    def act() -> Response[Any]:
        door.check(conversation, data)
        visiting.do(door.ctx, conversation, data)
        return door.done(conversation)

    def again(form: Form, status: int) -> Response[Any]:
        return door.page(door.conversation(), form, status)

    return or_again(door.desk, forms.shown(data), act, again)


def _begin(door: Door, data: dict[str, Any]) -> Response[Any]:
    def act() -> Response[Any]:
        conversation, secret = visiting.begin(door.desk, door.ctx, data)
        return door.done(conversation, secret)

    def again(form: Form, status: int) -> Response[Any]:
        return door.page(None, form, status)

    return or_again(door.desk, forms.shown(data), act, again)


def _refused(desk: Desk, error: HuiyinError) -> Response[Any]:
    """A refusal for a script: what to show beside the field."""
    fields = error.fields if isinstance(error, Invalid) else {}
    text = next(iter(fields.values()), error.message)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled) else {}
    return desk.json({"code": error.code, "message": desk._(text)}, error.status, **headers)
