"""A firm that trains its people."""

import re
from dataclasses import replace
from html import unescape
from importlib import import_module

import pytest

from huiyin.sdk import Case, Event, Part, at_local, rehearse, today, uuid7
from huiyin.testing.history import closed_case
from huiyin_training_records import assigning, courses, plugin
from huiyin_training_records.models import Assignment
from huiyin_training_records.schemas import (
    CourseForm,
    MaterialForm,
    QuestionForm,
    RequirementForm,
    RulesForm,
)
from huiyin_training_records.settings import TrainingRecordsSettings

HOME = "/t/qinghe/w/x/training-records"
CAUSE = "RC2-1"


@pytest.fixture
def web_plugins():
    return ("channel_web", "training_records")


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
def executive(make_actor):
    return make_actor("executive_viewer", name="秦岳")


@pytest.fixture
def learner(make_actor):
    return make_actor("investigator", name="周岚")


@pytest.fixture
def switch(web, admin):
    """``switch(True)`` switches the plugin on as the firm's administrator does."""

    def to(on):
        path = "/t/qinghe/admin/plugins/training_records/switch"
        answer = web(admin).post(path, {"to": "on" if on else "off"})
        assert answer.status_code == 303, answer.text

    return to


@pytest.fixture
def switched_on(switch):
    switch(True)


@pytest.fixture
def ctx_of(session, site):
    """``ctx_of(actor)`` is what the plugin is lent for that person; nobody: a job's."""

    def lend(actor=None, **settings):
        lent = rehearse(
            plugin, session, name="training_records", actor=actor,
            settings=TrainingRecordsSettings(**settings),
        )  # fmt: skip
        return replace(lent, blobs=site.blobs)

    return lend


@pytest.fixture
def make_course(ctx_of, admin, session):
    """A published course: one text, ``pool`` questions; the right answer of each is 不可以."""

    def make(code="KC-01", pool=4, draw=2, causes=(CAUSE,), publish=True, **facts):
        ctx = ctx_of(admin)
        course = courses.create(
            ctx, CourseForm(code=code, title=f"销售话术 {code}", causes=causes, **facts)
        )
        draft = courses.draft_of(ctx, course)
        text = MaterialForm(kind="text", title="话术红线", body="不得承诺保本或最低收益，见条例。")
        courses.add_material(ctx, draft, text, None)
        for n in range(pool):
            form = QuestionForm(
                kind="single", text=f"第 {n} 题：可以承诺保本吗", options="*不可以\n可以\n看情况"
            )
            courses.add_question(ctx, draft, form)
        courses.set_rules(ctx, draft, RulesForm(draw=draw, pass_mark=60, attempts=2))
        if publish:
            courses.publish(ctx, course, draft)
        session.commit()
        return course

    return make


@pytest.fixture
def course(make_course):
    return make_course()


@pytest.fixture
def require(ctx_of, admin, session):
    def make(course, role="investigator", days=30):
        assigning.require(ctx_of(admin), course, RequirementForm(role=role, due_days=days))
        session.commit()

    return make


@pytest.fixture
def case_of(session):
    """A closed case that ``actor`` has investigated."""

    def make(actor, **columns):
        case = closed_case(session, people={Part.INVESTIGATOR: actor}, **columns)
        session.commit()
        return case

    return make


@pytest.fixture
def concluded(ctx_of, session):
    """The review of a survey answer asks for training; twice is the same event."""

    def tell(case, cause=CAUSE, training=True, event_id=None):
        event = Event(
            event_id or uuid7(), assigning.REVIEWED, uuid7(),
            {"case": str(case.id) if case else "", "cause": cause, "training": training},
        )  # fmt: skip
        plugin.on_event(ctx_of(), event)
        session.commit()
        return event

    return tell


@pytest.fixture
def drain(place, engine):
    """Everything a worker would do now."""
    registry = import_module("huiyin.queue.registry").REGISTRY
    with registry.isolated():
        import_module("huiyin.plugins.jobs").register(place.host)
        yield lambda: import_module("huiyin.queue.worker").drain(engine)


@pytest.fixture
def assignments(session):
    def read(account=None):
        session.rollback()
        session.expire_all()
        rows = session.query(Assignment).order_by(Assignment.id).all()
        return [row for row in rows if account is None or row.account_id == account.id]

    return read


def text_of(answer):
    """The words of a page, without its tags."""
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


def follow(browser, answer):
    assert answer.status_code == 303, text_of(answer)
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200, text_of(page)
    return page


def right_answers(page):
    """The right option of every question on the page: those of ``make_course``."""
    shown = re.findall(r'name="(q\d+)" value="(\d+)"[^>]*><span>([^<]+)</span>', page.text)
    return {name: value for name, value, words in shown if words == "不可以"}


def noon(day=None):
    return at_local(day or today(), 12)


__all__ = ["CAUSE", "HOME", "Case", "follow", "noon", "right_answers", "text_of"]
