"""The door for mail servers: LMTP, or SMTP behind one.

``HUIYIN_MAIL_LISTEN=lmtp://127.0.0.1:8024`` (or ``smtp://``) opens it.  Every mail is answered
250 only after it is committed; what cannot be kept now is asked for again with a 4xx, and what
can never be kept is refused with a 5xx.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from huiyin.sdk import NotFound, ServiceContext, TooLarge
from huiyin_channel_email import limits
from huiyin_channel_email.intake import authserv, firm_of, take

VARIABLE: Final = "HUIYIN_MAIL_LISTEN"
IDLE: Final = 120  # seconds without a word until a connection is cut
CONNECTIONS: Final = 50  # at the same time; others are told to come again
RECIPIENTS: Final = 50
LINE: Final = 64 * 1024  # bytes; many programs write longer lines than the standard allows
LOOK: Final = 0.2  # seconds between two looks at whether to stop, or to begin
BUDGET: Final = 256 * 1024 * 1024  # bytes of memory for all mails that are on their way in
EACH: Final = 128 * 1024 * 1024  # and for one of them: 30 MB in lines of the usual length are 75
DOT: Final = b".\r\n"  # the end of a mail
OVERHEAD: Final = 120  # bytes of memory for a line beside its own
AT_ONCE: Final = 8  # mails that are being kept at the same time
_AGAIN: Final = "451 4.3.0 cannot be kept now, try again later"
_FULL: Final = "452 4.3.1 too much mail at the moment, try again later"
_TOO_LARGE: Final = "552 5.3.4 message too large"
_TOO_LONG: Final = "500 5.5.2 a line is too long"
_NOBODY: Final = "550 5.1.1 no such mailbox here"
# A trace may quote the mail, so only the type of a fault is logged.
log: Final = logging.getLogger("huiyin.plugin.channel_email")


def address(environment: Mapping[str, str] | None = None) -> tuple[str, str, int] | None:
    """Protocol, host and port to listen at, or ``None``; raises ``ValueError``."""
    env = os.environ if environment is None else environment
    url = env.get(VARIABLE, "")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"lmtp", "smtp"} or not parts.hostname or parts.port is None:
        raise ValueError(f"{VARIABLE} is lmtp://host:port or smtp://host:port")
    return parts.scheme, parts.hostname, parts.port


class Full(Exception):
    """No room for more of a mail; ``answer`` is what its sender hears."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer


class Budget:
    """How much mail this process holds in memory, over all connections."""

    def __init__(self, most: int) -> None:
        self.left = most


class Counted:
    """The lines of one mail as they come, each charged to the budget until ``give_back``.

    Raises ``Full`` where the library would answer once for all recipients of LMTP.
    """

    def __init__(self, reader: asyncio.StreamReader, budget: Budget) -> None:
        self.reader, self.budget = reader, budget
        self.size = self.held = 0

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        try:
            line = await self.reader.readuntil(separator)
        except asyncio.LimitOverrunError:
            raise Full(_TOO_LONG) from None
        return line if line == DOT else self._charge(line)

    def _charge(self, line: bytes) -> bytes:
        cost = len(line) + OVERHEAD
        self.size += len(line)
        if self.size > limits.LARGEST or self.held + cost > EACH:
            raise Full(_TOO_LARGE)
        if cost > self.budget.left:
            raise Full(_FULL)
        self.budget.left -= cost
        self.held += cost
        return line

    def give_back(self) -> None:
        self.budget.left += self.held
        self.held = 0


async def skip(reader: asyncio.StreamReader) -> None:
    """Hear the rest of a mail to its lone dot, keeping nothing."""
    fresh = True  # at the beginning of a line
    while True:
        try:
            line = await reader.readuntil(b"\r\n")
        except asyncio.LimitOverrunError as long:
            await reader.read(long.consumed)
            fresh = False
            continue
        if fresh and line == DOT:
            return
        fresh = True


