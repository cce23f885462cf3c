"""The firm's working days, on the calendar that the clocks of cases use."""

from __future__ import annotations

from datetime import date

from huiyin.clocks.service import calendar


def is_workday(day: date) -> bool:
    """Whether people work that day: a make-up Saturday counts, a holiday does not."""
    return calendar().is_workday(day)


def add_workdays(day: date, n: int) -> date:
    """The ``n``-th 工作日 after ``day`` (n ≥ 1): make-up days count, ``day`` itself does not."""
    return calendar().add_workdays(day, n).on


def workdays_between(first: date, last: date) -> int:
    """工作日 after ``first`` up to and with ``last``; negative when ``last`` lies before."""
    return calendar().workdays_between(first, last)
