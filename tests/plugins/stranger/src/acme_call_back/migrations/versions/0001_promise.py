"""promise"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plugin_call_back__promise",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plugin_call_back__promise")),
        sa.UniqueConstraint(
            "tenant_id", "case_id", name=op.f("uq_plugin_call_back__promise_tenant_id_case_id")
        ),
    )
    op.create_index(
        "ix_plugin_call_back__promise_due", "plugin_call_back__promise", ["tenant_id", "due_at"]
    )
    op.protect_table("plugin_call_back__promise", "SELECT, INSERT, UPDATE, DELETE", tenant=True)


def downgrade() -> None:
    op.drop_table("plugin_call_back__promise")
