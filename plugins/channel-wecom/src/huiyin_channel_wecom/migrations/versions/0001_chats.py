"""chats"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plugin_channel_wecom__desk",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__desk")),
        sa.UniqueConstraint(
            "tenant_id", "account", name=op.f("uq_plugin_channel_wecom__desk_tenant_id_account")
        ),
    )
    op.protect_table("plugin_channel_wecom__desk", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_table(
        "plugin_channel_wecom__nonce",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__nonce")),
        sa.UniqueConstraint(
            "tenant_id",
            "road",
            "stamp",
            "nonce",
            name=op.f("uq_plugin_channel_wecom__nonce_tenant_id_road_stamp_nonce"),
        ),
    )
    op.protect_table("plugin_channel_wecom__nonce", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_table(
        "plugin_channel_wecom__robot",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("robot", sa.Text(), nullable=False),
        sa.Column("good_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__robot")),
        sa.UniqueConstraint(
            "tenant_id", "robot", name=op.f("uq_plugin_channel_wecom__robot_tenant_id_robot")
        ),
    )
    op.protect_table("plugin_channel_wecom__robot", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_table(
        "plugin_channel_wecom__token",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Integer(), nullable=False),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__token")),
        sa.UniqueConstraint(
            "tenant_id", "road", name=op.f("uq_plugin_channel_wecom__token_tenant_id_road")
        ),
    )
    op.protect_table("plugin_channel_wecom__token", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_table(
        "plugin_channel_wecom__contact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("bound_how", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bound_name", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_since", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tries_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(bound_how <> '') = (case_id IS NOT NULL)",
            name=op.f("ck_plugin_channel_wecom__contact_bound"),
        ),
        sa.CheckConstraint(
            "road IN ('kf', 'app', 'mp')", name=op.f("ck_plugin_channel_wecom__contact_road")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_wecom__contact_tenant_id_case_id_case_file"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__contact")),
        sa.UniqueConstraint(
            "tenant_id",
            "road",
            "account",
            "external_id",
            name=op.f("uq_plugin_channel_wecom__contact_tenant_id_road_account_external_id"),
        ),
    )
    op.protect_table("plugin_channel_wecom__contact", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_wecom__contact_case",
        "plugin_channel_wecom__contact",
        ["tenant_id", "case_id"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_table(
        "plugin_channel_wecom__conversation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opening", sa.Text(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True),
        sa.Column("ripe", sa.Boolean(), nullable=False),
        sa.Column("anew", sa.Boolean(), nullable=False),
        sa.Column("arrival_id", sa.Uuid(), nullable=True),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'handed', 'passed')",
            name=op.f("ck_plugin_channel_wecom__conversation_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["plugin_channel_wecom__contact.tenant_id", "plugin_channel_wecom__contact.id"],
            name=op.f(
                "fk_plugin_channel_wecom__conversation_tenant_id_contact_id_plugin_channel_wecom__contact"
            ),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_channel_wecom__conversation")
        ),
    )
    op.protect_table(
        "plugin_channel_wecom__conversation", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_wecom__conversation_arrival",
        "plugin_channel_wecom__conversation",
        ["tenant_id", "arrival_id"],
        unique=False,
        postgresql_where=sa.text("arrival_id IS NOT NULL"),
    )
    op.create_index(
        "ix_plugin_channel_wecom__conversation_listed",
        "plugin_channel_wecom__conversation",
        ["tenant_id", "last_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_plugin_channel_wecom__conversation_open",
        "plugin_channel_wecom__conversation",
        ["tenant_id", "contact_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "plugin_channel_wecom__outgoing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'closed', 'unsure')",
            name=op.f("ck_plugin_channel_wecom__outgoing_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_wecom__outgoing_tenant_id_case_id_case_file"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["plugin_channel_wecom__contact.tenant_id", "plugin_channel_wecom__contact.id"],
            name=op.f(
                "fk_plugin_channel_wecom__outgoing_tenant_id_contact_id_plugin_channel_wecom__contact"
            ),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__outgoing")),
        sa.UniqueConstraint(
            "tenant_id", "key", name=op.f("uq_plugin_channel_wecom__outgoing_tenant_id_key")
        ),
    )
    op.protect_table(
        "plugin_channel_wecom__outgoing", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_wecom__outgoing_case",
        "plugin_channel_wecom__outgoing",
        ["tenant_id", "case_id", "made_at", "id"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_index(
        "ix_plugin_channel_wecom__outgoing_contact",
        "plugin_channel_wecom__outgoing",
        ["tenant_id", "contact_id", "made_at", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_wecom__incoming",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("raw_sha256", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("file_state", sa.Text(), nullable=False),
        sa.Column("file_reason", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_key", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "file_state IN ('', 'waiting', 'kept', 'refused')",
            name=op.f("ck_plugin_channel_wecom__incoming_file_state"),
        ),
        sa.CheckConstraint(
            "source IN ('wecom', 'kf', 'mp')", name=op.f("ck_plugin_channel_wecom__incoming_source")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "conversation_id"],
            [
                "plugin_channel_wecom__conversation.tenant_id",
                "plugin_channel_wecom__conversation.id",
            ],
            name=op.f(
                "fk_plugin_channel_wecom__incoming_tenant_id_conversation_id_plugin_channel_wecom__conversation"
            ),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_wecom__incoming")),
        sa.UniqueConstraint(
            "tenant_id",
            "source",
            "key",
            name=op.f("uq_plugin_channel_wecom__incoming_tenant_id_source_key"),
        ),
    )
    op.protect_table(
        "plugin_channel_wecom__incoming", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_wecom__incoming_conversation",
        "plugin_channel_wecom__incoming",
        ["tenant_id", "conversation_id", "said_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_channel_wecom__incoming_kept",
        "plugin_channel_wecom__incoming",
        ["tenant_id", "kept_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("plugin_channel_wecom__incoming")
    op.drop_table("plugin_channel_wecom__outgoing")
    op.drop_table("plugin_channel_wecom__conversation")
    op.drop_table("plugin_channel_wecom__contact")
    op.drop_table("plugin_channel_wecom__token")
    op.drop_table("plugin_channel_wecom__robot")
    op.drop_table("plugin_channel_wecom__nonce")
    op.drop_table("plugin_channel_wecom__desk")
