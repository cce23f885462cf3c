"""``huiyin calendar``: load a year's holiday notice, and show what is counted with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import Engine, select

from huiyin.app.compose import Installation, install
from huiyin.app.settings import Settings
from huiyin.cases import recounting
from huiyin.clocks import calendars
from huiyin.db import platform_session, tenant_session
from huiyin.db.engine import owner_engine
from huiyin.identity.actor import SYSTEM_ID
from huiyin.kit.errors import Invalid
from huiyin.kit.notices import Notice, read_notice
from huiyin.kit.time import local, today
from huiyin.tenancy.models import Tenant


@click.group()
def calendar() -> None:
    """The working-day calendar: load a holiday notice, show what is in force."""


@calendar.command("load")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def load(file: Path) -> None:
    """Load the State Council's holiday notice of one year, for every firm."""
    with _installation() as installation, _told(installation):
        for line in take(installation.engine, installation.addresses.owner, read_notice(file)):
            click.echo(line)


@calendar.command("show")
def show() -> None:
    """The calendar in force, how far it reaches, and every notice that was loaded."""
    with _installation() as installation:
        for line in state(installation.engine):
            click.echo(line)


def take(engine: Engine, owner_url: str, notice: Notice) -> Iterator[str]:
    """Keep the notice and let every firm count anew; says what was done.

    Safe to repeat: what an interrupted load left undone is asked for again, and nothing twice.
    """
    owner = owner_engine(owner_url)
    try:
        with platform_session(owner, purpose="calendar") as session:
            row, fresh = calendars.load(session, notice)
            session.commit()
    finally:
        owner.dispose()
    calendars.forget()
    if fresh and row.replaces:
        yield f"notice {row.number} for {row.year} kept; it replaces notice {row.replaces}"
    elif fresh:
        yield f"notice {row.number} for {row.year} kept"
    else:
        yield f"notice {row.number} for {row.year} is loaded already; nothing changed"
    with platform_session(engine, purpose="calendar") as session:
        firms = session.scalars(select(Tenant.id)).all()
    for firm in firms:
        with tenant_session(engine, firm, actor_id=SYSTEM_ID, purpose="calendar") as session:
            recounting.ask(session, row)
            session.commit()
    minutes = int(calendars.SETTLED.total_seconds() // 60)
    yield f"{len(firms)} firms; their open cases are counted anew from {minutes} minutes on"


def state(engine: Engine) -> Iterator[str]:
    """What is counted with now, line by line."""
    with platform_session(engine, purpose="calendar") as session:
        known, rows = calendars.refresh(session), calendars.history(session)
    yield f"{known.id}: firm from {known.trusted_from} to {known.trusted_until}"
    replaced = {row.replaces for row in rows}
    for row in rows:
        note = ", replaced" if row.number in replaced else ""
        yield f"notice {row.number}: {row.year}, loaded {local(row.loaded_at):%Y-%m-%d %H:%M}{note}"
        yield f"  {row.source}"
    if missing := known.missing_year(today()):
        yield f"the notice for {missing} is not loaded: dates of that year are provisional"


@contextmanager
def _installation() -> Iterator[Installation]:
    installation = install(Settings.read(), migrate=False)
    try:
        yield installation
    finally:
        installation.close()


@contextmanager
def _told(installation: Installation) -> Iterator[None]:
    """Say what to mend in a file, in English like every command."""
    say = installation.site.translators["en"]
    try:
        yield
    except Invalid as refused:
        said = [say(message) for message in refused.fields.values()]
        raise click.ClickException("; ".join(said)) from refused
