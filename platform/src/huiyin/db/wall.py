"""Every session works for one tenant, or for the platform and then sees no tenant's rows.

Two walls.  The ORM adds the tenant to every statement and stamps every new row; below it,
PostgreSQL's row security reads the tenant from the transaction, set here in ``after_begin`` and
gone with the transaction, so that a pooled connection remembers nobody.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Engine, Result, event, false, text
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from huiyin.db.base import TenantModel
from huiyin.db.errors import LostWrite, TenantScopeMissing, WallBreached

_SET: Final = text(
    "SELECT set_config('huiyin.tenant', :tenant, true), set_config('huiyin.actor', :actor, true),"
    " set_config('huiyin.purpose', :purpose, true)"
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
    connection.execute(
        _SET,
        {
            "tenant": str(session.tenant_id or ""),
            "actor": str(session.actor_id or ""),
            "purpose": session.purpose,
        },
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
    tenant_id = session.tenant_id
    # Unconditionally: ``state.all_mappers`` is empty for counts, CTEs and subqueries, which
    # are just as able to leak.
    if tenant_id is None:
        option = with_loader_criteria(TenantModel, lambda _: false(), include_aliases=True)
    else:
        option = with_loader_criteria(
            TenantModel, lambda model: model.tenant_id == tenant_id, include_aliases=True
        )
    state.statement = state.statement.options(option)


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
