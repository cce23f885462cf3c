"""Fixtures that every plugin's tests get by installing huiyin.

``engine`` is the application's role on a real, migrated PostgreSQL, emptied before each test
that asks for it.  ``tenant``, ``session`` and ``actor`` are a firm, a session behind its wall,
and a complaint officer in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from huiyin.db import ScopedSession
    from huiyin.db.embedded import EmbeddedPostgres
    from huiyin.db.engine import Addresses
    from huiyin.identity.actor import Actor
    from huiyin.tenancy.models import Tenant


@pytest.fixture(scope="session")
def postgres(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedPostgres]:
    """The cluster of this worker, with the migrated template."""
    from huiyin.testing import database  # noqa: PLC0415 - only runs that use a database pay

    plugins = {
        entry.name: entry.value.rsplit(".", 1)[0]
        for entry in entry_points(group="huiyin.plugins")
    }
    with database.test_server() as server:
        database.make_template(server, plugins)
        yield server


@pytest.fixture(scope="session")
def addresses(postgres: EmbeddedPostgres) -> Addresses:
    from huiyin.testing import database  # noqa: PLC0415

    return database.copy_template(postgres, "huiyin_test")


@pytest.fixture(scope="session")
def _engine(addresses: Addresses) -> Iterator[Engine]:
    from huiyin.testing import database  # noqa: PLC0415

    engine = database.engine_for(addresses)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: Engine, postgres: EmbeddedPostgres) -> Engine:
    """The application's engine on an empty database."""
    from huiyin.testing import database  # noqa: PLC0415

    database.empty_tables(postgres, "huiyin_test")
    return _engine


@pytest.fixture
def make_tenant(engine: Engine) -> Callable[..., Tenant]:
    """``make_tenant("qinghe")`` creates and commits a firm."""
    from huiyin.testing import factories  # noqa: PLC0415

    return lambda slug="qinghe", **facts: factories.make_tenant(engine, slug, **facts)


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant("qinghe")


@pytest.fixture
def make_actor(engine: Engine, tenant: Tenant) -> Callable[..., Actor]:
    """``make_actor("approver", name="顾明远")`` creates a member and answers as them."""
    from huiyin.testing import factories  # noqa: PLC0415

    def make(*roles: str, name: str | None = None, of: Tenant | None = None) -> Actor:
        return factories.make_actor(engine, of or tenant, *roles, name=name)

    return make


@pytest.fixture
def actor(make_actor: Callable[..., Actor]) -> Actor:
    return make_actor("complaint_officer", name="沈佳宁")


@pytest.fixture
def session(engine: Engine, tenant: Tenant, actor: Actor) -> Iterator[ScopedSession]:
    """A session behind the firm's wall.  Commit what another session should see."""
    from huiyin.db import tenant_session  # noqa: PLC0415

    with tenant_session(engine, tenant.id, actor_id=actor.id) as opened:
        yield opened
