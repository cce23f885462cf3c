"""Signals: what raises one, what does not, and honesty with small numbers."""

from datetime import timedelta

import pytest
from scipy import stats
from sqlalchemy import text

from huiyin.sdk import Figure, FigureUnit, Measured, Message, Nature, Part, Proof
from huiyin.testing.history import closed_case
from huiyin_scoring_incentive import signals

from .conftest import NOON, QUARTER

INVITED = []  # numbers of cases; a test fills it
ANSWERED = []


def _figure(name, numbers, all_of, where="/w/cases/"):
    def measure(_ctx, _period):
        proofs = tuple(Proof(Message("案件"), f"{where}{n}", float(n in numbers)) for n in all_of)
        return [Measured(float(len(numbers)), len(all_of), None, proofs if where else ())]

    return Figure(
        name=f"survey_satisfaction:{name}", title="问卷", definition="问卷", unit=FigureUnit.COUNT,
        nature=Nature.CONTROL, measure=measure,
    )  # fmt: skip


@pytest.fixture
def more_figures(request):
    if "surveys" not in request.fixturenames:
        return ()
    at = {"invited": "/w/cases/", "response_rate": "/w/cases/"}
    if "untied" in request.fixturenames:
        at |= request.getfixturevalue("untied")
    return (
        _figure("invited", INVITED, INVITED, at["invited"]),
        _figure("response_rate", ANSWERED, INVITED, at["response_rate"]),
    )


@pytest.fixture
def surveys():
    INVITED.clear()
    ANSWERED.clear()


@pytest.fixture
def close(session, staff):
    def run(owner, n, **given):
        people = {Part.OWNER: getattr(staff, owner), Part.INVESTIGATOR: staff.investigator}
        return [closed_case(session, people=people, closed_at=NOON, **given) for _ in range(n)]

    return run


@pytest.fixture
def found(lend):
    def by_code():
        return {s.code: s for s in signals.signals(lend("supervisor"), QUARTER)}

    return by_code


def line(signal, name):
    return next(x for x in signal.lines if x.name == f"某{name}")


def test_whoever_takes_only_the_easy_ones_is_a_question(close, found):
    close("officer", 25, severity="S1")
    close("officer2", 10, severity="S1")
    close("officer2", 20, severity="S3")
    signal = found()["cherry"]
    mine = line(signal, "officer")
    assert mine.raised
    assert (mine.k, mine.n, mine.others_k, mine.others_n) == (0, 25, 20, 30)
    assert mine.chance == pytest.approx(stats.hypergeom.cdf(0, 55, 20, 25))
    assert len(mine.cases) == 25
    assert not line(signal, "officer2").raised


def test_an_even_mix_raises_nothing(close, found):
    for who in ("officer", "officer2"):
        close(who, 20, severity="S1")
        close(who, 6, severity="S3")
    assert all(signal.raised == 0 for signal in found().values())


def test_complex_counts_as_hard_too(close, found):
    close("officer", 3, complexity="complex")
    assert line(found()["cherry"], "officer").k == 3


def test_early_answers_that_were_reopened_are_a_question(close, found):
    # The history's clock is due a day before the end and stops an hour before that: not early.
    close("officer", 12, reopened=1)
    close("officer2", 12)
    late = found()
    assert line(late["reopened"], "officer").raised
    assert line(late["premature"], "officer").k == 0
    assert late["premature"].raised == 0


def test_premature_is_early_in_its_time_and_opened_again(close, session, found):
    early = close("officer", 12, reopened=1)
    close("officer2", 12, reopened=0)
    session.execute(
        text("UPDATE clock SET stopped_at = started_at + :by WHERE case_id = ANY(:ids)"),
        {"by": timedelta(days=3), "ids": [c.id for c in early]},
    )
    session.expire_all()
    signal = found()["premature"]
    assert line(signal, "officer").k == 12
    assert line(signal, "officer").raised
    assert not line(signal, "officer2").raised


