"""Counting tries: who is stopped, for how long, and who is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from huiyin.db import platform_session
from huiyin.identity import throttle
from huiyin.identity.models import Attempt
from huiyin.identity.throttle import Throttle
from huiyin.kit.errors import Throttled
from huiyin.kit.time import clock_at

PEPPER = b"a secret of this installation"
THREE = Throttle("three", 3, 600)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon():
    with clock_at(NOON):
        yield


def try_once(engine, *keys, limit=THREE):
    return throttle.count_attempt(engine, limit, *keys, pepper=PEPPER)


def test_the_try_after_the_limit_is_refused_until_the_window_ends(engine):
    assert [try_once(engine, "ann") for _ in range(3)] == [1, 2, 3]
    with clock_at(NOON + timedelta(seconds=400)), pytest.raises(Throttled) as refused:
        try_once(engine, "ann")
    assert refused.value.retry_after == 200
    with clock_at(NOON + timedelta(seconds=600)):
        assert try_once(engine, "ann") == 1


def test_one_key_and_one_limit_never_use_up_anothers(engine):
    for _ in range(3):
        try_once(engine, "ann", "10.1.1.0/24")
    assert try_once(engine, "ann", "10.9.9.0/24") == 1
    assert try_once(engine, "bob", "10.1.1.0/24") == 1
    assert try_once(engine, "ann", "10.1.1.0/24", limit=Throttle("other", 3, 600)) == 1


def test_keys_cannot_be_joined_into_one_another(engine):
    try_once(engine, "ab", "c")
    assert try_once(engine, "a", "bc") == 1
    assert try_once(engine, "abc") == 1


def test_a_try_counts_even_when_the_request_is_rolled_back(engine):
    with platform_session(engine) as session:
        session.execute(select(1))
        try_once(engine, "ann")
        session.rollback()
    assert try_once(engine, "ann") == 2


def test_inside_a_callers_session_it_counts_when_the_caller_commits(engine):
    with platform_session(engine) as session:
        throttle.hit(session, THREE, "ann", pepper=PEPPER)
        session.commit()
        for _ in range(2):
            throttle.hit(session, THREE, "ann", pepper=PEPPER)
        with pytest.raises(Throttled):
            throttle.hit(session, THREE, "ann", pepper=PEPPER)
        session.rollback()
    assert try_once(engine, "ann") == 2


def test_tries_at_the_same_moment_are_all_counted(engine):
    with ThreadPoolExecutor(6) as pool:
        limit = Throttle("many", 100, 600)
        list(pool.map(lambda _: counted_at_noon(engine, limit), range(30)))
    assert try_once(engine, "ann", limit=limit) == 31


def counted_at_noon(engine, limit):
    with clock_at(NOON):
        try_once(engine, "ann", limit=limit)


def test_success_forgets_the_key_and_no_other(engine):
    for key in ("ann", "ann", "bob", "bob"):
        try_once(engine, key)
    throttle.clear(engine, THREE, "ann", pepper=PEPPER)
    assert try_once(engine, "ann") == 1
    assert try_once(engine, "bob") == 3


def test_taking_back_uncounts_one_try_and_never_goes_below_none(engine):
    try_once(engine, "net")
    try_once(engine, "net")
    for _ in range(4):
        throttle.take_back(engine, THREE, "net", pepper=PEPPER)
    assert try_once(engine, "net") == 1


def test_the_table_holds_no_address_and_no_name(engine):
    try_once(engine, "ann@huiyin.test", "203.0.113.0/24")
    with platform_session(engine) as session:
        key = session.scalars(select(Attempt.key_hash)).one()
    assert len(key) == 32
    assert b"ann" not in key
    assert throttle._key(THREE, ("x",), PEPPER) != throttle._key(THREE, ("x",), b"another")


def test_old_windows_are_swept(engine):
    with clock_at(NOON - timedelta(days=2)):
        try_once(engine, "ann")
    try_once(engine, "ann")
    with platform_session(engine) as session:
        assert throttle.forget_old(session) == 1
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


@pytest.mark.parametrize(
    ("ip", "neighbourhood"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        (" 203.0.113.1 ", "203.0.113.0/24"),
        ("not an address", "unreadable"),
        ("", "unreadable"),
    ],
)
def test_an_address_counts_with_its_neighbours(ip, neighbourhood):
    assert throttle.network(ip) == neighbourhood


def test_the_limits_are_those_of_the_security_plan():
    plan = [
        (t.limit, t.window)
        for t in (
            throttle.LOGIN,
            throttle.LOGIN_NETWORK,
            throttle.TRACKING,
            throttle.TRACKING_NUMBER,
            throttle.TRACKING_NETWORK,
        )
    ]
    assert plan == [(10, 900), (50, 900), (5, 900), (100, 900), (30, 900)]
