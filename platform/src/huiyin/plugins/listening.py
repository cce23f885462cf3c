"""What plugins run beside the pages: listeners, for all firms that have the plugin on.

A service holds no firm.  For each thing that comes in it opens the one it is for, does its work
in one transaction, and is told to stop by an event.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, select, text

from huiyin.db import platform_session, tenant_session
from huiyin.identity.actor import SYSTEM_ID, system_actor
from huiyin.kit.errors import NotFound
from huiyin.plugins.context import TenantContext
from huiyin.tenancy.models import Tenant, TenantState
from huiyin.web.errors import bare

if TYPE_CHECKING:
    from huiyin.plugins.host import PluginHost

log: Final = logging.getLogger(__name__)
PAUSE: Final = 10.0  # seconds until a service that failed is begun again
_LOCK: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))")  # wall: no table
_UNLOCK: Final = text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))")  # wall: no table
STOP: Final = 15.0  # seconds a service may take to come to its end


@dataclass(frozen=True, kw_only=True)
class ServiceContext:
    """What a service or command of a plugin may use.  It returns once ``stopping`` is set."""

    plugin: str
    stopping: threading.Event
    host: PluginHost = field(repr=False)
    engine: Engine = field(repr=False)

    def firms(self) -> Sequence[Tenant]:
        """The firms at work that have the plugin on, by their slugs."""
        with platform_session(self.engine, purpose="plugin service") as session:
            known = session.scalars(
                select(Tenant).where(Tenant.state == TenantState.ACTIVE.value).order_by(Tenant.slug)
            ).all()
        return [firm for firm in known if self._is_on(firm)]

    def _is_on(self, firm: Tenant) -> bool:
        with tenant_session(self.engine, firm.id, purpose="plugin service") as session:
            return self.host.is_active(session, self.plugin)

    @contextmanager
    def firm(self, slug: str) -> Iterator[TenantContext]:
        """One firm's context, for one transaction: committed at the end, undone by an exception.

        Raises ``NotFound`` for a firm that is not there, not at work, or has the plugin off.
        """
        with platform_session(self.engine, purpose="plugin service") as session:
            found = session.scalar(select(Tenant).where(Tenant.slug == slug))
        if found is None or found.state != TenantState.ACTIVE:
            raise NotFound
        purpose = f"service:{self.plugin}"
        with tenant_session(self.engine, found.id, actor_id=SYSTEM_ID, purpose=purpose) as session:
            if not self.host.is_active(session, self.plugin):
                raise NotFound
            yield self.host.lend(
                self.plugin, session=session, actor=system_actor(found.id), tenant=found
            )
            session.commit()

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Whether this process is the only one of all nodes inside, as long as it is inside."""
        with self.engine.connect() as connection:
            key = {"key": f"{self.plugin}:{name}"}
            mine = bool(connection.execute(_LOCK, key).scalar_one())
            connection.commit()  # the lock is the connection's, not the transaction's
            if mine:
                connection.detach()  # held for long: the pool is for pages and jobs
            try:
                yield mine
            finally:
                if mine:
                    connection.execute(_UNLOCK, key)
                    connection.commit()


class Services:
    """The services of all plugins of one process, each in a thread of its own."""

    def __init__(self, host: PluginHost, engine: Engine) -> None:
        self.stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=_keep_running, name=f"{plugin.name}:{service.name}", daemon=True,
                args=(service.run, self.context(host, engine, plugin.name), service.name),
            )
            for plugin in host.plugins.values()
            for service in plugin.declared.services
        ]  # fmt: skip

    def context(self, host: PluginHost, engine: Engine, plugin: str) -> ServiceContext:
        return ServiceContext(plugin=plugin, stopping=self.stopping, host=host, engine=engine)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell them all, then wait for each."""
        self.stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(STOP)


def _keep_running(run: Callable[[ServiceContext], None], ctx: ServiceContext, name: str) -> None:
    while not ctx.stopping.is_set():
        try:
            run(ctx)
        except Exception as fault:
            # Without its text, which may quote what a stranger sent.
            said = "service %s:%s failed with %s and is begun again"
            told = ctx.plugin, name, type(fault).__name__
            log.error(said, *told, exc_info=bare(fault))  # noqa: TRY400 - as above
        else:
            return
        ctx.stopping.wait(PAUSE)
