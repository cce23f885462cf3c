"""All plugins of this installation: found once at start-up, in an order of no machine's making."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from gettext import NullTranslations
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pluggy
from jinja2 import DictLoader, Environment
from litestar import Router

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor, system_actor
from huiyin.identity.policy import register_permission
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import SOURCE, Translator
from huiyin.plugins import hookspecs, mounting, settings
from huiyin.plugins.context import TenantContext
from huiyin.plugins.figures import Figure, FigureBook
from huiyin.plugins.hooks import NoHooks, TenantHooks
from huiyin.plugins.loading import (
    GROUP,
    SHIPPED,
    WHOLE,
    BadPlugin,
    Plugin,
    Refusal,
    claimed_roots,
    distribution_of,
    load,
    sort_out,
)
from huiyin.plugins.markers import NAME
from huiyin.plugins.standing import Standings
from huiyin.tenancy.models import Tenant

if TYPE_CHECKING:
    from huiyin.web.desk import Desk

VARIABLE: Final = "HUIYIN_PLUGINS"
log: Final = logging.getLogger(__name__)

# What the adviser's template says about a plugin's settings, for the session's firm.
Advice = Callable[[ScopedSession, str], Mapping[str, Any]]


def listed(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The list of this installation: ``HUIYIN_PLUGINS``, separated by commas or blanks.

    Unset, it is what we ship; empty, it is nothing.
    """
    given = environment.get(VARIABLE)
    return SHIPPED if given is None else tuple(given.replace(",", " ").split())


@dataclass(slots=True)
class Equipment:
    """What the composition root has ready only after the host is made."""

    templates: Environment
    translators: Mapping[str, Translator]
    blobs: Any = None


