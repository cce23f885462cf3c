"""What the surveys keep.  Nothing here joins an anonymous answer with a person.

Rows that could tell by their order carry random ids and a day at most.  An anonymous token is
turned in by a seal that leads to no invitation; sheets are counted in batches, in random order.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.sdk import TenantModel, columns, now, tenant_key, today

_P = "plugin_survey_satisfaction__"


def random_id() -> Mapped[uuid.UUID]:
    """An id that says nothing about when its row was made."""
    return mapped_column(primary_key=True, default=uuid.uuid4, sort_order=-1)


class Questionnaire(TenantModel):
    """A questionnaire under one name; its wording lives in versions."""

    __tablename__ = f"{_P}questionnaire"

    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="")
    origin: Mapped[str] = mapped_column(default="")  # code in the library, if it came from there
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[uuid.UUID]


class Version(TenantModel):
    """One wording.  Published ones are never changed; at most one is being drafted."""

    __tablename__ = f"{_P}edition"
    __table_args__ = (
        tenant_key("questionnaire_id", Questionnaire.__tablename__),
        UniqueConstraint("tenant_id", "questionnaire_id", "number"),
        Index(
            f"uq_{_P}edition_draft", "tenant_id", "questionnaire_id",
            unique=True, postgresql_where=text("state = 'draft'"),
        ),
        CheckConstraint("state IN ('draft', 'published')", name="state"),
        CheckConstraint("(state = 'published') = (published_at IS NOT NULL)", name="published"),
    )  # fmt: skip

    questionnaire_id: Mapped[uuid.UUID]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    rev: Mapped[int] = mapped_column(default=1)  # raised with every change of a draft
    design: Mapped[dict[str, Any]]
    published_at: Mapped[datetime | None]
    published_by: Mapped[uuid.UUID | None]


class Campaign(TenantModel):
    """Who is asked what, when, how often, and whether they sign."""

    __tablename__ = f"{_P}campaign"
    __table_args__ = (
        tenant_key("questionnaire_id", Questionnaire.__tablename__),
        tenant_key("version_id", Version.__tablename__),
        Index(f"ix_{_P}campaign_state", *columns("state", "trigger")),
        CheckConstraint("state IN ('draft', 'running', 'ended')", name="state"),
    )

    questionnaire_id: Mapped[uuid.UUID]
    version_id: Mapped[uuid.UUID]
    title: Mapped[str]
    trigger: Mapped[str]  # of ``wording.TRIGGERS``
    naming: Mapped[str]  # of ``wording.NAMINGS``
    source: Mapped[str] = mapped_column(default="register")  # of ``wording.SOURCES``
    quota: Mapped[int] = mapped_column(default=0)  # people asked for each product; 0 is everybody
    seed: Mapped[int] = mapped_column(default=0)  # of the draw, so that it can be repeated
    every_months: Mapped[int] = mapped_column(default=0)
    next_on: Mapped[date | None]
    wait_days: Mapped[int] = mapped_column(default=0)
    valid_days: Mapped[int] = mapped_column(default=30)
    rest_days: Mapped[int] = mapped_column(default=90)
    reminders: Mapped[int] = mapped_column(default=1)
    remind_days: Mapped[int] = mapped_column(default=7)
    state: Mapped[str] = mapped_column(default="draft")
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[uuid.UUID]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Invitation(TenantModel):
    """Somebody is asked.  Of those who answer without signing it learns no more than that.

    The link's secret is not kept: it is derived when a mail or letter is made; only its seal is
    here, to find the row by.
    """

    __tablename__ = f"{_P}invitation"
    __table_args__ = (
        tenant_key("campaign_id", Campaign.__tablename__),
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "link_hash"),
        Index(
            f"uq_{_P}invitation_case", "tenant_id", "campaign_id", "case_id",
            unique=True, postgresql_where=text("case_id IS NOT NULL"),
        ),
        Index(f"ix_{_P}invitation_campaign", *columns("campaign_id", "id")),
        Index(f"ix_{_P}invitation_state", *columns("campaign_id", "state", "segment")),
        Index(f"ix_{_P}invitation_person", *columns("person", "made_on")),
        Index(f"ix_{_P}invitation_of_case", *columns("case_id")),
    )  # fmt: skip

    campaign_id: Mapped[uuid.UUID]
    case_id: Mapped[uuid.UUID | None]
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="zh")
    segment: Mapped[str] = mapped_column(default="")  # the product
    person: Mapped[bytes] = mapped_column(LargeBinary)  # seal of the address, for the rest period
    link_hash: Mapped[bytes] = mapped_column(LargeBinary)
    road: Mapped[str]  # of ``wording.ROADS``
    state: Mapped[str] = mapped_column(default="planned")  # of ``wording.STATES``
    made_on: Mapped[date] = mapped_column(default=today)
    sent_on: Mapped[date | None]
    expires_on: Mapped[date]
    reminded: Mapped[int] = mapped_column(default=0)
    reminded_on: Mapped[date | None]
    refusal: Mapped[int] = mapped_column(default=0)  # what the mail server said


class Spent(TenantModel):
    """A token that was turned in for an unsigned ballot.

    Its seal is another than the invitation's and leads there only with the installation's
    secret.  It goes as soon as enough others stand beside it and all are marked at once.
    """

    __tablename__ = f"{_P}spent"
    __table_args__ = (
        tenant_key("campaign_id", Campaign.__tablename__),
        UniqueConstraint("tenant_id", "seal"),
    )

    id: Mapped[uuid.UUID] = random_id()
    campaign_id: Mapped[uuid.UUID]
    seal: Mapped[bytes] = mapped_column(LargeBinary)


class Sheet(TenantModel):
    """Answers being written.  The browser holds the secret of an unsigned one, nobody else.

    Once counted an unsigned sheet stays, empty, until its secret expires, so that it counts once.
    """

    __tablename__ = f"{_P}sheet"
    __table_args__ = (
        tenant_key("campaign_id", Campaign.__tablename__),
        tenant_key("version_id", Version.__tablename__),
        tenant_key("invitation_id", Invitation.__tablename__),
        UniqueConstraint("tenant_id", "holder"),
        Index(f"ix_{_P}sheet_state", *columns("campaign_id", "state")),
        Index(f"ix_{_P}sheet_expires", *columns("expires_on")),
        CheckConstraint("state IN ('open', 'done', 'counted')", name="state"),
    )

    id: Mapped[uuid.UUID] = random_id()
    campaign_id: Mapped[uuid.UUID]
    version_id: Mapped[uuid.UUID]
    invitation_id: Mapped[uuid.UUID | None]  # of a signed sheet alone
    holder: Mapped[bytes] = mapped_column(LargeBinary)
    segment: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="zh")
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="open")
    expires_on: Mapped[date]


class Response(TenantModel):
    """A finished answer: a random id and a day; who gave it only if it is signed."""

    __tablename__ = f"{_P}response"
    __grants__ = "SELECT, INSERT, DELETE"
    __table_args__ = (
        tenant_key("campaign_id", Campaign.__tablename__),
        tenant_key("version_id", Version.__tablename__),
        tenant_key("invitation_id", Invitation.__tablename__),
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "invitation_id"),
        Index(f"ix_{_P}response_campaign", *columns("campaign_id", "id")),
        Index(f"ix_{_P}response_of_case", *columns("case_id")),
        Index(f"ix_{_P}response_day", *columns("on_day")),
        CheckConstraint(
            "signed OR (invitation_id IS NULL AND case_id IS NULL)", name="unsigned_is_unsigned"
        ),
    )

    id: Mapped[uuid.UUID] = random_id()
    campaign_id: Mapped[uuid.UUID]
    version_id: Mapped[uuid.UUID]
    signed: Mapped[bool]
    invitation_id: Mapped[uuid.UUID | None]
    case_id: Mapped[uuid.UUID | None]
    on_day: Mapped[date]
    segment: Mapped[str] = mapped_column(default="")
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))  # 0 to 100
    low: Mapped[bool] = mapped_column(default=False)


class Answer(TenantModel):
    """One answer of a response: to a question, or to one line of a matrix."""

    __tablename__ = f"{_P}answer"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (
        tenant_key("response_id", Response.__tablename__, ondelete="CASCADE"),
        Index(f"ix_{_P}answer_response", *columns("response_id")),
        Index(f"ix_{_P}answer_cross", *columns("campaign_id", "question", "item")),
        Index(
            f"ix_{_P}answer_words", *columns("campaign_id", "question", "id"),
            postgresql_where=text("words <> ''"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = random_id()
    response_id: Mapped[uuid.UUID]
    campaign_id: Mapped[uuid.UUID]
    question: Mapped[str]
    item: Mapped[str] = mapped_column(default="")
    value: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(default="")
    themes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    blob_key: Mapped[str] = mapped_column(default="")
    blob_sha256: Mapped[str] = mapped_column(default="")


class Tally(TenantModel):
    """How often a value was given: what every page of results is read from.

    Kept for the whole, for each month (how many, and the scores), and for each product, so that
    a page reads as many rows as it shows.
    """

    __tablename__ = f"{_P}tally"
    __table_args__ = (
        tenant_key("campaign_id", Campaign.__tablename__),
        UniqueConstraint("tenant_id", "campaign_id", "cut", "key", "question", "item", "value"),
    )

    id: Mapped[uuid.UUID] = random_id()
    campaign_id: Mapped[uuid.UUID]
    cut: Mapped[str]  # all, month, segment
    key: Mapped[str]  # nothing, 2026-11, the product
    question: Mapped[str]
    item: Mapped[str]
    value: Mapped[str]
    n: Mapped[int]


class Review(TenantModel):
    """Somebody else looks at what a low score was about.

    ``barred`` are those who handled the case; the database itself refuses one of them.
    """

    __tablename__ = f"{_P}review"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        tenant_key("response_id", Response.__tablename__),
        tenant_key("case_id", "case_file"),
        UniqueConstraint("tenant_id", "response_id"),
        Index(f"ix_{_P}review_state", *columns("state", "due_on", "id")),
        Index(f"ix_{_P}review_of_case", *columns("case_id")),
        CheckConstraint("state IN ('open', 'concluded')", name="state"),
        CheckConstraint("(state = 'concluded') = (concluded_by IS NOT NULL)", name="by_somebody"),
        CheckConstraint(
            "concluded_by IS NULL OR NOT (concluded_by = ANY (barred))", name="not_a_handler"
        ),
    )

    id: Mapped[uuid.UUID] = random_id()
    response_id: Mapped[uuid.UUID]
    case_id: Mapped[uuid.UUID | None]
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    state: Mapped[str] = mapped_column(default="open")
    opened_on: Mapped[date] = mapped_column(default=today)
    due_on: Mapped[date]
    barred: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    finding: Mapped[str] = mapped_column(default="")
    cause: Mapped[str] = mapped_column(default="")
    training: Mapped[bool] = mapped_column(default=False)
    concluded_by: Mapped[uuid.UUID | None]
    concluded_name: Mapped[str] = mapped_column(default="")
    concluded_at: Mapped[datetime | None]
