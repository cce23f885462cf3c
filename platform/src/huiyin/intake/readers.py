"""Which function reads what comes in by which road."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from huiyin.evidence.store import blobs
from huiyin.intake.models import Arrival
from huiyin.intake.schemas import Party, Reading
from huiyin.kit import jail
from huiyin.kit.text import storable
from huiyin.kit.time import now

# Channel → ``package.module:function``, told by the composition root, never by a row.
_readers: dict[str, str] = {}
_endings: dict[str, str] = {}
LIMITS: Final = jail.Limits()
MAIL: Final = "eml"
_PREFIX: Final = "huiyin-read-"
_STALE: Final = 600.0  # seconds; no reading, handing over included, takes a quarter of it
_EVERY: Final = 3600.0  # seconds between two looks at what was left
_look: Final = threading.Lock()
_looked = -_EVERY


def use_readers(readers: dict[str, str], endings: dict[str, str] | None = None) -> None:
    """Let these functions read, each for its channel; ``endings`` are those of the originals."""
    _readers.clear()
    _readers.update(readers)
    _endings.clear()
    _endings.update(endings or {})


def ending_of(channel: str) -> str:
    """How the file name of an original that came by this channel ends."""
    return _endings.get(channel, MAIL)


def has_reader(channel: str) -> bool:
    return channel in _readers


@dataclass(frozen=True, slots=True)
class Read:
    """A reading and the folder with its files."""

    reading: Reading
    folder: Path


@contextmanager
def read(arrival: Arrival) -> Iterator[Read]:
    """Read an arrival in a confined process; what cannot be read is a reading that says so."""
    _sweep_hourly()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        try:
            found = _answer(arrival, folder)
            reading = msgspec.convert(_storable(found), Reading)
        except jail.Broken as fault:
            reading = unread(arrival, fault.why)
        except (msgspec.ValidationError, RecursionError):
            reading = unread(arrival, "answer")
        yield Read(reading, folder)


def sweep() -> int:
    """Remove the folders that killed processes of ours left on this machine; answers how many."""
    global _looked  # noqa: PLW0603 - one process, one machine
    _looked = time.monotonic()
    before = now().timestamp() - _STALE
    stale = [path for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*") if _old(path, before)]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return len(stale)


def _old(path: Path, before: float) -> bool:
    try:
        found = path.lstat()  # a link is somebody's trap, not a folder of ours
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mtime < before


def _sweep_hourly() -> None:
    with _look:
        if time.monotonic() - _looked >= _EVERY:
            sweep()


def _answer(arrival: Arrival, folder: Path) -> Any:
    """What the reader says now; of a channel that is gone, what it said before."""
    if arrival.channel in _readers:
        with blobs().open(arrival.raw_key) as source:
            return jail.run(_readers[arrival.channel], source, folder, LIMITS)
    if arrival.reading:
        return arrival.reading
    raise jail.Broken("fault")


def _storable(found: Any) -> Any:
    """The answer as the row can hold it, whatever a stranger wrote into a header."""
    if isinstance(found, str):
        return storable(found)
    if isinstance(found, list):
        return [_storable(one) for one in found]
    if isinstance(found, dict):
        return {storable(name): _storable(one) for name, one in found.items()}
    return found


def unread(arrival: Arrival, fault: str) -> Reading:
    """All that is known without reading: who the transport says it came from."""
    said = arrival.envelope
    address, handle = (str(said.get(name, ""))[:320] for name in ("from", "handle"))
    return Reading(sender=Party(address=address, handle=handle), faults=(fault,))
