"""Rows of an older release have what the newer one needs, after its migration, and back again."""

from __future__ import annotations

import psycopg
from alembic import command
from sqlalchemy import create_engine

from huiyin.cases.tasks import SCAN
from huiyin.db.bootstrap import libpq
from huiyin.evidence.tasks import SWEEP
from huiyin.kit.ids import uuid7
from huiyin.migrations import CORE, config_for
from huiyin.queue.forgetting import FORGET
from huiyin.testing.database import copy_template, worker_name

CLOCK = """
INSERT INTO clock (tenant_id, id, case_id, kind, key, title, stage, started_at, due_on, due_at,
  amount, unit, state, audience, origin, provisional, calendar_version, reminded)
VALUES (%s, %s, %s, 'reply', 'reply#1', 'reply', '', now(), current_date, now(), 15, 'workday', %s,
  'internal', '{}', false, 'cn-2026', 0)
"""

SCHEDULE = """
INSERT INTO schedule (tenant_id, id, name, kind, payload, due_at, every)
VALUES (%s, %s, %s, %s, '{}', now(), interval '1 day')
"""


def test_running_clocks_wait_for_a_look_and_others_do_not(postgres):
    name = f"huiyin_filling_{worker_name()}"
    addresses = copy_template(postgres, name)
    owner = create_engine(addresses.owner)
    firms = [uuid7(), uuid7()]
    try:
        with owner.begin() as connection:
            command.downgrade(config_for(CORE, "huiyin", connection), "0014")
        with psycopg.connect(libpq(postgres.url(name=name))) as superuser:
            superuser.execute("SET session_replication_role = replica")
            for firm in firms:
                for state in ("running", "paused", "met"):
                    superuser.execute(CLOCK, (firm, uuid7(), uuid7(), state))
        with owner.begin() as connection:
            command.upgrade(config_for(CORE, "huiyin", connection), "head")
        with psycopg.connect(libpq(postgres.url(name=name))) as superuser:
            rows = superuser.execute("SELECT state, look_by, look_at FROM clock").fetchall()
            (forced,) = superuser.execute(
                "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'clock'"
            ).fetchone()
    finally:
        owner.dispose()
    expected = [("running", "cn-2026 ", None), ("paused", None, None), ("met", None, None)]
    assert sorted(rows, key=str) == sorted(expected * len(firms), key=str)
    assert forced


def test_work_that_the_older_release_does_not_know_does_not_return_there(postgres):
    name = f"huiyin_leaving_{worker_name()}"
    addresses = copy_template(postgres, name)
    owner = create_engine(addresses.owner)
    try:
        with psycopg.connect(libpq(postgres.url(name=name))) as superuser:
            superuser.execute("SET session_replication_role = replica")
            for firm in (uuid7(), uuid7()):
                for kind in (FORGET, SCAN, SWEEP):
                    superuser.execute(SCHEDULE, (firm, uuid7(), kind, kind))
        with owner.begin() as connection:
            command.downgrade(config_for(CORE, "huiyin", connection), "0014")
        with psycopg.connect(libpq(postgres.url(name=name))) as superuser:
            rows = superuser.execute("SELECT kind FROM schedule").fetchall()
            (forced,) = superuser.execute(
                "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'schedule'"
            ).fetchone()
    finally:
        owner.dispose()
    assert sorted(rows) == sorted([(SCAN,), (SWEEP,)] * 2)
    assert forced
