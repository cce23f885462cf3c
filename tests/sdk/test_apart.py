"""What stands whatever becomes of the work around it, and secrets that a row keeps."""

import pytest

from huiyin.sdk import apart, rehearse
from huiyin.tenancy.models import PluginActivation
from huiyin_channel_wecom import plugin


@pytest.fixture
def ctx(session):
    return rehearse(plugin, session, name="channel_wecom")


def on(session):
    return [row.plugin for row in session.query(PluginActivation).order_by("plugin")]


def test_what_is_done_apart_stands_when_the_rest_is_taken_back(ctx, session):
    session.add(PluginActivation(plugin="around", active=True))
    session.flush()
    with apart(ctx) as own:
        assert on(own.session) == []  # what is not committed is not seen
        own.session.add(PluginActivation(plugin="apart", active=True))
    session.rollback()
    assert on(session) == ["apart"]


def test_what_fails_apart_is_undone_and_heard_of(ctx, session):
    def fail():
        with apart(ctx) as own:
            own.session.add(PluginActivation(plugin="apart", active=True))
            own.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert on(session) == []


def test_it_is_the_same_firm_and_actor(ctx):
    with apart(ctx) as own:
        assert own.session.tenant == ctx.session.tenant
        assert own.actor == ctx.actor
        assert own.session is not ctx.session


def test_a_sealed_text_opens_under_its_name_only(ctx, session):
    box = ctx.seal("key", "geheim")
    assert "geheim" not in box
    assert box != ctx.seal("key", "geheim")
    assert ctx.unseal("key", box) == "geheim"
    assert ctx.unseal("other", box) == ""
    assert ctx.unseal("key", box[:-4] + "AAAA") == ""
    assert ctx.unseal("key", "") == ""
    other = rehearse(plugin, session, name="channel_web")
    assert other.unseal("key", box) == ""
