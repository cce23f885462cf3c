"""One migration history for the core and one for each plugin.

A plugin's history lives in the plugin's package and is kept in a version table of its own, so a
plugin can be added or taken away without the core noticing.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text

HERE: Final = Path(__file__).parent
CORE: Final = "core"


def config_for(owner: str, package: str, connection: Connection) -> Config:
    """Alembic's configuration for one history: the core's, or a plugin's."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option(
        "version_locations", str(Path(str(files(package))) / "migrations" / "versions")
    )
    config.attributes.update(owner=owner, connection=connection)
    return config


def upgrade(owner_url: str, plugins: dict[str, str]) -> None:
    """Bring the core, then each plugin (name → package), to its newest revision."""
    engine = _migration_engine(owner_url)
    try:
        with engine.begin() as connection:
            # Two nodes starting at once: the second waits, then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(7203110)"))
            command.upgrade(config_for(CORE, "huiyin", connection), "head")
            for name, package in sorted(plugins.items()):
                if (Path(str(files(package))) / "migrations" / "versions").is_dir():
                    command.upgrade(config_for(name, package, connection), "head")
    finally:
        engine.dispose()


def write_revision(owner_url: str, message: str) -> None:
    """A new revision of the core from the difference between models and database."""
    engine = _migration_engine(owner_url)
    try:
        with engine.begin() as connection:
            command.revision(
                config_for(CORE, "huiyin", connection), message=message, autogenerate=True
            )
    finally:
        engine.dispose()


def _migration_engine(owner_url: str) -> Engine:
    return create_engine(
        owner_url,
        connect_args={"options": "-c lock_timeout=4s -c statement_timeout=60s"},
    )
