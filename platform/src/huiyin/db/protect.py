"""DDL of the wall: what every tenant table gets, whoever creates it.

Alembic runs ``op.protect_table`` after each ``create_table``; ``process_revision`` writes that
line into new revisions by itself, so that forgetting it takes effort.
"""

from __future__ import annotations

from typing import Any, Final

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations, ops

from huiyin.db.base import Base, TenantModel
from huiyin.db.engine import APP

PREDICATE: Final = "tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid)"


def statements(table: str, grants: str, *, tenant: bool) -> list[str]:
    """The statements that put one table behind the wall."""
    wall = [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        (
            f'CREATE POLICY tenant_wall ON "{table}" TO {APP}'
            f" USING ({PREDICATE}) WITH CHECK ({PREDICATE})"
        ),
    ]
    return [*(wall if tenant else []), f'GRANT {grants} ON "{table}" TO {APP}']


@Operations.register_operation("protect_table")
class ProtectTable(MigrateOperation):
    """Row security, forced, with the tenant policy, and the grants the model declares."""

    def __init__(self, table: str, grants: str, *, tenant: bool) -> None:
        self.table, self.grants, self.tenant = table, grants, tenant

    @classmethod
    def protect_table(
        cls, operations: Operations, table: str, grants: str, *, tenant: bool
    ) -> None:
        operations.invoke(cls(table, grants, tenant=tenant))

    def reverse(self) -> MigrateOperation:
        return self  # dropping the table drops its wall


@Operations.implementation_for(ProtectTable)
def _run(operations: Operations, operation: ProtectTable) -> None:
    for statement in statements(operation.table, operation.grants, tenant=operation.tenant):
        operations.execute(statement)


@renderers.dispatch_for(ProtectTable)
def _render(_: AutogenContext, operation: ProtectTable) -> str:
    return f'op.protect_table("{operation.table}", "{operation.grants}", tenant={operation.tenant})'


def model_of(table: str) -> type[Base] | None:
    """The model that maps a table, if any does."""
    for mapper in Base.registry.mappers:
        if getattr(mapper.local_table, "name", None) == table:
            return mapper.class_
    return None


def process_revision(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Alembic hook: follow each new table with its wall."""
    script = directives[0]
    for upgrade in script.upgrade_ops_list:
        done: list[MigrateOperation] = []
        for operation in upgrade.ops:
            done.append(operation)
            if isinstance(operation, ops.CreateTableOp):
                model = model_of(operation.table_name)
                if model is not None:
                    done.append(
                        ProtectTable(
                            operation.table_name,
                            model.__grants__,
                            tenant=issubclass(model, TenantModel),
                        )
                    )
        upgrade.ops = done
