"""The gate of the wall: what PostgreSQL itself says about it, read after every migration.

Nothing here trusts the models.  Each rule is one question to the catalogue whose answers are
the things that open the wall; whatever has to cross it on purpose stands on a list below, and a
list is changed only by a person who has read the new line's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, text

from huiyin.db.bootstrap import DEFINERS
from huiyin.db.engine import APP, OWNER
from huiyin.db.protect import PREDICATE

# Rows outside all firms.  Every other table of the schema is behind the wall.
PLATFORM_TABLES: Final = frozenset(
    {
        "account",
        "attempt",
        "calendar_notice",
        "consultancy",
        "engagement",
        "login_session",
        "tenant",
    }
)
# Of these, tables that name a firm without belonging to it.
NAMING_A_TENANT: Final = frozenset({"engagement"})
# One version table per migration history; the application has no rights on them.
VERSION_TABLES: Final = r"^(alembic_version|plugin_[a-z0-9_]+__version)$"

# Functions that run with a definer's rights, and the one role each may have.  No overloads.
DEFINER_FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "case_search": "huiyin_search",
        "directory_memberships": "huiyin_directory",
        "ledger_append": "huiyin_ledger",
        "ledger_checkpoint_now": "huiyin_ledger",
        "queue_claim_events": "huiyin_queue",
        "queue_due_jobs": "huiyin_queue",
        "queue_due_schedules": "huiyin_queue",
        "queue_sweep": "huiyin_queue",
    }
)
# table, role, command (r read, a append, w write, d delete, * all) those functions need.
DEFINER_POLICIES: Final = frozenset(
    {
        ("case_file", "huiyin_search", "r"),
        ("case_text", "huiyin_search", "r"),
        ("job", "huiyin_queue", "*"),
        ("ledger_checkpoint", "huiyin_ledger", "*"),
        ("ledger_entry", "huiyin_ledger", "a"),
        ("ledger_head", "huiyin_ledger", "*"),
        ("ledger_salt", "huiyin_ledger", "a"),
        ("membership", "huiyin_directory", "r"),
        ("outbox_event", "huiyin_queue", "*"),
        ("schedule", "huiyin_queue", "r"),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One opening: which rule, which object, and what about it."""

    rule: str
    object: str
    detail: str


def inspect(connection: Connection) -> list[Finding]:
    """Every opening in the wall of the connected database, sorted; none is the only good answer."""
    facts = {
        "app": APP,
        "owner": OWNER,
        "definers": list(DEFINERS),
        "platform": sorted(PLATFORM_TABLES),
        "naming": sorted(NAMING_A_TENANT),
        "versions": VERSION_TABLES,
        "functions": [f"{name}:{role}" for name, role in DEFINER_FUNCTIONS.items()],
        "policies": [":".join(entry) for entry in DEFINER_POLICIES],
        "wall": PREDICATE,
    }
    found = [
        Finding(rule, str(row[0]), str(row[1]))
        for rule, question in RULES.items()
        for row in connection.execute(text(_SCOPE + question), facts)
    ]
    return sorted(found)


