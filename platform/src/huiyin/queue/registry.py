"""Who does which work: handlers by name, and which of them hear of which event."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor, system_actor
from huiyin.queue.models import Job, OutboxEvent


class Retry(Exception):  # an answer, not a fault
    """Not now: try again ``after`` seconds.  It counts as one of the tries."""

    def __init__(self, after: float) -> None:
        super().__init__(after)
        self.after = after


class GiveUp(Exception):
    """No further try can help; the job is quarantined at once."""


class NoHandler(LookupError):
    """Nobody is registered for this work, as when a newer node made the job."""


@dataclass(frozen=True, slots=True)
class JobView:
    """What a handler may know of its job.  ``attempt`` counts from 1."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    kind: str
    consumer: str
    payload: dict[str, Any]
    object_id: uuid.UUID | None
    event_id: uuid.UUID | None
    attempt: int
    token: uuid.UUID

    @property
    def idempotency_key(self) -> str:
        """The same at every try: what an outside service is told, so that it acts only once."""
        return f"{self.event_id or self.id}.{self.consumer}"

    @property
    def actor(self) -> Actor:
        """The system, in this firm: jobs act in nobody's name."""
        return system_actor(self.tenant_id)


@dataclass(frozen=True, slots=True)
class EventView:
    """What a subscription may depend on."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    kind: str
    object_id: uuid.UUID
    payload: dict[str, Any]


Work = Callable[[ScopedSession, JobView], None]
Provider = Callable[[ScopedSession, EventView], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Handler:
    """A name, the function behind it, how often it may try and how long each try may take.

    ``otherwise`` names the handler that gets the payload of a job that was set aside; with
    ``every`` it runs by itself, again and again, in every firm.
    """

    name: str
    run: Work
    retries: int = 5
    timeout: float = 60.0
    otherwise: str = ""
    every: timedelta | None = None


@dataclass(slots=True)
class Registry:
    """The handlers and subscriptions of one process."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    subscriptions: dict[str, list[str]] = field(default_factory=dict)
    providers: list[Provider] = field(default_factory=list)

    def handler(
        self, name: str, *, retries: int = 5, timeout: float = 60.0, on: Iterable[str] = (),
        otherwise: str = "", every: timedelta | None = None,
    ) -> Callable[[Work], Work]:  # fmt: skip
        """Register a function for the jobs of this name, and for the events it names.

        ``retries`` is the number of tries in all, ``timeout`` seconds for one of them;
        ``otherwise`` who is told, at least once, when a job is set aside; ``every`` lets it
        return by itself in every firm, without a payload.
        Raises ``ValueError`` when another function has the name.
        """

        def register(run: Work) -> Work:
            known = self.handlers.get(name)
            if known is not None and known.run is not run:
                raise ValueError(f"the handler {name!r} exists already")
            self.handlers[name] = Handler(name, run, retries, timeout, otherwise, every)
            for kind in on:
                self.subscribe(kind, name)
            return run

        return register

    def subscribe(self, event_kind: str, consumer: str) -> None:
        """Let a handler hear of every event of a kind, in every firm."""
        names = self.subscriptions.setdefault(event_kind, [])
        if consumer not in names:
            names.append(consumer)

    def provide_subscribers(self, provider: Provider) -> Provider:
        """Ask this function too, for each event: consumers that differ from firm to firm."""
        if provider not in self.providers:
            self.providers.append(provider)
        return provider

    def subscribers(self, session: ScopedSession, event: EventView) -> list[str]:
        """The consumers of one event in one firm, each once, in a stable order."""
        names = list(self.subscriptions.get(event.kind, ()))
        for provider in self.providers:
            names.extend(provider(session, event))
        return sorted(set(names))

    def returning(self) -> list[tuple[str, timedelta]]:
        """What runs by itself in every firm, and how often."""
        return [(one.name, one.every) for one in self.handlers.values() if one.every is not None]

    def find(self, consumer: str) -> Handler:
        """The handler of a name; raises ``NoHandler``."""
        try:
            return self.handlers[consumer]
        except KeyError:
            raise NoHandler(consumer) from None

    @contextmanager
    def isolated(self) -> Iterator[Registry]:
        """For tests: what is registered inside is forgotten outside, and the other way round."""
        kept = self.handlers, self.subscriptions, self.providers
        self.handlers, self.subscriptions, self.providers = {}, {}, []
        try:
            yield self
        finally:
            self.handlers, self.subscriptions, self.providers = kept


REGISTRY: Final = Registry()
handler: Final = REGISTRY.handler
subscribe: Final = REGISTRY.subscribe
provide_subscribers: Final = REGISTRY.provide_subscribers
subscribers: Final = REGISTRY.subscribers


def view_of_job(job: Job, token: uuid.UUID) -> JobView:
    return JobView(
        job.id, job.tenant_id, job.kind, job.consumer, job.payload, job.object_id, job.event_id,
        job.attempts, token,
    )  # fmt: skip


def view_of_event(event: OutboxEvent) -> EventView:
    return EventView(event.id, event.tenant_id, event.kind, event.object_id, event.payload)
