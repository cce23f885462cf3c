"""What waits to be signed, and what waits to be sealed, is found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_INDEXES = {
    "ix_case_file_unsigned": "facts ? 'answer_waits'",
    "ix_case_file_archive": "state = 'open' AND stage = 'archive'",
}


def upgrade() -> None:
    for name, where in _INDEXES.items():
        op.create_index(
            name,
            "case_file",
            ["tenant_id", "next_due_at", "id"],
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, table_name="case_file")
