"""Every session works for one tenant, or for the platform and then sees no tenant's rows.

Two walls.  The ORM adds the tenant to every statement and stamps every new row; below it,
PostgreSQL's row security reads the tenant from the transaction, set here in ``after_begin`` and
gone with the transaction, so that a pooled connection remembers nobody.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, CursorResult, Engine, Executable, Result, event, false
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from huiyin.db.base import TenantModel
from huiyin.db.errors import LostWrite, TenantScopeMissing, WallBreached
from huiyin.db.straight import ask

_REMEMBERED: Final = 256  # tenants at most for whom something is kept ready

# In the driver's own words: it goes first in every transaction, and there is nothing to compile.
_SET: Final = (
    b"SELECT set_config('huiyin.tenant', %(tenant)s, true),"
    b" set_config('huiyin.actor', %(actor)s, true),"
    b" set_config('huiyin.purpose', %(purpose)s, true)"
)


class ScopedSession(Session):
    """The only session class.  Use ``tenant_session`` or ``platform_session`` to get one."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        super().__init__(engine, expire_on_commit=False, autoflush=True, **options)
        self.scoped = False
        self.tenant_id: uuid.UUID | None = None
        self.actor_id: uuid.UUID | None = None
        self.purpose = ""

    def act_as(self, actor_id: uuid.UUID | None, purpose: str = "") -> None:
        """Name the person for the rest of the session; the database's triggers read it."""
        self.actor_id, self.purpose = actor_id, purpose
        if self.in_transaction():
            _announce(self, self.connection())

    @property
    def tenant(self) -> uuid.UUID:
        """The tenant this session works for; raises on a platform session."""
        if self.tenant_id is None:
            raise TenantScopeMissing("this session works for no tenant")
        return self.tenant_id


def tenant_session(
    engine: Engine, tenant_id: uuid.UUID, *, actor_id: uuid.UUID | None = None, purpose: str = ""
) -> ScopedSession:
    """A session that sees one tenant's rows and no others."""
    session = ScopedSession(engine)
    session.scoped, session.tenant_id = True, tenant_id
    session.actor_id, session.purpose = actor_id, purpose
    return session


def platform_session(engine: Engine, *, purpose: str = "") -> ScopedSession:
    """A session for accounts, tenants and sessions.  It sees no tenant's rows at all."""
    session = ScopedSession(engine)
    session.scoped, session.purpose = True, purpose
    return session


def one_row(result: Result[Any]) -> None:
    """A Core or bulk write that must have changed exactly one row."""
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise LostWrite("expected to change one row")


def _announce(session: ScopedSession, connection: Connection) -> None:
    ask(
        connection,
        _SET,
        {
            "tenant": str(session.tenant_id or ""),
            "actor": str(session.actor_id or ""),
            "purpose": session.purpose,
        },
        named=False,
    )


@event.listens_for(ScopedSession, "after_begin")
def _set_tenant(
    session: ScopedSession, transaction: SessionTransaction, connection: Connection
) -> None:
    if transaction.nested:
        return  # SET LOCAL holds inside a savepoint
    if not session.scoped:
        raise TenantScopeMissing("a session must be made by tenant_session or platform_session")
    _announce(session, connection)


@event.listens_for(ScopedSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, ScopedSession) or not session.scoped:
        raise TenantScopeMissing("a session must be made by tenant_session or platform_session")
    # Unconditionally: ``state.all_mappers`` is empty for counts, CTEs and subqueries, which
    # are just as able to leak.
    state.statement = _behind_the_wall(state.statement, session.tenant_id)


@lru_cache(_REMEMBERED)
def _own_rows(tenant_id: uuid.UUID | None) -> ExecutableOption:
    """Of every tenant's table, aliased or not, the rows of this one; of none on the platform."""
    if tenant_id is None:
        return with_loader_criteria(TenantModel, lambda _: false(), include_aliases=True)
    return with_loader_criteria(
        TenantModel, lambda model: model.tenant_id == tenant_id, include_aliases=True
    )


# Statements that outlive their request, each as it runs for a tenant: SQLAlchemy keeps with a
# statement what it worked out about it, and a new one has to be worked out anew.
_WALLED: Final[WeakKeyDictionary[Executable, dict[uuid.UUID | None, Executable]]] = (
    WeakKeyDictionary()
)


def _behind_the_wall(statement: Executable, tenant_id: uuid.UUID | None) -> Executable:
    known = _WALLED.get(statement)
    if known is None:
        known = _WALLED[statement] = {}
    walled = known.get(tenant_id)
    if walled is None:
        walled = statement.options(_own_rows(tenant_id))
        if len(known) >= _REMEMBERED:
            known.clear()
        known[tenant_id] = walled
    return walled


@event.listens_for(ScopedSession, "before_flush")
def _stamp(session: ScopedSession, *_: object) -> None:
    for row in session.new:
        if not isinstance(row, TenantModel):
            continue
        if session.tenant_id is None:
            raise TenantScopeMissing(f"{type(row).__name__} needs a tenant's session")
        if getattr(row, "tenant_id", None) is None:
            row.tenant_id = session.tenant_id
        elif row.tenant_id != session.tenant_id:
            raise WallBreached(f"{type(row).__name__} belongs to another tenant")
