"""People who log in.  One person has one account; memberships bind it to firms and roles."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ARRAY, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import PlatformModel, TenantModel
from huiyin.kit.time import now


class Account(PlatformModel):
    """A person.  ``email`` is kept in lower case."""

    __tablename__ = "account"
    __grants__ = "SELECT, INSERT, UPDATE"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    language: Mapped[str] = mapped_column(default="zh")
    theme: Mapped[str] = mapped_column(default="system")
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class LoginSession(PlatformModel):
    """A logged-in browser.  Only the hash of its 256-bit id is kept."""

    __tablename__ = "login_session"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"

    id_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    agent: Mapped[str] = mapped_column(default="")  # browser family, for the list of sessions


class Attempt(PlatformModel):
    """Tries at a secret (log-in, tracking code), counted per key and window."""

    __tablename__ = "attempt"
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (UniqueConstraint("key_hash", "window_start"),)

    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    window_start: Mapped[datetime]
    count: Mapped[int] = mapped_column(default=1)


class Membership(TenantModel):
    """A person's place in one firm: roles, department, whether active."""

    __tablename__ = "membership"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id"),
        Index("ix_membership_tenant_id_active", "tenant_id", "active"),
    )

    account_id: Mapped[uuid.UUID]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    department: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    since: Mapped[datetime] = mapped_column(default=now)


class RoleGrant(TenantModel):
    """A grave appointment, or its end, that waits for a second person, and how it was decided.

    ``roles`` are those wanted, none for the end of the membership; ``former`` those held then.
    """

    __tablename__ = "role_grant"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index(
            "ix_role_grant_asked",
            "tenant_id",
            "account_id",
            unique=True,
            postgresql_where=text("state = 'asked'"),
        ),
    )

    account_id: Mapped[uuid.UUID]
    name: Mapped[str]
    department: Mapped[str] = mapped_column(default="")
    former: Mapped[list[str]] = mapped_column(ARRAY(Text))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(default="asked")  # asked, confirmed, refused
    asked_by: Mapped[uuid.UUID]
    asked_name: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    decided_by: Mapped[uuid.UUID | None]
    decided_name: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class PasswordLink(TenantModel):
    """A way to set the first password of an account, once.  Only the hash of its id is kept."""

    __tablename__ = "password_link"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        Index("ix_password_link_account", "tenant_id", "account_id"),
    )

    account_id: Mapped[uuid.UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(TenantModel):
    """A bearer token of one member; ``scopes`` narrow what the roles allow."""

    __tablename__ = "api_token"
    __grants__ = "SELECT, INSERT, UPDATE"
    __table_args__ = (UniqueConstraint("tenant_id", "token_hash"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    account_id: Mapped[uuid.UUID]
    label: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
