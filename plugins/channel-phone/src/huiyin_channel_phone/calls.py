"""Writing a call down: begun with the number, kept while talking, and then sorted.

A form sent twice is one call.  Nothing joins a case unless the officer says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Case,
    Conflict,
    Entry,
    Filing,
    Invalid,
    Message,
    NotFound,
    TenantContext,
    clean,
    file_complaint,
    find_case,
    local,
    log_call,
    mask_phone,
    tracking_code,
    uuid7,
)
from huiyin_channel_phone import backs, numbers, queries, recordings
from huiyin_channel_phone.errors import NO_CASE, SHUT, WITHHELD, Stale
from huiyin_channel_phone.models import Call, Draft
from huiyin_channel_phone.schemas import BeginForm, CallForm
from huiyin_channel_phone.terms import CHANNEL, DIRECTION_TITLES, Direction, Sort, Source, State

OLDEST: Final = timedelta(days=30)
SAME: Final = timedelta(hours=2)  # a later call of the number is another call
TELLING: Final = timedelta(minutes=30)
_LONGEST: Final = 10_000
KEPT_FIELDS: Final = (
    "number", "started_at", "minutes", "told", "name", "email", "fund_id", "story", "wish",
    "answer", "to", "case_number", "record",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """What the form became; ``code`` is the tracking code of a new complaint."""

    call: Call
    number: str = ""
    code: str = ""


# -- drafts ------------------------------------------------------------------------------------


def begin(ctx: TenantContext, form: BeginForm) -> Draft:
    """A form for a number; one that is open for it already goes on."""
    number = numbers.normal(form.number)
    chosen: dict[str, Any] = {}
    if form.case:  # the number too: a try that reaches nobody is noted on the case as well
        case = _open_case(ctx, form.case, "case")
        chosen = {"to": f"case:{case.number}", "case_number": case.number}
    known = _again(ctx, number, form)
    if known is not None:
        known.values = {**known.values, **chosen}
        return known
    return _new(ctx, form.direction, number, {"told": "", **chosen})


def _new(
    ctx: TenantContext, direction: str, number: str, values: dict[str, Any],
    record: Call | None = None,
) -> Draft:  # fmt: skip
    moment = ctx.now()
    draft = Draft(
        id=uuid7(), account_id=ctx.actor.id, direction=direction, number=number,
        call_id=record.id if record else None, values=values,
        started_at=record.started_at if record else moment, updated_at=moment,
    )  # fmt: skip
    ctx.session.add(draft)
    ctx.session.flush()
    return draft


def _again(ctx: TenantContext, number: str, form: BeginForm) -> Draft | None:
    if not number:
        return None
    return ctx.session.scalar(
        select(Draft)
        .where(
            Draft.account_id == ctx.actor.id, Draft.number == number, Draft.call_id.is_(None),
            Draft.direction == form.direction, Draft.updated_at > ctx.now() - SAME,
        )
        .order_by(Draft.updated_at.desc())
        .limit(1)
        .with_for_update()
    )  # fmt: skip


def complete(ctx: TenantContext, call: Call) -> Draft:
    """A form for a call that the telephone system told of."""
    if call.sort != Sort.UNSORTED.value:
        raise Conflict(N_("这通电话已经登记，请刷新页面查看"))
    known = ctx.session.scalar(
        select(Draft).where(Draft.call_id == call.id, Draft.account_id == ctx.actor.id)
    )
    if known is not None:
        return known
    minutes = str(-(-call.seconds // 60)) if call.seconds else ""
    return _new(ctx, call.direction, call.number, {"minutes": minutes}, call)


def keep(ctx: TenantContext, draft: Draft, data: Mapping[str, Any]) -> None:
    """Keep what was typed so far, as it is: it need not be right yet."""
    draft.values = {
        name: clean(text)[:_LONGEST]
        for name in KEPT_FIELDS
        if isinstance(text := data.get(name), str) and text
    }
    draft.updated_at = ctx.now()
    with suppress(Invalid):  # a number half typed is none yet
        draft.number = numbers.normal(draft.values.get("number", ""))
    ctx.session.flush()


def release(ctx: TenantContext, draft: Draft) -> None:
    """Somebody else wrote the record down meanwhile: what was typed here can be a call of its own,
    or be thrown away."""
    if draft.call_id is None:
        return
    left = select(Call.id).where(Call.id == draft.call_id, Call.sort == Sort.UNSORTED.value)
    if ctx.session.scalar(left) is None:
        draft.call_id = None
        ctx.session.flush()


def discard(ctx: TenantContext, draft: Draft) -> None:
    ctx.session.delete(draft)
    ctx.session.flush()


def of_draft(ctx: TenantContext, key: uuid.UUID) -> Call:
    """The call a draft has become.  Raises ``NotFound``."""
    call = ctx.session.scalar(
        select(Call).where(
            Call.draft_id == key, Call.account_id == ctx.actor.id, queries.visible(ctx.actor)
        )
    )
    if call is None:
        raise NotFound
    return call


# -- saving ------------------------------------------------------------------------------------


def save(ctx: TenantContext, draft: Draft, form: CallForm) -> Saved:
    """One call with all that follows from it.  Raises ``Invalid`` with what must be mended."""
    number = numbers.normal(form.number)
    started = _when(ctx, draft, form)
    _check(form, draft, number)
    call = _row(ctx, draft, form, number)
    if call.source == Source.FORM.value:
        call.number, call.started_at = number, started
    elif not call.number:  # what the telephone system measured stays
        call.number = number
    elif form.to != "new" and number not in {"", call.number}:
        raise Invalid({"number": N_("电话系统记录的是另一个号码；联系号码请写进通话内容")})
    _fill(call, draft, form)
    call.account_id, call.logged_at = ctx.actor.id, ctx.now()
    saved = _sorted(ctx, call, draft, form, number or call.number)
    ctx.session.add(call)
    ctx.session.delete(draft)
    ctx.session.flush()
    recordings.adopt(ctx, call)
    if call.source == Source.FORM.value or call.state == State.ANSWERED.value:
        backs.heard(ctx, call)
    ctx.record(
        "call_logged", call.id,
        {"sort": call.sort, "direction": call.direction, "state": call.state,
         "case": call.case_id, "told": call.told, "started_at": call.started_at.isoformat()},
        {"number": call.number, "story": call.story, "answer": call.answer},
    )  # fmt: skip
    return saved


def _when(ctx: TenantContext, draft: Draft, form: CallForm) -> datetime:
    moment = ctx.now()
    if form.started_at is None:
        return draft.started_at
    # The form knows minutes: the one of the beginning is the beginning.
    if local(form.started_at).replace(tzinfo=None) == local(draft.started_at).replace(
        second=0, microsecond=0, tzinfo=None
    ):
        return draft.started_at
    if form.started_at > moment:
        raise Invalid({"started_at": N_("通话时间不能晚于现在")})
    if form.started_at < moment - OLDEST:
        told = N_("通话已超过 30 天，请从「登记投诉」补登并写明原因")
        raise Invalid({"started_at": told})
    return form.started_at


def _check(form: CallForm, draft: Draft, number: str) -> None:
    """What each way of ending needs."""
    errors: dict[str, Message | str] = {}
    if form.to == "unreached":
        if draft.direction != Direction.OUT.value or draft.call_id is not None:
            errors["to"] = N_("只有拨出的电话可以登记为未接通")
    elif len(form.story) < (10 if form.to == "new" else 2):
        errors["story"] = (
            N_("请写明事情经过，至少 10 个字") if form.to == "new" else N_("请写明通话内容")
        )
    if form.to == "enquiry" and len(form.answer) < 2:
        errors["answer"] = N_("请写明当场怎样答复；没有答复的，请登记为投诉或归入案件")
    if form.to == "new" and not (number or form.email):
        errors["number"] = N_("登记投诉须有号码或邮箱，以便告知处理进展")
    if form.to == "case" and not form.case_number:
        errors["case_number"] = N_("请填写案件编号")
    if errors:
        raise Invalid(errors)


def _row(ctx: TenantContext, draft: Draft, form: CallForm, number: str) -> Call:
    """The record of the telephone system that this completes, or a new one."""
    key = draft.call_id or form.record
    if key is None:
        return Call(
            id=uuid7(), source=Source.FORM.value, direction=draft.direction,
            state=State.ANSWERED.value, draft_id=draft.id, rev=1,
        )  # fmt: skip
    call = queries.find(ctx, key, lock=True)
    other = draft.call_id is None and call.number != number
    if call.sort != Sort.UNSORTED.value or call.direction != draft.direction or other:
        raise Conflict(N_("这条电话系统记录刚被其他人登记，请重新选择"))
    call.draft_id, call.rev = draft.id, call.rev + 1
    return call


def _fill(call: Call, draft: Draft, form: CallForm) -> None:
    call.name, call.story, call.answer = form.name, form.story, form.answer
    call.fund_id, call.told = form.fund_id, form.told
    if call.source == Source.FORM.value:
        call.seconds = form.minutes * 60
    if form.to == "unreached":
        call.state, call.seconds = State.UNREACHED.value, 0
    call.direction = draft.direction


def _sorted(ctx: TenantContext, call: Call, draft: Draft, form: CallForm, phone: str) -> Saved:
    if form.to == "new":
        return _file(ctx, call, draft, form, phone)
    number = form.to.partition(":")[2] or form.case_number
    if form.to.startswith("case") or (form.to == "unreached" and number):
        case = _open_case(ctx, number, "case_number")
        log_call(
            ctx.session, ctx.actor, case.number, _words(ctx, call),
            reached=call.state == State.ANSWERED.value,
        )  # fmt: skip
        call.sort, call.case_id = Sort.CASE.value, case.id
        return Saved(call, case.number)
    call.sort = Sort.NOTHING.value if form.to == "unreached" else Sort.ENQUIRY.value
    return Saved(call)


def _file(ctx: TenantContext, call: Call, draft: Draft, form: CallForm, phone: str) -> Saved:
    """On behalf of whoever called, dated when they called; ``phone`` is where they are reached."""
    if form.fund_id and str(form.fund_id) not in dict(queries.funds(ctx)):
        raise Invalid({"fund_id": N_("请从给出的选项中选择")})
    filed = file_complaint(
        ctx.session, ctx.actor,
        Filing(
            channel=CHANNEL, idem_key=f"call:{draft.id}", story=form.story, wish=form.wish,
            name=form.name, phone=phone, email=form.email or "", fund_id=form.fund_id,
            received_at=call.started_at, language=ctx.tenant.language,
        ),
    )  # fmt: skip
    call.sort, call.case_id = Sort.COMPLAINT.value, filed.case_id
    return Saved(call, filed.number, filed.code)


def _open_case(ctx: TenantContext, number: str, field: str) -> Case:
    """The case of that number.  One behind a wall is one that is not there."""
    try:
        case = find_case(ctx.session, ctx.actor, number.strip().upper())
    except NotFound:
        raise Invalid({field: NO_CASE}) from None
    if not case.is_open:
        raise Invalid({field: SHUT})
    return case


def _words(ctx: TenantContext, call: Call) -> str:
    """What stands on the timeline: from whom and when, what was said, what was answered."""
    _ = ctx.text
    who = mask_phone(call.number) if call.number else _(WITHHELD)
    head = f"{_(DIRECTION_TITLES[call.direction])} {who}，{local(call.started_at):%m-%d %H:%M}"
    if call.state == State.UNREACHED.value:
        head = f"{head}，{_(N_('未接通'))}"
    told = [head, call.story]
    if call.answer:
        told.append(_(N_("答复：{text}"), text=call.answer))
    return "\n".join(part for part in told if part)


def set_aside(ctx: TenantContext, call: Call, reason: str, rev: int) -> None:
    """A call of the telephone system that needs no entry, and why."""
    if call.sort != Sort.UNSORTED.value:
        raise Conflict(N_("这通电话已经登记，请刷新页面查看"))
    if call.rev != rev:
        raise Stale
    call.sort, call.answer, call.rev = Sort.NOTHING.value, reason, call.rev + 1
    call.account_id = ctx.actor.id
    ctx.session.flush()
    ctx.record("call_set_aside", call.id, {"version": call.rev}, {"reason": reason})


def code_of(ctx: TenantContext, call: Call) -> str:
    """The tracking code of the complaint that was filed with this call, for whoever filed it, to
    be read out; it is the complainant's, and is not shown again later."""
    if call.sort != Sort.COMPLAINT.value or call.case_id is None:
        return ""
    filed = select(Entry.id).where(
        Entry.case_id == call.case_id, Entry.verb == "file", Entry.author_id == ctx.actor.id,
        Entry.at >= ctx.now() - TELLING,
    )  # fmt: skip
    if ctx.session.scalar(filed.limit(1)) is None:
        return ""
    code = tracking_code(ctx.session.tenant, call.case_id)
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
