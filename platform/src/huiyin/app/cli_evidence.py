"""``huiyin evidence``: how far the comparison of all files with their hashes has come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import click
from sqlalchemy import Engine, select

from huiyin.app.compose import install
from huiyin.app.settings import Settings
from huiyin.db import ScopedSession, platform_session, tenant_session
from huiyin.evidence import holding, rounds
from huiyin.evidence.models import EvidenceRound
from huiyin.kit.time import local
from huiyin.tenancy.models import Tenant

SHOWN: Final = 20  # findings of one firm
PURPOSE: Final = "evidence"


@click.group()
def evidence() -> None:
    """The files that firms keep: compared with their hashes, round after round."""


@evidence.command("rounds")
def show() -> None:
    """Each firm's last full round, how far the present one is, and what is open; exits 1 then."""
    installation = install(Settings.read(), migrate=False)
    try:
        bad = 0
        for number, line in state(installation.engine):
            bad += number
            click.echo(line)
    finally:
        installation.close()
    sys.exit(1 if bad else 0)


def state(engine: Engine) -> Iterator[tuple[int, str]]:
    """Firm by firm, line by line, each with the number of open findings it tells of."""
    with platform_session(engine, purpose=PURPOSE) as session:
        firms = session.execute(select(Tenant.id, Tenant.slug).order_by(Tenant.slug)).all()
    for tenant_id, slug in firms:
        with tenant_session(engine, tenant_id, purpose=PURPOSE) as session:
            yield from _firm(session, slug)


def _firm(session: ScopedSession, slug: str) -> Iterator[tuple[int, str]]:
    last, running = rounds.latest(session), rounds.present(session)
    if last and last.ended_at:
        yield 0, f"{slug}: last full round ended {_at(last.ended_at)}, {_size(last)}"
        for holder in sorted(set(holding.parts()).difference(last.asked)):
            yield 0, f"  not asked in it: {holder}"
    else:
        yield 0, f"{slug}: no full round yet"
    if running:
        since, moved = _at(running.begun_at), _at(running.moved_at)
        yield 0, f"  present round since {since}, {_size(running)}, last piece {moved}"
    number, found = rounds.open_findings(session, SHOWN)
    if number:
        yield number, f"  {number} files missing or damaged"
    for one in found:
        yield 0, f"  {one.fault} since {_at(one.found_at)}: {one.blob_key} of {one.holder}"


def _size(row: EvidenceRound) -> str:
    gigabytes = row.bytes / 1024**3
    return f"{row.files} files, {gigabytes:.2f} GB, {row.left_over} left over removed"


def _at(moment: datetime) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M}"
