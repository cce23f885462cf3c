"""Writing into the book: append, checkpoint, forget.

An append locks the firm's head until the transaction ends, which is what makes the chain dense
and orders it like the commits.  So **append last**: whatever a transaction still does after its
append, every other writer of the firm waits for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec
import rfc8785
from sqlalchemy import delete, select, text

from huiyin.db import Ready, ScopedSession
from huiyin.kit.time import now
from huiyin.ledger.models import LedgerEntry, LedgerSalt

VERSION: Final = 1
SALT_BYTES: Final = 32

# Names and addresses do not fit into these: a fact is an id, a code, a date or a hash.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.:/+=#~-]{0,256}")
_PERSONAL: Final = re.compile(r"(\+?86-?)?1[3-9]\d{9}|\d{17}[\dXx]")

_APPEND: Final = Ready(
    text(
        "SELECT seq, hash FROM ledger_append(:tenant, :at, :kind, :object, :actor, :doc,"
        " CAST(:salts AS jsonb))"
    )
)
_CHECKPOINT: Final = text(
    "SELECT size, root, created_at, note, fresh FROM ledger_checkpoint_now(:tenant, :origin)"
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What proves later that an entry stood in the book: printed, it is ``seq:hash``."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A checkpoint to give to outsiders; ``fresh`` when this call made it."""

    size: int
    root: bytes
    created_at: datetime
    note: str
    fresh: bool


def append(
    session: ScopedSession,
    *,
    kind: str,
    object_id: uuid.UUID,
    actor_id: uuid.UUID | None,
    facts: Mapping[str, Any],
    commits: Mapping[str, str | bytes] | None = None,
    at: datetime | None = None,
) -> Receipt:  # long: one document and one statement, as they are signed
    """Enter one thing done, in the caller's transaction, with one statement; do it last.

    ``facts`` are ids, codes, versions, dates and hashes, never personal data and never free
    text; anything a person could be known by goes into ``commits`` and leaves only a salted
    HMAC-SHA256.  Raises ``ValueError`` or ``TypeError`` for a fact that is none.
    """
    moment = at or now()
    if moment.tzinfo is None:
        raise ValueError("an entry needs a time with a time zone")
    salts = {_name(field): secrets.token_bytes(SALT_BYTES) for field in commits or {}}
    doc = rfc8785.dumps(
        {
            "v": VERSION,
            "kind": _name(kind),
            "actor": str(actor_id) if actor_id else None,
            "object": str(object_id),
            "facts": {_name(key): _fact(key, value) for key, value in facts.items()},
            "commits": {
                field: commitment(salts[field], value).hex()
                for field, value in (commits or {}).items()
            },
        }
    )
    session.flush()  # the caller's own rows first, the head of the chain last
    row = _APPEND.run(
        session,
        tenant=session.tenant,
        at=moment.astimezone(UTC),
        kind=kind,
        object=object_id,
        actor=actor_id,
        doc=doc,
        salts=msgspec.json.encode({f: salt.hex() for f, salt in salts.items()}).decode(),
    ).one()
    return Receipt(row.seq, row.hash)


def checkpoint(session: ScopedSession, *, origin: str = "huiyin") -> Mark | None:
    """The newest checkpoint, made now if the book has grown; ``None`` while it is empty.

    ``origin`` is the host that stands in the note, so that a witness tells platforms apart.
    """
    row = session.execute(_CHECKPOINT, {"tenant": session.tenant, "origin": origin}).one_or_none()
    return Mark(row.size, row.root, row.created_at, row.note, row.fresh) if row else None


def shred(
    session: ScopedSession, object_id: uuid.UUID, *, fields: Collection[str] | None = None
) -> int:
    """Make the commitments about one thing unreadable for good; answers how many.

    The chain still verifies.  Backups forget when they run out, not before; whoever shreds
    enters that into the book.
    """
    entries = select(LedgerEntry.seq).where(LedgerEntry.object_id == object_id)
    statement = delete(LedgerSalt).where(LedgerSalt.seq.in_(entries))
    if fields is not None:
        statement = statement.where(LedgerSalt.field.in_(fields))
    return len(session.scalars(statement.returning(LedgerSalt.seq)).all())


def commitment(salt: bytes, value: str | bytes) -> bytes:
    """HMAC-SHA256 of a value under its salt; text is taken as UTF-8."""
    raw = value.encode() if isinstance(value, str) else value
    return hmac.new(salt, raw, hashlib.sha256).digest()


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name for the ledger")
    return name


def _fact(key: str, value: object) -> Any:
    """A fact as JSON; refuses what could carry a person."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_name(k): _fact(f"{key}.{k}", v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_fact(key, item) for item in value]
    return _token(key, _text(key, value))


def _text(key: str, value: object) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"fact {key!r} needs a time zone")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str | uuid.UUID | Decimal):
        return str(value)
    raise TypeError(f"fact {key!r} is a {type(value).__name__}, which the ledger does not write")


def _token(key: str, value: str) -> str:
    # The value itself stays out of the message: it may be the very thing to be kept out.
    if not _TOKEN.fullmatch(value) or _PERSONAL.fullmatch(value):
        raise ValueError(f"fact {key!r} is no id, code, date or hash: commit to it instead")
    return value
