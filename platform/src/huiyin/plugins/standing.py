"""Which plugins a firm has on, and which were set aside for it: one query, kept a few seconds."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event, literal, null, select, union_all
from sqlalchemy.orm import Session

from huiyin.db import ScopedSession
from huiyin.tenancy.models import PluginActivation, PluginHealth

SECONDS: Final = 5.0  # how long another node may still act on what was


@dataclass(frozen=True, slots=True)
class Standing:
    """How every plugin stands with one firm.  ``chosen`` holds what the firm decided."""

    chosen: Mapping[str, bool]
    failures: Mapping[str, int]
    set_aside: frozenset[str]

    def wants(self, plugin: str, *, default: bool) -> bool:
        """Whether the firm has the plugin on, set aside or not."""
        return self.chosen.get(plugin, default)

    def runs(self, plugin: str, *, default: bool) -> bool:
        return self.wants(plugin, default=default) and plugin not in self.set_aside


class Standings:
    """The standings of all firms, each read at most once in ``SECONDS``."""

    def __init__(self) -> None:
        self._known: dict[uuid.UUID, tuple[float, Standing]] = {}
        self._lock = threading.Lock()

    def of(self, session: ScopedSession) -> Standing:
        """The standing in the session's firm."""
        known = self._known.get(session.tenant)
        if known and known[0] > time.monotonic():
            return known[1]
        standing = _read(session)
        with self._lock:
            self._known[session.tenant] = (time.monotonic() + SECONDS, standing)
        return standing

    def forget(self, tenant_id: uuid.UUID | None = None) -> None:
        """Ask anew, for one firm or for all."""
        with self._lock:
            if tenant_id is None:
                self._known.clear()
            else:
                self._known.pop(tenant_id, None)

    def forget_after(self, session: ScopedSession) -> None:
        """Ask anew as soon as this session's changes are committed."""
        tenant_id = session.tenant

        def committed(_: Session) -> None:
            self.forget(tenant_id)

        event.listen(session, "after_commit", committed)


def _read(session: ScopedSession) -> Standing:
    rows: Sequence[Any] = session.execute(
        union_all(
            select(
                PluginActivation.plugin,
                PluginActivation.active.label("active"),
                literal(0).label("failures"),
                null().label("since"),
            ),
            select(
                PluginHealth.plugin,
                null(),
                PluginHealth.failures,
                PluginHealth.quarantined_at,
            ),
        )
    ).all()
    return Standing(
        {row.plugin: row.active for row in rows if row.active is not None},
        {row.plugin: row.failures for row in rows if row.failures},
        frozenset(row.plugin for row in rows if row.since is not None),
    )
