"""Reading the book: bundles for strangers, and the platform's own check of itself.

A bundle is one JSON object, one entry to a line, made in batches so that a long book never has to
fit into memory.  Salts leave the house only beside the value they open: a salt alone would let
the reader try every telephone number against a commitment.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import JSONB

from huiyin.db import ScopedSession
from huiyin.kit.i18n import Message
from huiyin.kit.time import now
from huiyin.ledger import verify
from huiyin.ledger.merkle import Tree
from huiyin.ledger.models import LedgerCheckpoint, LedgerEntry, LedgerHead, LedgerSalt

BATCH: Final = 1000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Personal values to be shown with their commitments: entry → field → value.
Opened = Mapping[int, Mapping[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """How many entries were found good, and the first that was not, with the reason."""

    entries: int
    first_bad_seq: int | None
    reason: Message | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What reconciliation adds up to ``ledger_bad``; all but ``entries`` must be zero."""

    entries: int
    gaps: int  # numbers that no entry bears
    breaks: int  # entries whose leaf, link or chain value is wrong
    heads: int  # 1 when the head is not the last entry

    @property
    def bad(self) -> int:
        return self.gaps + self.breaks + self.heads


def export(session: ScopedSession, *, opened: Opened | None = None) -> Iterator[bytes]:
    """The firm's whole ledger as a bundle for ``verify.py``, piece by piece."""
    marks = _checkpoints(session)  # before the head, so that none can be ahead of it
    head = _head(session)
    yield _frame(session, "ledger", head, [_mark(mark) for mark in marks])
    yield from _lines(_entry(row, salts) for row, salts in _entries(session, head.reach, opened))
    yield b"]}\n"


def export_object(
    session: ScopedSession, object_id: uuid.UUID, *, opened: Opened | None = None
) -> Iterator[bytes]:
    """The entries about one thing, each with its proof of inclusion in the newest checkpoint.

    Make a checkpoint first: entries younger than the newest one carry no proof.  Holds every
    leaf of the firm up to that checkpoint in memory (about 150 bytes each).
    """
    marks = _checkpoints(session)
    head = _head(session)
    tree = Tree(_leaves(session, marks[-1].size if marks else 0))
    listed = [_mark(mark) for mark in marks]
    for raw in listed[:-1]:
        raw["consistency"] = _hexes(
            tree.consistency(raw["size"]) if raw["size"] < tree.size else []
        )

    def proven(row: Row[Any], salts: Mapping[str, Any]) -> dict[str, Any]:
        entry = _entry(row, salts)
        if row.seq <= tree.size:
            entry["inclusion"] = _hexes(tree.inclusion(row.seq - 1))
        return entry

    yield _frame(session, "object", head, listed, object=str(object_id))
    rows = _entries(session, head.reach, opened, object_id=object_id)
    yield from _lines(proven(row, salts) for row, salts in rows)
    yield b"]}\n"


def verify_tenant(session: ScopedSession) -> VerifyResult:
    """Check the firm's own ledger where it lies, in batches; changes nothing.

    Besides what a stranger can check, this compares the columns entries are found by, the head's
    compact range and the salts that are left.
    """
    marks = [verify.Mark(mark.size, mark.root) for mark in _checkpoints(session)]
    head = _head(session)
    chain = verify.Chain(session.tenant, marks)
    for row, _ in _entries(session, head.reach, None):
        filed = (row.kind, str(row.object_id), str(row.actor_id) if row.actor_id else None)
        entry = verify.Entry(row.seq, _micros(row.at), row.doc, row.leaf, row.prev, row.hash, filed)
        if not chain.add(entry):
            break
    else:
        chain.end(head.seq, head.hash, head.frontier)
    problem = chain.problem or _stray_salt(session)
    if problem is None:
        return VerifyResult(chain.size, None, None)
    reason = Message(verify.PROBLEMS[problem.code][0], {"seq": problem.seq, **problem.params})
    return VerifyResult(chain.size, problem.seq, reason)


def counts(session: ScopedSession) -> Counts:
    """Gaps and breaks counted by the database itself: a second reading, in another language."""
    row = session.execute(_COUNTS, {"tenant": session.tenant}).one()
    return Counts(row.entries, row.gaps, row.breaks, row.heads)


_COUNTS: Final = text(
    r"""
WITH chain AS (
  SELECT seq, prev, hash, leaf,
         lag(seq, 1, 0::bigint) OVER w AS seq_before,
         lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER w AS hash_before,
         sha256('\x00'::bytea || int8send(seq)
           || int8send((extract(epoch FROM at) * 1000000)::bigint)
           || uuid_send(tenant_id) || doc) AS leaf_now
  FROM ledger_entry WHERE tenant_id = :tenant WINDOW w AS (ORDER BY seq)
), total AS (
  SELECT count(*) AS entries, coalesce(max(seq), 0) AS last,
         coalesce(sum(seq - seq_before - 1), 0) AS gaps,
         count(*) FILTER (WHERE leaf <> leaf_now OR prev <> hash_before
           OR hash <> sha256('chain1'::bytea || prev || leaf)) AS breaks
  FROM chain
), head AS (
  SELECT coalesce(max(seq), 0) AS seq,
         coalesce(max(encode(hash, 'hex')), repeat('00', 32)) AS hash
  FROM ledger_head WHERE tenant_id = :tenant
)
SELECT t.entries, (t.gaps + greatest(h.seq - t.last, 0))::bigint AS gaps, t.breaks,
       (t.last <> h.seq OR h.hash <> coalesce(
         (SELECT encode(c.hash, 'hex') FROM chain c WHERE c.seq = t.last), repeat('00', 32)
       ))::int AS heads
FROM total t, head h
"""
)


