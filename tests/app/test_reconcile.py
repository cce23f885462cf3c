"""Each of the six counts stays zero on a whole house, and rises when its fault is planted."""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace

import psycopg
import pytest

from huiyin.app.reconcile import NAMES, BadJournal, count
from huiyin.cases import service
from huiyin.cases.filing import Filing, file_complaint
from huiyin.db import tenant_session
from huiyin.db.bootstrap import libpq
from huiyin.evidence import service as evidence
from huiyin.evidence import store
from huiyin.evidence.models import EvidenceFile
from huiyin.kit import keys
from huiyin.letters import tasks as _letters  # noqa: F401 - consumers of the events below
from huiyin.queue.worker import drain

ZEROS = dict.fromkeys(NAMES, 0)
LONG_AGO = 3 * 24 * 3600  # seconds; past the grace for files without a row


@pytest.fixture(autouse=True)
def folder(tmp_path):
    keys.configure(b"thirty-two bytes for tests, only.")
    before = store._chosen
    yield store.use(store.FolderStore(tmp_path / "blobs"))
    store._chosen = before


@pytest.fixture
def superuser(postgres, engine):
    """What somebody with the database's keys can do, foreign keys and triggers aside."""
    with psycopg.connect(libpq(postgres.url(name="huiyin_test")), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture
def house(engine, tenant, actor):
    """Two complaints with a note and a file, every job done."""
    with tenant_session(engine, tenant.id, actor_id=actor.id) as session:
        for key in ("a", "b"):
            filed = file_complaint(
                session, actor,
                Filing(channel="phone", idem_key=key, story="赎回款没有到账", phone="13800000000"),
            )  # fmt: skip
            service.talk(session, actor, filed.number, "note", "已记录")
            evidence.add(session, actor, filed.number, [evidence.Upload("回执.txt", b"paper")])
        session.commit()
    drain(engine)
    return SimpleNamespace(engine=engine)


@pytest.fixture
def tally(house):
    """What is not zero."""
    return lambda journal=None: {k: v for k, v in count(house, journal).items() if v}


def write(path, *acks):
    path.write_text("".join(f"{json.dumps(ack)}\n" for ack in acks), encoding="utf-8")
    return path


def ack(number, key, tenant="qinghe"):
    return {"tenant": tenant, "key": key, "number": number}


def number_of(superuser, key):
    row = superuser.execute("SELECT number FROM case_file WHERE idem_key = %s", [key]).fetchone()
    return row[0]


def test_a_whole_house_gives_six_zeros(house, superuser, tmp_path):
    journal = write(
        tmp_path / "journal",
        ack(number_of(superuser, "a"), "a"), ack(number_of(superuser, "b"), "b"),
    )  # fmt: skip
    assert count(house, journal) == ZEROS
    assert list(count(house)) == list(NAMES)


def test_a_receipt_without_a_case_is_lost(tally, superuser, tmp_path):
    first = number_of(superuser, "a")
    journal = write(
        tmp_path / "journal",
        ack(first, "a"),
        ack("TS-2026-9999", "a"),  # another number for the same key
        ack(first, "b"),  # the number of another key
        ack(first, "a", tenant="elsewhere"),
    )
    assert tally(journal) == {"lost_acks": 3}


def test_a_torn_last_line_is_no_receipt(tally, superuser, tmp_path):
    journal = write(tmp_path / "journal", ack(number_of(superuser, "a"), "a"))
    with journal.open("a", encoding="utf-8") as file:
        file.write('{"tenant": "qinghe", "key": "b", "num')
    assert tally(journal) == {}


def test_a_line_that_is_no_receipt_is_named(house, tmp_path):
    journal = tmp_path / "journal"
    journal.write_text('{"tenant": "qinghe"}\n', encoding="utf-8")
    with pytest.raises(BadJournal, match="line 1"):
        count(house, journal)


def test_many_receipts_are_looked_up_in_batches(tally, superuser, tmp_path):
    real = ack(number_of(superuser, "a"), "a")
    lost = [ack(f"TS-2026-{n}", f"k{n}") for n in range(5000, 6100)]
    assert tally(write(tmp_path / "journal", real, *lost)) == {"lost_acks": 1100}


def test_two_cases_of_one_key_are_a_duplicate(tally, superuser):
    constraint = "uq_case_file_tenant_id_channel_idem_key"
    superuser.execute(f"ALTER TABLE case_file DROP CONSTRAINT {constraint}")
    try:
        superuser.execute(
            """
            CREATE TEMP TABLE twin AS SELECT * FROM case_file WHERE idem_key = 'a';
            UPDATE twin SET id = gen_random_uuid(), number = 'TS-2026-8888', code_hash = 'x';
            INSERT INTO case_file SELECT * FROM twin
            """
        )
        assert tally()["dup_cases"] == 1
    finally:
        superuser.execute("DELETE FROM case_file WHERE number = 'TS-2026-8888'")
        superuser.execute(
            f"ALTER TABLE case_file ADD CONSTRAINT {constraint}"
            " UNIQUE (tenant_id, channel, idem_key)"
        )
    assert tally() == {}


LEDGER_FAULTS = {
    "an entry that was rewritten": ("UPDATE ledger_entry SET doc = doc || ' ' WHERE seq = 2", 1),
    "a head that is not the last entry": ("UPDATE ledger_head SET seq = seq - 1", 1),
    "a change that no entry tells of": (
        "UPDATE case_file SET version = version + 1 WHERE idem_key = 'a'",
        1,
    ),
    "a line of the timeline that was taken out": (
        """DELETE FROM case_entry WHERE verb = 'note'
           AND case_id = (SELECT id FROM case_file WHERE idem_key = 'b')""",
        1,
    ),
    "an entry about a case that is not there": (
        "UPDATE case_file SET id = gen_random_uuid() WHERE idem_key = 'a'",
        2,
    ),
}


@pytest.mark.parametrize(("statement", "number"), LEDGER_FAULTS.values(), ids=LEDGER_FAULTS)
def test_a_ledger_that_does_not_match_is_bad(tally, superuser, statement, number):
    superuser.execute(statement)
    assert tally()["ledger_bad"] == number


def test_an_entry_that_is_missing_is_a_gap_and_a_break_and_a_case_that_does_not_match(
    tally, superuser
):
    superuser.execute("DELETE FROM ledger_entry WHERE seq = 2")
    assert tally()["ledger_bad"] == 3


UNFINISHED = {
    "unsent event": """UPDATE outbox_event SET relayed_at = NULL
                       WHERE id = (SELECT id FROM outbox_event LIMIT 1)""",
    "job of a dead worker": """UPDATE job SET state = 'leased'
                               WHERE id = (SELECT id FROM job LIMIT 1)""",
    "due job nobody does": """UPDATE job SET state = 'queued', due_at = now() - interval '1 hour'
                              WHERE id = (SELECT id FROM job WHERE event_id IS NULL LIMIT 1)""",
}


@pytest.mark.parametrize("statement", UNFINISHED.values(), ids=UNFINISHED)
def test_what_came_to_no_end_is_stuck(tally, superuser, statement):
    superuser.execute(statement)
    assert tally() == {"outbox_stuck": 1}


def test_a_job_that_was_set_aside_is_not_stuck(tally, superuser):
    superuser.execute("UPDATE job SET state = 'quarantined' WHERE event_id IS NULL")
    assert tally() == {}


def a_file(engine, tenant):
    with tenant_session(engine, tenant.id) as session:
        return session.query(EvidenceFile).first().blob_key


def test_a_file_whose_bytes_are_gone_is_bad(tally, engine, tenant, folder):
    folder.delete(a_file(engine, tenant))
    assert tally() == {"blob_bad": 1}


def test_a_file_whose_bytes_changed_is_bad(tally, engine, tenant, folder):
    (folder.root / a_file(engine, tenant)).write_bytes(b"another paper")
    assert tally() == {"blob_bad": 1}


def test_bytes_that_no_row_names_are_bad_after_a_day(tally, tenant, folder):
    left = folder.put(tenant.id, b"left over", 1000)
    assert tally() == {}
    then = time.time() - LONG_AGO
    os.utime(folder.root / left.key, (then, then))
    assert tally() == {"blob_bad": 1}


def test_an_event_without_its_effect_is_bad(tally, superuser):
    superuser.execute("DELETE FROM effect WHERE id = (SELECT id FROM effect LIMIT 1)")
    assert tally() == {"effects_bad": 1}


@pytest.fixture
def second_firm(engine, make_tenant, make_actor):
    """One complaint at another firm, under a key that the first firm has used too."""
    other = make_tenant("yuancen")
    officer = make_actor("complaint_officer", of=other)
    with tenant_session(engine, other.id) as session:
        file_complaint(
            session, officer,
            Filing(channel="phone", idem_key="a", story="没有收到季报", phone="13800000001"),
        )  # fmt: skip
        session.commit()
    drain(engine)


def test_firms_are_added_up_and_kept_apart(tally, superuser, second_firm):
    assert tally() == {}
    superuser.execute("UPDATE case_file SET version = version + 1 WHERE idem_key = 'a'")
    assert tally() == {"ledger_bad": 2}
