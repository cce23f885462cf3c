"""Who keeps which bytes in the store: asked for in pages, so that no firm is too large to count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Text,
    any_,
    literal,
    select,
    table,
    text,
    union_all,
)

from huiyin.db import Base, ScopedSession
from huiyin.plugins.loading import WHOLE

# What some part of the house keeps in the store: key and SHA-256.
Holder = Callable[[], Select[Any, Any]]
PAGE: Final = 1000
_holders: Final[dict[str, Holder]] = {}


def holds_blobs(holder: Holder) -> Holder:
    """Name blobs that belong to rows of another slice, so that they are compared with their
    hashes and do not count as left over.

    The function answers with a ``select`` of two columns, key and SHA-256; a row without a file
    has an empty key, or none.
    """
    _holders[f"{holder.__module__}.{holder.__name__}"] = holder
    return holder


def parts() -> list[str]:
    """The holders by name, in the order in which they are gone through."""
    return sorted(_holders)


def page(
    session: ScopedSession, part: str, after: str, most: int = PAGE
) -> Sequence[Row[Any, Any]]:
    """What one holder keeps, by key, from ``after`` on; raises when it cannot be asked."""
    query, key = _of(part)
    return session.execute(query.where(key > after).order_by(key).limit(most)).all()


def everything(session: ScopedSession) -> Iterator[tuple[str, str]]:
    """All keys and hashes of the firm, page by page; what two holders keep comes twice."""
    for part in parts():
        after = ""
        while found := page(session, part, after):
            for after, sha256 in found:
                yield after, sha256


def named(session: ScopedSession, keys: Collection[str]) -> set[str]:
    """Those of the keys that some holder names; raises when one of them cannot be asked.

    One statement, so that a file which goes from one holder to another meanwhile is seen with
    either: each statement sees the rows as they were when it began.
    """
    asked = [
        query.where(key == any_(literal(list(keys), ARRAY(Text)))).with_only_columns(key)
        for query, key in map(_of, parts() if keys else ())
    ]
    return set(session.scalars(union_all(*asked))) if asked else set()


def _of(part: str) -> tuple[Select[Any, Any], ColumnElement[str]]:
    query = _holders[part]()
    return query, query.selected_columns[0]


_PLUGIN_TABLES: Final = text(  # wall: the catalogue, no row of anybody
    "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    r" AND relkind IN ('r', 'p') AND relname LIKE 'plugin\_%'"
    " AND has_table_privilege(oid, 'SELECT')"
)


def strangers(session: ScopedSession) -> list[str]:
    """Tables with rows of this firm whose plugin is not loaded in this process.

    Such a plugin was taken off the list, or could not be loaded: nobody here knows which files
    its rows name.  That a table is known does not help: a plugin may fail after its models.
    """
    asked = [
        select(literal(name)).where(select(literal(1)).select_from(table(name)).exists())
        for name in session.scalars(_PLUGIN_TABLES)
        if name not in Base.metadata.tables or _plugin_of(name) not in WHOLE
    ]
    # There is no model of these tables: row security alone keeps to the firm.
    return sorted(session.scalars(union_all(*asked))) if asked else []


def _plugin_of(name: str) -> str:
    return name.removeprefix("plugin_").partition("__")[0]
