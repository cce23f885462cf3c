"""The staff's pages: the queue, one talk, and the answers written once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    Message,
    NotFound,
    TenantContext,
    UploadData,
    action,
    context_of,
    mask_email,
    mask_name,
    mask_phone,
    or_again,
    page,
    parse,
    uuid7,
)
from huiyin_channel_chat import answers, attachments, filing, forms, health, hours, staffing, talks
from huiyin_channel_chat.doors import SHOWN
from huiyin_channel_chat.models import STATE_TITLES, Conversation, Side
from huiyin_channel_chat.terms import BODY_LIMIT, LONGEST, RATINGS, SEE, TALK, TOPICS

TOLD: Final = {
    "take": N_("已接入"), "transfer": N_("已转交"), "offer": N_("已发给访客核对"),
    "convert": N_("已登记为投诉"), "join": N_("已归入案件"), "nothing": N_("已判定不需登记"),
    "end": N_("对话已结束"),
}  # fmt: skip


def _home(desk: Desk, path: str = "") -> str:
    return f"/t/{desk.tenant.slug}/w/x/channel-chat{path}"


class TransferForm(msgspec.Struct, frozen=True, kw_only=True):
    to: Annotated[str, msgspec.Meta(max_length=40)] = ""


class JoinForm(msgspec.Struct, frozen=True, kw_only=True):
    number: Annotated[str, msgspec.Meta(max_length=40)] = ""


class NothingForm(msgspec.Struct, frozen=True, kw_only=True):
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class QueueController(Controller):
    @page("/", name="channel_chat:queue", permission=SEE)
    def queue(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        asked = desk.request.query_params.get("tab", "open")
        tab = asked if asked in staffing.TABS else "open"
        rows, more = staffing.listed(ctx, tab, desk.request.query_params.get("after", ""))
        mine = hours.presence_of(ctx, ctx.actor)
        return desk.page(
            "channel_chat/queue.html", block="list", tab=tab, tabs=staffing.TABS, rows=rows,
            more=f"?tab={tab}&after={more.replace('+', '%2B')}" if more else "", topics=TOPICS,
            states=STATE_TITLES, counts=staffing.counts(ctx), door=hours.now_of(ctx),
            available=hours.is_available(ctx, mine), checks=health.health(ctx), due=filing.due,
            mask_name=mask_name,
        )  # fmt: skip

    @action("/presence", name="channel_chat:presence", permission=TALK)
    def presence(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        hours.set_presence(context_of(desk), available=data.get("state") == "available")
        return desk.redirect(_home(desk, "/"))


class TalkController(Controller):
    path = "/talks/{talk_id:uuid}"

    @page("/", name="channel_chat:talk", permission=SEE)
    def show(self, desk: NamedDependency[Desk], talk_id: FromPath[uuid.UUID]) -> Response[Any]:
        return _talk_page(desk, talk_id)

    @action("/", name="channel_chat:do", permission=TALK)
    def do(
        self, desk: NamedDependency[Desk], talk_id: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx, asked = context_of(desk), str(data.get("act", ""))
            verb = VERBS.get(asked)
            if verb is None:
                raise NotFound
            verb(ctx, staffing.find(ctx, talk_id), data)
            hours.still_there(ctx)
            told = Message(TOLD[asked]) if asked in TOLD else ""
            return desk.redirect(_home(desk, f"/talks/{talk_id}"), told)

        def again(form: Form, status: int) -> Response[Any]:
            return _talk_page(desk, talk_id, form, status)

        return or_again(desk, data, act, again)

    @action("/files", name="channel_chat:staff_send_file", permission=TALK, limit=BODY_LIMIT)
    def send_file(
        self, desk: NamedDependency[Desk], talk_id: FromPath[uuid.UUID], data: UploadData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            conversation = staffing.find(ctx, talk_id)
            talks.must_be_mine(ctx, conversation)
            file = attachments.chosen(data)
            attachments.send(ctx, conversation, Side.STAFF, str(data.get("id", "")), file)
            return desk.redirect(_home(desk, f"/talks/{talk_id}"))

        def again(form: Form, status: int) -> Response[Any]:
            return _talk_page(desk, talk_id, form, status)

        return or_again(desk, {}, act, again)

    @page("/files/{said_id:uuid}", name="channel_chat:staff_file", permission=SEE)
    def file(
        self, desk: NamedDependency[Desk], talk_id: FromPath[uuid.UUID],
        said_id: FromPath[uuid.UUID],
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        said = talks.message_of(ctx, staffing.find(ctx, talk_id), said_id)
        if said is None or not said.blob_key:
            raise NotFound
        with ctx.blobs.open(said.blob_key) as stream:
            return desk.file(stream.read(), said.file_name, "application/octet-stream")


# -- what an officer does ----------------------------------------------------------------------


def _say(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    body, client_id = str(data.get("body", "")), str(data.get("id", ""))
    if not body.strip() and data.get("canned"):  # chosen and sent without a script
        body = answers.body_of(ctx, str(data["canned"]))
    talks.say(ctx, conversation, Side.STAFF, client_id, body)


def _take(ctx: TenantContext, conversation: Conversation, _data: Mapping[str, Any]) -> None:
    staffing.take(ctx, conversation)


def _transfer(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    staffing.transfer(ctx, conversation, parse(TransferForm, forms.without(data)).to)


def _card(conversation: Conversation, data: Mapping[str, Any]) -> filing.Card:
    """The officer's words with the visitor's own contact, which is not on the page."""
    told = parse(filing.Card, forms.without(data, "name", "phone", "email"))
    contact = {n: getattr(conversation, n) for n in ("name", "phone", "email")}
    return msgspec.structs.replace(told, **contact)


def _offer(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    filing.offer(ctx, conversation, _card(conversation, data))


def _convert(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    filing.convert(ctx, conversation, _card(conversation, data), ctx.actor)


def _join(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    number = parse(JoinForm, forms.without(data)).number
    filing.join_by_number(ctx, conversation, number)


def _nothing(ctx: TenantContext, conversation: Conversation, data: Mapping[str, Any]) -> None:
    reason = parse(NothingForm, forms.without(data)).reason
    filing.decide_nothing(ctx, conversation, reason)


def _end(ctx: TenantContext, conversation: Conversation, _data: Mapping[str, Any]) -> None:
    filing.close(ctx, conversation, Side.STAFF)


Verb = Callable[[TenantContext, Conversation, Mapping[str, Any]], None]
VERBS: Final[Mapping[str, Verb]] = {
    "say": _say, "take": _take, "transfer": _transfer, "offer": _offer, "convert": _convert,
    "join": _join, "nothing": _nothing, "end": _end,
}  # fmt: skip


def _talk_page(
    desk: Desk, talk_id: uuid.UUID, form: Form | None = None, status: int = 200
) -> Response[Any]:
    ctx = context_of(desk)
    conversation = staffing.find(ctx, talk_id)
    asked = desk.request.query_params.get("before", "")
    until = int(asked) if asked.isdecimal() and len(asked) < 9 else conversation.last_seq + 1
    since = max(0, until - 1 - SHOWN)
    said = [s for s in talks.after(ctx, conversation, since, most=SHOWN) if s.seq < until]
    case = filing.case_of(ctx, conversation)
    mine = conversation.officer_id == ctx.actor.id
    card = filing.prefilled(ctx, conversation)
    return desk.page(
        "channel_chat/talk.html", status=status, form=form or Form(), conversation=conversation,
        log=[talks.frame_of(ctx, one, Side.STAFF) for one in said], mine=mine, case=case,
        earlier=since + 1 if since else 0, blank=Form(),
        alone=conversation.is_open and not mine and staffing.is_alone(ctx, conversation),
        card_form=Form(msgspec.structs.asdict(card)),
        candidates=filing.candidates(ctx, conversation), states=STATE_TITLES,
        topic=TOPICS[conversation.topic], client_id=uuid7().hex, longest=LONGEST,
        canned=answers.listed(ctx) if mine else (),
        people=staffing.with_presence(ctx, staffing.fit(ctx, conversation)) if mine else (),
        who={"name": mask_name(conversation.name), "phone": mask_phone(conversation.phone),
             "email": mask_email(conversation.email)},
        due=filing.due(conversation) if conversation.closed_at else None,
        may_talk=ctx.actor.can(TALK), may_rate=ctx.actor.can(RATINGS), here=_home(desk),
    )  # fmt: skip
