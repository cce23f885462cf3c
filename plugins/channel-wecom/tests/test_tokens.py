"""The access token: fetched once, kept sealed, replaced once, told to nobody."""

import logging
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.db import tenant_session
from huiyin.kit.time import clock_at, now
from huiyin.sdk import rehearse
from huiyin_channel_wecom import client, plugin, tokens
from huiyin_channel_wecom.models import Token
from huiyin_channel_wecom.roads import Account, account_of
from huiyin_channel_wecom.settings import ChannelWecomSettings

from .conftest import OPEN
from .provider import GOOD_FOR


@pytest.fixture
def ctx(firm, session):
    return rehearse(
        plugin, session, name="channel_wecom", settings=ChannelWecomSettings(**OPEN)
    )  # fmt: skip


@pytest.fixture
def account(ctx):
    return account_of(ctx, "wecom")


def test_it_is_fetched_once_and_kept_sealed(firm, ctx, account, session):
    first = tokens.of(ctx, account)
    assert tokens.of(ctx, account) == first
    assert firm.asked == ["cgi-bin/gettoken"]
    row = session.scalars(select(Token)).one()
    assert first not in row.sealed
    assert row.good_until > now() + timedelta(seconds=GOOD_FOR - 60)


def test_it_is_fetched_anew_before_it_ends(firm, ctx, account):
    first = tokens.of(ctx, account)
    with clock_at(now() + timedelta(seconds=GOOD_FOR - 200)):
        assert tokens.of(ctx, account) != first


def test_it_stands_though_the_work_was_taken_back(firm, ctx, account, session):
    first = tokens.of(ctx, account)
    session.rollback()
    assert tokens.of(ctx, account) == first


def test_another_application_begins_with_none(firm, ctx, account):
    tokens.of(ctx, account)
    with pytest.raises(client.Trouble) as refused:
        tokens.of(ctx, Account("wecom", "wwAnother", account.secret))
    assert refused.value.code == 40013


def test_two_nodes_at_once_fetch_one(firm, ctx, account, engine, tenant):
    together, found = threading.Barrier(4), []

    def node():
        with tenant_session(engine, tenant.id) as own:
            mine = rehearse(
                plugin, own, name="channel_wecom", settings=ChannelWecomSettings(**OPEN)
            )  # fmt: skip
            together.wait()
            found.append(tokens.of(mine, account))

    nodes = [threading.Thread(target=node) for _ in range(4)]
    for thread in nodes:
        thread.start()
    for thread in nodes:
        thread.join(60)
    assert len(found) == 4
    assert len(set(found)) == 1
    assert firm.asked == ["cgi-bin/gettoken"]


def test_two_that_find_it_bad_replace_it_once(firm, ctx, account):
    bad = tokens.of(ctx, account)
    firm.expire()
    good = tokens.another(ctx, account, bad)
    assert tokens.another(ctx, account, bad) == good
    assert firm.asked.count("cgi-bin/gettoken") == 2


def test_a_wrong_secret_is_noted_with_its_code(firm, ctx, account, session):
    with pytest.raises(client.Trouble):
        tokens.of(ctx, Account("wecom", account.id, "wrong"))
    assert session.scalars(select(Token.error)).one() == 40001
    tokens.of(ctx, account)
    session.expire_all()
    assert session.scalars(select(Token.error)).one() == 0


def test_nothing_of_it_is_logged(firm, ctx, account, caplog):
    caplog.set_level(logging.DEBUG)
    token = tokens.of(ctx, account)
    firm.media["m"] = ({"Content-Type": "image/png"}, b"x")
    client.get_media("wecom", token, "m")
    firm.drop.add("cgi-bin/kf/send_msg")
    with pytest.raises(client.Trouble):
        client.send_kf(token, "wk", "wm", "text", "id")
    assert token not in caplog.text
    assert account.secret not in caplog.text
    assert account.secret not in repr(account)
