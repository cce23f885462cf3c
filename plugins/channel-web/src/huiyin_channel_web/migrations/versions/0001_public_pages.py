"""public pages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plugin_channel_web__draft",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "answers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_web__draft")),
        sa.UniqueConstraint(
            "tenant_id",
            "secret_hash",
            name=op.f("uq_plugin_channel_web__draft_tenant_id_secret_hash"),
        ),
    )
    op.protect_table("plugin_channel_web__draft", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_web__draft_expires",
        "plugin_channel_web__draft",
        ["tenant_id", "expires_at"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_web__draft_file",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "draft_id"],
            ["plugin_channel_web__draft.tenant_id", "plugin_channel_web__draft.id"],
            name=op.f(
                "fk_plugin_channel_web__draft_file_tenant_id_draft_id_plugin_channel_web__draft"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_web__draft_file")),
        sa.UniqueConstraint(
            "tenant_id",
            "blob_key",
            name=op.f("uq_plugin_channel_web__draft_file_tenant_id_blob_key"),
        ),
    )
    op.protect_table(
        "plugin_channel_web__draft_file", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_web__draft_file_draft",
        "plugin_channel_web__draft_file",
        ["tenant_id", "draft_id", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_web__reading",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_web__reading_tenant_id_case_id_case_file"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_web__reading")),
        sa.UniqueConstraint(
            "tenant_id", "case_id", name=op.f("uq_plugin_channel_web__reading_tenant_id_case_id")
        ),
    )
    op.protect_table("plugin_channel_web__reading", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_table(
        "plugin_channel_web__visit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_web__visit_tenant_id_case_id_case_file"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_web__visit")),
        sa.UniqueConstraint(
            "tenant_id",
            "secret_hash",
            name=op.f("uq_plugin_channel_web__visit_tenant_id_secret_hash"),
        ),
    )
    op.protect_table("plugin_channel_web__visit", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_web__visit_seen",
        "plugin_channel_web__visit",
        ["tenant_id", "seen_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_plugin_channel_web__visit_seen", table_name="plugin_channel_web__visit")
    op.drop_table("plugin_channel_web__visit")
    op.drop_table("plugin_channel_web__reading")
    op.drop_index(
        "ix_plugin_channel_web__draft_file_draft", table_name="plugin_channel_web__draft_file"
    )
    op.drop_table("plugin_channel_web__draft_file")
    op.drop_index("ix_plugin_channel_web__draft_expires", table_name="plugin_channel_web__draft")
    op.drop_table("plugin_channel_web__draft")
