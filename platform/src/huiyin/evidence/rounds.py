"""Comparing every file of a firm with its hash, round after round, each in bounded pieces.

A round goes through everybody who keeps files, then through the store for files that nobody
names.  Where it stands is written down with each piece, so that a fault costs one piece, and a
round ends however much there is.  Whoever cannot be asked, and whatever cannot be removed, is
passed over: one fault that lasts may not end the comparing of everything else.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Row, func, or_, select, tuple_, update

from huiyin.db import ScopedSession
from huiyin.evidence import holding
from huiyin.evidence.models import EvidenceFinding, EvidenceRound
from huiyin.evidence.store import BlobStore, Found, digest_of
from huiyin.kit.failpoints import failpoint
from huiyin.kit.time import now

log: Final = logging.getLogger(__name__)
Answer = TypeVar("Answer")
GRACE: Final = timedelta(hours=24)
BYTES: Final = 512 * 1024 * 1024  # read in one piece, and one file more
SECONDS: Final = 60.0  # spent on one piece, and one file more
FILES: Final = 1000  # looked at in one query
STORE: Final = "~store"  # comes after every holder
END: Final = "~~"


class Fault(StrEnum):
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(slots=True)
class _Budget:
    """What one piece may still spend."""

    ends_at: float
    bytes: int

    @property
    def spent(self) -> bool:
        return self.bytes <= 0 or time.monotonic() >= self.ends_at


def present(session: ScopedSession) -> EvidenceRound | None:
    """The round that is not at its end, if there is one."""
    return session.scalar(select(EvidenceRound).where(EvidenceRound.ended_at.is_(None)))


def latest(session: ScopedSession) -> EvidenceRound | None:
    """The full round that ended last."""
    ended = select(EvidenceRound).where(EvidenceRound.ended_at.is_not(None))
    return session.scalar(ended.order_by(EvidenceRound.ended_at.desc()).limit(1))


def open_findings(session: ScopedSession, most: int) -> tuple[int, Sequence[EvidenceFinding]]:
    """How many files are missing or damaged as far as is known, and the first of them."""
    bad = EvidenceFinding.settled_at.is_(None)
    number = session.scalars(select(func.count()).select_from(EvidenceFinding).where(bad)).one()
    query = select(EvidenceFinding).where(bad).order_by(EvidenceFinding.found_at).limit(most)
    return number, session.scalars(query).all()


def hold(session: ScopedSession, round_id: uuid.UUID, *, wait: bool) -> EvidenceRound | None:
    """Lock a round; without ``wait`` none while a piece of it is being compared."""
    query = select(EvidenceRound).where(EvidenceRound.id == round_id)
    query = query.with_for_update(skip_locked=not wait).execution_options(populate_existing=True)
    return session.scalar(query)


def begin(session: ScopedSession) -> EvidenceRound:
    running = EvidenceRound(part=_after(""))
    session.add(running)
    session.flush()
    return running


def piece(
    session: ScopedSession, running: EvidenceRound, store: BlobStore
) -> list[EvidenceFinding]:
    """Go on with a round until the piece is spent; answers what was newly found.

    A piece goes no further than to the end of one holder, so that what was found there is kept
    whatever becomes of the next.
    """
    budget, new = _Budget(time.monotonic() + SECONDS, BYTES), list[EvidenceFinding]()
    part = running.part
    while running.part == part and not budget.spent:
        if running.part == STORE:
            _clear(session, running, store)
        else:
            new += _compare(session, running, store, budget)
    running.moved_at = now()
    running.found += len(new)
    if running.part == END:
        _end(session, running)
    return new


def _after(part: str) -> str:
    """What is gone through next; a holder that is gone since is passed over."""
    return next((one for one in [*holding.parts(), STORE, END] if one > part), END)


def _go_to_next(running: EvidenceRound) -> None:
    running.part, running.after = _after(running.part), ""


def _compare(
    session: ScopedSession, running: EvidenceRound, store: BlobStore, budget: _Budget
) -> list[EvidenceFinding]:
    """The next page of one holder, or as much of it as may still be spent."""
    rows = _page(session, running)
    if rows is None:
        _go_to_next(running)
        return []
    faults = still_named(session, _read(running, rows, store, budget))
    new = _note(session, running, faults)
    if len(rows) < FILES and (not rows or running.after == rows[-1][0]):
        running.asked = [*running.asked, running.part]
        _go_to_next(running)
    return new


def _read(
    running: EvidenceRound, rows: Sequence[Row[Any, Any]], store: BlobStore, budget: _Budget
) -> dict[str, Fault]:
    """What is wrong with the files of a page, up to where the piece is spent."""
    faults: dict[str, Fault] = {}
    for key, sha256 in rows:
        fault, size = compare(store, key, sha256)
        if fault:
            faults[key] = fault
        running.after = key
        running.files += 1
        running.bytes += size
        budget.bytes -= size
        failpoint("evidence.after_file")
        if budget.spent:
            break
    return faults


def _page(session: ScopedSession, running: EvidenceRound) -> Sequence[Row[Any, Any]] | None:
    """The next page of a holder; none when it cannot be asked, or is not here any more."""
    part, after = running.part, running.after
    return _ask(session, part, lambda: holding.page(session, part, after, FILES))


def _ask(session: ScopedSession, whom: str, question: Callable[[], Answer]) -> Answer | None:
    """The answer, or none when asking fails, and then nothing of it is left in the transaction."""
    try:
        with session.begin_nested():
            return question()
    except Exception as fault:  # noqa: BLE001 - whatever it is, the others are compared
        said = "tenant %s: %s cannot be asked about files: %s"
        log.error(said, session.tenant, whom, type(fault).__name__)  # noqa: TRY400 - may quote
        return None


def compare(store: BlobStore, key: str, sha256: str) -> tuple[Fault | None, int]:
    """What is wrong with one file, and how many bytes were read; one nobody can read is damaged."""
    try:
        with store.open(key) as stream:
            same = digest_of(stream) == sha256
            return (None if same else Fault.DAMAGED), stream.tell()
    except FileNotFoundError:
        return Fault.MISSING, 0
    except OSError:
        return Fault.DAMAGED, 0


def still_named(session: ScopedSession, faults: dict[str, Fault]) -> dict[str, Fault]:
    """The faults without files that went together with their rows while others were read.

    All of them when a holder cannot be asked: better told on a guess than not at all.
    """
    missing = {key for key, fault in faults.items() if fault is Fault.MISSING}
    if not missing:
        return faults
    named = _ask(session, "one of all holders", lambda: holding.named(session, missing))
    gone = set() if named is None else missing - named
    return {key: fault for key, fault in faults.items() if key not in gone}


def _note(
    session: ScopedSession, running: EvidenceRound, faults: dict[str, Fault]
) -> list[EvidenceFinding]:
    """Keep what is wrong; answers what was not known, so that each is told once."""
    if not faults:
        return []
    pair = tuple_(EvidenceFinding.blob_key, EvidenceFinding.fault)
    known = session.scalars(
        select(EvidenceFinding).where(
            EvidenceFinding.settled_at.is_(None), pair.in_(list(faults.items()))
        )
    ).all()
    for finding in known:
        finding.round_id, finding.holder = running.id, running.part
    old = {finding.blob_key for finding in known}
    new = [
        EvidenceFinding(round_id=running.id, holder=running.part, blob_key=key, fault=fault.value)
        for key, fault in faults.items()
        if key not in old
    ]
    session.add_all(new)
    session.flush()
    return new


def _clear(session: ScopedSession, running: EvidenceRound, store: BlobStore) -> None:
    """Remove what crashes left over in the next stretch of the store."""
    found = list(islice(store.listing(session.tenant, running.after), FILES))
    left = _ask(session, "one of all holders", lambda: left_over(session, found))
    for one in left or ():
        running.left_over += _discard(session, store, one)
    if left is None or len(found) < FILES:
        _go_to_next(running)
    else:
        running.after = found[-1].place


def _discard(session: ScopedSession, store: BlobStore, found: Found) -> bool:
    try:
        store.discard(found)
    except OSError as fault:
        said = "tenant %s: %s is left over and cannot be removed: %s"
        log.error(said, session.tenant, found.place, fault.strerror)  # noqa: TRY400 - says it all
        return False
    return True


def left_over(session: ScopedSession, found: Sequence[Found]) -> list[Found]:
    """Files that nobody names; a young one is left alone, its row may be about to come.

    None at all while the firm has rows of a plugin that is not here to name its files.  Raises
    when a holder cannot be asked.
    """
    old = [one for one in found if now() - one.at > GRACE]
    named = holding.named(session, {one.key for one in old if one.key})
    left = [one for one in old if one.key not in named]
    return [] if left and holding.strangers(session) else left


def _end(session: ScopedSession, running: EvidenceRound) -> None:
    """What this round did not find again is mended, or no longer kept.

    Nobody knows of what a holder keeps that was not asked.  One that is not here is gone for good
    only if no plugin that failed to load, or was taken off the list, may have brought it.
    """
    running.ended_at = running.moved_at
    known = [EvidenceFinding.holder.in_(running.asked)]
    if _ask(session, "a stranger's table", lambda: holding.strangers(session)) == []:
        known.append(EvidenceFinding.holder.not_in(holding.parts()))
    session.execute(
        update(EvidenceFinding)
        .where(EvidenceFinding.settled_at.is_(None), EvidenceFinding.round_id != running.id)
        .where(or_(*known))
        .values(settled_at=running.ended_at)
        .execution_options(synchronize_session=False)
    )
