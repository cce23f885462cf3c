"""Which firms a person belongs to: the one read across firms, through an audited function."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ARRAY, Text, Uuid, column, func, select

from huiyin.db import ScopedSession
from huiyin.identity.policy import Role
from huiyin.identity.sessions import known_roles
from huiyin.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class Belonging:
    """One firm of a person's list after log-in."""

    tenant_id: uuid.UUID
    slug: str
    name: str
    short_name: str
    mark: str
    roles: frozenset[Role]
    department: str


def memberships_of(session: ScopedSession, account_id: uuid.UUID) -> list[Belonging]:
    """The active firms of the person this session acts for, in order of name.

    A fresh session begins to act for them; one that acts for somebody else raises ``NotFound``.
    The database function refuses the same by itself.
    """
    if session.actor_id not in {None, account_id}:
        raise NotFound
    session.act_as(account_id, session.purpose)
    firms = func.directory_memberships(account_id).table_valued(
        column("tenant_id", Uuid()),
        column("slug", Text()),
        column("name", Text()),
        column("short_name", Text()),
        column("mark", Text()),
        column("roles", ARRAY(Text())),
        column("department", Text()),
    )
    rows = session.execute(select(firms))
    return [
        Belonging(
            row.tenant_id,
            row.slug,
            row.name,
            row.short_name,
            row.mark,
            known_roles(row.roles),
            row.department,
        )
        for row in rows
    ]
