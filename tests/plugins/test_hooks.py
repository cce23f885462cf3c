"""A firm's hooks: only what is on, in order, and nobody takes the page down."""

from contextlib import suppress
from importlib import import_module

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from huiyin.cases.stages import Stage
from huiyin.cases.verbs import VERBS
from huiyin.db import tenant_session
from huiyin.kit.i18n import Message
from huiyin.plugins import PluginHost, activation
from huiyin.plugins.health import PATIENCE
from huiyin.plugins.terms import NextStep, Opinion, Panel, Weight
from huiyin.tenancy.models import Counter, PluginHealth


@pytest.fixture
def promised(switched_on, session, case):
    promise = import_module("acme_call_back.models").Promise
    session.add(promise(case_id=case.id, due_at=case.received_at))
    session.commit()
    return case


@pytest.fixture
def crowd(rogues, entry, firm, admin):
    """A host of home-made plugins, all on: ``crowd(name={hook: function})``."""

    def make(**plugins):
        for name, hooks in plugins.items():
            rogues.module(name, **hooks)
        found = [entry(name, f"rogue_{name}.plugin", f"huiyin-{name}") for name in plugins]
        host = PluginHost(tuple(plugins), found=found)
        assert not host.refused
        with firm() as session:
            for name in plugins:
                activation.activate(host, session, admin, name)
            session.commit()
        return host

    return make


def says(*words):
    def next_steps(ctx, case):
        return [NextStep(Message(word), "/w") for word in words]

    return {"next_steps": next_steps}


def raises(ctx, case):
    raise RuntimeError("13800006021")


def health_of(engine, tenant, plugin):
    with tenant_session(engine, tenant.id) as session:
        return session.scalars(select(PluginHealth).where(PluginHealth.plugin == plugin)).one()


def test_what_is_off_says_nothing(stranger, tables, hooks, case):
    asked = hooks()
    assert asked.active == ()
    assert asked.navigation() == []
    assert asked.channels() == []
    assert asked.gates("preliminary") == []
    assert asked.case_panels(case) == []


def test_what_is_on_speaks_through_every_hook(promised, hooks):
    asked = hooks()
    assert [line.path for line in asked.navigation()] == ["/w/x/call-back"]
    assert [channel.name for channel in asked.channels()] == ["call_back"]
    assert [gate.name for gate in asked.gates(Stage.PRELIMINARY)] == ["call_back:called"]
    assert asked.gates(Stage.PLAN) == []
    (panel,) = asked.case_panels(promised)
    assert "承诺回电" in panel.body
    (opinion,) = asked.gate_opinions(promised, VERBS["investigate"])
    assert opinion.weight is Weight.WARN
    assert asked.gate_opinions(promised, VERBS["note"]) == []
    (step,) = asked.next_steps(promised)
    assert step.path == "/w/x/call-back"
    assert asked.navigation_counts() == {"call_back:due": 1}


def test_another_firm_that_has_it_off_hears_nothing(promised, engine, make_tenant, stranger):
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as session:
        assert stranger.hooks_in(session, other).active == ()


def test_plugins_speak_in_the_order_of_their_names(crowd, session, tenant, case):
    host = crowd(zebra=says("z"), apple=says("a", "b"), mango=says("m"))
    steps = host.hooks_in(session, tenant).next_steps(case)
    assert [step.title.key for step in steps] == ["a", "b", "m", "z"]


def test_one_that_raises_takes_nothing_down_and_is_counted(crowd, session, tenant, engine, case):
    host = crowd(apple=says("a"), bad={"next_steps": raises}, zebra=says("z"))
    session.add(Counter(name="core", value=7))
    steps = host.hooks_in(session, tenant).next_steps(case)
    session.commit()
    assert [step.title.key for step in steps] == ["a", "z"]
    assert session.scalar(select(Counter.value).where(Counter.name == "core")) == 7
    known = health_of(engine, tenant, "bad")
    assert known.failures == 1
    assert known.last_error.startswith("next_steps: RuntimeError at ")
    assert "138" not in known.last_error


def test_the_count_survives_when_the_page_is_undone(crowd, session, tenant, engine, case):
    host = crowd(bad={"next_steps": raises})
    host.hooks_in(session, tenant).next_steps(case)
    session.rollback()
    assert health_of(engine, tenant, "bad").failures == 1


