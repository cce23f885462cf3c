"""Roles and database, made once by a superuser; everything after is the owner's work."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from huiyin.db.engine import APP, OWNER

# Each definer role owns one audited function family and may see only the tables it needs.
DEFINERS: Final = ("huiyin_ledger", "huiyin_search", "huiyin_queue", "huiyin_directory")


def libpq(url: str) -> str:
    """The same address for psycopg itself."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def create_roles(superuser_url: str, *, password: str) -> None:
    """The application role, the owner and the definer roles.  Safe to repeat."""
    with psycopg.connect(libpq(superuser_url), autocommit=True) as connection:
        for role, login in ((OWNER, True), (APP, True), *((d, False) for d in DEFINERS)):
            known = connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)
            ).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            connection.execute(
                sql.SQL(
                    "{} ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT {}"
                ).format(
                    verb,
                    sql.Identifier(role),
                    sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(password))
                    if login
                    else sql.SQL("NOLOGIN"),
                )
            )
        for definer in DEFINERS:
            # The owner hands functions over to the definers, so it must be a member; NOINHERIT
            # keeps their rights out of everything else it does.
            connection.execute(
                sql.SQL("GRANT {} TO {}").format(sql.Identifier(definer), sql.Identifier(OWNER))
            )


def create_database(superuser_url: str, name: str) -> None:
    """An empty database owned by the owner; the application may only use what it is granted."""
    with psycopg.connect(libpq(superuser_url), autocommit=True) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if not known:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(OWNER)
                )
            )
    inside = make_url(superuser_url).set(database=name)
    with psycopg.connect(
        libpq(inside.render_as_string(hide_password=False)), autocommit=True
    ) as connection:
        for statement in (
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            f"ALTER SCHEMA public OWNER TO {OWNER}",
            f"GRANT USAGE ON SCHEMA public TO {APP}, {', '.join(DEFINERS)}",
            "CREATE EXTENSION IF NOT EXISTS btree_gin",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        ):
            connection.execute(sql.SQL(statement))
