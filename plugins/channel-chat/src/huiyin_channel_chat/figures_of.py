"""Numbers that other plugins may quote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    TenantContext,
    local,
)
from huiyin_channel_chat.models import Conversation
from huiyin_channel_chat.settings import ChannelChatSettings

_PATH: Final = "/w/x/channel-chat/talks/"


def _talks(ctx: TenantContext, period: Period, *more: Any) -> Sequence[Conversation]:
    query = select(Conversation).where(
        Conversation.first_word_at >= period.begin, Conversation.first_word_at < period.end, *more
    )
    return ctx.session.scalars(query.order_by(Conversation.first_word_at, Conversation.id)).all()


def _measured(rows: Sequence[tuple[Conversation, bool]]) -> Sequence[Measured]:
    proofs = tuple(
        Proof(
            Message(N_("对话 {when}"), {"when": f"{local(talk.began_at):%Y-%m-%d %H:%M}"}),
            f"{_PATH}{talk.id}", float(good),
        )
        for talk, good in rows
    )  # fmt: skip
    share = sum(good for _, good in rows) / len(rows) if rows else None
    return (Measured(share, len(rows), proofs=proofs),)


def first_answer(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    """Within the firm's own promise, of those begun in its hours."""
    within = timedelta(minutes=ctx.settings(ChannelChatSettings).answer_minutes)
    return _measured(
        [
            (talk, talk.first_answer_at is not None and talk.first_word_at is not None
             and talk.first_answer_at - talk.first_word_at <= within)
            for talk in _talks(ctx, period, Conversation.in_hours)
        ]
    )  # fmt: skip


def content(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    rated = _talks(ctx, period, Conversation.rating.is_not(None))
    return _measured([(talk, (talk.rating or 0) >= 4) for talk in rated])


FIGURES: Final = (
    Figure(
        name="channel_chat:first_answer", title=N_("在线对话按承诺首次回复"),
        definition=N_("服务时间内发起、访客有发言的对话中，首次回复不超过公司承诺分钟数的比例"),
        unit=FigureUnit.SHARE, nature=Nature.TIMELINESS, measure=first_answer,
    ),
    Figure(
        name="channel_chat:content", title=N_("在线对话满意"),
        definition=N_("访客作出评价的对话中，评 4 分或 5 分的比例"),
        unit=FigureUnit.SHARE, nature=Nature.RATING, measure=content,
    ),
)  # fmt: skip
