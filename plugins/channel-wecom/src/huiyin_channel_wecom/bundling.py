"""A conversation as one file: what was said, in order, and the files beside it, in a ZIP.

That is what the arrival keeps as its original, and what the confined reader opens again.
"""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import exists, select

from huiyin.sdk import Raw, Receipt, TenantContext, local, receive
from huiyin_channel_wecom.keeping import CHANNEL
from huiyin_channel_wecom.models import Contact, Conversation, Incoming
from huiyin_channel_wecom.said import Said, read

MESSAGES: Final = "conversation.json"
FULL: Final = 200  # messages; a conversation this long is handed in though nobody is quiet
MOST: Final = 1000  # of those that came before it was
ROOM: Final = 22 * 1024 * 1024  # bytes of files in one bundle; an arrival takes 30 MB
_STAMP: Final = (1980, 1, 1, 0, 0, 0)  # the same conversation makes the same bytes


def messages_of(ctx: TenantContext, conversation_id: uuid.UUID) -> list[tuple[Incoming, Said]]:
    """Its messages in the order in which they were said, whatever the order they came in."""
    rows = ctx.session.scalars(
        select(Incoming)
        .where(Incoming.conversation_id == conversation_id)
        .order_by(Incoming.said_at, Incoming.id)
        .limit(MOST)
    )
    return [(row, said) for row in rows if (said := read(row.source, row.raw))]


def waits(ctx: TenantContext, talk: Conversation) -> bool:
    """Whether a file of it is still being fetched."""
    found = exists().where(Incoming.conversation_id == talk.id, Incoming.file_state == "waiting")
    return bool(ctx.session.scalar(select(found)))


def handle_of(contact: Contact) -> str:
    """What the platform knows the account by."""
    return f"{contact.road}:{contact.external_id}"


def fitting(messages: Sequence[tuple[Incoming, Said]]) -> int:
    """How many of these, from the first on, go into one bundle with their files."""
    room = ROOM
    for count, (row, _) in enumerate(messages):
        room -= row.file_size if row.file_state == "kept" else 0
        if room < 0 and count:
            return count
    return len(messages)


def hand_in(
    ctx: TenantContext, contact: Contact, talk: Conversation,
    messages: Sequence[tuple[Incoming, Said]], number: str,
) -> Receipt:  # fmt: skip
    """Give the conversation to the platform; ``number`` is the case that it surely belongs to."""
    envelope = {"handle": handle_of(contact)}
    if number:
        envelope["case"] = number
    if contact.road == "app":
        envelope["member"] = "yes"
    raw = Raw(
        channel=CHANNEL, data=bundle(ctx, contact, messages), key=str(talk.id),
        envelope=envelope, received_at=talk.started_at,
    )  # fmt: skip
    return receive(ctx, raw)


def bundle(
    ctx: TenantContext, contact: Contact, messages: Sequence[tuple[Incoming, Said]]
) -> bytes:
    """The ZIP; a file that was not kept is named with the reason."""
    lines: list[dict[str, Any]] = []
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as box:
        for row, said in messages:
            line: dict[str, Any] = {
                "key": row.key, "who": said.who, "kind": said.kind, "text": said.text,
                "at": row.said_at.isoformat() if row.said_at else "", "sha256": row.raw_sha256,
            }  # fmt: skip
            if row.file_state == "kept":
                number = str(len(lines) + 1)
                with ctx.blobs.open(row.file_key) as source:
                    box.writestr(zipfile.ZipInfo(f"files/{number}", _STAMP), source.read())
                line |= {"file": number, "name": row.file_name, "file_sha256": row.file_sha256}
            elif row.file_state:
                line |= {"missing": row.file_reason or row.file_state}
            lines.append(line)
        told = {"handle": handle_of(contact), "road": contact.road, "messages": lines}
        box.writestr(zipfile.ZipInfo(MESSAGES, _STAMP), msgspec.json.encode(told))
    return made.getvalue()


def file_name(row: Incoming, said: Said, name: str, ending: str) -> str:
    """A name for what has none: 图片-20261126-0930.jpg."""
    if name:
        return name
    at = row.said_at or row.kept_at
    return f"{said.text.strip('（）').partition('：')[0][:20]}-{local(at):%Y%m%d-%H%M%S}.{ending}"
