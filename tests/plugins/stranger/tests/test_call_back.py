"""The stranger's own tests, run from the wheel and the installed fixtures."""

import pytest
from acme_call_back import plugin
from acme_call_back.settings import CallBackSettings

from huiyin.sdk import VERBS, Case, Event, Weight, rehearse, uuid7


@pytest.fixture
def ctx(session):
    return rehearse(plugin, session, name="call_back", settings=CallBackSettings(required=True))


def test_an_accepted_case_is_promised_one_call_however_often_we_are_told(ctx):
    case = Case(id=uuid7())
    for _ in range(2):
        plugin.on_event(ctx, Event(uuid7(), "case.accepted", case.id))
        ctx.session.flush()
    assert plugin.promise_of(ctx, case).kept_at is None
    (opinion,) = plugin.gate_opinions(ctx, case, VERBS["investigate"])
    assert opinion.weight is Weight.BLOCK
