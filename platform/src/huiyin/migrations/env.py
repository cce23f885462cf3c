"""Alembic's entry: serves the core and, by owner, every plugin."""

from __future__ import annotations

from alembic import context

from huiyin.db import Base
from huiyin.db.protect import process_revision

owner: str = context.config.attributes["owner"]
core = owner == "core"


def mine(_: object, name: str | None, type_: str, *_rest: object) -> bool:
    """Each history sees its own tables only."""
    if type_ != "table" or name is None:
        return True
    if name.endswith(("alembic_version", "__version")):
        return False
    of_a_plugin = name.startswith("plugin_") and "__" in name
    return not of_a_plugin if core else name.startswith(f"plugin_{owner}__")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table="alembic_version" if core else f"plugin_{owner}__version",
    include_object=mine,
    process_revision_directives=process_revision,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
