"""Reads compiled once stand behind the wall like all others, and answer as these do."""

import pytest
from sqlalchemy import bindparam, func, select, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from huiyin.db import (
    Ready,
    ScopedSession,
    TenantScopeMissing,
    platform_session,
    tenant_session,
)
from huiyin.tenancy.models import Counter, Tenant

Alias = aliased(Counter)
READS = {
    "columns": select(Counter.name),
    "aliases": select(Alias.name),
    "outer joins": select(Counter.name, Alias.value).outerjoin(Alias, Alias.name == Counter.name),
    "subqueries": select(select(Counter.name).subquery().c.name),
    "ctes": select(select(Counter.name).cte().c.name),
    "existence": select(Counter.id).where(select(Counter.id).exists()),
    "unions": union_all(select(Counter.name), select(Counter.name)),
    "sums": select(func.sum(Counter.value)).having(func.count() > 0),
}


@pytest.fixture
def stranger(session, engine, make_tenant):
    """A session of another firm, after the first has written a row."""
    session.add(Counter(name="hidden", value=7))
    session.commit()
    with tenant_session(engine, make_tenant("yuancen").id) as other:
        yield other


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_it_answers_as_the_statement_does_and_crosses_no_wall(stranger, session, read):
    ready = Ready(read)
    assert ready.run(stranger).all() == []
    assert ready.run(session).all() == session.execute(read).all() != []


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_the_tenant_stands_in_its_text(read):
    assert "tenant_id = %(huiyin_tenant)s" in str(Ready(read))


def test_the_first_wall_alone_holds(stranger, tenant):
    # As if the second had fallen: the transaction names the other firm, the session does not.
    setting = select(func.set_config("huiyin.tenant", str(tenant.id), True))
    assert stranger.execute(setting).scalar_one()
    assert stranger.connection().exec_driver_sql("SELECT name FROM counter").all() != []
    assert Ready(select(Counter.name)).run(stranger).all() == []


def test_a_firms_rows_are_not_asked_for_on_the_platform(engine, tenant):
    with platform_session(engine) as platform:
        with pytest.raises(TenantScopeMissing):
            Ready(select(Counter.name)).run(platform)
        slugs = Ready(select(Tenant.slug).where(Tenant.id == bindparam("of")))
        assert slugs.run(platform, of=tenant.id).scalar_one() == tenant.slug


def test_a_session_nobody_scoped_refuses(engine):
    with ScopedSession(engine) as nobody, pytest.raises(TenantScopeMissing):
        Ready(select(Tenant.slug)).run(nobody)


def test_it_sees_what_was_written_before_it(session):
    session.add(Counter(name="new", value=1))
    named = Ready(select(Counter.value).where(Counter.name == bindparam("name")))
    assert named.run(session, name="new").scalar_one() == 1
    assert named.run(session, name="old").all() == []


def test_a_parameter_left_out_is_a_fault(session):
    with pytest.raises(DBAPIError):
        Ready(select(Counter.value).where(Counter.name == bindparam("name"))).run(session)


def test_a_list_of_changing_length_has_no_fixed_text():
    with pytest.raises(TypeError, match="changes with its parameters"):
        Ready(select(Counter.value).where(Counter.name.in_(["a", "b"])))
