"""What the platform lends a plugin while it works for one firm."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from jinja2 import Environment
from markupsafe import Markup

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor
from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import Message, Translator
from huiyin.kit.time import now
from huiyin.ledger.service import append
from huiyin.plugins.figures import FigureBook
from huiyin.plugins.sealing import Unsealable, seal, unseal
from huiyin.queue.bus import ring
from huiyin.queue.service import emit, enqueue
from huiyin.tenancy.models import Tenant

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
Settings = Callable[[type[Any]], Any]


def _no_book() -> FigureBook:
    return FigureBook(lambda _plugin: _nobody(), ())


def _nobody() -> TenantContext:
    raise NotFound


def job_kind(plugin: str, job: str = "") -> str:
    """The name under which the queue knows a plugin's job, or its ``on_event``."""
    return f"plugin:{plugin}:{job}" if job else f"plugin:{plugin}"


@dataclass(frozen=True, kw_only=True)
class TenantContext:
    """A firm's session and settings, the words and templates, and who is asking.

    It is lent for one call.  The session is the caller's: a plugin reads and writes with it and
    never commits.
    """

    plugin: str
    session: ScopedSession
    actor: Actor
    tenant: Tenant
    translator: Translator
    templates: Environment
    source: Settings = field(repr=False)
    blobs: Any = None  # the store of files, for plugins that keep some
    csrf_token: str = ""
    book: Callable[[], FigureBook] = field(default=_no_book, repr=False)
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def now(self) -> datetime:
        """The present moment in UTC, from the clock that tests can set."""
        return now()

    def settings(self, type_: type[S]) -> S:
        """The firm's settings of this plugin, asked for by their type.

        Raises ``TypeError`` for a type that is not the manifest's.
        """
        value: S = self.source(type_)
        return value

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What ``make`` answers, made once as long as this context is lent, which is one request.

        For what several hooks of a page need; never for what the same request changes.
        """
        if key not in self._known:
            self._known[key] = make()
        value: T = self._known[key]
        return value

    def text(self, message: str | Message, **params: object) -> str:
        """A sentence in the reader's language."""
        return self.translator(message, **params)

    def render(self, template: str, /, **context: object) -> Markup:
        """A template of the plugin, escaped; it knows ``_``, ``lang``, ``tenant`` and ``base``."""
        base = f"/{'t' if self.actor.is_person else 'p'}/{self.tenant.slug}"
        html = self.templates.get_template(template).render(
            {
                "_": self.translator,
                "lang": self.translator.language,
                "now": self.now(),
                "tenant": self.tenant,
                "base": base,
                "plugin_base": f"{base}/{'w/' if self.actor.is_person else ''}x/{self.slug}",
                "actor": self.actor,
                "csrf_token": self.csrf_token,
                **context,
            }
        )
        return Markup(html)  # noqa: S704 - rendered with autoescape

    def enqueue(
        self,
        job: str,
        payload: Mapping[str, Any],
        *,
        key: str | None = None,
        due_at: datetime | None = None,
        object_id: uuid.UUID | None = None,
    ) -> uuid.UUID:
        """Put off one of the plugin's declared jobs; it runs if this transaction commits.

        With a ``key`` used before nothing is added.  The payload takes ids, never personal data.
        """
        kind = job_kind(self.plugin, job)
        return enqueue(
            self.session,
            kind,
            payload,
            key=f"{kind}:{key}" if key else None,
            due_at=due_at,
            object_id=object_id,
        )

    def emit(
        self, what: str, object_id: uuid.UUID, payload: Mapping[str, Any] | None = None
    ) -> uuid.UUID:
        """Say that something happened, ``<plugin>:<what>``, if this transaction commits.

        Other plugins hear it that list it in ``Manifest.listens``.  The payload takes ids and
        facts about no person.
        """
        kind = f"{self.plugin}:{what}"
        return emit(
            self.session, kind, object_id=object_id, payload=payload, actor_id=self.actor.id
        )

    def ring(self, topic: str) -> None:
        """Wake the open lines that watch this topic, on every node, if this transaction commits.

        The topic takes ids and codes.  Nothing is told but that it rang.
        """
        ring(self.session, f"{self.plugin}:{topic}")

    def record(
        self,
        what: str,
        object_id: uuid.UUID,
        facts: Mapping[str, Any],
        commits: Mapping[str, str | bytes] | None = None,
    ) -> None:
        """Enter one thing done in the firm's ledger, ``<plugin>:<what>``; do it last.

        ``facts`` are ids, codes, versions, dates and hashes; personal data and free text go into
        ``commits``, of which only a salted hash is kept.  Raises ``ValueError`` for a fact that
        is none.
        """
        append(
            self.session,
            kind=f"{self.plugin}:{what}",
            object_id=object_id,
            actor_id=self.actor.id,
            facts=facts,
            commits=commits,
        )

    def seal(self, name: str, text: str) -> str:
        """A secret to be kept in a row; it opens for this firm, plugin and ``name`` only."""
        return seal(text, tenant_id=self.tenant.id, plugin=self.plugin, field=f"row:{name}")

    def unseal(self, name: str, sealed: str) -> str:
        """The secret again, ``""`` if it does not open here."""
        try:
            return unseal(sealed, tenant_id=self.tenant.id, plugin=self.plugin, field=f"row:{name}")
        except Unsealable:
            return ""

    def figures(self) -> FigureBook:
        """The numbers that may be quoted: the core's and those of the plugins that are on."""
        return self.book()

    @property
    def slug(self) -> str:
        """The plugin's name as it stands in addresses."""
        return self.plugin.replace("_", "-")

    @cached_property
    def log(self) -> logging.Logger:
        """Write ids and types here, never what people wrote."""
        return logging.getLogger(f"huiyin.plugin.{self.plugin}")
