"""Somebody with the database's keys changes the book; the platform and a stranger both notice."""

import json

import pytest

from huiyin.db import tenant_session
from huiyin.ledger import append, verify
from huiyin.ledger.export import counts, export, verify_tenant

# By way of a thousand, because two entries never bear one number.
SHIFT = (
    "UPDATE ledger_entry SET seq = seq + 1000 WHERE seq >= {0}",
    "UPDATE ledger_entry SET seq = seq - 999 WHERE seq > 1000",
)
# A forger who knows the format: leaf, link and chain value of entry n are made to fit.
LEAF = (
    """UPDATE ledger_entry SET leaf = sha256('\\x00'::bytea || int8send(seq)
       || int8send((extract(epoch FROM at) * 1000000)::bigint) || uuid_send(tenant_id) || doc)
       WHERE seq = {0}""",
    """UPDATE ledger_entry e SET prev = p.hash, hash = sha256('chain1'::bytea || p.hash || e.leaf)
       FROM ledger_entry p WHERE p.seq = e.seq - 1 AND e.seq = {0}""",
)
COPY = (
    "INSERT INTO ledger_entry SELECT tenant_id, gen_random_uuid(), {1}, at, recorded_at, kind,"
    " object_id, actor_id, doc, leaf, prev, hash FROM ledger_entry WHERE seq = {0}"
)
FALSE_DOC = (
    "UPDATE ledger_entry SET doc = replace(convert_from(doc, 'UTF8'), 'stage-{0}', 'stage-9')"
    "::bytea WHERE seq = {0}"
)


def each(statements, *numbers):
    return [statement.format(*numbers) for statement in statements]


def rewritten(start, end=8):
    """Everything from ``start`` on made to fit again, the head with it."""
    return [
        *(line for seq in range(start, end + 1) for line in each(LEAF, seq)),
        "UPDATE ledger_head SET hash = e.hash FROM ledger_entry e WHERE e.seq = ledger_head.seq",
    ]


# What is done → the first bad entry, the reason, and whether counting alone would see it too.
TAMPERINGS = {
    "a changed document": ([FALSE_DOC.format(4)], 4, "leaf", True),
    "a changed document with its hash": ([FALSE_DOC.format(4), *each(LEAF, 4)], 5, "prev", True),
    "a changed time": (
        ["UPDATE ledger_entry SET at = at - interval '1 day' WHERE seq = 6"], 6, "leaf", True,
    ),
    "a changed link": (["UPDATE ledger_entry SET prev = hash WHERE seq = 2"], 2, "hash", True),
    "a removed entry": (["DELETE FROM ledger_entry WHERE seq = 3"], 3, "missing", True),
    "a removed first entry": (["DELETE FROM ledger_entry WHERE seq = 1"], 1, "missing", True),
    "a removed last entry": (["DELETE FROM ledger_entry WHERE seq = 8"], 8, "missing", True),
    "a removed entry, the rest moved up": (
        ["DELETE FROM ledger_entry WHERE seq = 3",
         "UPDATE ledger_entry SET seq = seq + 999 WHERE seq > 3",
         "UPDATE ledger_entry SET seq = seq - 1000 WHERE seq > 1000"], 3, "leaf", True,
    ),
    "swapped entries": (
        ["UPDATE ledger_entry SET seq = seq + 1000 WHERE seq IN (2, 6)",
         "UPDATE ledger_entry SET seq = 1008 - seq WHERE seq > 1000"], 2, "leaf", True,
    ),
    "an inserted entry": ([*each(SHIFT, 4), COPY.format(3, 4)], 4, "leaf", True),
    "an inserted entry that fits": (
        [*each(SHIFT, 4), COPY.format(3, 4), *each(LEAF, 4)], 5, "leaf", True,
    ),
    "an entry after the last": ([COPY.format(8, 9), *each(LEAF, 9)], 9, "beyond", True),
    "a head with another hash": (
        ["UPDATE ledger_head SET hash = sha256('x')"], 8, "head", True,
    ),
    "a head further on": (["UPDATE ledger_head SET seq = 9"], 9, "missing", True),
    "a head further back": (["UPDATE ledger_head SET seq = 7"], 8, "beyond", True),
    "a removed head": (["DELETE FROM ledger_head"], 1, "beyond", True),
    "a head with another range": (
        ["UPDATE ledger_head SET frontier[1] = sha256('x')"], 8, "head", False,
    ),
    "an end cut off, the head with it": (
        ["DELETE FROM ledger_entry WHERE seq > 6",
         "UPDATE ledger_head SET seq = 6, hash = e.hash FROM ledger_entry e WHERE e.seq = 6"],
        7, "missing", False,
    ),
    "all written anew from one entry on": (
        [FALSE_DOC.format(4), *rewritten(4)], 1, "root", False,
    ),
    "all written anew after a checkpoint": (
        [FALSE_DOC.format(7), *rewritten(7)], 6, "root", False,
    ),
    "another filing": (
        ["UPDATE ledger_entry SET kind = 'case.seen' WHERE seq = 2"], 2, "index", False,
    ),
    "another actor in the filing": (
        ["UPDATE ledger_entry SET actor_id = NULL WHERE seq = 5"], 5, "index", False,
    ),
    "a changed checkpoint": (
        ["UPDATE ledger_checkpoint SET root = sha256('x') WHERE size = 8"], 6, "root", False,
    ),
    "a changed commitment beside its salt": (
        ["UPDATE ledger_salt SET commitment = sha256('x')"], 3, "opened", False,
    ),
}  # fmt: skip

