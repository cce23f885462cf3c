"""checks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


# What was handed in stays as it is, whatever path a change takes: a sealed run for good, the rest
# of a run while it is not open.  Both run with the caller's own rights, behind the wall.
KEPT = """
CREATE FUNCTION plugin_checklist_regulatory__kept() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  IF OLD.state = 'sealed' THEN
    RAISE integrity_constraint_violation USING
      MESSAGE = 'a sealed run does not change', CONSTRAINT = 'sealed_run';
  END IF;
  RETURN NEW;
END
$$
"""
HANDED_IN = """
CREATE FUNCTION plugin_checklist_regulatory__handed_in() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  row record := CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END;
  held uuid;
  state text;
BEGIN
  IF TG_TABLE_NAME = 'plugin_checklist_regulatory__evidence' THEN
    IF row.run_item_id IS NULL THEN
      RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    SELECT i.run_id INTO held FROM public.plugin_checklist_regulatory__item i
    WHERE i.tenant_id = row.tenant_id AND i.id = row.run_item_id;
  ELSE
    held := row.run_id;
  END IF;
  SELECT r.state INTO state FROM public.plugin_checklist_regulatory__run r
  WHERE r.tenant_id = row.tenant_id AND r.id = held;
  IF state <> 'open' THEN
    RAISE integrity_constraint_violation USING
      MESSAGE = 'a run that was handed in does not change', CONSTRAINT = 'handed_in_run';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$
