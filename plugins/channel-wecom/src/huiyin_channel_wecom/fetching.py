"""Files of messages: fetched while the provider has them, checked, and kept with their hash."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import TenantContext, clean_file_name, is_program
from huiyin_channel_wecom import bundling, client, gathering, tokens
from huiyin_channel_wecom.client import Media, Trouble, Why
from huiyin_channel_wecom.models import Incoming
from huiyin_channel_wecom.roads import OVER, Account, account_of
from huiyin_channel_wecom.said import ENDINGS, Said, read

AGAIN: Final = timedelta(minutes=1)  # then two, four …
TRIES: Final = 6  # half an hour in all: no complaint waits longer for a picture
# What a message of a kind may bring, told by the first bytes.
_BEGINS: Final = {
    "image": (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"),
}
_REAL: Final = {b"\x89PNG": "png", b"GIF8": "gif", b"ID3": "mp3", b"\xff\xfb": "mp3"}


def fetch(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """The job: fetch one file, then hand the conversation in if that was what it waited for."""
    row = ctx.session.scalar(
        select(Incoming).where(Incoming.id == uuid.UUID(str(payload["message"])))
    )
    if row is None or row.file_state != "waiting":
        return
    said = read(row.source, row.raw)
    account = account_of(ctx, OVER[said.road]) if said else None
    if said is None or account is None:
        _refuse(row, "off")
    else:
        _fetched(ctx, row, said, account, int(payload.get("try", 1)))
    if row.file_state != "waiting":
        _wake(ctx, row)


def _fetched(ctx: TenantContext, row: Incoming, said: Said, account: Account, tried: int) -> None:
    try:
        media = _get(ctx, account, said.media_id)
    except Trouble as trouble:
        if trouble.why in {Why.BUSY, Why.UNSURE, Why.TOKEN} and tried < TRIES:
            due = ctx.now() + AGAIN * 2 ** (tried - 1)
            again = {"message": row.id, "try": tried + 1}
            ctx.enqueue(gathering.FETCH, again, key=f"{row.id}:{tried + 1}", due_at=due)
            return
        reasons = {Why.GONE: "gone", Why.REFUSED: "refused"}
        _refuse(row, reasons.get(trouble.why, "tried"))
    else:
        _check(ctx, row, said, media)


def _get(ctx: TenantContext, account: Account, media_id: str) -> Media:
    token = tokens.of(ctx, account)
    try:
        return client.get_media(account.road, token, media_id)
    except Trouble as trouble:
        if trouble.why is not Why.TOKEN:
            raise
    return client.get_media(account.road, tokens.another(ctx, account, token), media_id)


def _check(ctx: TenantContext, row: Incoming, said: Said, media: Media) -> None:
    """Only what it says to be; never what a machine would run."""
    head = media.data[:4096]
    ending = next((e for begins, e in _REAL.items() if head.startswith(begins)), "")
    name = bundling.file_name(
        row, said, said.file_name or (media.name if said.kind == "file" else ""),
        ending or ENDINGS[said.kind],
    )  # fmt: skip
    name = clean_file_name(name)
    wanted = _BEGINS.get(said.kind)
    film = said.kind in {"video", "shortvideo"} and head[4:8] != b"ftyp"
    if not head or film or (wanted and not head.startswith(wanted)):
        _refuse(row, "kind")
    elif is_program(name, head):
        _refuse(row, "program")
    else:
        blob = ctx.blobs.put(ctx.session.tenant, media.data, client.MEDIA)
        row.file_state, row.file_reason, row.file_name = "kept", "", name
        row.file_key, row.file_sha256, row.file_size = blob.key, blob.sha256, blob.size


def _refuse(row: Incoming, reason: str) -> None:
    row.file_state, row.file_reason = "refused", reason


def _wake(ctx: TenantContext, row: Incoming) -> None:
    if row.conversation_id is None:
        return
    ctx.session.flush()
    talk = gathering.find_conversation(ctx, row.conversation_id, lock=True)
    if talk is not None and talk.state == "open" and talk.ripe:
        ctx.enqueue(
            gathering.HAND, {"conversation": talk.id, "last": talk.last_id}, key=f"file:{row.id}"
        )
