"""Log-in, log-out and changing a password, as an attacker and as the owner see them."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from huiyin.db import platform_session
from huiyin.identity import service, sessions, throttle
from huiyin.identity.errors import WrongCredentials
from huiyin.identity.models import Account, LoginSession
from huiyin.identity.passwords import NOBODY, outdated
from huiyin.kit.errors import Invalid, Throttled
from huiyin.testing import factories
from huiyin.testing.factories import PASSWORD

PEPPER = b"a secret of this installation"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.7"
EMAIL = "shen@huiyin.test"


@pytest.fixture
def account(engine):
    return factories.make_account(engine, name="沈佳宁", email=EMAIL)


@pytest.fixture
def cheap(monkeypatch):
    """Whether a password is right, decided without hashing; answers what was verified."""
    asked = []

    def verify(known, password):
        asked.append(known)
        return known != NOBODY and password == PASSWORD

    monkeypatch.setattr(service, "verify_password", verify)
    return asked


def log_in(engine, email=EMAIL, password=PASSWORD, ip=HERE, **more):
    return service.log_in(engine, email, password, ip, "Firefox", pepper=PEPPER, **more)


def who(engine, token):
    with platform_session(engine) as session:
        return sessions.resolve(session, token)


def refusal(engine, **attempt):
    with pytest.raises(WrongCredentials) as refused:
        log_in(engine, **attempt)
    error = refused.value
    return (
        error.status,
        error.code,
        str(error.message),
        {k: str(v) for k, v in error.fields.items()},
    )


def test_the_right_password_opens_a_session(engine, account):
    assert who(engine, log_in(engine, email=f" {EMAIL.upper()}\n")).account_id == account.id


def test_an_unknown_address_a_wrong_password_and_a_disabled_account_answer_alike(engine, account):
    wrong = refusal(engine, password="wrong horse battery")
    unknown = refusal(engine, email="nobody@huiyin.test")
    with platform_session(engine) as session:
        service.disable_account(session, account.id)
        session.commit()
    assert wrong == unknown == refusal(engine)
    assert wrong[2] == "邮箱或密码不正确"


def test_an_unknown_address_costs_a_verification_too(engine, cheap):
    refusal(engine, email="nobody@huiyin.test")
    assert cheap == [NOBODY]


def test_a_password_too_long_to_hash_is_wrong(engine, account):
    refusal(engine, password=PASSWORD + "x" * 100_000)


def test_an_address_no_database_can_hold_is_merely_wrong(engine):
    refusal(engine, email="a\x00b@huiyin.test")


def test_the_id_a_browser_brought_is_neither_used_nor_left_alive(engine, account):
    planted = "A" * 43
    token = log_in(engine, previous=planted)
    assert token != planted
    assert who(engine, planted) is None
    again = log_in(engine, previous=token)
    assert who(engine, token) is None
    assert who(engine, again)


def test_a_session_replayed_after_log_out_opens_nothing(engine, account):
    token = log_in(engine)
    with platform_session(engine) as session:
        service.log_out(session, token)
        session.commit()
    assert who(engine, token) is None


def test_a_weak_hash_is_made_anew_at_log_in(engine, account):
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with platform_session(engine) as session:
        session.execute(update(Account).values(password_hash=weak))
        session.commit()
    log_in(engine)
    with platform_session(engine) as session:
        fresh = session.scalars(select(Account.password_hash)).one()
    assert fresh != weak
    assert not outdated(fresh)


def exhaust(engine, email=EMAIL, ip=HERE):
    for _ in range(throttle.LOGIN.limit):
        refusal(engine, email=email, password="wrong", ip=ip)
    with pytest.raises(Throttled) as stopped:
        log_in(engine, email=email, ip=ip)
    assert 0 < stopped.value.retry_after <= throttle.LOGIN.window


def test_guessing_stops_after_ten_tries_even_with_the_right_password(engine, account, cheap):
    exhaust(engine)
    assert len(cheap) == throttle.LOGIN.limit


def test_guessing_is_stopped_for_unknown_addresses_all_the_same(engine, cheap):
    exhaust(engine, email="nobody@huiyin.test")


def test_the_owner_is_not_locked_out_by_somebody_elsewhere(engine, account, cheap):
    exhaust(engine, ip=ELSEWHERE)
    assert log_in(engine, ip=HERE)


def test_a_colleague_in_the_same_network_is_not_locked_out(engine, account, cheap):
    exhaust(engine, email="nobody@huiyin.test")
    assert log_in(engine)


def test_a_new_address_in_the_same_network_does_not_start_the_count_again(engine, account, cheap):
    exhaust(engine, ip="203.0.113.8")
    with pytest.raises(Throttled):
        log_in(engine, ip="203.0.113.200")


def test_one_network_trying_many_accounts_is_stopped(engine, account, cheap):
    for number in range(throttle.LOGIN_NETWORK.limit):
        refusal(engine, email=f"person{number}@huiyin.test", ip=ELSEWHERE)
    with pytest.raises(Throttled):
        log_in(engine, ip=ELSEWHERE)
    assert log_in(engine, ip=HERE)


def test_an_office_that_logs_in_rightly_is_never_stopped(engine, account, cheap):
    for _ in range(throttle.LOGIN_NETWORK.limit + 5):
        assert log_in(engine)


def test_a_password_changed_ends_every_session_and_opens_one(engine, account):
    browser, other = log_in(engine), log_in(engine)
    new = "another horse battery"
    token = service.change_password(engine, account.id, PASSWORD, new, "Firefox", pepper=PEPPER)
    assert who(engine, browser) is None
    assert who(engine, other) is None
    assert who(engine, token).account_id == account.id
    refusal(engine)
    assert log_in(engine, password=new)


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", "another horse battery", "current"),
        (PASSWORD, PASSWORD, "new"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "aaaaaaaaaaaaaaaa", "new"),
        (PASSWORD, EMAIL.upper(), "new"),
        (PASSWORD, "long horse " * 30, "new"),
    ],
)
@pytest.mark.usefixtures("cheap")
def test_a_change_that_cannot_be_says_where(engine, account, current, new, field):
    token = log_in(engine)
    with pytest.raises(Invalid) as refused:
        service.change_password(engine, account.id, current, new, "Firefox", pepper=PEPPER)
    assert list(refused.value.fields) == [field]
    assert who(engine, token)


def test_a_stolen_browser_cannot_guess_the_password_forever(engine, account, cheap):
    def change():
        service.change_password(engine, account.id, "wrong", "x" * 20, "Firefox", pepper=PEPPER)

    for _ in range(throttle.PASSWORD.limit):
        with pytest.raises(Invalid):
            change()
    with pytest.raises(Throttled):
        change()


def test_an_account_is_made_once_per_address_whatever_its_case(engine):
    with platform_session(engine) as session:
        made = service.create_account(session, "Ann@Huiyin.test", " 安 ", "correct horse battery")
        assert (made.email, made.name) == ("ann@huiyin.test", "安")
        with pytest.raises(Invalid) as refused:
            service.create_account(session, "ann@huiyin.TEST", "安", "correct horse battery")
        assert list(refused.value.fields) == ["email"]
        session.commit()
        assert service.find_account(session, " ANN@huiyin.test").id == made.id
    assert who(engine, log_in(engine, email="ann@huiyin.test"))


@pytest.mark.parametrize("email", ["", "ann", "ann@", "@huiyin.test", "a b@huiyin.test", "a@b"])
def test_an_address_that_is_none_makes_no_account(engine, email):
    with platform_session(engine) as session, pytest.raises(Invalid) as refused:
        service.create_account(session, email, "安", "correct horse battery")
    assert list(refused.value.fields) == ["email"]


def test_a_disabled_account_keeps_no_session(engine, account):
    log_in(engine)
    with platform_session(engine) as session:
        service.disable_account(session, account.id)
        session.commit()
        assert session.scalars(select(LoginSession.revoked_at)).one() is not None
