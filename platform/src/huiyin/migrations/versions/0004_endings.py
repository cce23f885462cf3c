"""Endings that wait for their confirmation are found and counted without reading every case."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(
        "ix_case_file_ending",
        "case_file",
        ["tenant_id", "next_due_at", "id"],
        postgresql_where=sa.text("state = 'open' AND facts ? 'end_asked'"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_file_ending", table_name="case_file")