# Columns to find entries by, salts and the head's range stay at home.
INSIDE_ONLY = {"index", "opened"}


@pytest.fixture
def reread(engine, tenant, book, superuser):
    """Tamper, then read with fresh eyes."""
    with tenant_session(engine, tenant.id) as reader:

        def run(statements):
            for statement in statements:
                superuser.execute(statement)
            return reader

        yield run


@pytest.mark.parametrize(
    ("statements", "seq", "code", "counted"), TAMPERINGS.values(), ids=TAMPERINGS
)
def test_the_first_bad_entry_is_named(reread, statements, seq, code, counted):
    reader = reread(statements)
    result = verify_tenant(reader)
    assert result.first_bad_seq == seq
    assert result.reason.key == verify.PROBLEMS[code][0]
    assert str(seq) in str(result.reason)
    assert (counts(reader).bad > 0) is counted


@pytest.mark.parametrize(
    ("statements", "seq", "code", "counted"), TAMPERINGS.values(), ids=TAMPERINGS
)
def test_a_stranger_finds_the_same_in_a_bundle(reread, statements, seq, code, counted):
    reader = reread(statements)
    bundle = json.loads(b"".join(export(reader)))
    problem = verify.check(bundle).problem
    if code in INSIDE_ONLY or "frontier" in statements[0]:
        assert problem is None
        return
    assert (problem.seq, problem.code) == (seq, code)


def test_an_untouched_book_is_found_good(reread):
    reader = reread([])
    result = verify_tenant(reader)
    assert (result.entries, result.first_bad_seq, result.reason) == (8, None, None)
    assert (counts(reader).entries, counts(reader).bad) == (8, 0)


def test_an_empty_book_is_found_good(session):
    assert verify_tenant(session).first_bad_seq is None
    assert (counts(session).entries, counts(session).bad) == (0, 0)


def test_only_a_checkpoint_kept_outside_sees_a_complete_rewriting(reread, book):
    reader = reread(["DELETE FROM ledger_checkpoint", FALSE_DOC.format(4), *rewritten(4),
                     "UPDATE ledger_head SET frontier = '{}'"])  # fmt: skip
    bundle = json.loads(b"".join(export(reader)))
    assert verify.check(bundle).problem is None
    assert "unpinned" in verify.check(bundle).unproven
    receipt = verify.check(bundle, (), [(book[5].seq, book[5].hash)])
    assert (receipt.problem.code, receipt.problem.seq) == ("receipt", 6)


def test_counting_names_gaps_and_breaks_apart(reread):
    reader = reread(["DELETE FROM ledger_entry WHERE seq IN (2, 3)",
                     "UPDATE ledger_entry SET doc = 'x' WHERE seq = 6"])  # fmt: skip
    found = counts(reader)
    # Entry 4 has lost what it followed; entry 6 no longer says what was hashed.
    assert (found.entries, found.gaps, found.breaks, found.heads) == (6, 2, 2, 0)


def test_a_long_book_is_read_in_batches(session, monkeypatch):
    monkeypatch.setattr("huiyin.ledger.export.BATCH", 3)
    for _ in range(7):
        append(session, kind="k", object_id=session.tenant, actor_id=None, facts={})
    assert verify_tenant(session).entries == 7
    assert len(json.loads(b"".join(export(session)))["entries"]) == 7
