"""The sound of a call: kept with its hash, and evidence once the call belongs to a case."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from sqlalchemy import Select, exists, or_, select

from huiyin.sdk import (
    N_,
    Case,
    Conflict,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    TooLarge,
    Upload,
    add_files,
    clean_file_name,
    holds_blobs,
    is_program,
    media_type_of,
    read_file,
    uuid7,
)
from huiyin_channel_phone import queries
from huiyin_channel_phone.models import Call, ImportRun, Recording

LIMIT: Final = 30 * 1024 * 1024
MOST: Final = 10  # of one call
FORGET: Final = "forget"
AUDIO: Final = frozenset({"audio/wav", "audio/mpeg", "audio/mp4", "audio/amr"})
PLAYED: Final = AUDIO - {"audio/amr"}  # by browsers
_HEAD: Final = 4096
_RANGE: Final = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")
NOT_SOUND: Final = N_("只接收 WAV、MP3、M4A 或 AMR 录音，请转换后上传")
TOO_BIG: Final = N_("录音超过 30 MB，请压缩或分段上传")


def add(
    ctx: TenantContext, call: Call, name: str, stream: BinaryIO, *, source: str, consent: str
) -> Recording:
    """Keep a recording of a call.  The same sound twice is one.

    Raises ``Invalid`` (``file``) for what is no sound, is too large or one too many.
    """
    name = clean_file_name(name)
    kind = _kind(name, stream)
    sha256 = digest(stream)
    known = ctx.session.scalars(select(Recording).where(Recording.call_id == call.id)).all()
    same = next((one for one in known if one.sha256 == sha256), None)
    if same is not None:
        return same
    if len(known) >= MOST:
        raise Invalid({"file": N_("一通电话最多 10 段录音")})
    row = Recording(
        id=uuid7(), call_id=call.id, file_name=name, media_type=kind, size=0, sha256=sha256,
        source=source, consent=consent, by=ctx.actor.id, at=ctx.now(),
    )  # fmt: skip
    number = _open_number(ctx, call)
    if number:
        _as_evidence(ctx, row, number, stream)
    else:
        _as_blob(ctx, row, stream)
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record(
        "recording_added", row.id,
        {"call": call.id, "sha256": sha256, "size": row.size, "evidence": row.evidence_id},
        {"name": name, "consent": consent},
    )  # fmt: skip
    return row


def _kind(name: str, stream: BinaryIO) -> str:
    stream.seek(0)
    head = stream.read(_HEAD)
    kind = media_type_of(name, head)
    if is_program(name, head) or kind not in AUDIO:
        raise Invalid({"file": NOT_SOUND})
    return kind


def digest(stream: BinaryIO) -> str:
    """The SHA-256 of what is not too large; the stream is at its beginning again."""
    stream.seek(0)
    made, size = hashlib.sha256(), 0
    while piece := stream.read(1 << 20):
        size += len(piece)
        if size > LIMIT:
            raise Invalid({"file": TOO_BIG})
        made.update(piece)
    stream.seek(0)
    return made.hexdigest()


def _open_number(ctx: TenantContext, call: Call) -> str:
    """The number of the call's case, if evidence can still be added to it."""
    if call.case_id is None:
        return ""
    case = ctx.session.scalar(select(Case).where(Case.id == call.case_id))
    return case.number if case is not None and case.is_open else ""


def _as_evidence(ctx: TenantContext, row: Recording, number: str, stream: BinaryIO) -> None:
    note = ctx.text(N_("通话录音。{consent}"), consent=row.consent)
    try:
        (file,) = add_files(
            ctx.session, ctx.actor, number, [Upload(row.file_name, stream)], note=note
        )
    except Invalid as fault:
        raise Invalid({"file": next(iter(fault.fields.values()))}) from None
    if file.sha256 != row.sha256:
        raise Conflict(N_("录音在上传途中变了，请重新上传"))
    row.evidence_id, row.size, row.blob_key = file.id, file.size, ""


def _as_blob(ctx: TenantContext, row: Recording, stream: BinaryIO) -> None:
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, LIMIT)
    except TooLarge:
        raise Invalid({"file": TOO_BIG}) from None
    row.blob_key, row.size = blob.key, blob.size


def adopt(ctx: TenantContext, call: Call) -> None:
    """The call may belong to a case now, and so do its recordings if the case takes evidence."""
    number = _open_number(ctx, call)
    if not number:
        return
    held = ctx.session.scalars(
        select(Recording).where(Recording.call_id == call.id, Recording.blob_key != "")
    ).all()
    if not held:
        return
    keys = [row.blob_key for row in held]
    for row in held:
        with ctx.blobs.open(row.blob_key) as stream:
            _as_evidence(ctx, row, number, stream)
    ctx.session.flush()
    ctx.enqueue(FORGET, {"keys": keys})


@holds_blobs
def _held() -> Select[str, str]:
    return select(Recording.blob_key, Recording.sha256)


def forget(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Delete the bytes that no recording and no import names any longer."""
    for key in payload["keys"]:
        named = or_(
            exists().where(Recording.blob_key == key), exists().where(ImportRun.blob_key == key)
        )
        if not ctx.session.scalar(select(named)):
            ctx.blobs.delete(key)


# -- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording to be sent; ``part`` is first and last byte when only a piece was asked for."""

    row: Recording
    content: bytes
    part: tuple[int, int] | None


def read(ctx: TenantContext, call: Call, key: uuid.UUID, asked: str = "") -> Sound:
    """The bytes, or the piece that a player asks for.  That it was heard is written down.

    Raises ``NotFound`` alike for one that is not there and one that is not for this reader.
    """
    row = ctx.session.scalar(
        select(Recording).where(Recording.id == key, Recording.call_id == call.id)
    )
    if row is None:
        raise NotFound
    if row.evidence_id is not None:
        number = queries.number_of(ctx, call)
        _, stream = read_file(ctx.session, ctx.actor, number, row.evidence_id)
    else:
        try:
            stream = ctx.blobs.open(row.blob_key)
        except FileNotFoundError:
            raise NotFound from None
        ctx.record("recording_read", row.id, {"call": call.id, "sha256": row.sha256})
    with stream:
        content = stream.read()
    part = span(asked, len(content))
    if part is not None:
        content = content[part[0] : part[1] + 1]
    return Sound(row, content, part)


def span(asked: str, size: int) -> tuple[int, int] | None:
    """The piece of ``Range: bytes=0-``; ``None`` for the whole, also when it asks for nonsense."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if first >= size or last < first:
        return None
    return first, min(last, size - 1)


def notice(told: bool) -> Message:
    """What is noted with a recording of a call about which the form said so, or did not."""
    return Message(N_("已告知录音") if told else N_("未记录是否告知录音"))
