"""Letters of transfer, papers and visits, and agents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plugin_channel_referral__transfer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("letter_on", sa.Date(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("target_on", sa.Date(), nullable=False),
        sa.Column("wants_reply", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("late_reason", sa.Text(), nullable=False),
        sa.Column(
            "scans", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("idem_hash", sa.LargeBinary(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("replied_on", sa.Date(), nullable=True),
        sa.Column("reply_number", sa.Text(), nullable=False),
        sa.Column("reply_way", sa.Text(), nullable=False),
        sa.Column("reply_words", sa.Text(), nullable=False),
        sa.Column("reply_by", sa.Uuid(), nullable=True),
        sa.Column("reply_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "proofs", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "due_on IS NULL OR due_on >= received_on",
            name=op.f("ck_plugin_channel_referral__transfer_due_after_receipt"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_referral__transfer_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_channel_referral__transfer")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "case_id",
            "mark",
            name=op.f("uq_plugin_channel_referral__transfer_tenant_id_case_id_mark"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "idem_key",
            name=op.f("uq_plugin_channel_referral__transfer_tenant_id_idem_key"),
        ),
    )
    op.protect_table(
        "plugin_channel_referral__transfer", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_referral__transfer_number",
        "plugin_channel_referral__transfer",
        ["tenant_id", "source", "number"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_channel_referral__transfer_owed",
        "plugin_channel_referral__transfer",
        ["tenant_id", "target_on", "id"],
        unique=False,
        postgresql_where=sa.text("wants_reply AND replied_on IS NULL"),
    )
    op.create_table(
        "plugin_channel_referral__paper",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        sa.Column("came_at", sa.Text(), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("visitors", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("post_number", sa.Text(), nullable=False),
        sa.Column("late_reason", sa.Text(), nullable=False),
        sa.Column(
            "scans", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "signature", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("idem_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('letter', 'visit')", name=op.f("ck_plugin_channel_referral__paper_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_referral__paper_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_referral__paper")),
        sa.UniqueConstraint(
            "tenant_id",
            "idem_key",
            name=op.f("uq_plugin_channel_referral__paper_tenant_id_idem_key"),
        ),
    )
    op.protect_table(
        "plugin_channel_referral__paper", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_referral__paper_case",
        "plugin_channel_referral__paper",
        ["tenant_id", "case_id"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_referral__agent",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column(
            "papers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "scans", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "scope", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "checks", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("idem_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from",
            name=op.f("ck_plugin_channel_referral__agent_validity"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_referral__agent_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_referral__agent")),
        sa.UniqueConstraint(
            "tenant_id",
            "idem_key",
            name=op.f("uq_plugin_channel_referral__agent_tenant_id_idem_key"),
        ),
    )
    op.protect_table(
        "plugin_channel_referral__agent", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_referral__agent_case",
        "plugin_channel_referral__agent",
        ["tenant_id", "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_channel_referral__agent_until",
        "plugin_channel_referral__agent",
        ["tenant_id", "valid_until", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("plugin_channel_referral__agent")
    op.drop_table("plugin_channel_referral__paper")
    op.drop_table("plugin_channel_referral__transfer")
