"""Fixtures that every plugin's tests get by installing huiyin.

``engine`` is the application's role on a real, migrated PostgreSQL, emptied before each test
that asks for it.  ``tenant``, ``session`` and ``actor`` are a firm, a session behind its wall,
and a complaint officer in it.  ``web(actor)`` is a browser logged in as somebody, ``public`` one
that is not, ``api(actor)`` a program with a token; ``queries`` hears every statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    from huiyin.testing.database import Broom
    from huiyin.testing.web import Browser, Place, Recorder
    from huiyin.web.site import Site


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The cluster of this worker, with the migrated template."""
    from huiyin.testing import database  # noqa: PLC0415 - only runs that use a database pay

    plugins = {
        entry.name: entry.value.rsplit(".", 1)[0] for entry in entry_points(group="huiyin.plugins")
    }
    with database.scratch_server() as server:
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


@pytest.fixture(scope="session")
def _broom(postgres: EmbeddedPostgres, addresses: Addresses) -> Iterator[Broom]:  # noqa: ARG001 - of the copy
    from huiyin.testing import database  # noqa: PLC0415

    broom = database.Broom(postgres, "huiyin_test")
    yield broom
    broom.close()


@pytest.fixture
def engine(_engine: Engine, _broom: Broom) -> Engine:
    """The application's engine on an empty database."""
    from huiyin.clocks import calendars  # noqa: PLC0415

    _broom.sweep()
    calendars.watch(_engine)
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


@pytest.fixture(scope="session", autouse=True)
def keys() -> None:
    """The installation secret of a test run."""
    from huiyin.kit import keys as kept  # noqa: PLC0415
    from huiyin.testing.web import SECRET  # noqa: PLC0415

    kept.configure(SECRET)


@pytest.fixture(autouse=True)
def _same_keys(keys: None) -> None:  # noqa: ARG001 - it comes first
    """An installation that a test made in this process has left its own secret behind."""
    from huiyin.kit import keys as kept  # noqa: PLC0415
    from huiyin.testing.web import SECRET  # noqa: PLC0415

    kept.configure(SECRET)


@pytest.fixture
def web_plugins() -> Sequence[str]:
    """The plugins installed on ``place``; a conftest may override it with its own."""
    return ()


@pytest.fixture(scope="session")
def _places(
    _engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Sequence[str]], Place]]:
    from huiyin.testing import web  # noqa: PLC0415

    made: dict[tuple[str, ...], Place] = {}

    def place(plugins: Sequence[str]) -> Place:
        key = tuple(plugins)
        if key not in made:
            made[key] = web.make_place(_engine, tmp_path_factory.mktemp("home"), key)
        return made[key]

    yield place
    for made_place in made.values():
        made_place.site.bus.stop()


@pytest.fixture
def place(
    engine: Engine,  # noqa: ARG001 - it empties the tables
    _places: Callable[[Sequence[str]], Place],
    web_plugins: Sequence[str],
) -> Place:
    """The whole application on the empty database, remembering nothing of the test before."""
    from huiyin.testing import web  # noqa: PLC0415

    found = _places(web_plugins)
    found.site.tenants.forget()
    found.host.forget()
    web.connect(found)
    return found


@pytest.fixture
def site(place: Place) -> Site:
    return place.site


@pytest.fixture
def web(place: Place) -> Callable[..., Browser]:
    """``web(actor)`` is a browser logged in as ``actor``; ``web()`` one that is not."""
    from huiyin.testing.web import log_in  # noqa: PLC0415

    return lambda actor=None: log_in(place, actor)


@pytest.fixture
def public(web: Callable[..., Browser]) -> Browser:
    """A browser of nobody known."""
    return web()


@pytest.fixture
def api(place: Place) -> Callable[..., Browser]:
    """``api(actor, *scopes)`` is a program with a token of ``actor``."""
    from huiyin.testing.web import program  # noqa: PLC0415

    return lambda actor, *scopes: program(place, actor, *scopes)


@pytest.fixture
def queries(engine: Engine) -> Iterator[Recorder]:
    """Every statement sent from here on; ``len(queries)`` counts them."""
    from huiyin.testing.web import listen  # noqa: PLC0415

    yield from listen(engine)
