"""What plugins and the platform say to each other through the hooks."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from litestar import Controller
from litestar.handlers import BaseRouteHandler
from markupsafe import Markup

from huiyin.identity.policy import Role
from huiyin.kit.i18n import N_, Message

if TYPE_CHECKING:
    from huiyin.plugins.context import TenantContext
    from huiyin.plugins.listening import ServiceContext


# -- declared at start-up --------------------------------------------------------------------


class Area(StrEnum):
    """Where pages live, and with that who may reach them."""

    PUBLIC = "public"  # /p/{tenant}: anybody; permission "public" only
    STAFF = "staff"  # /t/{tenant}/w/x/<plugin>: members with a permission
    API = "api"  # /api/v1/p/{tenant}/x/<plugin>: programs, with a token or public


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRoutes:
    """Pages or operations of one area.

    ``roots`` are first path segments claimed directly below ``/p/{tenant}``, such as
    ``complain``; ``""`` claims the entrance.  Without roots the pages stand below
    ``x/<plugin>``.  Only public routes have roots.
    """

    area: Area
    handlers: Sequence[type[Controller] | BaseRouteHandler]
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PluginPermission:
    """A permission of the plugin's own, ``<plugin>:<action>``, and the roles that hold it."""

    name: str
    title: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginJob:
    """Work done later, in the firm's session, at least once.

    ``every`` makes it return for each firm that has the plugin on; ``timeout`` is in seconds
    for one try.
    """

    name: str
    run: Callable[[TenantContext, Mapping[str, Any]], None]
    every: timedelta | None = None
    retries: int = 5
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class PluginGate:
    """Something more that must be attested, in words, before ``stage`` is left its ordinary way.

    A plugin can only add gates; it has no way to name one of the core's.
    """

    name: str  # <plugin>:<gate>
    stage: str
    title: str
    hint: str = ""


class Capability(StrEnum):
    """What a channel can do."""

    INBOUND = "inbound"  # complaints come in
    REPLY = "reply"  # an answer reaches the complainant by the same way
    FILES = "files"
    LIVE = "live"  # both sides are there at the same time
    RECORDINGS = "recordings"
    ANONYMOUS = "anonymous"
    FOLLOW = "follow"  # progress can be looked up there


CAPABILITY_TITLES: Final = {
    Capability.INBOUND: N_("接收投诉"),
    Capability.REPLY: N_("原路答复"),
    Capability.FILES: N_("收取附件"),
    Capability.LIVE: N_("实时沟通"),
    Capability.RECORDINGS: N_("通话录音"),
    Capability.ANONYMOUS: N_("匿名投诉"),
    Capability.FOLLOW: N_("可查进度"),
}


class Condition(StrEnum):
    """How one part of a channel is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a channel's health card or of its connection test, and what to do about it."""

    title: Message
    condition: Condition
    detail: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way by which complaints come in.

    ``name`` is what ``Case.channel`` holds; ``path`` its public page below ``/p/{tenant}``, ``""``
    when it has none.  ``reader`` names the function ``package.module:function`` that reads what
    ``receive`` keeps, in a process of its own: it takes the bytes and a folder, and answers a
    ``dict`` in the shape of ``Reading``; ``original`` is how the file name of what it kept ends.
    ``health`` says how the channel is; ``test`` tries the
    connection now, and is called by a job, never by a page.
    """

    name: str
    title: str
    capabilities: frozenset[Capability]
    path: str = ""
    reader: str = ""
    original: str = "eml"
    health: Callable[[TenantContext], Sequence[Check]] | None = None
    test: Callable[[TenantContext], Sequence[Check]] | None = None


@dataclass(frozen=True, slots=True)
class PluginService:
    """Something that listens as long as the site runs, such as a mail server.

    ``run`` gets what it may use and returns when ``stopping`` is set; one that raises is begun
    again after a pause.
    """

    name: str
    run: Callable[[ServiceContext], None]


@dataclass(frozen=True, slots=True)
class PluginCommand:
    """A command of ``huiyin``: ``huiyin <group> <name> [arguments]``.

    ``run`` gets what a service gets and the arguments, and answers the exit code.
    """

    group: str
    name: str
    help: str
    run: Callable[[ServiceContext, Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class HelpTopic:
    """A page of the handbook; ``template`` is one of the plugin's, without a layout of its own.

    It is shown to those who hold ``permission``; ``name`` is its address, ``<plugin>:<topic>``.
    """

    name: str
    title: str
    template: str
    permission: str


# -- answered within a request ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NavCount:
    """How much waits behind a line of the navigation whose ``NavItem.count`` is ``name``."""

    name: str  # <plugin>:<counter>
    n: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A card at the side of the case page; ``body`` is rendered by the plugin's template."""

    title: Message
    body: Markup


class Weight(StrEnum):
    """There is no weight for "let it pass": a plugin cannot loosen a gate."""

    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Opinion:
    """An objection to a verb; ``message`` says what to do about it."""

    weight: Weight
    message: Message


@dataclass(frozen=True, slots=True)
class NextStep:
    """A suggestion beside the core's own next step; ``path`` stands below ``/t/<tenant>``."""

    title: Message
    path: str
    reason: Message | None = None


# -- told after the commit -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.  May be told twice: act by ``id`` only once."""

    id: uuid.UUID
    kind: str
    object_id: uuid.UUID
    payload: Mapping[str, Any] = field(default_factory=dict)
