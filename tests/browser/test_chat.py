"""The chat on a site of somebody else, on a telephone too, with the line cut in the middle.

Between browser and server stands a wire that can be cut and mended, so that nothing has to know of
the test: what is cut is a connection, as in a tunnel.
"""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from .conftest import HERE, PASSWORD, ROOT, House, Visitor, chromium, serving, short_home

FIRM = "yuanshan"
EMBED = f"/p/{FIRM}/chat/embed.js"
# A frame of another site has storage of its own, as in every browser; the tool turns that off.
AS_PEOPLE_HAVE_IT = "--disable-features=MediaRouter"


class Wire(socketserver.ThreadingTCPServer):
    """Passes bytes on to the server; ``cut`` drops every connection and takes no more, ``hush``
    lets those there are stand and passes nothing on."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, to: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.to, self.whole = to, True
        self.ends: set[socket.socket] = set()
        self.silent: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def cut(self) -> None:
        self.whole = False
        for end in list(self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def hush(self) -> None:
        self.silent |= self.ends

    def mend(self) -> None:
        self.whole = True


class _Passing(socketserver.BaseRequestHandler):
    server: Wire

    def handle(self) -> None:
        if not self.server.whole:
            return
        with socket.create_connection(self.server.to) as beyond:
            self.server.ends |= {self.request, beyond}
            back = threading.Thread(target=self.passes, args=(beyond, self.request), daemon=True)
            back.start()
            self.passes(self.request, beyond)
            back.join()
            self.server.ends -= {self.request, beyond}

    def passes(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                if here not in self.server.silent:
                    there.sendall(data)
            if here not in self.server.silent:
                there.shutdown(socket.SHUT_WR)


class _Foreign(BaseHTTPRequestHandler):
    """A page of the firm's own site, with the one line in it."""

    script = ""

    def do_GET(self) -> None:
        body = (
            "<!doctype html><html lang=zh><meta charset=utf-8><meta name=viewport "
            "content='width=device-width, initial-scale=1'><title>Firm</title>"
            f"<h1>Own site</h1><script src='{self.script}' async></script>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quietly."""


@contextmanager
def foreign(port: int, script: str) -> Iterator[str]:
    """The site at ``localhost``: to a browser another site than 127.0.0.1."""
    handler = type("Foreign", (_Foreign,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Place:
    house: House
    wire: Wire
    site: str
    stranger: str


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(int(probe.getsockname()[1]))
    with short_home() as home:
        subprocess.run(
            [sys.executable, HERE / "seed_chat.py", PASSWORD, f"http://localhost:{ports[0]}"],
            env={**os.environ, "HUIYIN_HOME": str(home)}, cwd=ROOT, check=True, timeout=300,
        )  # fmt: skip
        with serving(home) as address, chromium(AS_PEOPLE_HAVE_IT) as browser:
            beyond = urlsplit(address)
            wire = Wire((str(beyond.hostname), int(beyond.port or 0)))
            script = wire.address + EMBED
            with foreign(ports[0], script) as site, foreign(ports[1], script) as stranger:
                yield Place(House(browser, address), wire, site, stranger)
            wire.shutdown()
            wire.server_close()


@pytest.fixture
def officer(place: Place) -> Visitor:
    person = place.house.colleague("officer", scripts=True)
    person.go(f"/t/{FIRM}/w/x/channel-chat/")
    button = person.page.get_by_role("button", name="改为在线")
    if button.count():
        with person.page.expect_navigation():
            button.click()
    return person


def open_widget(place: Place, visitor: Visitor) -> FrameLocator:
    visitor.page.goto(place.site)
    visitor.page.get_by_role("button", name="打开在线客服").click()
    return visitor.page.frame_locator("iframe")


def begin(frame: FrameLocator, topic: str = "对产品或服务不满意") -> None:
    frame.get_by_text(topic).click()
    frame.get_by_text("同意留存这次对话").click()
    frame.get_by_role("button", name="开始对话").click()
    expect(frame.locator("#chat[data-up]")).to_be_attached()


def say(frame: FrameLocator | Page, words: str) -> None:
    frame.locator("#f-body").fill(words)
    frame.locator("#f-body").press("Enter")


def take_newest(officer: Visitor, words: str) -> None:
    """Open the talk in which these words were said, and take it."""
    officer.go(f"/t/{FIRM}/w/x/channel-chat/")
    links = officer.page.locator("#queue li a.clip")
    for path in [str(link.get_attribute("href")) for link in links.all()]:
        officer.go(path)
        if officer.page.locator("#log", has_text=words).count():
            officer.press("接入对话")
            expect(officer.page.locator("#chat[data-up]")).to_be_attached()
            return
    raise AssertionError(f"{words!r} is in no talk")


def said_in(frame: FrameLocator | Page) -> list[str]:
    return frame.locator("#log .bubble[data-seq] p").all_inner_texts()


@pytest.mark.parametrize(("width", "height"), [(1366, 900), (390, 844)], ids=["desk", "phone"])
def test_a_cut_line_loses_nothing(place: Place, officer: Visitor, width: int, height: int) -> None:
    visitor = place.house.visitor(scripts=True, width=width, height=height)
    frame = open_widget(place, visitor)
    begin(frame)
    first = f"第一句 {width}"
    say(frame, first)
    expect(frame.locator("#log .bubble.me:not(.pending)", has_text=first)).to_be_visible()
    take_newest(officer, first)
    expect(frame.locator("#log", has_text="沈佳宁 已接入")).to_be_visible()

    place.wire.cut()
    expect(frame.locator("#line")).to_contain_text("重新连接中，消息不会丢失")
    say(frame, "断线时写的")
    expect(frame.locator("#log .pending", has_text="断线时写的")).to_be_visible()
    say(officer.page, "断线时答的")
    expect(officer.page.locator("#log .bubble.me:not(.pending)")).to_be_visible()
    frame.locator("#f-body").fill("还没写完")
    place.wire.mend()

    expect(frame.locator("#log .bubble", has_text="断线时答的")).to_be_visible(timeout=30_000)
    expect(frame.locator("#log .pending")).to_have_count(0, timeout=30_000)
    expect(officer.page.locator("#log .bubble", has_text="断线时写的")).to_be_visible()
    visitor.page.reload()
    visitor.page.get_by_role("button", name="打开在线客服").click()
    expect(frame.locator("#chat[data-up]")).to_be_attached(timeout=30_000)
    expect(frame.locator("#f-body")).to_have_value("还没写完")
    told = [first, "断线时答的", "断线时写的"]
    assert sorted(said_in(frame)) == sorted(told)
    assert said_in(frame) == said_in(officer.page)
    if width < 500:
        box = visitor.page.locator("iframe").bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (width, height)
    assert "hy_chat" not in {cookie.get("name") for cookie in visitor.context.cookies()}


def test_a_connection_that_died_without_a_word_is_replaced(place: Place) -> None:
    frame = open_widget(place, place.house.visitor(scripts=True))
    begin(frame)
    place.wire.hush()
    told = ["写进空里的", "第二句", "第三句"]
    for words in told:
        say(frame, words)
    expect(frame.locator("#log .pending")).to_have_count(3)
    expect(frame.locator("#log .pending")).to_have_count(0, timeout=40_000)
    assert said_in(frame) == told


def test_a_talk_becomes_a_case_in_the_window(place: Place, officer: Visitor) -> None:
    visitor = place.house.visitor(scripts=True)
    frame = open_widget(place, visitor)
    begin(frame)
    words = "赎回被退了，没有人说原因"
    say(frame, words)
    expect(frame.locator("#log .bubble.me:not(.pending)", has_text=words)).to_be_visible()
    take_newest(officer, words)
    officer.page.locator("#beside details summary", has_text="转为正式投诉").click()
    officer.fill(story=words, wish="说明原因", fund="稳健一号")
    officer.press("发给访客核对")
    card = frame.locator(".wg-card", has_text="转为正式投诉")
    expect(card).to_contain_text("产品「稳健一号」、诉求「说明原因」")
    card.locator("summary").click()
    card.locator("[name=phone]").fill("138 0000 6021")
    card.locator("[name=consent]").check()
    card.get_by_role("button", name="确认提交").click()
    expect(frame.locator(".wg-card", has_text="已登记为正式投诉")).to_be_visible()
    code = frame.locator(".wg-code").inner_text().replace(" ", "")
    assert len(code) == 16
    expect(officer.page.locator("#log", has_text="已登记为正式投诉，编号")).to_be_visible()


def test_a_site_that_is_not_listed_shows_nothing(place: Place) -> None:
    visitor = place.house.visitor(scripts=True)
    visitor.page.goto(place.stranger)
    visitor.page.get_by_role("button", name="打开在线客服").click()
    expect(visitor.page.frame_locator("iframe").locator("#chat")).to_have_count(0)
    until = visitor.page.wait_for_event
    if not visitor.complaints:
        until("console")
    assert any("frame-ancestors" in text for text in visitor.complaints)
