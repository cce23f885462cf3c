"""Unfinished complaints: begun, kept for a day, handed in, forgotten."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, BinaryIO, Final

from sqlalchemy import Select, delete, select

from huiyin.sdk import (
    N_,
    Case,
    Filed,
    Filing,
    Invalid,
    Message,
    NotFound,
    ScopedSession,
    TenantContext,
    TooLarge,
    Upload,
    add_files,
    clean_file_name,
    file_complaint,
    first_words,
    holds_blobs,
    is_program,
    public_topics,
    sealed,
    uuid7,
)
from huiyin_channel_web.models import Draft, DraftFile
from huiyin_channel_web.settings import ChannelWebSettings

CHANNEL: Final = "web"
RECEIPT: Final = timedelta(minutes=30)  # how long the receipt can be shown again
FORGET: Final = "forget"
_SEAL: Final = "channel_web.draft"
_HEAD: Final = 4096

TOO_BIG: Final = N_("文件「{name}」超过 {mb} MB，请压缩或分开上传")
TOO_MANY: Final = N_("最多 {n} 个文件，请先移除不需要的，或提交后再补充")
EMPTY: Final = N_("文件「{name}」是空的，请重新选择")
PROGRAM: Final = N_("「{name}」是程序或脚本，请换成文档、图片或录音")
NONE: Final = N_("请先选择文件，再点「上传」；没有材料可以直接继续")
LOST: Final = N_("文件「{name}」没有保存好，请移除后重新上传")


# -- keeping -----------------------------------------------------------------------------------


def find(ctx: TenantContext, secret: str, *, lock: bool = False) -> Draft | None:
    """The draft of this browser, if it is still kept."""
    if not secret:
        return None
    query = select(Draft).where(
        Draft.secret_hash == sealed(_SEAL, secret), Draft.expires_at > ctx.now()
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return ctx.session.scalar(query)


def begin(ctx: TenantContext) -> tuple[Draft, str]:
    """A new draft, and the secret for the browser."""
    secret = secrets.token_urlsafe(32)
    draft = Draft(id=uuid7(), secret_hash=sealed(_SEAL, secret), answers={}, case_id=None)
    _touch(ctx, draft)
    ctx.session.add(draft)
    ctx.session.flush()
    return draft, secret


def save(ctx: TenantContext, draft: Draft, step: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer to one question."""
    draft.answers = {**draft.answers, step: dict(answer)}
    _touch(ctx, draft)


def _touch(ctx: TenantContext, draft: Draft) -> None:
    days = ctx.settings(ChannelWebSettings).draft_days
    draft.saved_at = ctx.now()
    draft.expires_at = draft.saved_at + timedelta(days=days)


# -- files -------------------------------------------------------------------------------------


def files(session: ScopedSession, draft: Draft) -> Sequence[DraftFile]:
    return session.scalars(
        select(DraftFile).where(DraftFile.draft_id == draft.id).order_by(DraftFile.id)
    ).all()


def keep_file(ctx: TenantContext, draft: Draft, name: str, stream: BinaryIO) -> DraftFile:
    """Store one file; its bytes are durable when this returns.  Raises ``Invalid`` (``files``)."""
    limits = ctx.settings(ChannelWebSettings)
    if len(files(ctx.session, draft)) >= limits.max_files:
        raise Invalid({"files": Message(TOO_MANY, {"n": limits.max_files})})
    name = clean_file_name(name)
    head = stream.read(_HEAD)
    stream.seek(0)
    if not head:
        raise _wrong(EMPTY, name)
    if is_program(name, head):
        raise _wrong(PROGRAM, name)
    try:
        blob = ctx.blobs.put(ctx.session.tenant, stream, limits.max_mb * 1024 * 1024)
    except TooLarge:
        raise _wrong(TOO_BIG, name, mb=limits.max_mb) from None
    row = DraftFile(
        id=uuid7(), draft_id=draft.id, name=name, size=blob.size, sha256=blob.sha256,
        blob_key=blob.key,
    )  # fmt: skip
    ctx.session.add(row)
    _touch(ctx, draft)
    ctx.session.flush()
    return row


def _wrong(message: str, name: str, **params: object) -> Invalid:
    return Invalid({"files": Message(message, {"name": name, **params})})


