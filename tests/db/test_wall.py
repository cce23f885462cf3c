"""The wall, by shape of query."""

import uuid

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from huiyin.db import (
    ScopedSession,
    TenantScopeMissing,
    WallBreached,
    platform_session,
    tenant_session,
)
from huiyin.tenancy.models import Counter

Alias = aliased(Counter)
READS = {
    "entities": select(Counter),
    "columns": select(Counter.name),
    "aliases": select(Alias),
    "joins": select(Counter.name).join(Alias, Alias.name == Counter.name),
    "subqueries": select(select(Counter).subquery().c.name),
    "ctes": select(select(Counter).cte().c.name),
    "existence": select(Counter.id).where(select(Counter.id).exists()),
    "unions": select(Counter.name).union_all(select(Counter.name)),
    "core tables": select(Counter.__table__.c.name),
    "plain SQL": text("SELECT name FROM counter"),
}


@pytest.fixture
def stranger(session, engine, make_tenant):
    """A session of another firm, after the first has written a row."""
    session.add(Counter(name="hidden", value=7))
    session.commit()
    with tenant_session(engine, make_tenant("yuancen").id) as other:
        yield other


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_no_read_crosses_the_wall(stranger, read):
    assert stranger.execute(read).all() == []


def test_no_count_crosses_the_wall(stranger):
    assert stranger.scalar(select(func.count()).select_from(Counter)) == 0


@pytest.mark.parametrize("write", [update(Counter).values(value=9), delete(Counter)])
def test_no_bulk_write_crosses_the_wall(stranger, session, write):
    if write.is_delete:
        with pytest.raises(DBAPIError, match="permission denied"):
            stranger.execute(write)
        return
    assert stranger.execute(write).rowcount == 0
    stranger.commit()
    assert session.scalar(select(Counter.value)) == 7


def test_a_row_cannot_be_written_for_somebody_else(stranger, tenant):
    stranger.add(Counter(name="mine", tenant_id=tenant.id))
    with pytest.raises(WallBreached):
        stranger.flush()


def test_the_database_refuses_it_too(stranger, tenant):
    row = {"tenant_id": tenant.id, "id": uuid.uuid4(), "name": "core", "value": 1}
    with pytest.raises(DBAPIError, match="row-level security"):
        stranger.execute(insert(Counter.__table__).values(row))


def test_the_same_business_key_is_free_in_another_firm(stranger):
    stranger.add(Counter(name="hidden"))
    stranger.commit()


def test_a_session_nobody_scoped_refuses(engine):
    with ScopedSession(engine) as nobody, pytest.raises(TenantScopeMissing):
        nobody.execute(text("SELECT 1"))


def test_a_platform_session_sees_no_firms_rows(session, engine):
    session.add(Counter(name="hidden"))
    session.commit()
    with platform_session(engine) as platform:
        assert platform.scalars(select(Counter)).all() == []
        assert platform.execute(text("SELECT * FROM counter")).all() == []
        platform.add(Counter(name="nobody's"))
        with pytest.raises(TenantScopeMissing):
            platform.flush()
