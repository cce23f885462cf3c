"""Visitors of a firm's public pages."""

import re
from dataclasses import replace
from html import unescape

import pytest
from sqlalchemy import text

from huiyin.sdk import Case, Fund, rehearse
from huiyin_channel_web import plugin

HOME = "/p/qinghe"
STORY = "11 月 3 日我在柜台提交赎回，被退回，没有说明理由。\n\n我打过三次电话，都说再等等。"
PDF = b"%PDF-1.7 statement"


@pytest.fixture
def web_plugins():
    return ("channel_web",)


@pytest.fixture
def fund(session):
    listed = Fund(name="澄川稳进三号私募证券投资基金", short_name="稳进三号", filing_code="SX1")
    session.add(listed)
    session.commit()
    return listed


class Visitor:
    """Somebody at the firm's public pages, one request at a time."""

    def __init__(self, browser, home=HOME):
        self.browser, self.home = browser, home

    def get(self, path="", **given):
        return self.browser.get(self.home + path, **given)

    def post(self, path, **fields):
        return self.browser.post(self.home + path, fields)

    def upload(self, path, *files, **fields):
        sent = [("files", file) for file in files]
        return self.browser.post(self.home + path, fields, files=sent)

    def follow(self, answer):
        assert answer.status_code == 303, text_of(answer)
        return self.browser.get(answer.headers["location"])

    def answer_all(self, **contact):
        """Every question up to the page of answers."""
        who = contact or {"who": "named", "name": "陈建国", "phone": "138 0000 6021"}
        self.post("/complain/topic", topic="dealing")
        self.post("/complain/product", product="稳进三号")
        self.post("/complain/story", story=STORY)
        self.post("/complain/wish", wish="按 11 月 3 日净值赎回")
        assert self.post("/complain/contact", **who).status_code == 303

    def file(self, **contact):
        """A complaint from the first page to the receipt; answers its code."""
        self.answer_all(**contact)
        done = self.follow(self.post("/complain/check", consent="on"))
        return code_on(done)

    def enter(self, code):
        """Open the portal; answers the form token of its pages."""
        page = self.follow(self.post("/track", code=code))
        return re.search(r'name="_csrf" value="([^"]+)"', page.text)[1]


def text_of(answer):
    """The words of a page, without its tags."""
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


def code_on(answer):
    return re.sub(r"\D", "", re.search(r'class="code">([\d ]+)<', answer.text)[1])


@pytest.fixture
def visitor(public, tenant):
    return Visitor(public)


@pytest.fixture
def another(web, tenant):
    """A second browser."""
    return Visitor(web())


@pytest.fixture
def only_case(session):
    """The one case there is, as the database has it now."""

    def read():
        session.rollback()
        (case,) = session.query(Case).all()
        return case

    return read


@pytest.fixture
def ctx(session, site):
    """What the plugin is lent outside a request."""
    return replace(rehearse(plugin, session, name="channel_web"), blobs=site.blobs)


@pytest.fixture
def age(session):
    """Let rows of a table look older than they are."""

    def make_older(table, column, by):
        session.execute(
            text(f"UPDATE plugin_channel_web__{table} SET {column} = {column} - :by"), {"by": by}
        )
        session.commit()

    return make_older
