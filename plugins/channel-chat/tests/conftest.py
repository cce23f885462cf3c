"""A firm with a chat, in its hours."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from huiyin.db import tenant_session
from huiyin.kit.time import clock_at
from huiyin.sdk import rehearse
from huiyin.tenancy.models import PluginActivation
from huiyin.testing.web import OWN_PAGE
from huiyin_channel_chat import plugin
from huiyin_channel_chat.models import Conversation, Said
from huiyin_channel_chat.settings import ChannelChatSettings

HOME = "/p/qinghe/chat"
QUEUE = "/t/qinghe/w/x/channel-chat"
MORNING = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Shanghai
NIGHT = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)  # 23:00
STORY = "我去年 12 月提交的赎回被退了，到现在没人说原因"


@pytest.fixture
def web_plugins():
    return ("channel_web", "channel_chat")


@pytest.fixture
def make_tenant(make_tenant, engine):
    """A firm that has the chat on."""

    def make(slug="qinghe", *, chat=True, **facts):
        firm = make_tenant(slug, **facts)
        with tenant_session(engine, firm.id) as session:
            session.add(PluginActivation(plugin="channel_chat", active=chat))
            session.commit()
        return firm

    return make


@pytest.fixture(autouse=True)
def morning():
    """The clock stands in the firm's hours and goes on a second at each look."""
    with clock_at(MORNING, step=timedelta(milliseconds=10)):
        yield


@pytest.fixture
def chosen():
    return ChannelChatSettings()


@pytest.fixture
def ctx(session, site, chosen):
    """What the plugin is lent, an officer asking."""
    lent = rehearse(plugin, session, name="channel_chat", settings=chosen)
    return replace(lent, blobs=site.blobs)


def text_of(answer):
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


def field(answer, name):
    """The first value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    return found[1] if found else ""


class Visitor:
    """Somebody at the chat, by forms alone."""

    def __init__(self, browser, home=HOME):
        self.browser, self.home, self.serial = browser, home, 0

    def page(self):
        return self.browser.get(self.home)

    def post(self, act, **fields):
        sent = {"act": act, "_csrf": getattr(self, "csrf", ""), **fields}
        return self.browser.post(self.home, sent)

    def begin(self, **fields):
        sent = {"topic": "complaint", "consent": "on", "id": self.new_id(), **fields}
        answer = self.post("begin", **sent)
        if answer.status_code == 303:
            self.csrf = field(self.page(), "_csrf")
        return answer

    def new_id(self):
        self.serial += 1
        return f"visitor-{self.serial:04d}"

    def say(self, body, **fields):
        return self.post("say", **{"body": body, "id": self.new_id(), **fields})

    @property
    def secret(self):
        return self.browser.http.cookies.get("hy_chat")

    def send_file(self, name, data, **fields):
        sent = {"_csrf": self.csrf, "id": self.new_id(), **fields}
        return self.browser.post(f"{self.home}/files", sent, files={"file": (name, data)})


@pytest.fixture
def visitor(public, tenant):
    return Visitor(public)


@pytest.fixture
def officer(make_actor, web):
    browser = web(make_actor("complaint_officer", name="沈佳宁"))
    browser.post(f"{QUEUE}/presence", {"state": "available"})
    return browser


@pytest.fixture
def only(session):
    """The one conversation there is, as the database has it now."""

    def read():
        session.rollback()
        session.expire_all()
        return session.scalars(select(Conversation)).one()

    return read


@pytest.fixture
def lines(session):
    """What was said, in order."""

    def read():
        session.rollback()
        rows = session.scalars(select(Said).order_by(Said.seq)).all()
        return [(said.side, said.body) for said in rows if said.side != "house"]

    return read


def connect(browser, path=f"{HOME}/live", **headers):
    """An open line from our own page."""
    given = {"origin": "http://testserver.local", "host": "testserver.local", **OWN_PAGE, **headers}
    return browser.http.websocket_connect(path, headers=given)
