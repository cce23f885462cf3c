"""The demonstration as it is after a seeding that was killed in the middle and started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from huiyin.app import compose
from huiyin.app.compose import Installation, make_site
from huiyin.app.demo import demo_folder, demo_password, prepare
from huiyin.app.reconcile import NAMES, count
from huiyin.app.settings import Settings
from huiyin.cases import change
from huiyin.cases.filing import tracking_code
from huiyin.cases.models import Case, Entry, Participation
from huiyin.cases.search import search
from huiyin.cases.stages import HANDLING, Outcome, Stage
from huiyin.cases.tracking import by_code
from huiyin.db import platform_session, tenant_session
from huiyin.evidence import store
from huiyin.identity import service as identity
from huiyin.identity.actor import SYSTEM_ID
from huiyin.identity.models import Account
from huiyin.kit import keys
from huiyin.kit.time import clock_at
from huiyin.ledger.export import verify_tenant
from huiyin.ledger.models import LedgerHead
from huiyin.letters.models import Letter, LetterState
from huiyin.letters.wording import LetterKind
from huiyin.onboarding import service
from huiyin.onboarding.schemas import read_firms, read_stories
from huiyin.parties.models import Fund, Investor
from huiyin.plugins import jobs
from huiyin.plugins.host import PluginHost, listed
from huiyin.queue.models import Job, JobState, Schedule
from huiyin.queue.registry import REGISTRY
from huiyin.remedies.models import Plan, PlanState
from huiyin.tenancy.models import Consultancy, Engagement, PluginActivation, Tenant
from huiyin.testing import database

BASE = datetime(2026, 11, 24, 3, 46, tzinfo=UTC)
STORIES = read_stories(demo_folder()).stories
FIRMS = read_firms(demo_folder())
JUDGING = {
    "approve", "approve_first", "return_plan", "release_answer", "archive", "review",
    "decline", "transfer", "merge",
}  # fmt: skip


class Killed(Exception):
    """The process died here."""


@pytest.fixture(scope="module")
def installation(postgres, tmp_path_factory):
    """A seeded installation in a database of its own; the first try died halfway."""
    keys.configure(b"thirty-two bytes for tests, only.")
    home = tmp_path_factory.mktemp("demo-home")
    engine = database.engine_for(database.copy_template(postgres, "huiyin_demo"))
    settings = Settings(
        home=home, database_url="", owner_url="", broker_url="", public_url="",
        host="127.0.0.1", port=8123, trusted_proxies=0, threads=2,
    )  # fmt: skip
    before = store._chosen, list(change._consulted)
    known = dict(REGISTRY.handlers), dict(REGISTRY.subscriptions), list(REGISTRY.providers)
    host = PluginHost(listed())
    site = make_site(engine, settings, host)
    if not any(name.startswith("plugin:") for name in REGISTRY.handlers):
        jobs.register(host)
    made = Installation(settings, compose.Addresses("", ""), engine, host, site, None)
    with clock_at(BASE):
        with pytest.raises(Killed):
            prepare(made, say=dies_after(30))
        prepare(made, say=lambda _: None)
    yield made
    store._chosen, change._consulted[:] = before
    REGISTRY.handlers, REGISTRY.subscriptions, REGISTRY.providers = known
    engine.dispose()


def dies_after(lines):
    told = []

    def say(line):
        told.append(line)
        if len(told) == lines:
            raise Killed

    return say


@pytest.fixture(scope="module")
def firms(installation):
    with platform_session(installation.engine) as session:
        found = {row.slug: row.id for row in session.execute(select(Tenant.slug, Tenant.id))}
    assert set(found) == {firm.slug for firm in FIRMS.tenants}
    return found


@pytest.fixture(scope="module")
def everywhere(installation, firms):
    """Ask the same question of every firm: ``everywhere(lambda session: …)`` answers a list."""

    def ask(question):
        answers = []
        for tenant_id in firms.values():
            with tenant_session(installation.engine, tenant_id) as session:
                answers += question(session)
        return answers

    return ask


@pytest.fixture(scope="module")
def cases(everywhere):
    """The cases by the key of their story."""
    found = everywhere(lambda session: session.scalars(select(Case)).all())
    return {case.idem_key.rpartition(":")[2]: case for case in found}


def test_every_story_is_one_case_where_it_should_stand(cases):
    told = {key for key, case in cases.items() if ":" in case.idem_key}  # the others came by mail
    assert told == {story.key for story in STORIES}
    for story in STORIES:
        case = cases[story.key]
        told = (case.title, case.story, case.channel, case.source, case.language)
        assert told == (story.title, story.story, story.channel, story.source, story.language)
        if story.path in set(Stage):
            assert (case.stage, case.outcome) == (story.path, None), story.key
        elif story.path == "review":
            assert (case.stage, case.outcome) == (Stage.INVESTIGATION, None)
        else:
            assert case.outcome == Outcome(story.path)


def test_every_stage_and_every_outcome_has_a_case(cases):
    assert {case.stage for case in cases.values() if case.is_open} == set(Stage)
    ended = {case.outcome for case in cases.values() if not case.is_open}
    assert ended == set(Outcome)


def test_six_zeros(installation):
    with clock_at(BASE):
        assert count(installation) == dict.fromkeys(NAMES, 0)


def test_every_ledger_verifies(everywhere):
    results = everywhere(lambda session: [verify_tenant(session)])
    assert [(result.first_bad_seq, result.reason) for result in results] == [(None, None)] * 3
    assert all(result.entries > 100 for result in results)


def test_no_job_was_set_aside_and_none_is_left(everywhere):
    states = everywhere(lambda session: session.execute(
        select(Job.state, Job.consumer, Job.error).where(Job.state != JobState.DONE.value)
    ).all())  # fmt: skip
    assert states == []


def test_nobody_judges_what_he_handled(everywhere):
    judged = everywhere(lambda session: session.execute(
        select(Entry.case_id, Entry.author_id, Entry.verb).where(Entry.verb.in_(JUDGING))
    ).all())  # fmt: skip
    handled = set(everywhere(lambda session: session.execute(
        select(Participation.case_id, Participation.account_id).where(
            Participation.part.in_([part.value for part in HANDLING])
        )
    ).all()))  # fmt: skip
    assert {verb for _, _, verb in judged} == JUDGING - {"approve_first"}
    assert handled
    assert [entry for entry in judged if (entry[0], entry[1]) in handled] == []


def test_a_case_is_found_by_its_words_and_by_its_complainant(installation, firms):
    story = next(story for story in STORIES if story.key == "q05")
    with tenant_session(installation.engine, firms["qinghe"]) as session:
        officer = service.members(session)["officer@qinghe.demo"]
        session.act_as(officer.id)
        for words in (story.name, story.title[:6]):
            found = [session.get_one(Case, (firms["qinghe"], each.id)).title
                     for each in search(session, officer, words, n=10)]  # fmt: skip
            assert story.title in found


def test_the_clocks_were_looked_at_and_the_schedule_goes_on(everywhere):
    reminded = everywhere(lambda session: session.scalars(
        select(Entry.at).where(Entry.verb == "remind")
    ).all())  # fmt: skip
    assert min(reminded) < BASE - timedelta(days=3)
    names = everywhere(lambda session: session.scalars(select(Schedule.name)).all())
    assert names.count("clocks.remind") == 3


def test_the_letters_are_written_and_signed_by_the_right_people(everywhere, cases):
    letters = everywhere(lambda session: session.scalars(select(Letter)).all())
    by_case = {}
    for letter in letters:
        by_case.setdefault(letter.case_id, {})[letter.kind] = letter
    for story in STORIES:
        kinds = by_case[cases[story.key].id]
        assert kinds[LetterKind.ACKNOWLEDGEMENT].state == LetterState.SENT, story.key
        if cases[story.key].accepted_at:
            assert kinds[LetterKind.ACCEPTANCE].state == LetterState.SENT, story.key
        if story.path == "declined":
            assert kinds[LetterKind.DECLINED].state == LetterState.SENT
        if story.path in {"archived", "followup", "archive", "review"}:
            answer = kinds[LetterKind.ANSWER]
            assert answer.state == LetterState.SENT, story.key
            assert answer.released_by not in {answer.drafted_by, SYSTEM_ID, None}
    assert any(letter.kind == LetterKind.EXTENSION for letter in letters)
    drafts = {letter.case_id for letter in letters if letter.state == LetterState.DRAFT}
    assert drafts == {cases[story.key].id for story in STORIES if story.path == "response"}


def test_letters_are_dated_in_their_own_time(everywhere, cases):
    numbers = {case.id: case for case in cases.values()}
    for letter in everywhere(lambda session: session.scalars(select(Letter)).all()):
        assert numbers[letter.case_id].received_at <= letter.created_at <= BASE
        assert letter.released_at is None or letter.created_at <= letter.released_at <= BASE


def test_plans_hold_where_they_were_approved(everywhere, cases):
    plans = everywhere(lambda session: session.scalars(select(Plan)).all())
    states = {}
    for plan in plans:
        states.setdefault(plan.case_id, []).append(plan.state)
    assert any(PlanState.RETURNED in of_case for of_case in states.values())
    for story in STORIES:
        if story.path in {"implementation", "response", "followup", "archive", "archived"}:
            assert PlanState.APPROVED in states[cases[story.key].id], story.key
        if story.path == "approval":
            assert states[cases[story.key].id] == [PlanState.SUBMITTED]
    open_measures = [c.counts["measures_open"] for c in cases.values()
                     if c.is_open and c.stage == Stage.IMPLEMENTATION]  # fmt: skip
    assert all(number > 0 for number in open_measures)


def test_nothing_happens_in_the_future_or_out_of_order(everywhere):
    entries = everywhere(lambda session: session.scalars(
        select(Entry).order_by(Entry.case_id, Entry.seq)
    ).all())  # fmt: skip
    for former, entry in pairwise(entries):
        assert entry.at <= BASE
        if former.case_id == entry.case_id:
            assert former.at <= entry.at


def test_people_products_and_register_are_there(everywhere, installation, cases):
    funds = everywhere(lambda session: session.scalars(select(Fund)).all())
    assert {fund.filing_code for fund in funds} == {fund.filing_code for fund in FIRMS.funds}
    ended = [fund for fund in funds if fund.liquidated_on]
    assert [fund.listed for fund in ended] == [False]
    known = everywhere(lambda session: session.scalars(
        select(func.count()).select_from(Investor).where(Investor.known)
    ).all())  # fmt: skip
    assert known == [12, 12, 12]
    with platform_session(installation.engine) as session:
        accounts = session.scalar(select(func.count()).select_from(Account))
        engaged = session.execute(
            select(Consultancy.slug, func.count(Engagement.id))
            .join(Engagement, Engagement.consultancy_id == Consultancy.id)
            .group_by(Consultancy.slug)
        ).all()
    assert accounts == len(FIRMS.people) + len(FIRMS.advisers)
    assert engaged == [("qiheng", 3)]


def test_the_plugins_of_the_demonstration_are_on(everywhere, installation):
    wanted = [
        (name, True)
        for firm in FIRMS.tenants
        for name in firm.plugins
        if name in installation.host.plugins
    ]
    rows = everywhere(lambda session: session.execute(
        select(PluginActivation.plugin, PluginActivation.active)
    ).all())  # fmt: skip
    assert sorted(rows) == sorted(wanted)


def test_the_password_is_kept_for_its_owner_only_and_opens_every_account(installation):
    home = installation.settings.home
    password = demo_password(home)
    mode = (home / "demo-password").stat().st_mode & 0o777
    assert mode == 0o600
    token = identity.log_in(
        installation.engine, "officer@qinghe.demo", password, "127.0.0.1", "", pepper=b"p" * 32
    )
    assert token


def test_a_second_start_prints_everything_again_and_changes_nothing(installation, everywhere):
    def state():
        heads = everywhere(lambda s: s.execute(select(LedgerHead.seq, LedgerHead.hash)).all())
        rows = everywhere(lambda s: [
            s.scalar(select(func.count()).select_from(table))
            for table in (Case, Entry, Letter, Job, Fund, Investor, Participation)
        ])  # fmt: skip
        return heads, rows

    before, lines = state(), []
    with clock_at(BASE):
        prepare(installation, say=lines.append)
    assert state() == before
    said = "\n".join(lines)
    assert "/60 " not in said
    for words in (
        "http://127.0.0.1:8123/p/qinghe", "http://127.0.0.1:8123/t/mingzhu/w",
        "officer@qinghe.demo", demo_password(installation.settings.home),
    ):  # fmt: skip
        assert words in said


def test_the_code_it_prints_opens_the_case_it_names(installation, firms):
    lines = []
    with clock_at(BASE):
        prepare(installation, say=lines.append)
    number, _, code = lines[-1].partition(": ")[2].rpartition("/")[2].partition(", code ")
    with tenant_session(installation.engine, firms["qinghe"]) as session:
        case = by_code(session, code, number=number)
        assert code.replace(" ", "") == tracking_code(firms["qinghe"], case.id)
        assert case.is_open


def test_a_chosen_password_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("HUIYIN_DEMO_PASSWORD", "correct horse battery")
    assert demo_password(tmp_path) == "correct horse battery"
    monkeypatch.setenv("HUIYIN_DEMO_PASSWORD", "changed afterwards")
    assert demo_password(tmp_path) == "correct horse battery"
