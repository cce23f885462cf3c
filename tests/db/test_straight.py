"""Statements that go straight to the driver behave as SQLAlchemy's own do."""

import uuid

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError

from huiyin.db import tenant_session
from huiyin.db.straight import Dialect, ask
from huiyin.tenancy.models import Counter


def test_rows_come_with_the_names_of_their_columns(session):
    answer = ask(session.connection(), b"SELECT 1 AS one, %(word)s::text AS word", {"word": "字"})
    assert answer.names == ["one", "word"]
    assert answer.rows == [(1, "字")]


def test_what_gives_no_rows_has_neither_rows_nor_names(session):
    assert ask(session.connection(), b"CREATE TEMP TABLE gone (n int)") == ((), ())
    assert ask(session.connection(), b"INSERT INTO gone VALUES (1)") == ((), ())
    assert ask(session.connection(), b"SELECT n FROM gone WHERE n = 2").rows == []


def test_without_values_a_percent_sign_is_itself(session):
    assert ask(session.connection(), b"SELECT 'a%b'").rows == [("a%b",)]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (b"SELECT 1/(%(n)s::int - 1)", DataError),
        (b"SELECT nothing FROM nowhere WHERE 1 = %(n)s", ProgrammingError),
        (
            (
                b"INSERT INTO counter (tenant_id, id, name, value)"
                b" SELECT tenant_id, id, name, %(n)s FROM counter"
            ),
            IntegrityError,
        ),
    ],
)
def test_errors_are_told_in_the_same_words(session, statement, kind):
    session.add(Counter(name="one", value=1))
    session.flush()
    with pytest.raises(kind) as straight, session.begin_nested():
        ask(session.connection(), statement, {"n": 1})
    with pytest.raises(kind) as usual, session.begin_nested():
        session.connection().exec_driver_sql(statement.decode(), {"n": 1})
    assert str(straight.value) == str(usual.value)
    assert straight.value.statement == statement.decode()
    assert not straight.value.connection_invalidated


def test_a_lost_connection_empties_the_pool(engine, tenant, postgres):
    with tenant_session(engine, tenant.id) as first, tenant_session(engine, tenant.id) as other:
        gone = ask(first.connection(), b"SELECT pg_backend_pid()").rows[0][0]
        kept = ask(other.connection(), b"SELECT pg_backend_pid()").rows[0][0]
        other.commit()
        with engine.connect() as same_role:
            same_role.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": gone})
        with pytest.raises(OperationalError) as lost:
            ask(first.connection(), b"SELECT 1")
        assert lost.value.connection_invalidated
    with tenant_session(engine, tenant.id) as later:
        assert ask(later.connection(), b"SELECT pg_backend_pid()").rows[0][0] not in {gone, kept}


def test_who_listens_to_statements_hears_these_too(engine, session):
    heard = []
    connection = session.connection()

    def hears(_connection, _cursor, statement, values, *_rest):
        heard.append((statement, values))

    event.listen(engine, "before_cursor_execute", hears)
    try:
        ask(connection, b"SELECT %(n)s::int", {"n": 1})
    finally:
        event.remove(engine, "before_cursor_execute", hears)
    assert heard == [("SELECT %(n)s::int", {"n": 1})]


def test_savepoints_go_the_same_way(engine, session):
    assert isinstance(engine.dialect, Dialect)
    name = uuid.uuid4().hex
    session.add(Counter(name=name, value=1))
    with session.begin_nested() as kept:
        session.add(Counter(name=f"{name} kept", value=2))
        kept.commit()
    with session.begin_nested() as undone:
        session.add(Counter(name=f"{name} undone", value=3))
        session.flush()
        undone.rollback()
    session.commit()
    found = ask(session.connection(), b"SELECT value FROM counter ORDER BY value")
    assert found.rows == [(1,), (2,)]
