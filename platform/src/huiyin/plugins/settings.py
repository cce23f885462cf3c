"""What a firm decides about a plugin: inherited, drafted, tried, and published by a second person.

A value comes from 平台默认 (the struct's default), 顾问模板 (the adviser's template) or 本机构 (the
published version).  A version holds only what the firm overrides, so that better defaults reach
everybody who has not decided otherwise.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from huiyin.db import ScopedSession
from huiyin.kit.i18n import N_, Message
from huiyin.plugins.fields import SettingField, fields_of, plain_value
from huiyin.plugins.sealing import Unsealable, unseal
from huiyin.tenancy.models import SettingState, SettingVersion

if TYPE_CHECKING:
    from huiyin.plugins.hooks import TenantHooks
    from huiyin.plugins.host import PluginHost

S = TypeVar("S", bound=msgspec.Struct)
SECONDS: Final = 5.0
log: Final = logging.getLogger(__name__)


class Origin(StrEnum):
    PLATFORM = "platform"
    ADVISER = "adviser"
    OWN = "own"


ORIGIN_TITLES: Final[Mapping[Origin, str]] = MappingProxyType(
    {
        Origin.PLATFORM: N_("平台默认"),
        Origin.ADVISER: N_("顾问模板"),
        Origin.OWN: N_("本机构"),
    }
)
SECRET_SET: Final = N_("已设置")
SECRET_UNSET: Final = N_("未设置")


@dataclass(frozen=True, slots=True)
class SettingValue:
    """One setting as it stands.  A secret's ``value`` is whether one is set, never what."""

    field: SettingField
    value: Any
    origin: Origin
    inherited: Any  # what it would be without the firm's own word


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what a draft would change."""

    field: SettingField
    before: Any
    after: Any
    before_origin: Origin
    after_origin: Origin


class Values:
    """Settings as the plugins get them, kept for a few seconds."""

    def __init__(self) -> None:
        self._known: dict[tuple[uuid.UUID, str], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, tenant_id: uuid.UUID, plugin: str) -> Any | None:
        known = self._known.get((tenant_id, plugin))
        return known[1] if known and known[0] > time.monotonic() else None

    def keep(self, tenant_id: uuid.UUID, plugin: str, value: Any) -> None:
        with self._lock:
            self._known[tenant_id, plugin] = (time.monotonic() + SECONDS, value)

    def forget(self, tenant_id: uuid.UUID | None = None) -> None:
        """Ask anew, for one firm or for all."""
        with self._lock:
            for key in [k for k in self._known if tenant_id in {None, k[0]}]:
                del self._known[key]

    def forget_after(self, session: ScopedSession) -> None:
        """Ask anew as soon as this session's changes are committed."""
        tenant_id = session.tenant

        def committed(_: Session) -> None:
            self.forget(tenant_id)

        event.listen(session, "after_commit", committed)


def effective(host: PluginHost, session: ScopedSession, plugin: str, type_: type[S]) -> S:
    """The settings that hold for the session's firm, secrets opened.

    Raises ``TypeError`` for another type than the manifest's, ``NotFound`` for a plugin not in
    use.  A stored value that no longer fits the type gives way to the inherited one.
    """
    declared = host.plugin(plugin).manifest.settings
    if type_ is not declared:
        raise TypeError(f"the settings of {plugin} are a {declared.__name__}")
    known = host.values.get(session.tenant, plugin)
    if known is None:
        known = resolve(host, session, plugin, live(session, plugin))
        host.values.keep(session.tenant, plugin, known)
    value: S = known
    return value


def resolve(
    host: PluginHost, session: ScopedSession, plugin: str, version: SettingVersion | None
) -> Any:
    """The struct as it would be if ``version`` were in force, secrets opened."""
    shape = host.plugin(plugin).manifest.settings
    own, secrets = (version.data, version.secrets) if version else ({}, {})
    merged = {**host.advice(session, plugin), **own}
    values: dict[str, Any] = {}
    for field in fields_of(shape):
        try:
            if field.is_secret:
                if field.name in secrets:
                    values[field.name] = _open(session, plugin, field, secrets)
            elif field.name in merged:
                values[field.name] = msgspec.convert(merged[field.name], field.type)
        except (msgspec.ValidationError, Unsealable) as fault:
            log.warning("setting %s is passed over: %s", field.key(plugin), type(fault).__name__)
    return build(shape, values)


