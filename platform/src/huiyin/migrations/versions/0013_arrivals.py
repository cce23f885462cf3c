"""What comes in by mail and other roads: kept raw, read, put where it belongs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "arrival",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("raw_key", sa.Text(), nullable=False),
        sa.Column("raw_sha256", sa.Text(), nullable=False),
        sa.Column("raw_size", sa.Integer(), nullable=False),
        sa.Column(
            "envelope", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("sender_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "reading", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "candidates", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('filed', 'joined')) <= (case_id IS NOT NULL)",
            name=op.f("ck_arrival_settled_has_case"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_arrival_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_arrival")),
        sa.UniqueConstraint(
            "tenant_id", "channel", "key", name=op.f("uq_arrival_tenant_id_channel_key")
        ),
    )
    op.protect_table("arrival", "SELECT, INSERT, UPDATE", tenant=True)
    op.create_index(
        "ix_arrival_case",
        "arrival",
        ["tenant_id", "case_id"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_index(
        "ix_arrival_listed",
        "arrival",
        ["tenant_id", "received_at", "id"],
        unique=False,
        postgresql_where=sa.text("state <> 'duplicate'"),
    )
    op.create_index(
        "ix_arrival_message",
        "arrival",
        ["tenant_id", "message_id"],
        unique=False,
        postgresql_where=sa.text("message_id <> ''"),
    )
    op.create_index(
        "ix_arrival_sender", "arrival", ["tenant_id", "sender_address", "received_at"], unique=False
    )
    op.create_index(
        "ix_arrival_waiting",
        "arrival",
        ["tenant_id", "received_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_arrival_identity",
        "arrival",
        ["tenant_id", "channel", "identity"],
        unique=True,
        postgresql_where=sa.text("identity <> '' AND state <> 'duplicate'"),
    )
    op.create_table(
        "channel_check",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_name", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "lines", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_channel_check")),
        sa.UniqueConstraint(
            "tenant_id", "channel", name=op.f("uq_channel_check_tenant_id_channel")
        ),
    )
    op.protect_table("channel_check", "SELECT, INSERT, UPDATE", tenant=True)


def downgrade() -> None:
    op.drop_table("channel_check")
    op.drop_table("arrival")
