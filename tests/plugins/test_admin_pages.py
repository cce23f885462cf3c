"""Switching plugins on and deciding about their settings, on the pages of the administrator."""

import re
from importlib import import_module

import pytest
from sqlalchemy import select

from huiyin.db import tenant_session
from huiyin.identity.policy import known_permissions
from huiyin.kit.time import now
from huiyin.ledger.models import LedgerEntry
from huiyin.plugins import activation, settings
from huiyin.plugins.loading import Refusal
from huiyin.plugins.presenting import grouped, narrowed, seal_of
from huiyin.tenancy.models import PluginActivation, PluginHealth
from huiyin.testing.web import Place, log_in

LIST = "/t/qinghe/admin/plugins"
HERE = f"{LIST}/call_back"
OWN = {"_fields": ["hours"], "v.hours": "48", "_do": "save"}


@pytest.fixture
def place(engine, stranger, tables, tmp_path):
    """The whole site with the stranger's plugin in use."""
    compose, asgi = import_module("huiyin.app.compose"), import_module("huiyin.app.asgi")
    given = import_module("huiyin.app.settings").Settings(
        home=tmp_path, database_url="", owner_url="", broker_url="", public_url="",
        host="127.0.0.1", port=0, trusted_proxies=0, threads=4,
    )  # fmt: skip
    site = compose.make_site(engine, given, stranger)
    return Place(site, stranger, asgi.make_app(site, stranger))


@pytest.fixture
def browser(place, admin):
    return log_in(place, admin)


@pytest.fixture
def reviewer(place, second):
    return log_in(place, second)


@pytest.fixture
def other_admin(place, make_actor):
    return log_in(place, make_actor("tenant_admin", name="周敏"))


def words(page):
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def field(page, name):
    """The value of a hidden input."""
    return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]


def draft(browser, hours="48", reason="对齐公司制度第 9 条"):
    """Hours overridden, changed and submitted."""
    browser.post(f"{HERE}/draft", {"_do": "override:hours"})
    browser.post(f"{HERE}/draft", {**OWN, "v.hours": hours})
    return browser.post(f"{HERE}/submit", {"reason": reason})


def live(engine, tenant):
    with tenant_session(engine, tenant.id) as session:
        version = settings.live(session, "call_back")
        return version.data if version else None


# -- looking -----------------------------------------------------------------------------------


def test_the_list_says_how_every_plugin_stands(browser, stranger):
    stranger.refused.append(Refusal("fax", "huiyin-fax", "ImportError: no module", listed=True))
    stranger.refused.append(Refusal("hidden", "someone-elses", "is not on the list", listed=False))
    page = browser.get(LIST)
    assert page.status_code == 200
    said = words(page)
    assert "fax" in said
    assert "ImportError: no module" in said
    assert "someone-elses" not in said
    assert f'href="{HERE}"' in page.text


def test_the_list_can_be_narrowed(browser):
    assert f'href="{HERE}"' in browser.get(f"{LIST}?q=call_back&state=off").text
    assert f'href="{HERE}"' not in browser.get(f"{LIST}?q=没有这样的插件").text
    assert f'href="{HERE}"' not in browser.get(f"{LIST}?state=trouble").text


def test_whoever_publishes_may_look_and_whoever_configures_may_publish():
    held = known_permissions()
    assert held["admin.plugins"] <= held["admin.publish"]


@pytest.mark.parametrize("role", ["complaint_officer", "investigator", "supervisor"])
def test_nobody_else_sees_the_pages(place, make_actor, role):
    stranger_to_it = log_in(place, make_actor(role))
    assert stranger_to_it.get(LIST).status_code == 404
    assert stranger_to_it.get(HERE).status_code == 404


def test_the_approver_looks_but_does_not_change(reviewer):
    page = reviewer.get(HERE)
    assert page.status_code == 200
    assert "override:" not in page.text
    for act in ("draft", "submit", "discard", "rollback", "switch", "release"):
        assert reviewer.post(f"{HERE}/{act}", {"to": "on"}).status_code == 404


def test_an_unknown_plugin_is_not_found(browser):
    for path in (f"{LIST}/nothing", f"{LIST}/nothing/switch"):
        assert browser.get(path).status_code == 404
    for act in ("draft", "publish", "discard", "release"):
        assert browser.post(f"{LIST}/nothing/{act}").status_code == 404


@pytest.mark.parametrize("tab", ["config", "access", "runs", "versions"])
def test_every_tab_opens_in_both_languages(browser, tab):
    assert browser.get(f"{HERE}?tab={tab}").status_code == 200
    assert browser.get(f"{HERE}?tab={tab}&lang=en").status_code == 200


def test_every_setting_stands_with_its_key_its_type_and_its_origin(browser, stranger):
    said = words(browser.get(HERE))
    for name in stranger.plugin("call_back").manifest.settings.__struct_fields__:
        assert f"call_back.{name}" in said
    for label in ("时长", "数字", "选项", "文本", "是或否", "列表", "机密"):
        assert f"· {label}" in said
    assert "平台默认" in said
    assert "本机构" not in said


