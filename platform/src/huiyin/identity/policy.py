"""Roles, permissions and which roles exclude each other, read from ``policy.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec


class Role(StrEnum):
    TENANT_ADMIN = "tenant_admin"
    COMPLAINT_OFFICER = "complaint_officer"
    INVESTIGATOR = "investigator"
    APPROVER = "approver"
    SUPERVISOR = "supervisor"
    EXECUTIVE_VIEWER = "executive_viewer"
    CONSULTANCY_ADVISER = "consultancy_adviser"
    PLATFORM_OPERATOR = "platform_operator"


# Routes that need no membership name one of these instead of a permission of the table.
PUBLIC: Final = "public"  # anybody
ACCOUNT: Final = "account"  # anybody logged in, in no particular firm
OPEN_PERMISSIONS: Final = frozenset({PUBLIC, ACCOUNT})


class RoleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str


class PermissionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    roles: tuple[Role, ...]


class _Apart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pairs: tuple[tuple[Role, Role], ...]


class _Second(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    roles: tuple[Role, ...]


class _Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    all: tuple[Role, ...]


class PolicyTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table, as it stands in the file."""

    roles: dict[Role, RoleEntry]
    apart: _Apart
    second: _Second
    permissions: dict[str, PermissionEntry]
    reach: _Reach


@cache
def table() -> PolicyTable:
    source = (files("huiyin.identity") / "policy.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(source), PolicyTable)


_extra: dict[str, frozenset[Role]] = {}


def register_permission(name: str, roles: Iterable[Role]) -> None:
    """A plugin's own permission, ``<plugin>:<action>``; it can add, never widen one of the core."""
    if ":" not in name:
        raise ValueError(f"a plugin's permission is named <plugin>:<action>, not {name}")
    _extra[name] = frozenset(roles)
    permissions_of.cache_clear()


def known_permissions() -> Mapping[str, frozenset[Role]]:
    """Every permission there is, with the roles that hold it."""
    core = {name: frozenset(entry.roles) for name, entry in table().permissions.items()}
    return MappingProxyType({**core, **_extra})


@cache
def permissions_of(roles: frozenset[Role]) -> frozenset[str]:
    """Everything a person with these roles may do."""
    return frozenset(name for name, holders in known_permissions().items() if holders & roles)


def held_apart(roles: Iterable[Role]) -> list[tuple[Role, Role]]:
    """Pairs among ``roles`` that one person may not hold together."""
    held = set(roles)
    return [(a, b) for a, b in table().apart.pairs if a in held and b in held]


def needs_second(before: Iterable[Role], after: Iterable[Role]) -> frozenset[Role]:
    """Roles given or taken by this change that a second person has to confirm."""
    return frozenset(set(table().second.roles) & (set(before) ^ set(after)))


def sees_all(roles: Iterable[Role]) -> bool:
    """Whether these roles see every case of the firm."""
    return bool(set(roles) & set(table().reach.all))
