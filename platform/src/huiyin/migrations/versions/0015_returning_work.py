"""What returns costs what is due, or goes on in pieces, and is not kept for ever."""

import sqlalchemy as sa
from alembic import op

from huiyin.migrations.functions import install

revision = "0015"
down_revision = "0014"

_RUNNING = sa.text("look_by IS NOT NULL")
_PASSING = sa.text(
    "state = 'done' AND (key IS NULL OR key LIKE 'schedule:%' OR event_id IS NOT NULL)"
)
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
    install("clock_look")
    op.create_index(
        "ix_case_task_untold", "case_task", ["tenant_id", "reminded", "due_on"],
        postgresql_where=_OPEN,
    )  # fmt: skip
    _add_rounds()
    op.execute("GRANT DELETE ON job TO huiyin_app")
    op.create_index("ix_job_passing", "job", ["tenant_id", "done_at"], postgresql_where=_PASSING)


def _add_rounds() -> None:
    op.create_table(
        "evidence_round",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("left_over", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evidence_round")),
    )
    op.protect_table("evidence_round", "SELECT, INSERT, UPDATE", tenant=True)
    op.create_index(
        "uq_evidence_round_present", "evidence_round", ["tenant_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_evidence_round_ended", "evidence_round", ["tenant_id", "ended_at"])
    op.create_table(
        "evidence_finding",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "fault IN ('missing', 'damaged')", name=op.f("ck_evidence_finding_fault")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evidence_finding")),
    )
    op.protect_table("evidence_finding", "SELECT, INSERT, UPDATE", tenant=True)
    op.create_index(
        "uq_evidence_finding_open", "evidence_finding", ["tenant_id", "blob_key", "fault"],
        unique=True, postgresql_where=sa.text("settled_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_letter_pdf", "letter", ["tenant_id", "pdf_key"])
    op.create_index("ix_arrival_raw", "arrival", ["tenant_id", "raw_key"])


def downgrade() -> None:
    # Nobody does this work in the release before: it would be set aside, a job a day and firm.
    op.execute("ALTER TABLE schedule NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM schedule WHERE kind = 'queue.forget'")
    op.execute("ALTER TABLE schedule FORCE ROW LEVEL SECURITY")
    op.drop_index("ix_job_passing", table_name="job")
    op.execute("REVOKE DELETE ON job FROM huiyin_app")
    op.drop_index("ix_arrival_raw", table_name="arrival")
    op.drop_index("ix_letter_pdf", table_name="letter")
    op.drop_table("evidence_finding")
    op.drop_table("evidence_round")
    op.drop_index("ix_case_task_untold", table_name="case_task")
    op.execute("DROP TRIGGER look_is_open ON clock")
    op.execute("DROP FUNCTION clock_look()")
    op.drop_index("ix_clock_look", table_name="clock")
    op.drop_column("clock", "look_by")
    op.drop_column("clock", "look_at")
