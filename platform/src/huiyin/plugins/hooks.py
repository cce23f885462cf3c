"""The hooks of the plugins one firm has switched on, and of no others.

Every plugin is called alone, through a subset of the hook from which all others are removed: so
each gets its own context, and one that raises takes nothing down with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pluggy import HookCaller
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import Message
from huiyin.plugins import health
from huiyin.plugins.context import TenantContext
from huiyin.plugins.figures import Figure
from huiyin.plugins.lending import lent
from huiyin.plugins.terms import (
    Channel,
    HelpTopic,
    NavCount,
    NextStep,
    Opinion,
    Panel,
    PluginGate,
)
from huiyin.tenancy.models import Tenant
from huiyin.web.site import NavItem

if TYPE_CHECKING:
    from huiyin.cases.models import Case
    from huiyin.cases.verbs import Verb
    from huiyin.kit.i18n import Translator
    from huiyin.plugins.host import PluginHost
    from huiyin.plugins.loading import Plugin
    from huiyin.web.desk import Desk


class WrongAnswer(TypeError):
    """A hook answered something else than its signature says."""


class TenantHooks:
    """What the pages ask; answers come in the order of the plugins' names."""

    def __init__(
        self,
        host: PluginHost,
        *,
        session: ScopedSession,
        actor: Actor,
        tenant: Tenant,
        translator: Translator,
        desk: Desk | None = None,
    ) -> None:
        self.host = host
        self.session, self.actor, self.tenant = session, actor, tenant
        self._translator, self._desk = translator, desk
        self._contexts: dict[str, TenantContext] = {}
        self.standing = host.standings.of(session)
        self.active: tuple[Plugin, ...] = tuple(
            plugin
            for plugin in host.plugins.values()
            if self.standing.runs(plugin.name, default=plugin.manifest.default_active)
        )

    # -- declared --------------------------------------------------------------------------

    def navigation(self) -> list[NavItem]:
        return [item for plugin in self.active for item in plugin.declared.navigation]

    def channels(self) -> list[Channel]:
        return [channel for plugin in self.active for channel in plugin.declared.channels]

    def gates(self, stage: str) -> list[PluginGate]:
        """Gates to be added to those the stage has of its own."""
        return [
            gate
            for plugin in self.active
            for gate in plugin.declared.gates
            if gate.stage == str(stage)
        ]

    def figures(self) -> list[Figure]:
        """What may be quoted here: the core's figures and those of the plugins that are on."""
        own = [figure for plugin in self.active for figure in plugin.declared.figures]
        return [*self.host.core_figures, *own]

    def help_topics(self) -> list[HelpTopic]:
        return [topic for plugin in self.active for topic in plugin.declared.help_topics]

    # -- asked -----------------------------------------------------------------------------

    def case_panels(self, case: Case) -> list[Panel]:
        return self._ask("case_panels", case=case)

    def complainant_cards(self, case: Case) -> list[Panel]:
        """Cards on the page on which the complainant follows the case."""
        return self._ask("complainant_cards", case=case)

    def gate_opinions(self, case: Case, verb: Verb) -> list[Opinion]:
        """Objections.  Without any, the gates of the core alone decide, as they always do."""
        return self._ask("gate_opinions", case=case, verb=verb)

    def next_steps(self, case: Case) -> list[NextStep]:
        return self._ask("next_steps", case=case)

    def beside_case(self, case: Case) -> tuple[list[Panel], list[NextStep]]:
        """Both things that stand on the page of a case, asked in one go."""
        both = self._ask_each(("case_panels", "next_steps"), self.active, {"case": case})
        return both["case_panels"], both["next_steps"]

    def people_on_duty(self) -> frozenset[UUID] | None:
        """Who is on duty now; ``None`` when no plugin that is on keeps a roster."""
        hook = "people_on_duty"
        if not any(self.host.caller(hook, plugin.name) for plugin in self.active):
            return None
        return frozenset(self._ask(hook))

    def preview_settings(self, plugin: str, old: Any, new: Any) -> list[Message]:
        """What one plugin says its drafted settings would change; it need not be on."""
        chosen = [self.host.plugin(plugin)]
        answers = self._ask_each(("preview_settings",), chosen, {"old": old, "new": new})
        return answers["preview_settings"]

    def navigation_counts(self) -> dict[str, int]:
        """What waits behind the plugins' own lines of the navigation."""
        return {count.name: count.n for count in self._ask("navigation_counts")}

    def _ask(self, hook: str, **arguments: Any) -> list[Any]:
        return self._ask_each((hook,), self.active, arguments)[hook]

    def _ask_each(
        self, hooks: Sequence[str], plugins: Iterable[Plugin], arguments: dict[str, Any]
    ) -> dict[str, list[Any]]:
        """One savepoint serves all, until one of them fails; then the rest get another."""
        answers: dict[str, list[Any]] = {hook: [] for hook in hooks}
        callers = (
            (plugin, hook, self.host.caller(hook, plugin.name))
            for plugin in plugins
            for hook in hooks
        )
        waiting = [(plugin, hook, caller) for plugin, hook, caller in callers if caller]
        while waiting:
            self.session.flush()  # what the core has written is not the plugin's to fail on
            asked, hook, _ = waiting[0]
            try:
                with lent(self.session):
                    while waiting:
                        asked, hook, caller = waiting.pop(0)
                        answers[hook] += self._answers(hook, asked, caller, arguments)
            except Exception as fault:
                if _is_lost(self.session):
                    raise
                health.failed(self.session, asked.name, hook, fault)
                self.host.standings.forget(self.session.tenant)
        return answers

    def _answers(
        self, hook: str, plugin: Plugin, caller: HookCaller, arguments: dict[str, Any]
    ) -> list[Any]:
        answers = _checked(hook, caller(ctx=self.context(plugin.name), **arguments))
        if self.session.new or self.session.dirty or self.session.deleted:
            self.session.flush()  # what the database refuses is this plugin's fault, not the next's
        if self.standing.failures.get(plugin.name):
            health.succeeded(self.session, plugin.name)
            self.host.standings.forget(self.session.tenant)
        return answers

    # -- lent ------------------------------------------------------------------------------

    def context(self, plugin: str) -> TenantContext:
        """What the named plugin is lent; raises ``NotFound`` when it is not loaded."""
        if plugin not in self._contexts:
            self.host.plugin(plugin)
            self._contexts[plugin] = self.host.lend(
                plugin,
                session=self.session,
                actor=self.actor,
                tenant=self.tenant,
                translator=self._translator,
                desk=self._desk,
            )
        return self._contexts[plugin]


