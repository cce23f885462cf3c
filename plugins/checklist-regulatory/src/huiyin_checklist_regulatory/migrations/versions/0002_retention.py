"""retention: what is past its ten years may be deleted, and nothing before"""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = ("run", "finding", "vouch")
# Runs with the caller's own rights, behind the wall.  A finding goes with its run.
ENDED = """
CREATE FUNCTION plugin_checklist_regulatory__ended() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  ended timestamptz;
BEGIN
  IF TG_TABLE_NAME = 'plugin_checklist_regulatory__vouch' THEN
    ended := coalesce(OLD.revoked_at, OLD.at);
  ELSIF TG_TABLE_NAME = 'plugin_checklist_regulatory__run' THEN
    ended := coalesce(OLD.sealed_at, OLD.created_at);
  ELSE
    SELECT coalesce(r.sealed_at, r.created_at) INTO ended
    FROM public.plugin_checklist_regulatory__run r
    WHERE r.tenant_id = OLD.tenant_id AND r.id = OLD.run_id;
  END IF;
  IF ended IS NULL OR (ended AT TIME ZONE 'Asia/Shanghai')::date
    >= (now() AT TIME ZONE 'Asia/Shanghai')::date - interval '120 months' THEN
    RAISE integrity_constraint_violation USING
      MESSAGE = 'what is kept for ten years is not deleted before', CONSTRAINT = 'kept_for_its_time';
  END IF;
  RETURN OLD;
END
$$
"""


def upgrade() -> None:
    op.execute(ENDED)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER ended BEFORE DELETE ON plugin_checklist_regulatory__{table}"
            " FOR EACH ROW EXECUTE FUNCTION plugin_checklist_regulatory__ended()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER ended ON plugin_checklist_regulatory__{table}")
    op.execute("DROP FUNCTION plugin_checklist_regulatory__ended()")