def build(shape: type[S], values: Mapping[str, Any]) -> S:
    """The struct of these values; the defaults alone if its own check refuses them."""
    try:
        return shape(**values)
    except ValueError as fault:
        log.warning("settings %s are passed over: %s", shape.__name__, type(fault).__name__)
        return shape()


def _open(
    session: ScopedSession, plugin: str, field: SettingField, secrets: Mapping[str, Any]
) -> Any:
    text = unseal(
        secrets[field.name]["sealed"], tenant_id=session.tenant, plugin=plugin, field=field.name
    )
    return msgspec.convert(text, field.type)


# -- versions ---------------------------------------------------------------------------------


def live(session: ScopedSession, plugin: str) -> SettingVersion | None:
    """The published version of the session's firm, if it has one."""
    return _in_state(session, plugin, SettingState.PUBLISHED)


def drafted(session: ScopedSession, plugin: str, *, lock: bool = False) -> SettingVersion | None:
    """The draft, if there is one; ``lock`` keeps others from it until the transaction ends."""
    return _in_state(session, plugin, SettingState.DRAFT, lock=lock)


def _in_state(
    session: ScopedSession, plugin: str, state: SettingState, *, lock: bool = False
) -> SettingVersion | None:
    query = select(SettingVersion).where(
        SettingVersion.plugin == plugin, SettingVersion.state == state.value
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def history(session: ScopedSession, plugin: str, *, limit: int = 50) -> list[SettingVersion]:
    """Versions, newest first; one that was never published was discarded."""
    return list(
        session.scalars(
            select(SettingVersion)
            .where(SettingVersion.plugin == plugin)
            .order_by(SettingVersion.version.desc())
            .limit(limit)
        )
    )


# -- for the page -----------------------------------------------------------------------------


def values_of(
    host: PluginHost,
    session: ScopedSession,
    plugin: str,
    version: SettingVersion | None,
) -> list[SettingValue]:
    """Every setting with its origin, as ``version`` (the draft, or ``live``) says."""
    own, secrets = (version.data, version.secrets) if version else ({}, {})
    advice = host.advice(session, plugin)
    return [
        _secret_value(field, secrets) if field.is_secret else _value(field, advice, own)
        for field in fields_of(host.plugin(plugin).manifest.settings)
    ]


def _value(field: SettingField, advice: Mapping[str, Any], own: Mapping[str, Any]) -> SettingValue:
    advised = field.name in advice
    inherited = advice[field.name] if advised else plain_value(field.default)
    if field.name in own:
        return SettingValue(field, own[field.name], Origin.OWN, inherited)
    return SettingValue(field, inherited, Origin.ADVISER if advised else Origin.PLATFORM, inherited)


def _secret_value(field: SettingField, secrets: Mapping[str, Any]) -> SettingValue:
    known = field.name in secrets
    return SettingValue(field, known, Origin.OWN if known else Origin.PLATFORM, inherited=False)


def diff(host: PluginHost, session: ScopedSession, plugin: str) -> list[Change]:
    """What publishing the draft would change, in the order of the form; empty without a draft."""
    draft = drafted(session, plugin)
    if draft is None:
        return []
    published = live(session, plugin)
    before = values_of(host, session, plugin, published)
    after = values_of(host, session, plugin, draft)
    renewed = {
        name
        for name, box in draft.secrets.items()
        if published is None or published.secrets.get(name) != box
    }
    return [
        Change(old.field, old.value, new.value, old.origin, new.origin)
        for old, new in zip(before, after, strict=True)
        if (old.value, old.origin) != (new.value, new.origin) or new.field.name in renewed
    ]


def dry_run(hooks: TenantHooks, plugin: str) -> list[Message]:
    """试算: what the plugin says its draft would do to the cases in hand; empty without a draft."""
    draft = drafted(hooks.session, plugin)
    if draft is None:
        return []
    host, session = hooks.host, hooks.session
    old = resolve(host, session, plugin, live(session, plugin))
    return hooks.preview_settings(plugin, old, resolve(host, session, plugin, draft))


def schema_of(host: PluginHost, plugin: str) -> dict[str, Any]:
    """The JSON schema of a plugin's settings."""
    return msgspec.json.schema(host.plugin(plugin).manifest.settings)
