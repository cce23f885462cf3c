"""Thanks and lessons: never for oneself, counted only once a third has confirmed them."""

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Case, Conflict, Invalid, NotFound, Part, Refused
from huiyin.testing.history import closed_case
from huiyin_scoring_incentive import signals, thanks
from huiyin_scoring_incentive.figures import FIGURES
from huiyin_scoring_incentive.models import Credit
from huiyin_scoring_incentive.schemas import CreditForm

from .conftest import NOON, QUARTER

WHAT = "帮忙核对了三个季度的份额登记"


@pytest.fixture
def case(session, staff):
    """A closed case of the officer and the investigator, with a lesson the officer wrote."""
    lesson = {"at": "", "by": "", "by_id": str(staff.officer.id), "note": "x"}
    found = closed_case(
        session, people={Part.OWNER: staff.officer, Part.INVESTIGATOR: staff.investigator},
        closed_at=NOON,
        facts={"lessons_written": lesson},
    )  # fmt: skip
    session.commit()
    return found


@pytest.fixture
def thank(lend, staff, case):
    def say(who="officer", doer="investigator", kind="help", number=None):
        return thanks.add(
            lend(who),
            CreditForm(kind=kind, number=number or case.number, what=WHAT,
                       doer=str(getattr(staff, doer).id) if doer else ""),
        )  # fmt: skip

    return say


def counted(lend, name, who, session):
    (figure,) = [f for f in FIGURES if f.name == f"scoring_incentive:{name}"]
    session.execute(update(Credit).values(at=NOON))
    found = {m.subject: m for m in figure.measure(lend(), QUARTER)}
    return int(found[who.id].value) if who.id in found else 0


def test_help_counts_once_a_third_has_confirmed_it(lend, thank, staff, session):
    said = thank()
    assert counted(lend, "peer_help", staff.investigator, session) == 0
    thanks.judge(lend("supervisor"), said.id, agree=True)
    assert counted(lend, "peer_help", staff.investigator, session) == 1


def test_nobody_thanks_themselves(thank):
    with pytest.raises(Invalid) as refused:
        thank(doer="officer")
    assert set(refused.value.fields) == {"doer"}


def test_neither_of_the_two_confirms_it(lend, thank):
    said = thank()
    for name in ("officer", "investigator"):
        with pytest.raises(Refused):
            thanks.judge(lend(name), said.id, agree=True)


def test_a_colleague_without_the_case_neither_thanks_nor_confirms(lend, thank):
    with pytest.raises(Invalid):
        thank(who="investigator2")
    said = thank()
    for name in ("officer2", "investigator2"):
        with pytest.raises(Refused):
            thanks.judge(lend(name), said.id, agree=True)


def test_a_lesson_counts_for_whoever_wrote_it_and_is_taken_up_by_another(
    lend, thank, staff, session
):
    with pytest.raises(Invalid):
        thank(who="officer", kind="lesson", doer="")
    said = thank(who="officer2", kind="lesson", doer="investigator2")
    assert said.doer_id == staff.officer.id, "whoever is named in the form"
    thanks.judge(lend("approver"), said.id, agree=True)
    assert counted(lend, "lessons_adopted", staff.officer, session) == 1
    assert counted(lend, "peer_help", staff.officer, session) == 0


@pytest.mark.parametrize("number", ["TS-0000-0001", "' OR 1=1 --", "TS-2026-"])
def test_a_number_that_is_none_says_so_at_the_field(thank, number):
    with pytest.raises(Invalid) as refused:
        thank(number=number)
    assert set(refused.value.fields) == {"number"}


def test_the_same_thanks_stand_once(thank):
    thank()
    with pytest.raises(Invalid):
        thank()


def test_a_refusal_needs_a_reason_and_counts_nothing(lend, thank, staff, session):
    said = thank()
    with pytest.raises(Invalid):
        thanks.judge(lend("supervisor"), said.id, agree=False)
    thanks.judge(lend("supervisor"), said.id, agree=False, reason="没有找到相关记录")
    assert counted(lend, "peer_help", staff.investigator, session) == 0
    with pytest.raises(Conflict):
        thanks.judge(lend("approver"), said.id, agree=True)


def test_it_is_taken_back_by_whoever_said_it_while_it_waits(lend, thank):
    said = thank()
    with pytest.raises(NotFound):
        thanks.withdraw(lend("investigator"), said.id)
    assert thanks.withdraw(lend("officer"), said.id).state == "withdrawn"
    with pytest.raises(Conflict):
        thanks.judge(lend("supervisor"), said.id, agree=True)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("doer_id", "by_id", "not_self"), ("second_id", "by_id", "second"),
     ("second_id", "doer_id", "second")],
)  # fmt: skip
def test_the_database_refuses_the_same_hands_too(lend, thank, session, column, value, rule):
    thanks.judge(lend("supervisor"), thank().id, agree=True)
    session.flush()
    with pytest.raises(IntegrityError, match=rule), session.begin_nested():
        session.execute(text(f"UPDATE plugin_scoring_incentive__credit SET {column} = {value}"))


def test_whoever_is_named_in_the_case_hears_nothing_of_it(lend, thank, case, session, staff):
    said = thank()
    session.execute(update(Case).where(Case.id == case.id).values(walled=[staff.supervisor.id]))
    session.expire_all()
    assert thanks.page(lend("supervisor"), every=True)[0] == []
    assert thanks.waiting(lend("supervisor")) == 0
    with pytest.raises(NotFound):
        thanks.judge(lend("supervisor"), said.id, agree=True)
    with pytest.raises(Invalid) as refused:
        thank(who="supervisor")
    assert "没有找到" in refused.value.fields["number"].key
    assert len(thanks.page(lend("approver"), every=True)[0]) == 1


def test_those_of_the_case_are_asked_and_others_are_not(lend, thank):
    thank(who="officer", doer="officer2")
    assert thanks.waiting(lend("investigator")) == 1
    assert thanks.waiting(lend("investigator2")) == 0
    assert thanks.waiting(lend("officer")) == 0


def test_two_who_always_thank_each_other_are_a_question(lend, session, staff, thank):
    people = {Part.OWNER: staff.officer, Part.INVESTIGATOR: staff.investigator}
    for _ in range(3):
        number = closed_case(session, people=people, closed_at=NOON).number
        thank(number=number)
        thank(who="investigator", doer="officer", number=number)
    session.execute(update(Credit).values(at=NOON))
    (pair,) = signals.mutual(lend("supervisor"), QUARTER)
    assert pair.counts == (3, 3)
    session.execute(update(Credit).values(state="withdrawn"))
    assert signals.mutual(lend("supervisor"), QUARTER) == []
