"""Nothing lost, counted: six numbers over all firms that should all be zero.

``lost_acks`` receipts that a client holds and no case or arrival bears, ``dup_cases`` keys with
more than one case and messages with more than one arrival, ``ledger_bad`` broken chains and
changes without entry or entries without change, ``outbox_stuck`` events and jobs that came to no
end, ``blob_bad`` files and rows that do not match, ``effects_bad`` events whose consumers did not
act exactly once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from huiyin.app.compose import Installation
from huiyin.cases.models import Case, Entry
from huiyin.db import ScopedSession, platform_session, tenant_session
from huiyin.evidence import service as evidence
from huiyin.intake.models import Arrival, ArrivalState
from huiyin.ledger.export import counts as ledger_counts
from huiyin.ledger.models import LedgerEntry
from huiyin.queue.service import effects_bad, outbox_stuck
from huiyin.tenancy.models import Tenant

NAMES: Final = (
    "lost_acks", "dup_cases", "ledger_bad", "outbox_stuck", "blob_bad", "effects_bad",
)  # fmt: skip
AT_ONCE: Final = 500  # receipts looked up together
PURPOSE: Final = "reconcile"


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a client's journal: what it sent, and the number it was told.

    A mail server is told the id of an arrival instead, which is then ``arrival``.
    """

    tenant: str
    key: str = ""
    number: str = ""
    arrival: uuid.UUID | None = None

    def __post_init__(self) -> None:
        if self.arrival is None and not (self.key and self.number):
            raise ValueError("neither a number under a key nor an arrival")


Receipt = tuple[str, str] | uuid.UUID


class BadJournal(ValueError):
    """A line of the journal that is no receipt; a torn last line is none and is left out."""


def count(installation: Installation, journal: Path | None = None) -> dict[str, int]:
    """The six counts over all firms.  Raises ``BadJournal``."""
    totals = dict.fromkeys(NAMES, 0)
    firms = _firms(installation)
    for tenant_id in firms.values():
        with tenant_session(installation.engine, tenant_id, purpose=PURPOSE) as session:
            for name, number in _count_firm(session).items():
                totals[name] += number
    if journal is not None:
        receipts = _receipts(journal)
        while batch := list(islice(receipts, AT_ONCE)):
            totals["lost_acks"] += _lost(installation, firms, batch)
    return totals


def _firms(installation: Installation) -> Mapping[str, uuid.UUID]:
    with platform_session(installation.engine, purpose=PURPOSE) as session:
        return {row.slug: row.id for row in session.execute(select(Tenant.slug, Tenant.id))}


def _count_firm(session: ScopedSession) -> dict[str, int]:
    return {
        "dup_cases": duplicates(session) + doubled(session),
        "ledger_bad": ledger_counts(session).bad + unmatched(session),
        "outbox_stuck": outbox_stuck(session),
        "blob_bad": evidence.reconcile(session),
        "effects_bad": effects_bad(session),
    }


def duplicates(session: ScopedSession) -> int:
    """Keys of one channel under which more than one case was made."""
    keys = (
        select(Case.channel, Case.idem_key)
        .group_by(Case.channel, Case.idem_key)
        .having(func.count() > 1)
        .subquery()
    )
    return session.scalars(select(func.count()).select_from(keys)).one()


def doubled(session: ScopedSession) -> int:
    """Messages that made more than one arrival; duplicates point to the one they repeat."""
    messages = (
        select(Arrival.channel, Arrival.identity)
        .where(Arrival.identity != "", Arrival.state != ArrivalState.DUPLICATE.value)
        .group_by(Arrival.channel, Arrival.identity)
        .having(func.count() > 1)
        .subquery()
    )
    return session.scalars(select(func.count()).select_from(messages)).one()


def unmatched(session: ScopedSession) -> int:
    """Cases whose row, timeline and ledger do not tell of the same number of changes.

    Filing is version 1, and every change adds one to the version, one line to the timeline and
    one entry of a ``case.`` kind to the ledger.
    """
    lines = _number_of(Entry.case_id, None)
    entries = _number_of(LedgerEntry.object_id, LedgerEntry.kind.startswith("case."))
    written, booked = lines.subquery(), entries.subquery()
    apart = or_(
        func.coalesce(written.c.number, 0) != Case.version,
        func.coalesce(booked.c.number, 0) != Case.version,
    )
    rows = (
        select(func.count())
        .select_from(Case)
        .outerjoin(written, written.c.object_id == Case.id)
        .outerjoin(booked, booked.c.object_id == Case.id)
        .where(apart)
    )
    strays = (
        select(func.count(func.distinct(LedgerEntry.object_id)))
        .select_from(LedgerEntry)
        .outerjoin(
            Case, and_(Case.tenant_id == LedgerEntry.tenant_id, Case.id == LedgerEntry.object_id)
        )
        .where(LedgerEntry.kind.startswith("case."), Case.id.is_(None))
    )
    return session.scalars(rows).one() + session.scalars(strays).one()


def _number_of(column: Any, which: ColumnElement[bool] | None) -> Select[Any]:
    query = select(column.label("object_id"), func.count().label("number")).group_by(column)
    return query if which is None else query.where(which)


def _receipts(journal: Path) -> Iterator[Ack]:
    """The lines of a journal, one after the other; a client may have died writing the last."""
    with journal.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            if not line.strip():
                continue
            try:
                yield msgspec.json.decode(line, type=Ack)
            except msgspec.DecodeError as error:
                raise BadJournal(f"{journal}, line {number}: {error}") from error


def _lost(installation: Installation, firms: Mapping[str, uuid.UUID], batch: list[Ack]) -> int:
    """Receipts of a batch that no case bears under the key and the number they name."""
    held: dict[str, set[Receipt]] = {}
    for ack in batch:
        receipt: Receipt = ack.arrival or (ack.key, ack.number)
        held.setdefault(ack.tenant, set()).add(receipt)
    lost = 0
    for slug, receipts in held.items():
        found: set[Receipt] = set()
        if slug in firms:
            with tenant_session(installation.engine, firms[slug], purpose=PURPOSE) as session:
                found = _borne(session, receipts)
        lost += len(receipts - found)
    return lost


def _borne(session: ScopedSession, receipts: set[Receipt]) -> set[Receipt]:
    """Those of the receipts that a case or an arrival bears."""
    numbers = {receipt[1] for receipt in receipts if isinstance(receipt, tuple)}
    ids = {receipt for receipt in receipts if isinstance(receipt, uuid.UUID)}
    cases = session.execute(select(Case.idem_key, Case.number).where(Case.number.in_(numbers)))
    arrivals = session.scalars(select(Arrival.id).where(Arrival.id.in_(ids)))
    return {*((key, number) for key, number in cases), *arrivals}
