"""Who may write into the book, what comes in, and what never does."""

import json
import threading
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import rfc8785
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from huiyin.db import TenantScopeMissing, platform_session, tenant_session
from huiyin.identity.policy import Role
from huiyin.ledger import append, checkpoint, merkle, shred, verify
from huiyin.ledger.export import counts, verify_tenant
from huiyin.ledger.models import LedgerCheckpoint, LedgerEntry, LedgerHead, LedgerSalt
from huiyin.ledger.service import commitment
from huiyin.tenancy.models import Counter

CASE = uuid.UUID("0192a3b4-0000-7000-8000-00000000000a")
CANARIES = {
    "name": "柳闻笛",
    "phone": "13912345678",
    "identity": "11010519491231002X",
    "mail": "liu.wendi@example.test",
    "reason": "对收益分配比例的解释前后不一",
}


def move(session, **changes):
    entry = {"kind": "case.moved", "object_id": CASE, "actor_id": None, "facts": {"version": 1}}
    return append(session, **{**entry, **changes})


def test_an_entry_says_what_was_done_and_can_be_recomputed(session, actor, tenant):
    at = datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=UTC)
    receipt = move(session, actor_id=actor.id, at=at)
    entry = session.scalars(select(LedgerEntry)).one()
    assert json.loads(entry.doc) == {
        "v": 1, "kind": "case.moved", "actor": str(actor.id), "object": str(CASE),
        "facts": {"version": 1}, "commits": {},
    }  # fmt: skip
    assert entry.doc == rfc8785.dumps(json.loads(entry.doc))
    assert entry.at == at
    assert (entry.kind, entry.object_id, entry.actor_id) == ("case.moved", CASE, actor.id)
    assert entry.id.version == 7
    assert entry.leaf == verify.leaf_hash(1, 1795482123456789, tenant.id, entry.doc)
    assert (entry.prev, entry.hash) == (bytes(32), verify.link(bytes(32), entry.leaf))
    assert (receipt.seq, receipt.hash) == (1, entry.hash)
    assert str(receipt) == f"1:{entry.hash.hex()}"


def test_entries_follow_one_another(session):
    receipts = [move(session) for _ in range(5)]
    entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.prev for entry in entries[1:]] == [r.hash for r in receipts[:-1]]
    head = session.scalars(select(LedgerHead)).one()
    assert (head.seq, head.hash) == (5, receipts[-1].hash)
    assert merkle.fold(head.frontier) == merkle.root([entry.leaf for entry in entries])


def test_a_rollback_takes_the_entry_with_the_change(session):
    move(session)
    session.commit()
    session.add(Counter(name="number", value=1))
    move(session, commits={"name": CANARIES["name"]})
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Counter)) == 0
    assert session.scalar(select(func.count()).select_from(LedgerSalt)) == 0
    assert move(session).seq == 2
    assert verify_tenant(session).first_bad_seq is None


def test_a_savepoint_rolled_back_leaves_no_gap(session):
    move(session)
    savepoint = session.begin_nested()
    move(session)
    savepoint.rollback()
    assert move(session).seq == 2
    assert counts(session).bad == 0


def test_an_append_is_one_statement_with_or_without_commitments(session, engine):
    session.connection()
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    move(session)
    move(session, commits=CANARIES)
    assert len(statements) == 2


def test_the_callers_own_rows_are_written_before_the_head_is_locked(session):
    session.add(Counter(name="number", value=1))
    move(session)
    assert not session.new


# --- never personal data ---------------------------------------------------------------


def test_personal_values_leave_only_commitments(session, superuser):
    move(session, commits=CANARIES)
    session.commit()
    salts = {salt.field: salt for salt in session.scalars(select(LedgerSalt))}
    doc = json.loads(session.scalars(select(LedgerEntry.doc)).one())
    assert salts.keys() == doc["commits"].keys() == CANARIES.keys()
    for field, value in CANARIES.items():
        assert commitment(salts[field].salt, value) == salts[field].commitment
        assert doc["commits"][field] == salts[field].commitment.hex()
    assert len({salt.salt for salt in salts.values()}) == len(CANARIES)
    for table in ("ledger_entry", "ledger_salt", "ledger_head", "ledger_checkpoint"):
        for (row,) in superuser.execute(f"SELECT to_jsonb(t)::text FROM {table} t"):
            for value in CANARIES.values():
                assert value not in row
                assert value.encode().hex() not in row


