"""From settings to a running installation: database, plugins, site, worker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from litestar.types import ASGIApp
from sqlalchemy import Engine

from huiyin.app import asgi
from huiyin.app.routes import PANELS
from huiyin.app.settings import Settings, database, refuse_unsafe
from huiyin.archive.figures import FIGURES
from huiyin.assignment import service as assignment
from huiyin.assignment import tasks as _assignment  # noqa: F401
from huiyin.cases import change
from huiyin.cases import tasks as _cases  # noqa: F401 - their jobs register themselves
from huiyin.cases.models import Case
from huiyin.cases.verbs import Verb
from huiyin.clocks import calendars
from huiyin.db import ScopedSession
from huiyin.db.embedded import EmbeddedPostgres
from huiyin.db.engine import Addresses, application_engine, refuse_unsafe_role
from huiyin.evidence import tasks as _evidence  # noqa: F401
from huiyin.evidence.store import FolderStore, use
from huiyin.identity.actor import Actor
from huiyin.intake import readers
from huiyin.intake import tasks as _intake  # noqa: F401
from huiyin.kit import keys
from huiyin.kit.i18n import Message
from huiyin.letters import tasks as _letters  # noqa: F401
from huiyin.migrations import tables, upgrade
from huiyin.plugins import jobs
from huiyin.plugins.host import PluginHost, listed
from huiyin.plugins.listening import Services
from huiyin.plugins.terms import Weight
from huiyin.queue import forgetting as _forgetting  # noqa: F401
from huiyin.queue import worker
from huiyin.tenancy.models import Tenant
from huiyin.web.site import Site, WebSettings


@dataclass(slots=True)
class Installation:
    """Everything one process needs; ``close`` gives it back."""

    settings: Settings
    addresses: Addresses
    engine: Engine
    host: PluginHost
    site: Site
    server: EmbeddedPostgres | None
    runner: worker.Runner | None = None
    services: Services | None = None

    def app(self) -> ASGIApp:
        return asgi.make_app(self.site, self.host, threads=self.settings.threads)

    def start_worker(self, threads: int = 2) -> None:
        """Relay and work in this process too, once what killed ones left is cleared away."""
        readers.sweep()
        self.runner = worker.start(
            self.engine, broker_url=self.settings.broker_url or None, threads=threads
        )

    def start_services(self) -> None:
        """Let plugins listen in this process too."""
        self.services = Services(self.host, self.engine)
        self.services.start()

    def close(self) -> None:
        """Finish what listens and the running jobs, then let go of the database."""
        if self.services:
            self.services.stop()
        if self.runner:
            self.runner.stop()
        self.engine.dispose()
        if self.server:
            self.server.stop()


def install(settings: Settings, *, migrate: bool = True) -> Installation:
    """Start what is to be started, migrate, and refuse what is unsafe."""
    refuse_unsafe(settings)
    tables.load()
    keys.configure(keys.keep_in(settings.home))
    host = PluginHost(listed())
    jobs.register(host)
    addresses, server = database(settings)
    if migrate:
        upgrade(addresses.owner, host.migrations())
    engine = application_engine(addresses.app)
    refuse_unsafe_role(engine)
    site = make_site(engine, settings, host)
    return Installation(settings, addresses, engine, host, site, server)


def make_site(engine: Engine, settings: Settings, host: PluginHost) -> Site:
    """The site on an engine, with plugins and jobs connected to it."""
    web = WebSettings(
        secret=keys.derive("forms"),
        public_url=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
    )
    blobs = FolderStore(settings.home / "blobs")
    site = asgi.make_site(engine, web, host, blobs=blobs)
    site.panels = PANELS
    host.equip(site.templates, site.translators, blobs)
    host.core_figures = FIGURES
    connect(site, host)
    return site


def connect(site: Site, host: PluginHost) -> None:
    """Let this process's services use this site's store, plugins and calendar.

    There is one site in a process; tests, which make several, connect the one at hand.
    """
    if site.blobs is not None:
        use(site.blobs)
    calendars.watch(site.engine)
    change.consult(_opinions(host))
    readers.use_readers(host.readers(), host.endings())
    assignment.consult_duty(_on_duty(host))


def _on_duty(host: PluginHost) -> assignment.Duty:
    """Who is on duty, if a plugin of the firm keeps a roster."""

    def ask(session: ScopedSession) -> Collection[UUID] | None:
        tenant = session.get(Tenant, session.tenant)
        return host.hooks_in(session, tenant).people_on_duty() if tenant else None

    return ask


def _opinions(host: PluginHost) -> Callable[[ScopedSession, Actor, Case, Verb], Sequence[Message]]:
    """What plugins hold against a move.  They can stop one, never wave one through."""

    def ask(session: ScopedSession, actor: Actor, case: Case, verb: Verb) -> Sequence[Message]:
        tenant = session.get(Tenant, session.tenant)
        if tenant is None:
            return ()
        hooks = host.hooks_in(session, tenant, actor=actor)
        opinions = hooks.gate_opinions(case=case, verb=verb)
        return [o.message for o in opinions if o.weight is Weight.BLOCK]

    return ask
