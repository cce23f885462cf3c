"""talks, their messages, presence and canned answers"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

P = "plugin_channel_chat__"
GRANTS = "SELECT, INSERT, UPDATE, DELETE"


def jsonb() -> Any:
    return postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def moment() -> Any:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        f"{P}conversation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("began_at", moment(), nullable=False),
        sa.Column("in_hours", sa.Boolean(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("last_at", moment(), nullable=False),
        sa.Column("last_side", sa.Text(), nullable=False),
        sa.Column("first_word_at", moment(), nullable=True),
        sa.Column("first_answer_at", moment(), nullable=True),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.Column("officer_name", sa.Text(), nullable=False),
        sa.Column("taken_at", moment(), nullable=True),
        sa.Column("closed_at", moment(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("offer", jsonb(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("fate_reason", sa.Text(), nullable=False),
        sa.Column("fate_name", sa.Text(), nullable=False),
        sa.Column("handed_seq", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rating_words", sa.Text(), nullable=False),
        sa.Column("rated_at", moment(), nullable=True),
        sa.Column("emptied_at", moment(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_chat__conversation_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{P}conversation")),
        sa.UniqueConstraint(
            "tenant_id", "secret_hash", name=op.f(f"uq_{P}conversation_tenant_id_secret_hash")
        ),
        sa.CheckConstraint(
            "(fate IN ('filed', 'joined')) = (case_id IS NOT NULL)",
            name=op.f(f"ck_{P}conversation_fate_has_case"),
        ),
    )
    op.protect_table("plugin_channel_chat__conversation", GRANTS, tenant=True)
    op.create_index(
        f"ix_{P}conversation_state", f"{P}conversation", ["tenant_id", "state", "last_at", "id"]
    )
    op.create_index(f"ix_{P}conversation_case", f"{P}conversation", ["tenant_id", "case_id"])
    op.create_index(
        f"ix_{P}conversation_undecided",
        f"{P}conversation",
        ["tenant_id", "closed_at", "id"],
        postgresql_where=sa.text("fate = 'undecided'"),
    )
    op.create_table(
        f"{P}said",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("params", jsonb(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            [f"{P}conversation.tenant_id", f"{P}conversation.id"],
            name=op.f(
                "fk_plugin_channel_chat__said_tenant_id_conversation_id_plugin_channel_chat__conversation"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{P}said")),
        sa.UniqueConstraint(
            "tenant_id",
            "conversation_id",
            "seq",
            name=op.f(f"uq_{P}said_tenant_id_conversation_id_seq"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "conversation_id",
            "side",
            "client_id",
            name=op.f(f"uq_{P}said_tenant_id_conversation_id_side_client_id"),
        ),
    )
    op.protect_table("plugin_channel_chat__said", GRANTS, tenant=True)
    op.create_index(
        f"ix_{P}said_blob",
        f"{P}said",
        ["tenant_id", "blob_key"],
        postgresql_where=sa.text("blob_key <> ''"),
    )
    op.create_table(
        f"{P}presence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("seen_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{P}presence")),
        sa.UniqueConstraint(
            "tenant_id", "account_id", name=op.f(f"uq_{P}presence_tenant_id_account_id")
        ),
    )
    op.protect_table("plugin_channel_chat__presence", GRANTS, tenant=True)
    op.create_table(
        f"{P}canned",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{P}canned")),
        sa.UniqueConstraint("tenant_id", "title", name=op.f(f"uq_{P}canned_tenant_id_title")),
    )
    op.protect_table("plugin_channel_chat__canned", GRANTS, tenant=True)


def downgrade() -> None:
    for table in ("canned", "presence", "said", "conversation"):
        op.drop_table(f"{P}{table}")
