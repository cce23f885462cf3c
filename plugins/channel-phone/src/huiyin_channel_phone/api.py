"""For programs: a telephone system tells of calls; others ask who is on duty and what is owed."""

from __future__ import annotations

from typing import Any, BinaryIO, Final, cast

from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import RawBody

from huiyin.sdk import (
    N_,
    PUBLIC,
    Desk,
    Invalid,
    Throttle,
    UploadData,
    api,
    context_of,
    count_try,
)
from huiyin_channel_phone import backs, recordings, roster, webhook
from huiyin_channel_phone.errors import Unsigned
from huiyin_channel_phone.terms import DUTY, LOOK

SMALL: Final = 64 * 1024
BODY: Final = recordings.LIMIT + 1024 * 1024
WRONG: Final = Throttle("channel_phone.unsigned", 30, 15 * 60)  # firm, network


def _signed(desk: Desk, body: bytes) -> str:
    """The id of the call.  Wrong signatures are counted, so that nobody tries keys for ever."""
    try:
        return webhook.check(context_of(desk), desk.request.headers, body)
    except Unsigned:
        count_try(desk, WRONG)
        raise


def _signed_unread(desk: Desk) -> Response[Any] | None:
    """Refuse a recording by its headers, before its bytes are read."""
    _signed(desk, webhook.digest_of(desk.request.headers).encode())
    return None


class ApiController(Controller):
    @api("POST", "/calls", name="channel_phone:api_call", permission=PUBLIC, limit=SMALL)
    def call(self, desk: NamedDependency[Desk], body: RawBody) -> Response[Any]:
        """One finished call; the same again is answered the same."""
        call_id = _signed(desk, body)
        call, fresh = webhook.take(webhook.as_system(context_of(desk)), call_id, body)
        return desk.json({"id": call.id, "fresh": fresh}, status=201 if fresh else 200)

    @api(
        "POST", "/recordings", name="channel_phone:api_recording", permission=PUBLIC, limit=BODY,
        first=_signed_unread,
    )  # fmt: skip
    def recording(self, desk: NamedDependency[Desk], data: UploadData) -> Response[Any]:
        """The sound of a call that was told before: one file, in the field ``file``."""
        said = webhook.digest_of(desk.request.headers)
        call_id = _signed(desk, said.encode())
        file = data.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Invalid({"file": N_("请选择要上传的文件")})
        ctx = webhook.as_system(context_of(desk))
        stream = cast("BinaryIO", file.file)
        row = webhook.attach(ctx, call_id, file.filename, stream, said)
        return desk.json({"id": row.id, "sha256": row.sha256}, status=201)

    @api("GET", "/duty", name="channel_phone:api_duty", permission=DUTY)
    def duty(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Who answers now, post by post."""
        ctx = context_of(desk)
        shown = roster.today(ctx)
        return desk.json(
            {
                "duty": [
                    {"post": one.post.title, "line": one.post.line, "name": one.person.name,
                     "deputy": one.deputy, "until": one.until}
                    for one in shown.now(ctx.now())
                ],
                "posts": [{"post": p.title, "outside": p.outside} for p in shown.posts],
            }
        )  # fmt: skip

    @api("GET", "/call-backs", name="channel_phone:api_call_backs", permission=LOOK)
    def call_backs(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """What is owed, the nearest first; numbers are not told here."""
        ctx = context_of(desk)
        rows = backs.waiting(ctx, desk.request.query_params.get("after", ""))
        return desk.json(
            {
                "call_backs": [
                    {"id": r.id, "missed_at": r.missed_at, "missed": r.missed, "due_at": r.due_at,
                     "late": r.due_at < ctx.now(), "attempts": r.attempts}
                    for r in rows[: backs.SHOWN]
                ],
                "more": len(rows) > backs.SHOWN,
            }
        )  # fmt: skip
