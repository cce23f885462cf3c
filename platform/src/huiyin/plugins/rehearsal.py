"""A context for a plugin's own tests, without a site around it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from huiyin.db import ScopedSession, platform_session
from huiyin.identity.actor import Actor, system_actor
from huiyin.kit import i18n, keys
from huiyin.plugins.context import TenantContext
from huiyin.plugins.figures import Figure, FigureBook
from huiyin.plugins.health import engine_of
from huiyin.plugins.manifest import Manifest
from huiyin.tenancy.models import Tenant
from huiyin.web.render import environment


def rehearse(
    module: ModuleType,
    session: ScopedSession,
    *,
    name: str,
    actor: Actor | None = None,
    settings: msgspec.Struct | None = None,
    language: str = "zh",
    figures: Iterable[Figure] = (),
) -> TenantContext:
    """What the plugin ``name`` would be lent for the session's firm, with these settings.

    ``module`` is the one that holds its ``MANIFEST``.  Nothing needs to be installed or on.
    ``figures`` are what other plugins would let it quote.
    """
    _ensure_secret()
    manifest = module.MANIFEST
    assert isinstance(manifest, Manifest)  # noqa: S101 - this runs in tests
    held = settings or manifest.settings()
    with platform_session(engine_of(session)) as platform:
        tenant = platform.get_one(Tenant, session.tenant)

    def source(type_: type[Any]) -> Any:
        if type_ is not manifest.settings:
            raise TypeError(f"the settings of {name} are a {manifest.settings.__name__}")
        return held

    house = Path(str(files("huiyin_frontend")))
    own = Path(module.__file__ or "").parent
    book = FigureBook(lambda _owner: ctx, figures)
    ctx = TenantContext(
        plugin=name,
        session=session,
        actor=actor or system_actor(tenant.id),
        tenant=tenant,
        translator=i18n.load([house / "locale", own / "locale"])[language],
        templates=environment(
            [house / "templates", own / "templates"], [house / "static", own / "static"]
        ),
        source=source,
        book=lambda: book,
    )
    return ctx


def _ensure_secret() -> None:
    """Tests of a plugin need no installation: any secret will do, if none is configured."""
    try:
        keys.derive("rehearsal")
    except keys.MissingSecret:
        keys.configure(secrets.token_bytes(32))
