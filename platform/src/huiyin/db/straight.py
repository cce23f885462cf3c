"""Statements in the driver's own words, asked without SQLAlchemy's way around them.

The transaction is SQLAlchemy's, and so are the errors.  What is left out is what it does around
each statement, above all to describe its answer anew: that costs as much as the asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import psycopg
from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

DRIVER: Final = "postgresql+huiyin"


class Answer(NamedTuple):
    """Rows, and the names of their columns; neither when the statement gives no rows."""

    names: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


def ask(
    connection: Connection,
    statement: bytes,
    values: Mapping[str, Any] | None = None,
    *,
    named: bool = True,
) -> Answer:
    """Run ``statement`` and fetch all; without ``named`` the columns' names are not asked for.

    Raises what SQLAlchemy raises: ``DBAPIError`` and those below it.
    """
    driver: psycopg.Connection[Any] = cast(Any, connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor:
            for hears in connection.dispatch.before_cursor_execute:
                hears(connection, cursor, statement.decode(), values, None, False)
            cursor.execute(statement, values)
            if cursor.rownumber is None:
                return Answer((), ())
            names = [column.name for column in cursor.description or ()] if named else ()
            return Answer(names, cursor.fetchall())
    except psycopg.Error as error:
        if driver.closed:
            # It fails too, in SQLAlchemy's hands, which then trust no connection of before.
            connection.exec_driver_sql(statement.decode(), values)
        raise _told(connection, statement, values, error) from error


def _told(
    connection: Connection,
    statement: bytes,
    values: Mapping[str, Any] | None,
    error: psycopg.Error,
) -> BaseException:
    return DBAPIError.instance(
        statement.decode(),
        dict(values or {}),
        error,
        psycopg.Error,
        hide_parameters=connection.engine.hide_parameters,
        dialect=connection.dialect,
    )


class Dialect(PGDialect_psycopg):
    """psycopg's, but that savepoints, of which every page with plugins takes one, go straight."""

    supports_statement_cache = True

    def do_savepoint(self, connection: Connection, name: str) -> None:
        ask(connection, f"SAVEPOINT {name}".encode())

    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        ask(connection, f"ROLLBACK TO SAVEPOINT {name}".encode())

    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        ask(connection, f"RELEASE SAVEPOINT {name}".encode())


registry.register(DRIVER.replace("+", "."), __name__, Dialect.__name__)
