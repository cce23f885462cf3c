"""What returns costs what is due: when a clock next has something to be told, and indexes for it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_RUNNING = sa.text("look_by IS NOT NULL")
_OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column("clock", sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("clock", sa.Column("look_by", sa.Text(), nullable=True))
    # By no rules that are known: the first looks find out, in pieces, by those of the code.
    op.execute("ALTER TABLE clock NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE clock SET look_by = calendar_version || ' ' WHERE state = 'running'")
    op.execute("ALTER TABLE clock FORCE ROW LEVEL SECURITY")
    op.alter_column("clock", "look_by", server_default="")
    op.create_index(
        "ix_clock_look", "clock", ["tenant_id", "look_by", "look_at"], postgresql_where=_RUNNING
    )
    op.create_index(
        "ix_case_task_untold", "case_task", ["tenant_id", "reminded", "due_on"],
        postgresql_where=_OPEN,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_case_task_untold", table_name="case_task")
    op.drop_index("ix_clock_look", table_name="clock")
    op.drop_column("clock", "look_by")
    op.drop_column("clock", "look_at")
