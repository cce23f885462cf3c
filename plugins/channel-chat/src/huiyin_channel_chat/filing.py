"""From a talk to a case: a formal complaint of its own, or part of one there is.

Nothing that sounds like a complaint is let go: what nobody has decided is filed by itself within a
working day, as other arrivals are.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import func, or_, select

from huiyin.sdk import (
    N_,
    Actor,
    BlobStore,
    Case,
    CaseState,
    Conflict,
    Filed,
    Filing,
    IntakeType,
    Invalid,
    Investor,
    NotFound,
    Retry,
    TenantContext,
    Upload,
    add_files,
    add_workdays,
    at_local,
    by_code,
    complainant_actor,
    file_complaint,
    find_case,
    first_words,
    local,
    local_date,
    say,
    system_actor,
    tracking_code,
    visible_cases,
)
from huiyin_channel_chat import staffing, talks, transcript
from huiyin_channel_chat.models import Conversation, Fate, Said, Side, State
from huiyin_channel_chat.terms import CHANNEL

HAND_OVER: Final = "hand_over"
STORY: Final = 10_000
CANDIDATES: Final = 5
_AT_ONCE: Final = 10
_A_MOMENT: Final = 5  # seconds
NOT_FOUND: Final = N_("没有找到对应的投诉，请核对编号和查询码")
SUMMARY: Final = N_("请写明投诉的经过")
WORDS: Final = N_("（访客没有留下文字，见对话记录）")
DONE: Final = N_("这次对话已有去向，请刷新后查看")
NOT_OPEN: Final = N_("这件投诉已经结束，请登记为新投诉")
REASON: Final = N_("请写明为什么不需要登记")
OVERDUE: Final = N_("超过一个工作日未判定，自动登记")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The card 转为正式投诉, as it is shown and sent."""

    story: Annotated[str, msgspec.Meta(max_length=STORY, title=N_("投诉经过"))] = ""
    wish: Annotated[str, msgspec.Meta(max_length=2_000, title=N_("希望怎样解决"))] = ""
    fund: Annotated[str, msgspec.Meta(max_length=200, title=N_("涉及产品"))] = ""
    name: Annotated[str, msgspec.Meta(max_length=200, title=N_("姓名"))] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40, title=N_("手机号"))] = ""
    email: Annotated[str, msgspec.Meta(max_length=200, title=N_("邮箱"))] = ""


def prefilled(ctx: TenantContext, conversation: Conversation) -> Card:
    """What the talk says so far, to be mended before it is sent."""
    offer = conversation.offer
    return Card(
        story=offer.get("story") or talks.visitors_words(ctx, conversation)[:STORY],
        wish=offer.get("wish", ""), fund=offer.get("fund", ""), name=conversation.name,
        phone=conversation.phone, email=conversation.email,
    )  # fmt: skip


def offer(ctx: TenantContext, conversation: Conversation, card: Card) -> None:
    """An officer proposes a formal complaint; the visitor mends and sends it."""
    talks.lock(ctx, conversation)
    talks.must_be_mine(ctx, conversation)
    _must_be_undecided(conversation)
    if not card.story:
        raise Invalid({"story": SUMMARY})
    conversation.offer = {"story": card.story, "wish": card.wish, "fund": card.fund}
    talks.note(ctx, conversation, talks.OFFERED)
    talks.changed(ctx, conversation)


def _must_be_undecided(conversation: Conversation) -> None:
    if conversation.case_id is not None:
        raise Conflict(DONE)


# -- a case of its own -------------------------------------------------------------------------


def convert(
    ctx: TenantContext, conversation: Conversation, card: Card, actor: Actor, *,
    intake_type: IntakeType = IntakeType.COMPLAINT,
) -> Filed:  # fmt: skip
    """File it as of the visitor's first message, with the whole talk.

    The same talk twice gives the same receipt.  Raises ``Invalid`` and ``Conflict``.
    """
    talks.lock(ctx, conversation)
    _must_be_undecided(conversation)
    if not card.story:
        raise Invalid({"story": SUMMARY})
    conversation.name, conversation.phone, conversation.email = (
        card.name[:200], card.phone[:200], card.email[:200],
    )  # fmt: skip
    filed = file_complaint(ctx.session, actor, _filing(conversation, card, intake_type))
    _settle(ctx, conversation, filed.case_id, Fate.FILED, actor)
    talks.note(ctx, conversation, talks.FILED, number=filed.number)
    ask_hand_over(ctx, conversation)
    talks.changed(ctx, conversation)
    _enter(ctx, conversation, filed.number)
    return filed


