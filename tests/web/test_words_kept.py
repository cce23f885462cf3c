"""When the site itself fails, whoever wrote a form gets the words back, and never a secret."""

import re
import sys
from html import unescape

import pytest
from psycopg.errors import AdminShutdown, UniqueViolation
from sqlalchemy.exc import IntegrityError, OperationalError

from huiyin import sdk
from huiyin.cases import service
from huiyin.identity.policy import Role
from huiyin.web.desk import Desk
from huiyin.web.typed import CODES, SECRETS

WORDS = "这些话写了很久，<不能>丢失\r\n第二行"
SECRET = "永远不回显的口令"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
SHOWN = re.compile(r'<textarea class="input" name="([^"]+)"[^>]*>\n(.*?)</textarea>', re.DOTALL)
FORM = re.compile(r'<form class="panel kept" action="([^"]+)"')


CALLBACKS = {"channel_wecom:hear"}  # a provider posts there: no form of ours, and no words


def forms(routes):
    """Every form of the site without files."""
    for route in routes:
        told = route.kind == "page" and not route.is_safe and not route.upload
        if told and route.name not in CALLBACKS:
            yield route


def fields_of(page):
    """What the page's own button would send."""
    return {n: unescape(v) for pairs in (HIDDEN, SHOWN) for n, v in pairs.findall(page.text)}


@pytest.fixture
def gone(monkeypatch):
    """The database is away."""

    def away(*_, **__):
        raise OperationalError("SELECT", {}, AdminShutdown())

    monkeypatch.setattr(Desk, "open", away)


@pytest.fixture
def person(ours, come):
    return come("complaint_officer").person


def test_every_form_comes_back_while_the_database_is_away(routes, ours, person, gone):
    wrong = []
    for route in forms(routes):
        sent = {"reason": WORDS, "rev": "7", "_key": "k-1"}
        page = person.post(route.at(**ours.known), sent)
        if page.status_code != 503 or fields_of(page) != {**sent, "_csrf": person.csrf}:
            wrong.append(f"{route}: {page.status_code} {fields_of(page)}")
    assert wrong == []


def test_no_secret_is_shown_and_what_lacks_one_cannot_be_sent_again(routes, ours, person, gone):
    for route in forms(routes):
        names = SECRETS | {"v.key"} | (set() if route.is_staff else CODES)
        page = person.post(route.at(**ours.known), {**dict.fromkeys(names, SECRET), "note": WORDS})
        assert SECRET not in page.text, route
        assert "&lt;不能&gt;丢失" in page.text, route
        assert not FORM.search(page.text), route


def test_a_form_that_met_the_same_row_twice_is_sent_again_with_one_click(ours, person, monkeypatch):
    def collides(*_, **__):
        raise IntegrityError("INSERT", {}, UniqueViolation())

    path = f"/t/qinghe/w/cases/{ours.number}/talk"
    with monkeypatch.context() as patch:
        patch.setattr(service, "talk", collides)
        page = person.post(path, {"mode": "note", "body": WORDS})
    assert page.status_code == 409
    assert "请再次提交" in page.text
    assert FORM.search(page.text)[1] == path
    assert person.post(path, fields_of(page)).status_code == 303
    case = person.get(f"/t/qinghe/w/cases/{ours.number}").text
    assert "这些话写了很久，&lt;不能&gt;丢失" in case


def test_whatever_a_plugin_refuses_the_words_come_back(routes, ours, come, monkeypatch):
    """Whether the form has a page to come back on, or what it is about is gone altogether."""

    def overtaken(*_, **__):
        raise sdk.Conflict("刚被其他人更新")

    for name, module in list(sys.modules.items()):
        if name.startswith("huiyin_") and getattr(module, "parse", None) is sdk.parse:
            monkeypatch.setattr(module, "parse", overtaken)
    person, lost, tried = come(*(role.value for role in Role)).person, [], 0
    for route in forms(routes):
        if "/x/" not in route.path:
            continue
        page = person.post(route.at(**ours.known), {"note": WORDS})
        if page.status_code != 303:
            tried += 1
            if "&lt;不能&gt;丢失" not in page.text:
                lost.append(f"{route}: {page.status_code}")
    assert lost == []
    assert tried > 40


def test_what_belongs_together_by_its_place_is_sent_again_in_its_place(ours, person, gone):
    """Of three measures the first has but a few letters, the second nothing."""
    sent = {"rev": "7", "goal": WORDS, "measure_title": ["refund", "", "退还认购费"],
            "measure_due": ["2026-12-01", "", "2026-12-05"]}  # fmt: skip
    page = person.post(f"/t/qinghe/w/cases/{ours.number}/plan", sent)
    field = re.compile(r'(?:name="(\w+)"[^>]* value="([^"]*)"|name="(\w+)"[^>]*>\n(.*?)</text)')
    again: dict[str, list[str]] = {}
    for hidden, value, shown, text in field.findall(page.text):
        again.setdefault(hidden or shown, []).append(value or text)
    assert again["measure_title"] == sent["measure_title"]
    assert again["measure_due"] == sent["measure_due"]


def test_a_log_in_that_ran_out_takes_no_words_with_it(ours, web):
    stranger = web()
    path = f"/t/qinghe/w/cases/{ours.number}/talk"
    page = stranger.post(path, {"body": WORDS})
    assert page.status_code == 401
    assert "登录已过期" in page.text
    assert "&lt;不能&gt;丢失" in page.text
    assert 'href="/login"' in page.text
    assert not FORM.search(page.text)
    assert stranger.post(path, {"mode": "note"}).headers["location"] == "/login"


def test_what_another_site_sent_is_not_shown_as_the_readers_own(ours, person, gone):
    path = f"/t/qinghe/w/cases/{ours.number}/talk"
    page = person.post(path, {"body": WORDS}, headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 503
    assert "丢失" not in page.text


def test_a_form_without_words_meets_the_plain_page(ours, person, gone):
    page = person.post(f"/t/qinghe/w/cases/{ours.number}/plan/submit", {"rev": "7"})
    assert page.status_code == 503
    assert 'class="panel kept"' not in page.text


def test_the_page_speaks_english(ours, person, gone):
    page = person.post(f"/t/qinghe/w/cases/{ours.number}/talk?lang=en", {"body": WORDS})
    assert "What you wrote" in page.text
    assert FORM.search(page.text)[1].endswith("?lang=en")


def test_every_password_and_one_time_code_has_a_name_that_is_kept_secret(place):
    found = set()
    for source in (
        place.site.templates.loader.get_source(place.site.templates, name)[0]
        for name in place.site.templates.list_templates(extensions=["html"])
    ):
        found |= set(re.findall(r'field_text\(form, "(\w+)"[^\n]*type="password"', source))
        found |= set(re.findall(r'field_text\(form, "(\w+)"[^\n]*"one-time-code"', source))
    assert found == {"password", "current", "new", "again", "code"}
    assert found <= SECRETS | CODES