def test_the_access_tab_names_pages_permissions_and_personal_data(browser, stranger):
    page = browser.get(f"{HERE}?tab=access")
    for item in stranger.plugin("call_back").manifest.personal_data:
        assert item.column in page.text
    for permission in stranger.plugin("call_back").declared.permissions:
        assert permission.name in page.text
    assert "/p/{tenant}/callback" in page.text


# -- changing ----------------------------------------------------------------------------------


def test_a_setting_is_overridden_changed_submitted_and_published(browser, reviewer, engine, tenant):
    assert browser.post(f"{HERE}/draft", {"_do": "override:hours"}).status_code == 303
    assert 'name="v.hours" value="24"' in browser.get(HERE).text
    browser.post(f"{HERE}/draft", OWN)
    assert live(engine, tenant) is None
    page = browser.get(HERE)
    assert "<del>24 小时</del> → <ins>48 小时</ins>" in page.text
    assert browser.post(f"{HERE}/submit", {"reason": "对齐制度"}).status_code == 303
    seen = reviewer.get(HERE)
    assert "对齐制度" in seen.text
    done = reviewer.post(f"{HERE}/publish", {"seal": field(seen, "seal")})
    assert done.status_code == 303
    assert live(engine, tenant) == {"hours": 48}
    with tenant_session(engine, tenant.id) as session:
        assert "settings.published" in list(session.scalars(select(LedgerEntry.kind)))


def test_another_administrator_may_publish_too(browser, other_admin, engine, tenant):
    draft(browser)
    seen = other_admin.get(HERE)
    other_admin.post(f"{HERE}/publish", {"seal": field(seen, "seal")})
    assert live(engine, tenant) == {"hours": 48}


def test_the_author_cannot_publish(browser, engine, tenant):
    draft(browser)
    assert "/publish" not in browser.get(HERE).text
    with tenant_session(engine, tenant.id) as session:
        seal = seal_of(settings.drafted(session, "call_back"))
    assert browser.post(f"{HERE}/publish", {"seal": seal}).status_code == 403
    assert live(engine, tenant) is None


def test_what_changed_since_it_was_read_is_not_published(browser, reviewer, engine, tenant):
    draft(browser)
    seen = field(reviewer.get(HERE), "seal")
    browser.post(f"{HERE}/draft", {**OWN, "v.hours": "72"})
    assert reviewer.post(f"{HERE}/publish", {"seal": seen}).status_code == 409
    assert live(engine, tenant) is None


def test_a_draft_without_a_reason_is_not_published(browser, reviewer, engine, tenant):
    browser.post(f"{HERE}/draft", {"_do": "override:hours"})
    assert "/publish" not in reviewer.get(HERE).text
    assert reviewer.post(f"{HERE}/publish", {"seal": "x"}).status_code == 409
    refused = browser.post(f"{HERE}/submit", {"reason": " "})
    assert refused.status_code == 422
    assert "请写明变更理由" in refused.text
    assert live(engine, tenant) is None


def test_a_value_out_of_bounds_is_refused_at_its_field_and_kept(browser, engine, tenant):
    browser.post(f"{HERE}/draft", {"_do": "override:hours"})
    page = browser.post(f"{HERE}/draft", {**OWN, "v.hours": "900"})
    assert page.status_code == 422
    assert 'value="900"' in page.text
    assert 'id="f-hours-e"' in page.text
    assert 'href="#f-hours"' in page.text


def test_an_inherited_setting_is_not_changed_by_a_form_that_did_not_offer_it(browser):
    browser.post(f"{HERE}/draft", {"v.hours": "48", "_do": "save"})
    assert 'value="48' not in browser.get(HERE).text


def test_a_restored_setting_is_inherited_again(browser, reviewer, engine, tenant):
    draft(browser)
    reviewer.post(f"{HERE}/publish", {"seal": field(reviewer.get(HERE), "seal")})
    browser.post(f"{HERE}/draft", {"_do": "restore:hours", "_fields": "hours", "v.hours": "48"})
    browser.post(f"{HERE}/submit", {"reason": "改回默认"})
    reviewer.post(f"{HERE}/publish", {"seal": field(reviewer.get(HERE), "seal")})
    assert live(engine, tenant) == {}


def test_one_change_is_taken_out_of_the_draft(browser):
    browser.post(f"{HERE}/draft", {"_do": "override:hours"})
    browser.post(f"{HERE}/draft", {"_do": "override:tries"})
    browser.post(f"{HERE}/draft", {"_do": "undo:hours"})
    page = browser.get(HERE)
    assert 'name="v.tries"' in page.text
    assert 'name="v.hours"' not in page.text


def test_an_unticked_box_is_a_no(browser, engine, tenant):
    browser.post(f"{HERE}/draft", {"_do": "override:required"})
    browser.post(f"{HERE}/draft", {"_fields": "required", "v.required": "on"})
    with tenant_session(engine, tenant.id) as session:
        assert settings.drafted(session, "call_back").data["required"] is True
    browser.post(f"{HERE}/draft", {"_fields": "required"})
    with tenant_session(engine, tenant.id) as session:
        assert settings.drafted(session, "call_back").data["required"] is False


