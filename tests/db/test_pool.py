"""One connection, handed from firm to firm: however the first leaves it, the next sees nothing.

A pool of one makes the hand-over certain; nothing here waits or races.
"""

from __future__ import annotations

import uuid
from contextlib import nullcontext

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, OperationalError

from huiyin.db import platform_session, tenant_session
from huiyin.db.engine import application_engine
from huiyin.tenancy.models import Counter

COUNT = text("SELECT count(*) FROM counter")
SETTINGS = text(
    "SELECT nullif(current_setting('huiyin.tenant', true), ''),"
    " nullif(current_setting('huiyin.actor', true), ''),"
    " nullif(current_setting('huiyin.purpose', true), '')"
)


@pytest.fixture
def pool(engine, addresses):
    """An engine with a single connection, on the emptied database."""
    single = application_engine(addresses.app, pool=1, overflow=0)
    yield single
    single.dispose()


@pytest.fixture
def firms(make_tenant, engine):
    """Two firms, with one and two rows."""
    made = make_tenant("qinghe"), make_tenant("yuancen")
    for number, firm in enumerate(made, start=1):
        with tenant_session(engine, firm.id) as session:
            session.add_all(Counter(name=f"{n}") for n in range(number))
            session.commit()
    return made


def of(pool, firm):
    return tenant_session(pool, firm.id, actor_id=uuid.uuid4(), purpose="reading")


def commits(session):
    session.add(Counter(name="more"))
    session.commit()
    session.execute(COUNT)


def rolls_back(session):
    session.add(Counter(name="more"))
    session.flush()
    session.rollback()
    session.execute(COUNT)


def raises(session):
    session.execute(COUNT)
    raise ZeroDivisionError


def breaks(session):
    session.execute(text("SELECT 1 / 0"))


def times_out(session):
    session.execute(text("SET LOCAL statement_timeout = '5ms'"))
    session.execute(text("SELECT pg_sleep(60)"))


def stops_in_a_savepoint(session):
    session.begin_nested()
    session.execute(COUNT)
    raise ZeroDivisionError


def is_killed(session):
    session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def is_left_open(session):
    session.add(Counter(name="more"))
    session.flush()


def remembers_nobody(pool):
    with pool.connect() as bare:
        assert bare.execute(COUNT).scalar_one() == 0
        assert bare.execute(SETTINGS).one() == (None, None, None)
        assert bare.execute(text("SHOW statement_timeout")).scalar_one() == "0"


LEAVINGS = {
    commits: None,
    rolls_back: None,
    is_left_open: None,
    raises: ZeroDivisionError,
    stops_in_a_savepoint: ZeroDivisionError,
    breaks: DataError,
    times_out: OperationalError,
    is_killed: OperationalError,
}


@pytest.mark.parametrize(
    ("leave", "error"), LEAVINGS.items(), ids=[leave.__name__ for leave in LEAVINGS]
)
def test_the_next_borrower_sees_only_its_own(pool, firms, leave, error):
    first, second = firms
    with pytest.raises(error) if error else nullcontext(), of(pool, first) as session:
        leave(session)
    assert pool.pool.checkedout() == 0
    remembers_nobody(pool)
    with of(pool, second) as session:
        assert session.execute(COUNT).scalar_one() == 2
        assert {row.tenant_id for row in session.scalars(select(Counter))} == {second.id}
    with platform_session(pool) as session:
        assert session.execute(COUNT).scalar_one() == 0
    remembers_nobody(pool)


def test_the_firm_holds_through_savepoints_and_is_gone_after_the_commit(pool, firms):
    first, _ = firms
    with of(pool, first) as session:
        session.execute(COUNT)
        savepoint = session.begin_nested()
        assert session.execute(COUNT).scalar_one() == 1
        savepoint.rollback()
        assert session.execute(COUNT).scalar_one() == 1
        with session.begin_nested():
            assert session.execute(COUNT).scalar_one() == 1
        assert session.execute(SETTINGS).one()[0] == str(first.id)
        session.commit()
        remembers_nobody(pool)


def test_a_session_that_goes_on_after_its_commit_is_for_the_same_firm(pool, firms):
    _, second = firms
    with of(pool, second) as session:
        for _ in range(3):
            assert session.execute(COUNT).scalar_one() == 2
            session.commit()


def test_a_bare_connection_was_never_anybodys(pool, firms):
    with pool.connect() as bare:
        assert bare.execute(COUNT).scalar_one() == 0


def test_a_setting_made_for_good_would_be_seen_here(pool, firms):
    """The mistake this file is about: were it made, the assertions above would notice."""
    first, _ = firms
    with pool.connect() as bare:
        bare.execute(
            text("SELECT set_config('huiyin.tenant', :firm, false)"), {"firm": str(first.id)}
        )
        bare.commit()
    with pool.connect() as bare:
        assert bare.execute(COUNT).scalar_one() == 1
