"""A firm to which complaints come on paper."""

import io
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from huiyin.sdk import Filing, Source, file_complaint, find_case, rehearse, today
from huiyin.testing.web import run_jobs
from huiyin_channel_referral import agents, plugin, register, transfers
from huiyin_channel_referral.schemas import AgentForm, TransferForm
from huiyin_channel_referral.settings import ChannelReferralSettings
from huiyin_channel_referral.terms import Document, Scope

HOME = "/t/qinghe/w/x/channel-referral"
CASES = "/t/qinghe/w/cases"
DAY = timedelta(days=1)
STORY = "赎回申请提交十二天仍未到账，客服只说在走流程"
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def web_plugins():
    return ("channel_web", "channel_referral")


@pytest.fixture
def admin(make_actor):
    return make_actor("tenant_admin", name="林之航")


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def supervisor(make_actor):
    return make_actor("supervisor", name="苏婉")


@pytest.fixture
def investigator(make_actor):
    return make_actor("investigator", name="周岚")


@pytest.fixture
def switch(web, admin):
    """``switch(True)`` switches the plugin on as the firm's administrator does."""

    def to(on):
        path = "/t/qinghe/admin/plugins/channel_referral/switch"
        answer = web(admin).post(path, {"to": "on" if on else "off"})
        assert answer.status_code == 303, answer.text

    return to


@pytest.fixture
def on(switch):
    switch(True)


@pytest.fixture
def ctx_of(session, site):
    """``ctx_of(actor)`` is what the plugin is lent for that person; nobody: a job's."""

    def lend(actor=None, **settings):
        lent = rehearse(
            plugin, session, name="channel_referral", actor=actor,
            settings=ChannelReferralSettings(**settings),
        )  # fmt: skip
        return replace(lent, blobs=site.blobs)

    return lend


@pytest.fixture
def case(session, actor):
    """A complaint the investor filed on the firm's own pages."""
    filed = file_complaint(
        session, actor,
        Filing(channel="web", idem_key="web-1", story=STORY, phone="13800000000", name="陈建国"),
    )  # fmt: skip
    session.commit()
    return find_case(session, actor, filed.number)


@pytest.fixture
def letter(ctx_of, actor, session):
    """A registered letter of transfer; ``case=`` joins it to one that is known."""

    def make(key="k1", files=(), **given):
        facts = {
            "source": Source.CSRC, "number": "演转〔1〕号", "received_at": today(),
            "due_on": today() + 9 * DAY, "story": STORY, "phone": "13900000000",
        }  # fmt: skip
        ctx = ctx_of(actor)
        row = transfers.take(ctx, TransferForm(**{**facts, **given}), key, files)
        session.commit()
        return register.find(ctx, row.id)

    return make


@pytest.fixture
def agent(ctx_of, actor, session, case):
    def make(key="a1", settings=None, **given):
        facts = {
            "case": case.number, "name": "何小律", "papers": (Document.MANDATE,),
            "scope": (Scope.SUBMIT, Scope.PROGRESS), "valid_from": today() - DAY,
            "valid_until": today() + 60 * DAY,
        }  # fmt: skip
        ctx = ctx_of(actor, **(settings or {}))
        row = agents.take(ctx, AgentForm(**{**facts, **given}), key, scan())
        session.commit()
        return agents.find(ctx, row.id)

    return make


@pytest.fixture
def work(place, engine):
    """Everything a worker would do now."""
    return lambda: run_jobs(place)


def scan(name="扫描件.pdf", data=PDF):
    return [(name, io.BytesIO(data))]


def text_of(answer):
    """The words of a page, without its tags."""
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


def follow(browser, answer):
    assert answer.status_code == 303, text_of(answer)
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200, text_of(page)
    return page
