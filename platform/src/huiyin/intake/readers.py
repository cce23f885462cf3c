"""Which function reads what comes in by which road."""

from __future__ import annotations

import tempfile
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

# Channel → ``package.module:function``, told by the composition root, never by a row.
_readers: dict[str, str] = {}
_endings: dict[str, str] = {}
LIMITS: Final = jail.Limits()
MAIL: Final = "eml"


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
    with tempfile.TemporaryDirectory(prefix="huiyin-read-") as name:
        folder = Path(name)
        try:
            found = _answer(arrival, folder)
            reading = msgspec.convert(_storable(found), Reading)
        except jail.Broken as fault:
            reading = unread(arrival, fault.why)
        except (msgspec.ValidationError, RecursionError):
            reading = unread(arrival, "answer")
        yield Read(reading, folder)


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
