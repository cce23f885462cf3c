"""Pages of the product against a bare floor, in one run on one database: a report, not a test.

Each round asks the product, then the floor, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import chats
import mails
import psycopg
from client import CONNECTIONS, Server, Tally, request, run_round
from fill import COMMON, RARE, Filled, fill

from huiyin.app.compose import Installation, install
from huiyin.app.settings import Settings
from huiyin.db import platform_session, tenant_session
from huiyin.db.bootstrap import libpq
from huiyin.identity.models import Account
from huiyin.identity.sessions import digest, open_session
from huiyin.kit.time import now
from huiyin.tenancy.models import PluginActivation, SettingVersion
from huiyin.testing import factories
from huiyin.web import csrf

SLUG = "bench"
CHATTING = "chatting"
PLUGINS = ("channel_web", "channel_email", "survey_satisfaction")
MORE = (
    "channel_phone", "channel_referral", "channel_chat", "channel_wecom", "checklist_regulatory",
    "training_records", "scoring_incentive",
)  # fmt: skip
WARM = 40  # requests before the counting
SECONDS = 16  # for one page of one server at most, all rounds together
STORY = "我在开放日提交了赎回申请，确认单已经收到，款项至今没有到账，打了三次客服电话。"


@dataclass(frozen=True, slots=True)
class Place:
    """A filled firm and the browser that looks at it."""

    installation: Installation
    tenant: uuid.UUID
    actor: uuid.UUID
    token: str
    filled: Filled

    @property
    def headers(self) -> dict[str, str]:
        cookie = self.installation.site.settings.session_cookie
        return {"Cookie": f"{cookie}={self.token}", "Accept-Language": "zh"}

    @property
    def csrf(self) -> str:
        return csrf.token_for(self.installation.site.settings.secret, digest(self.token))


@dataclass(frozen=True, slots=True)
class Page:
    """One line of the report; both makers answer the bytes of the n-th request."""

    title: str
    wanted: tuple[int, int]  # status of the product and of the floor
    product: Callable[[int], bytes]
    floor: Callable[[int], bytes]


def pages(place: Place) -> list[Page]:
    numbers, base = place.filled.open_numbers, f"/t/{SLUG}/w"
    look = place.headers
    floor_look = {"Cookie": f"huiyin={place.token}"}
    write = {**look, "Sec-Fetch-Site": "same-origin"}

    def both(title: str, product: str, floor: str) -> Page:
        mine, theirs = request("GET", product, look), request("GET", floor, floor_look)
        return Page(title, (200, 200), lambda _: mine, lambda _: theirs)

    def number(n: int) -> str:
        return numbers[n % len(numbers)]

    def note(n: int) -> bytes:
        form = {"_csrf": place.csrf, "mode": "note", "body": f"第 {n} 条：已电话核对划款日期"}
        return request("POST", f"{base}/cases/{number(n)}/talk", write, form)

    def filing(path: str, n: int) -> bytes:
        # Every request comes from another network, as filings do; see FILING in the API.
        extra = {
            "Idempotency-Key": uuid.uuid4().hex,
            "X-Forwarded-For": f"10.{n // 250 % 250}.{n % 250}.1",
        }
        body = {"story": STORY, "name": "陈建国", "phone": "13800006021"}
        return request("POST", path, extra, json.dumps(body).encode())

    return [
        both("inbox", f"{base}/", "/inbox"),
        Page(
            "workbench",
            (200, 200),
            lambda n: request("GET", f"{base}/cases/{number(n)}", look),
            lambda n: request("GET", f"/cases/{number(n)}", floor_look),
        ),
        both(
            "survey results",
            f"{base}/x/survey-satisfaction/campaigns/{place.filled.survey}/results",
            f"/survey/{place.filled.survey}",
        ),
        both("search, rare", f"{base}/search?q={quote(RARE)}", f"/search?q={quote(RARE)}"),
        both("search, common", f"{base}/search?q={quote(COMMON)}", f"/search?q={quote(COMMON)}"),
        Page(
            "note, POST",
            (303, 303),
            note,
            lambda n: request(
                "POST", f"/cases/{number(n)}/talk", floor_look, {"body": f"第 {n} 条记录"}
            ),
        ),
        Page(
            "filing, POST",
            (201, 201),
            lambda n: filing(f"/api/v1/p/{SLUG}/complaints", n),
            lambda n: filing("/complaints", n),
        ),
    ]


# -- setting up --------------------------------------------------------------------------------


def settings(home: Path) -> Settings:
    return Settings(
        home=home,
        database_url="",
        owner_url="",
        broker_url="",
        public_url="",
        host="127.0.0.1",
        port=0,
        trusted_proxies=1,
        threads=4,
    )


def prepare(
    home: Path, cases: int, say: Callable[[str], None], *, plugins: Sequence[str] = PLUGINS
) -> Place:
    """Migrate, fill, log one browser in.  The server below ``home`` is durable."""
    began = time.monotonic()
    installation = install(settings(home))
    assert installation.server is not None
    engine = installation.engine
    say(f"migrated in {time.monotonic() - began:.1f} s")
    tenant = factories.make_tenant(engine, SLUG, mark="测", short_name="测试")
    actor = factories.make_actor(engine, tenant, "complaint_officer", name="沈佳宁")
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session:
        for plugin in plugins:
            session.add(PluginActivation(plugin=plugin, active=True))
        session.commit()
    open_a_chat(installation)
    began = time.monotonic()
    filled = fill(
        libpq(installation.server.url(name="huiyin")), tenant.id, (actor.id, actor.name), cases
    )
    say(f"filled in {time.monotonic() - began:.1f} s")
    with platform_session(engine) as session:
        token = open_session(session, session.get_one(Account, actor.id), "bench", now())
        session.commit()
    return Place(installation, tenant.id, actor.id, token, filled)


def open_a_chat(installation: Installation) -> None:
    """A firm of its own whose chat is open day and night; the pages are measured without it."""
    firm = factories.make_tenant(installation.engine, CHATTING, mark="聊")
    actor = factories.make_actor(installation.engine, firm, "complaint_officer")
    with tenant_session(installation.engine, firm.id, actor_id=actor.id) as session:
        session.add(PluginActivation(plugin="channel_chat", active=True))
        session.add(
            SettingVersion(
                plugin="channel_chat", version=1, state="published", author_id=actor.id, secrets={},
                data={"days": "every_day", "opens": "00:00", "closes": "23:59"},
            )
        )  # fmt: skip
        session.commit()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], place: Place) -> Iterator[Server]:
    """A server in a process of its own, ended with the block."""
    installation = place.installation
    assert installation.server is not None
    assert installation.server.process is not None
    port = free_port()
    environment = {
        **os.environ,
        "HUIYIN_HOME": str(installation.settings.home),
        "HUIYIN_PORT": str(port),
        "HUIYIN_THREADS": str(installation.settings.threads),
        "HUIYIN_TRUSTED_PROXIES": "1",
        "BENCH_URL": libpq(installation.addresses.app),
        "BENCH_TENANT": str(place.tenant),
        "BENCH_ACTOR": str(place.actor),
    }
    process = subprocess.Popen([sys.executable, *command], env=environment)
    try:
        _await(process, port)
        yield Server(port, process.pid, installation.server.process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server left with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not answer")


# -- measuring and telling ---------------------------------------------------------------------


def measure(page: Page, product: Server, floor: Server, *, n: int, rounds: int) -> list[Tally]:
    """Both tallies after ``rounds`` rounds of ``n / rounds`` requests to each."""
    tallies = [Tally(), Tally()]
    makers = ((page.product, product), (page.floor, floor))
    for make, server in makers:
        run_round(server, [make(i) for i in range(WARM)], 0, Tally(), seconds=SECONDS / rounds)
    count = WARM
    for _ in range(rounds):
        each = range(count, count + max(n // rounds, 1))
        count = each.stop
        for (make, server), wanted, tally in zip(makers, page.wanted, tallies, strict=True):
            run_round(server, [make(i) for i in each], wanted, tally, seconds=SECONDS / rounds)
    return tallies


def table(measured: list[tuple[str, list[Tally]]]) -> str:
    head = (
        f"{'page':<15} {'':<8} {'pages/s':>8} {'p50 ms':>7} {'p95 ms':>7} {'CPU ms':>7}"
        f" {'DB ms':>7} {'kB':>6} {'rows':>5}  answers"
    )
    lines = [head, "-" * len(head)]
    for title, tallies in measured:
        for name, tally in zip(("product", "floor"), tallies, strict=True):
            wrong = ", ".join(f"{n} x {status}" for status, n in tally.wrong.items()) or "as wanted"
            label = title if name == "product" else ""
            lines.append(
                f"{label:<15} {name:<8} {tally.rate:>8.0f} {tally.percentile(50):>7.1f}"
                f" {tally.percentile(95):>7.1f} {tally.cpu_ms:>7.2f} {tally.database_ms:>7.2f}"
                f" {tally.size / 1024:>6.1f} {tally.rows:>5}  {wrong}"
            )
        mine, floor = tallies
        ratio = (mine.cpu_ms + mine.database_ms) / max(floor.cpu_ms + floor.database_ms, 0.001)
        lines.append(
            f"{'':<15} {'ratio':<8} {mine.rate / floor.rate:>8.2f}"
            f" {mine.percentile(50) / floor.percentile(50):>7.2f}"
            f" {mine.percentile(95) / floor.percentile(95):>7.2f}"
            f" {mine.cpu_ms / max(floor.cpu_ms, 0.001):>7.2f}"
            f" {mine.database_ms / max(floor.database_ms, 0.001):>7.2f}"
            f"               CPU and DB together {ratio:.2f}"
        )
    return "\n".join(lines)


def machine(place: Place) -> str:
    """What it ran on, so that two reports can be told apart."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    assert place.installation.server is not None
    with psycopg.connect(libpq(place.installation.server.url(name="huiyin"))) as connection:
        (version,) = connection.execute("SHOW server_version").fetchone() or ("?",)
        (size,) = connection.execute(
            "SELECT pg_size_pretty(pg_database_size('huiyin'))"
        ).fetchone() or ("?",)
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, load {os.getloadavg()[0]:.1f};"
        f" Python {platform.python_version()}, PostgreSQL {version} (durable, database {size});"
        f" one uvicorn process each, {place.installation.settings.threads} threads,"
        f" {CONNECTIONS} connections"
    )


