"""API tokens: never wider than their maker, and gone with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from huiyin.db import platform_session, tenant_session
from huiyin.identity import service, tokens
from huiyin.identity.actor import complainant_actor, system_actor
from huiyin.identity.models import ApiToken
from huiyin.identity.policy import Role
from huiyin.kit.errors import Invalid, NotFound, Refused
from huiyin.kit.time import clock_at

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _start():
    with clock_at(START):
        yield


@pytest.fixture
def token(session, actor):
    plain = tokens.create_token(session, actor, "官网表单", ["case.file", "case.read"], 30)
    session.commit()
    return plain


def test_a_token_acts_as_its_maker_within_its_scopes(session, actor, token):
    who = tokens.resolve_token(session, token)
    assert (who.id, who.name, who.tenant_id) == (actor.id, actor.name, actor.tenant_id)
    assert who.permissions == {"case.file", "case.read"}
    assert actor.can("case.talk")
    assert not who.can("case.talk")


def test_only_its_hash_is_kept(session, token):
    assert token.startswith("hy_")
    assert len(token) == 46
    row = session.scalars(select(ApiToken)).one()
    assert token not in str(vars(row))


def test_it_is_resolved_in_one_query(engine, session, token):
    seen = []

    def listen(*facts):
        seen.append(facts[2])

    session.connection()
    event.listen(engine, "before_cursor_execute", listen)
    tokens.resolve_token(session, token)
    event.remove(engine, "before_cursor_execute", listen)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "plain", ["", "hy_", "hy_" + "A" * 43, "xx_" + "A" * 43, "hy_" + "回" * 43]
)
def test_a_guess_opens_nothing(session, token, plain):
    assert tokens.resolve_token(session, plain) is None


def test_it_opens_nothing_in_another_firm(engine, make_tenant, token):
    with tenant_session(engine, make_tenant("yuancen").id) as other:
        assert tokens.resolve_token(other, token) is None


def test_it_ends_on_its_day(session, token):
    with clock_at(START + timedelta(days=30, seconds=-1)):
        assert tokens.resolve_token(session, token)
    with clock_at(START + timedelta(days=30)):
        assert tokens.resolve_token(session, token) is None


def test_it_loses_what_its_maker_loses(session, make_actor):
    chief, maker = make_actor("tenant_admin"), make_actor("investigator")
    token = tokens.create_token(session, maker, "报表", ["case.read", "settings.read"], 30)
    session.commit()
    service.change_roles(session, maker.id, {Role.EXECUTIVE_VIEWER}, actor=chief)
    assert tokens.resolve_token(session, token).permissions == {"settings.read"}
    service.deactivate(session, maker.id, actor=chief)
    assert tokens.resolve_token(session, token) is None


def test_a_disabled_makers_token_is_void(engine, session, actor, token):
    with platform_session(engine) as platform:
        service.disable_account(platform, actor.id)
        platform.commit()
    assert tokens.resolve_token(session, token) is None


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("label", (" ", ["case.file"], 30)),
        ("scopes", ("x", [], 30)),
        ("scopes", ("x", ["case.file", "case.approve"], 30)),
        ("scopes", ("x", ["everything"], 30)),
        ("days", ("x", ["case.file"], 0)),
        ("days", ("x", ["case.file"], 366)),
    ],
)
def test_a_token_that_cannot_be_says_where(session, actor, field, facts):
    with pytest.raises(Invalid) as refused:
        tokens.create_token(session, actor, *facts)
    assert list(refused.value.fields) == [field]


def test_a_token_makes_no_tokens_and_neither_do_those_who_are_no_members(
    session, tenant, token, make_actor, make_tenant
):
    stranger = make_actor("complaint_officer", of=make_tenant("yuancen"))
    for who in (
        tokens.resolve_token(session, token),
        system_actor(tenant.id),
        complainant_actor(tenant.id),
        stranger,
    ):
        with pytest.raises(Refused):
            tokens.create_token(session, who, "x", ["case.file"], 30)


def test_use_is_noted_at_most_once_a_minute(session, token):
    for seconds, noted in [(0, 0), (60, 0), (61, 61)]:
        with clock_at(START + timedelta(seconds=seconds)):
            tokens.note_use(session, token)
        used = session.scalar(select(ApiToken.last_used_at))
        assert used == START + timedelta(seconds=noted)


def test_the_owner_and_those_who_manage_tokens_see_and_end_it(session, actor, token, make_actor):
    colleague, chief = make_actor("complaint_officer"), make_actor("tenant_admin")
    assert tokens.list_tokens(session, colleague) == []
    entry = tokens.list_tokens(session, chief)[0]
    assert tokens.list_tokens(session, actor) == [entry]
    assert (entry.owner, entry.label) == (actor.name, "官网表单")
    with pytest.raises(NotFound):
        tokens.revoke_token(session, colleague, entry.id)
    assert tokens.resolve_token(session, token)
    tokens.revoke_token(session, chief, entry.id)
    assert tokens.resolve_token(session, token) is None


def test_its_owner_can_end_it_too(session, actor, token):
    tokens.revoke_token(session, actor, tokens.list_tokens(session, actor)[0].id)
    assert tokens.resolve_token(session, token) is None
