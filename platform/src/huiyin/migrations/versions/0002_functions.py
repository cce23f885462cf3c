"""The audited functions: directory, ledger, queue, search, separation of duties."""

from alembic import op

from huiyin.migrations.functions import SQL, install

revision = "0002"
down_revision = "0001"
FUNCTIONS = ("directory", "ledger", "queue", "search", "duties")


def upgrade() -> None:
    for name in FUNCTIONS:
        if (SQL / f"{name}.sql").exists():
            install(name)


def downgrade() -> None:
    for role in ("huiyin_directory", "huiyin_ledger", "huiyin_queue", "huiyin_search"):
        op.execute(f"DROP OWNED BY {role} CASCADE")
