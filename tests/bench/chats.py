"""Chat over open lines: how many messages a second are kept and acknowledged, and what it holds."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from client import Server, cpu_seconds

# The same visitor as in the tests with kills.
sys.path.append(str(Path(__file__).parents[1] / "faults"))
from chatting import Visitor

LINES = 30
EACH = 20  # messages of one talk in a minute, which is what a firm allows
IDLE = 300  # lines that are open beside and say nothing
PER_ADDRESS = 15


@dataclass(slots=True)
class ChatFigures:
    """Messages a second, milliseconds until the acknowledgement, memory of the web process in MB.

    ``cpu_ms`` is what one message took of that process.
    """

    messages: int
    seconds: float
    cpu_ms: float
    memory: tuple[float, float, float]  # before any line, with the idle ones, at most
    waited: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.waited, n=20)
        before, idle, most = self.memory
        return (
            f"chat: {self.messages} messages over {LINES} lines, {self.messages / self.seconds:.0f}"
            f"/s acknowledged after the commit, p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, CPU"
            f" {self.cpu_ms:.1f} ms a message; web process {before:.0f} MB, {idle:.0f} MB with"
            f" {IDLE} idle lines ({(idle - before) * 1024 / IDLE:.0f} kB a line),"
            f" at most {most:.0f} MB"
        )


def measure(server: Server, slug: str) -> ChatFigures:
    """Open the idle lines, then let the others talk, each waiting for its acknowledgement."""
    before = _memory(server.pid, "VmRSS")
    with ExitStack() as stack:
        for n in range(IDLE):
            idle = Visitor(server.port, slug, f"10.{n // PER_ADDRESS}.0.1")
            if n % PER_ADDRESS == 0:
                idle.begin()
                cookie = idle.cookie
            idle.cookie = cookie
            stack.enter_context(idle.line())
        held = _memory(server.pid, "VmRSS")
        talkers = [Visitor(server.port, slug, f"10.{n}.1.1") for n in range(LINES)]
        lines = []
        for talker in talkers:
            talker.begin()
            lines.append(stack.enter_context(talker.line()))
        waited: list[float] = []
        threads = [
            threading.Thread(target=_talk, args=(talker, line, waited))
            for talker, line in zip(talkers, lines, strict=True)
        ]
        cpu, began = cpu_seconds(server.pid), time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds, spent = time.monotonic() - began, cpu_seconds(server.pid) - cpu
    most = _memory(server.pid, "VmHWM")
    count = len(waited)
    assert count == LINES * EACH, f"{count} messages were acknowledged"
    return ChatFigures(count, seconds, spent * 1000 / count, (before, held, most), waited)


def _talk(talker: Visitor, line: object, waited: list[float]) -> None:
    for n in range(EACH):
        began = time.monotonic()
        talker.say(line, f"bench-{n:06d}", f"第 {n} 句：赎回款仍未到账，请核实")  # type: ignore[arg-type]
        waited.append((time.monotonic() - began) * 1000)


def _memory(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if name in line) / 1024
