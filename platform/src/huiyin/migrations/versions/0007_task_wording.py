"""A task's title and proof keep what they name beside them, for every reader's language."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for name in ("title_params", "proof_params"):
        op.add_column("case_task", sa.Column(name, JSONB(), nullable=False, server_default="{}"))


def downgrade() -> None:
    for name in ("title_params", "proof_params"):
        op.drop_column("case_task", name)
