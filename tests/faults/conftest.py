"""A real installation to break: each part is a process of its own and dies by ``kill -9``."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from huiyin.db.bootstrap import libpq
from huiyin.db.embedded import EmbeddedPostgres

FIRM = "qinghe"
WRITERS = 8
PATIENCE = 400.0  # seconds for anything to happen: hundreds of letters are printed after a kill
HUIYIN = Path(sys.executable).with_name("huiyin")
SEED = Path(__file__).with_name("seed.py")
PARTS = {
    "db": ["db", "run"],
    "web": ["serve", "--no-worker"],
    "worker": ["worker"],
}


@pytest.fixture(autouse=True)
def _sockets(socket_enabled):
    """The clients here talk to a process over TCP on this machine."""


def until(condition, what, patience=PATIENCE):
    """Look again and again until ``condition`` holds; nothing depends on how long it took."""
    pause, deadline = threading.Event(), time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.02)
    return answer


@dataclass
class Answer:
    """``status`` is 0 when the connection broke before the answer was read to its end."""

    status: int
    body: dict


class House:
    """One home, one port, three processes."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, _free_port()
        self.parts: dict[str, subprocess.Popen] = {}
        self.server = EmbeddedPostgres(home)

    # -- processes -----------------------------------------------------------------------

    def environment(self, **extra: str) -> dict[str, str]:
        known = {k: v for k, v in os.environ.items() if not k.startswith(("HUIYIN_", "PG"))}
        ours = {
            "HUIYIN_HOME": str(self.home),
            "HUIYIN_PORT": str(self.port),
            "HUIYIN_TRUSTED_PROXIES": "1",
        }
        return {**known, **ours, **extra}

    def start(self, part: str, **extra: str) -> subprocess.Popen:
        """Start a part and wait until it does its work."""
        log = (self.home / f"{part}.log").open("ab")
        with log:
            process = subprocess.Popen(
                [str(HUIYIN), *PARTS[part]],
                stdin=subprocess.DEVNULL,
                stderr=log,
                stdout=subprocess.PIPE if part == "db" else log,
                env=self.environment(**extra),
            )
        self.parts[part] = process
        if part == "db":
            assert process.stdout.readline() == b"ready\n", self.log(part)
        if part == "web":
            until(lambda: self.answers() or process.poll() is not None, "the web process")
            assert process.poll() is None, self.log(part)
        return process

    def answers(self) -> bool:
        return self.ask("GET", "/healthz").status != 0

    def kill(self, part: str) -> None:
        """What the kernel does to a process out of memory: no clean-up, no last word."""
        self.parts[part].kill()
        self.ended(part)

    def ended(self, part: str) -> int:
        code = self.parts[part].wait(PATIENCE)
        if self.parts[part].stdout:
            self.parts[part].stdout.close()
        return code

    def kill_postmaster(self) -> None:
        os.kill(
            int((self.home / "pg" / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL
        )

    def alive(self, part: str) -> bool:
        return self.parts[part].poll() is None

    def stop(self) -> None:
        for part in ("worker", "web", "db"):
            if part in self.parts and self.alive(part):
                self.parts[part].terminate()
                try:
                    self.parts[part].wait(20)
                except subprocess.TimeoutExpired:
                    self.parts[part].kill()
                self.ended(part)

    def log(self, part: str) -> str:
        return (self.home / f"{part}.log").read_text(errors="replace")[-3000:]

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(HUIYIN), *arguments], env=self.environment(), capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip

    # -- asking ----------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return Answer(0, {})
        finally:
            connection.close()
        known = response.getheader("Content-Type", "").startswith("application/json")
        return Answer(response.status, json.loads(content) if known else {})

    def file(self, key: str, address: str = "10.255.255.1") -> Answer:
        """One try at filing the complaint that belongs to ``key``."""
        return self.ask(
            "POST", f"/api/v1/p/{FIRM}/complaints", complaint(key), **head(key, address)
        )

    # -- looking -----------------------------------------------------------------------------

    def rows(self, query: str) -> list[tuple]:
        """As the superuser, who sees through every wall."""
        with psycopg.connect(libpq(self.server.url(name="huiyin")), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def let_a_minute_pass(self) -> None:
        """Leases of the dead run out, and bells that nobody can answer any more ring again."""
        self.rows(
            "UPDATE job SET lease_until = lease_until - interval '1 min',"
            " published_at = published_at - interval '1 min' WHERE state IN ('leased', 'queued')"
        )

    def work_is_done(self) -> bool:
        waiting = """
            SELECT (SELECT count(*) FROM job WHERE state <> 'done')
                 + (SELECT count(*) FROM outbox_event WHERE relayed_at IS NULL)
        """
        return self.rows(waiting) == [(0,)]

    def nothing_is_lost(self, journal: Path) -> None:
        """The six zeros, and a ledger whose chain holds."""
        counted = self.command("reconcile", "--journal", str(journal))
        assert counted.returncode == 0, counted.stdout + counted.stderr
        assert json.loads(counted.stdout) == dict.fromkeys(
            ("lost_acks", "dup_cases", "ledger_bad", "outbox_stuck", "blob_bad", "effects_bad"), 0
        )
        verified = self.command("ledger", "verify", FIRM)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert verified.stdout.startswith("ok: ")
        assert self.rows("SELECT count(*) FROM job WHERE state = 'quarantined'") == [(0,)]


def complaint(key: str) -> bytes:
    return json.dumps(
        {"story": f"赎回款逾期三十天没有到账，来信 {key}", "phone": "13800006021", "name": "陈建国"}
    ).encode()


def head(key: str, address: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json", "Idempotency-Key": key, "X-Forwarded-For": address,
    }  # fmt: skip


class Busy:
    """Threads that work for the length of a ``with``; a test that fails lets them give up."""

    threads: list[threading.Thread]
    given_up: threading.Event
    patience = PATIENCE

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.given_up.set()
        for thread in self.threads:
            thread.join(self.patience)
        assert not any(thread.is_alive() for thread in self.threads), "somebody got no answer"


@dataclass
class Writers(Busy):
    """Clients that never give up: each key is sent until it is answered, then written down."""

    house: House
    journal: Path
    seed: int
    receipts: dict[str, dict] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.news = threading.Condition()
        self.enough = threading.Event()
        self.given_up = threading.Event()
        self.file = self.journal.open("ab")
        self.threads = [
            threading.Thread(target=self._write, args=(n,), daemon=True) for n in range(WRITERS)
        ]

    def __exit__(self, kind, *_):
        self.enough.set()
        super().__exit__(kind)
        self.file.close()
        assert not self.faults, self.faults

    def wait_for(self, acknowledged: int) -> None:
        """Until so many complaints in all have a receipt."""
        with self.news:
            arrived = self.news.wait_for(
                lambda: len(self.receipts) >= acknowledged or self.faults, PATIENCE
            )
        assert arrived, f"{len(self.receipts)} of {acknowledged} receipts came"

    def more(self, count: int) -> None:
        self.wait_for(len(self.receipts) + count)

    def moments(self, times: int):
        """``times`` seeded random moments, each between 5 and 40 receipts after the last."""
        chance = random.Random(self.seed)
        for _ in range(times):
            self.more(chance.randint(5, 40))
            yield

    def _write(self, writer: int) -> None:
        number = 0
        while not self.enough.is_set():
            number += 1
            self._deliver(f"{self.seed}-{writer}-{number}", f"10.{writer}.{number % 250}.1")

    def _deliver(self, key: str, address: str) -> None:
        while not self.given_up.is_set():
            answer = self.house.file(key, address)
            self.statuses.append(answer.status)
            if answer.status == 201:
                self._keep(key, answer.body)
                return
            if answer.status not in {0, 503}:
                self.faults.append(f"{key}: {answer.status} {answer.body}")
                self.enough.set()
                with self.news:
                    self.news.notify_all()
                return
            self.given_up.wait(0.02)

    def _keep(self, key: str, receipt: dict) -> None:
        line = json.dumps({"tenant": FIRM, "key": key, "number": receipt["number"]})
        with self.news:
            self.file.write(line.encode() + b"\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            self.receipts[key] = receipt
            self.news.notify_all()

    def hold_true(self) -> None:
        """Every key was answered, so the numbers are a row without gaps, one for each key."""
        count = len(self.receipts)
        numbers = sorted(int(r["number"].rsplit("-", 1)[1]) for r in self.receipts.values())
        assert numbers == list(range(1, count + 1))
        assert self.house.rows("SELECT count(*) FROM case_file") == [(count,)]
        for n, key in enumerate(random.Random(self.seed).sample(sorted(self.receipts), 10)):
            again = self.house.file(key, f"10.200.{n}.1")
            assert (again.status, again.body) == (201, self.receipts[key])


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def pattern():
    """A stopped installation with one firm, to be copied."""
    home = Path(tempfile.mkdtemp(prefix="huiyin-faults-", dir="/tmp"))
    house = House(home)
    done = subprocess.run(
        [sys.executable, str(SEED), FIRM], env=house.environment(), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def house(pattern):
    """A home of its own with database and site running, and no worker yet."""
    folder = Path(tempfile.mkdtemp(prefix="huiyin-faults-", dir="/tmp"))
    folder.chmod(0o755)  # the server is another user
    subprocess.run(["cp", "-a", str(pattern), str(folder / "home")], check=True)
    house = House(folder / "home")
    try:
        house.start("db")
        house.start("web")
        yield house
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def writers(house, tmp_path, request):
    """``with writers:`` lets the clients write; the seed belongs to the test."""
    return Writers(house, tmp_path / "journal", seed=sum(request.node.name.encode()))