class Door:
    """What is said to a mail server at each step; the names are aiosmtpd's."""

    def __init__(self, ctx: ServiceContext, *, each: bool) -> None:
        self.ctx = ctx
        self.each = each  # LMTP answers for every recipient on its own
        self.room = asyncio.Semaphore(AT_ONCE)
        self.open = 0
        self.budget = Budget(BUDGET)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, recipient: str,
        _options: list[str],
    ) -> str:  # fmt: skip
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 too many recipients"
        slug = firm_of(recipient)
        try:
            known = bool(slug) and await asyncio.to_thread(self._is_there, slug)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the mail may come again
            log.error("recipient not looked up: %s", type(fault).__name__)  # noqa: TRY400
            return _AGAIN
        if not known:
            return _NOBODY
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 OK"

    def _is_there(self, slug: str) -> bool:
        try:
            with self.ctx.firm(slug):
                return True
        except NotFound:
            return False

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        data, sender = envelope.original_content or b"", envelope.mail_from or ""
        async with self.room:
            answers = [
                await asyncio.to_thread(self._keep, data, sender, recipient)
                for recipient in envelope.rcpt_tos
            ]
        return "\r\n".join(answers) if self.each else _worst(answers)

    def _keep(self, data: bytes, sender: str, recipient: str) -> str:
        try:
            receipt = take(
                self.ctx, firm_of(recipient), data, sender=sender, recipient=recipient,
                checked_by=authserv(),
            )  # fmt: skip
        except NotFound:
            return _NOBODY
        except TooLarge:
            return _TOO_LARGE
        except Exception as fault:  # noqa: BLE001 - nothing was committed: it must come again
            log.error("mail not kept: %s", type(fault).__name__)  # noqa: TRY400
            return _AGAIN
        return f"250 2.0.0 kept as {receipt.id}"


def _worst(answers: list[str]) -> str:
    """One answer for all: what failed for one recipient comes again for all of them."""
    return max(answers, key=lambda answer: {"4": 2, "5": 1}.get(answer[0], 0))


class _Limited:
    """Turns away more connections at a time than may be served, and more mail than fits."""

    _reader: Any

    def connection_made(self, transport: Any) -> None:
        door: Door = self.event_handler  # type: ignore[attr-defined]
        door.open += 1
        self.counted = True
        if door.open > CONNECTIONS:
            transport.write(b"421 4.3.2 too many connections, try again later\r\n")
            transport.close()
            return
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        door: Door = self.event_handler  # type: ignore[attr-defined]
        door.open -= 1
        if getattr(self, "transport", None) is not None:
            super().connection_lost(error)  # type: ignore[misc]

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the library's name
        """One mail, as long as there is room for what all of them hold."""
        door: Door = self.event_handler  # type: ignore[attr-defined]
        reader = self._reader
        counted = self._reader = Counted(reader, door.budget)
        answer = ""
        try:
            await super().smtp_DATA(arg)  # type: ignore[misc]
        except Full as full:  # what was heard of it is let go with the exception
            answer = full.answer
        finally:
            self._reader = reader
            counted.give_back()
        if answer:
            await skip(reader)
            times = len(self.envelope.rcpt_tos) if door.each else 1  # type: ignore[attr-defined]
            self._set_post_data_state()  # type: ignore[attr-defined]
            await self.push("\r\n".join([answer] * times))  # type: ignore[attr-defined]


class LimitedSMTP(_Limited, SMTP):
    line_length_limit = LINE


class LimitedLMTP(_Limited, LMTP):
    line_length_limit = LINE


def listen(ctx: ServiceContext) -> None:
    """Serve until told to stop; returns at once where nobody said where to listen."""
    chosen = address()
    if chosen is not None:
        asyncio.run(_serve(ctx, *chosen))


async def _serve(ctx: ServiceContext, protocol: str, host: str, port: int) -> None:
    door = Door(ctx, each=protocol == "lmtp")
    kind = LimitedLMTP if door.each else LimitedSMTP
    controller = _Controller(kind, door, hostname=host, port=port)
    server = await _open(ctx, controller, host, port)
    if server is None:
        return
    async with server:
        while not ctx.stopping.is_set():  # noqa: ASYNC110 - the event is a thread's
            await asyncio.sleep(LOOK)


async def _open(
    ctx: ServiceContext, controller: _Controller, host: str, port: int
) -> asyncio.Server | None:
    """The address once it is free: another process of ours may hold it, and end."""
    said = False
    while not ctx.stopping.is_set():
        try:
            return await asyncio.get_running_loop().create_server(
                controller.factory, host=host, port=port
            )
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise
        if not said:
            said = True
            log.warning("another process listens at %s:%d; waiting for its end", host, port)
        await asyncio.sleep(LOOK)
    return None


class _Controller(UnthreadedController):
    """Only its factory is used: it makes the protocol with our limits."""

    def __init__(self, kind: type[SMTP], door: Door, *, hostname: str, port: int) -> None:
        super().__init__(door, hostname=hostname, port=port, loop=asyncio.get_running_loop())
        self.kind = kind

    def factory(self) -> SMTP:
        return self.kind(
            self.handler, data_size_limit=limits.LARGEST, hostname="huiyin", timeout=IDLE,
            enable_SMTPUTF8=True, ident="Huiyin",
        )  # fmt: skip