def test_saving_without_a_change_makes_no_version(browser, engine, tenant):
    browser.post(f"{HERE}/draft", {"_fields": "exchange_key", "v.exchange_key": ""})
    with tenant_session(engine, tenant.id) as session:
        assert settings.drafted(session, "call_back") is None


def test_a_secret_is_never_shown_again(browser, reviewer):
    key = "sk-live-0123456789"
    browser.post(f"{HERE}/draft", {"_fields": "exchange_key", "v.exchange_key": key})
    browser.post(f"{HERE}/submit", {"reason": "对接话务平台"})
    for page in (browser.get(HERE), browser.get(f"{HERE}?tab=versions"), reviewer.get(HERE)):
        assert key not in page.text
    assert "已设置" in browser.get(HERE).text
    assert "更换" in browser.get(HERE).text


def test_a_secret_typed_wrongly_does_not_come_back_either(browser):
    long = "k" * 300
    page = browser.post(f"{HERE}/draft", {"_fields": "exchange_key", "v.exchange_key": long})
    assert page.status_code == 422
    assert long not in page.text


def test_another_persons_draft_is_read_only(browser, other_admin):
    draft(browser)
    page = other_admin.get(HERE)
    assert "override:" not in page.text
    assert "restore:" not in page.text
    assert other_admin.post(f"{HERE}/draft", {"_do": "override:tries"}).status_code == 403


def test_a_draft_is_discarded(browser, engine, tenant):
    draft(browser)
    assert browser.post(f"{HERE}/discard").status_code == 303
    with tenant_session(engine, tenant.id) as session:
        assert settings.drafted(session, "call_back") is None
    assert "已撤销" in browser.get(f"{HERE}?tab=versions").text


def test_a_former_version_comes_back_through_a_second_person(browser, reviewer, engine, tenant):
    for hours in ("48", "72"):
        draft(browser, hours)
        reviewer.post(f"{HERE}/publish", {"seal": field(reviewer.get(HERE), "seal")})
    assert browser.post(f"{HERE}/rollback", {"version": "1"}).status_code == 303
    assert live(engine, tenant) == {"hours": 72}
    seen = reviewer.get(HERE)
    assert "退回第 1 版" in seen.text
    reviewer.post(f"{HERE}/publish", {"seal": field(seen, "seal")})
    assert live(engine, tenant) == {"hours": 48}


@pytest.mark.parametrize("version", ["9", "x", "", "-1", "99999999999999999999"])
def test_there_is_no_way_back_to_a_version_that_was_not(browser, version):
    assert browser.post(f"{HERE}/rollback", {"version": version}).status_code == 404


# -- on, off, set aside --------------------------------------------------------------------------


def is_on(engine, tenant):
    with tenant_session(engine, tenant.id) as session:
        return session.scalar(select(PluginActivation.active))


def test_switching_goes_through_a_page_that_says_what_follows(browser, engine, tenant):
    asked = browser.get(f"{HERE}/switch")
    assert asked.status_code == 200
    assert field(asked, "to") == "on"
    assert is_on(engine, tenant) is None
    browser.post(f"{HERE}/switch", {"to": "on"})
    assert is_on(engine, tenant) is True
    asked = browser.get(f"{HERE}/switch")
    assert "数据与配置全部保留" in asked.text
    browser.post(f"{HERE}/switch", {"to": "off"})
    assert is_on(engine, tenant) is False


def test_switching_twice_the_same_way_does_not_switch_back(browser, engine, tenant):
    for _ in range(2):
        browser.post(f"{HERE}/switch", {"to": "on"})
    assert is_on(engine, tenant) is True
    assert browser.post(f"{HERE}/switch", {"to": "sideways"}).status_code == 404


def test_a_plugin_set_aside_says_so_and_is_let_back(browser, place, engine, tenant, switched_on):
    with tenant_session(engine, tenant.id) as session:
        session.add(
            PluginHealth(
                plugin="call_back", failures=5, last_error="case_panels: KeyError at plugin.py:9",
                last_at=now(), quarantined_at=now(),
            )
        )  # fmt: skip
        session.commit()
    place.host.forget()
    assert "已暂停" in browser.get(LIST).text
    page = browser.get(f"{HERE}?tab=runs")
    assert "重新启用" in page.text
    assert "KeyError" in page.text
    assert browser.post(f"{HERE}/release").status_code == 303
    assert "已暂停" not in browser.get(f"{HERE}?tab=runs").text


# -- the tables behind the page ------------------------------------------------------------------


def test_no_plugin_is_lost_between_the_groups(stranger, session, place):
    states = activation.overview(stranger, session)
    shown = [state for _, group in grouped(states) for state in group]
    assert sorted(s.name for s in shown) == sorted(s.name for s in states)
    assert narrowed(states, "", "no such standing", place.site.translators["zh"]) == states
