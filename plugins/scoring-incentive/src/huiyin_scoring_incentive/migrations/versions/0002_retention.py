"""retention: what is past its ten years may be deleted, and nothing before"""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = ("appeal", "score", "input", "credit", "award")
# Runs with the caller's own rights, behind the wall.
KEPT = """
CREATE FUNCTION plugin_scoring_incentive__kept() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  ended date;
BEGIN
  IF TG_TABLE_NAME = 'plugin_scoring_incentive__credit' THEN
    ended := (OLD.at AT TIME ZONE 'Asia/Shanghai')::date;
  ELSIF TG_TABLE_NAME = 'plugin_scoring_incentive__award' THEN
    ended := (OLD.nominated_at AT TIME ZONE 'Asia/Shanghai')::date;
  ELSE
    SELECT r.until INTO ended FROM public.plugin_scoring_incentive__round r
    WHERE r.tenant_id = OLD.tenant_id AND r.id = OLD.round_id;
  END IF;
  IF ended IS NULL
    OR ended >= (now() AT TIME ZONE 'Asia/Shanghai')::date - interval '120 months' THEN
    RAISE integrity_constraint_violation USING
      MESSAGE = 'what is kept for ten years is not deleted before', CONSTRAINT = 'kept';
  END IF;
  RETURN OLD;
END
$$
"""


def upgrade() -> None:
    op.execute(KEPT)
    for table in TABLES:
        op.execute(f"GRANT DELETE ON plugin_scoring_incentive__{table} TO huiyin_app")
        op.execute(
            f"CREATE TRIGGER kept BEFORE DELETE ON plugin_scoring_incentive__{table}"
            " FOR EACH ROW EXECUTE FUNCTION plugin_scoring_incentive__kept()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER kept ON plugin_scoring_incentive__{table}")
        op.execute(f"REVOKE DELETE ON plugin_scoring_incentive__{table} FROM huiyin_app")
    op.execute("DROP FUNCTION plugin_scoring_incentive__kept()")