def test_after_repeated_failure_it_is_set_aside_for_this_firm_only(
    crowd, session, tenant, engine, case, make_tenant
):
    host = crowd(bad={"next_steps": raises})
    for _ in range(PATIENCE):
        assert host.is_active(session, "bad")
        host.hooks_in(session, tenant).next_steps(case)
    assert not host.is_active(session, "bad")
    assert host.hooks_in(session, tenant).active == ()
    assert health_of(engine, tenant, "bad").quarantined_at is not None
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as elsewhere:
        assert host.standings.of(elsewhere).set_aside == frozenset()


def test_an_administrator_lets_it_back(crowd, session, tenant, case, firm, admin):
    host = crowd(bad={"next_steps": raises})
    for _ in range(PATIENCE):
        host.hooks_in(session, tenant).next_steps(case)
    with firm() as other:
        activation.release(host, other, admin, "bad")
        other.commit()
    assert host.is_active(session, "bad")


def test_failures_count_in_a_row(crowd, session, tenant, engine, case):
    behaves = []

    def next_steps(ctx, case):
        if not behaves:
            raise ValueError
        return ()

    host = crowd(moody={"next_steps": next_steps})
    for _ in range(PATIENCE - 1):
        host.hooks_in(session, tenant).next_steps(case)
    behaves.append(True)
    host.hooks_in(session, tenant).next_steps(case)
    assert health_of(engine, tenant, "moody").failures == 0


def test_what_an_asking_hook_writes_is_taken_back(crowd, session, tenant, case):
    def next_steps(ctx, case):
        ctx.session.add(Counter(name="sneaky"))
        ctx.session.flush()
        return [NextStep(Message("x"), "/w")]

    host = crowd(sneaky={"next_steps": next_steps})
    assert len(host.hooks_in(session, tenant).next_steps(case)) == 1
    session.commit()
    assert session.scalars(select(Counter).where(Counter.name == "sneaky")).all() == []


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
def test_a_hook_cannot_end_the_transaction_of_the_core(
    crowd, session, tenant, engine, case, ending
):
    def next_steps(ctx, case):
        getattr(ctx.session, ending)()
        return ()

    host = crowd(hasty={"next_steps": next_steps})
    session.add(Counter(name="core", value=1))
    host.hooks_in(session, tenant).next_steps(case)
    found = select(Counter.name).where(Counter.name == "core")
    with tenant_session(engine, tenant.id) as other:
        assert other.scalars(found).all() == []
    session.commit()
    assert session.scalars(found).all() == ["core"]
    assert "NotYours" in health_of(engine, tenant, "hasty").last_error


def test_a_statement_that_the_database_refuses_breaks_nothing(crowd, session, tenant, case):
    def next_steps(ctx, case):
        ctx.session.add(Counter(name=None))
        ctx.session.flush()

    host = crowd(clumsy={"next_steps": next_steps}, tidy=says("t"))
    assert len(host.hooks_in(session, tenant).next_steps(case)) == 1
    session.add(Counter(name="after"))
    session.commit()


def test_one_that_goes_on_after_a_failed_flush_is_blamed_and_the_page_goes_on(
    crowd, session, tenant, engine, case
):
    """What it meets then is the very error that a lost connection gives."""

    def next_steps(ctx, case):
        ctx.session.add(Counter(name=None))
        with suppress(IntegrityError):
            ctx.session.flush()
        ctx.session.scalar(select(Counter.value))

    host = crowd(careless={"next_steps": next_steps}, tidy=says("t"))
    session.add(Counter(name="core", value=7))
    assert len(host.hooks_in(session, tenant).next_steps(case)) == 1
    session.commit()
    assert session.scalar(select(Counter.value).where(Counter.name == "core")) == 7
    assert "PendingRollbackError" in health_of(engine, tenant, "careless").last_error


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("case_panels", "<b>bare</b>"),
        ("next_steps", [Panel]),
        ("next_steps", "text"),
        ("next_steps", 7),
    ],
)
def test_an_answer_of_the_wrong_kind_is_a_failure(
    crowd, session, tenant, engine, case, hook, answer
):
    host = crowd(odd={hook: lambda ctx, case: answer})
    assert getattr(host.hooks_in(session, tenant), hook)(case) == []
    assert health_of(engine, tenant, "odd").failures == 1


def test_no_opinion_can_let_something_pass():
    assert {weight.value for weight in Weight} == {"warn", "block"}
    assert not hasattr(Opinion, "allow")


def test_a_page_asks_once_which_plugins_are_on(switched_on, engine, tenant, stranger):
    stranger.forget()
    asked = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_):
        if "plugin_activation" in statement:
            asked.append(statement)

    try:
        for _ in range(3):
            with tenant_session(engine, tenant.id) as session:
                assert stranger.is_active(session, "call_back")
                stranger.hooks_in(session, tenant).navigation()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 1
