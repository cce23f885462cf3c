"""What returns by itself: silent talks end, undecided ones are filed, old ones are emptied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, exists, select, update

from huiyin.sdk import HuiyinError, TenantContext, holds_blobs
from huiyin_channel_chat import filing, talks
from huiyin_channel_chat.models import Conversation, Fate, Said, Side, State
from huiyin_channel_chat.settings import ChannelChatSettings
from huiyin_channel_chat.terms import KEPT_MONTHS

TEND: Final = "tend"
PURGE: Final = "purge"
FORGET: Final = "forget"
_AT_ONCE: Final = 50
_EMPTIED: Final = 500  # of an hour
_MONTH: Final = timedelta(days=31)


def tend(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """End what is silent, file what nobody has decided in time."""
    since = ctx.now() - timedelta(minutes=ctx.settings(ChannelChatSettings).silent_minutes)
    asleep = select(Conversation).where(
        Conversation.state != State.CLOSED.value, Conversation.last_at <= since
    )
    for conversation in ctx.session.scalars(asleep.order_by(Conversation.id).limit(_AT_ONCE)).all():
        with _alone(ctx, conversation):
            talks.lock(ctx, conversation)
            if conversation.last_at <= since:  # nobody wrote at the last moment
                filing.close(ctx, conversation, Side.HOUSE)
    waiting = select(Conversation).where(Conversation.fate == Fate.UNDECIDED.value)
    oldest = waiting.order_by(Conversation.closed_at, Conversation.id).limit(_AT_ONCE)
    for conversation in ctx.session.scalars(oldest).all():
        if filing.due(conversation) <= ctx.now():
            with _alone(ctx, conversation):
                filing.file_overdue(ctx, conversation)


@contextmanager
def _alone(ctx: TenantContext, conversation: Conversation) -> Iterator[None]:
    """One that is refused holds up no other, and is tried again next time."""
    key = conversation.id
    try:
        with ctx.session.begin_nested():
            yield
    except HuiyinError as error:
        ctx.log.warning("talk %s stays as it is: %s", key, error.code)


def purge(ctx: TenantContext, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a job's signature
    """Empty what is past its time: the words live on in the case, or are gone.

    The row stays, with times and the rating, so that figures of the past do not change.
    """
    ended = ctx.now() - KEPT_MONTHS * _MONTH
    past = (
        select(Conversation)
        .where(
            Conversation.closed_at <= ended, Conversation.emptied_at.is_(None),
            Conversation.fate != Fate.UNDECIDED.value,
        )
        .order_by(Conversation.closed_at, Conversation.id)
        .limit(_EMPTIED)
    )  # fmt: skip
    for conversation in ctx.session.scalars(past).all():
        _empty(ctx, conversation)


def _empty(ctx: TenantContext, conversation: Conversation) -> None:
    mine = Said.conversation_id == conversation.id
    keys = ctx.session.scalars(select(Said.blob_key).where(mine, Said.blob_key != "")).all()
    ctx.session.execute(
        update(Said)
        .where(mine)
        .values(body="", params={}, author_name="", file_name="", blob_key="")
        .execution_options(synchronize_session=False)
    )
    conversation.name = conversation.phone = conversation.email = ""
    conversation.rating_words = conversation.fate_reason = ""
    conversation.offer, conversation.emptied_at = {}, ctx.now()
    if keys:
        ctx.enqueue(FORGET, {"keys": list(keys)})


def forget(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """Delete bytes that no message names any more."""
    for key in payload["keys"]:
        if not ctx.session.scalar(select(exists().where(Said.blob_key == key))):
            ctx.blobs.delete(key)


@holds_blobs
def _held() -> Select[str, str]:
    return select(Said.blob_key, Said.file_sha256).where(Said.blob_key != "")
