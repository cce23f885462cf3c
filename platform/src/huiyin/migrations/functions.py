"""The audited SQL functions, each owned by a role that may see only what it needs."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from huiyin.db.bootstrap import DEFINERS

SQL = Path(__file__).parent / "sql"


def install(name: str) -> None:
    """Run one file of ``migrations/sql``; statements are parted by lines of ``-- ;;``.

    A function can be given only to a role that may create in the schema, so the definers may
    for just as long as this takes.
    """
    definers = ", ".join(DEFINERS)
    op.execute(f"GRANT CREATE ON SCHEMA public TO {definers}")
    for statement in (SQL / f"{name}.sql").read_text(encoding="utf-8").split("-- ;;"):
        if statement.strip():
            op.execute(statement)
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {definers}")