def report(options: argparse.Namespace) -> None:
    home = Path(tempfile.mkdtemp(prefix="hy-bench-", dir="/tmp"))
    began = time.monotonic()
    place: Place | None = None
    try:
        plugins = (*PLUGINS, *MORE) if options.every else PLUGINS
        place = prepare(home, options.cases, lambda line: print(line, flush=True), plugins=plugins)
        with (
            served(["-m", "huiyin.app.cli", "serve", "--no-worker"], place) as product,
            served([str(Path(__file__).with_name("floor.py"))], place) as floor,
        ):
            measured = []
            for page in pages(place):
                if options.only and options.only not in page.title:
                    continue
                tallies = measure(page, product, floor, n=options.requests, rounds=options.rounds)
                measured.append((page.title, tallies))
            talked = ""
            if not options.only or options.only == "chat":
                talked = f"\n{chats.measure(product, CHATTING)}"
        rows = ", ".join(f"{name} {n:,}" for name, n in place.filled.rows.items())
        print(f"\n{machine(place)}\nrows at the start: {rows}")
        print(f"{options.requests} requests a page in {options.rounds} rounds\n")
        print(table(measured) + talked)
        if options.mails and (not options.only or options.only == "mail"):
            print(f"\n{mails.measure(place.installation, SLUG, mails=options.mails)}")
        print(f"\n{time.monotonic() - began:.0f} s in all")
    finally:
        if place is not None:
            place.installation.close()
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="default 20000")
    parser.add_argument("--requests", type=int, default=400, help="requests a page, default 400")
    parser.add_argument("--rounds", type=int, default=4, help="rounds they are spread over")
    parser.add_argument("--mails", type=int, default=200, help="mails to send, default 200")
    parser.add_argument("--every", action="store_true", help="with every plugin on")
    parser.add_argument("--only", default="", help="only pages with this in their title")
    try:
        report(parser.parse_args())
    except Exception:  # noqa: BLE001 - a report that could not be made fails no build
        traceback.print_exc(file=sys.stdout)


if __name__ == "__main__":
    main()