class PluginHost:
    """The plugins in use, those refused with the reason, and the hooks of each firm."""

    def __init__(
        self,
        allowed: Sequence[str] = SHIPPED,
        *,
        found: Iterable[EntryPoint] | None = None,
        advice: Advice = lambda _session, _plugin: {},
    ) -> None:
        """``found`` stands for the installed entry points.  Raises ``ValueError`` for a list
        that cannot be read; a plugin that cannot be loaded goes to ``refused``."""
        self.manager = pluggy.PluginManager(NAME)
        self.manager.add_hookspecs(hookspecs)
        self.plugins: dict[str, Plugin] = {}
        self.advice = advice
        self.core_figures: tuple[Figure, ...] = ()
        self.standings = Standings()
        self.values = settings.Values()
        self._callers: dict[tuple[str, str], pluggy.HookCaller] = {}
        self._equipment: Equipment | None = None
        chosen, self.refused = sort_out(
            entry_points(group=GROUP) if found is None else found, allowed
        )
        for entry in chosen:  # in the list's order: who stands first there has the address
            self._take(entry)
        self.plugins = dict(sorted(self.plugins.items()))
        self._split()

    def _take(self, entry: EntryPoint) -> None:
        try:
            plugin = load(entry)
            self._check_roots(plugin)
        except (BadPlugin, mounting.BadRoute) as fault:
            self._refuse(entry, str(fault))
            return
        except Exception as fault:  # noqa: BLE001 - whatever it is, the site starts without it
            self._refuse(entry, f"{type(fault).__name__}: {fault}")
            return
        self.manager.register(plugin.module, name=plugin.name)
        for permission in plugin.declared.permissions:
            register_permission(permission.name, permission.roles)
        self.plugins[plugin.name] = plugin
        WHOLE.add(plugin.name)

    def _check_roots(self, plugin: Plugin) -> None:
        for other in self.plugins.values():
            if both := claimed_roots(plugin) & claimed_roots(other):
                raise BadPlugin(f"/{min(both)} is taken by {other.name}")

    def _refuse(self, entry: EntryPoint, reason: str) -> None:
        log.error("plugin %s is not used: %s", entry.name, reason)
        self.refused.append(Refusal(entry.name, distribution_of(entry)[0], reason, listed=True))

    def _split(self) -> None:
        """One subset of each hook for each plugin that implements it."""
        modules = {name: plugin.module for name, plugin in self.plugins.items()}
        for hook in (*hookspecs.ASKING, *hookspecs.REACTING):
            for name, module in modules.items():
                rest = [other for other in modules.values() if other is not module]
                caller = self.manager.subset_hook_caller(hook, rest)
                if caller.get_hookimpls():
                    self._callers[hook, name] = caller

    # -- for the composition root ------------------------------------------------------------

    def equip(
        self, templates: Environment, translators: Mapping[str, Translator], blobs: Any = None
    ) -> None:
        """Hand over what jobs are lent; the folders below must be in it already."""
        self._equipment = Equipment(templates, translators, blobs)

    def route_handlers(self) -> list[Router]:
        """The pages of all plugins, each behind the switch of its plugin."""
        return mounting.routers(self.plugins.values())

    def template_folders(self) -> list[Path]:
        return self._folders("templates")

    def static_folders(self) -> list[Path]:
        return self._folders("static")

    def locale_folders(self) -> list[Path]:
        return self._folders("locale")

    def _folders(self, kind: str) -> list[Path]:
        folders = (plugin.folder / kind for plugin in self.plugins.values())
        return [folder for folder in folders if folder.is_dir()]

    def readers(self) -> dict[str, str]:
        """Channel → the function that reads what comes in by it."""
        return {
            channel.name: channel.reader
            for plugin in self.plugins.values()
            for channel in plugin.declared.channels
            if channel.reader
        }

    def endings(self) -> dict[str, str]:
        """Channel → how the file names of its originals end."""
        return {
            channel.name: channel.original
            for plugin in self.plugins.values()
            for channel in plugin.declared.channels
        }

    def migrations(self) -> dict[str, str]:
        """Name → package, as ``huiyin.migrations.upgrade`` takes it."""
        return {name: plugin.package for name, plugin in self.plugins.items()}

    # -- for the web layer (``huiyin.web.site.Extensions``) -----------------------------------

    def is_active(self, session: ScopedSession, plugin: str) -> bool:
        """Whether the session's firm has the plugin on and it is not set aside."""
        known = self.plugins.get(plugin)
        return known is not None and self.standings.of(session).runs(
            plugin, default=known.manifest.default_active
        )

    def hooks(self, desk: Desk) -> TenantHooks | NoHooks:
        """The hooks of the firm at this desk."""
        if not desk.has_tenant:
            return NoHooks()
        return TenantHooks(
            self,
            session=desk.session,
            actor=desk.actor,
            tenant=desk.tenant,
            translator=desk._,
            desk=desk,
        )

    # -- for services and jobs ---------------------------------------------------------------

    def hooks_in(
        self, session: ScopedSession, tenant: Tenant, *, actor: Actor | None = None
    ) -> TenantHooks:
        """The hooks of a firm outside a request; the system asks unless ``actor`` does."""
        return TenantHooks(
            self,
            session=session,
            actor=actor or system_actor(tenant.id),
            tenant=tenant,
            translator=self._translator(tenant),
        )

    def plugin(self, name: str) -> Plugin:
        """A plugin in use; raises ``NotFound``."""
        try:
            return self.plugins[name]
        except KeyError:
            raise NotFound from None

    def caller(self, hook: str, plugin: str) -> pluggy.HookCaller | None:
        """One plugin's part of a hook, or ``None`` when it has nothing to say to it."""
        return self._callers.get((hook, plugin))

    def lend(
        self,
        plugin: str,
        *,
        session: ScopedSession,
        actor: Actor,
        tenant: Tenant,
        translator: Translator | None = None,
        desk: Desk | None = None,
    ) -> TenantContext:
        """A context for one plugin and one call."""
        kit = self._equipped()
        speaks = translator or self._translator(tenant)
        if desk is not None:
            spoken = desk.site.spoken[speaks.language]
            kit = Equipment(spoken, desk.site.translators, desk.site.blobs)
        return TenantContext(
            plugin=plugin,
            session=session,
            actor=actor,
            tenant=tenant,
            translator=speaks,
            templates=kit.templates,
            source=lambda type_: settings.effective(self, session, plugin, type_),
            blobs=kit.blobs,
            csrf_token=desk.csrf_token if desk else "",
            book=partial(self._book, session, actor, tenant, translator, desk),
        )

    def _book(
        self,
        session: ScopedSession,
        actor: Actor,
        tenant: Tenant,
        translator: Translator | None,
        desk: Desk | None,
    ) -> FigureBook:
        """The firm's figures, each worked out with what its own plugin is lent."""
        hooks = TenantHooks(
            self, session=session, actor=actor, tenant=tenant,
            translator=translator or self._translator(tenant), desk=desk,
        )  # fmt: skip

        def lend(owner: str) -> TenantContext:
            return self.lend(
                owner, session=session, actor=actor, tenant=tenant, translator=translator,
                desk=desk,
            )  # fmt: skip

        return FigureBook(lend, hooks.figures())

    def _equipped(self) -> Equipment:
        if self._equipment is None:
            bare = {SOURCE: Translator(SOURCE, NullTranslations())}
            self._equipment = Equipment(Environment(loader=DictLoader({}), autoescape=True), bare)
        return self._equipment

    def _translator(self, tenant: Tenant) -> Translator:
        known = self._equipped().translators
        return known.get(tenant.language, known[SOURCE])

    def forget(self) -> None:
        """Ask the database anew; for tests and after changes made elsewhere."""
        self.standings.forget()
        self.values.forget()
