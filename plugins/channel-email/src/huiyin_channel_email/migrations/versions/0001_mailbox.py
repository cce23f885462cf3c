"""How the pulling of a mailbox goes, and how mail to complainants fared."""

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
    op.create_table(
        "plugin_channel_email__sent",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_email__sent_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_email__sent")),
        sa.UniqueConstraint(
            "tenant_id", "entry_id", name=op.f("uq_plugin_channel_email__sent_tenant_id_entry_id")
        ),
    )
    op.protect_table("plugin_channel_email__sent", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_email__sent_case",
        "plugin_channel_email__sent",
        ["tenant_id", "case_id", "at"],
    )


def downgrade() -> None:
    op.drop_table("plugin_channel_email__sent")
    op.drop_table("plugin_channel_email__mailbox")
