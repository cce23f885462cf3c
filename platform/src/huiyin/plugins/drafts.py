"""Changing settings: one writes a draft, another publishes it, and the book knows both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import func, select

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import Conflict, Invalid, NotFound, Refused
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import clean
from huiyin.kit.time import now
from huiyin.ledger.service import append
from huiyin.plugins.fields import FieldKind, SettingField, fields_of, plain_value
from huiyin.plugins.sealing import seal
from huiyin.plugins.settings import diff, drafted, live
from huiyin.tenancy.models import SettingState, SettingVersion
from huiyin.web.forms import parse

if TYPE_CHECKING:
    from huiyin.plugins.host import PluginHost

CONFIGURE: Final = "admin.plugins"
PUBLISH: Final = "admin.publish"

# Kinds for which an empty input is a value and not an omission.
_MAY_BE_EMPTY: Final = frozenset({FieldKind.TEXT, FieldKind.LIST, FieldKind.BOOL})


def draft(
    host: PluginHost,
    session: ScopedSession,
    actor: Actor,
    plugin: str,
    changes: Mapping[str, Any],
    *,
    reason: str = "",
) -> SettingVersion:
    """Write changed fields, as a form or a program sends them, into the draft.

    The draft starts from what is published.  An empty secret leaves the secret as it is.
    Raises ``Invalid`` with a message at each field, ``Refused`` when the draft is another
    person's, ``NotFound`` for a plugin not in use.
    """
    fields = _fields(host, plugin)
    errors: dict[str, Message] = {}
    values: dict[str, Any] = {}
    for name, raw in changes.items():
        if name not in fields:
            errors[str(name)[:60]] = Message(N_("无法识别的栏目，请删除"))
            continue
        if fields[name].is_secret and not raw:
            continue
        try:
            values[name] = _read(fields[name], raw)
        except Invalid as fault:
            errors.update(fault.fields)
    if errors:
        raise Invalid(errors)
    version = _open_draft(session, actor, plugin)
    for name, value in values.items():
        _put(session, actor, version, fields[name], value)
    version.reason = clean(reason) or version.reason
    _check_whole(host, plugin, version)
    session.flush()
    return version


def restore(
    host: PluginHost, session: ScopedSession, actor: Actor, plugin: str, field: str
) -> SettingVersion:
    """Draft that a field is inherited again (恢复继承); a secret is taken away."""
    if field not in _fields(host, plugin):
        raise NotFound
    version = _open_draft(session, actor, plugin)
    version.data = {k: v for k, v in version.data.items() if k != field}
    version.secrets = {k: v for k, v in version.secrets.items() if k != field}
    _check_whole(host, plugin, version)
    session.flush()
    return version


def undo(
    host: PluginHost, session: ScopedSession, actor: Actor, plugin: str, field: str
) -> SettingVersion:
    """Take one change out of the draft (撤销): the field is again as published."""
    if field not in _fields(host, plugin):
        raise NotFound
    version = _open_draft(session, actor, plugin)
    published = live(session, plugin)
    data, secrets = (published.data, published.secrets) if published else ({}, {})
    version.data = _as_in(data, version.data, field)
    version.secrets = _as_in(secrets, version.secrets, field)
    _check_whole(host, plugin, version)
    session.flush()
    return version


def _as_in(former: Mapping[str, Any], present: Mapping[str, Any], name: str) -> dict[str, Any]:
    rest = {k: v for k, v in present.items() if k != name}
    return {**rest, name: former[name]} if name in former else rest


def rollback(
    host: PluginHost,
    session: ScopedSession,
    actor: Actor,
    plugin: str,
    version: int,
    *,
    reason: str = "",
) -> SettingVersion:
    """Draft what a former version said; it too takes a second person to come into force.

    Raises ``NotFound`` for a version that was never published.
    """
    host.plugin(plugin)
    former = session.scalars(
        select(SettingVersion).where(
            SettingVersion.plugin == plugin,
            SettingVersion.version == version,
            SettingVersion.published_at.is_not(None),
        )
    ).one_or_none()
    if former is None:
        raise NotFound
    known = set(_fields(host, plugin))
    made = _open_draft(session, actor, plugin)
    made.data = {k: v for k, v in former.data.items() if k in known}
    made.secrets = {k: v for k, v in former.secrets.items() if k in known}
    made.reason = clean(reason) or made.reason
    _check_whole(host, plugin, made)
    session.flush()
    return made


def discard(host: PluginHost, session: ScopedSession, actor: Actor, plugin: str) -> None:
    """Take the draft away; it stays in the history as one that was never published."""
    _require(actor, CONFIGURE)
    host.plugin(plugin)
    version = drafted(session, plugin, lock=True)
    if version is None:
        raise Conflict(N_("没有待发布的草稿"))
    version.state = SettingState.RETIRED.value
    session.flush()
    append(
        session,
        kind="settings.discarded",
        object_id=version.id,
        actor_id=actor.id,
        facts={"plugin": plugin, "version": version.version},
    )


def publish(host: PluginHost, session: ScopedSession, actor: Actor, plugin: str) -> SettingVersion:
    """Put the draft into force.  Raises ``Refused`` for its author: it takes a second person."""
    _require(actor, PUBLISH)
    version = drafted(session, plugin, lock=True)
    if version is None:
        raise Conflict(N_("没有待发布的草稿"))
    if version.author_id == actor.id:
        raise Refused(N_("配置须由拟定人以外的管理员或审批人复核后发布"))
    _check_whole(host, plugin, version)
    changed = [change.field.name for change in diff(host, session, plugin)]
    former = live(session, plugin)
    if former is not None:
        former.state = SettingState.RETIRED.value
        session.flush()  # one published version at a time; the order is not SQLAlchemy's to choose
    version.state = SettingState.PUBLISHED.value
    version.publisher_id, version.published_at = actor.id, now()
    host.values.forget_after(session)
    stored = msgspec.json.encode([version.data, version.secrets], order="sorted")
    append(
        session,
        kind="settings.published",
        object_id=version.id,
        actor_id=actor.id,
        facts={
            "plugin": plugin,
            "version": version.version,
            "replaces": former.version if former else None,
            "author": version.author_id,
            "fields": changed,
            "sha256": hashlib.sha256(stored).hexdigest(),
        },
        commits={"reason": version.reason} if version.reason else None,
    )
    return version


def _require(actor: Actor, permission: str) -> None:
    if not actor.can(permission):
        raise Refused


def _fields(host: PluginHost, plugin: str) -> dict[str, SettingField]:
    return {field.name: field for field in fields_of(host.plugin(plugin).manifest.settings)}


def _read(field: SettingField, raw: Any) -> Any:
    """One typed value from one input; raises ``Invalid`` with the message at the field."""
    if field.kind is FieldKind.LIST and isinstance(raw, str):
        raw = [line.strip() for line in raw.splitlines() if line.strip()]
    empty = raw is None or raw in ("", [])
    if empty and field.kind is FieldKind.LIST:
        return _convert(field, [])
    if empty and field.kind in _MAY_BE_EMPTY - {FieldKind.BOOL}:
        return _convert(field, "")
    if isinstance(raw, tuple):
        raw = list(raw)
    alone = msgspec.defstruct("Alone", [(field.name, field.type)])
    return getattr(parse(alone, {field.name: raw}), field.name)


def _convert(field: SettingField, value: Any) -> Any:
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        title = Message(field.title)
        raise Invalid({field.name: Message(N_("请填写{title}"), {"title": title})}) from None


def _open_draft(session: ScopedSession, actor: Actor, plugin: str) -> SettingVersion:
    _require(actor, CONFIGURE)
    version = drafted(session, plugin, lock=True)
    if version is not None:
        if version.author_id != actor.id:
            raise Refused(N_("已有其他人拟定的草稿，请先复核发布或撤销该草稿"))
        return version
    published = live(session, plugin)
    last = session.scalar(
        select(func.max(SettingVersion.version)).where(SettingVersion.plugin == plugin)
    )
    version = SettingVersion(
        plugin=plugin,
        version=(last or 0) + 1,
        state=SettingState.DRAFT.value,
        data=dict(published.data) if published else {},
        secrets=dict(published.secrets) if published else {},
        author_id=actor.id,
    )
    session.add(version)
    return version


def _put(
    session: ScopedSession, actor: Actor, version: SettingVersion, field: SettingField, value: Any
) -> None:
    # New dictionaries: SQLAlchemy does not see a change inside one.
    if field.is_secret:
        sealed = seal(value, tenant_id=session.tenant, plugin=version.plugin, field=field.name)
        box = {"sealed": sealed, "at": now().isoformat(), "by": str(actor.id)}
        version.secrets = {**version.secrets, field.name: box}
    else:
        version.data = {**version.data, field.name: plain_value(value)}


def _check_whole(host: PluginHost, plugin: str, version: SettingVersion) -> None:
    """Every stored value fits its field, and together they fit the struct's own check."""
    shape = host.plugin(plugin).manifest.settings
    values: dict[str, Any] = {}
    errors: dict[str, Message] = {}
    for name, field in _fields(host, plugin).items():
        if name in version.data:
            try:
                values[name] = msgspec.convert(version.data[name], field.type)
            except msgspec.ValidationError:
                errors[name] = Message(N_("请检查{title}的格式"), {"title": Message(field.title)})
    if errors:
        raise Invalid(errors)
    try:
        shape(**values)
    except ValueError as fault:
        # A struct's ``__post_init__`` speaks to the administrator: its words are a catalogue key.
        raise Invalid({"": Message(str(fault))}) from None
