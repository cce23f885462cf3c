"""The bell: Dramatiq in this process, or over Redis or RabbitMQ.

A message holds a tenant's id and a job's id.  The broker may lose, double or delay it: the row
is the truth, the relay rings again, and a second ringing finds nothing left to do.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Final

import dramatiq
from dramatiq import Broker
from dramatiq.brokers.stub import StubBroker
from dramatiq.threading import Interrupt

log: Final = logging.getLogger(__name__)

QUEUE: Final = "huiyin"
Ring = Callable[[uuid.UUID, uuid.UUID], None]


def make_broker(url: str | None = None) -> Broker:
    """A broker without middleware: retries, limits and results are the job row's business.

    ``None`` stays in this process; ``redis://``, ``rediss://`` and ``amqp://`` leave it.
    Raises ``ValueError`` for anything else.
    """
    if not url:
        return StubBroker(middleware=[])
    scheme = url.partition("://")[0]
    if scheme in {"redis", "rediss", "unix"}:
        from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415 - only where it is used
        from redis import Redis  # noqa: PLC0415

        # Without limits a Redis behind a dead line would hold the relay for ever.
        client = Redis.from_url(url, socket_timeout=10, socket_connect_timeout=3)
        return RedisBroker(client=client, middleware=[], namespace=QUEUE)  # type: ignore[no-untyped-call]
    if scheme in {"amqp", "amqps"}:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker  # noqa: PLC0415 - needs pika

        return RabbitmqBroker(url=url, middleware=[])
    raise ValueError(f"no broker speaks {scheme!r}; use redis:// or amqp://, or leave it empty")


def make_bell(broker: Broker, run: Callable[[uuid.UUID, uuid.UUID], object]) -> Ring:
    """Declare the one actor of the house and answer with the function that rings for it."""

    def run_job(tenant_id: str, job_id: str) -> None:
        try:
            run(uuid.UUID(tenant_id), uuid.UUID(job_id))
        except (Exception, Interrupt) as failure:  # noqa: BLE001 - or Dramatiq would log contents
            # The lease runs out, or the bell is rung again; nothing is lost with this message.
            log.log(logging.ERROR, "job %s could not be run: %s", job_id, type(failure).__name__)

    actor = dramatiq.actor(broker=broker, queue_name=QUEUE)(run_job)

    def ring(tenant_id: uuid.UUID, job_id: uuid.UUID) -> None:
        actor.send(str(tenant_id), str(job_id))

    return ring
