"""A second person for appointments, links for first passwords, and namings that were lifted."""

import sqlalchemy as sa
from alembic import op

from huiyin.migrations.functions import install

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "role_grant",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("former", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_name", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_name", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_role_grant")),
    )
    op.create_index(
        "ix_role_grant_asked",
        "role_grant",
        ["tenant_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.protect_table("role_grant", "SELECT, INSERT, UPDATE", tenant=True)
    op.create_table(
        "password_link",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_password_link")),
        sa.UniqueConstraint(
            "tenant_id", "token_hash", name=op.f("uq_password_link_tenant_id_token_hash")
        ),
    )
    op.create_index("ix_password_link_account", "password_link", ["tenant_id", "account_id"])
    op.protect_table("password_link", "SELECT, INSERT, UPDATE", tenant=True)
    install("duty_barred")


def downgrade() -> None:
    op.drop_table("password_link")
    op.drop_table("role_grant")
