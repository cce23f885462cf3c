"""What the plugin hears, and its tables."""

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from huiyin.sdk import Event, uuid7
from huiyin_training_records import assigning, plugin

from .conftest import CAUSE


def finding(post="investigator", cause=CAUSE, training=True):
    payload = {"severity": "S2", "cause": cause, "training": training, "post": post}
    return Event(uuid7(), assigning.FOUND, uuid7(), payload)


@pytest.mark.parametrize(
    ("given", "n"),
    [({}, 1), ({"training": False}, 0), ({"cause": ""}, 0), ({"cause": "RC9-9"}, 0),
     ({"post": ""}, 0), ({"post": "platform_operator"}, 0), ({"post": "supervisor"}, 0)],
)  # fmt: skip
def test_a_finding_assigns_the_courses_of_its_cause_to_the_post(
    course, learner, ctx_of, session, assignments, given, n
):
    plugin.on_event(ctx_of(), finding(**given))
    session.commit()
    assert len(assignments()) == n


@pytest.mark.parametrize(
    ("payload", "n"),
    [({"case": "", "cause": CAUSE, "training": True}, 0),
     ({"case": "no id", "cause": CAUSE, "training": True}, 0),
     ({"cause": CAUSE, "training": True}, 0), ({}, 0)],
)  # fmt: skip
def test_a_review_without_a_case_assigns_nobody(course, ctx_of, payload, n, assignments):
    plugin.on_event(ctx_of(), Event(uuid7(), assigning.REVIEWED, uuid7(), payload))
    assert len(assignments()) == n


def test_a_review_that_asks_for_none_assigns_none(course, learner, case_of, concluded, assignments):
    concluded(case_of(learner), training=False)
    concluded(case_of(learner), cause="RC1-3")
    assert assignments() == []


@pytest.mark.parametrize(("wanted", "n"), [(True, 1), (False, 0)])
def test_a_case_closed_with_a_cause_trains_its_handlers_unless_the_firm_says_no(
    course, learner, case_of, ctx_of, session, assignments, wanted, n
):
    case = case_of(learner, cause=CAUSE)
    event = Event(uuid7(), assigning.CLOSED, case.id)
    plugin.on_event(ctx_of(assign_on_close=wanted), event)
    session.commit()
    rows = assignments()
    assert len(rows) == n
    assert all((row.case_id, row.cause) == (case.id, CAUSE) for row in rows)


def test_a_retired_or_unpublished_course_is_not_assigned(
    make_course, learner, case_of, concluded, assignments, session
):
    make_course("KC-08", publish=False)
    retired = make_course("KC-09")
    retired.retired = True
    session.commit()
    concluded(case_of(learner))
    assert assignments() == []


def test_a_case_shows_what_was_learnt_from_it(course, learner, case_of, concluded, ctx_of, actor):
    case = case_of(learner)
    assert plugin.case_panels(ctx_of(actor), case_of(learner, cause=None)) is None
    concluded(case)
    panel = plugin.case_panels(ctx_of(actor), case)
    assert "周岚" in panel.body
    assert course.title in panel.body


def test_its_job_loads_the_library_assigns_and_reminds_and_may_come_twice(
    course, require, learner, ctx_of, session, assignments
):
    require(course)
    for _ in range(2):
        plugin.tend(ctx_of(), {})
        session.commit()
    (row,) = assignments()
    assert row.origin == "post"


def test_its_tables_come_and_go(addresses, engine):
    """Down to nothing and up again, on the database of this run."""
    from huiyin.testing import database  # noqa: PLC0415

    migrations = database.upgrade.__globals__
    config_for = migrations["config_for"]
    owner = create_engine(addresses.owner)

    def tables():
        with owner.connect() as connection:
            names = inspect(connection).get_table_names()
        return {n for n in names if n.startswith("plugin_training_records__")}

    before = tables()
    assert len(before) > 20
    for turn, target in ((command.downgrade, "base"), (command.upgrade, "head")):
        with owner.begin() as connection:
            config = config_for("training_records", "huiyin_training_records", connection)
            assert ScriptDirectory.from_config(config).get_current_head()
            turn(config, target)
        left = tables() - {"plugin_training_records__version"}
        assert left == (
            set() if target == "base" else before - {"plugin_training_records__version"}
        )
    owner.dispose()
