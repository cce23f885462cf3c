"""On or off, firm by firm.  Off hides everything and keeps every row; on again finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Refused
from huiyin.kit.time import now
from huiyin.ledger.service import append
from huiyin.plugins.jobs import start_schedules, stop_schedules, wake
from huiyin.plugins.loading import Plugin, Refusal
from huiyin.plugins.manifest import KIND_TITLES, Kind
from huiyin.tenancy.models import (
    PluginActivation,
    PluginHealth,
    SettingState,
    SettingVersion,
)

if TYPE_CHECKING:
    from huiyin.plugins.host import PluginHost

CONFIGURE: Final = "admin.plugins"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginState:
    """One line of the admin page.  ``load_error`` is set for a plugin that is not in use."""

    name: str
    title: str
    summary: str = ""
    kind: Kind | None = None
    kind_title: str = ""
    distribution: str = ""
    version: str = ""
    active: bool = False
    set_aside_at: datetime | None = None
    failures: int = 0
    last_error: str = ""
    last_error_at: datetime | None = None
    overrides: int = 0  # settings on which the firm has decided for itself
    settings_version: int | None = None
    has_draft: bool = False
    load_error: str = ""

    @property
    def works(self) -> bool:
        return self.active and self.set_aside_at is None and not self.load_error


def activate(host: PluginHost, session: ScopedSession, actor: Actor, plugin: str) -> None:
    """Switch a plugin on for the session's firm; one that was set aside gets a new start.

    Raises ``Refused`` without the permission, ``NotFound`` for a plugin not in use.
    """
    known = _known(host, actor, plugin)
    row = _switch(session, actor, known, active=True)
    _heal(session, plugin)
    start_schedules(session, known)
    wake(session, plugin)
    _record(host, session, actor, row, kind="plugin.activated")


def deactivate(host: PluginHost, session: ScopedSession, actor: Actor, plugin: str) -> None:
    """Switch a plugin off: its pages are gone and its jobs wait; nothing is deleted."""
    known = _known(host, actor, plugin)
    row = _switch(session, actor, known, active=False)
    stop_schedules(session, known)
    _record(host, session, actor, row, kind="plugin.deactivated")


def release(host: PluginHost, session: ScopedSession, actor: Actor, plugin: str) -> None:
    """Let a plugin back that was set aside after repeated failure; its waiting jobs run."""
    known = _known(host, actor, plugin)
    row = _switch(session, actor, known, active=_is_on(session, known))
    _heal(session, plugin)
    wake(session, plugin)
    _record(host, session, actor, row, kind="plugin.released")


def prepare(host: PluginHost, session: ScopedSession) -> None:
    """For a new firm: start what returns by itself in the plugins that are on from the start."""
    for plugin in host.plugins.values():
        if _is_on(session, plugin):
            start_schedules(session, plugin)


def overview(host: PluginHost, session: ScopedSession) -> list[PluginState]:
    """Every plugin of the installation as it stands with the session's firm; three queries."""
    chosen = {row.plugin: row.active for row in session.scalars(select(PluginActivation))}
    health = {row.plugin: row for row in session.scalars(select(PluginHealth))}
    versions: dict[tuple[str, str], SettingVersion] = {
        (row.plugin, row.state): row
        for row in session.scalars(
            select(SettingVersion).where(SettingVersion.state != SettingState.RETIRED.value)
        )
    }
    used = [
        _state(plugin, chosen, health.get(plugin.name), versions)
        for plugin in host.plugins.values()
    ]
    # What nobody listed is for the operator to see, not for the firm.
    broken = [_broken(refusal) for refusal in host.refused if refusal.listed]
    return sorted([*used, *broken], key=lambda state: state.name)


def _state(
    plugin: Plugin,
    chosen: Mapping[str, bool],
    health: PluginHealth | None,
    versions: Mapping[tuple[str, str], SettingVersion],
) -> PluginState:
    live = versions.get((plugin.name, SettingState.PUBLISHED.value))
    manifest = plugin.manifest
    return PluginState(
        name=plugin.name,
        title=manifest.title,
        summary=manifest.summary,
        kind=manifest.kind,
        kind_title=KIND_TITLES[manifest.kind],
        distribution=plugin.distribution,
        version=plugin.version,
        active=chosen.get(plugin.name, manifest.default_active),
        set_aside_at=health.quarantined_at if health else None,
        failures=health.failures if health else 0,
        last_error=health.last_error if health else "",
        last_error_at=health.last_at if health else None,
        overrides=len(live.data) + len(live.secrets) if live else 0,
        settings_version=live.version if live else None,
        has_draft=(plugin.name, SettingState.DRAFT.value) in versions,
    )


def _broken(refusal: Refusal) -> PluginState:
    return PluginState(
        name=refusal.name,
        title=refusal.name,
        distribution=refusal.distribution,
        load_error=refusal.reason,
    )


def _known(host: PluginHost, actor: Actor, plugin: str) -> Plugin:
    if not actor.can(CONFIGURE):
        raise Refused
    return host.plugin(plugin)


def _row(session: ScopedSession, plugin: str, *, lock: bool = False) -> PluginActivation | None:
    query = select(PluginActivation).where(PluginActivation.plugin == plugin)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def _is_on(session: ScopedSession, plugin: Plugin) -> bool:
    row = _row(session, plugin.name)
    return row.active if row else plugin.manifest.default_active


def _switch(
    session: ScopedSession, actor: Actor, plugin: Plugin, *, active: bool
) -> PluginActivation:
    row = _row(session, plugin.name, lock=True)
    if row is None:
        row = PluginActivation(plugin=plugin.name)
        session.add(row)
    row.active, row.changed_at, row.changed_by = active, now(), actor.id
    return row


def _heal(session: ScopedSession, plugin: str) -> None:
    row = session.scalars(
        select(PluginHealth).where(PluginHealth.plugin == plugin).with_for_update()
    ).one_or_none()
    if row is not None:
        row.failures, row.quarantined_at = 0, None


def _record(
    host: PluginHost, session: ScopedSession, actor: Actor, row: PluginActivation, *, kind: str
) -> None:
    session.flush()
    host.standings.forget_after(session)
    append(
        session,
        kind=kind,
        object_id=row.id,
        actor_id=actor.id,
        facts={"plugin": row.plugin, "version": host.plugin(row.plugin).version},
    )
