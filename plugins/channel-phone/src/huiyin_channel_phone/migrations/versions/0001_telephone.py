"""The duty roster, calls with their recordings, call-backs, and files of call records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plugin_channel_phone__absence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "last_on >= first_on", name=op.f("ck_plugin_channel_phone__absence_ends_after")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__absence")),
    )
    op.protect_table("plugin_channel_phone__absence", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_phone__absence_days",
        "plugin_channel_phone__absence",
        ["tenant_id", "last_on", "first_on"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_phone__draft",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column(
            "values", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__draft")),
    )
    op.protect_table("plugin_channel_phone__draft", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_phone__draft_account",
        "plugin_channel_phone__draft",
        ["tenant_id", "account_id", "updated_at"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_phone__import_run",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_backs", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_channel_phone__import_run")
        ),
    )
    op.protect_table(
        "plugin_channel_phone__import_run", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_table(
        "plugin_channel_phone__post",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("outside", sa.Text(), nullable=False),
        sa.Column("outside_note", sa.Text(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__post")),
    )
    op.protect_table("plugin_channel_phone__post", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_table(
        "plugin_channel_phone__import_row",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "cells", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "record", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["plugin_channel_phone__import_run.tenant_id", "plugin_channel_phone__import_run.id"],
            name=op.f(
                "fk_plugin_channel_phone__import_row_tenant_id_run_id_plugin_channel_phone__import_run"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_channel_phone__import_row")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "run_id",
            "number",
            name=op.f("uq_plugin_channel_phone__import_row_tenant_id_run_id_number"),
        ),
    )
    op.protect_table(
        "plugin_channel_phone__import_row", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_table(
        "plugin_channel_phone__shift",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("weekdays", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("people", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "begins BETWEEN 0 AND 1439", name=op.f("ck_plugin_channel_phone__shift_begins")
        ),
        sa.CheckConstraint(
            "last_on IS NULL OR last_on >= first_on",
            name=op.f("ck_plugin_channel_phone__shift_ends_after"),
        ),
        sa.CheckConstraint(
            "length BETWEEN 15 AND 1440", name=op.f("ck_plugin_channel_phone__shift_length")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["plugin_channel_phone__post.tenant_id", "plugin_channel_phone__post.id"],
            name=op.f(
                "fk_plugin_channel_phone__shift_tenant_id_post_id_plugin_channel_phone__post"
            ),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__shift")),
    )
    op.protect_table("plugin_channel_phone__shift", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_phone__shift_post",
        "plugin_channel_phone__shift",
        ["tenant_id", "post_id", "begins"],
        unique=False,
    )
    op.create_table(
        "plugin_channel_phone__call",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("fund_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(sort IN ('complaint', 'case')) = (case_id IS NOT NULL)",
            name=op.f("ck_plugin_channel_phone__call_sorted"),
        ),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_plugin_channel_phone__call_seconds")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["case_file.tenant_id", "case_file.id"],
            name=op.f("fk_plugin_channel_phone__call_tenant_id_case_id_case_file"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fund_id"],
            ["fund.tenant_id", "fund.id"],
            name=op.f("fk_plugin_channel_phone__call_tenant_id_fund_id_fund"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__call")),
        sa.UniqueConstraint(
            "tenant_id", "draft_id", name=op.f("uq_plugin_channel_phone__call_tenant_id_draft_id")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "external_id",
            name=op.f("uq_plugin_channel_phone__call_tenant_id_external_id"),
        ),
    )
    op.protect_table("plugin_channel_phone__call", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_plugin_channel_phone__call_case",
        "plugin_channel_phone__call",
        ["tenant_id", "case_id", "started_at"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_index(
        "ix_plugin_channel_phone__call_list",
        "plugin_channel_phone__call",
        ["tenant_id", "started_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_channel_phone__call_number",
        "plugin_channel_phone__call",
        ["tenant_id", "number", "started_at"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_channel_phone__call_unsorted",
        "plugin_channel_phone__call",
        ["tenant_id", "started_at", "id"],
        unique=False,
        postgresql_where=sa.text("sort = 'unsorted'"),
    )
    op.create_table(
        "plugin_channel_phone__call_back",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_missed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "promise", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closing_call_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'done') = (closing_call_id IS NOT NULL)",
            name=op.f("ck_plugin_channel_phone__call_back_done_has_proof"),
        ),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)",
            name=op.f("ck_plugin_channel_phone__call_back_closed_has_date"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "call_id"],
            ["plugin_channel_phone__call.tenant_id", "plugin_channel_phone__call.id"],
            name=op.f(
                "fk_plugin_channel_phone__call_back_tenant_id_call_id_plugin_channel_phone__call"
            ),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "closing_call_id"],
            ["plugin_channel_phone__call.tenant_id", "plugin_channel_phone__call.id"],
            name=op.f(
                "fk_plugin_channel_phone__call_back_tenant_id_closing_call_id_plugin_channel_phone__call"
            ),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__call_back")),
    )
    op.protect_table(
        "plugin_channel_phone__call_back", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_channel_phone__call_back_closed",
        "plugin_channel_phone__call_back",
        ["tenant_id", "closed_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_channel_phone__call_back_due",
        "plugin_channel_phone__call_back",
        ["tenant_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_plugin_channel_phone__call_back_missed",
        "plugin_channel_phone__call_back",
        ["tenant_id", "missed_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_plugin_channel_phone__call_back_open",
        "plugin_channel_phone__call_back",
        ["tenant_id", "number"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "plugin_channel_phone__recording",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "call_id"],
            ["plugin_channel_phone__call.tenant_id", "plugin_channel_phone__call.id"],
            name=op.f(
                "fk_plugin_channel_phone__recording_tenant_id_call_id_plugin_channel_phone__call"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_channel_phone__recording")),
        sa.UniqueConstraint(
            "tenant_id",
            "call_id",
            "sha256",
            name=op.f("uq_plugin_channel_phone__recording_tenant_id_call_id_sha256"),
        ),
    )
    op.protect_table(
        "plugin_channel_phone__recording", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )


def downgrade() -> None:
    op.drop_table("plugin_channel_phone__recording")
    op.drop_table("plugin_channel_phone__call_back")
    op.drop_table("plugin_channel_phone__call")
    op.drop_table("plugin_channel_phone__shift")
    op.drop_table("plugin_channel_phone__import_row")
    op.drop_table("plugin_channel_phone__post")
    op.drop_table("plugin_channel_phone__import_run")
    op.drop_table("plugin_channel_phone__draft")
    op.drop_table("plugin_channel_phone__absence")
