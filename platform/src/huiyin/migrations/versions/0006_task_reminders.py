"""A task remembers which of its reminders was told."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "case_task", sa.Column("reminded", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("case_task", "reminded")
