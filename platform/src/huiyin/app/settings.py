"""How an installation is set up: environment variables, with defaults that just work."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huiyin.db.embedded import EmbeddedPostgres
from huiyin.db.engine import Addresses, embedded_addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``HUIYIN_*`` of the environment; see README for each."""

    home: Path
    database_url: str
    owner_url: str
    broker_url: str
    public_url: str
    host: str
    port: int
    trusted_proxies: int
    threads: int

    @classmethod
    def read(cls) -> Settings:
        env = os.environ.get
        return cls(
            home=Path(env("HUIYIN_HOME", ".huiyin")).resolve(),
            database_url=env("HUIYIN_DATABASE_URL", ""),
            owner_url=env("HUIYIN_OWNER_DATABASE_URL", ""),
            broker_url=env("HUIYIN_BROKER_URL", ""),
            public_url=env("HUIYIN_PUBLIC_URL", ""),
            host=env("HUIYIN_HOST", "127.0.0.1"),
            port=int(env("HUIYIN_PORT", "8000")),
            trusted_proxies=int(env("HUIYIN_TRUSTED_PROXIES", "0")),
            threads=int(env("HUIYIN_THREADS", "4")),
        )


class UnsafeSettings(RuntimeError):
    """The product refuses to start like this; the message says what to set."""


def refuse_unsafe(settings: Settings) -> None:
    """Log-in cookies in clear text leave the machine only by mistake."""
    local = settings.host in {"127.0.0.1", "::1", "localhost"}
    if not local and not settings.public_url.startswith("https://"):
        raise UnsafeSettings(
            "listening beyond this machine needs HUIYIN_PUBLIC_URL=https://… (behind a proxy)"
        )
    if bool(settings.database_url) != bool(settings.owner_url):
        raise UnsafeSettings(
            "set HUIYIN_DATABASE_URL (application role) and HUIYIN_OWNER_DATABASE_URL (owner) both"
        )


def database(settings: Settings) -> tuple[Addresses, EmbeddedPostgres | None]:
    """Your PostgreSQL by URL, or ours below the home folder, started if it is not running."""
    if settings.database_url:
        return Addresses(app=settings.database_url, owner=settings.owner_url), None
    from huiyin.db.bootstrap import create_database, create_roles  # noqa: PLC0415 - embedded only

    server = EmbeddedPostgres(settings.home)
    with _first_come(settings.home):
        if server.start():
            create_roles(server.url(), password=server.password)
            create_database(server.url(), "huiyin")
    return embedded_addresses(server), server


@contextmanager
def _first_come(home: Path) -> Iterator[None]:
    """Processes that start together: the others wait until roles and database are there."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "setup.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
