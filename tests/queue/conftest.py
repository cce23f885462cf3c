"""Handlers that leave something countable behind, and a registry for each test alone."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, update

from huiyin.db import tenant_session
from huiyin.kit import failpoints
from huiyin.queue.models import Job
from huiyin.queue.registry import REGISTRY
from huiyin.tenancy.models import Counter

CHILD = Path(__file__).parent / "child.py"


def count(session, job):
    """Raise the counter named by the payload by one."""
    name = job.payload.get("name", "done")
    if not session.execute(
        update(Counter).where(Counter.name == name).values(value=Counter.value + 1)
    ).rowcount:
        session.add(Counter(name=name, value=1))


@pytest.fixture
def registry():
    """An empty registry with the handler ``count``, which hears of ``case.closed``."""
    with REGISTRY.isolated() as empty:
        empty.handler("count", on=["case.closed"])(count)
        yield empty


@pytest.fixture
def counted(engine, tenant) -> Callable[..., int]:
    """How often the handler's effect is in the database."""

    def read(name="done", of=None):
        with tenant_session(engine, (of or tenant).id) as session:
            return session.scalar(select(Counter.value).where(Counter.name == name)) or 0

    return read


@pytest.fixture
def job_of(engine, tenant):
    """The row of a job, as committed."""

    def read(job_id, of=None):
        with tenant_session(engine, (of or tenant).id) as session:
            return session.scalars(select(Job).where(Job.id == job_id)).one()

    return read


@pytest.fixture
def child(engine):
    """Run a step in a process of its own, which a failpoint may kill; answers its exit code."""

    def run(step, *arguments, fault=None):
        environment = {
            **os.environ,
            "TEST_DATABASE": engine.url.render_as_string(hide_password=False),
            **({failpoints.VARIABLE: fault} if fault else {}),
        }
        command = [sys.executable, str(CHILD), step, *map(str, arguments)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode in {0, -9}, done.stderr
        return done.returncode

    return run


@pytest.fixture
def two_at_once():
    """Run something in two threads that start together; answers both results."""

    def run(work):
        together = threading.Barrier(2)

        def one():
            together.wait(timeout=20)
            return work()

        with ThreadPoolExecutor(2) as pool:
            return [future.result() for future in [pool.submit(one), pool.submit(one)]]

    return run
