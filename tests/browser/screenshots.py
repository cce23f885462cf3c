"""The pictures of the README, taken from the demonstration: ``python screenshots.py``.

They show made-up firms and people only.  ``HUIYIN_ADDRESS`` and ``HUIYIN_DEMO_PASSWORD`` name a
demonstration that is served already; otherwise one is seeded, which takes a minute.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import ROOT, chromium, serving, short_home
from playwright.sync_api import Browser, Page

TARGET = ROOT / "platform" / "docs" / "images"
LARGEST = 300_000  # bytes
FIRM = "qinghe"
PASSWORD = "look around freely"  # of made-up people, in a folder that is gone afterwards
DESK: dict[str, Any] = {"viewport": {"width": 1366, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True,
}  # fmt: skip


@contextmanager
def demonstration() -> Iterator[tuple[str, str]]:
    """Address and password."""
    if address := os.environ.get("HUIYIN_ADDRESS"):
        yield address, os.environ["HUIYIN_DEMO_PASSWORD"]
        return
    with short_home() as home:
        settings = {"HUIYIN_DEMO_PASSWORD": PASSWORD, "HUIYIN_TENANTS": str(ROOT / "tenants")}
        with serving(home, "demo", **settings) as address:
            yield address, PASSWORD


class Studio:
    """Takes pictures of one demonstration."""

    def __init__(self, browser: Browser, address: str, password: str) -> None:
        self.browser, self.address, self.password = browser, address, password

    @contextmanager
    def page(self, login: str = "", **shape: Any) -> Iterator[Page]:
        """A browser, logged in if a login is named."""
        settings = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **shape}
        context = self.browser.new_context(**settings)
        page = context.new_page()
        if login:
            page.goto(f"{self.address}/login")
            page.fill("[name=login]", f"{login}@{FIRM}.demo")
            page.fill("[name=password]", self.password)
            with page.expect_navigation():
                page.click("main button[type=submit]")
        yield page
        context.close()

    def take(self, page: Page, name: str, path: str) -> None:
        answer = page.goto(self.address + path)
        if answer is None or not answer.ok:
            raise RuntimeError(f"{path} was not served")
        self.keep(page, name)

    def keep(self, page: Page, name: str) -> None:
        TARGET.mkdir(parents=True, exist_ok=True)
        target = TARGET / f"{name}.png"
        page.screenshot(path=target, animations="disabled")
        if target.stat().st_size > LARGEST:
            raise RuntimeError(f"{target.name} is larger than {LARGEST} bytes")


def telling_case(page: Page, address: str) -> str:
    """The path of a case under way: first one that waits for its measures, else the first."""
    for stage in ("implementation", "investigation", ""):
        page.goto(f"{address}/t/{FIRM}/w?stage={stage}")
        links = page.locator("tr.row a.ttl")
        if links.count():
            return str(links.first.get_attribute("href"))
    raise RuntimeError("the demonstration has no open case")


def staff(studio: Studio) -> str:
    """Inbox and case; the path of the case."""
    with studio.page("officer", **DESK) as page:
        case = telling_case(page, studio.address)
        studio.take(page, "inbox-zh", f"/t/{FIRM}/w")
        studio.take(page, "case-zh", case)
        page.click(".app > .nav form[action='/preferences'] button[name=language]")
        studio.take(page, "case-en", case)
    with studio.page("officer", color_scheme="dark", **DESK) as page:
        page.goto(studio.address + case)
        if page.locator("html[lang=en]").count():  # the language is kept with the account
            page.click(".app > .nav form[action='/preferences'] button[name=language]")
        studio.take(page, "case-dark", case)
    with studio.page("admin", **DESK) as page:
        studio.take(page, "plugin-admin", f"/t/{FIRM}/admin/plugins/channel_web")
    return case


def learning(studio: Studio) -> None:
    """What the answers to a survey say, and the twenty sections of the self-check."""
    with studio.page("supervisor", **DESK) as page:
        page.goto(f"{studio.address}/t/{FIRM}/w/x/survey-satisfaction/")
        survey = page.locator("main a.ttl", has_text="年度投资者调查").first
        studio.take(page, "survey-results", str(survey.get_attribute("href")))
        studio.take(page, "self-check", f"/t/{FIRM}/w/x/checklist-regulatory/")


def public(studio: Studio) -> None:
    """The form on a telephone, and a case as its complainant sees it."""
    with studio.page(**PHONE) as page:
        studio.take(page, "intake-phone", f"/p/{FIRM}/complain/topic")
        for field, text in (("topic", ""), ("fund", ""), ("story", STORY), ("wish", WISH)):
            if text:
                page.fill(f"[name={field}]", text)
            else:
                page.locator(f"[name={field}]").first.check()
            page.click("form.question button[type=submit]")
        page.click("form.question button[value=next]")
        page.fill("[name=name]", "陈建国")
        page.fill("[name=phone]", "138 0000 6021")
        page.click("form.question button[type=submit]")
        page.check("[name=consent]")
        page.click("main button.primary[type=submit]")
        code = re.sub(r"\D", "", page.locator(".receipt .code").inner_text())
    with studio.page(viewport={"width": 1024, "height": 760}) as page:
        page.goto(f"{studio.address}/p/{FIRM}/track")
        page.fill("[name=code]", code)
        with page.expect_navigation():
            page.click("main button.primary[type=submit]")
        studio.keep(page, "portal")


STORY = "八月初提交的赎回申请到现在还没有到账，客服每次都说正在处理，没有说明原因。"
WISH = "请尽快支付赎回款，并说明延迟的原因。"


def main(target: Path = TARGET) -> None:
    with demonstration() as (address, password), chromium() as browser:
        studio = Studio(browser, address, password)
        staff(studio)
        learning(studio)
        public(studio)
    for picture in sorted(target.glob("*.png")):
        print(f"{picture.name} {picture.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
