"""Call-backs: owed when a call was missed, settled by a call, chased when late.

Whatever tells of a call (the form, the telephone system, a file) comes through ``heard``; so it
does not matter which of two reports is the first to arrive.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select, tuple_

from huiyin.sdk import (
    N_,
    GiveUp,
    Mail,
    NotFound,
    TenantContext,
    Undeliverable,
    can_mail,
    mail_address,
    public_link,
    send_mail,
    uuid7,
)
from huiyin_channel_phone import promises, queries, roster
from huiyin_channel_phone.errors import AlreadyClosed, Stale
from huiyin_channel_phone.models import Call, CallBack
from huiyin_channel_phone.settings import ChannelPhoneSettings
from huiyin_channel_phone.terms import PATH, BackState, State

SHOWN: Final = 50
PIECE: Final = 200
TELL: Final = "tell"
_OPEN: Final = BackState.OPEN.value


# -- hearing of calls --------------------------------------------------------------------------


def heard(ctx: TenantContext, call: Call, *, owed: bool = True) -> CallBack | None:
    """Draw the consequence of a call: owe a call-back, count a try, or settle what was owed.

    Call it once for each call, after the call is in the database.
    """
    if not call.number:
        return None  # nobody can call back a number that was not shown
    match call.state:
        case State.MISSED.value:
            return _owe(ctx, call) if owed else None
        case State.UNREACHED.value:
            return _tried(ctx, call)
        case _:
            return _settle(ctx, call)


def _open_for(ctx: TenantContext, number: str) -> CallBack | None:
    return ctx.session.scalar(
        select(CallBack).where(CallBack.number == number, CallBack.state == _OPEN).with_for_update()
    )


def _owe(ctx: TenantContext, call: Call) -> CallBack:
    after = _first_talk(ctx, call)
    known = _open_for(ctx, call.number) if after is None else _settled_by(ctx, after)
    if known is not None:
        return _one_more(ctx, known, call)
    due_at, promise = promises.due(ctx, call.started_at)
    made = CallBack(
        id=uuid7(), call_id=call.id, number=call.number, line=call.line,
        missed_at=call.started_at, last_missed_at=call.started_at, due_at=due_at,
        promise=promise,
    )  # fmt: skip
    if after is not None:
        _close(made, after)
    ctx.session.add(made)
    ctx.session.flush()
    return made


def _one_more(ctx: TenantContext, known: CallBack, call: Call) -> CallBack:
    """Another missed call of the number; the promise runs from the first, told late or not."""
    known.missed += 1
    known.last_missed_at = max(known.last_missed_at, call.started_at)
    if call.started_at < known.missed_at:
        known.call_id, known.line, known.missed_at = call.id, call.line, call.started_at
        known.due_at, known.promise = promises.due(ctx, call.started_at)
    ctx.session.flush()
    return known


def _settled_by(ctx: TenantContext, talk: Call) -> CallBack | None:
    return ctx.session.scalar(
        select(CallBack)
        .where(CallBack.number == talk.number, CallBack.closing_call_id == talk.id)
        .order_by(CallBack.missed_at, CallBack.id)
        .limit(1)
        .with_for_update()
    )


def _first_talk(ctx: TenantContext, call: Call) -> Call | None:
    """A talk with that number after it was missed: its record may have come first."""
    return ctx.session.scalar(
        select(Call)
        .where(
            Call.number == call.number, Call.state == State.ANSWERED.value,
            Call.started_at >= call.started_at,
        )
        .order_by(Call.started_at, Call.id)
        .limit(1)
    )  # fmt: skip


def _settle(ctx: TenantContext, call: Call) -> CallBack | None:
    known = _open_for(ctx, call.number)
    if known is None or call.started_at < known.missed_at:
        return None
    since = _missed_since(ctx, known, call)
    if since:  # the talk is told of late, and was followed by calls that nobody took
        known.missed = max(1, known.missed - len(since))
        known.last_missed_at = _last_missed_before(ctx, known, call)
    _close(known, call)
    known.closed_by = ctx.actor.id
    ctx.session.flush()
    facts = {"call": call.id, "direction": call.direction, "in_time": bool(known.in_time)}
    ctx.record("call_back_done", known.id, facts)
    for missed in since:
        _owe(ctx, missed)
    return known


def _missed_since(ctx: TenantContext, back: CallBack, talk: Call) -> Sequence[Call]:
    """What was missed after the talk and counted to the same task until now."""
    if back.last_missed_at <= talk.started_at:
        return ()
    return ctx.session.scalars(
        select(Call)
        .where(
            Call.number == back.number, Call.state == State.MISSED.value,
            Call.started_at > talk.started_at, Call.started_at <= back.last_missed_at,
        )
        .order_by(Call.started_at, Call.id)
    ).all()  # fmt: skip


def _last_missed_before(ctx: TenantContext, back: CallBack, talk: Call) -> datetime:
    found = select(func.max(Call.started_at)).where(
        Call.number == back.number, Call.state == State.MISSED.value,
        Call.started_at.between(back.missed_at, talk.started_at),
    )  # fmt: skip
    return ctx.session.scalar(found) or back.missed_at


def _close(back: CallBack, call: Call) -> None:
    back.state, back.closing_call_id = BackState.DONE.value, call.id
    back.closed_at, back.closed_by = call.started_at, call.account_id
    back.rev = (back.rev or 0) + 1


def _tried(ctx: TenantContext, call: Call) -> CallBack | None:
    known = _open_for(ctx, call.number)
    if known is None or call.started_at < known.missed_at:
        return None
    known.attempts += 1
    known.attempted_at = call.started_at
    ctx.session.flush()
    return known


# -- by hand -----------------------------------------------------------------------------------


def visible(ctx: TenantContext) -> Any:
    """Never a call-back whose proof belongs to a case this person may not know of."""
    shown = select(Call.id).where(queries.visible(ctx.actor))
    return or_(CallBack.closing_call_id.is_(None), CallBack.closing_call_id.in_(shown))


def find(ctx: TenantContext, key: uuid.UUID, *, lock: bool = False) -> CallBack:
    if lock:  # judged afterwards: what settled it meanwhile is seen only by a later look
        ctx.session.execute(select(CallBack.id).where(CallBack.id == key).with_for_update())
    asked = select(CallBack).where(CallBack.id == key, visible(ctx))
    row = ctx.session.scalar(asked.execution_options(populate_existing=lock))
    if row is None:
        raise NotFound
    return row


def drop(ctx: TenantContext, back: CallBack, reason: str, rev: int) -> None:
    """Nobody will be called back, and why.  Raises ``AlreadyClosed`` or ``Stale``."""
    if back.state != _OPEN:
        raise AlreadyClosed
    if back.rev != rev:
        raise Stale
    back.state, back.reason = BackState.VOID.value, reason
    back.closed_at, back.closed_by, back.rev = ctx.now(), ctx.actor.id, back.rev + 1
    ctx.session.flush()
    ctx.record("call_back_dropped", back.id, {"version": back.rev}, {"reason": reason})


def waiting(ctx: TenantContext, after: str = "") -> Sequence[CallBack]:
    """What is owed, the nearest first; one more than is shown."""
    found = select(CallBack).where(CallBack.state == _OPEN)
    if key := queries.parse_key(after):
        found = found.where(tuple_(CallBack.due_at, CallBack.id) > key)
    found = found.order_by(CallBack.due_at, CallBack.id).limit(SHOWN + 1)
    return ctx.session.scalars(found).all()


def settled(ctx: TenantContext, after: str = "") -> Sequence[CallBack]:
    """What is over, the latest first; one more than is shown."""
    found = select(CallBack).where(CallBack.state != _OPEN, visible(ctx))
    if key := queries.parse_key(after):
        found = found.where(tuple_(CallBack.closed_at, CallBack.id) < key)
    found = found.order_by(CallBack.closed_at.desc(), CallBack.id.desc()).limit(SHOWN + 1)
    return ctx.session.scalars(found).all()


def counted(ctx: TenantContext) -> tuple[int, int]:
    """How many are owed, and how many of them are late."""
    late = func.count().filter(CallBack.due_at < ctx.now())
    row = ctx.session.execute(select(func.count(), late).where(CallBack.state == _OPEN)).one()
    return int(row[0]), int(row[1])


# -- when late ---------------------------------------------------------------------------------


def chase(ctx: TenantContext) -> None:
    """Tell who is on duty of what is late, and those above of what stays late."""
    moment = ctx.now()
    longer = moment - timedelta(hours=ctx.settings(ChannelPhoneSettings).escalate_after)
    late = ctx.session.scalars(
        select(CallBack)
        .where(
            CallBack.state == _OPEN,
            or_(
                (CallBack.due_at < moment) & (CallBack.level == 0),
                (CallBack.due_at < longer) & (CallBack.level < 2),
            ),
        )
        .order_by(CallBack.due_at, CallBack.id)
        .limit(PIECE)
        .with_for_update(skip_locked=True)
    ).all()
    if not late:
        return
    shown = roster.today(ctx)
    on_duty = {one.person.id for one in shown.now(moment)}
    above = {person.id for person in roster.heads(shown)}
    for back in late:
        back.level = 2 if back.due_at < longer else 1
        ctx.emit("call_back_late", back.id, {"level": back.level})
        for person in sorted(above if back.level > 1 else on_duty):
            _tell(ctx, back, person)
    ctx.session.flush()
    ctx.record("call_backs_late", ctx.tenant.id, {"n": len(late)})


def _tell(ctx: TenantContext, back: CallBack, person: uuid.UUID) -> None:
    if can_mail():
        payload = {"back": str(back.id), "to": str(person), "level": back.level}
        ctx.enqueue(TELL, payload, key=f"{back.id}:{back.level}:{person}", object_id=back.id)


def tell(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """One mail to one member: that something is late and where, no number and no name."""
    try:
        key, to = uuid.UUID(str(payload["back"])), uuid.UUID(str(payload["to"]))
    except (KeyError, ValueError):
        raise GiveUp from None
    back = ctx.session.scalar(select(CallBack).where(CallBack.id == key))
    address = mail_address(ctx.session, to)
    if back is None or back.state != _OPEN or not address:
        return
    site = public_link(ctx.tenant, "").rpartition("/p/")[0]
    link = f"{site}/t/{ctx.tenant.slug}{PATH}/call-backs"
    said = N_("有一项回电超过公司承诺的时间，请尽快办理：{link}")
    mail = Mail(
        id=uuid.uuid5(key, f"{payload.get('level')}:{to}"), to=address,
        subject=ctx.text(N_("回电超时")), text=ctx.text(said, link=link),
    )  # fmt: skip
    try:
        send_mail(ctx, mail)
    except Undeliverable as refused:
        ctx.log.warning("mail %s refused: %s", mail.id, refused.code)
