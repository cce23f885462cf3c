"""Sessions: what a stolen, planted, old or idle id opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import event, select

from huiyin.db import platform_session, tenant_session
from huiyin.identity import sessions
from huiyin.identity.models import Account, LoginSession
from huiyin.identity.policy import Role
from huiyin.identity.service import deactivate, disable_account
from huiyin.kit.errors import NotFound
from huiyin.kit.time import clock_at
from huiyin.testing import factories

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def account(engine):
    return factories.make_account(engine, name="沈佳宁")


def opened(engine, account, at=START):
    with platform_session(engine) as session:
        token = sessions.open_session(session, account, "Firefox", at)
        session.commit()
        return token


def resolved(engine, token, at=START, tenant=None):
    session = platform_session(engine) if tenant is None else tenant_session(engine, tenant.id)
    with clock_at(at), session:
        return sessions.resolve(session, token)


def used(engine, token, at):
    with clock_at(at), platform_session(engine) as session:
        who = sessions.resolve(session, token)
        written = sessions.touch(session, who)
        session.commit()
        return written


def test_the_id_has_256_bits_and_only_its_hash_is_kept(engine, account):
    token = opened(engine, account)
    assert len(token) == 43
    with platform_session(engine) as session:
        row = session.scalars(select(LoginSession)).one()
    assert row.id_hash == sha256(token.encode()).digest()
    assert token not in str(vars(row))


def test_a_session_tells_who_it_is(engine, account):
    who = resolved(engine, opened(engine, account))
    assert (who.account_id, who.account_name, who.email) == (account.id, "沈佳宁", account.email)
    assert who.membership is None
    assert who.actor(account.id) is None


def test_in_a_firm_the_membership_comes_along_in_the_same_query(engine, tenant, make_actor):
    member = make_actor("complaint_officer", "investigator", name="沈佳宁")
    with platform_session(engine) as session:
        account = session.get_one(Account, member.id)
    token = opened(engine, account)
    with clock_at(START), tenant_session(engine, tenant.id) as session:
        seen = []

        def listen(*facts):
            seen.append(facts[2])

        session.connection()
        event.listen(engine, "before_cursor_execute", listen)
        who = sessions.resolve(session, token)
        event.remove(engine, "before_cursor_execute", listen)
    assert len(seen) == 1
    assert who.membership.roles == {Role.COMPLAINT_OFFICER, Role.INVESTIGATOR}
    assert who.actor(tenant.id) == member


def test_another_firm_sees_the_person_but_no_membership(engine, make_tenant, account, make_actor):
    token = opened(engine, account)
    who = resolved(engine, token, tenant=make_tenant("yuancen"))
    assert who.account_id == account.id
    assert who.membership is None


def test_a_membership_that_ended_is_gone_at_the_next_request(engine, tenant, make_actor):
    member = make_actor("investigator")
    chief = make_actor("tenant_admin")
    with platform_session(engine) as session:
        token = opened(engine, session.get_one(Account, member.id))
    assert resolved(engine, token, tenant=tenant).membership
    with tenant_session(engine, tenant.id, actor_id=chief.id) as session:
        deactivate(session, member.id, actor=chief)
        session.commit()
    assert resolved(engine, token, tenant=tenant).membership is None


@pytest.mark.parametrize("planted", ["ATTACKERCHOSEN", "A" * 43, "", "回" * 43, "A" * 5000])
def test_an_id_the_browser_chose_opens_nothing(engine, account, planted):
    opened(engine, account)
    assert resolved(engine, planted) is None


def test_logging_in_again_gives_a_new_id_and_ends_the_old_one(engine, account):
    old = opened(engine, account)
    with platform_session(engine) as session:
        new = sessions.rotate(session, old, account, "Firefox", START)
        session.commit()
    assert new != old
    assert resolved(engine, old) is None
    assert resolved(engine, new).account_id == account.id


def test_an_id_replayed_after_log_out_opens_nothing(engine, account):
    token, other = opened(engine, account), opened(engine, account)
    with platform_session(engine) as session:
        sessions.revoke(session, token)
        session.commit()
    assert resolved(engine, token) is None
    assert resolved(engine, other)


def test_a_disabled_person_is_out_at_the_next_request(engine, account):
    token = opened(engine, account)
    with platform_session(engine) as session:
        disable_account(session, account.id)
        session.commit()
    assert resolved(engine, token) is None


def test_disabling_alone_is_enough_even_if_a_session_was_left_open(engine, account):
    token = opened(engine, account)
    with platform_session(engine) as session:
        session.get_one(Account, account.id).disabled_at = START
        session.commit()
    assert resolved(engine, token) is None


def test_half_an_hour_without_use_ends_it(engine, account):
    token = opened(engine, account)
    assert resolved(engine, token, minutes(29.9))
    assert resolved(engine, token, minutes(30)) is None


def test_use_keeps_it_open_until_twelve_hours_have_passed(engine, account):
    token = opened(engine, account)
    for minute in range(25, 12 * 60, 25):
        assert used(engine, token, minutes(minute))
    assert resolved(engine, token, minutes(12 * 60 - 1))
    assert resolved(engine, token, minutes(12 * 60)) is None


def test_use_is_written_at_most_once_a_minute(engine, account):
    token = opened(engine, account)
    assert not used(engine, token, minutes(1))
    assert used(engine, token, minutes(1.1))
    assert not used(engine, token, minutes(2))


def test_use_noted_late_does_not_revive_a_session_that_was_ended(engine, account):
    token = opened(engine, account)
    with clock_at(minutes(5)), platform_session(engine) as session:
        who = sessions.resolve(session, token)
        sessions.revoke(session, token)
        assert not sessions.touch(session, who)


def test_a_clock_set_back_revives_nobody(engine, account):
    token = opened(engine, account)
    assert used(engine, token, minutes(20))
    assert resolved(engine, token, minutes(60)) is None
    assert resolved(engine, token, minutes(-1440)) is None
    assert resolved(engine, token, minutes(14)) is None


def test_a_person_sees_and_ends_only_their_own_browsers(engine, account):
    stranger = factories.make_account(engine)
    opened(engine, account, minutes(-40))
    first, second = opened(engine, account), opened(engine, account, minutes(1))
    theirs = opened(engine, stranger)
    with clock_at(minutes(2)), platform_session(engine) as session:
        mine = sessions.list_sessions(session, account.id)
        assert [row.created_at for row in mine] == [minutes(1), START]
        foreign = sessions.list_sessions(session, stranger.id)[0]
        with pytest.raises(NotFound):
            sessions.revoke_one(session, account.id, foreign.id)
        sessions.revoke_one(session, account.id, mine[0].id)
        session.commit()
    assert resolved(engine, second, minutes(2)) is None
    assert resolved(engine, first, minutes(2))
    assert resolved(engine, theirs, minutes(2))


def test_everywhere_means_everywhere_and_only_this_person(engine, account):
    tokens = [opened(engine, account) for _ in range(3)]
    theirs = opened(engine, factories.make_account(engine))
    with platform_session(engine) as session:
        assert sessions.revoke_all(session, account.id) == 3
        session.commit()
    assert not any(resolved(engine, token) for token in tokens)
    assert resolved(engine, theirs)


def test_a_role_the_policy_no_longer_knows_grants_nothing():
    assert sessions.known_roles(["approver", "emperor"]) == {Role.APPROVER}
