"""Days that are over, with the roster as it stood then."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
TABLE = "plugin_channel_phone__kept_day"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "posts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("tenant_id", "day", name=op.f(f"uq_{TABLE}_tenant_id_day")),
    )
    op.protect_table(TABLE, "SELECT, INSERT, UPDATE, DELETE", tenant=True)


def downgrade() -> None:
    op.drop_table(TABLE)