def _filing(conversation: Conversation, card: Card, intake_type: IntakeType) -> Filing:
    return Filing(
        channel=CHANNEL, idem_key=str(conversation.id), story=card.story, wish=card.wish,
        title=first_words(card.story), name=card.name, phone=card.phone, email=card.email,
        fund=card.fund, language=conversation.language,
        anonymous=not (card.phone or card.email), intake_type=intake_type,
        received_at=conversation.first_word_at or conversation.began_at,
    )  # fmt: skip


def receipt(ctx: TenantContext, conversation: Conversation) -> tuple[str, str]:
    """Number and code, for whoever holds the talk that was filed; the number alone else."""
    case = case_of(ctx, conversation)
    if case is None:
        return "", ""
    filed = conversation.fate == Fate.FILED
    return case.number, tracking_code(case.tenant_id, case.id) if filed else ""


def case_of(ctx: TenantContext, conversation: Conversation) -> Case | None:
    if conversation.case_id is None:
        return None
    return ctx.session.get(Case, (ctx.session.tenant, conversation.case_id))


def _settle(
    ctx: TenantContext, conversation: Conversation, case_id: Any, fate: Fate, actor: Actor
) -> None:
    conversation.case_id, conversation.fate = case_id, fate.value
    conversation.fate_name = actor.name if actor.is_person else ""
    case = ctx.session.get_one(Case, (ctx.session.tenant, case_id))
    staffing.release_from_walled(ctx, conversation, case)


def _enter(ctx: TenantContext, conversation: Conversation, number: str) -> None:
    said = talks.everything(ctx, conversation)
    facts = {"case": number, "fate": conversation.fate, "messages": len(said)}
    ctx.record("settled", conversation.id, {**facts, "sha256": transcript.digest(ctx, said)})


# -- part of a case there is -------------------------------------------------------------------


def case_by_code(ctx: TenantContext, number: str, digits: str) -> Case:
    """The case of number and code, the same answer whatever of it is wrong."""
    try:
        return by_code(ctx.session, digits, number=number.strip().upper())
    except NotFound:
        raise Invalid({"code": NOT_FOUND}) from None


def hears(case: Case) -> bool:
    """Whether a word of the complainant still reaches somebody there."""
    return case.is_open or case.ended_by_firm


def join(ctx: TenantContext, conversation: Conversation, case: Case, actor: Actor) -> None:
    """The talk belongs to this case, by its code or by an officer's decision."""
    talks.lock(ctx, conversation)
    _must_be_undecided(conversation)
    _settle(ctx, conversation, case.id, Fate.JOINED, actor)
    talks.note(ctx, conversation, talks.JOINED, number=case.number)
    if not conversation.is_open:
        ask_hand_over(ctx, conversation)
    talks.changed(ctx, conversation)
    _enter(ctx, conversation, case.number)


def join_by_number(ctx: TenantContext, conversation: Conversation, number: str) -> None:
    """An officer's decision.  Raises ``Invalid`` (``number``)."""
    try:
        case = find_case(ctx.session, ctx.actor, number.strip().upper())
    except NotFound:
        raise Invalid({"number": N_("没有找到这件投诉，请核对案件编号")}) from None
    if not case.is_open:
        raise Conflict(NOT_OPEN)
    join(ctx, conversation, case, ctx.actor)


def candidates(ctx: TenantContext, conversation: Conversation) -> Sequence[Case]:
    """Open cases of somebody with this telephone or mail, as far as the reader may know of them."""
    known = []
    if conversation.phone:
        digits = func.regexp_replace(Investor.phone, "[^0-9]", "", "g")
        known.append(digits == re.sub(r"[^0-9]", "", conversation.phone))
    if conversation.email:
        known.append(func.lower(Investor.email) == conversation.email.lower())
    if not known or conversation.case_id is not None:
        return ()
    return ctx.session.scalars(
        select(Case)
        .join(Investor, Investor.id == Case.complainant_id)
        .where(or_(*known), Case.state == CaseState.OPEN.value, visible_cases(ctx.actor))
        .order_by(Case.received_at.desc(), Case.id.desc())
        .limit(CANDIDATES)
    ).all()


# -- the transcript ----------------------------------------------------------------------------


def ask_hand_over(ctx: TenantContext, conversation: Conversation) -> None:
    """A job, because the paper takes a while to be set; it runs if this transaction commits."""
    key = f"{conversation.id}:{conversation.last_seq}"
    ctx.enqueue(HAND_OVER, {"conversation": str(conversation.id)}, key=key)


