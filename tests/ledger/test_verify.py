"""The verifier as a stranger runs it: one file, one bundle, nothing else."""

import ast
import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import huiyin_frontend
from huiyin.ledger import append, checkpoint, merkle, verify
from huiyin.ledger.export import export, export_object

CASE = uuid.UUID("0192a3b4-0000-7000-8000-00000000000a")
PHONE = "13912345678"
SOURCE = Path(verify.__file__)


@pytest.fixture
def bundle(session, book):
    return json.loads(b"".join(export(session, opened={3: {"phone": PHONE}})))


@pytest.fixture
def extract(session, book):
    return json.loads(b"".join(export_object(session, CASE, opened={3: {"phone": PHONE}})))


@pytest.fixture
def run(tmp_path):
    """Run a lonely copy of the file, away from the platform, with no site packages."""
    shutil.copy(SOURCE, tmp_path / "verify.py")

    def run(content, *options):
        path = tmp_path / "export.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return subprocess.run(
            [sys.executable, "-I", "-S", "verify.py", "export.json", *options],
            cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
            env={"PYTHONUTF8": "1"},
        )  # fmt: skip

    return run


def test_the_file_stands_alone():
    source = SOURCE.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 400
    for statement in ast.walk(ast.parse(source)):
        names = (
            [alias.name for alias in statement.names]
            if isinstance(statement, ast.Import)
            else ([statement.module] if isinstance(statement, ast.ImportFrom) else [])
        )
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names


