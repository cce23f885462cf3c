"""A connection that goes while plugins are asked is no fault of theirs."""

import psycopg
import pytest
from sqlalchemy import event, select

from huiyin.db import tenant_session
from huiyin.db.straight import ask
from huiyin.tenancy.models import PluginHealth


@pytest.fixture
def cut(engine):
    """``cut(text)`` ends the connection just before the first statement with this in it."""
    left = []

    def hears(connection, _cursor, statement, *_rest):
        if left and left[0] in statement:
            left.clear()
            driver = connection.connection.driver_connection
            gone = driver.info.backend_pid
            password = connection.engine.url.password or None
            with psycopg.connect(driver.info.dsn, password=password, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (gone,))

    event.listen(engine, "before_cursor_execute", hears)
    yield left.append
    event.remove(engine, "before_cursor_execute", hears)


@pytest.mark.parametrize("at", ["SAVEPOINT", "plugin_", "ROLLBACK TO"])
def test_the_page_says_that_it_is_away_and_blames_no_plugin(at, cut, ours, come, engine, tenant):
    officer, page = come("complaint_officer").person, f"/t/qinghe/w/cases/{ours.number}"
    assert officer.get(page).status_code == 200
    for _ in range(6):
        cut(at)
        assert officer.get(page).status_code == 503
    assert officer.get(page).status_code == 200
    with tenant_session(engine, tenant.id) as session:
        blamed = session.scalars(select(PluginHealth).where(PluginHealth.failures > 0)).all()
        assert blamed == []
        assert ask(session.connection(), b"SELECT 1").rows == [(1,)]
