"""Figures: what one plugin quotes of another and of the core."""

from datetime import date, timedelta
from importlib import import_module

import pytest
from sqlalchemy import select

from huiyin.kit.errors import NotFound
from huiyin.kit.i18n import N_
from huiyin.plugins import PluginHost
from huiyin.plugins.figures import (
    Figure,
    FigureBook,
    FigureFailed,
    FigureUnit,
    Measured,
    Nature,
    Period,
)  # fmt: skip
from huiyin.plugins.lending import NotYours, lent
from huiyin.tenancy.models import Counter

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def figure(name, measure, **facts):
    return Figure(
        name=name, title=N_("数"), definition=N_("怎样数出来的"), unit=FigureUnit.COUNT,
        nature=Nature.CONTROL, measure=measure, **facts,
    )  # fmt: skip


@pytest.fixture
def book(stranger, session, tenant):
    """The figures of the firm as a plugin is lent them."""

    def lent_book():
        return stranger.hooks_in(session, tenant).context("call_back").figures()

    return lent_book


def test_a_figure_of_a_plugin_that_is_off_is_not_there(stranger, tables, book):
    assert [f.name for f in book()] == []
    with pytest.raises(NotFound):
        book().measure("call_back:kept", YEAR)


def test_a_figure_is_worked_out_by_its_own_plugin(switched_on, session, case, book):
    promise = import_module("acme_call_back.models").Promise
    session.add(promise(case_id=case.id, due_at=YEAR.begin + timedelta(days=3)))
    session.flush()
    (measured,) = book().measure("call_back:kept", YEAR)
    assert (measured.value, measured.n) == (0.0, 1)
    nothing = Period(date(2020, 1, 1), date(2020, 1, 1))
    assert book().measure("call_back:kept", nothing)[0].value is None


def test_the_core_s_figures_are_quoted_beside_those_of_plugins(switched_on, book):
    switched_on.core_figures = (figure("case:one", lambda ctx, period: [Measured(1.0, 1)]),)
    assert [f.name for f in book()] == ["call_back:kept", "case:one"]
    assert book().measure("case:one", YEAR) == [Measured(1.0, 1)]


def test_what_is_written_while_counting_is_taken_back(session):
    class Context:
        pass

    def sneaky(ctx, period):
        session.add(Counter(name="sneaky"))
        session.flush()
        return [Measured(1.0, 1)]

    Context.session = session
    book = FigureBook(lambda _owner: Context, [figure("x:sneaky", sneaky)])
    assert book.measure("x:sneaky", YEAR) == [Measured(1.0, 1)]
    assert session.scalars(select(Counter).where(Counter.name == "sneaky")).all() == []


def test_a_figure_that_cannot_be_worked_out_says_so_without_a_word_of_contents(session, caplog):
    class Context:
        pass

    def broken(ctx, period):
        raise KeyError("13800006021")

    Context.session = session
    book = FigureBook(lambda _owner: Context, [figure("x:broken", broken)])
    with pytest.raises(FigureFailed):
        book.measure("x:broken", YEAR)
    assert "138" not in caplog.text
    assert "KeyError" in caplog.text
    session.add(Counter(name="after"))
    session.commit()


def test_a_session_that_is_lent_twice_is_given_back_once(session):
    with lent(session):
        with lent(session), pytest.raises(NotYours):
            session.commit()
        with pytest.raises(NotYours):
            session.commit()
    session.commit()


def test_a_figure_carries_the_name_of_its_plugin(rogues, entry):
    rogues.module("odd", figures=lambda: [figure("other:x", lambda ctx, period: [])])
    host = PluginHost(("odd",), found=[entry("odd", "rogue_odd.plugin", "huiyin-odd")])
    assert "not named odd:" in host.refused[0].reason
