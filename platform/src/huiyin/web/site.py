"""What one running site knows: its database, its languages, its templates, its plugins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from jinja2 import Environment
from sqlalchemy import Engine, select

from huiyin.db import platform_session
from huiyin.kit.i18n import Translator
from huiyin.tenancy.models import Tenant, TenantState
from huiyin.web.doorkeeper import Doorkeeper
from huiyin.web.engine import speaking

if TYPE_CHECKING:
    from uuid import UUID

    from huiyin.db import ScopedSession
    from huiyin.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How the site faces the world."""

    secret: bytes  # signs form tokens; 32 bytes or more
    public_url: str = ""  # https://… when behind a proxy; decides the cookie's name
    trusted_proxies: int = 0  # how many entries of X-Forwarded-For are ours

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def session_cookie(self) -> str:
        return "__Host-huiyin" if self.secure else "huiyin"


class Extensions(Protocol):
    """What the web layer asks of the plugin host, which lives above it."""

    def is_active(self, session: ScopedSession, plugin: str) -> bool: ...

    def hooks(self, desk: Desk) -> Any: ...


class Bus(Protocol):
    """What open lines ask of the queue, which lies beside the web layer."""

    def watch(
        self, tenant: UUID, topic: str, wake: Callable[[str], None]
    ) -> Callable[[], None]: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class NavItem:
    """One line of the staff navigation; shown to those who hold the permission."""

    group: str  # a title's key, or "" for the first group
    path: str  # below /t/<tenant>
    icon: str
    label: str
    permission: str
    count: str = ""  # name of a counter, if the line carries one
    hot: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A card on the page of a case, from a slice above cases or from a plugin."""

    template: str
    context: Mapping[str, Any]
    place: str = "middle"  # middle or side


# A function of the desk and the case that answers its card, or None.
PanelOf = Callable[["Desk", Any], Panel | None]

# Has the link for a first password mailed to its holder; False where nothing is mailed.
Welcome = Callable[["ScopedSession", "UUID"], bool]

# A function of the desk that answers the counters of the navigation, in one query.
Counters = Callable[["Desk"], Mapping[str, int]]


@dataclass(slots=True, kw_only=True)
class Site:
    """Made once at start-up and shared by all requests; holds nothing of any request."""

    engine: Engine
    settings: WebSettings
    translators: Mapping[str, Translator]
    templates: Environment
    extensions: Extensions
    bus: Bus
    navigation: Sequence[NavItem] = ()
    counters: Counters = lambda _desk: {}
    panels: Sequence[PanelOf] = ()
    welcome: Welcome = lambda _session, _account: False
    blobs: Any = None  # huiyin.evidence's store; the web layer only carries it
    tenants: TenantDirectory = field(init=False)
    doorkeeper: Doorkeeper = field(default_factory=Doorkeeper)
    spoken: Mapping[str, Environment] = field(init=False)  # the templates by language

    def __post_init__(self) -> None:
        self.spoken = {
            language: speaking(self.templates, translator)
            for language, translator in self.translators.items()
        }
        self.tenants = TenantDirectory(self.engine)


class TenantDirectory:
    """Firms by address, remembered for a few seconds so that a page does not ask each time."""

    SECONDS = 5.0

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, tuple[float, Tenant | None]] = {}
        self._lock = threading.Lock()

    def find(self, slug: str) -> Tenant | None:
        """The active firm of that address, or None."""
        known = self._known.get(slug)
        if known and known[0] > time.monotonic():
            return known[1]
        with platform_session(self._engine, purpose="directory") as session:
            tenant = session.scalar(
                select(Tenant).where(Tenant.slug == slug, Tenant.state == TenantState.ACTIVE.value)
            )
        with self._lock:
            if len(self._known) > 4096:  # guessed addresses must not fill the memory
                self._known.clear()
            self._known[slug] = (time.monotonic() + self.SECONDS, tenant)
        return tenant

    def forget(self) -> None:
        """Ask anew; for tests and after a change of a firm."""
        with self._lock:
            self._known.clear()
