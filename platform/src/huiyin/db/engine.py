"""Engines for the two roles: the application, which owns nothing, and the owner, which migrates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from huiyin.db.embedded import EmbeddedPostgres
from huiyin.db.errors import UnsafeRole
from huiyin.db.straight import DRIVER

APP: Final = "huiyin_app"
OWNER: Final = "huiyin_owner"
MINIMUM_VERSION: Final = 150014  # row-security fixes; see docs/threat-model.md


@dataclass(frozen=True, slots=True)
class Addresses:
    """SQLAlchemy URLs of the two roles on one database."""

    app: str
    owner: str


def application_engine(url: str, *, pool: int = 8, overflow: int = 4) -> Engine:
    """The pool every request and job draws from.  READ COMMITTED, never AUTOCOMMIT."""
    return create_engine(
        make_url(url).set(drivername=DRIVER),
        pool_size=pool,
        max_overflow=overflow,
        pool_timeout=5,
        pool_pre_ping=False,  # one round trip a page; a dead connection is a 503 and heals itself
        connect_args={"connect_timeout": 3, "application_name": "huiyin"},
    )


def owner_engine(url: str) -> Engine:
    """For what the owner alone may write; close it after the one thing it was made for."""
    return create_engine(url, pool_size=1, max_overflow=0)


def refuse_unsafe_role(engine: Engine) -> None:
    """Stop the start-up of a product whose database role could walk around the wall.

    Raises ``UnsafeRole`` for a superuser, a role with BYPASSRLS, CREATEROLE or membership in
    another role, an owner of any table, or a server too old.
    """
    with engine.connect() as connection:
        row = connection.execute(text(_ROLE)).one()
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    reasons = [name for name, bad in row._mapping.items() if bad]  # noqa: SLF001 - public in SQLAlchemy
    if version < MINIMUM_VERSION:
        reasons.append(f"server {version} is older than {MINIMUM_VERSION}")
    if reasons:
        raise UnsafeRole(f"the application's database role is not safe: {', '.join(reasons)}")


_ROLE: Final = """
SELECT r.rolsuper AS superuser, r.rolbypassrls AS bypasses_row_security,
       r.rolcreaterole AS creates_roles, r.rolcreatedb AS creates_databases,
       EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid) AS member_of_another_role,
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relowner = r.oid AND n.nspname NOT LIKE 'pg\\_%') AS owns_tables,
       has_schema_privilege(r.oid, 'public', 'CREATE') AS creates_in_schema
FROM pg_roles r WHERE r.rolname = current_user
"""


def embedded_addresses(server: EmbeddedPostgres, *, name: str = "huiyin") -> Addresses:
    """Addresses on the embedded server; both roles use its one generated secret."""
    return Addresses(app=server.url(user=APP, name=name), owner=server.url(user=OWNER, name=name))


def embedded(home: Path) -> tuple[EmbeddedPostgres, bool]:
    """Start, or find running, the server below ``home``."""
    server = EmbeddedPostgres(home)
    return server, server.start()


def database_name(url: str) -> str:
    return make_url(url).database or ""
