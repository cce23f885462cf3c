"""Two requests that meet: the second is run again, once."""

import pytest
from litestar import Response
from psycopg.errors import AdminShutdown, DeadlockDetected
from sqlalchemy.exc import IntegrityError, OperationalError

from huiyin.web import routes


class Desk:
    """All that the wrapper touches."""

    def __init__(self):
        self.resets = 0

    def reset(self):
        self.resets += 1

    def close(self):
        pass


@pytest.fixture
def answered(monkeypatch):
    monkeypatch.setattr(routes, "answer", lambda _desk, error, **_: type(error).__name__)

    def run(*failures):
        left, desk = list(failures), Desk()

        def once():
            if left:
                raise left.pop(0)
            return Response("done")

        done = routes._answered(desk, once, api=False)
        return (done.content if isinstance(done, Response) else done), desk.resets

    return run


def deadlock():
    return OperationalError("UPDATE", {}, DeadlockDetected())


def test_what_met_another_is_run_again_once(answered):
    assert answered(deadlock()) == ("done", 1)
    assert answered(IntegrityError("INSERT", {}, Exception())) == ("done", 1)
    assert answered(deadlock(), deadlock()) == ("Unavailable", 1)


def test_a_server_that_is_away_is_not_asked_twice(answered):
    assert answered(OperationalError("SELECT", {}, AdminShutdown())) == ("Unavailable", 0)
