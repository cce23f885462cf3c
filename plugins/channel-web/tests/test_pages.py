"""The entrance, the notice, two languages, and the plugin switched off."""

import re
from html import unescape

import pytest
from sqlalchemy import text

from huiyin.sdk import outside_routes, uuid7
from huiyin_channel_web import plugin
from huiyin_channel_web.poster import pledges, qr
from huiyin_channel_web.steps import STEPS

from .conftest import text_of

PAGES = [
    "",
    "/channels",
    "/track",
    *(f"/complain/{step}" for step in ("start", *(s.name for s in STEPS))),
]


def test_the_entrance_leads_to_filing_tracking_and_all_channels(visitor):
    page = visitor.get().text
    for path in ("/complain/start", "/track", "/channels"):
        assert f'href="/p/qinghe{path}"' in page
    assert visitor.get("/complain").headers["location"] == "/p/qinghe/complain/start"


def test_the_notice_names_every_way_and_who_promises_what(public, make_tenant):
    make_tenant(
        "yuancen", name="远岑资产管理（杭州）有限公司", hotline="400-000-0001",
        mailbox="tousu@yuancen.test", address="杭州市上城区演示路 2 号",
    )  # fmt: skip
    words = text_of(public.get("/p/yuancen/channels"))
    for part in (
        "远岑资产管理（杭州）有限公司",
        "400-000-0001",
        "tousu@yuancen.test",
        "演示路 2 号",
        "/p/yuancen",
        "15 个自然日",
        "公司承诺",
        "书面答复与回访",
    ):
        assert part in words
    for route in outside_routes():
        assert route.title in words
        assert route.note not in words, "notes are for staff"


def test_a_notice_names_no_way_the_firm_does_not_have(visitor):
    words = text_of(visitor.get("/channels"))
    for part in ("投诉热线", "电子邮箱", "来信来访"):
        assert part not in words


def test_the_code_is_drawn_without_style_or_script():
    drawn = str(qr("https://huiyin.example/p/qinghe"))
    assert drawn.startswith('<svg class="qr" viewBox="0 0 ')
    assert "style" not in drawn
    assert "script" not in drawn
    assert qr("https://a.example/p/a") != qr("https://a.example/p/b")


def test_promises_come_from_the_time_limits():
    said = [str(pledge.within) for pledge in pledges()]
    assert said == ["1 个工作日", "3 个工作日", "15 个自然日"]
    assert {pledge.force for pledge in pledges()} == {"公司承诺"}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_without_a_script(visitor, path):
    page = visitor.get(path).text
    assert page.count("<h1") == 1
    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)", page)
    for button in re.findall(r"<button[^>]*>", page.partition("<main")[2].partition("</main>")[0]):
        assert 'type="submit"' in button or "data-js" in button


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_english_for_those_who_ask(visitor, path):
    page = visitor.get(f"{path}?lang=en")
    words = text_of(page)
    assert not re.search(r"[\u4e00-\u9fff]", words.replace("qinghe 私募基金管理有限公司", "")), (
        words
    )


def test_the_language_once_chosen_stays(visitor):
    visitor.get("/complain/start?lang=en")
    assert "What happened?" in text_of(visitor.get("/complain/story"))
    answer = visitor.post("/complain/story", story="short")
    assert "Write what happened, at least 10 characters" in unescape(text_of(answer))


def test_the_case_page_is_english_too(visitor):
    visitor.get("/?lang=en")
    visitor.enter(visitor.file())
    words = text_of(visitor.get("/track/case")).replace("qinghe 私募基金管理有限公司", "")
    assert "We have your complaint" in words
    assert "Our promise" in words


def test_a_firm_that_does_not_exist_has_no_pages(public, tenant):
    assert public.get("/p/nobody").status_code == 404


def test_switched_off_nothing_of_it_is_left(visitor, session, tenant, place):
    code = visitor.file()
    session.execute(
        text(
            "INSERT INTO plugin_activation (tenant_id, id, plugin, active, changed_at)"
            " VALUES (:tenant, :id, 'channel_web', false, now())"
        ),
        {"tenant": tenant.id, "id": uuid7()},
    )
    session.commit()
    place.host.forget()
    for path in (*PAGES, "/track/case", "/complain/check"):
        assert visitor.get(path).status_code == 404
    assert visitor.post("/track", code=code).status_code == 404
    assert visitor.post("/complain/topic", topic="fees").status_code == 404


def test_the_channel_says_what_it_can_do():
    (channel,) = plugin.channels()
    assert (channel.name, channel.path) == ("web", "complain")
    assert {job.name for job in plugin.jobs()} == {"sweep", "forget"}
