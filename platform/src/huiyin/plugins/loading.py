"""From an installed distribution to a plugin that may be used, or to the reason why not.

Nothing is loaded that is not on the list of this installation: an entry point alone, which any
package can bring, is not an invitation.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec
import pluggy

from huiyin.db import Base, TenantModel
from huiyin.plugins import hookspecs
from huiyin.plugins.fields import fields_of
from huiyin.plugins.figures import Figure
from huiyin.plugins.manifest import Kind, Manifest
from huiyin.plugins.markers import NAME
from huiyin.plugins.mounting import check_routes, segments
from huiyin.plugins.terms import (
    Channel,
    HelpTopic,
    PluginCommand,
    PluginGate,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    PluginService,
)
from huiyin.web.site import NavItem

GROUP: Final = "huiyin.plugins"
SHIPPED: Final = (  # what loads when nobody says otherwise
    "channel_web",
    "channel_email",
    "channel_phone",
    "channel_referral",
    "channel_chat",
    "channel_wecom",
    "survey_satisfaction",
    "training_records",
    "checklist_regulatory",
    "scoring_incentive",
)

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LISTED: Final = re.compile(
    r"(?P<name>[a-z0-9_]+)(=(?P<dist>[A-Za-z0-9._-]+?)(==(?P<version>.+))?)?"
)

# Every plugin that this process has loaded to the end: whatever it registers is registered.  One
# that failed on the way may have left its models behind, and half of the rest.
WHOLE: Final[set[str]] = set()


class BadPlugin(Exception):
    """Why a plugin is not used; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the installation's list: which distribution may bring which plugin."""

    name: str
    distribution: str
    version: str = ""

    @classmethod
    def read(cls, line: str) -> Listed:
        """``channel_web`` (from huiyin-channel-web) or ``name=distribution[==version]``.

        Raises ``ValueError`` for anything else.
        """
        found = _LISTED.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"not a plugin of the form name=distribution==version: {line!r}")
        name = found["name"]
        return cls(name, plain(found["dist"] or f"huiyin-{name}"), found["version"] or "")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a plugin's declaring hooks answered at start-up."""

    routes: tuple[PluginRoutes, ...] = ()
    navigation: tuple[NavItem, ...] = ()
    permissions: tuple[PluginPermission, ...] = ()
    jobs: tuple[PluginJob, ...] = ()
    channels: tuple[Channel, ...] = ()
    services: tuple[PluginService, ...] = ()
    commands: tuple[PluginCommand, ...] = ()
    gates: tuple[PluginGate, ...] = ()
    figures: tuple[Figure, ...] = ()
    help_topics: tuple[HelpTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin in use."""

    name: str
    module: ModuleType
    package: str
    distribution: str
    version: str
    manifest: Manifest
    declared: Declared = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where its templates, static files and catalogues are."""
        found = importlib.import_module(self.package).__file__
        return Path(found or "").parent


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plugin that is installed and not used."""

    name: str
    distribution: str
    reason: str
    listed: bool  # it was meant to load and could not


def plain(distribution: str) -> str:
    """A distribution's name as packaging compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def distribution_of(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution an entry point came with."""
    return (plain(entry.dist.name), entry.dist.version) if entry.dist else ("", "")


def sort_out(
    found: Iterable[EntryPoint], allowed: Sequence[str]
) -> tuple[list[EntryPoint], list[Refusal]]:
    """The entry points on the list, in its order, and those that are not on it."""
    lines = {line.name: line for line in map(Listed.read, allowed)}
    chosen: dict[str, EntryPoint] = {}
    refused: list[Refusal] = []
    # An editable install may be seen twice; the same distribution twice is one.
    for entry in sorted(found, key=lambda e: (e.name, *distribution_of(e))):
        reason = _not_listed(entry, lines.get(entry.name))
        if reason:
            refused.append(Refusal(entry.name, distribution_of(entry)[0], reason, listed=False))
        else:
            chosen.setdefault(entry.name, entry)
    refused += [
        Refusal(name, line.distribution, "listed and not installed", listed=True)
        for name, line in sorted(lines.items())
        if name not in chosen
    ]
    return [chosen[name] for name in lines if name in chosen], refused


def _not_listed(entry: EntryPoint, line: Listed | None) -> str:
    distribution, version = distribution_of(entry)
    if line is None:
        return "not on the list of this installation"
    if line.distribution != distribution:
        return f"the list names {line.distribution}, this comes from {distribution or '?'}"
    if line.version and line.version != version:
        return f"the list names version {line.version}, installed is {version}"
    return ""


def load(entry: EntryPoint) -> Plugin:
    """Import a listed plugin and hear what it declares.  Raises ``BadPlugin``."""
    if not _NAME.fullmatch(entry.name):
        raise BadPlugin("a plugin's name is lower_case, without double underscores")
    module = _import(entry)
    package = entry.module.rpartition(".")[0] or entry.module
    manifest = getattr(module, "MANIFEST", None)
    if not isinstance(manifest, Manifest):
        raise BadPlugin("the module has no MANIFEST")
    _check_manifest(entry.name, manifest)
    _check_models(entry.name, package)
    _check_files(entry.name, package)
    declared = _declared(entry.name, module)
    distribution, version = distribution_of(entry)
    return Plugin(entry.name, module, package, distribution, version, manifest, declared)


def _import(entry: EntryPoint) -> ModuleType:
    try:
        module = entry.load()
        package = entry.module.rpartition(".")[0]
        if package and find_spec(f"{package}.models"):
            importlib.import_module(f"{package}.models")
    except (Exception, SystemExit) as fault:
        raise BadPlugin(f"import: {type(fault).__name__}: {fault}") from fault
    if not isinstance(module, ModuleType):
        raise BadPlugin("the entry point must name a module")
    return module


def _check_manifest(name: str, manifest: Manifest) -> None:
    if not isinstance(manifest.kind, Kind):
        raise BadPlugin(f"there is no kind {manifest.kind!r}")
    if not (manifest.title and manifest.summary):
        raise BadPlugin("the manifest needs a title and a summary")
    shape = manifest.settings
    try:
        fields_of(shape)
        if not shape.__struct_config__.frozen:
            raise BadPlugin("settings are a frozen struct")
        msgspec.json.decode(b"{}", type=shape)
    except (TypeError, msgspec.ValidationError) as fault:
        raise BadPlugin(f"settings: {fault}") from fault
    for item in manifest.personal_data:
        if not item.column.startswith(f"plugin_{name}__") or item.retention_months < 1:
            raise BadPlugin(f"personal data: {item.column} is not a column kept for some months")


def _check_models(name: str, package: str) -> None:
    """Its tables are behind the wall and carry its name, so that it can leave again."""
    for mapper in Base.registry.mappers:
        model = mapper.class_
        if not f"{model.__module__}.".startswith(f"{package}."):
            continue
        table = getattr(mapper.local_table, "name", "")
        if not table.startswith(f"plugin_{name}__") or table.endswith("__version"):
            raise BadPlugin(f"the table {table} is not named plugin_{name}__…")
        if not issubclass(model, TenantModel):
            raise BadPlugin(f"the table {table} is not behind the tenants' wall")


def _check_files(name: str, package: str) -> None:
    """Templates and static files stand in a folder of the plugin's name: nothing is shadowed."""
    found = importlib.import_module(package).__file__
    for kind in ("templates", "static"):
        folder = Path(found or "").parent / kind
        for child in folder.iterdir() if found and folder.is_dir() else ():
            if child.name != name:
                raise BadPlugin(f"{kind}/{child.name} must stand in {kind}/{name}/")


def _declared(name: str, module: ModuleType) -> Declared:
    # In a manager of its own: a plugin with a misspelt hook must leave no trace in the real one.
    manager = pluggy.PluginManager(NAME)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name=name)
        manager.check_pending()
        answers: dict[str, Any] = {
            hook: tuple(item for answer in getattr(manager.hook, hook)() for item in answer)
            for hook in hookspecs.DECLARING
        }
    except (Exception, SystemExit) as fault:
        raise BadPlugin(f"hooks: {type(fault).__name__}: {fault}") from fault
    declared = Declared(**answers)
    _check_declared(name, declared)
    return declared