def test_an_export_is_found_good_by_a_stranger(session, book, run):
    done = run(b"".join(export(session)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "共 8 条" in done.stdout
    assert "未发现问题" in done.stdout
    assert "不能证明：" in done.stdout
    assert "1 项承诺值未打开" in done.stdout
    assert "整本重写" in done.stdout


def test_it_speaks_english_too(bundle, run):
    done = run(bundle, "--language", "en")
    assert done.returncode == 0
    assert "8 entries\nnothing wrong found\nNot proven:\n" in done.stdout
    assert done.stdout.isascii()


def test_it_names_the_first_bad_entry_and_exits_with_one(bundle, run):
    bundle["entries"][3]["doc"] = bundle["entries"][3]["doc"].replace("stage-4", "stage-9")
    done = run(bundle)
    assert done.returncode == 1
    assert "有问题：第 4 条的内容与其摘要不符" in done.stdout


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff", b'{"format": "else"}', b"[" * 100_000, b'{"a":1,"a":2}']
)
def test_what_is_no_export_exits_with_two(run, content):
    done = run(content)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_checkpoints_and_receipts_from_outside_are_compared(bundle, book, run):
    pins = [(mark["size"], mark["root"]) for mark in bundle["checkpoints"]]
    assert [size for size, _ in pins] == [5, 8]
    good = run(bundle, "--pin", f"8:{pins[1][1]}", "--receipt", str(book[1]))
    assert good.returncode == 0
    assert "改写" not in good.stdout
    assert "整本重写" not in good.stdout
    partly = run(bundle, "--pin", bundle["checkpoints"][0]["note"].split("\n")[1] + ":"
                 + bundle["checkpoints"][0]["note"].split("\n")[2])  # fmt: skip
    assert partly.returncode == 0
    assert "第 5 条之后如有改写" in partly.stdout
    assert run(bundle, "--pin", f"7:{pins[1][1]}").returncode == 1
    assert run(bundle, "--pin", f"9:{pins[1][1]}").returncode == 1
    assert run(bundle, "--receipt", f"3:{book[1].hash.hex()}").returncode == 1
    assert run(bundle, "--pin", "8").returncode == 2


# --- what a bundle gives away ----------------------------------------------------------


def test_a_salt_leaves_the_house_only_with_the_value_it_opens(session, book):
    content = b"".join(export(session))
    assert b"salt" not in content
    assert PHONE.encode() not in content
    opened = json.loads(b"".join(export(session, opened={3: {"phone": PHONE, "none": "x"}, 4: {}})))
    assert [e["seq"] for e in opened["entries"] if "opened" in e] == [3]
    verdict = verify.check(opened)
    assert verdict.problem is None
    assert "closed" not in verdict.unproven


def test_a_value_that_was_not_committed_to_is_named(session, book):
    lie = json.loads(b"".join(export(session, opened={3: {"phone": "13900000000"}})))
    problem = verify.check(lie).problem
    assert (problem.code, problem.seq) == ("opened", 3)


# --- forged bundles --------------------------------------------------------------------


def forge(path, change):
    def apply(bundle):
        part = bundle
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = change(part[path[-1]]) if callable(change) else change

    return apply


def flip(value):
    return ("0" if value[0] != "0" else "1") + value[1:]


def drop(index):
    return lambda entries: entries[:index] + entries[index + 1 :]


TWICE = '{"v":1,"v":1,"kind":"k","actor":null,"object":"o","facts":{},"commits":{}}'


def resealed(doc):
    """The last entry says ``doc``, and everything after it is made to fit."""

    def apply(bundle):
        entry = bundle["entries"][7]
        tenant = uuid.UUID(bundle["tenant"])
        leaf = verify.leaf_hash(8, entry["at_us"], tenant, doc.encode())
        entry.update(doc=doc, leaf=leaf.hex())
        entry["hash"] = verify.link(bytes.fromhex(entry["prev"]), leaf).hex()
        bundle["head"]["hash"] = entry["hash"]
        del bundle["checkpoints"][1]

    return apply


FORGERIES = {
    "document": (forge(["entries", 2, "doc"], lambda d: d + " "), "leaf", 3),
    "time": (forge(["entries", 2, "at_us"], 1), "leaf", 3),
    "leaf": (forge(["entries", 2, "leaf"], flip), "leaf", 3),
    "link": (forge(["entries", 2, "prev"], flip), "hash", 3),
    "chain value": (forge(["entries", 2, "hash"], flip), "hash", 3),
    "removed": (forge(["entries"], drop(2)), "missing", 3),
    "removed at the end": (forge(["entries"], drop(7)), "missing", 8),
    "repeated": (forge(["entries"], lambda e: e[:4] + e[2:]), "order", 3),
    "reversed": (forge(["entries"], lambda e: e[::-1]), "missing", 1),
    "emptied": (forge(["entries"], []), "missing", 1),
    "another tenant": (forge(["tenant"], str(uuid.UUID(int=7))), "leaf", 1),
    "opened value": (forge(["entries", 2, "opened", "phone", "value_hex"], "00"), "opened", 3),
    "opened salt": (forge(["entries", 2, "opened", "phone", "salt"], "00" * 32), "opened", 3),
    "opened out of nothing": (
        forge(["entries", 1, "opened"], {"name": {"salt": "00", "value_hex": "00"}}), "opened", 2,
    ),
    "number as text": (forge(["entries", 2, "seq"], "3"), "unreadable", 3),
    "number as truth": (forge(["entries", 0, "seq"], True), "unreadable", 1),
    "number too large": (forge(["entries", 2, "at_us"], 1 << 63), "unreadable", 3),
    "no hexadecimal": (forge(["entries", 2, "leaf"], "z" * 64), "unreadable", 3),
    "short hash": (forge(["entries", 2, "leaf"], "00"), "unreadable", 3),
    "half a letter": (forge(["entries", 2, "doc"], "\ud800"), "unreadable", 3),
    "no entry": (forge(["entries", 2], None), "unreadable", 3),
    "missing field": (forge(["entries", 2], {}), "unreadable", 3),
    "two readings": (resealed(TWICE), "unreadable", 8),
    "another version": (resealed(TWICE.replace('"v":1,"v":1', '"v":2')), "unreadable", 8),
    "no document": (resealed("[]"), "unreadable", 8),
    "bottomless document": (resealed("[" * 100_000), "unreadable", 8),
    "head hash": (forge(["head", "hash"], flip), "head", 8),
    "head number": (forge(["head", "seq"], 9), "missing", 9),
    "head behind": (forge(["head", "seq"], 7), "beyond", 8),
    "first checkpoint": (forge(["checkpoints", 0, "root"], flip), "root", 1),
    "second checkpoint": (forge(["checkpoints", 1, "root"], flip), "root", 6),
    "checkpoint ahead": (forge(["checkpoints", 1, "size"], 9), "missing", 9),
    "checkpoint note": (forge(["checkpoints", 1, "note"], "x\n8\nAAAA\n"), "note", 8),
}  # fmt: skip


@pytest.mark.parametrize(("apply", "code", "seq"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_bundle_is_refused(bundle, apply, code, seq):
    assert verify.check(bundle).problem is None
    apply(bundle)
    problem = verify.check(bundle).problem
    assert (problem.code, problem.seq) == (code, seq)
    for language in ("zh", "en"):
        assert str(seq) in problem.text(language)


# --- extracts --------------------------------------------------------------------------


def test_an_extract_shows_one_case_and_proves_its_place(extract, run):
    assert [entry["seq"] for entry in extract["entries"]] == [1, 3, 5, 7]
    done = run(extract, "--pin", f"5:{extract['checkpoints'][0]['root']}")
    assert done.returncode == 0
    assert "这是节选" in done.stdout


def test_an_extract_says_which_entries_no_checkpoint_covers(session, book):
    late = append(session, kind="case.moved", object_id=CASE, actor_id=None, facts={})
    parts = json.loads(b"".join(export_object(session, CASE)))
    verdict = verify.check(parts, (), [(late.seq, late.hash)])
    assert (verdict.problem, verdict.unproven["loose"]) == (None, 1)
    checkpoint(session)
    parts = json.loads(b"".join(export_object(session, CASE)))
    assert "loose" not in verify.check(parts).unproven


def test_an_extract_without_any_checkpoint_is_only_loose(session):
    append(session, kind="case.moved", object_id=CASE, actor_id=None, facts={})
    verdict = verify.check(json.loads(b"".join(export_object(session, CASE))))
    assert (verdict.problem, verdict.unproven["loose"]) == (None, 1)


EXTRACT_FORGERIES = {
    "document": (forge(["entries", 1, "doc"], lambda d: d + " "), "leaf", 3),
    "proof": (forge(["entries", 1, "inclusion", 0], flip), "inclusion", 3),
    "shorter proof": (forge(["entries", 1, "inclusion"], lambda p: p[1:]), "inclusion", 3),
    "no proof": (forge(["entries", 1, "inclusion"], []), "inclusion", 3),
    "proof of another": (
        lambda b: b["entries"][1].update(inclusion=b["entries"][2]["inclusion"]), "inclusion", 3,
    ),
    "order": (forge(["entries"], lambda e: e[::-1]), "order", 5),
    "another case": (forge(["object"], str(uuid.UUID(int=7))), "index", 1),
    "no entry": (forge(["entries", 0], None), "unreadable", 1),
    "earlier checkpoint": (forge(["checkpoints", 0, "root"], flip), "consistency", 6),
    "later checkpoint": (forge(["checkpoints", 1, "root"], flip), "consistency", 6),
    "consistency": (forge(["checkpoints", 0, "consistency"], []), "consistency", 6),
    "note": (forge(["checkpoints", 0, "note"], ""), "note", 5),
}  # fmt: skip


@pytest.mark.parametrize(
    ("apply", "code", "seq"), EXTRACT_FORGERIES.values(), ids=EXTRACT_FORGERIES
)
def test_a_forged_extract_is_refused(extract, apply, code, seq):
    assert verify.check(extract).problem is None
    apply(extract)
    problem = verify.check(extract).problem
    assert (problem.code, problem.seq) == (code, seq)


def test_an_extract_is_held_against_what_the_reader_kept(extract, book):
    root = bytes.fromhex(extract["checkpoints"][0]["root"])
    other = merkle.node(root, root)
    assert verify.check(extract, [(5, root)], [(3, book[2].hash)]).problem is None
    assert verify.check(extract, [(5, other)]).problem.code == "pinned"
    assert verify.check(extract, [(6, root)]).problem.code == "absent"
    assert verify.check(extract, (), [(2, book[1].hash)]).problem.code == "absent"
    assert verify.check(extract, (), [(3, other)]).problem.code == "receipt"


def test_a_damaged_book_still_yields_an_extract_that_fails(session, book, superuser):
    superuser.execute("DELETE FROM ledger_entry WHERE seq = 2")
    session.rollback()
    extract = json.loads(b"".join(export_object(session, CASE)))
    assert verify.check(extract).problem is not None


# --- words -----------------------------------------------------------------------------


def test_every_finding_has_its_english_in_the_catalogue():
    path = Path(huiyin_frontend.__file__).parent / "locale" / "en" / "ledger.po"
    with path.open("rb") as file:
        english = {message.id: message.string for message in read_po(file) if message.id}
    assert english == dict(verify.PROBLEMS.values())
