"""What a visitor does: begins, says, hands in, files, ends and rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from huiyin.sdk import (
    N_,
    Conflict,
    Desk,
    Invalid,
    TenantContext,
    count_try,
    parse,
    take_back_try,
)
from huiyin_channel_chat import filing, forms, hours, talks
from huiyin_channel_chat.models import Conversation, Side
from huiyin_channel_chat.terms import BEGINNINGS, TOPICS, TRIES

RATED: Final = N_("已收到您的评价，谢谢")
NOT_YET: Final = N_("对话结束后再评价")


def begin(desk: Desk, ctx: TenantContext, data: Mapping[str, Any]) -> tuple[Conversation, str]:
    """Open a talk; out of hours what was written is filed at once, and the talk is over.

    A code is tried before anything is written, and counted whatever becomes of the request.
    """
    shut = hours.now_of(ctx).is_shut
    form = forms.read_begin(data, shut=shut)
    case = None
    if form.number:
        count_try(desk, TRIES)
        case = filing.case_by_code(ctx, form.number, form.digits)
        take_back_try(desk, TRIES)
    count_try(desk, BEGINNINGS)
    conversation, secret = talks.begin(
        ctx, topic=form.topic, language=desk.language, **form.contact
    )
    if case is not None and filing.hears(case):
        filing.join(ctx, conversation, case, ctx.actor)
    elif case is not None:  # its officer is done with it: nobody would read what is said there
        talks.note(ctx, conversation, talks.CASE_ENDED, number=case.number)
    if form.body:
        client_id = str(data.get("id", ""))
        talks.say(ctx, conversation, Side.VISITOR, client_id, form.body)
    if shut:
        _leave(ctx, conversation, form)
    return conversation, secret


def _leave(ctx: TenantContext, conversation: Conversation, form: forms.BeginForm) -> None:
    """Nobody is there: it becomes a case, or part of the one that the code named."""
    if conversation.case_id is None:
        card = filing.Card(story=form.body, **form.contact)
        kind = TOPICS[form.topic].intake_type
        filing.convert(ctx, conversation, card, ctx.actor, intake_type=kind)
    filing.close(ctx, conversation, Side.HOUSE)


def say(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    body, client_id = str(data.get("body", "")), str(data.get("id", ""))
    talks.say(ctx, conversation, Side.VISITOR, client_id, body)


def convert(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    filing.convert(ctx, conversation, forms.read_card(data), ctx.actor)


def end(ctx: TenantContext, conversation: Conversation) -> None:
    filing.close(ctx, conversation, Side.VISITOR)


def rate(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    """How it was, once; the words may be mended until the talk can no longer be looked at."""
    form = parse(forms.RateForm, forms.without(data))
    talks.lock(ctx, conversation)
    if conversation.is_open:
        raise Conflict(NOT_YET)
    conversation.rating, conversation.rating_words = form.rating, form.words
    conversation.rated_at = ctx.now()
    talks.changed(ctx, conversation)


ACTS: Final = {"say": say, "convert": convert, "rate": rate}


def do(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    """One form of the page.  Raises ``Invalid`` for what is none."""
    act = str(data.get("act", ""))
    if act == "end":
        end(ctx, conversation)
    elif act in ACTS:
        ACTS[act](ctx, conversation, data)
    else:
        raise Invalid({"": N_("请刷新页面后重新操作")})


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame of a visitor's line: who it is, and how much of the talk it has."""

    token: str = ""
    after: int = 0
    version: int = 0