def context_of(desk: Desk) -> TenantContext:
    """What the plugin of the page at hand is lent; for handlers of plugins."""
    context: TenantContext = desk.hooks.context(desk.request.route_handler.opt["plugin"])
    return context


def _is_lost(session: ScopedSession) -> bool:
    """Whether the connection is gone: no plugin did that, and none can be asked any more.

    What a plugin breaks in its session is whole again when the session is given back.
    """
    try:
        return session.connection().invalidated
    except (DBAPIError, PendingRollbackError):
        return True


class NoHooks:
    """For pages outside all firms: no plugin is on."""

    active: tuple[Plugin, ...] = ()

    def navigation(self) -> list[NavItem]:
        return []

    def navigation_counts(self) -> dict[str, int]:
        return {}

    def channels(self) -> list[Channel]:
        return []

    def help_topics(self) -> list[HelpTopic]:
        return []

    def context(self, _plugin: str) -> TenantContext:
        raise NotFound


_SHAPES: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "case_panels": Panel,
        "complainant_cards": Panel,
        "gate_opinions": Opinion,
        "next_steps": NextStep,
        "people_on_duty": UUID,
        "preview_settings": Message,
        "navigation_counts": NavCount,
    }
)


def _checked(hook: str, answers: Sequence[Any]) -> list[Any]:
    """The answers of one plugin, as one flat list.  Raises ``WrongAnswer``."""
    flat = answers if _SHAPES[hook] is Panel else [item for answer in answers for item in answer]
    for item in flat:
        if not isinstance(item, _SHAPES[hook]):
            raise WrongAnswer(f"{hook} answered with a {type(item).__name__}")
    return list(flat)