def _check_declared(name: str, declared: Declared) -> None:
    shapes = (
        (declared.routes, PluginRoutes), (declared.navigation, NavItem),
        (declared.permissions, PluginPermission), (declared.jobs, PluginJob),
        (declared.channels, Channel), (declared.gates, PluginGate), (declared.figures, Figure),
        (declared.help_topics, HelpTopic), (declared.services, PluginService),
        (declared.commands, PluginCommand),
    )  # fmt: skip
    for items, shape in shapes:
        for item in items:
            if not isinstance(item, shape):
                raise BadPlugin(f"a {type(item).__name__} is no {shape.__name__}")
    _check_names(name, declared)
    own = {permission.name for permission in declared.permissions}
    for group in declared.routes:
        check_routes(name, group, own)


def _check_names(name: str, declared: Declared) -> None:
    """Whatever a plugin brings carries its name: two plugins cannot get in each other's way."""
    named = (
        ("permission", declared.permissions), ("gate", declared.gates),
        ("figure", declared.figures), ("help topic", declared.help_topics),
    )  # fmt: skip
    for what, items in named:
        for item in items:
            if not item.name.startswith(f"{name}:"):
                raise BadPlugin(f"the {what} {item.name} is not named {name}:…")
    for line in declared.navigation:
        if not f"{line.path}/".startswith(f"/w/x/{name.replace('_', '-')}/"):
            raise BadPlugin(f"the line {line.path} leads out of the plugin")
    if len({job.name for job in declared.jobs}) != len(declared.jobs):
        raise BadPlugin("two jobs have one name")


def claimed_roots(plugin: Plugin) -> frozenset[str]:
    """First path segments below ``/p/{tenant}`` that the plugin takes."""
    return frozenset(segments(plugin.declared.routes))
