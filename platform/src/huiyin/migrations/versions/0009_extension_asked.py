"""An index for the cases for whose answer more time was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index(
        "ix_case_file_extending",
        "case_file",
        ["tenant_id", "next_due_at", "id"],
        postgresql_where=sa.text("state = 'open' AND facts ? 'extension_asked'"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_file_extending", table_name="case_file")
