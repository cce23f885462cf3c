"""A server that speaks SMTP and remembers what it heard, for us and for plugin authors."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

START = 20  # seconds at most until it listens, and until it has stopped


class Sink:
    """One server on a port of its own.  ``answers`` replaces what it says to a command.

    ``mails`` are the messages as they came, ``heard`` every line of command.  Besides commands
    ``greeting``, ``go`` (before the message) and ``accept`` (after it) may be answered; with
    ``data`` or ``accept`` replaced nothing is kept.
    """

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.mails: list[bytes] = []
        self.heard: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """What ``HUIYIN_SMTP_URL`` is set to."""
        return f"smtp://127.0.0.1:{self.port}"

    def parsed(self) -> list[EmailMessage]:
        return [message_from_bytes(mail, policy=default) for mail in self.mails]

    @contextmanager
    def running(self) -> Iterator[Sink]:
        ready, loop = threading.Event(), asyncio.new_event_loop()
        stop = asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=1 << 24)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            async with server:
                await stop.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
        thread.start()
        assert ready.wait(timeout=START)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(timeout=START)
            loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "greeting", "220 sink.test ESMTP")
        while line := await reader.readline():
            words = line.decode().strip()
            verb = words.split(" ")[0].split(":")[0].lower()
            self.heard.append(words)
            if verb == "ehlo":
                await self._say(writer, verb, "250-sink.test\r\n250 SIZE 50000000")
            elif verb == "data" and "data" not in self.answers:
                await self._say(writer, "go", "354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                if "accept" not in self.answers:
                    self.mails.append(body[:-5].replace(b"\r\n..", b"\r\n."))
                await self._say(writer, "accept", "250 kept")
            else:
                await self._say(writer, verb, "221 bye" if verb == "quit" else "250 ok")
            if verb == "quit":
                break
        writer.close()

    async def _say(self, writer: asyncio.StreamWriter, name: str, words: str) -> None:
        writer.write(f"{self.answers.get(name, words)}\r\n".encode())
        await writer.drain()
