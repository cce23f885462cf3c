"""The whole site on the test database, and browsers that are logged in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar.testing import TestClient
from litestar.types import ASGIApp
from sqlalchemy import Engine, event

from huiyin.db import platform_session, tenant_session
from huiyin.identity.models import Account
from huiyin.identity.sessions import digest, open_session
from huiyin.identity.tokens import create_token
from huiyin.intake.readers import use_readers
from huiyin.kit.time import now
from huiyin.plugins import jobs
from huiyin.plugins.host import PluginHost
from huiyin.queue.registry import REGISTRY
from huiyin.queue.worker import drain
from huiyin.web import csrf
from huiyin.web.site import Site

if TYPE_CHECKING:
    from httpx import Response

    from huiyin.identity.actor import Actor

SECRET = b"thirty-two bytes for tests, only."
# What a browser says of a form on our own page.
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@dataclass(slots=True)
class Place:
    """A site with its plugins and the application made of it."""

    site: Site
    host: PluginHost
    app: ASGIApp

    @property
    def routes(self) -> Sequence[Any]:
        """Every route with its handlers."""
        found: Sequence[Any] = self.app.app.routes  # type: ignore[attr-defined]
        return found


def make_place(engine: Engine, home: Path, plugins: Sequence[str] = ()) -> Place:
    """The site as the composition root makes it, with these plugins installed."""
    # The composition root lies above this package; only its finished product is used.
    compose: Any = import_module("huiyin.app.compose")
    asgi: Any = import_module("huiyin.app.asgi")
    settings = import_module("huiyin.app.settings").Settings(
        home=home,
        database_url="",
        owner_url="",
        broker_url="",
        public_url="",
        host="127.0.0.1",
        port=0,
        trusted_proxies=0,
        threads=4,
    )
    host = PluginHost(plugins)
    site = compose.make_site(engine, settings, host)
    return Place(site, host, asgi.make_app(site, host))


def run_jobs(place: Place, *, ahead: timedelta = timedelta(0)) -> int:
    """Let everything that is due be done now, as a worker would; answers how many tries.

    ``ahead`` acts as if it were that much later.  The core's own handlers are those of the
    process, the plugins' those of the place.
    """
    handlers = {n: h for n, h in REGISTRY.handlers.items() if not n.startswith("plugin:")}
    subscriptions = {kind: list(names) for kind, names in REGISTRY.subscriptions.items()}
    with REGISTRY.isolated() as registry:
        registry.handlers.update(handlers)
        registry.subscriptions.update(subscriptions)
        jobs.register(place.host)
        use_readers(place.host.readers(), place.host.endings())
        return drain(place.site.engine, ahead=ahead)


@dataclass
class Browser:
    """One browser at the site, or one program with a token; follows no redirects."""

    http: TestClient[ASGIApp]
    site: Site
    actor: Actor | None = None
    session_token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def csrf(self) -> str:
        """The token of this log-in's forms."""
        return csrf.token_for(self.site.settings.secret, digest(self.session_token))

    def get(self, path: str, **given: Any) -> Response:
        return self.ask("GET", path, **given)

    def post(self, path: str, fields: dict[str, Any] | None = None, **given: Any) -> Response:
        """A form as our own page sends it."""
        data = {"_csrf": self.csrf, **(fields or {})} if self.actor else fields
        headers = {**OWN_PAGE, **given.pop("headers", {})}
        return self.ask("POST", path, data=data, headers=headers, **given)

    def ask(self, method: str, path: str, **given: Any) -> Response:
        """Any request, as it is."""
        headers = {**self.headers, **(given.pop("headers", None) or {})}
        return self.http.request(method, path, headers=headers, follow_redirects=False, **given)


def log_in(place: Place, actor: Actor | None = None) -> Browser:
    """A browser, logged in as ``actor`` without the detour of a password."""
    browser = Browser(TestClient(place.app), place.site, actor)
    if actor is not None:
        with platform_session(place.site.engine) as session:
            account = session.get_one(Account, actor.id)
            browser.session_token = open_session(session, account, "", now())
            session.commit()
        browser.http.cookies.set(place.site.settings.session_cookie, browser.session_token)
    return browser


def program(place: Place, actor: Actor, *scopes: str) -> Browser:
    """A program with a token of ``actor``: all of the person's permissions, or ``scopes``."""
    with tenant_session(place.site.engine, actor.tenant_id, actor_id=actor.id) as session:
        token = create_token(session, actor, "tests", scopes or actor.permissions)
        session.commit()
    return Browser(TestClient(place.app), place.site, headers={"Authorization": f"Bearer {token}"})


class Recorder:
    """The statements sent to the database; BEGIN and COMMIT are not among them."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)

    def __iter__(self) -> Iterator[str]:
        return iter(self.statements)

    def clear(self) -> None:
        self.statements.clear()

    def heard(self, _c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements.append(re.sub(r"\s+", " ", statement).strip())


def listen(engine: Engine) -> Iterator[Recorder]:
    """Record until told otherwise."""
    recorder = Recorder()
    event.listen(engine, "before_cursor_execute", recorder.heard)
    try:
        yield recorder
    finally:
        event.remove(engine, "before_cursor_execute", recorder.heard)
