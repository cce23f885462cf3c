"""A word to whoever is watching, in this process and in all others, through PostgreSQL's NOTIFY.

It says that something of a topic changed and nothing more; whoever hears it reads anew, behind
the firm's wall.  A word may come twice.  While the line to the database is cut words are missed,
so everybody is woken once it is back.
"""

from __future__ import annotations

import logging
import re
import selectors
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import Engine, func, select

from huiyin.db import ScopedSession
from huiyin.db.bootstrap import libpq

log: Final = logging.getLogger(__name__)
CHANNEL: Final = "huiyin_live"
_TOPIC: Final = re.compile(r"[a-z0-9_]+:[A-Za-z0-9:_-]{1,120}")
_LONGEST: Final = 30.0  # seconds until the next try while the database is away

Wake = Callable[[str], None]  # gets the topic; must not block


def ring(session: ScopedSession, topic: str) -> None:
    """Wake whoever watches the firm's topic, if and when this transaction commits.

    A topic is made of ids and codes: it is seen by whoever may listen on the database.  Raises
    ``ValueError`` for one that could hold words.
    """
    if not _TOPIC.fullmatch(topic):
        raise ValueError(f"not a topic: {topic!r}")
    session.execute(select(func.pg_notify(CHANNEL, f"{session.tenant}/{topic}")))


class Bus:
    """The one listening connection of a process, opened when the first topic is watched."""

    def __init__(self, engine: Engine, *, url: str | None = None) -> None:
        """``url`` is where to listen, if the engine's own address cannot (a pooler)."""
        self.address = libpq(url or engine.url.render_as_string(hide_password=False))
        self._watching: dict[str, dict[int, Wake]] = defaultdict(dict)
        self._lock = threading.Lock()
        self._serial = 0
        self._thread: threading.Thread | None = None
        self._poke: socket.socket | None = None
        self._stopping = threading.Event()

    def watch(self, tenant: UUID, topic: str, wake: Wake) -> Callable[[], None]:
        """Have ``wake`` called when the topic rings; answers what ends it.

        Watch first and read then, or what happens in between is not heard.
        """
        key = f"{tenant}/{topic}"
        with self._lock:
            self._serial += 1
            mine = self._serial
            self._watching[key][mine] = wake
            if self._thread is None:
                self._start()

        def end() -> None:
            with self._lock:
                self._watching[key].pop(mine, None)
                if not self._watching[key]:
                    del self._watching[key]

        return end

    def _start(self) -> None:
        ear, self._poke = socket.socketpair()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ear, self._stopping), name="huiyin-bus", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Let go of the connection, and wait for it; the next to watch opens it again."""
        with self._lock:
            thread, self._thread = self._thread, None
            poke, self._poke = self._poke, None
        if thread is None or poke is None:
            return
        self._stopping.set()
        with suppress(OSError):
            poke.send(b"!")
        thread.join(timeout)
        poke.close()

    def _run(self, ear: socket.socket, stopping: threading.Event) -> None:
        failures = 0
        while not stopping.is_set():
            try:
                with psycopg.connect(self.address, autocommit=True, connect_timeout=3) as listener:
                    listener.execute(f"LISTEN {CHANNEL}")
                    failures = 0
                    self._missed()
                    self._listen(listener, ear, stopping)
            except Exception as failure:  # noqa: BLE001 - the database is away: come back later
                failures += 1
                log.warning("the bus pauses: %s", type(failure).__name__)
                stopping.wait(min(_LONGEST, 0.25 * 2**failures))
        ear.close()

    def _listen(
        self, listener: psycopg.Connection, ear: socket.socket, stopping: threading.Event
    ) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(listener.fileno(), selectors.EVENT_READ)
            waiting.register(ear, selectors.EVENT_READ)
            while not stopping.is_set():
                waiting.select()
                for notice in listener.notifies(timeout=0):
                    self._heard(notice.payload)

    def _heard(self, key: str) -> None:
        with self._lock:
            wakes = list(self._watching[key].values()) if key in self._watching else []
        topic = key.partition("/")[2]
        for wake in wakes:
            wake(topic)

    def _missed(self) -> None:
        """Nobody knows what rang while the line was down."""
        with self._lock:
            keys = list(self._watching)
        for key in keys:
            self._heard(key)
