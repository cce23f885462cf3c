"""Open lines: a WebSocket on which each frame is handled like a form.

A handler never sees the socket.  It is called with a desk of its own for each frame that came and
each time a watched topic rang, in one thread and one transaction; the permission, the firm and
the plugin are checked anew each time, and what it answers is sent **after the commit**.  Nothing
is queued: the next frame is read when the last one is answered.

``{"type": "beat"}`` is the page saying that it is there.  It is answered without a look into the
database, but for one every few minutes; neither it nor the ``hello`` of a line that came back says
that anybody sits before the page, so they keep no log-in alive.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import anyio.to_thread
import msgspec
from litestar import Request, WebSocket
from litestar.di import NamedDependency
from litestar.handlers import WebsocketRouteHandler
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from huiyin.db.errors import is_deadlock
from huiyin.identity.policy import PUBLIC
from huiyin.kit.errors import (
    BadOrigin,
    Collided,
    HuiyinError,
    Invalid,
    NotFound,
    Throttled,
    Unauthenticated,
)
from huiyin.web.csrf import check_same_host
from huiyin.web.desk import Desk
from huiyin.web.doorkeeper import Full
from huiyin.web.errors import bare
from huiyin.web.routes import MARK
from huiyin.web.site import Site

log: Final = logging.getLogger(__name__)
LIMIT: Final = 16 * 1024  # bytes of one frame
IDLE: Final = 120.0  # seconds without a frame; a page says something every 45
SEND: Final = 20.0  # seconds for a reader to take one frame
LOOK: Final = 300.0  # seconds after which a beat is a reason to call the handler
BEAT: Final = "beat"
_BY_ITSELF: Final = frozenset({BEAT, "hello", None})  # what a page says without anybody
FRAMES: Final = 60  # within so many seconds; more is a flood
WITHIN: Final = 10.0

# What a line is closed with.  Those from 4000 on are ours.
TOO_BIG: Final = 1009
WRONG: Final = 1007
FAULT: Final = 1011
AWAY: Final = 1013
LOGGED_OUT: Final = 4401
GONE: Final = 4404
IDLED: Final = 4408
FLOOD: Final = 4429

Frame = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """Why a handler is called: a frame came, or topics rang.  At the first call neither."""

    frame: Frame | None = None
    rung: frozenset[str] = frozenset()

    @property
    def kind(self) -> str | None:
        """The ``type`` of the frame."""
        told = (self.frame or {}).get("type")
        return told if isinstance(told, str) else None


class Line:
    """One open line, as its handler sees it; ``memory`` lasts as long as the line."""

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self.memory: dict[str, Any] = {}
        self.closing: tuple[int, str] | None = None
        self.rung: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self.awake = asyncio.Event()
        self._ends: dict[str, Callable[[], None]] = {}

    def watch(self, desk: Desk, topic: str) -> None:
        """Be called when the firm's topic rings.  Watch first and read then."""
        if topic not in self._ends:
            self._ends[topic] = desk.site.bus.watch(
                desk.tenant.id, f"{self.plugin}:{topic}", functools.partial(self._ring, topic)
            )

    def unwatch(self, topic: str) -> None:
        """Hear of it no longer."""
        if end := self._ends.pop(topic, None):
            end()

    def close(self, code: int, reason: str = "") -> None:
        """Hang up once what this call answers is sent.  Own codes are 4000 to 4399."""
        self.closing = (code, reason)

    def unwatch_all(self) -> None:
        for topic in list(self._ends):
            self.unwatch(topic)

    def _ring(self, topic: str, _key: str) -> None:
        try:
            self._loop.call_soon_threadsafe(self._rang, topic)
        except RuntimeError:  # the loop has ended, and the line with it
            self.unwatch(topic)

    def _rang(self, topic: str) -> None:
        self.rung.add(topic)
        self.awake.set()


Handler = Callable[[Desk, Line, Heard], Sequence[Frame]]
NEVER: Final[Mapping[str, float]] = {}


