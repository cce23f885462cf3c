"""The open lines of visitors and staff: one frame in, its answer after the commit.

Client to server: ``hello`` (with the last sequence it has), ``say`` (id, body), ``typing``,
``beat``.  Server to client: ``said`` in order of ``seq``, ``ack`` for what is kept, ``state`` when
something beside the log changed, ``typing``, ``refused``, ``queue``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from huiyin.sdk import PUBLIC, Desk, Heard, LiveLine, NotFound, TenantContext, context_of, live
from huiyin_channel_chat import cookies, hours, staffing, talks
from huiyin_channel_chat.models import Conversation, Side
from huiyin_channel_chat.terms import TALK

Frames = list[Mapping[str, Any]]
BEAT: Final = "beat"  # now and then: then look for news too, whether a bell was heard or not
ENDED: Final = 4010  # the talk is over, or was never this browser's: do not come back
_LARGEST: Final = 2**31 - 1
_RARELY: Final = {"typing": 2.5}  # seconds; a page says it every three at most


@live("/chat/live", name="channel_chat:live", permission=PUBLIC, rarely=_RARELY)
def visitor_line(desk: Desk, line: LiveLine, heard: Heard) -> Sequence[Mapping[str, Any]]:
    """A visitor's line; the first frame says whose it is."""
    ctx, frame = context_of(desk), heard.frame or {}
    if frame.get("type") == "hello" and "secret" not in line.memory:
        line.memory["secret"] = _text(frame, "token")[:200] or cookies.held(desk)
        line.memory["begin"] = True
    if "secret" not in line.memory:
        return ()
    conversation = talks.find(ctx, line.memory["secret"])
    if conversation is None:
        line.close(ENDED)
        return ()
    if line.memory.pop("begin", False):
        return _hello(ctx, desk, line, conversation, Side.VISITOR, frame)
    return _heard(ctx, line, conversation, Side.VISITOR, heard)


@live("/live", name="channel_chat:staff_live", permission=TALK, rarely=_RARELY)
def staff_line(desk: Desk, line: LiveLine, heard: Heard) -> Sequence[Mapping[str, Any]]:
    """A member's line: the queue, and the talk that is open on the page."""
    ctx, frame = context_of(desk), heard.frame or {}
    line.watch(desk, "queue")
    if heard.frame is not None:
        hours.still_there(ctx)
    out: Frames = []
    if "queue" in heard.rung or frame.get("type") == "hello":
        out.append({"type": "queue", **staffing.counts(ctx)})
    if frame.get("type") == "hello" and (asked := _text(frame, "talk")):
        line.memory["talk"] = asked
        conversation = _theirs(ctx, line)
        line.unwatch_all()
        line.watch(desk, "queue")
        return [*out, *_hello(ctx, desk, line, conversation, Side.STAFF, frame)]
    if "talk" not in line.memory:
        return out
    return [*out, *_heard(ctx, line, _theirs(ctx, line), Side.STAFF, heard)]


def _theirs(ctx: TenantContext, line: LiveLine) -> Conversation:
    """Looked for anew each time: it may have become part of a case that is hidden from them."""
    try:
        return staffing.find(ctx, uuid.UUID(line.memory["talk"]))
    except ValueError:
        raise NotFound from None


def _hello(
    ctx: TenantContext, desk: Desk, line: LiveLine, conversation: Conversation, me: Side,
    frame: Mapping[str, Any],
) -> Frames:  # fmt: skip
    """Watch first and read then: what is said in between is read or rung, never neither."""
    other = Side.STAFF if me is Side.VISITOR else Side.VISITOR
    line.watch(desk, talks.topic_of(conversation))
    line.watch(desk, f"typing:{conversation.id.hex}:{other.value}")
    line.memory["seq"] = _number(frame, "after")
    line.memory["version"] = _number(frame, "version")
    ctx.session.refresh(conversation)
    return [{"type": "hello", "seq": conversation.last_seq}, *_news(ctx, line, conversation, me)]


def _heard(
    ctx: TenantContext, line: LiveLine, conversation: Conversation, me: Side, heard: Heard
) -> Frames:
    frame, kind = heard.frame or {}, (heard.frame or {}).get("type")
    if kind == "say":
        said = talks.say(ctx, conversation, me, _text(frame, "id"), _text(frame, "body"))
        ack = {"type": "ack", "id": said.client_id, "seq": said.seq}
        return [*_news(ctx, line, conversation, me), ack]
    if kind == "typing":
        talks.typing(ctx, conversation, me)
        return []
    heard_of = kind == BEAT or talks.topic_of(conversation) in heard.rung
    out = _news(ctx, line, conversation, me) if heard_of else []
    if any(topic.startswith("typing:") for topic in heard.rung):
        out.append({"type": "typing"})
    return out


def _news(ctx: TenantContext, line: LiveLine, conversation: Conversation, me: Side) -> Frames:
    """Everything after what this line has, in order, and whether the rest of the page is old."""
    out: Frames = []
    while True:
        said = talks.after(ctx, conversation, line.memory["seq"])
        out += [talks.frame_of(ctx, one, me) for one in said]
        if said:
            line.memory["seq"] = said[-1].seq
        if len(said) < talks.MOST:
            break
    if conversation.version != line.memory["version"]:
        line.memory["version"] = conversation.version
        out.append({"type": "state", "version": conversation.version, "state": conversation.state})
    return out


def _text(frame: Mapping[str, Any], name: str) -> str:
    value = frame.get(name)
    return value if isinstance(value, str) else ""


def _number(frame: Mapping[str, Any], name: str) -> int:
    value = frame.get(name)
    return min(max(value, 0), _LARGEST) if isinstance(value, int) else 0
