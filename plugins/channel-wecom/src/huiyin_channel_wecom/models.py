"""Who writes, what they wrote, what they were answered, and what the provider gave us.

A message is kept as it came before anybody is told that it did.  Contacts, conversations and
answers are made from it by jobs.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key

_P = "plugin_channel_wecom__"


class Contact(TenantModel):
    """One account of the other side.  ``case_id`` is the case whose complainant it is for certain.

    ``road`` is ``kf`` (微信客服), ``app`` (a member of the firm, by its own application) or ``mp``
    (公众号); ``account`` the customer service or official account that was written to.
    """

    __tablename__ = f"{_P}contact"
    __table_args__ = (
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "road", "account", "external_id"),
        Index(f"ix_{_P}contact_case", *columns("case_id"),
              postgresql_where=text("case_id IS NOT NULL")),
        CheckConstraint("road IN ('kf', 'app', 'mp')", name="road"),
        CheckConstraint("(bound_how <> '') = (case_id IS NOT NULL)", name="bound"),
    )  # fmt: skip

    road: Mapped[str]
    account: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str]
    case_id: Mapped[uuid.UUID | None]
    bound_how: Mapped[str] = mapped_column(default="")  # code, officer, filed
    bound_at: Mapped[datetime | None]
    bound_name: Mapped[str] = mapped_column(default="")
    heard_at: Mapped[datetime | None]  # when they last wrote, by the provider's clock
    sent_since: Mapped[int] = mapped_column(default=0)  # answers since then
    tries: Mapped[int] = mapped_column(default=0)  # wrong codes
    tries_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Conversation(TenantModel):
    """Messages of one contact that belong together; they become one arrival."""

    __tablename__ = f"{_P}conversation"
    __table_args__ = (
        tenant_key("contact_id", Contact.__tablename__),
        Index(f"uq_{_P}conversation_open", *columns("contact_id"), unique=True,
              postgresql_where=text("state = 'open'")),
        Index(f"ix_{_P}conversation_listed", *columns("last_at", "id")),
        Index(f"ix_{_P}conversation_arrival", *columns("arrival_id"),
              postgresql_where=text("arrival_id IS NOT NULL")),
        CheckConstraint("state IN ('open', 'handed', 'passed')", name="state"),
    )  # fmt: skip

    contact_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(default="open")
    opening: Mapped[str] = mapped_column(default="")  # the first words, to know it by in a list
    messages: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]
    last_id: Mapped[uuid.UUID | None]  # the message taken last: a job for an earlier one is late
    ripe: Mapped[bool] = mapped_column(default=False)  # quiet, and only waiting for a file
    anew: Mapped[bool] = mapped_column(default=False)  # said to be another matter than the case
    arrival_id: Mapped[uuid.UUID | None]
    handed_at: Mapped[datetime | None]


class Incoming(TenantModel):
    """One message or event as the provider sent it; ``raw`` is what was inside the envelope."""

    __tablename__ = f"{_P}incoming"
    __table_args__ = (
        tenant_key("conversation_id", Conversation.__tablename__),
        UniqueConstraint("tenant_id", "source", "key"),
        Index(f"ix_{_P}incoming_conversation", *columns("conversation_id", "said_at", "id")),
        Index(f"ix_{_P}incoming_kept", *columns("kept_at")),
        CheckConstraint("source IN ('wecom', 'kf', 'mp')", name="source"),
        CheckConstraint("file_state IN ('', 'waiting', 'kept', 'refused')", name="file_state"),
    )  # fmt: skip

    source: Mapped[str]  # wecom and mp by callback as XML, kf by asking for it as JSON
    key: Mapped[str]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    raw_sha256: Mapped[str]
    kept_at: Mapped[datetime] = mapped_column(default=now)
    said_at: Mapped[datetime | None]
    conversation_id: Mapped[uuid.UUID | None]
    done: Mapped[bool] = mapped_column(default=False)  # taken to a conversation, or of no use there
    file_state: Mapped[str] = mapped_column(default="")
    file_reason: Mapped[str] = mapped_column(default="")
    file_name: Mapped[str] = mapped_column(default="")
    file_key: Mapped[str] = mapped_column(default="")
    file_sha256: Mapped[str] = mapped_column(default="")
    file_size: Mapped[int] = mapped_column(default=0)


class Outgoing(TenantModel):
    """One answer.  Its words are the case's or a sentence of ours: they are not kept twice."""

    __tablename__ = f"{_P}outgoing"
    __table_args__ = (
        tenant_key("contact_id", Contact.__tablename__),
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "key"),
        Index(f"ix_{_P}outgoing_contact", *columns("contact_id", "made_at", "id")),
        Index(f"ix_{_P}outgoing_case", *columns("case_id", "made_at", "id"),
              postgresql_where=text("case_id IS NOT NULL")),
        CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'closed', 'unsure')", name="state"
        ),
    )  # fmt: skip

    contact_id: Mapped[uuid.UUID]
    case_id: Mapped[uuid.UUID | None]
    key: Mapped[str]  # the event or arrival it answers: asked for twice, it is sent once
    what: Mapped[str]  # of ``wording.WORDS``, or ``message``
    entry_id: Mapped[uuid.UUID | None]  # the line of the timeline that it carries
    state: Mapped[str] = mapped_column(default="queued")
    code: Mapped[int] = mapped_column(default=0)  # the provider's, when it refused
    made_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]


class Nonce(TenantModel):
    """A callback that was heard: the same again is known, another under its name is refused."""

    __tablename__ = f"{_P}nonce"
    __table_args__ = (UniqueConstraint("tenant_id", "road", "stamp", "nonce"),)

    road: Mapped[str]
    stamp: Mapped[str]
    nonce: Mapped[str]
    sha256: Mapped[str]
    heard_at: Mapped[datetime] = mapped_column(default=now)


class Token(TenantModel):
    """The provider's access token, sealed, and until when it is good."""

    __tablename__ = f"{_P}token"
    __table_args__ = (UniqueConstraint("tenant_id", "road"),)

    road: Mapped[str]
    sealed: Mapped[str] = mapped_column(default="")
    good_until: Mapped[datetime | None]
    error: Mapped[int] = mapped_column(default=0)
    error_at: Mapped[datetime | None]


class Desk(TenantModel):
    """A customer service account (微信客服) and how far it has been read."""

    __tablename__ = f"{_P}desk"
    __table_args__ = (UniqueConstraint("tenant_id", "account"),)

    account: Mapped[str]
    cursor: Mapped[str] = mapped_column(default="")
    read_at: Mapped[datetime | None]
    error: Mapped[int] = mapped_column(default=0)


class Robot(TenantModel):
    """How the notices to one group robot go."""

    __tablename__ = f"{_P}robot"
    __table_args__ = (UniqueConstraint("tenant_id", "robot"),)

    robot: Mapped[str]
    good_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
    error_at: Mapped[datetime | None]
