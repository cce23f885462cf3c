"""Lists sort whatever has a date, closed cases for which something is still owed among them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index("ix_case_file_open_due", table_name="case_file")
    op.create_index(
        "ix_case_file_due",
        "case_file",
        ["tenant_id", "next_due_at", "id"],
        postgresql_where=sa.text("next_due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_file_due", table_name="case_file")
    op.create_index(
        "ix_case_file_open_due",
        "case_file",
        ["tenant_id", "next_due_at", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )
