"""A round of files says who was asked in it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "evidence_round", sa.Column("asked", JSONB(), nullable=False, server_default="[]")
    )


def downgrade() -> None:
    op.drop_column("evidence_round", "asked")
