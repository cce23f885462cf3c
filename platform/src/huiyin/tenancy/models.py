"""Firms on the platform, and the consultancies that look after some of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import PlatformModel, TenantModel
from huiyin.kit.time import now


class TenantState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Tenant(PlatformModel):
    """A private fund manager.  ``slug`` stands in every address of the firm."""

    __tablename__ = "tenant"
    __grants__ = "SELECT, INSERT, UPDATE"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short_name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    mark: Mapped[str]  # one character on the badge
    number_prefix: Mapped[str] = mapped_column(default="TS")
    hotline: Mapped[str] = mapped_column(default="")
    mailbox: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="zh")
    state: Mapped[str] = mapped_column(default=TenantState.ACTIVE.value)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Consultancy(PlatformModel):
    """An adviser's firm.  It sees posture, never case content without a grant."""

    __tablename__ = "consultancy"
    __grants__ = "SELECT, INSERT, UPDATE"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")


class Engagement(PlatformModel):
    """A consultancy looks after a tenant, from a day until another."""

    __tablename__ = "engagement"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("consultancy_id", "tenant_id"),)

    consultancy_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consultancy.id"))
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenant.id"))
    since: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime | None]


class Counter(TenantModel):
    """A gapless sequence: locked, read, raised in the transaction that uses the number."""

    __tablename__ = "counter"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    value: Mapped[int] = mapped_column(default=0)


class PluginActivation(TenantModel):
    """Whether a firm uses a plugin.  Off keeps the rows; nothing of the plugin shows."""

    __tablename__ = "plugin_activation"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"),)

    plugin: Mapped[str]
    active: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    changed_by: Mapped[uuid.UUID | None]


class SettingState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class SettingVersion(TenantModel):
    """One version of a plugin's settings: the values this firm overrides, and who said so.

    At most one draft and one published version per plugin; a second person publishes.
    """

    __tablename__ = "setting_version"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "plugin", "version"),
        Index(
            "uq_setting_version_live",
            "tenant_id",
            "plugin",
            "state",
            unique=True,
            postgresql_where=text("state IN ('draft', 'published')"),
        ),
        CheckConstraint("publisher_id IS DISTINCT FROM author_id", name="second_person"),
    )

    plugin: Mapped[str]
    version: Mapped[int]
    state: Mapped[str]
    data: Mapped[dict[str, Any]]
    secrets: Mapped[dict[str, Any]] = mapped_column(default=dict)  # sealed, never shown again
    reason: Mapped[str] = mapped_column(default="")
    author_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    publisher_id: Mapped[uuid.UUID | None]
    published_at: Mapped[datetime | None]


class PluginHealth(TenantModel):
    """What a plugin did wrong lately; after repeated failure it is set aside for this firm."""

    __tablename__ = "plugin_health"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"),)

    plugin: Mapped[str]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    last_error: Mapped[str] = mapped_column(default="")  # type and place, never content
    last_at: Mapped[datetime | None]
    quarantined_at: Mapped[datetime | None]