@pytest.mark.parametrize("value", CANARIES.values(), ids=CANARIES)
def test_a_fact_that_could_carry_a_person_is_refused(session, value):
    for facts in ({"note": value}, {"deep": {"list": [value]}}):
        with pytest.raises(ValueError, match="commit to it instead") as refusal:
            move(session, facts=facts)
        assert value not in str(refusal.value)
    with pytest.raises(ValueError, match="not a name"):
        move(session, facts={"": 1})
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_facts_are_ids_codes_dates_and_hashes(session):
    facts = {
        "id": CASE, "number": "TS-2026-0001", "on": date(2026, 11, 24), "role": Role.APPROVER,
        "at": datetime(2026, 11, 24, tzinfo=UTC), "plan": b"\x01\xff", "amount": Decimal("10.50"),
        "list": (1, None, True), "deep": {"to": "approval"},
    }  # fmt: skip
    move(session, facts=facts)
    assert json.loads(session.scalars(select(LedgerEntry.doc)).one())["facts"] == {
        "id": str(CASE), "number": "TS-2026-0001", "on": "2026-11-24", "role": "approver",
        "at": "2026-11-24T00:00:00+00:00", "plan": "01ff", "amount": "10.50",
        "list": [1, None, True], "deep": {"to": "approval"},
    }  # fmt: skip


@pytest.mark.parametrize("value", [1.5, object(), {1}], ids=["float", "object", "set"])
def test_what_has_no_one_spelling_is_refused(session, value):
    with pytest.raises(TypeError, match="does not write"):
        move(session, facts={"value": value})


def test_a_time_without_a_zone_is_refused(session):
    naive = datetime(2026, 11, 24)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="time zone"):
        move(session, at=naive)
    with pytest.raises(ValueError, match="time zone"):
        move(session, facts={"at": naive})


def test_shredding_forgets_one_thing_and_breaks_nothing(session):
    move(session, commits=CANARIES)
    move(session, commits={"name": "another"}, object_id=uuid.uuid4())
    assert shred(session, CASE, fields=["phone"]) == 1
    assert shred(session, CASE) == len(CANARIES) - 1
    session.commit()
    assert session.scalars(select(LedgerSalt.seq)).all() == [2]
    assert verify_tenant(session).first_bad_seq is None


# --- nobody else holds the pen ---------------------------------------------------------

FORBIDDEN = [
    f"{verb} {table}{rest}"
    for table in ("ledger_entry", "ledger_head", "ledger_checkpoint")
    for verb, rest in (("UPDATE", " SET id = id"), ("DELETE FROM", ""), ("TRUNCATE", ""))
] + [
    "INSERT INTO ledger_entry SELECT * FROM ledger_entry",
    "INSERT INTO ledger_head SELECT * FROM ledger_head",
    "INSERT INTO ledger_checkpoint SELECT * FROM ledger_checkpoint",
    "INSERT INTO ledger_salt SELECT * FROM ledger_salt",
    "UPDATE ledger_salt SET salt = salt",
    "TRUNCATE ledger_salt",
    "SELECT * FROM ledger_entry FOR UPDATE",
    "SET ROLE huiyin_ledger",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_can_only_read(session, book, statement):
    with pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(statement))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_head", "ledger_checkpoint"])
def test_even_the_owner_of_the_tables_changes_no_row(addresses, book, table):
    from sqlalchemy import create_engine  # noqa: PLC0415 - the only test that needs the owner

    owner = create_engine(addresses.owner)
    with owner.begin() as connection:
        assert connection.execute(text(f"DELETE FROM {table}")).rowcount == 0
    owner.dispose()


def test_nobody_else_may_call_the_functions(superuser):
    rows = superuser.execute(
        "SELECT p.proname, pg_get_userbyid(p.proowner), p.prosecdef, p.proconfig,"
        " array(SELECT pg_get_userbyid(a.grantee) FROM aclexplode(p.proacl) a ORDER BY 1)"
        " FROM pg_proc p WHERE p.proname LIKE 'ledger%' ORDER BY 1"
    ).fetchall()
    assert rows == [
        (name, "huiyin_ledger", True, ["search_path=pg_catalog, public"],
         ["huiyin_app", "huiyin_ledger"])
        for name in ("ledger_append", "ledger_checkpoint_now")
    ]  # fmt: skip


