"""Who is asking: a person of a firm, a complainant with a code, or the system itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from huiyin.identity.policy import Role, permissions_of

SYSTEM_ID: Final = uuid.UUID("00000000-0000-7000-8000-000000000001")
COMPLAINANT_ID: Final = uuid.UUID("00000000-0000-7000-8000-000000000002")


class ActorKind(StrEnum):
    PERSON = "person"
    COMPLAINANT = "complainant"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts, in one firm.  ``id`` is the account: one person has one, in every role."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    name: str
    roles: frozenset[Role] = frozenset()
    department: str = ""
    kind: ActorKind = ActorKind.PERSON
    scopes: frozenset[str] | None = None  # an API token's; None is everything
    permissions: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        granted = permissions_of(self.roles)
        if self.scopes is not None:
            granted &= self.scopes
        object.__setattr__(self, "permissions", granted)

    def can(self, permission: str) -> bool:
        """Whether the roles (and the token's scopes) allow it at all; cases may still refuse."""
        return permission in self.permissions

    @property
    def is_person(self) -> bool:
        return self.kind is ActorKind.PERSON


def system_actor(tenant_id: uuid.UUID) -> Actor:
    """Jobs, reminders, seeding of facts: acts in nobody's name and approves nothing."""
    return Actor(SYSTEM_ID, tenant_id, "系统", kind=ActorKind.SYSTEM)


def complainant_actor(tenant_id: uuid.UUID, name: str = "投诉人") -> Actor:
    """The holder of a tracking code."""
    return Actor(COMPLAINANT_ID, tenant_id, name, kind=ActorKind.COMPLAINANT)
