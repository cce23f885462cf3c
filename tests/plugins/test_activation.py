"""On and off, firm by firm."""

import dataclasses

import pytest
from sqlalchemy import select

from huiyin.kit.errors import NotFound, Refused
from huiyin.ledger.models import LedgerEntry
from huiyin.plugins import PluginHost, activation, drafts
from huiyin.queue.models import Schedule


def line(host, session, name="call_back"):
    (state,) = [state for state in activation.overview(host, session) if state.name == name]
    return state


def test_the_overview_says_how_each_plugin_stands(switched_on, session, admin, second, stranger):
    drafts.draft(stranger, session, admin, "call_back", {"hours": 8, "exchange_key": "x"})
    drafts.publish(stranger, session, second, "call_back")
    drafts.draft(stranger, session, admin, "call_back", {"hours": 9})
    state = line(stranger, session)
    assert (state.title, state.version, state.kind_title) == ("回电承诺", "1.2.0", "受理渠道")
    assert (state.active, state.works, state.overrides) == (True, True, 2)
    assert (state.settings_version, state.has_draft, state.failures) == (1, True, 0)


def test_a_plugin_that_could_not_be_loaded_is_shown_with_the_reason(session, entry):
    found = [entry("toy", "no_such_module.plugin", "huiyin-toy"), entry("evil", "os", "evil")]
    host = PluginHost(("toy",), found=found)
    (state,) = activation.overview(host, session)
    assert state.name == "toy"
    assert "ModuleNotFoundError" in state.load_error
    assert not state.works


def test_off_and_on_again_loses_nothing(switched_on, session, admin, stranger):
    activation.deactivate(stranger, session, admin, "call_back")
    session.commit()
    assert not line(stranger, session).active
    assert not stranger.is_active(session, "call_back")
    activation.activate(stranger, session, admin, "call_back")
    session.commit()
    assert stranger.is_active(session, "call_back")


def test_what_returns_by_itself_returns_only_while_it_is_on(switched_on, session, admin, stranger):
    names = select(Schedule.name)
    assert session.scalars(names).all() == ["plugin:call_back:tidy"]
    activation.deactivate(stranger, session, admin, "call_back")
    session.commit()
    assert session.scalars(names).all() == []


def test_each_change_is_in_the_book(switched_on, session, admin, stranger):
    activation.deactivate(stranger, session, admin, "call_back")
    activation.release(stranger, session, admin, "call_back")
    session.commit()
    kinds = select(LedgerEntry.kind).order_by(LedgerEntry.seq)
    assert session.scalars(kinds).all() == [
        "plugin.activated", "plugin.deactivated", "plugin.released",
    ]  # fmt: skip
    assert not line(stranger, session).active


def test_only_an_administrator_may(stranger, session, actor):
    for act in (activation.activate, activation.deactivate, activation.release):
        with pytest.raises(Refused):
            act(stranger, session, actor, "call_back")


def test_a_plugin_that_is_not_in_use_cannot_be_switched_on(stranger, session, admin):
    with pytest.raises(NotFound):
        activation.activate(stranger, session, admin, "absent")


def test_one_that_is_on_by_default_needs_no_word(rogues, entry, session):
    manifest = dataclasses.replace(rogues.GOOD, default_active=True)
    rogues.module("toy", manifest)
    host = PluginHost(("toy",), found=[entry("toy", "rogue_toy.plugin", "huiyin-toy")])
    assert host.is_active(session, "toy")
