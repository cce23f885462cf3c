"""Cases whose written answer waits to be signed are found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index(
        "ix_case_file_unsigned",
        "case_file",
        ["tenant_id", "next_due_at", "id"],
        postgresql_where=sa.text("facts ? 'answer_waits'"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_file_unsigned", table_name="case_file")
