"""What a plugin did wrong, counted where no rollback reaches it.

A failure is written in a short transaction of its own, so that the act it happened in may go on
or be undone.  After ``PATIENCE`` in a row the plugin is set aside for that firm, until an
administrator lets it back.
"""

from __future__ import annotations

import logging
import uuid
from typing import Final

from sqlalchemy import Engine, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from huiyin.db import ScopedSession, tenant_session
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.ids import uuid7
from huiyin.kit.time import now
from huiyin.queue.worker import place
from huiyin.tenancy.models import PluginHealth

PATIENCE: Final = 5  # failures in a row

log: Final = logging.getLogger(__name__)


def failed(session: ScopedSession, plugin: str, hook: str, fault: BaseException) -> None:
    """Count a failure in the session's firm; never raises, never touches the session."""
    where = f"{hook}: {place(fault)}"
    log.error("plugin %s of tenant %s, %s", plugin, session.tenant, where)
    try:
        set_aside = _count(engine_of(session), session.tenant, plugin, where)
    except SQLAlchemyError as error:
        # The health page is less than the page at hand: a full pool must not break that too.
        log.warning("plugin %s: its failure could not be counted: %s", plugin, type(error).__name__)
        return
    if set_aside:
        log.error("plugin %s is set aside for tenant %s", plugin, session.tenant)


def succeeded(session: ScopedSession, plugin: str) -> None:
    """Failures are counted in a row; this one ends the row."""
    try:
        with _own(engine_of(session), session.tenant) as own:
            own.execute(
                update(PluginHealth)
                .where(PluginHealth.plugin == plugin, PluginHealth.quarantined_at.is_(None))
                .values(failures=0)
                .execution_options(synchronize_session=False)
            )
            own.commit()
    except SQLAlchemyError as error:
        log.warning("plugin %s: its recovery could not be noted: %s", plugin, type(error).__name__)


def _count(engine: Engine, tenant_id: uuid.UUID, plugin: str, where: str) -> bool:
    moment = now()
    first = {
        "tenant_id": tenant_id, "id": uuid7(), "plugin": plugin, "failures": 1,
        "last_error": where, "last_at": moment,
    }  # fmt: skip
    more = PluginHealth.failures + 1
    with _own(engine, tenant_id) as own:
        since = own.execute(
            insert(PluginHealth)
            .values(first)
            .on_conflict_do_update(
                index_elements=["tenant_id", "plugin"],
                set_={
                    "failures": more,
                    "last_error": where,
                    "last_at": moment,
                    "quarantined_at": case(
                        (more >= PATIENCE, func.coalesce(PluginHealth.quarantined_at, moment)),
                        else_=PluginHealth.quarantined_at,
                    ),
                },
            )
            .returning(PluginHealth.quarantined_at)
        ).scalar_one()
        own.commit()
    return since is not None


def _own(engine: Engine, tenant_id: uuid.UUID) -> ScopedSession:
    own = tenant_session(engine, tenant_id, actor_id=SYSTEM_ID, purpose="plugin health")
    # The caller may hold this very row and waits for us: then rather not count.
    own.execute(select(func.set_config("lock_timeout", "500ms", True)))
    return own


def engine_of(session: ScopedSession) -> Engine:
    bind = session.get_bind()
    if not isinstance(bind, Engine):
        raise TypeError("a session is bound to an engine")
    return bind
