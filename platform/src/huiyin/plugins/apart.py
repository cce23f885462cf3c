"""A transaction of its own, for what must stand whatever becomes of the work around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from huiyin.db import tenant_session
from huiyin.plugins.context import TenantContext
from huiyin.plugins.health import engine_of


@contextmanager
def apart(ctx: TenantContext) -> Iterator[TenantContext]:
    """The same context on a session of its own, committed at the end, undone by an exception.

    For what an outside service has been told or has given, such as a key that it hands out only
    once: a job that is tried again must not lose it.  It does not see what the surrounding
    transaction has not committed, and waits for rows that it holds, so change there nothing that
    is changed here.
    """
    purpose = f"apart:{ctx.plugin}"
    with tenant_session(
        engine_of(ctx.session), ctx.session.tenant, actor_id=ctx.actor.id, purpose=purpose
    ) as own:
        yield replace(ctx, session=own)
        own.commit()
