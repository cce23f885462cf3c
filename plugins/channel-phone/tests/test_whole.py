"""What is shown of a made-up firm, what ends, and tables that come and go."""

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import create_engine, func, select, text

from huiyin.cases.models import Case
from huiyin.evidence.service import reconcile
from huiyin.kit.time import clock_at
from huiyin.migrations import config_for
from huiyin.testing import database
from huiyin.testing.web import run_jobs
from huiyin_channel_phone import keeping, plugin, purging, recordings
from huiyin_channel_phone.models import (
    Absence,
    Call,
    CallBack,
    Draft,
    ImportRow,
    ImportRun,
    KeptDay,
    Recording,
)

from .conftest import HOME, NOW, NUMBER, STORY, backs_in, calls_in, sound

PAGES = (
    "/", "/roster", "/roster/posts/new", "/calls", "/calls/new", "/calls?view=unsorted",
    "/call-backs", "/call-backs?tab=settled", "/imports",
)  # fmt: skip


@pytest.fixture
def shown(ctx_of, session, officer, other, supervisor, make_case, place):
    make_case(officer)
    by_phone = make_case(officer, key="2", phone="13900001109")
    session.get_one(Case, (session.tenant, by_phone.case_id)).channel = "phone"
    session.commit()
    ctx = ctx_of()
    plugin.demonstrate(ctx)
    session.commit()
    run_jobs(place)
    return ctx


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_has_something_to_show_in_both_languages(shown, browser, session, language):
    pages = [f"{HOME}{path}" for path in PAGES]
    pages += [f"{HOME}/calls/{call.id}" for call in calls_in(session)]
    pages += [f"{HOME}/call-backs/{back.id}" for back in backs_in(session)]
    pages += [
        f"{HOME}/calls/forms/{key}"
        for key in session.scalars(select(Draft.id).where(Draft.account_id == browser.actor.id))
    ]
    pages += [f"{HOME}/imports/{key}" for key in session.scalars(select(ImportRun.id))]
    pages += [f"/t/qinghe/w/help/channel_phone:{topic}" for topic in ("calls", "roster")]
    pages += [f"/t/qinghe/w/cases/{number}" for number in session.scalars(select(Case.number))]
    for path in pages:
        answer = browser.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert answer.status_code == 200, path
        assert "style=" not in answer.text


def test_the_firm_has_calls_of_all_sorts_and_call_backs_late_and_in_time(shown, session):
    assert {call.sort for call in calls_in(session)} == {
        "complaint", "case", "enquiry", "unsorted", "nothing"
    }  # fmt: skip
    backs = backs_in(session)
    assert {back.in_time for back in backs if back.state == "done"} == {True, False}
    assert any(back.due_at < NOW for back in backs if back.state == "open")
    run = session.scalars(select(ImportRun)).one()
    assert (run.good, run.wrong) == (3, 1)


def test_no_case_is_made_up_beside_those_of_the_demonstration(shown, session):
    assert session.scalar(select(func.count()).select_from(Case)) == 2


def test_nothing_is_left_over_after_the_demonstration(shown, session, site):
    assert reconcile(session, site.blobs) == 0


# -- ending --


def later(months):
    return clock_at(NOW + timedelta(days=31 * months + 1))


def test_what_was_declared_to_end_ends(
    system, browser, tell, session, site, place, ctx, officer, make_case
):
    filed = make_case(officer)
    path = browser.post(f"{HOME}/calls/new", {"number": NUMBER}).headers["location"]
    fields = {"number": NUMBER, "story": STORY, "to": f"case:{filed.number}", "name": "陈建国"}
    browser.post(path, fields)
    call = tell("x", answered=True, caller="13900000000")
    tell("y", caller="13900000001")
    recordings.add(ctx, call, "a.wav", _stream(), source="form", consent="已告知")
    browser.post(f"{HOME}/calls/new", {"number": "13900000002"})
    session.commit()
    with later(2):
        purging.purge(system, {})
        session.commit()
    assert session.scalar(select(func.count()).select_from(Draft)) == 0
    assert session.scalar(select(func.count()).select_from(Recording)) == 1
    with later(37):
        purging.purge(system, {})
        session.commit()
        run_jobs(place)
    session.expire_all()
    kept = {c.external_id: (c.number, c.story) for c in calls_in(session)}
    assert kept["x"] == ("", "")
    assert kept["y"][0] == "13900000001"  # still owed a call
    assert kept[None] == (NUMBER, STORY)  # its case is open
    assert session.scalar(select(func.count()).select_from(Recording)) == 0
    assert reconcile(session, site.blobs) == 0


