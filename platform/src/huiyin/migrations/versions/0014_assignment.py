"""Rules by which new cases find their owner, and what they need to know about people."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"


def _json(name: str) -> sa.Column[Any]:
    kind: Any = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "assignment_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        _json("conditions"),
        _json("wants"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignment_rule")),
    )
    op.protect_table("assignment_rule", "SELECT, INSERT, UPDATE, DELETE", tenant=True)
    op.create_index(
        "ix_assignment_rule_position", "assignment_rule", ["tenant_id", "position", "id"]
    )
    op.create_table(
        "assignment_staffing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _json("skills"),
        _json("languages"),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("away_from", sa.Date(), nullable=True),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "away_until IS NULL OR away_from <= away_until",
            name=op.f("ck_assignment_staffing_away_in_order"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignment_staffing")),
        sa.UniqueConstraint(
            "tenant_id", "account_id", name=op.f("uq_assignment_staffing_tenant_id_account_id")
        ),
    )
    op.protect_table("assignment_staffing", "SELECT, INSERT, UPDATE, DELETE", tenant=True)


def downgrade() -> None:
    op.drop_table("assignment_staffing")
    op.drop_table("assignment_rule")