@dataclass(frozen=True, slots=True)
class _Head:
    seq: int
    hash: bytes
    frontier: Sequence[bytes]
    reach: int  # the last number to read; beyond ``seq`` only if somebody wrote past the head


def _head(session: ScopedSession) -> _Head:
    """Head and highest number in one snapshot: appends going on meanwhile cannot part them."""
    last = func.coalesce(select(func.max(LedgerEntry.seq)).scalar_subquery(), 0)
    head = select(LedgerHead.seq, LedgerHead.hash, LedgerHead.frontier, last.label("last"))
    row = session.execute(head).one_or_none()
    reach = row.last if row else session.scalar(select(last)) or 0
    if row is None and reach:  # the very first append came in between, or the head was taken away
        row = session.execute(head).one_or_none()
    if row is None:
        return _Head(0, verify.GENESIS, [], reach)
    return _Head(row.seq, row.hash, row.frontier, max(row.seq, row.last))


def _checkpoints(session: ScopedSession) -> Sequence[LedgerCheckpoint]:
    return session.scalars(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size)).all()


def _leaves(session: ScopedSession, size: int) -> list[bytes]:
    found = select(LedgerEntry.leaf).where(LedgerEntry.seq <= size).order_by(LedgerEntry.seq)
    return list(session.scalars(found))


def _entries(
    session: ScopedSession, upto: int, opened: Opened | None, *, object_id: uuid.UUID | None = None
) -> Iterator[tuple[Row[Any], Mapping[str, Any]]]:
    """Entries in order up to a number, each with what it opens; one batch in memory at a time."""
    columns: Select[*tuple[Any, ...]] = (
        select(
            LedgerEntry.seq,
            LedgerEntry.at,
            LedgerEntry.recorded_at,
            LedgerEntry.kind,
            LedgerEntry.object_id,
            LedgerEntry.actor_id,
            LedgerEntry.doc,
            LedgerEntry.leaf,
            LedgerEntry.prev,
            LedgerEntry.hash,
        )
        .order_by(LedgerEntry.seq)
        .limit(BATCH)
    )
    if object_id is not None:
        columns = columns.where(LedgerEntry.object_id == object_id)
    last = 0
    while rows := session.execute(
        columns.where(LedgerEntry.seq > last, LedgerEntry.seq <= upto)
    ).all():
        salts = _salts(session, [row.seq for row in rows], opened or {})
        for row in rows:
            yield row, salts.get(row.seq, {})
        last = rows[-1].seq


def _salts(
    session: ScopedSession, seqs: Sequence[int], opened: Opened
) -> dict[int, dict[str, Any]]:
    wanted = [seq for seq in seqs if seq in opened]
    answer: dict[int, dict[str, Any]] = {}
    if not wanted:
        return answer
    for salt in session.scalars(select(LedgerSalt).where(LedgerSalt.seq.in_(wanted))):
        value = opened[salt.seq].get(salt.field)
        if value is not None:
            raw = value.encode() if isinstance(value, str) else value
            answer.setdefault(salt.seq, {})[salt.field] = {
                "salt": salt.salt.hex(),
                "value_hex": raw.hex(),
            }
    return answer


def _stray_salt(session: ScopedSession) -> verify.Problem | None:
    """A salt whose commitment is not the one its entry made opens nothing any more."""
    entry = func.convert_from(LedgerEntry.doc, "UTF8").cast(JSONB)
    made = entry["commits"][LedgerSalt.field].astext
    seq = session.scalar(
        select(func.min(LedgerSalt.seq))
        .join(LedgerEntry, LedgerEntry.seq == LedgerSalt.seq)
        .where(made.is_distinct_from(func.encode(LedgerSalt.commitment, "hex")))
    )
    return verify.Problem("opened", seq) if seq else None


def _frame(
    session: ScopedSession, scope: str, head: _Head, marks: Sequence[Any], **more: str
) -> bytes:
    """Everything before the entries, ending inside their list."""
    frame = {
        "format": verify.FORMAT,
        "scope": scope,
        "tenant": str(session.tenant),
        **more,
        "exported_at": now().isoformat(),
        "head": {"seq": head.seq, "hash": head.hash.hex()},
        "checkpoints": marks,
    }
    return json.dumps(frame, ensure_ascii=False).encode()[:-1] + b', "entries": ['


def _lines(entries: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for number, entry in enumerate(entries):
        yield (b",\n" if number else b"\n") + json.dumps(entry, ensure_ascii=False).encode()


def _entry(row: Row[Any], salts: Mapping[str, Any]) -> dict[str, Any]:
    entry = {
        "seq": row.seq,
        "at_us": _micros(row.at),
        "recorded_at": row.recorded_at.astimezone(UTC).isoformat(),
        "doc": row.doc.decode("utf-8", "replace"),  # bytes that are no text cannot be genuine
        "leaf": row.leaf.hex(),
        "prev": row.prev.hex(),
        "hash": row.hash.hex(),
    }
    return {**entry, "opened": salts} if salts else entry


def _mark(mark: LedgerCheckpoint) -> dict[str, Any]:
    return {
        "size": mark.size,
        "root": mark.root.hex(),
        "created_at": mark.created_at.astimezone(UTC).isoformat(),
        "note": mark.note,
    }


def _hexes(hashes: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in hashes]


def _micros(moment: datetime) -> int:
    """Microseconds since 1970, as they went into the leaf."""
    return (moment - EPOCH) // timedelta(microseconds=1)