RAW = text("SELECT ledger_append(:tenant, now(), 'k', :object, NULL, :doc, CAST(:salts AS jsonb))")


def document(**changes):
    doc = {"v": 1, "kind": "k", "actor": None, "object": str(CASE), "facts": {}, "commits": {}}
    return rfc8785.dumps({**doc, **changes})


def raw(tenant, doc, salts="{}"):
    return {"tenant": tenant, "object": CASE, "doc": doc, "salts": salts}


def test_another_firm_cannot_append_for_this_one(session, engine, tenant, make_tenant, book):
    with tenant_session(engine, make_tenant("yuancen").id) as stranger:
        with pytest.raises(DBAPIError, match="another tenant"):
            stranger.execute(RAW, raw(tenant.id, document()))
        stranger.rollback()
        with pytest.raises(DBAPIError, match="another tenant"):
            stranger.execute(text("SELECT ledger_checkpoint_now(:t, 'x')"), {"t": tenant.id})
        stranger.rollback()
        assert stranger.scalars(select(LedgerEntry)).all() == []
        assert stranger.execute(text("SELECT * FROM ledger_salt")).all() == []
        assert move(stranger).seq == 1
    assert session.scalar(select(LedgerHead.seq)) == 8


@pytest.mark.parametrize("tenant_id", [None, uuid.UUID(int=0)])
def test_without_a_tenant_there_is_no_ledger(engine, tenant_id):
    with platform_session(engine) as nobody:
        with pytest.raises(TenantScopeMissing):
            move(nobody)
        with pytest.raises(DBAPIError, match="another tenant"):
            nobody.execute(RAW, raw(tenant_id, document()))


@pytest.mark.parametrize(
    ("changes", "salts"),
    [
        ({"kind": "other"}, "{}"),
        ({"object": str(uuid.UUID(int=1))}, "{}"),
        ({"actor": str(uuid.UUID(int=1))}, "{}"),
        ({"commits": {"name": "00"}}, "{}"),
        ({}, '{"name": "00"}'),
    ],
    ids=["kind", "object", "actor", "commitment without salt", "salt without commitment"],
)
def test_a_document_must_say_what_it_is_filed_under(session, tenant, changes, salts):
    with pytest.raises(DBAPIError, match=r"says something else|salts differ"):
        session.execute(RAW, raw(tenant.id, document(**changes), salts))


# --- together --------------------------------------------------------------------------


def test_eight_writers_make_one_dense_chain(engine, tenant):
    failures = []

    def write():
        try:
            for number in range(25):
                with tenant_session(engine, tenant.id) as own:
                    move(own, facts={"n": number}, commits={"name": "x"} if number % 5 else None)
                    own.commit()
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with tenant_session(engine, tenant.id) as reader:
        found = counts(reader)
        assert (found.entries, found.bad) == (200, 0)
        result = verify_tenant(reader)
        assert (result.entries, result.first_bad_seq) == (200, None)


# --- checkpoints -----------------------------------------------------------------------


def test_an_empty_book_has_no_checkpoint(session):
    assert checkpoint(session) is None


def test_a_checkpoint_is_made_only_when_the_book_has_grown(session, tenant):
    for size in range(1, 20):
        move(session)
        made = checkpoint(session, origin="huiyin.test")
        again = checkpoint(session, origin="elsewhere.test")
        assert (made.size, made.fresh, again.fresh) == (size, True, False)
        assert (again.root, again.note, again.created_at) == (made.root, made.note, made.created_at)
        leaves = session.scalars(select(LedgerEntry.leaf).order_by(LedgerEntry.seq)).all()
        assert made.root == merkle.root(leaves)
    assert session.scalar(select(func.count()).select_from(LedgerCheckpoint)) == 19
    lines = made.note.split("\n")
    assert lines[:2] == [f"huiyin.test/{tenant.id}", "19"]
    assert lines[3:] == [""]


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_an_origin_that_would_break_the_note_is_refused(session, origin):
    move(session)
    with pytest.raises(DBAPIError, match="neither spaces nor plus signs"):
        checkpoint(session, origin=origin)
