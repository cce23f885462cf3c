"""Calls as a telephone system tells them: signed, fresh, and each only once.

The signature is ``v1=`` and the hex HMAC-SHA256 of ``timestamp.id.body`` under the firm's key.
For a recording the SHA-256 of the file stands in place of the body and in a header, so that
everything can be checked before the file is read.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import BinaryIO, Final

import msgspec
from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Conflict,
    Invalid,
    NotFound,
    TenantContext,
    clean,
    system_actor,
    uuid7,
    whole,
)
from huiyin_channel_phone import backs, numbers, recordings
from huiyin_channel_phone.errors import Reused, Unsigned
from huiyin_channel_phone.models import Call, Recording
from huiyin_channel_phone.schemas import CallEvent
from huiyin_channel_phone.settings import ChannelPhoneSettings
from huiyin_channel_phone.terms import Direction, Sort, Source, State

TIMESTAMP: Final = "X-Huiyin-Timestamp"  # seconds since 1970
ID: Final = "X-Huiyin-Id"  # of the call
SIGNATURE: Final = "X-Huiyin-Signature"
DIGEST: Final = "X-Huiyin-Content-SHA256"
_ID: Final = re.compile(r"[\x21-\x7e]{1,64}")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_EARLY: Final = timedelta(minutes=5)
_OLDEST: Final = timedelta(days=366)


def sign(secret: str, timestamp: str, call_id: str, body: bytes) -> str:
    """What a telephone system puts into the header."""
    said = f"{timestamp}.{call_id}.".encode() + body
    return f"v1={hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()}"


def check(ctx: TenantContext, headers: Mapping[str, str], body: bytes) -> str:
    """The id of the call, once it is certain who speaks.  Raises ``Unsigned`` for all the rest."""
    chosen = ctx.settings(ChannelPhoneSettings)
    stamp, call_id = headers.get(TIMESTAMP, ""), headers.get(ID, "")
    seconds = whole(stamp, most=11)
    if not chosen.secret or seconds is None or not _ID.fullmatch(call_id):
        raise Unsigned
    right = sign(chosen.secret, stamp, call_id, body)
    if not hmac.compare_digest(right.encode(), headers.get(SIGNATURE, "").encode()):
        raise Unsigned
    if abs(ctx.now().timestamp() - seconds) > chosen.window * 60:
        raise Unsigned
    return call_id


def digest_of(headers: Mapping[str, str]) -> str:
    """The hash that a recording says it has.  Raises ``Unsigned``."""
    said = headers.get(DIGEST, "")
    if not _HEX.fullmatch(said):
        raise Unsigned
    return said


def as_system(ctx: TenantContext) -> TenantContext:
    """What comes by itself is entered in nobody's name."""
    return replace(ctx, actor=system_actor(ctx.tenant.id))


def take(ctx: TenantContext, call_id: str, body: bytes) -> tuple[Call, bool]:
    """The call, and whether it is new.  Raises ``Invalid``, and ``Reused`` for other content."""
    sha256 = hashlib.sha256(body).hexdigest()
    known = ctx.session.scalar(select(Call).where(Call.external_id == call_id))
    if known is not None and known.body_sha256:
        if not hmac.compare_digest(known.body_sha256, sha256):
            raise Reused
        return known, False
    event = read(body, call_id)
    check_time(ctx, event)
    call = made(ctx, event, Source.WEBHOOK, sha256)
    if known is not None:  # from a file
        if not same(call, known):
            raise Reused
        return known, False
    ctx.session.add(call)
    ctx.session.flush()
    backs.heard(ctx, call)
    facts = {"source": call.source, "direction": call.direction, "state": call.state}
    ctx.record("call_told", call.id, facts, {"number": call.number, "id": call_id})
    return call, True


def read(body: bytes, call_id: str) -> CallEvent:
    """What was said, in its shape.  Raises ``Invalid``."""
    try:
        event = msgspec.json.decode(body, type=CallEvent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid({"": N_("请求的格式不对，请核对后重新提交")}) from None
    if event.call_id != call_id:
        raise Invalid({"call_id": N_("通话编号与请求头中的不一致")})
    return event


def check_time(ctx: TenantContext, event: CallEvent) -> None:
    """Raises ``Invalid`` for a call to come, or one so long ago that its date is mistyped."""
    moment = ctx.now()
    if not moment - _OLDEST < event.started_at <= moment + _EARLY:
        raise Invalid({"started_at": N_("通话时间不能晚于现在，也不能早于一年前")})


def made(ctx: TenantContext, event: CallEvent, source: Source, sha256: str) -> Call:
    """A call that nobody has written down yet.  Raises ``Invalid`` for an impossible number."""
    moment = ctx.now()
    inbound = event.direction == Direction.IN.value
    theirs, ours = (event.caller, event.called) if inbound else (event.called, event.caller)
    state = State.ANSWERED if event.answered else State.MISSED if inbound else State.UNREACHED
    return Call(
        id=uuid7(), external_id=event.call_id, body_sha256=sha256, source=source.value,
        direction=event.direction, state=state.value, number=numbers.normal(theirs),
        line=_line(ours), agent=clean(event.agent), started_at=event.started_at,
        seconds=event.seconds if event.answered else 0,
        sort=(Sort.UNSORTED if event.answered else Sort.NOTHING).value, logged_at=moment, rev=1,
    )  # fmt: skip


def same(call: Call, known: Call) -> bool:
    """Whether two reports tell of one call alike.  A number that one of them lacks is no other."""
    return (
        (call.direction, call.state, call.seconds) == (known.direction, known.state, known.seconds)
        and int(call.started_at.timestamp()) == int(known.started_at.timestamp())
        and (call.number == known.number or not (call.number and known.number))
    )


def _line(typed: str) -> str:
    """Our own side may be an extension of any spelling."""
    try:
        return numbers.normal(typed)
    except Invalid:
        return clean(typed)


def attach(ctx: TenantContext, call_id: str, name: str, stream: BinaryIO, said: str) -> Recording:
    """A recording of a call that was told before.  Raises ``NotFound``, ``Invalid``."""
    call = ctx.session.scalar(select(Call).where(Call.external_id == call_id).with_for_update())
    if call is None:
        raise NotFound
    consent = ctx.text(recordings.notice(call.told))
    if recordings.digest(stream) != said:
        raise Conflict(N_("收到的文件与签名的哈希不一致，请重新发送"))
    return recordings.add(ctx, call, name, stream, source=Source.WEBHOOK.value, consent=consent)