def test_a_call_of_a_case_ends_long_after_the_case(system, browser, session, officer, make_case):
    filed = make_case(officer)
    path = browser.post(f"{HOME}/calls/new", {"number": NUMBER}).headers["location"]
    browser.post(path, {"number": NUMBER, "story": STORY, "to": f"case:{filed.number}"})
    case = session.get_one(Case, (session.tenant, filed.case_id))
    case.state, case.closed_at, case.outcome = "closed", NOW, "archived"
    session.commit()
    for months, left in ((100, NUMBER), (241, "")):
        with later(months):
            purging.purge(system, {})
            session.commit()
        assert calls_in(session)[0].number == left


def test_an_absence_ends(system, shown, session):
    assert session.scalar(select(func.count()).select_from(Absence)) == 2
    with later(25):
        purging.purge(system, {})
        session.commit()
    assert session.scalar(select(func.count()).select_from(Absence)) == 0


def test_a_day_that_is_over_ends(system, shown, session):
    keeping.keep_days(system)
    session.commit()
    assert session.scalar(select(func.count()).select_from(KeptDay)) == 1
    for months, left in ((58, 1), (61, 0)):
        with later(months):
            purging.purge(system, {})
            session.commit()
        assert session.scalar(select(func.count()).select_from(KeptDay)) == left


def test_a_file_and_its_rows_end(system, shown, session, site, place):
    with later(7):
        purging.purge(system, {})
        session.commit()
        run_jobs(place)
    session.expire_all()
    run = session.scalars(select(ImportRun)).one()
    assert (run.state, run.blob_key) == ("expired", "")
    assert session.scalar(select(func.count()).select_from(ImportRow)) == 0
    assert reconcile(session, site.blobs) == 0


def test_what_is_declared_is_a_column_there_is():
    models = (Absence, Call, CallBack, Recording, Draft, ImportRow, ImportRun, KeptDay)
    tables = {model.__tablename__: model for model in models}
    for kept in plugin.MANIFEST.personal_data:
        table, column = kept.column.rsplit(".", 1)
        assert hasattr(tables[table], column)
    declared = {kept.column.rpartition("__")[2] for kept in plugin.MANIFEST.personal_data}
    blanked = {"call.number", "call.name", "call.story", "call.answer", "call_back.number"}
    deleted = {"draft.number", "draft.values", "import_row.cells", "import_row.record",
               "import_run.blob_key", "recording.blob_key", "kept_day.posts"}  # fmt: skip
    assert declared >= blanked | deleted  # whatever the purge ends is declared


# -- tables --


def test_its_history_goes_down_to_nothing_and_up_again(postgres):
    addresses = database.copy_template(postgres, "huiyin_phone_history")
    owner = create_engine(addresses.owner)
    found = text(
        "SELECT count(*), count(*) FILTER (WHERE relforcerowsecurity) FROM pg_class"
        " WHERE relkind = 'r' AND relname LIKE 'plugin\\_channel\\_phone\\_\\_%'"
        " AND relname NOT LIKE '%version'"
    )
    try:
        for move, target, tables in ((command.downgrade, "base", 0), (command.upgrade, "head", 10)):
            with owner.begin() as connection:
                move(config_for("channel_phone", "huiyin_channel_phone", connection), target)
            with owner.connect() as connection:
                assert tuple(connection.execute(found).one()) == (tables, tables)
    finally:
        owner.dispose()


def _stream():
    import io  # noqa: PLC0415

    return io.BytesIO(sound()[1])
