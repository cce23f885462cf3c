"""corrections: a figure that an appeal set right"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
TABLE = "plugin_scoring_incentive__appeal"


def upgrade() -> None:
    column = sa.Column("corrected", JSON, nullable=False, server_default=sa.text("'{}'"))
    op.add_column(TABLE, column)
    op.alter_column(TABLE, "corrected", server_default=None)


def downgrade() -> None:
    op.drop_column(TABLE, "corrected")
