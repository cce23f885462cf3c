"""Files in a talk, both ways: the platform's rules for what may be kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from litestar.datastructures import UploadFile
from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    TenantContext,
    TooLarge,
    clean_file_name,
    is_program,
)
from huiyin_channel_chat import talks
from huiyin_channel_chat.models import Conversation, Said, Side
from huiyin_channel_chat.terms import FILE_LIMIT, FILES

_HEAD: Final = 4096
EMPTY: Final = N_("文件「{name}」是空的，请重新选择")
PROGRAM: Final = N_("「{name}」是程序或脚本，请换成文档、图片或录音")
TOO_BIG: Final = N_("文件「{name}」超过 30 MB，请压缩或分开发送")
TOO_MANY: Final = N_("一次对话最多发送 {n} 个文件")
NONE: Final = N_("请先选择文件")


def chosen(data: dict[str, Any]) -> UploadFile:
    """The file of a form.  Raises ``Invalid`` (``file``)."""
    given = data.get("file")
    item = given[-1] if isinstance(given, list) and given else given
    if not isinstance(item, UploadFile) or not item.filename:
        raise Invalid({"file": NONE})
    return item


def send(
    ctx: TenantContext, conversation: Conversation, side: Side, client_id: str, file: UploadFile
) -> Said:
    """Keep one file and the message that carries it; its bytes are durable when this returns.

    Raises ``Invalid`` (``file``), and what ``talks.say`` raises; then nothing is kept.
    """
    name, stream = clean_file_name(file.filename), file.file
    head = stream.read(_HEAD)
    stream.seek(0)
    if not head:
        raise _wrong(EMPTY, name)
    if is_program(name, head):
        raise _wrong(PROGRAM, name)
    talks.lock(ctx, conversation)
    if not conversation.is_open:
        raise Conflict(talks.ENDED)
    _check_number(ctx, conversation, side)
    with _kept(ctx, stream, name) as blob:  # type: ignore[arg-type]
        said = talks.say(
            ctx, conversation, side, client_id, "", file_name=name, file_size=blob.size,
            file_sha256=blob.sha256, blob_key=blob.key,
        )  # fmt: skip
        if said.blob_key != blob.key:  # it was here before
            ctx.blobs.delete(blob.key)
        return said


@contextmanager
def _kept(ctx: TenantContext, stream: BinaryIO, name: str) -> Iterator[Any]:
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, FILE_LIMIT)
    except TooLarge:
        raise _wrong(TOO_BIG, name) from None
    try:
        yield blob
    except BaseException:
        ctx.blobs.delete(blob.key)
        raise


def _wrong(message: str, name: str) -> Invalid:
    return Invalid({"file": Message(message, {"name": name})})


def _check_number(ctx: TenantContext, conversation: Conversation, side: Side) -> None:
    sent = select(func.count()).select_from(Said).where(
        Said.conversation_id == conversation.id, Said.side == side.value, Said.file_name != ""
    )  # fmt: skip
    if ctx.session.scalars(sent).one() >= FILES:
        raise Invalid({"file": Message(TOO_MANY, {"n": FILES})})
