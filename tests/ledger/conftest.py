"""A book of eight entries with two checkpoints, and a hand that can reach past all walls."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from huiyin.db.bootstrap import libpq
from huiyin.kit.time import clock_at
from huiyin.ledger import append, checkpoint

CASE = uuid.UUID("0192a3b4-0000-7000-8000-00000000000a")
OTHER = uuid.UUID("0192a3b4-0000-7000-8000-00000000000b")
START = datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=UTC)
PHONE = "13912345678"


@pytest.fixture
def superuser(postgres, engine):
    """What somebody with the database's keys can do, foreign keys and policies aside."""
    with psycopg.connect(libpq(postgres.url(name="huiyin_test")), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture
def book(session, actor):
    """Entries 1, 3, 5, 7 about one case, the others about another; checkpoints at 5 and 8."""
    receipts = []
    with clock_at(START, step=timedelta(minutes=1)):
        for number in range(1, 9):
            receipts.append(
                append(
                    session,
                    kind="case.moved",
                    object_id=CASE if number % 2 else OTHER,
                    actor_id=actor.id,
                    facts={"version": number, "stage": f"stage-{number}"},
                    commits={"phone": PHONE} if number == 3 else None,
                )
            )
            if number in (5, 8):
                checkpoint(session, origin="huiyin.test")
    session.commit()
    return receipts
