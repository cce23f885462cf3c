"""The plugin as a whole: its tables come and go, and a made-up firm is filled with them."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from huiyin.sdk import Part, local, now
from huiyin.testing import factories
from huiyin.testing.database import there_and_back
from huiyin.testing.history import closed_case
from huiyin_scoring_incentive import formulas, plugin
from huiyin_scoring_incentive.lint import lint
from huiyin_scoring_incentive.models import Appeal, Award, Credit, Formula, Round, Score

from .conftest import HOME, words


def test_the_tables_come_and_go(postgres):
    assert there_and_back(postgres, "scoring_incentive", "huiyin_scoring_incentive") == []


@pytest.fixture
def lived(session, staff):
    """Closed cases of the last months, some with a lesson written by the officer."""
    for i in range(24):
        owner = staff.officer if i % 2 else staff.officer2
        looks = staff.investigator if i % 3 else staff.investigator2
        facts = {"lessons_written": {"at": "", "by": "", "note": "", "by_id": str(owner.id)}}
        closed_case(
            session, closed_at=now() - timedelta(days=10 + 8 * i), facts=facts,
            people={Part.OWNER: owner, Part.INVESTIGATOR: looks, Part.DRAFTER: looks},
            returned=int(i % 4 == 0), clocks=[("stage", "intake", i % 5 > 0)],
        )  # fmt: skip
    session.commit()


def test_a_made_up_firm_shows_something_on_every_page(lived, lend, session, switch, web, staff):
    plugin.demonstrate(lend())
    session.commit()
    for model, least in (
        (Formula, 2), (Round, 1), (Score, 4), (Appeal, 1), (Credit, 3), (Award, 3),
    ):  # fmt: skip
        count = session.scalar(select(func.count()).select_from(model))
        assert count >= least, model.__name__
    assert lint(formulas.body_of(formulas.published(lend())), lend("approver").figures()) == {}
    switch()
    browser = web(staff.supervisor)
    for path in ("", "/rounds", "/appeals", "/credits", "/awards", "/formula"):
        assert "还没有" not in words(browser.get(HOME + path)).replace("还没有本人的得分", ""), path
    names = set(session.scalars(select(Round.state)))
    assert "published" in names


def test_filled_twice_it_is_filled_once(lived, lend, session):
    plugin.demonstrate(lend())
    before = session.scalar(select(func.count()).select_from(Award))
    plugin.demonstrate(lend())
    assert session.scalar(select(func.count()).select_from(Award)) == before


def test_a_firm_with_too_few_people_or_no_cases_is_left_alone(lend, session):
    plugin.demonstrate(lend())
    assert session.scalar(select(func.count()).select_from(Round)) == 0


def test_all_its_tables_are_behind_the_wall(session, make_tenant, engine, published):
    published()
    other = make_tenant("yuancen")
    boss = factories.make_actor(engine, other, "supervisor", name="严若谷")
    tables = session.execute(
        text("SELECT tablename FROM pg_tables WHERE tablename LIKE 'plugin_scoring_incentive%'"
             " AND tablename NOT LIKE '%version'")
    ).scalars().all()  # fmt: skip
    assert len(tables) == 8
    held = session.execute(text("SELECT count(*) FROM plugin_scoring_incentive__score")).scalar()
    assert held
    session.execute(
        text("SELECT set_config('huiyin.tenant', :other, true)"), {"other": str(other.id)}
    )
    for table in tables:
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    assert boss.tenant_id == other.id
    session.rollback()


def test_it_says_what_it_is(staff):
    assert {f.name for f in plugin.figures()} == {
        "scoring_incentive:score", "scoring_incentive:peer_help",
        "scoring_incentive:lessons_adopted",
    }  # fmt: skip
    assert [job.name for job in plugin.jobs()] == ["count", "purge"]
    assert local(now()).tzinfo is not None
    assert "tenant_admin" not in {r.value for p in plugin.permissions() for r in p.roles}
