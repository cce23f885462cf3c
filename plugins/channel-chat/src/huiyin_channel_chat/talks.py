"""A talk: begun, said, read again.  Every message is numbered under the conversation's lock, so
that the order is one for everybody and a repeated message is known."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    Message,
    TenantContext,
    Throttled,
    clean,
    failpoint,
    local,
    sealed,
    uuid7,
)
from huiyin_channel_chat.hours import in_hours
from huiyin_channel_chat.models import Conversation, Said, Side, State
from huiyin_channel_chat.settings import ChannelChatSettings
from huiyin_channel_chat.terms import AFTER, GRAVE_WORDS, LONGEST, SEAL, TOPICS, WAY_BACK

_CLIENT: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_MINUTE: Final = timedelta(minutes=1)
ENDED: Final = N_("对话已经结束，可以重新发起")
EMPTY: Final = N_("请先输入要说的话")
TOO_LONG: Final = N_("一条消息最多 {n} 个字，请分几条发送")
LINES: Final = 2000  # of one talk: as much as a page, a transcript and a job can carry
FULL: Final = N_("这次对话已经很长，请结束后重新发起")
NOT_YOURS: Final = N_("请先接入，再发送消息")
NO_ID: Final = N_("请刷新页面后重新发送")
# What the house writes into a talk.
TOOK: Final = N_("{name} 已接入，为您服务")
PASSED: Final = N_("已转由 {name} 为您服务")
LEFT_ALONE: Final = N_("正在为您安排另一位工作人员")
CLOSED: Final = {
    Side.VISITOR: N_("您已结束对话"),
    Side.STAFF: N_("工作人员已结束对话"),
    Side.HOUSE: N_("较长时间没有新消息，对话已自动结束"),
}
FILED: Final = N_("已登记为正式投诉，编号 {number}")
JOINED: Final = N_("本次对话已归入投诉 {number}")
CASE_ENDED: Final = N_("投诉 {number} 已经结束，本次对话另行处理")
OFFERED: Final = N_("工作人员建议转为正式投诉，请核对下面的内容")


def topic_of(conversation: Conversation) -> str:
    """The topic of its bell."""
    return f"talk:{conversation.id.hex}"


def begin(
    ctx: TenantContext, *, topic: str, language: str, **contact: str
) -> tuple[Conversation, str]:
    """A new conversation, and the secret for the browser."""
    secret, moment = secrets.token_urlsafe(32), ctx.now()
    conversation = Conversation(
        id=uuid7(), secret_hash=sealed(SEAL, secret), topic=topic, language=language,
        began_at=moment, last_at=moment, last_seq=0, version=1, state=State.WAITING.value,
        fate="", in_hours=in_hours(ctx.settings(ChannelChatSettings), moment),
        last_side=Side.HOUSE.value, offer={}, handed_seq=0, **contact,
    )  # fmt: skip
    ctx.session.add(conversation)
    ctx.session.flush()
    ctx.ring("queue")
    return conversation, secret


def find(ctx: TenantContext, secret: str) -> Conversation | None:
    """The conversation of this browser, as long as it can be looked at."""
    if not secret:
        return None
    moment = ctx.now()
    found = ctx.session.scalar(
        select(Conversation).where(
            Conversation.secret_hash == sealed(SEAL, secret),
            Conversation.began_at > moment - WAY_BACK,
        )
    )
    if found is not None and found.closed_at is not None and found.closed_at <= moment - AFTER:
        return None
    return found


def lock(ctx: TenantContext, conversation: Conversation) -> Conversation:
    """The row as it stands now, held until the commit."""
    ctx.session.flush()
    ctx.session.refresh(conversation, with_for_update=True)
    return conversation


def say(
    ctx: TenantContext, conversation: Conversation, side: Side, client_id: str, body: str,
    **file: Any,
) -> Said:  # fmt: skip
    """Keep one message; the same ``client_id`` again answers the message it made.

    Raises ``Invalid`` (``body``), ``Conflict`` for a talk that has ended, and ``Throttled``.
    Acknowledge it after the commit.
    """
    if not _CLIENT.fullmatch(client_id):
        raise Invalid({"body": NO_ID})
    body = clean(body)
    if not body and not file:
        raise Invalid({"body": EMPTY})
    if len(body) > LONGEST:
        raise Invalid({"body": Message(TOO_LONG, {"n": LONGEST})})
    lock(ctx, conversation)
    if known := _known(ctx, conversation, side, client_id):
        return known
    if not conversation.is_open:
        raise Conflict(ENDED)
    if conversation.last_seq >= LINES:
        raise Conflict(FULL)
    if side is Side.STAFF:
        must_be_mine(ctx, conversation)
    else:
        _check_pace(ctx, conversation)
    said = _append(
        ctx, conversation, side, client_id, body=body,
        author_id=ctx.actor.id if side is Side.STAFF else None,
        author_name=ctx.actor.name if side is Side.STAFF else "", **file,
    )  # fmt: skip
    _remember_firsts(conversation, said)
    failpoint("chat.before_commit")
    return said


def must_be_mine(ctx: TenantContext, conversation: Conversation) -> None:
    """Raises ``Conflict`` for whoever does not answer in this talk."""
    if conversation.officer_id != ctx.actor.id:
        raise Conflict(NOT_YOURS)


def _known(
    ctx: TenantContext, conversation: Conversation, side: Side, client_id: str
) -> Said | None:
    return ctx.session.scalar(
        select(Said).where(
            Said.conversation_id == conversation.id, Said.side == side.value,
            Said.client_id == client_id,
        )
    )  # fmt: skip


def _check_pace(ctx: TenantContext, conversation: Conversation) -> None:
    recent = select(func.count()).select_from(Said).where(
        Said.conversation_id == conversation.id, Said.side == Side.VISITOR.value,
        Said.at > ctx.now() - _MINUTE,
    )  # fmt: skip
    if ctx.session.scalars(recent).one() >= ctx.settings(ChannelChatSettings).per_minute:
        raise Throttled(15)


def _remember_firsts(conversation: Conversation, said: Said) -> None:
    if said.side == Side.VISITOR and conversation.first_word_at is None:
        conversation.first_word_at = said.at
    elif said.side == Side.STAFF and conversation.first_word_at is not None:
        conversation.first_answer_at = conversation.first_answer_at or said.at


def note(ctx: TenantContext, conversation: Conversation, body: str, **params: str) -> Said:
    """A line that nobody said: what happened.  The caller holds the lock."""
    return _append(ctx, conversation, Side.HOUSE, uuid7().hex, body=body, params=params)


def _append(
    ctx: TenantContext, conversation: Conversation, side: Side, client_id: str, **more: Any
) -> Said:
    conversation.last_seq += 1
    conversation.last_at = ctx.now()
    if side is not Side.HOUSE:
        conversation.last_side = side.value
    said = Said(
        id=uuid7(), conversation_id=conversation.id, seq=conversation.last_seq, side=side.value,
        client_id=client_id, at=conversation.last_at, **more,
    )  # fmt: skip
    ctx.session.add(said)
    ctx.session.flush()
    ctx.ring(topic_of(conversation))
    ctx.ring("queue")
    return said


def changed(ctx: TenantContext, conversation: Conversation) -> None:
    """Something beside the log is different: pages that show it should look again."""
    conversation.version += 1
    ctx.session.flush()
    ctx.ring(topic_of(conversation))
    ctx.ring("queue")


def typing(ctx: TenantContext, conversation: Conversation, side: Side) -> None:
    """Somebody is writing.  It is told and not kept."""
    ctx.ring(f"typing:{conversation.id.hex}:{side.value}")


MOST: Final = 200


def after(
    ctx: TenantContext, conversation: Conversation, seq: int, *, most: int = MOST
) -> Sequence[Said]:
    """What came after ``seq``, in order; ask again while it is as much as ``most``."""
    return ctx.session.scalars(
        select(Said)
        .where(Said.conversation_id == conversation.id, Said.seq > seq)
        .order_by(Said.seq)
        .limit(most)
    ).all()


def everything(ctx: TenantContext, conversation: Conversation) -> Sequence[Said]:
    return ctx.session.scalars(
        select(Said).where(Said.conversation_id == conversation.id).order_by(Said.seq)
    ).all()


def message_of(ctx: TenantContext, conversation: Conversation, said_id: uuid.UUID) -> Said | None:
    return ctx.session.scalar(
        select(Said).where(Said.conversation_id == conversation.id, Said.id == said_id)
    )


def frame_of(ctx: TenantContext, said: Said, me: Side) -> Mapping[str, Any]:
    """A message as a line sends it; a script shows it as text and nothing else."""
    return {
        "type": "said",
        "seq": said.seq,
        "id": said.client_id if said.side == me else "",
        "side": "house" if said.side == Side.HOUSE else "me" if said.side == me else "other",
        "who": said.author_name,
        "at": f"{local(said.at):%H:%M}",
        "body": words_of(ctx, said),
        "file": {"id": str(said.id), "name": said.file_name, "size": said.file_size}
        if said.file_name else None,
    }  # fmt: skip


def words_of(ctx: TenantContext, said: Said) -> str:
    if said.side != Side.HOUSE or not said.body:
        return said.body
    return ctx.text(said.body, **said.params)


def visitors_words(ctx: TenantContext, conversation: Conversation) -> str:
    """What the visitor has written, one message a line."""
    words = select(Said.body).where(
        Said.conversation_id == conversation.id, Said.side == Side.VISITOR.value, Said.body != ""
    )
    return "\n".join(ctx.session.scalars(words.order_by(Said.seq)))


def is_grave(ctx: TenantContext, conversation: Conversation) -> bool:
    """Whether it is, or sounds like, a complaint: then it is not let go without a decision."""
    if TOPICS[conversation.topic].grave:
        return True
    words = visitors_words(ctx, conversation).lower()
    return any(grave in words for grave in GRAVE_WORDS)
