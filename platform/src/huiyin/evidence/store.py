"""Where the bytes are: one folder, parted by firm, under random names.

A blob is durable before anybody writes a row about it: written beside its place, synced, renamed,
and the folder synced too.  What a crash leaves behind is a file nobody names, which
``huiyin.evidence.rounds`` sweeps up later; never a row without its file.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from huiyin.evidence.errors import StorageFull
from huiyin.kit.errors import TooLarge
from huiyin.kit.failpoints import failpoint

log: Final = logging.getLogger(__name__)
CHUNK: Final = 1 << 20
_KEY: Final = re.compile(r"[0-9a-f]{32}/[0-9a-f]{2}/[0-9a-f]{40}")
_TEMP: Final = ".new-"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored bytes: where, what they hash to (SHA-256, hex) and how many."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """A file in the store; ``key`` is empty for one that was never finished."""

    key: str
    path: Path
    at: datetime

    @property
    def place(self) -> str:
        """Where it stands in a listing of its firm."""
        return f"{self.path.parent.name}/{self.path.name}"


class BlobStore(Protocol):
    """What services ask of a store, wherever it keeps its bytes."""

    def put(self, tenant_id: uuid.UUID, data: bytes | BinaryIO, limit: int) -> Blob:
        """Keep at most ``limit`` bytes; raises ``TooLarge`` or ``StorageFull``, keeping nothing."""

    def open(self, key: str) -> BinaryIO:
        """The bytes from their beginning; raises ``FileNotFoundError``."""

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Forget the bytes; no matter if they are gone already."""

    def listing(self, tenant_id: uuid.UUID, after: str = "") -> Iterator[Found]:
        """Everything kept for one firm, unfinished files too, by ``place`` and from one on.

        What cannot be looked at is passed over: it may not hide the rest.
        """

    def discard(self, found: Found) -> None:
        """Forget one file of ``listing``."""


class FolderStore:
    """A store in a local folder, made when first needed, readable by us alone."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, tenant_id: uuid.UUID, data: bytes | BinaryIO, limit: int) -> Blob:
        name = secrets.token_hex(20)
        folder = self.root / tenant_id.hex / name[:2]
        temp = folder / f"{_TEMP}{name}"
        source = io.BytesIO(data) if isinstance(data, bytes) else data
        failpoint("blob.before_write")
        try:
            self._make(folder)
            sha256, size = _write(temp, source, limit)
            failpoint("blob.after_write")
            temp.rename(folder / name)
            failpoint("blob.after_rename")
            _sync(folder)
        except BaseException as failure:
            with suppress(OSError):
                temp.unlink(missing_ok=True)
            if isinstance(failure, OSError) and failure.errno in _FULL:
                raise StorageFull from failure
            raise
        failpoint("blob.after_sync")
        return Blob(f"{tenant_id.hex}/{name[:2]}/{name}", sha256, size)

    def _make(self, folder: Path) -> None:
        """The folder, and the entry of every new folder on the way to it, durably."""
        missing = [f for f in (self.root, folder.parent, folder) if not f.exists()]
        for new in missing:
            new.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(new.parent)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise FileNotFoundError(key)
        return self.root / key

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    def exists(self, key: str) -> bool:
        return bool(_KEY.fullmatch(key)) and self._path(key).is_file()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def listing(self, tenant_id: uuid.UUID, after: str = "") -> Iterator[Found]:
        top, (first, _, _) = self.root / tenant_id.hex, after.partition("/")
        for folder in _names(top):
            names = _names(top / folder) if folder >= first else []
            for path in (top / folder / name for name in names if f"{folder}/{name}" > after):
                if at := _written(path):
                    done = not path.name.startswith(_TEMP)
                    yield Found(path.relative_to(self.root).as_posix() if done else "", path, at)

    def discard(self, found: Found) -> None:
        found.path.unlink(missing_ok=True)


def _write(temp: Path, source: BinaryIO, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise TooLarge
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as fault:
        log.error("the folder %s cannot be listed: %s", folder, fault.strerror)  # noqa: TRY400
        return []


def _written(path: Path) -> datetime | None:
    """When a file was written last; none for one that is gone, or nobody can look at."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    except OSError as fault:
        log.error("the file %s cannot be looked at: %s", path, fault.strerror)  # noqa: TRY400
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of(stream: BinaryIO) -> str:
    """SHA-256 of everything a stream still holds."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


_chosen: BlobStore | None = None


def use(store: BlobStore) -> BlobStore:
    """Let this process keep its files there."""
    global _chosen  # noqa: PLW0603 - one installation, one store
    _chosen = store
    return store


def blobs() -> BlobStore:
    """The store in use; without a choice the folder ``blobs`` in ``HUIYIN_HOME``."""
    if _chosen is None:
        return use(FolderStore(Path(os.environ.get("HUIYIN_HOME", ".huiyin")).resolve() / "blobs"))
    return _chosen