def test_below_twenty_there_are_counts_and_no_percentages(close, found):
    close("officer", 19)
    close("officer2", 20)
    cherry = found()["cherry"]
    assert line(cherry, "officer").share is None
    assert line(cherry, "officer2").share == 0.0
    assert line(cherry, "officer2").others_share is None


def test_a_few_cases_are_never_enough(close, found):
    close("officer", 3, reopened=1)
    close("officer2", 4)
    assert found()["reopened"].raised == 0


def test_one_person_alone_is_compared_with_nobody(close, found):
    close("officer", 30, reopened=1)
    assert found()["reopened"].raised == 0


def test_with_the_survey_off_it_says_so(close, found):
    close("officer", 3)
    for code in ("invited", "answered"):
        assert "未启用" in found()[code].unknown
        assert found()[code].lines == ()


def test_whose_cases_are_rarely_invited_is_a_question(close, surveys, found):
    mine, others = close("officer", 25), close("officer2", 25)
    INVITED.extend([c.number for c in mine[:5]] + [c.number for c in others])
    ANSWERED.extend(INVITED[:20])
    invited = found()["invited"]
    assert line(invited, "officer").raised
    assert (line(invited, "officer").k, line(invited, "officer").n) == (5, 25)
    assert len(line(invited, "officer").cases) == 20, "those that were not invited"
    answered = found()["answered"]
    assert line(answered, "officer").n == 5, "only the invited count"


def test_nobody_is_blamed_for_not_asking_about_a_case_that_was_withdrawn(close, surveys, found):
    mine, others = close("officer", 10), close("officer2", 25)
    close("officer", 15, outcome="withdrawn")
    INVITED.extend([c.number for c in (*mine, *others)])
    invited = line(found()["invited"], "officer")
    assert (invited.k, invited.n, invited.raised) == (10, 10, False)
    close("officer2", 30, outcome="withdrawn", severity="S4")
    close("officer", 30)
    assert line(found()["cherry"], "officer").raised, "taken is taken, however it ended"


@pytest.mark.parametrize(
    ("untied", "silent", "other"),
    [
        ({"invited": ""}, "invited", "answered"),  # no proofs at all
        ({"invited": "/w/x/survey-satisfaction/"}, "invited", "answered"),  # none of a case
        ({"response_rate": ""}, "answered", "invited"),
    ],
)
def test_answers_that_are_tied_to_no_case_say_nothing(close, surveys, untied, silent, other, found):
    INVITED.extend(c.number for c in close("officer", 25) + close("officer2", 25))
    ANSWERED.extend(INVITED[25:])
    shown = found()
    assert shown[silent].unknown == "问卷没有与案件对应，无法判断"
    assert (shown[silent].lines, shown[silent].raised) == ((), 0)
    assert shown[other].unknown == "", "what is known is still said"


def test_nobody_invited_at_all_is_no_lack_of_cases(close, surveys, found):
    close("officer", 3)
    assert found()["invited"].unknown == ""
    assert line(found()["invited"], "officer").k == 0


def test_answers_to_cases_of_another_time_change_nothing(close, surveys, found):
    close("officer", 3)
    INVITED.append("TS-1999-0001")
    assert found()["invited"].unknown == ""
    assert line(found()["invited"], "officer").k == 0


def test_cases_in_which_the_supervisor_is_named_are_not_looked_at(close, found, staff):
    close("officer", 5, walled=[staff.supervisor.id])
    close("officer", 2)
    assert line(found()["cherry"], "officer").n == 2


def test_chances_are_corrected_for_how_many_are_compared(session, staff, lend):
    names = {}
    records = []

    class Record:
        def __init__(self, who, hit):
            self.owner, self.hit, self.number = who, hit, "n"

        def who(self, *_parts):
            return frozenset({self.owner})

    for person in range(20):
        names[person] = str(person)
        records += [Record(person, hit=i < 2 and person > 0) for i in range(9)]
    lines = signals.compare(records, names, lambda r: r.hit, fewer=True)
    none = next(x for x in lines if x.name == "0")
    assert none.chance < 0.15
    assert not none.raised, "one in twenty is to be expected"
