"""A closed loop of eight connections that wait for each answer, and what it took to give them."""

from __future__ import annotations

import itertools
import os
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

CONNECTIONS = 8
_TICK = os.sysconf("SC_CLK_TCK")


def request(
    method: str, path: str, headers: dict[str, str], form: dict[str, str] | bytes | None = None
) -> bytes:
    """One request as bytes, made before the clock runs."""
    body = form if isinstance(form, bytes) else urlencode(form or {}).encode()
    kind = "application/json" if isinstance(form, bytes) else "application/x-www-form-urlencoded"
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if form is not None:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One kept-alive connection; ``ask`` answers status and body."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def ask(self, message: bytes) -> tuple[int, bytes]:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(message)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        if b"connection: close" in head.lower():
            self.close()
        return int(head[9:12]), body

    def _more(self) -> bytes:
        assert self.socket is not None
        part = self.socket.recv(262144)
        if not part:
            raise ConnectionError("the server hung up")
        return part

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


@dataclass(slots=True)
class Tally:
    """All rounds of one page on one server."""

    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0  # seconds of the serving process
    database: float = 0.0  # seconds of PostgreSQL
    wrong: dict[int, int] = field(default_factory=dict)  # status → how often, if not the wanted one
    size: int = 0
    rows: int = 0

    @property
    def n(self) -> int:
        return len(self.milliseconds)

    @property
    def rate(self) -> float:
        return self.n / self.seconds

    @property
    def cpu_ms(self) -> float:
        return self.cpu / self.n * 1000

    @property
    def database_ms(self) -> float:
        return self.database / self.n * 1000

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.milliseconds, n=100)[percent - 1]


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int
    postmaster: int


def run_round(
    server: Server, messages: Sequence[bytes], wanted: int, tally: Tally, *, seconds: float
) -> None:
    """Send the messages over eight connections, for so many seconds at most, and count."""
    end = time.monotonic() + seconds
    queue = itertools.takewhile(lambda _: time.monotonic() < end, messages)
    lock = threading.Lock()
    before = cpu_seconds(server.pid), database_seconds(server.postmaster)
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_work, args=(server.port, queue, lock, wanted, tally))
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.seconds += time.perf_counter() - began
    tally.cpu += cpu_seconds(server.pid) - before[0]
    tally.database += database_seconds(server.postmaster) - before[1]


def _work(
    port: int, queue: Iterator[bytes], lock: threading.Lock, wanted: int, tally: Tally
) -> None:
    connection = Connection(port)
    while True:
        with lock:
            message = next(queue, None)
        if message is None:
            break
        began = time.perf_counter()
        try:
            status, body = connection.ask(message)
        except OSError:
            connection.close()
            status, body = 0, b""
        took = (time.perf_counter() - began) * 1000
        with lock:
            tally.milliseconds.append(took)
            tally.size, tally.rows = len(body), body.count(b'<tr class="row"')
            if status != wanted:
                tally.wrong[status] = tally.wrong.get(status, 0) + 1
    connection.close()


def cpu_seconds(pid: int, *, children: bool = False) -> float:
    """User and system time of a process so far; with its children that are no more, if asked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11 : 15 if children else 13]) / _TICK


def database_seconds(postmaster: int) -> float:
    """The same for the whole PostgreSQL: those who serve now, and those who have left."""
    total = cpu_seconds(postmaster, children=True)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(postmaster):
                total += cpu_seconds(int(folder.name))
        except (OSError, IndexError):
            continue  # gone between the two looks
    return total
