"""The gate of the wall is shut on what we ship, and each of its rules can go red.

Every mutant is a migration somebody could write by mistake, run inside a transaction that is
rolled back.
"""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from huiyin.db import Base, PlatformModel, TenantModel
from huiyin.db.catalogue import (
    DEFINER_FUNCTIONS,
    DEFINER_POLICIES,
    PLATFORM_TABLES,
    RULES,
    inspect,
)
from huiyin.db.engine import APP

WALL = "tenant_id = (SELECT nullif(current_setting('huiyin.tenant', true), '')::uuid)"
BODY = "LANGUAGE sql SET search_path = pg_catalog, public AS 'SELECT 1'"

# rule, then the statements of one migration
MUTANTS: list[tuple[str, ...]] = [
    ("row-security", "ALTER TABLE counter NO FORCE ROW LEVEL SECURITY"),
    ("row-security", "ALTER TABLE counter DISABLE ROW LEVEL SECURITY"),
    ("row-security", "CREATE TABLE loose (tenant_id uuid PRIMARY KEY)"),
    ("policy", "ALTER POLICY tenant_wall ON counter USING (true)"),
    ("policy", "ALTER POLICY tenant_wall ON counter WITH CHECK (true)"),
    ("policy", f"CREATE POLICY second ON counter TO huiyin_app USING ({WALL} OR value = 0)"),
    ("policy", "CREATE POLICY second ON counter FOR SELECT TO PUBLIC USING (true)"),
    (
        "policy",
        "DROP POLICY tenant_wall ON counter",
        f"CREATE POLICY tenant_wall ON counter TO huiyin_app USING ({WALL})",
    ),
    ("policy", "DROP POLICY tenant_wall ON counter"),
    ("definer-policy", "CREATE POLICY peek ON counter FOR SELECT TO huiyin_search USING (true)"),
    ("definer-policy", "CREATE POLICY peek ON counter TO huiyin_owner USING (true)"),
    (
        "definer-policy",
        "CREATE POLICY more ON membership FOR UPDATE TO huiyin_directory USING (true)",
    ),
    ("view", "CREATE VIEW peek AS SELECT * FROM counter"),
    ("view", "CREATE VIEW peek WITH (security_invoker = off) AS SELECT * FROM counter"),
    (
        "materialised-view",
        "CREATE MATERIALIZED VIEW peek AS SELECT * FROM counter",
        "GRANT SELECT ON peek TO huiyin_app",
    ),
    (
        "materialised-view",
        "CREATE MATERIALIZED VIEW peek AS SELECT * FROM counter",
        "GRANT SELECT (value) ON peek TO huiyin_app",
    ),
    ("child-table", "CREATE TABLE counter_2026 () INHERITS (counter)"),
    (
        "foreign-table",
        "CREATE FOREIGN DATA WRAPPER w",
        "CREATE SERVER s FOREIGN DATA WRAPPER w",
        "CREATE FOREIGN TABLE peek (tenant_id uuid) SERVER s",
    ),
    ("unlisted-table", "CREATE TABLE notes (id uuid PRIMARY KEY, body text)"),
    ("platform-table", "ALTER TABLE account ADD COLUMN tenant_id uuid"),
    (
        "tenant-column",
        "ALTER TABLE counter DROP CONSTRAINT pk_counter, ALTER COLUMN tenant_id DROP NOT NULL",
    ),
    ("unique", "CREATE UNIQUE INDEX u ON counter (name)"),
    ("unique", "CREATE UNIQUE INDEX u ON counter (name, tenant_id)"),
    ("unique", "CREATE UNIQUE INDEX u ON counter (lower(name))"),
    ("unique", "ALTER TABLE counter DROP CONSTRAINT pk_counter, ADD PRIMARY KEY (id, tenant_id)"),
    ("foreign-key", "ALTER TABLE counter ADD COLUMN account_id uuid REFERENCES account (id)"),
    ("foreign-key", "ALTER TABLE counter ADD FOREIGN KEY (id) REFERENCES tenant (id)"),
    # Crossed over: their firm against our id.
    ("foreign-key", "ALTER TABLE counter ADD FOREIGN KEY (id, tenant_id) REFERENCES membership"),
    # A table of the platform would tell whether a firm's row exists.
    ("foreign-key", "ALTER TABLE engagement ADD FOREIGN KEY (tenant_id, id) REFERENCES counter"),
    (
        "definer-function",
        f"CREATE FUNCTION f() RETURNS int SECURITY DEFINER {BODY}",
        "REVOKE ALL ON FUNCTION f FROM PUBLIC",
    ),
    ("definer-function", "ALTER FUNCTION directory_memberships OWNER TO huiyin_owner"),
    (
        "definer-function",
        f"CREATE FUNCTION directory_memberships() RETURNS int SECURITY DEFINER {BODY}",
        "REVOKE ALL ON FUNCTION directory_memberships() FROM PUBLIC",
        "ALTER FUNCTION directory_memberships() OWNER TO huiyin_directory",
    ),
    ("search-path", "ALTER FUNCTION directory_memberships RESET search_path"),
    ("search-path", "ALTER FUNCTION directory_memberships SET search_path = public, pg_catalog"),
    ("public-execute", "GRANT EXECUTE ON FUNCTION directory_memberships TO PUBLIC"),
    ("public-execute", f"CREATE FUNCTION f() RETURNS int {BODY}"),
    ("leakproof", "ALTER FUNCTION directory_memberships LEAKPROOF"),
    ("grant", "GRANT TRUNCATE ON counter TO huiyin_app"),
    ("grant", "GRANT REFERENCES ON counter TO huiyin_app"),
    ("grant", "GRANT REFERENCES (id) ON counter TO huiyin_app"),
    ("grant", "GRANT TRIGGER ON account TO huiyin_app"),
    ("grant", "GRANT SELECT ON counter TO huiyin_app WITH GRANT OPTION"),
    ("grant", "GRANT SELECT ON account TO PUBLIC"),
    ("grant", "GRANT SELECT (password_hash) ON account TO PUBLIC"),
    ("schema", "GRANT CREATE ON SCHEMA public TO huiyin_app"),
    ("schema", "CREATE SCHEMA side", "GRANT USAGE ON SCHEMA side TO PUBLIC"),
    ("role", "ALTER ROLE huiyin_app SUPERUSER"),
    ("role", "ALTER ROLE huiyin_app BYPASSRLS"),
    ("role", "ALTER ROLE huiyin_app CREATEROLE"),
    ("role", "GRANT huiyin_ledger TO huiyin_app"),
    ("role", "GRANT pg_read_all_data TO huiyin_app"),
    ("role", "ALTER ROLE huiyin_search LOGIN"),
    ("role", "ALTER ROLE huiyin_owner BYPASSRLS"),
    ("role", "CREATE SEQUENCE mine", "ALTER SEQUENCE mine OWNER TO huiyin_app"),
]


