"""The bus: heard after the commit, by those who watch, and by everybody after a break."""

import queue
import uuid

import pytest
from sqlalchemy import create_engine, text

from huiyin.db import tenant_session
from huiyin.queue.bus import Bus, ring


@pytest.fixture
def bus(engine):
    made = Bus(engine)
    yield made
    made.stop()


@pytest.fixture
def heard():
    return queue.SimpleQueue()


@pytest.fixture
def tune_in(bus, heard):
    """Watch, and wait for the word that the line is there."""

    def watch(tenant, topic):
        end = bus.watch(tenant.id, topic, heard.put)
        assert heard.get(timeout=60) == topic
        return end

    return watch


def test_a_word_comes_after_the_commit_and_not_before(session, tenant, tune_in, heard):
    tune_in(tenant, "plugin:a")
    ring(session, "plugin:a")
    session.rollback()
    ring(session, "plugin:a")
    assert heard.empty()
    session.commit()
    assert heard.get(timeout=60) == "plugin:a"
    assert heard.empty()


def test_only_the_firm_and_topic_that_are_watched_are_heard(
    engine, session, tenant, make_tenant, bus, heard, tune_in
):
    other = make_tenant("yuancen", number_prefix="YC")
    tune_in(tenant, "plugin:a")
    with tenant_session(engine, other.id) as theirs:
        ring(theirs, "plugin:a")
        theirs.commit()
    ring(session, "plugin:b")
    ring(session, "plugin:a")
    session.commit()
    assert heard.get(timeout=60) == "plugin:a"
    assert heard.empty()


def test_who_no_longer_watches_hears_nothing(session, tenant, tune_in, bus, heard):
    end = tune_in(tenant, "plugin:a")
    other = queue.SimpleQueue()
    bus.watch(tenant.id, "plugin:a", other.put)
    end()
    ring(session, "plugin:a")
    session.commit()
    assert other.get(timeout=60) == "plugin:a"
    assert heard.empty()


def test_everybody_is_woken_once_the_line_is_back(postgres, tenant, tune_in, heard):
    tune_in(tenant, "plugin:a")
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    admin = create_engine(postgres.url().replace("postgresql:", "postgresql+psycopg:"))
    with admin.begin() as connection:
        connection.execute(cut)
    admin.dispose()
    assert heard.get(timeout=60) == "plugin:a"


def test_it_can_be_opened_again_after_it_was_closed(session, tenant, tune_in, bus, heard):
    tune_in(tenant, "plugin:a")
    bus.stop()
    bus.watch(tenant.id, "plugin:b", heard.put)
    assert {heard.get(timeout=60), heard.get(timeout=60)} == {"plugin:a", "plugin:b"}
    ring(session, "plugin:b")
    session.commit()
    assert heard.get(timeout=60) == "plugin:b"


@pytest.mark.parametrize("topic", ["", "plugin", "plugin:", "plugin:你好", "plugin:a b", "P:a"])
def test_words_are_no_topic(session, topic):
    with pytest.raises(ValueError, match="not a topic"):
        ring(session, topic)


def test_an_id_is_a_topic(session):
    ring(session, f"plugin:talk:{uuid.uuid4().hex}")
