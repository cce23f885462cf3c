"""Statements put together and compiled once, for what is asked again and again.

To put a statement together, find its compiled form and match its parameters costs several times
what the driver takes to ask it.  Here that is done once.  The tenant goes with every run as a
parameter, so that the first wall stands before these reads too; the second does anyway.  What
writes names the column itself, as ``tenant_id=OWN_TENANT``.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CompoundSelect, Insert, Result, Select, TextClause, Uuid, bindparam
from sqlalchemy.engine import IteratorResult, make_url
from sqlalchemy.engine.result import ResultMetaData, SimpleResultMetaData
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql.compiler import SQLCompiler

from huiyin.db.base import TenantModel
from huiyin.db.straight import ask
from huiyin.db.wall import ScopedSession

OWN_TENANT: Final = bindparam("huiyin_tenant", type_=Uuid())
_OWN_ROWS: Final = with_loader_criteria(
    TenantModel, lambda model: model.tenant_id == OWN_TENANT, include_aliases=True
)
_DIALECT: Final = make_url("postgresql+psycopg://").get_dialect()()
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | Insert | TextClause


class Ready:
    """A statement that gives columns, run with other parameters each time.

    Its parameters are ``bindparam``s without a value; ``any_`` of one takes a list, because an
    ``IN`` has another text for every length.  A row has the columns' names, and no objects.
    """

    def __init__(self, statement: Statement) -> None:
        compiled = statement.options(_OWN_ROWS).compile(dialect=_DIALECT)
        if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params:
            raise TypeError("the text of this statement changes with its parameters")
        self._text = compiled.string
        self._asked = self._text.encode()
        self._tenants = OWN_TENANT.key in compiled.binds
        self._fixed = {name: b.value for b, name in compiled.bind_names.items() if not b.required}
        self._columns: ResultMetaData | None = None  # told by the first answer, the same ever after

    def __str__(self) -> str:
        return self._text

    def run(self, session: ScopedSession, **given: Any) -> Result[*tuple[Any, ...]]:
        """The rows for these parameters; raises ``TenantScopeMissing`` where firms' rows are
        asked for on the platform."""
        values = {**self._fixed, **given}
        if self._tenants:
            values[OWN_TENANT.key] = session.tenant
        if session.autoflush:
            session.flush()  # as every other statement does
        columns = self._columns
        answer = ask(session.connection(), self._asked, values, named=columns is None)
        if columns is None:
            self._columns = columns = SimpleResultMetaData(answer.names)
        return IteratorResult(columns, iter(answer.rows))