@pytest.fixture(scope="module")
def superuser(postgres, addresses):
    engine = create_engine(postgres.url(name="huiyin_test"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(superuser, engine):  # emptied, so that old rows stop no mutant
    with superuser.connect() as opened:
        yield opened
        opened.rollback()


def test_the_migrated_database_has_no_opening(connection):
    assert inspect(connection) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{n}-{m[0]}" for n, m in enumerate(MUTANTS)])
def test_a_mutant_turns_its_rule_red_and_no_other(connection, mutant):
    rule, *statements = mutant
    before = set(inspect(connection))
    for statement in statements:
        connection.execute(text(statement))
    assert {finding.rule for finding in set(inspect(connection)) - before} == {rule}


def test_every_rule_has_a_mutant():
    assert {rule for rule, *_ in MUTANTS} == set(RULES)


HARMLESS = [
    "CREATE VIEW peek WITH (security_invoker = on) AS SELECT * FROM counter",
    "CREATE POLICY narrow ON counter AS RESTRICTIVE TO huiyin_app USING (value > 0)",
    "CREATE MATERIALIZED VIEW peek AS SELECT * FROM counter",
    "ALTER TABLE counter ADD FOREIGN KEY (tenant_id) REFERENCES tenant (id)",
    "ALTER TABLE counter ADD FOREIGN KEY (tenant_id, id) REFERENCES membership",
    "CREATE UNIQUE INDEX u ON counter (tenant_id, value)",
    "CREATE EXTENSION pg_trgm",
]


@pytest.mark.parametrize("change", HARMLESS, ids=range(len(HARMLESS)))
def test_what_opens_nothing_is_let_through(connection, change):
    before = inspect(connection)
    connection.execute(text(change))
    assert inspect(connection) == before


def tables_of(kind: type[Base]) -> set[str]:
    return {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, kind)
    }


@pytest.mark.usefixtures("connection")  # the fixture has imported every model
def test_the_list_of_platform_tables_is_that_of_the_models():
    assert tables_of(PlatformModel) == PLATFORM_TABLES
    assert not tables_of(TenantModel) & PLATFORM_TABLES


def test_the_lists_name_nothing_that_is_gone(connection):
    """A forgotten line would let a later thing of the same name through."""
    functions = connection.execute(
        text("SELECT proname, proowner::regrole::text FROM pg_proc WHERE prosecdef")
    )
    assert {tuple(row) for row in functions} >= set(DEFINER_FUNCTIONS.items())
    policies = connection.execute(
        text(
            "SELECT polrelid::regclass::text, r.rolname::text, polcmd::text FROM pg_policy"
            " CROSS JOIN unnest(polroles) AS subject JOIN pg_roles r ON r.oid = subject"
        )
    )
    assert {tuple(row) for row in policies} >= DEFINER_POLICIES


def test_the_application_holds_what_each_model_declares_and_no_more(connection):
    held: dict[str, set[str]] = {}
    for table, right in connection.execute(
        text(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = :app AND table_schema = 'public'"
        ),
        {"app": APP},
    ):
        held.setdefault(table, set()).add(right)
    declared = {
        mapper.local_table.name: set(mapper.class_.__grants__.split(", "))
        for mapper in Base.registry.mappers
        if not mapper.local_table.name.startswith("plugin_")
    }
    assert {name: held.get(name, set()) for name in declared} == declared
