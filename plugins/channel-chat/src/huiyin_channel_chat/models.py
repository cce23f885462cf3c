"""What a talk leaves behind: the conversation, its messages in order, who was there to answer."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import N_, TenantModel, columns, now, tenant_key


class State(StrEnum):
    WAITING = "waiting"  # nobody has taken it
    TAKEN = "taken"
    CLOSED = "closed"


class Fate(StrEnum):
    """What became of what was said."""

    OPEN = ""  # nothing yet, or nothing had to
    FILED = "filed"  # a case of its own
    JOINED = "joined"  # part of a case there was
    UNDECIDED = "undecided"  # it sounds like a complaint, and a person decides
    NOTHING = "nothing"  # a person decided, with a reason


class Side(StrEnum):
    VISITOR = "visitor"
    STAFF = "staff"
    HOUSE = "house"  # what happened, written by nobody


STATE_TITLES: Final = {
    State.WAITING: N_("待接入"),
    State.TAKEN: N_("对话中"),
    State.CLOSED: N_("已结束"),
}


class Conversation(TenantModel):
    """One talk.  The browser holds the secret; only its seal is kept here.

    ``last_seq`` numbers the messages under this row's lock.  ``offer`` is the summary an officer
    proposes for a formal complaint; ``version`` moves with everything a page shows beside the log.
    """

    __tablename__ = "plugin_channel_chat__conversation"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "secret_hash"),
        Index("ix_plugin_channel_chat__conversation_state", *columns("state", "last_at", "id")),
        Index("ix_plugin_channel_chat__conversation_case", *columns("case_id")),
        Index(
            "ix_plugin_channel_chat__conversation_undecided", *columns("closed_at", "id"),
            postgresql_where=text("fate = 'undecided'"),
        ),
        CheckConstraint(
            "(fate IN ('filed', 'joined')) = (case_id IS NOT NULL)", name="fate_has_case"
        ),
    )  # fmt: skip

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(default=State.WAITING.value)
    topic: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="zh")
    began_at: Mapped[datetime] = mapped_column(default=now)
    in_hours: Mapped[bool] = mapped_column(default=True)  # the promise to answer soon holds
    last_seq: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(default=now)
    last_side: Mapped[str] = mapped_column(default=Side.HOUSE.value)
    first_word_at: Mapped[datetime | None]  # the visitor's
    first_answer_at: Mapped[datetime | None]
    officer_id: Mapped[uuid.UUID | None]
    officer_name: Mapped[str] = mapped_column(default="")
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(default="")  # a Side
    offer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    case_id: Mapped[uuid.UUID | None]
    fate: Mapped[str] = mapped_column(default=Fate.OPEN.value)
    fate_reason: Mapped[str] = mapped_column(default="")
    fate_name: Mapped[str] = mapped_column(default="")  # who decided
    handed_seq: Mapped[int] = mapped_column(default=0)  # how far the case has the transcript
    rating: Mapped[int | None]
    rating_words: Mapped[str] = mapped_column(default="")
    rated_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def is_open(self) -> bool:
        return self.state != State.CLOSED

    @property
    def anonymous(self) -> bool:
        """There is no way to reach the visitor but this talk."""
        return not (self.phone or self.email)


class Said(TenantModel):
    """One line of a talk, numbered from 1 without gaps.

    ``client_id`` is made by the sender's browser: the same one twice is the same message.
    """

    __tablename__ = "plugin_channel_chat__said"
    __table_args__ = (
        tenant_key("conversation_id", Conversation.__tablename__, ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "conversation_id", "seq"),
        UniqueConstraint("tenant_id", "conversation_id", "side", "client_id"),
        Index(
            "ix_plugin_channel_chat__said_blob", *columns("blob_key"),
            postgresql_where=text("blob_key <> ''"),
        ),
    )  # fmt: skip

    conversation_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    client_id: Mapped[str]
    side: Mapped[str]
    author_id: Mapped[uuid.UUID | None]
    author_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)
    body: Mapped[str] = mapped_column(default="")
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)  # for the house's sentences
    file_name: Mapped[str] = mapped_column(default="")
    file_size: Mapped[int] = mapped_column(default=0)
    file_sha256: Mapped[str] = mapped_column(default="")
    blob_key: Mapped[str] = mapped_column(default="")


class Presence(TenantModel):
    """Whether a member is there to answer; it lapses when nothing is heard of them."""

    __tablename__ = "plugin_channel_chat__presence"
    __table_args__ = (UniqueConstraint("tenant_id", "account_id"),)

    account_id: Mapped[uuid.UUID]
    name: Mapped[str]
    available: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime] = mapped_column(default=now)


class Canned(TenantModel):
    """An answer written once and used often."""

    __tablename__ = "plugin_channel_chat__canned"
    __table_args__ = (UniqueConstraint("tenant_id", "title"),)

    title: Mapped[str]
    body: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
