"""A served installation and a Chromium, for tests that click."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHROMIUM = Path("/usr/bin/chromium")
ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--no-first-run", "--lang=zh-CN",
)  # fmt: skip
PASSWORD = "correct horse battery"
SLOWEST_START = 3000  # tries of a fifth of a second: a demonstration is seeded before it is served


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def short_home() -> Iterator[Path]:
    """A folder near the root: PostgreSQL's user must reach it, and its socket's path be short."""
    home = Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def serving(home: Path, command: str = "serve", **settings: str) -> Iterator[str]:
    """``huiyin serve`` (or ``demo``) with this home on a port of its own; the address."""
    address, log = f"http://127.0.0.1:{(port := free_port())}", home / "browser.log"
    env = {**os.environ, "HUIYIN_HOME": str(home), "HUIYIN_PORT": str(port), **settings}
    program = [sys.executable, "-m", "huiyin.app.cli", command]
    with log.open("wb") as out:
        process = subprocess.Popen(program, env=env, cwd=ROOT, stdout=out, stderr=out)
        try:
            wait_for(process, address, log)
            yield address
        finally:
            process.terminate()
            process.wait(60)


def wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(SLOWEST_START):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return
        except urllib.error.URLError:
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            break
    raise RuntimeError(f"the server did not start:\n{log.read_text('utf-8')[-2000:]}")


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """``more`` are switches of its own."""
    if not CHROMIUM.exists():
        raise RuntimeError(f"{CHROMIUM} is missing: run infra/setup/browser.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, *more])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody at a browser, who uses what the page shows; ``complaints`` are its console's."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def link(self, name: str, *, exact: bool = True) -> None:
        """Follow the first link of that name and wait for its page."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=exact).first.click()

    def press(self, name: str, *, within: str = "main") -> None:
        """Press the first button of that name; every button sends a form here."""
        button = self.page.locator(within).get_by_role("button", name=name, exact=True)
        with self.page.expect_navigation():
            button.first.click()
        assert self.page.locator("#errors").count() == 0, self.page.locator("#errors").inner_text()

    def fill(self, **fields: str) -> None:
        """Fields by name."""
        for name, text in fields.items():
            self.page.locator(f"main [name={name}]").first.fill(text)

    def choose(self, **fields: str) -> None:
        """Options of selects by what they say."""
        for name, text in fields.items():
            box = self.page.locator(f"main select[name={name}]").first
            label = box.locator("option", has_text=text).first.inner_text()
            box.select_option(label=label)

    def reads(self, *texts: str) -> None:
        """The page says all of this."""
        shown = self.page.locator("main").inner_text()
        for text in texts:
            assert text in shown, f"{text!r} is not on {self.page.url}:\n{shown}"


@dataclass
class House:
    """The served firm and the browsers people bring."""

    browser: Browser
    address: str
    tenant: str = "yuanshan"
    domain: str = "test"

    def phone(self) -> Visitor:
        """A visitor with a telephone, without scripts."""
        return self.visitor(scripts=False, width=390, height=844)

    def visitor(self, *, scripts: bool, width: int = 1366, height: int = 900) -> Visitor:
        context = self.browser.new_context(
            java_script_enabled=scripts, locale="zh-CN", accept_downloads=True,
            viewport={"width": width, "height": height},
        )  # fmt: skip
        context.set_default_timeout(10_000)
        visitor = Visitor(context, context.new_page(), self.address)
        context.on("console", visitor.hear)
        context.on("weberror", lambda error: visitor.complaints.append(str(error.error)))
        return visitor

    def colleague(self, login: str, *, scripts: bool) -> Visitor:
        """A visitor who has logged in with a password."""
        visitor = self.visitor(scripts=scripts)
        visitor.go("/login")
        visitor.fill(login=f"{login}@{self.tenant}.{self.domain}", password=PASSWORD)
        visitor.press("登录")
        return visitor


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with short_home() as home:
        subprocess.run(
            [sys.executable, HERE / "seed.py", PASSWORD],
            env={**os.environ, "HUIYIN_HOME": str(home)}, cwd=ROOT, check=True, timeout=300,
        )  # fmt: skip
        with serving(home) as address, chromium() as browser:
            yield House(browser, address)