def live(
    path: str | list[str] = "/",
    *,
    name: str,
    permission: str,
    limit: int = LIMIT,
    idle: float = IDLE,
    rarely: Mapping[str, float] = NEVER,
) -> Callable[[Handler], WebsocketRouteHandler]:
    """A line that stays open: WebSocket, from our own pages only, JSON objects both ways.

    ``limit`` bounds a frame in bytes; after ``idle`` seconds without one the line is closed.
    Frames of a type in ``rarely`` are dropped within so many seconds of the last one.
    """

    def decorate(handler: Handler) -> WebsocketRouteHandler:
        terms = Terms(handler, permission, limit, idle, rarely)

        async def serve(socket: WebSocket[Any, Any, Any], site: NamedDependency[Any]) -> None:
            await Call(site, socket, terms).serve()

        return WebsocketRouteHandler(path, name=name, opt={MARK: permission, "kind": "live"})(serve)

    return decorate


@dataclass(frozen=True, slots=True)
class Terms:
    """What a route says about its lines."""

    handler: Handler
    permission: str
    limit: int
    idle: float
    rarely: Mapping[str, float]


@dataclass(slots=True)
class Call:
    """One connection, from the handshake to its end."""

    site: Site
    socket: WebSocket[Any, Any, Any]
    terms: Terms
    line: Line = field(init=False)
    _frames: list[float] = field(default_factory=list)
    _heard_at: dict[str, float] = field(default_factory=dict)
    _looked_at: float = 0.0
    _accepted: bool = False

    async def serve(self) -> None:
        """Refused before it is accepted, everything looks alike: no such address."""
        plugin = str(self.socket.route_handler.opt.get("plugin", ""))
        self.line = Line(plugin)
        desk = self._desk()
        try:
            check_same_host(self.socket.headers, self.socket.headers.get("host", ""))
            slug = str(self.socket.path_params.get("tenant", ""))
            with self.site.doorkeeper.public(desk.ip, slug, self.terms.permission == PUBLIC):
                who = await anyio.to_thread.run_sync(self._look, desk)
                with self.site.doorkeeper.member(who):
                    self._accepted = True
                    await self.socket.accept()
                    await self._talk()
        except Full:
            await self._refuse(FLOOD)
        except (HuiyinError, OperationalError, InterfaceError, PoolTimeout):
            await self._refuse(GONE)
        finally:
            self.line.unwatch_all()

    def _desk(self) -> Desk:
        return Desk(self.site, cast("Request[Any, Any, Any]", self.socket))

    async def _refuse(self, code: int) -> None:
        if self._accepted:
            return
        if self.socket.connection_state == "init":
            await self.socket.receive()  # the handshake, which has to be taken to be refused
        await self.socket.close(code=code)

    def _look(self, desk: Desk) -> str:
        """Who it is; raises what a page would."""
        try:
            self._open(desk, attended=False)
            desk.session.commit()
            return str(desk.actor.id) if desk.is_staff else ""
        finally:
            desk.close()

    def _open(self, desk: Desk, *, attended: bool) -> None:
        plugin = self.line.plugin
        desk.open(self.terms.permission, bearer=False, plugin=plugin, attended=attended)

    # -- talking -----------------------------------------------------------------------------

    async def _talk(self) -> None:
        reading: asyncio.Future[Any] | None = None
        try:
            going = await self._turn(Heard())
            while going:
                reading = reading or asyncio.ensure_future(self.socket.receive())
                heard = await self._wait(reading)
                if heard is None:
                    break
                if reading.done():
                    reading = None
                going = await self._turn(heard)
        finally:
            if reading is not None:
                reading.cancel()

    async def _wait(self, reading: asyncio.Future[Any]) -> Heard | None:
        """The next reason to do something; ``None`` when there is none any more."""
        ringing = asyncio.ensure_future(self.line.awake.wait())
        try:
            done, _ = await asyncio.wait(
                {reading, ringing}, timeout=self.terms.idle, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ringing.cancel()
        if not done:
            return await self._hang_up(IDLED)
        if reading in done:
            return await self._read(reading.result())
        rung, self.line.rung = frozenset(self.line.rung), set()
        self.line.awake.clear()
        return Heard(rung=rung)

    async def _read(self, message: Mapping[str, Any]) -> Heard | None:
        if message["type"] != "websocket.receive":
            return None
        raw = message.get("text") or message.get("bytes") or ""
        data = raw.encode() if isinstance(raw, str) else raw
        if len(data) > self.terms.limit:
            return await self._hang_up(TOO_BIG)
        if self._floods():
            return await self._hang_up(FLOOD)
        try:
            return Heard(frame=msgspec.json.decode(data, type=dict[str, Any]))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return await self._hang_up(WRONG)

    def _floods(self) -> bool:
        moment = time.monotonic()
        self._frames = [at for at in self._frames if at > moment - WITHIN]
        self._frames.append(moment)
        return len(self._frames) > FRAMES

    async def _turn(self, heard: Heard) -> bool:
        """One call of the handler and its answer; whether the line goes on."""
        try:
            frames: Sequence[Frame] = ()
            if not self._passes(heard):
                frames = await anyio.to_thread.run_sync(self._in_one_transaction, heard)
            for frame in (*frames, *(({"type": BEAT},) if heard.kind == BEAT else ())):
                text = msgspec.json.encode(frame).decode()
                await asyncio.wait_for(self.socket.send_text(text), SEND)
        except TimeoutError:
            return False
        if self.line.closing is None:
            return True
        await self._hang_up(*self.line.closing)
        return False

    def _passes(self, heard: Heard) -> bool:
        """Whether the handler need not hear of it, and nobody look into the database."""
        moment, kind = time.monotonic(), heard.kind
        if kind == BEAT and moment < self._looked_at + LOOK:
            return True
        if kind is not None and (pause := self.terms.rarely.get(kind)):
            if moment < self._heard_at.get(kind, -pause) + pause:
                return True
            self._heard_at[kind] = moment
        self._looked_at = moment
        return False

    async def _hang_up(self, code: int, reason: str = "") -> Heard | None:
        """Close it; answers ``None``, as there is nothing more to hear."""
        await self.socket.close(code=code, reason=reason)
        return None

    # -- in the thread -----------------------------------------------------------------------

    def _in_one_transaction(self, heard: Heard) -> Sequence[Frame]:
        desk, kept = self._desk(), dict(self.line.memory)

        def once() -> Sequence[Frame]:
            self._open(desk, attended=heard.kind not in _BY_ITSELF)
            frames = self.terms.handler(desk, self.line, heard)
            desk.session.commit()
            return frames

        try:
            try:
                return once()
            except (IntegrityError, OperationalError) as error:
                if isinstance(error, OperationalError) and not is_deadlock(error):
                    raise
                desk.reset()
                self.line.memory = dict(kept)
                return once()
        except Exception as error:  # noqa: BLE001 - the last line: nothing leaks, all is logged
            return self._failed(desk, heard, error)
        finally:
            desk.close()

    def _failed(self, desk: Desk, heard: Heard, error: Exception) -> Sequence[Frame]:
        """A refusal is told, and the line stays; anything else ends it with a code."""
        if isinstance(error, IntegrityError):
            error = Collided()
        elif isinstance(error, DataError):  # a frame holds what no column can
            error = Invalid({})
        if isinstance(error, Unauthenticated):
            self.line.close(LOGGED_OUT)
        elif isinstance(error, NotFound | BadOrigin):
            self.line.close(GONE)
        elif isinstance(error, HuiyinError):
            return [_refusal(desk, heard, error)]
        elif isinstance(error, OperationalError | InterfaceError | PoolTimeout):
            log.warning("a line is closed: %s", type(error).__name__)
            self.line.close(AWAY)
        else:
            log.log(logging.ERROR, "a line failed: %s", type(error).__name__, exc_info=bare(error))
            self.line.close(FAULT)
        return ()


def _refusal(desk: Desk, heard: Heard, error: HuiyinError) -> Frame:
    """Why something was not done; ``re`` is the ``id`` of the frame that asked."""
    said: dict[str, Any] = {
        "type": "refused",
        "re": (heard.frame or {}).get("id"),
        "code": error.code,
        "message": desk._(error.message),
    }
    if isinstance(error, Invalid):
        said["fields"] = {name: desk._(text) for name, text in error.fields.items()}
    if isinstance(error, Throttled):
        said["after"] = error.retry_after
    return said
