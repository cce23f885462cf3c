"""Working days and a case by its number, as plugins get them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from huiyin.cases.models import Entry
from huiyin.sdk import (
    Filing,
    NotFound,
    Part,
    add_workdays,
    file_complaint,
    find_case,
    is_workday,
    log_call,
    workdays_between,
)
from huiyin.testing.history import closed_case


def test_working_days_follow_the_calendar_of_the_clocks():
    # 2026-02-15 to 02-23 are the Spring Festival; the Saturdays 02-14 and 02-28 are worked.
    assert add_workdays(date(2026, 2, 12), 3) == date(2026, 2, 24)
    assert workdays_between(date(2026, 2, 12), date(2026, 2, 24)) == 3
    assert workdays_between(date(2026, 2, 24), date(2026, 2, 12)) < 0


def test_a_working_day_is_one_that_people_work():
    assert is_workday(date(2026, 2, 14))  # a Saturday, made up for
    assert not is_workday(date(2026, 2, 16))  # a Monday of the Spring Festival
    assert not is_workday(date(2026, 2, 15))


@pytest.mark.parametrize(("reached", "kind"), [(True, "call"), (False, "note")])
def test_a_call_stands_on_the_timeline(session, actor, reached, kind):
    filing = Filing(channel="phone", idem_key="1", story="赎回款没有到账", phone="13800006021")
    number = file_complaint(session, actor, filing).number
    case = log_call(session, actor, number, "来电说明情况", reached=reached)
    session.flush()
    entry = session.scalars(
        select(Entry).where(Entry.case_id == case.id).order_by(Entry.seq.desc()).limit(1)
    ).one()
    assert (entry.kind, entry.body, entry.audience) == (kind, "来电说明情况", "internal")
    contacts = [event for event in case.clock_events if event["kind"] == "contacted"]
    assert bool(contacts) is reached


def test_a_case_is_found_only_by_who_may_know_of_it(session, actor, make_actor):
    case = closed_case(session, people={Part.OWNER: actor}, walled=[])
    approver, investigator = make_actor("approver"), make_actor("investigator")
    session.flush()
    assert find_case(session, approver, case.number).id == case.id
    with pytest.raises(NotFound):  # sees only cases with a part in them
        find_case(session, investigator, case.number)
    with pytest.raises(NotFound):
        find_case(session, approver, "TS-1999-0001")
    case.walled = [approver.id]
    session.flush()
    with pytest.raises(NotFound):
        find_case(session, approver, case.number)