# What the questions below are about: our relations, the tables behind the wall, our functions.
_SCOPE: Final = """
WITH ours AS (
  SELECT c.oid, c.relname::text AS name, c.relkind AS kind, c.relowner, c.relacl, c.reloptions,
         c.relrowsecurity AND c.relforcerowsecurity AS forced,
         c.relkind IN ('r', 'p') AS is_table,
         EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AS child,
         c.relname::text = ANY (:platform) OR c.relname::text ~ :versions AS platform,
         (SELECT a.attnum FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS tenant
  FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
), walled AS (
  SELECT * FROM ours WHERE is_table AND NOT child AND NOT platform AND tenant IS NOT NULL
), routines AS (
  SELECT p.*, p.oid::regprocedure::text AS signature, r.rolname::text AS owner
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                    AND d.objid = p.oid AND d.deptype = 'e')
), policies AS (
  SELECT o.oid, o.name, p.polname::text AS policy, p.polcmd::text AS command, p.polpermissive,
         coalesce(r.rolname::text, 'PUBLIC') AS role,
         regexp_replace(lower(pg_get_expr(p.polqual, p.polrelid)), spelling, '', 'g') AS reads,
         regexp_replace(lower(pg_get_expr(p.polwithcheck, p.polrelid)), spelling, '', 'g')
           AS writes,
         regexp_replace(lower(:wall), spelling, '', 'g') AS wall
  FROM pg_policy p JOIN ours o ON o.oid = p.polrelid
       CROSS JOIN unnest(p.polroles) AS subject LEFT JOIN pg_roles r ON r.oid = subject
       CROSS JOIN (VALUES ('\\s|[()]|::text|as "nullif"')) AS s(spelling)
)
"""

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "row-security": """
SELECT name, 'row security is not enabled and forced' FROM walled WHERE NOT forced
""",
        # Permissive policies add up, so each of them has to be the wall; restrictive ones narrow.
        "policy": """
SELECT name || '.' || policy, 'the application''s policy is not the wall'
FROM policies WHERE role IN (:app, 'PUBLIC') AND polpermissive
  AND oid IN (SELECT oid FROM walled)
  AND ((command <> 'a' AND reads IS DISTINCT FROM wall)
    OR (command NOT IN ('r', 'd') AND writes IS DISTINCT FROM wall))
UNION ALL
SELECT name, 'the application has rights but no policy' FROM walled w
WHERE EXISTS (SELECT FROM aclexplode(w.relacl) a JOIN pg_roles r ON r.oid = a.grantee
              WHERE r.rolname = :app)
  AND NOT EXISTS (SELECT FROM policies p WHERE p.oid = w.oid AND p.role = :app)
""",
        "definer-policy": """
SELECT name || '.' || policy, role || ' may ' || command FROM policies
WHERE role NOT IN (:app, 'PUBLIC')
  AND name || ':' || role || ':' || command <> ALL (:policies)
""",
        "view": """
SELECT name, 'a view reads with its owner''s rights' FROM ours
WHERE kind = 'v' AND NOT coalesce(
  (SELECT option_value::boolean FROM pg_options_to_table(reloptions)
   WHERE option_name = 'security_invoker'), false)
""",
        "materialised-view": """
SELECT name, 'a materialised view has no row security' FROM ours
WHERE kind = 'm' AND has_any_column_privilege(:app, oid, 'SELECT')
""",
        "child-table": """
SELECT name, 'a partition or child ignores its parent''s policies' FROM ours
WHERE child AND is_table
""",
        "foreign-table": """
SELECT name, 'a foreign table has no row security' FROM ours WHERE kind = 'f'
""",
        "unlisted-table": """
SELECT name, 'neither behind the wall nor a listed table of the platform' FROM ours
WHERE is_table AND NOT child AND NOT platform AND tenant IS NULL
""",
        "platform-table": """
SELECT name, 'a table of the platform that holds a firm''s rows' FROM ours
WHERE is_table AND platform AND tenant IS NOT NULL AND name <> ALL (:naming)
""",
        "tenant-column": """
SELECT name, 'tenant_id must be uuid NOT NULL'
FROM walled JOIN pg_attribute a ON a.attrelid = oid AND a.attnum = tenant
WHERE NOT a.attnotnull OR a.atttypid <> 'uuid'::regtype
""",
        "unique": """
SELECT name || '.' || i.indexrelid::regclass::text, 'a unique index is not led by tenant_id'
FROM walled JOIN pg_index i ON i.indrelid = walled.oid
WHERE (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> tenant
""",
        "foreign-key": """
SELECT o.name || '.' || k.conname, 'a reference that does not carry the tenant'
FROM pg_constraint k JOIN ours o ON o.oid = k.conrelid AND NOT o.child
     JOIN ours there ON there.oid = k.confrelid
WHERE k.contype = 'f' AND CASE
  WHEN o.oid NOT IN (SELECT oid FROM walled) THEN there.oid IN (SELECT oid FROM walled)
  WHEN there.name = 'tenant' THEN k.conkey <> ARRAY[o.tenant]
  ELSE there.platform OR NOT EXISTS (
    SELECT FROM unnest(k.conkey, k.confkey) AS pair(mine, theirs)
    WHERE mine = o.tenant AND theirs = there.tenant)
  END
""",
        "definer-function": """
SELECT signature, 'runs with the rights of ' || owner || ' and is not listed' FROM routines r
WHERE prosecdef AND (proname::text || ':' || owner <> ALL (:functions)
  OR (SELECT count(*) FROM routines other WHERE other.proname = r.proname) > 1)
""",
        "search-path": """
SELECT signature, 'runs with a definer''s rights on the caller''s search_path' FROM routines
WHERE prosecdef AND NOT coalesce(
  proconfig && ARRAY['search_path=pg_catalog, public', 'search_path=pg_catalog, public, pg_temp',
                     'search_path=pg_catalog', 'search_path=pg_catalog, pg_temp'], false)
""",
        "public-execute": """
SELECT signature, 'anybody may execute it' FROM routines
WHERE EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a
              WHERE a.grantee = 0)
""",
        # A leakproof function is run before the wall's own condition.
        "leakproof": """
SELECT signature, 'claims to leak nothing' FROM routines WHERE proleakproof
""",
        "grant": """
SELECT name, coalesce(r.rolname::text, 'PUBLIC') || ' holds ' || a.privilege_type
FROM ours CROSS JOIN aclexplode(relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee = 0 OR (r.rolname = :app AND (a.is_grantable
  OR a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')))
UNION ALL
SELECT name || '.' || c.attname,
       coalesce(r.rolname::text, 'PUBLIC') || ' holds ' || a.privilege_type
FROM ours JOIN pg_attribute c ON c.attrelid = ours.oid CROSS JOIN aclexplode(c.attacl) a
     LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee = 0 OR (r.rolname = :app AND a.privilege_type = 'REFERENCES')
""",
        # Of a superuser this says nothing new; see "role".
        "schema": """
SELECT nspname::text, CASE nspname
  WHEN 'public' THEN 'the application may create in it' ELSE 'a schema outside this inspection' END
FROM pg_namespace n JOIN pg_roles r ON r.rolname = :app AND NOT r.rolsuper
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND has_schema_privilege(:app, n.oid, CASE nspname WHEN 'public' THEN 'CREATE' ELSE 'USAGE' END)
""",
        "role": """
SELECT rolname::text, 'may do more than its work' FROM pg_roles
WHERE (rolname = ANY (:definers || ARRAY[:app, :owner]) AND (rolsuper OR rolbypassrls))
   OR (rolname = ANY (:definers || ARRAY[:app])
       AND (rolcreaterole OR rolcreatedb OR rolreplication))
   OR (rolname = ANY (:definers) AND rolcanlogin)
UNION ALL
SELECT pg_get_userbyid(m.member)::text, 'is a member of ' || pg_get_userbyid(m.roleid)::text
FROM pg_auth_members m
WHERE pg_get_userbyid(m.member)::text = ANY (:definers || ARRAY[:app])
   OR (pg_get_userbyid(m.roleid)::text = ANY (:definers || ARRAY[:app, :owner])
       AND pg_get_userbyid(m.member)::text <> :owner)
UNION ALL
SELECT :app, 'owns ' || pg_describe_object(s.classid, s.objid, s.objsubid) FROM pg_shdepend s
WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
  AND s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND pg_get_userbyid(s.refobjid) = :app
""",
    }
)
