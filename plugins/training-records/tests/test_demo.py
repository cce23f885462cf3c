"""What the plugin shows of a made-up firm, and what it says about itself."""

import pytest
from sqlalchemy import text

from huiyin.sdk import Actor
from huiyin_training_records import coverage, plugin
from huiyin_training_records.assigning import today_of
from huiyin_training_records.seeding import seed

from .conftest import HOME, text_of

PAGES = (
    "/", "/manage", "/manage/records", "/manage/courses", "/manage/sessions", "/manage/experts",
    "/manage/imports", "/library", "/library/C01", "/consultations", "/manage/courses/new",
    "/manage/sessions/new", "/manage/records/new", "/library/new", "/consultations/new",
    "/library/C01/editions/new",
)  # fmt: skip


@pytest.fixture
def shown(ctx_of, session, admin, approver, supervisor, executive, learner, actor, case_of):
    case_of(learner)
    ctx = ctx_of()
    plugin.demonstrate(ctx)
    session.commit()
    return ctx


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_has_something_to_show_in_both_languages(
    shown, switched_on, web, admin, language
):
    browser = web(admin)
    for path in PAGES:
        answer = browser.get(f"{HOME}{path}?lang={language}")
        assert answer.status_code == 200, path
        assert "style=" not in answer.text


def test_the_firm_is_covered_in_part(shown):
    found = coverage.on(shown, today_of(shown))
    assert 0 < found.valid < found.required
    assert found.gaps


def test_what_ships_is_in_the_library_and_nothing_of_it_counts_as_law_until_ticked(
    shown, switched_on, web, learner, session
):
    browser = web(learner)
    page = text_of(browser.get(f"{HOME}/library?q=适当"))
    assert "证券期货投资者适当性管理办法" in page
    n = session.execute(text("SELECT count(*) FROM plugin_training_records__instrument")).scalar()
    assert n == len(seed()) + 1
    assert len(seed()) == 51
    for facts in seed():
        page = text_of(browser.get(f"{HOME}/library/{facts['key']}"))
        assert "待核实" in page
        assert "已核对" not in page
        assert "现行" not in page.replace("现行版本", "").replace("是否仍现行", "").replace(
            "现行条号", ""
        ).replace("现行上限", "")
    assert "已核对" in text_of(browser.get(f"{HOME}/library/Z-01"))


def test_demonstrating_speaks_as_members_and_never_as_the_system(shown, session):
    system = Actor(shown.actor.id, shown.tenant.id, "x").id
    rows = session.execute(
        text("SELECT count(*) FROM plugin_training_records__assignment WHERE recognised_by = :id"),
        {"id": system},
    )
    assert rows.scalar() == 0
