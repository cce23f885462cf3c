"""A firm that checks itself: its people, its closed cases, a pack in force."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from types import SimpleNamespace

import pytest

from huiyin.sdk import Part, ScopedSession, rehearse, today
from huiyin.testing.history import closed_case
from huiyin_checklist_regulatory import packs, plugin, runs
from huiyin_checklist_regulatory.schemas import AnswerForm, RunForm
from huiyin_checklist_regulatory.terms import Answer, RunKind

HOME = "/t/qinghe/w/x/checklist-regulatory"
NAME = "checklist_regulatory"
TINY = """
pack_id = "{pack_id}"
version = "{version}"
title_zh = "小清单"
title_en = "Small list"
jurisdiction = "CN"
effective_from = {since}

[sources.A]
instrument_zh = "某办法"
instrument_en = "Some measures"
number = "第 1 号"
force = "DR"
scope = "binds"

[[items]]
item_id = "1"
text_zh = "{text}"
text_en = "First"
duty = "M"
severity_if_fail = "S3"
cites = [{{ source = "A", article_zh = "第 3 条", article_en = "Article 3", confidence = "K" }}]

[[items]]
item_id = "2"
text_zh = "第二项"
text_en = "Second"
duty = "G"
severity_if_fail = "S1"
"""


def tiny(pack_id="tiny", version="1", since="2020-01-01", text="第一项"):
    return TINY.format(pack_id=pack_id, version=version, since=since, text=text).encode()


@pytest.fixture
def web_plugins():
    return (NAME,)


@pytest.fixture
def people(make_actor, site):  # the site first: it makes the plugin's permissions known
    return {
        "admin": make_actor("tenant_admin", name="林之航"),
        "officer": make_actor("complaint_officer", name="许知安"),
        "investigator": make_actor("investigator", name="周岚"),
        "approver": make_actor("approver", name="顾明远"),
        "approver2": make_actor("approver", name="梁以恒"),
        "supervisor": make_actor("supervisor", name="何书宁"),
        "executive": make_actor("executive_viewer", name="宋知行"),
    }


@pytest.fixture
def lend(session, people, site):
    """``lend("approver")`` is the context as that person has it."""

    words = {}  # a context for each language: reading the catalogues takes a while

    def make(who, language="zh", **given):
        actor = people[who] if isinstance(who, str) else who
        if given or language not in words:
            ctx = rehearse(plugin, session, name=NAME, language=language, **given)
            if given:
                return replace(ctx, actor=actor, blobs=site.blobs)
            words[language] = replace(ctx, blobs=site.blobs)
        return replace(words[language], actor=actor)

    return make


@pytest.fixture
def switch(web, people):
    """``switch("on")`` and ``switch("off")``, as the administrator does it."""

    def turn(to):
        answer = web(people["admin"]).post(f"/t/qinghe/admin/plugins/{NAME}/switch", {"to": to})
        assert answer.status_code == 303, answer.text

    return turn


@pytest.fixture
def switched_on(switch):
    switch("on")


@pytest.fixture
def tiny_pack(lend):
    """A small pack of the firm's own, brought in by one and taken into use by another."""
    entry = packs.bring_in(lend("admin"), tiny(), "tiny.toml")
    assert entry.accepted, entry.faults
    packs.adopt(lend("approver"), "tiny", "1")
    lend("approver").session.commit()


@pytest.fixture
def cases(session, people):
    """Five complaints closed lately."""
    made = [
        closed_case(session, people={Part.OWNER: people["officer"]}, category="C1")
        for _ in range(5)
    ]
    session.commit()
    return made


def run_form(**given):
    """A form of a run; ``kind`` by its code."""
    given["kind"] = RunKind(given.get("kind", "period"))
    return RunForm(
        **{
            "title": "三季度自查", "pack": "tiny", "since": today() - timedelta(days=90),
            "until": today(), **given,
        }
    )  # fmt: skip


@pytest.fixture
def run(lend, tiny_pack):
    """A run begun by the approver."""
    made = runs.begin(lend("approver"), run_form(), "k1")
    lend("approver").session.commit()
    return made


@pytest.fixture
def handed_in(lend, run, people):
    """Answered by the investigator (the first item not met), handed in by the approver."""
    for position in (1, 2):
        runs.assign(lend("approver"), run.id, position, people["investigator"].id)
    say(lend("investigator"), run, 1, "not_met", "没有制度")
    say(lend("investigator"), run, 2, "unverified", "缺一份文件")
    runs.submit(lend("approver"), run.id)
    lend("approver").session.commit()
    return run


def say(ctx, run, position, answer, note=""):
    return runs.answer(ctx, run.id, position, AnswerForm(answer=Answer(answer), note=note))


def text_of(answer):
    """The words of a page, without its tags."""
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


def follow(browser, answer):
    """The page after a form."""
    assert answer.status_code == 303, text_of(answer)
    return browser.get(answer.headers["location"])


@pytest.fixture
def kit():
    """Small helpers of these tests."""
    return SimpleNamespace(
        HOME=HOME, text_of=text_of, tiny=tiny, say=say, run_form=run_form, follow=follow
    )


@pytest.fixture
def elsewhere(engine, make_tenant, make_actor, tenant):
    """A closed case of another firm."""
    other = make_tenant("beiyu")
    owner = make_actor("complaint_officer", of=other)
    with ScopedSession(engine) as theirs:
        theirs.scoped, theirs.tenant_id = True, other.id
        made = closed_case(theirs, people={Part.OWNER: owner}, number="TS-2020-7777")
        theirs.commit()
        return SimpleNamespace(number=made.number, tenant=other, officer=owner)