def hand_over(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """What was said since the last time, and the files: into the evidence of the case, with an
    entry in its timeline; words said to a case there was stand there as a message too.

    Paper and files take their time, so the talk is locked only at the end: nobody who writes in
    it waits for them.  Raises ``Retry`` when another did the same meanwhile.
    """
    known = uuid.UUID(str(payload["conversation"]))
    conversation = ctx.session.get(Conversation, (ctx.session.tenant, known))
    case = case_of(ctx, conversation) if conversation else None
    if conversation is None or case is None:
        return
    handed = conversation.handed_seq
    said = [s for s in talks.everything(ctx, conversation) if s.seq > handed]
    if not any(s.side != Side.HOUSE for s in said):
        return
    if conversation.fate == Fate.JOINED or handed > 0:
        _speak(ctx, case, said)
    _hand_over_words(ctx, conversation, case, said)
    _hand_over_files(ctx, case, [s for s in said if s.file_name])
    talks.lock(ctx, conversation)
    if conversation.handed_seq != handed:
        raise Retry(_A_MOMENT)
    conversation.handed_seq = said[-1].seq


def _hand_over_words(
    ctx: TenantContext, conversation: Conversation, case: Case, said: Sequence[Said]
) -> None:
    note = ctx.text(
        N_("在线对话 {begin} 至 {end}，共 {n} 条"), n=len(said),
        begin=f"{local(said[0].at):%Y-%m-%d %H:%M}", end=f"{local(said[-1].at):%H:%M}",
    )  # fmt: skip
    _file(ctx, case, list(transcript.uploads(ctx, conversation, said)), note)


def _file(ctx: TenantContext, case: Case, files: Sequence[Upload], note: str) -> None:
    """Evidence; to a case that has ended meanwhile, as its correspondence."""
    system = system_actor(ctx.session.tenant)
    add_files(ctx.session, system, case.number, files, note=note, paper=not case.is_open)


def _speak(ctx: TenantContext, case: Case, said: Sequence[Said]) -> None:
    words = "\n".join(s.body for s in said if s.side == Side.VISITOR and s.body)[:STORY]
    if words and hears(case):
        say(ctx.session, complainant_actor(ctx.session.tenant), case, words, road=CHANNEL)


def _hand_over_files(ctx: TenantContext, case: Case, said: Sequence[Said]) -> None:
    blobs: BlobStore = ctx.blobs
    rest = iter(said)
    while some := list(islice(rest, _AT_ONCE)):
        opened = [Upload(s.file_name, blobs.open(s.blob_key)) for s in some]
        try:
            _file(ctx, case, opened, ctx.text(N_("在线对话中发送的文件")))
        finally:
            for upload in opened:
                if not isinstance(upload.data, bytes):
                    upload.data.close()


# -- the end -----------------------------------------------------------------------------------


def close(ctx: TenantContext, conversation: Conversation, by: Side) -> None:
    """End the talk.  What sounds like a complaint and has no case waits for a decision."""
    talks.lock(ctx, conversation)
    if not conversation.is_open:
        return
    if by is Side.STAFF:
        talks.must_be_mine(ctx, conversation)
    talks.note(ctx, conversation, talks.CLOSED[by])
    conversation.state, conversation.closed_by = State.CLOSED.value, by.value
    conversation.closed_at = ctx.now()
    case = case_of(ctx, conversation)
    if case is not None:
        ask_hand_over(ctx, conversation)
    elif conversation.first_word_at is not None and talks.is_grave(ctx, conversation):
        conversation.fate = Fate.UNDECIDED.value
    talks.changed(ctx, conversation)


def decide_nothing(ctx: TenantContext, conversation: Conversation, reason: str) -> None:
    """A person decides that it is no complaint, and says why."""
    talks.lock(ctx, conversation)
    if conversation.fate != Fate.UNDECIDED:
        raise Conflict(DONE)
    if not reason:
        raise Invalid({"reason": REASON})
    conversation.fate, conversation.fate_reason = Fate.NOTHING.value, reason
    conversation.fate_name = ctx.actor.name
    talks.changed(ctx, conversation)
    ctx.record("settled", conversation.id, {"fate": Fate.NOTHING.value}, {"reason": reason})


def due(conversation: Conversation) -> datetime:
    """When it is filed by itself: a working day after it ended, at the same time of day."""
    ended = conversation.closed_at or conversation.last_at
    here = local(ended)
    return at_local(add_workdays(local_date(ended), 1), here.hour, here.minute)


def file_overdue(ctx: TenantContext, conversation: Conversation) -> None:
    """Nobody has decided: it is registered, dated the first message."""
    card = prefilled(ctx, conversation)
    if not card.story:
        card = msgspec.structs.replace(card, story=ctx.text(WORDS))
    conversation.fate, conversation.fate_reason = Fate.OPEN.value, ctx.text(OVERDUE)
    convert(ctx, conversation, card, system_actor(ctx.session.tenant))
