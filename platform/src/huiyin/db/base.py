"""Base models: rows of the platform, and rows that belong to exactly one tenant."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, ForeignKeyConstraint, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from huiyin.kit.ids import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table of the house and of its plugins."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
    }

    # What the application's role may do with the table.  Append-only tables say less.
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"


class PlatformModel(Base):
    """A row outside all tenants: accounts, sessions, the tenants themselves."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)


class TenantModel(Base):
    """A row that belongs to exactly one tenant; see ``huiyin.db.wall``.

    The key is ``(tenant_id, id)``, so that every reference carries the tenant and the whole
    schema can later be spread over servers by that column.
    """

    __abstract__ = True

    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)


def tenant_key(column: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference to another row of the same tenant, and of no other."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete
    )


def columns(*names: str) -> Sequence[str]:
    """Index columns of a tenant table, always led by the tenant."""
    return ("tenant_id", *names)