"""
PARTS = ("item", "sample", "evidence")


def upgrade() -> None:
    tables()
    op.execute(KEPT)
    op.execute(
        "CREATE TRIGGER kept BEFORE UPDATE ON plugin_checklist_regulatory__run"
        " FOR EACH ROW EXECUTE FUNCTION plugin_checklist_regulatory__kept()"
    )
    op.execute(HANDED_IN)
    for part in PARTS:
        op.execute(
            "CREATE TRIGGER handed_in BEFORE INSERT OR UPDATE OR DELETE"
            f" ON plugin_checklist_regulatory__{part}"
            " FOR EACH ROW EXECUTE FUNCTION plugin_checklist_regulatory__handed_in()"
        )


def tables() -> None:
    op.create_table(
        "plugin_checklist_regulatory__fact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Boolean(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__fact")
        ),
        sa.UniqueConstraint(
            "tenant_id", "key", name=op.f("uq_plugin_checklist_regulatory__fact_tenant_id_key")
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__fact", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_table(
        "plugin_checklist_regulatory__import",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("pack_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column(
            "faults", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__import")
        ),
    )
    op.protect_table("plugin_checklist_regulatory__import", "SELECT, INSERT", tenant=True)
    op.create_index(
        "ix_plugin_checklist_regulatory__import_at",
        "plugin_checklist_regulatory__import",
        ["tenant_id", "at", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__pack",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_name", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("adopted_by", sa.Uuid(), nullable=True),
        sa.Column("adopted_name", sa.Text(), nullable=False),
        sa.Column("adopted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT imported OR adopted_by IS NULL OR adopted_by <> added_by",
            name=op.f("ck_plugin_checklist_regulatory__pack_second_person"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__pack")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "pack_id",
            "version",
            name=op.f("uq_plugin_checklist_regulatory__pack_tenant_id_pack_id_version"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__pack", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_table(
        "plugin_checklist_regulatory__run",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("pack_id", sa.Text(), nullable=False),
        sa.Column("pack_version", sa.Text(), nullable=False),
        sa.Column(
            "pack_title", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("pack_hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("answerers", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("sample_size", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("population_hash", sa.Text(), nullable=False),
        sa.Column(
            "population_numbers",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_name", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_name", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "reviewed_by IS NULL OR (reviewed_by <> created_by AND reviewed_by <> submitted_by AND NOT reviewed_by = ANY (answerers))",
            name=op.f("ck_plugin_checklist_regulatory__run_second_person"),
        ),
        sa.CheckConstraint(
            "until >= since", name=op.f("ck_plugin_checklist_regulatory__run_period")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__run")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "idem_key",
            name=op.f("uq_plugin_checklist_regulatory__run_tenant_id_idem_key"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "year",
            "seq",
            name=op.f("uq_plugin_checklist_regulatory__run_tenant_id_year_seq"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__run", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__run_newest",
        "plugin_checklist_regulatory__run",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__section",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("record_kind", sa.Text(), nullable=False),
        sa.Column("record_on", sa.Date(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column(
            "frozen", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'running' OR record_on IS NOT NULL",
            name=op.f("ck_plugin_checklist_regulatory__section_record"),
        ),
        sa.CheckConstraint(
            "no BETWEEN 1 AND 20", name=op.f("ck_plugin_checklist_regulatory__section_no")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__section")
        ),
    )
    op.protect_table("plugin_checklist_regulatory__section", "SELECT, INSERT", tenant=True)
    op.create_index(
        "ix_plugin_checklist_regulatory__section_newest",
        "plugin_checklist_regulatory__section",
        ["tenant_id", "no", "at", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__vouch",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("item_hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__vouch")
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__vouch", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ux_plugin_checklist_regulatory__vouch_one",
        "plugin_checklist_regulatory__vouch",
        ["tenant_id", "pack_id", "item_hash", "kind"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "plugin_checklist_regulatory__event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["plugin_checklist_regulatory__run.tenant_id", "plugin_checklist_regulatory__run.id"],
            name=op.f(
                "fk_plugin_checklist_regulatory__event_tenant_id_run_id_plugin_checklist_regulatory__run"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__event")
        ),
    )
    op.protect_table("plugin_checklist_regulatory__event", "SELECT, INSERT", tenant=True)
    op.create_index(
        "ix_plugin_checklist_regulatory__event_run",
        "plugin_checklist_regulatory__event",
        ["tenant_id", "run_id", "at"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__item",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column(
            "content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("item_hash", sa.Text(), nullable=False),
        sa.Column("applies", sa.Text(), nullable=False),
        sa.Column(
            "reasons", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "standing", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("assignee_name", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_name", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_by IS NULL)",
            name=op.f("ck_plugin_checklist_regulatory__item_answered"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["plugin_checklist_regulatory__run.tenant_id", "plugin_checklist_regulatory__run.id"],
            name=op.f(
                "fk_plugin_checklist_regulatory__item_tenant_id_run_id_plugin_checklist_regulatory__run"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__item")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "run_id",
            "position",
            name=op.f("uq_plugin_checklist_regulatory__item_tenant_id_run_id_position"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__item", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__item_assignee",
        "plugin_checklist_regulatory__item",
        ["tenant_id", "assignee_id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__finding",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("run_item_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("raised_name", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_name", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closing_note", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "closed_by IS NULL OR closed_by <> answered_by",
            name=op.f("ck_plugin_checklist_regulatory__finding_second_person"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["plugin_checklist_regulatory__run.tenant_id", "plugin_checklist_regulatory__run.id"],
            name=op.f(
                "fk_plugin_checklist_regulatory__finding_tenant_id_run_id_plugin_checklist_regulatory__run"
            ),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_item_id"],
            ["plugin_checklist_regulatory__item.tenant_id", "plugin_checklist_regulatory__item.id"],
            name=op.f(
                "fk_plugin_checklist_regulatory__finding_tenant_id_run_item_id_plugin_checklist_regulatory__item"
            ),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__finding")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "run_item_id",
            name=op.f("uq_plugin_checklist_regulatory__finding_tenant_id_run_item_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "year",
            "seq",
            name=op.f("uq_plugin_checklist_regulatory__finding_tenant_id_year_seq"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__finding", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__finding_state",
        "plugin_checklist_regulatory__finding",
        ["tenant_id", "state", "raised_at", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__sample",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("draw", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["plugin_checklist_regulatory__run.tenant_id", "plugin_checklist_regulatory__run.id"],
            name=op.f(
                "fk_plugin_checklist_regulatory__sample_tenant_id_run_id_plugin_checklist_regulatory__run"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__sample")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "run_id",
            "case_id",
            name=op.f("uq_plugin_checklist_regulatory__sample_tenant_id_run_id_case_id"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__sample", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__sample_case",
        "plugin_checklist_regulatory__sample",
        ["tenant_id", "case_id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__action",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("workdays", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("done_name", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tested_by", sa.Uuid(), nullable=True),
        sa.Column("tested_name", sa.Text(), nullable=False),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("test_note", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reminded", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "tested_by IS NULL OR done_by IS NULL OR tested_by <> done_by",
            name=op.f("ck_plugin_checklist_regulatory__action_not_the_doer"),
        ),
        sa.CheckConstraint(
            "tested_by IS NULL OR tested_by <> owner_id",
            name=op.f("ck_plugin_checklist_regulatory__action_second_person"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            [
                "plugin_checklist_regulatory__finding.tenant_id",
                "plugin_checklist_regulatory__finding.id",
            ],
            name=op.f(
                "fk_plugin_checklist_regulatory__action_tenant_id_finding_id_plugin_checklist_regulatory__finding"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__action")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "idem_key",
            name=op.f("uq_plugin_checklist_regulatory__action_tenant_id_idem_key"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__action", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__action_due",
        "plugin_checklist_regulatory__action",
        ["tenant_id", "state", "due_on"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__action_finding",
        "plugin_checklist_regulatory__action",
        ["tenant_id", "finding_id", "id"],
        unique=False,
    )
    op.create_table(
        "plugin_checklist_regulatory__evidence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_item_id", sa.Uuid(), nullable=True),
        sa.Column("action_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=True),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column(
            "frozen", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind <> 'file' OR blob_key IS NOT NULL",
            name=op.f("ck_plugin_checklist_regulatory__evidence_file"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('case', 'letter') OR case_id IS NOT NULL",
            name=op.f("ck_plugin_checklist_regulatory__evidence_of_case"),
        ),
        sa.CheckConstraint(
            "(run_item_id IS NULL) <> (action_id IS NULL)",
            name=op.f("ck_plugin_checklist_regulatory__evidence_one_place"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            [
                "plugin_checklist_regulatory__action.tenant_id",
                "plugin_checklist_regulatory__action.id",
            ],
            name=op.f(
                "fk_plugin_checklist_regulatory__evidence_tenant_id_action_id_plugin_checklist_regulatory__action"
            ),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_item_id"],
            ["plugin_checklist_regulatory__item.tenant_id", "plugin_checklist_regulatory__item.id"],
            name=op.f(
                "fk_plugin_checklist_regulatory__evidence_tenant_id_run_item_id_plugin_checklist_regulatory__item"
            ),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_plugin_checklist_regulatory__evidence")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "blob_key",
            name=op.f("uq_plugin_checklist_regulatory__evidence_tenant_id_blob_key"),
        ),
    )
    op.protect_table(
        "plugin_checklist_regulatory__evidence", "SELECT, INSERT, UPDATE, DELETE", tenant=True
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__evidence_case",
        "plugin_checklist_regulatory__evidence",
        ["tenant_id", "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_plugin_checklist_regulatory__evidence_item",
        "plugin_checklist_regulatory__evidence",
        ["tenant_id", "run_item_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(
        "ix_plugin_checklist_regulatory__evidence_item",
        table_name="plugin_checklist_regulatory__evidence",
    )
    op.drop_index(
        "ix_plugin_checklist_regulatory__evidence_case",
        table_name="plugin_checklist_regulatory__evidence",
    )
    op.drop_table("plugin_checklist_regulatory__evidence")
    op.drop_index(
        "ix_plugin_checklist_regulatory__action_finding",
        table_name="plugin_checklist_regulatory__action",
    )
    op.drop_index(
        "ix_plugin_checklist_regulatory__action_due",
        table_name="plugin_checklist_regulatory__action",
    )
    op.drop_table("plugin_checklist_regulatory__action")
    op.drop_index(
        "ix_plugin_checklist_regulatory__sample_case",
        table_name="plugin_checklist_regulatory__sample",
    )
    op.drop_table("plugin_checklist_regulatory__sample")
    op.drop_index(
        "ix_plugin_checklist_regulatory__finding_state",
        table_name="plugin_checklist_regulatory__finding",
    )
    op.drop_table("plugin_checklist_regulatory__finding")
    op.drop_index(
        "ix_plugin_checklist_regulatory__item_assignee",
        table_name="plugin_checklist_regulatory__item",
    )
    op.drop_table("plugin_checklist_regulatory__item")
    op.drop_index(
        "ix_plugin_checklist_regulatory__event_run", table_name="plugin_checklist_regulatory__event"
    )
    op.drop_table("plugin_checklist_regulatory__event")
    op.drop_index(
        "ux_plugin_checklist_regulatory__vouch_one",
        table_name="plugin_checklist_regulatory__vouch",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_table("plugin_checklist_regulatory__vouch")
    op.drop_index(
        "ix_plugin_checklist_regulatory__section_newest",
        table_name="plugin_checklist_regulatory__section",
    )
    op.drop_table("plugin_checklist_regulatory__section")
    op.drop_index(
        "ix_plugin_checklist_regulatory__run_newest", table_name="plugin_checklist_regulatory__run"
    )
    op.drop_table("plugin_checklist_regulatory__run")
    op.drop_table("plugin_checklist_regulatory__pack")
    op.drop_index(
        "ix_plugin_checklist_regulatory__import_at",
        table_name="plugin_checklist_regulatory__import",
    )
    op.drop_table("plugin_checklist_regulatory__import")
    op.drop_table("plugin_checklist_regulatory__fact")
    op.execute("DROP FUNCTION plugin_checklist_regulatory__handed_in()")
    op.execute("DROP FUNCTION plugin_checklist_regulatory__kept()")
