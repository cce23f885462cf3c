"""How the pulling of a firm's mailbox goes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plugin_channel_email__mailbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("good_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_email__mailbox")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_plugin_channel_email__mailbox_tenant_id")),
    )
    op.protect_table("plugin_channel_email__mailbox", "SELECT, INSERT, UPDATE, DELETE", tenant=True)


def downgrade() -> None:
    op.drop_table("plugin_channel_email__mailbox")
