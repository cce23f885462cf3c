"""A real PostgreSQL for a test run: one cluster, a migrated template, a copy per worker."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from psycopg import sql
from sqlalchemy import Engine, create_engine, text

from huiyin.db.bootstrap import create_database, create_roles, libpq
from huiyin.db.embedded import FAST, EmbeddedPostgres
from huiyin.db.engine import Addresses, application_engine, embedded_addresses
from huiyin.migrations import config_for, upgrade
from huiyin.migrations import tables as _tables  # noqa: F401 - the metadata must be whole

TEMPLATE = "huiyin_template"


@contextmanager
def scratch_server(home: Path | None = None) -> Iterator[EmbeddedPostgres]:
    """A throw-away cluster without durability; gone when the run ends, even by kill -9."""
    folder = home or Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))
    server = EmbeddedPostgres(folder, tune={**FAST, "max_connections": "100"})
    server.start()
    try:
        yield server
    finally:
        server.stop()
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def make_template(server: EmbeddedPostgres, plugins: dict[str, str]) -> None:
    """Roles, and a database with every migration run."""
    create_roles(server.url(), password=server.password)
    create_database(server.url(), TEMPLATE)
    upgrade(embedded_addresses(server, name=TEMPLATE).owner, plugins)


def copy_template(server: EmbeddedPostgres, name: str) -> Addresses:
    """A fresh database in some tens of milliseconds."""
    with psycopg.connect(libpq(server.url()), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER huiyin_owner").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    return embedded_addresses(server, name=name)


class Broom:
    """Takes every row away; faster than a new copy between tests.

    A test fills a few tables of very many, and TRUNCATE costs the same for an empty one.  The
    server's superuser deletes past triggers and foreign keys, over one connection that is kept:
    a new one would have to learn of all the tables first, each time.
    """

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self._url = libpq(server.url(name=name))
        self._connection: psycopg.Connection | None = None
        self._asked: dict[tuple[str, ...], bytes] = {}  # one question about all these tables

    def sweep(self) -> None:
        try:
            self._sweep()
        except psycopg.OperationalError:  # cut off by a test
            self.close()
            self._sweep()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _sweep(self) -> None:
        if self._connection is None:
            self._connection = psycopg.connect(self._url, autocommit=True)
        connection = self._connection
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT LIKE '%version' ORDER BY tablename"
        ).fetchall()
        if not tables:
            return
        names = tuple(name for (name,) in tables)
        if names not in self._asked:
            each = (
                sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})").format(n, sql.Identifier(n))
                for n in names
            )
            self._asked[names] = sql.SQL(" UNION ALL ").join(each).as_bytes(connection)
        filled = connection.execute(self._asked[names], prepare=True).fetchall()
        deletes = [sql.SQL("DELETE FROM {};").format(sql.Identifier(name)) for (name,) in filled]
        connection.execute(
            sql.SQL("BEGIN; SET LOCAL session_replication_role = replica; {} COMMIT").format(
                sql.SQL(" ").join(deletes)
            )
        )


def there_and_back(server: EmbeddedPostgres, plugin: str, package: str) -> list[str]:
    """Take one plugin's tables away and bring them back, in a copy of the template.

    The answer is what of it was still there in between: tables and functions by name.
    """
    addresses = copy_template(server, f"huiyin_back_{worker_name()}")
    engine = create_engine(addresses.owner)
    prefix = {"prefix": f"plugin_{plugin}__%"}
    try:
        with engine.begin() as connection:
            command.downgrade(config_for(plugin, package, connection), "base")
            left = connection.execute(text(_LEFT), prefix).scalars().all()
        with engine.begin() as connection:
            command.upgrade(config_for(plugin, package, connection), "head")
        return [str(name) for name in left]
    finally:
        engine.dispose()


_LEFT = """
SELECT relname FROM pg_class WHERE relname LIKE :prefix AND relkind = 'r'
  AND relname NOT LIKE '%version'
UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE :prefix
"""


def engine_for(addresses: Addresses) -> Engine:
    return application_engine(addresses.app, pool=4, overflow=8)


@contextmanager
def buried(server: EmbeddedPostgres, name: str) -> Iterator[None]:
    """Around a process that is killed: afterwards the server has nothing left of what came inside.

    What serves a killed client holds its locks until it notices.
    """
    there = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(libpq(server.url(name=name)), autocommit=True) as connection:
        before = [pid for (pid,) in connection.execute(there, (name,))]
        yield
        connection.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> ALL (%s)",
            (name, before),
        )


def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")
