"""A firm with its people, scored by this plugin."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from huiyin.sdk import CORE_FIGURES, FigureBook, Part, Period, rehearse, uuid7
from huiyin.testing.history import closed_case
from huiyin_scoring_incentive import formulas, plugin, rounds, tasks
from huiyin_scoring_incentive.figures import FIGURES
from huiyin_scoring_incentive.models import Score
from huiyin_scoring_incentive.schemas import Body, HeadForm, RoundForm, Term

HOME = "/t/qinghe/w/x/scoring-incentive"
API = "/api/v1/p/qinghe/x/scoring-incentive"
# A quarter long past, so that no test depends on the day it runs.
QUARTER = Period(date(2025, 4, 1), date(2025, 6, 30))
NOON = datetime(2025, 5, 15, 4, tzinfo=QUARTER.begin.tzinfo)
BODY = Body(
    terms=(
        Term(figure="case:not_reopened", weight=40, floor=50, target=100, minimum=3, strength=10),
        Term(figure="case:plan_first_time", weight=25, floor=40, target=90, minimum=3, strength=10),
        Term(figure="case:stages_in_time", weight=25, floor=50, target=95, minimum=3, strength=8),
        Term(figure="scoring_incentive:peer_help", weight=10, floor=0, target=2, minimum=1,
             strength=0),
    ),
    coverage=70,
)  # fmt: skip


@pytest.fixture
def web_plugins():
    return ("scoring_incentive",)


@pytest.fixture
def staff(make_actor, place):
    """Everybody the firm has; ``place`` has made the plugin's permissions known before."""
    roles = {
        "officer": "complaint_officer", "officer2": "complaint_officer",
        "investigator": "investigator", "investigator2": "investigator",
        "approver": "approver", "approver2": "approver", "supervisor": "supervisor",
        "executive": "executive_viewer", "admin": "tenant_admin",
    }  # fmt: skip
    assert place.host.plugin("scoring_incentive")
    made = {name: make_actor(role, name=f"某{name}") for name, role in roles.items()}
    return SimpleNamespace(**made)


@pytest.fixture
def more_figures():
    """Figures of other plugins; a test module may override it."""
    return ()


@pytest.fixture
def lend(session, staff, more_figures):
    """``lend("approver")`` is the context that person is lent; without a name, the system's."""

    first = rehearse(plugin, session, name="scoring_incentive")
    known = (*CORE_FIGURES, *FIGURES, *more_figures)

    def ctx(who=None, *, settings=None):
        actor = first.actor if who is None else getattr(staff, who)
        held = first.source if settings is None else lambda _type: settings
        book = FigureBook(lambda _owner: made, known)
        made = replace(first, actor=actor, source=held, book=lambda: book)
        return made

    return ctx


@pytest.fixture
def formula(lend):
    """A formula in force, written by the approver and published by the supervisor."""

    def publish(body=BODY, author="approver", second="supervisor"):
        formulas.begin(lend(author))
        head = HeadForm(title="处理质量评分公式", reason="首次制定公式")
        saved = formulas.save(lend(author), head, body)
        return formulas.publish(lend(second), saved.hash)

    return publish


@pytest.fixture
def cases(session, staff):
    """Closed complaints of the quarter, differing from person to person."""

    def close(n=12, at=NOON, **given):
        made = []
        for i in range(n):
            owner = staff.officer if i % 2 else staff.officer2
            looks = staff.investigator if i % 3 else staff.investigator2
            people = {
                Part.OWNER: owner,
                Part.INVESTIGATOR: looks,
                Part.DRAFTER: looks,
                Part.APPROVER: staff.approver,
            }
            facts = {
                "returned": int(i % 4 == 0),
                "reopened": int(i % 5 == 0),
                "clocks": (("stage", "intake", i % 3 != 0), ("stage", "plan", i % 2 == 0)),
            }
            when = at + timedelta(days=i % 30)
            made.append(closed_case(session, people=people, closed_at=when, **{**facts, **given}))
        session.commit()
        return made

    return close


@pytest.fixture
def count(lend):
    """Open a round as somebody and count it to its end, as the worker would."""

    def run(period=QUARTER, who="approver", title="2025 年第 2 季度"):
        form = RoundForm(title=title, since=period.since, until=period.until)
        found = rounds.open_round(lend(who), form)
        while found.state == "counting":
            tasks.count(lend(), {"round": str(found.id), "step": found.steps_done})
        return found

    return run


@pytest.fixture
def published(lend, formula, cases, count, session):
    """A published round: formula by approver and supervisor, signed by approver2."""

    def make(**given):
        formula()
        cases(**given)
        found = count()
        rounds.sign(lend("approver2"), found.id, found.scores_hash)
        rounds.publish(lend("supervisor"), found.id, found.scores_hash)
        session.commit()
        return found

    return make


@pytest.fixture
def switch(session, tenant, request):
    """Switch the plugin on or off for the firm, as its administrator would."""

    def to(on=True, of=None, inside=session):
        firm = (of or tenant).id
        inside.execute(
            text(
                "INSERT INTO plugin_activation (tenant_id, id, plugin, active, changed_at)"
                " VALUES (:tenant, :id, 'scoring_incentive', :on, now())"
                " ON CONFLICT (tenant_id, plugin) DO UPDATE SET active = :on"
            ),
            {"tenant": firm, "id": uuid7(), "on": on},
        )
        inside.commit()
        if "place" in request.fixturenames:
            request.getfixturevalue("place").host.forget()

    return to


@pytest.fixture
def score_of(session, staff):
    """The rows of one person's score in a round, first revision first."""

    def read(found, who):
        subject = getattr(staff, who).id
        return session.scalars(
            select(Score)
            .where(Score.round_id == found.id, Score.subject_id == subject)
            .order_by(Score.revision)
        ).all()

    return read


def words(answer):
    """What a page says, without its tags."""
    main = answer.text.partition("<main")[2].partition("</main>")[0] or answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()
