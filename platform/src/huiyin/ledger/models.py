"""The book of what was done: entries in a chain, its head, its checkpoints, and the salts apart.

The application may read all of it and write none of it: rows come into being only through the
functions of ``migrations/sql/ledger.sql``, which belong to a role nobody can log in as.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from huiyin.db import TenantModel, columns


class LedgerHead(TenantModel):
    """Where a firm's chain ends.  Whoever appends holds this row until the transaction ends.

    ``frontier`` is the compact Merkle range of all leaves so far, largest subtree first, so that
    a checkpoint costs a dozen hashes and not a pass over the book.
    """

    __tablename__ = "ledger_head"
    __grants__ = "SELECT"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]
    frontier: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))


class LedgerEntry(TenantModel):
    """One thing done.  ``doc`` is what was hashed, byte for byte; the other columns find it again.

    ``at`` is the time the application states and is part of the leaf; ``recorded_at`` is the
    database's own clock and is not.
    """

    __tablename__ = "ledger_entry"
    __grants__ = "SELECT"
    __table_args__ = (
        UniqueConstraint("tenant_id", "seq"),
        Index(None, *columns("object_id", "seq")),
        CheckConstraint("seq > 0", name="seq_positive"),
    )

    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    kind: Mapped[str]
    object_id: Mapped[uuid.UUID]
    actor_id: Mapped[uuid.UUID | None]  # nobody: the system, or a person without an account
    doc: Mapped[bytes]  # RFC 8785
    leaf: Mapped[bytes]
    prev: Mapped[bytes]
    hash: Mapped[bytes]


class LedgerSalt(TenantModel):
    """The salt of one commitment.  Without it the commitment says nothing about anybody.

    Kept apart so that a person's data can be forgotten while the chain still verifies: deleting
    is the only change the application may make here.
    """

    __tablename__ = "ledger_salt"
    __grants__ = "SELECT, DELETE"
    __table_args__ = (
        UniqueConstraint("tenant_id", "seq", "field"),
        ForeignKeyConstraint(["tenant_id", "seq"], ["ledger_entry.tenant_id", "ledger_entry.seq"]),
    )

    seq: Mapped[int] = mapped_column(BigInteger)
    field: Mapped[str]
    salt: Mapped[bytes]
    commitment: Mapped[bytes]


class LedgerCheckpoint(TenantModel):
    """The RFC 6962 root over the first ``size`` entries, fit to be given to outsiders.

    ``note`` is the unsigned body of a C2SP checkpoint: origin, size, root in base64.
    """

    __tablename__ = "ledger_checkpoint"
    __grants__ = "SELECT"
    __table_args__ = (UniqueConstraint("tenant_id", "size"),)

    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    note: Mapped[str]