def drop_file(ctx: TenantContext, draft: Draft, file_id: str) -> None:
    """Remove one file.  Raises ``NotFound`` for a file of another draft."""
    row = next((f for f in files(ctx.session, draft) if str(f.id) == file_id), None)
    if row is None:
        raise NotFound
    _forget_bytes(ctx, [row])
    ctx.session.delete(row)


def _forget_bytes(ctx: TenantContext, rows: Iterable[DraftFile]) -> None:
    """After the commit, not before: until then the rows may yet come back."""
    keys = [row.blob_key for row in rows]
    if keys:
        ctx.enqueue(FORGET, {"keys": keys})


@holds_blobs
def _held() -> Select[str, str]:
    return select(DraftFile.blob_key, DraftFile.sha256)


# -- filing ------------------------------------------------------------------------------------


def hand_in(ctx: TenantContext, draft: Draft, *, language: str) -> Filed:
    """Make a case of the draft, its files with it, in the transaction at hand.

    The same draft twice gives the same receipt.  The draft is emptied; it stays for as long as
    the receipt can be shown again.
    """
    filed = file_complaint(ctx.session, ctx.actor, filing_of(draft, language))
    kept = files(ctx.session, draft)
    if filed.fresh and kept:
        _attach(ctx, filed.number, kept)
    _forget_bytes(ctx, kept)
    for row in kept:
        ctx.session.delete(row)
    draft.answers, draft.case_id = {}, filed.case_id
    draft.saved_at = ctx.now()
    draft.expires_at = draft.saved_at + RECEIPT
    ctx.session.flush()
    return filed


def filing_of(draft: Draft, language: str) -> Filing:
    """What the answers say, as the platform takes it."""
    said = draft.answers
    contact = said["contact"]
    product = said.get("product", {})
    fund = product.get("fund", "")
    story = said["story"]["story"]
    topic = public_topics()[said["topic"]["topic"]]
    return Filing(
        channel=CHANNEL,
        idem_key=str(draft.id),
        title=f"{topic.title}：{first_words(story)}" if topic.code != "other" else "",
        story=story,
        wish=said.get("wish", {}).get("wish", ""),
        name=contact["name"],
        phone=contact["phone"],
        email=contact["email"],
        fund=product.get("product", ""),
        fund_id=uuid.UUID(fund) if fund not in {"", "unsure"} else None,
        language=language,
        anonymous=contact["who"] == "anonymous",
    )


def _attach(ctx: TenantContext, number: str, kept: Sequence[DraftFile]) -> None:
    opened: list[Upload] = []
    try:
        for row in kept:
            try:
                opened.append(Upload(row.name, ctx.blobs.open(row.blob_key)))
            except FileNotFoundError:
                raise _wrong(LOST, row.name) from None
        add_files(ctx.session, ctx.actor, number, opened)
    finally:
        for upload in opened:
            if not isinstance(upload.data, bytes):
                upload.data.close()


def receipt_case(ctx: TenantContext, draft: Draft) -> Case:
    """The case a filed draft became.  Raises ``NotFound`` for one not filed."""
    case = ctx.session.scalar(select(Case).where(Case.id == draft.case_id))
    if case is None:
        raise NotFound
    return case


# -- forgetting --------------------------------------------------------------------------------


def discard(ctx: TenantContext, draft: Draft) -> None:
    """The complainant thinks better of it: nothing stays."""
    _forget_bytes(ctx, files(ctx.session, draft))
    ctx.session.delete(draft)


def forget(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Delete bytes whose rows are gone."""
    for key in payload["keys"]:
        ctx.blobs.delete(key)


def sweep(ctx: TenantContext) -> int:
    """Remove drafts past their time and their files; answers how many drafts.

    Bytes go first: a row without bytes is found again by the next sweep, bytes without a row
    would be found by nobody.
    """
    late = select(Draft.id).where(Draft.expires_at <= ctx.now())
    rows = ctx.session.scalars(select(DraftFile).where(DraftFile.draft_id.in_(late))).all()
    for row in rows:
        ctx.blobs.delete(row.blob_key)
    gone = ctx.session.scalars(
        delete(Draft).where(Draft.expires_at <= ctx.now()).returning(Draft.id)
    ).all()
    return len(gone)
