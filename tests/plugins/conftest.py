"""The stranger's plugin, built and installed as any stranger's would be, and a small site."""

import importlib
import shutil
import subprocess
import sys
import types
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest
from alembic import command
from litestar import Litestar, Request
from litestar.di import Provide
from litestar.testing import TestClient
from sqlalchemy import create_engine, text

from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.db import tenant_session
from huiyin.identity import policy
from huiyin.identity.actor import complainant_actor
from huiyin.kit import i18n, keys
from huiyin.migrations import config_for, upgrade
from huiyin.plugins import Kind, Manifest, PluginHost, activation
from huiyin.plugins.markers import hookimpl
from huiyin.queue.bus import Bus
from huiyin.queue.registry import REGISTRY
from huiyin.web.desk import Desk
from huiyin.web.render import environment
from huiyin.web.routes import MARK, audit
from huiyin.web.site import Site, WebSettings

HERE = Path(__file__).parent
STRANGER = HERE / "stranger"
FRONTEND = HERE.parents[1] / "frontend" / "src" / "huiyin_frontend"
LISTED = "call_back=acme-call-back==1.2.0"


def pip(*arguments):
    subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    )


def install(project, into, scratch):
    """Build the project's wheel without fetching anything, and unpack it into a folder."""
    copy = scratch / "source"
    shutil.copytree(project, copy)
    pip("wheel", str(copy), "--no-deps", "--no-build-isolation", "--no-index", "-w", str(scratch))
    (wheel,) = scratch.glob("*.whl")
    pip("install", str(wheel), "--no-deps", "--no-index", "--target", str(into))


def found_in(folder):
    """The plugins that distributions in one folder bring."""
    return [
        entry
        for distribution in distributions(path=[str(folder)])
        for entry in distribution.entry_points.select(group="huiyin.plugins")
    ]


def bring(name, value, distribution="", version="1.0"):
    """An entry point as an installed distribution of that name would bring it."""

    class Distribution:
        pass

    made = EntryPoint(name, value, "huiyin.plugins")
    if distribution:
        brings = Distribution()
        brings.name, brings.version = distribution, version
        object.__setattr__(made, "dist", brings)
    return made


@pytest.fixture(scope="session")
def stranger_home(tmp_path_factory):
    """A folder on the path with the stranger's distribution in it."""
    home = tmp_path_factory.mktemp("site")
    install(STRANGER, home, tmp_path_factory.mktemp("build"))
    sys.path.insert(0, str(home))
    importlib.invalidate_caches()
    yield home
    sys.path.remove(str(home))
    for name in [n for n in sys.modules if n.partition(".")[0] == "acme_call_back"]:
        del sys.modules[name]


@pytest.fixture
def stranger(stranger_home):
    """A host that has the stranger's plugin on its list."""
    known = dict(policy._extra)
    with REGISTRY.isolated():
        yield PluginHost((LISTED,), found=found_in(stranger_home))
    policy._extra.clear()
    policy._extra.update(known)
    policy.permissions_of.cache_clear()


@pytest.fixture
def tables(addresses, engine, stranger):
    """The stranger's tables, gone again afterwards: a plugin can leave."""
    upgrade(addresses.owner, stranger.migrations())
    yield
    owner = create_engine(addresses.owner)
    with owner.begin() as connection:
        command.downgrade(config_for("call_back", "acme_call_back", connection), "base")
        connection.execute(text("DROP TABLE plugin_call_back__version"))
        left = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'plugin_call_back%'")
        )
        assert left.scalar_one() == 0
    owner.dispose()


@pytest.fixture(autouse=True)
def secret():
    keys.configure(b"0123456789abcdef0123456789abcdef")


@pytest.fixture
def admin(make_actor):
    return make_actor("tenant_admin", name="林之航")


@pytest.fixture
def second(make_actor):
    return make_actor("approver", name="顾明远")


def site_of(engine, host):
    """A running site with one host, as the composition root makes it."""
    templates = environment(
        [FRONTEND / "templates", *host.template_folders()],
        [FRONTEND / "static", *host.static_folders()],
    )
    site = Site(
        engine=engine,
        settings=WebSettings(secret=b"s" * 32),
        translators=i18n.load([FRONTEND / "locale", *host.locale_folders()]),
        templates=templates,
        extensions=host,
        bus=Bus(engine),
    )
    host.equip(site.templates, site.translators)
    return site


@pytest.fixture
def site(engine, stranger):
    return site_of(engine, stranger)


@pytest.fixture
def client(site, stranger):
    """A browser before that site."""

    def provide(request: Request) -> Desk:
        return Desk(site, request)

    app = Litestar(
        route_handlers=stranger.route_handlers(),
        dependencies={"desk": Provide(provide, sync_to_thread=False)},
        openapi_config=None,
        opt={MARK: None},
    )
    audit(app)
    with TestClient(app) as browser:
        yield browser


@pytest.fixture
def firm(engine, tenant, admin):
    """``with firm() as session``: a session of the firm's administrator."""
    return lambda: tenant_session(engine, tenant.id, actor_id=admin.id)


@pytest.fixture
def switched_on(stranger, tables, firm, admin):
    """The stranger's plugin, on for the firm."""
    with firm() as session:
        activation.activate(stranger, session, admin, "call_back")
        session.commit()
    return stranger


@pytest.fixture
def case(engine, tenant):
    """A complaint that has just come in, committed."""
    with tenant_session(engine, tenant.id) as session:
        filing = Filing(
            channel="web", idem_key="k1", story="净值披露与合同不符", phone="13800006021"
        )
        filed = file_complaint(session, complainant_actor(tenant.id), filing)
        session.commit()
        return session.get_one(Case, (tenant.id, filed.case_id))


@pytest.fixture
def hooks(site, stranger, session, tenant, actor):
    """The firm's hooks, asked by its complaint officer."""

    def ask(host=stranger):
        return host.hooks_in(session, tenant, actor=actor)

    return ask


class Rogues:
    """Home-made plugins, good and bad: each is one module importable while the test runs."""

    GOOD = Manifest(title="小插件", summary="只为试验", kind=Kind.ASSIST)

    def module(self, name, manifest=GOOD, **hooks):
        package = types.ModuleType(f"rogue_{name}")
        package.__path__, package.__file__ = [], f"/nowhere/rogue_{name}/__init__.py"
        made = types.ModuleType(f"rogue_{name}.plugin")
        if manifest is not None:
            made.MANIFEST = manifest
        for hook, function in hooks.items():
            setattr(made, hook, hookimpl(function))
        sys.modules[package.__name__] = package
        sys.modules[made.__name__] = made
        return made


@pytest.fixture
def rogues():
    yield Rogues()
    for name in [n for n in sys.modules if n.startswith("rogue_")]:
        del sys.modules[name]


@pytest.fixture
def entry():
    return bring


class Installer:
    """Wheels in and out of folders, as pip does it."""

    STRANGER = STRANGER
    install = staticmethod(install)
    found_in = staticmethod(found_in)


@pytest.fixture
def installer():
    return Installer
