"""The later days that senders set for their letters, with what was written about each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
TABLE = "plugin_channel_referral__transfer"


def upgrade() -> None:
    kind = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column(TABLE, sa.Column("extensions", kind, nullable=False, server_default="[]"))
    op.alter_column(TABLE, "extensions", server_default=None)


def downgrade() -> None:
    op.drop_column(TABLE, "extensions")
