"""Indexes for one's own work, for another kind asked for, and for what was merged."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_DUE = sa.text("next_due_at IS NOT NULL")
_INDEXES = {
    "ix_case_file_owner_due": (["tenant_id", "owner_id", "next_due_at"], _DUE),
    "ix_case_file_investigator_due": (["tenant_id", "investigator_id", "next_due_at"], _DUE),
    "ix_case_file_retyping": (
        ["tenant_id", "next_due_at", "id"],
        sa.text("state = 'open' AND facts ? 'retype_asked'"),
    ),
    "ix_case_file_master": (["tenant_id", "master_id"], sa.text("master_id IS NOT NULL")),
}


def upgrade() -> None:
    for name, (columns, where) in _INDEXES.items():
        op.create_index(name, "case_file", columns, postgresql_where=where)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, table_name="case_file")
