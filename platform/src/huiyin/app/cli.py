"""``huiyin``: run it, look after it, check it."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final

import click
import uvicorn
from sqlalchemy import select

from huiyin.app.cli_calendar import calendar
from huiyin.app.cli_evidence import evidence
from huiyin.app.cli_plugins import Commands
from huiyin.app.compose import Installation, install
from huiyin.app.settings import Settings
from huiyin.db import platform_session, tenant_session
from huiyin.tenancy.models import Tenant

# For open lines: bytes of a frame that is read at all (a route allows less), frames that wait, and
# no compression, which costs memory for each line and tells of secrets beside chosen text.
SOCKETS: Final[dict[str, Any]] = {
    "ws_max_size": 64 * 1024, "ws_max_queue": 4, "ws_per_message_deflate": False,
}  # fmt: skip
SERVER_LOOK: Final = 0.25  # seconds between two looks at whether the server still runs


@click.group(cls=Commands)
@click.option("--verbose", is_flag=True, help="Log what happens, not only what fails.")
def main(*, verbose: bool) -> None:
    """Huiyin 回音: complaint handling for private fund managers."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )


def told_to_stop() -> threading.Event:
    """Set by SIGINT and SIGTERM from now on.

    A handler, not ``sigwait``: an unblocked SIGTERM would end the process before ``close``.
    """
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    return told


def serve_until_stopped(installation: Installation) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is being done."""
    settings = installation.settings
    try:
        uvicorn.run(
            installation.app(),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=20,
            h11_max_incomplete_event_size=64 * 1024,
            proxy_headers=False,
            **SOCKETS,
        )
    finally:
        installation.close()


@main.command()
@click.option("--worker/--no-worker", default=True, help="Do the jobs in this process too.")
def serve(*, worker: bool) -> None:
    """Serve the site."""
    installation = install(Settings.read())
    if worker:
        installation.start_worker()
        installation.start_services()
    serve_until_stopped(installation)


@main.command()
@click.option("--threads", default=4, show_default=True)
def worker(threads: int) -> None:
    """Do the jobs, until stopped."""
    told = told_to_stop()
    installation = install(Settings.read(), migrate=False)
    try:
        installation.start_worker(threads)
        installation.start_services()
        told.wait()
    finally:
        installation.close()


@main.command()
def demo() -> None:
    """Seed three firms if they are not there yet, and serve them."""
    from huiyin.app.demo import prepare  # noqa: PLC0415 - brings the seed along

    installation = install(Settings.read())
    prepare(installation, say=click.echo)
    installation.start_worker()
    installation.start_services()
    serve_until_stopped(installation)


# -- database --------------------------------------------------------------------------------


@main.group()
def db() -> None:
    """The database: migrate it, write a migration, keep the embedded server running."""


@db.command("migrate")
def migrate() -> None:
    """Bring every table to its newest form."""
    install(Settings.read()).close()
    click.echo("ok")


@db.command("run")
def run_server() -> None:
    """Keep the embedded PostgreSQL running for other processes of this home."""
    from huiyin.app.settings import database  # noqa: PLC0415

    told = told_to_stop()
    _, server = database(Settings.read())
    click.echo("ready", nl=True)
    sys.stdout.flush()
    while not told.wait(SERVER_LOOK):
        if server and server.has_left:
            server.stop()
            raise click.ClickException("PostgreSQL has left; its last words are in pg.log")
    if server:
        server.stop()


@db.command("revision")
@click.option("--message", required=True)
def revision(message: str) -> None:
    """Write a migration from the difference between models and database."""
    from huiyin.migrations import write_revision  # noqa: PLC0415 - developers only

    installation = install(Settings.read())
    write_revision(installation.addresses.owner, message)
    installation.close()


main.add_command(calendar)
main.add_command(evidence)


# -- checks ------------------------------------------------------------------------------------


@main.group()
def ledger() -> None:
    """The ledger: check it, export it."""


def _tenant(installation: Installation, slug: str) -> Tenant:
    with platform_session(installation.engine) as session:
        tenant = session.scalar(select(Tenant).where(Tenant.slug == slug))
    if tenant is None:
        raise click.ClickException(f"there is no tenant {slug}")
    return tenant


@ledger.command("verify")
@click.argument("tenant")
def verify(tenant: str) -> None:
    """Recompute a firm's whole chain; names the first bad entry and exits 1."""
    from huiyin.ledger.export import verify_tenant  # noqa: PLC0415 - this command only

    installation = install(Settings.read(), migrate=False)
    try:
        firm = _tenant(installation, tenant)
        with tenant_session(installation.engine, firm.id, purpose="verify") as session:
            result = verify_tenant(session)
        if result.first_bad_seq is not None:
            click.echo(f"BAD at entry {result.first_bad_seq}: {result.reason}")
            sys.exit(1)
        click.echo(f"ok: {result.entries} entries")
    finally:
        installation.close()


@ledger.command("export")
@click.argument("tenant")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def export(tenant: str, target: Path) -> None:
    """Write a firm's ledger as one file that ``ledger/verify.py`` checks without us."""
    from huiyin.ledger.export import export as pieces  # noqa: PLC0415 - this command only

    installation = install(Settings.read(), migrate=False)
    try:
        firm = _tenant(installation, tenant)
        with (
            tenant_session(installation.engine, firm.id, purpose="export") as session,
            target.open("wb") as file,
        ):
            for piece in pieces(session):
                file.write(piece)
        click.echo(str(target))
    finally:
        installation.close()


@main.command()
@click.option(
    "--journal", type=click.Path(path_type=Path, exists=True), help="Acknowledged receipts."
)
@click.option("--drain/--no-drain", default=True, help="Finish waiting jobs first.")
def reconcile(*, journal: Path | None, drain: bool) -> None:
    """Count what should be six zeros; exits 1 when one is not."""
    from huiyin.app.reconcile import count  # noqa: PLC0415 - this command only
    from huiyin.queue.worker import drain as run_all  # noqa: PLC0415

    installation = install(Settings.read(), migrate=False)
    try:
        if drain:
            run_all(installation.engine, limit=100_000)
        counts = count(installation, journal)
        click.echo(json.dumps(counts, indent=2))
        sys.exit(1 if any(counts.values()) else 0)
    finally:
        installation.close()


# -- plugins -----------------------------------------------------------------------------------


@main.group()
def plugin() -> None:
    """Plugins: begin one."""


@plugin.command("new")
@click.argument("name")
@click.option("--kind", default="checklist", show_default=True)
@click.option("--target", type=click.Path(path_type=Path), default=Path("plugins"))
def new_plugin(name: str, kind: str, target: Path) -> None:
    """Write a working plugin project."""
    from huiyin.plugins.scaffold import create  # noqa: PLC0415 - this command only

    click.echo(str(create(target, name, kind)))


if __name__ == "__main__":
    main()
