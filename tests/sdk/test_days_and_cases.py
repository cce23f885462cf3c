"""Working days and a case by its number, as plugins get them."""

from __future__ import annotations

from datetime import date

import pytest

from huiyin.sdk import NotFound, Part, add_workdays, find_case, workdays_between
from huiyin.testing.history import closed_case


def test_working_days_follow_the_calendar_of_the_clocks():
    # 2026-02-15 to 02-23 are the Spring Festival; the Saturdays 02-14 and 02-28 are worked.
    assert add_workdays(date(2026, 2, 12), 3) == date(2026, 2, 24)
    assert workdays_between(date(2026, 2, 12), date(2026, 2, 24)) == 3
    assert workdays_between(date(2026, 2, 24), date(2026, 2, 12)) < 0


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
