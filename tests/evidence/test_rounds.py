"""Every file is compared with its hash, however many there are, and each fault is told once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Integer, cast, create_engine, false, literal_column, select, text, update

from huiyin.app import cli_evidence
from huiyin.db import tenant_session
from huiyin.evidence import holding, rounds, service, tasks
from huiyin.evidence.models import EvidenceFile, EvidenceFinding, EvidenceRound
from huiyin.evidence.service import Upload
from huiyin.kit import failpoints
from huiyin.queue.models import Job, JobState
from huiyin.queue.registry import REGISTRY
from huiyin.queue.schedule import schedule
from huiyin.queue.worker import drain
from huiyin.testing.database import buried

PDF = b"%PDF-1.7\n" + b"x" * 1000
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def only_these():
    with REGISTRY.isolated() as empty:
        for name, run in (
            (tasks.SWEEP, tasks.sweep), (tasks.PIECE, tasks.compare), (tasks.TELL, tasks.tell),
        ):  # fmt: skip
            empty.handler(name)(run)
        yield


@pytest.fixture
def files(session, actor, number, folder):
    """Seven files of a case, in the order in which they are compared; all as handed in."""
    for n in range(7):
        service.add(session, actor, number, [Upload(f"{n}.pdf", PDF)])
        session.commit()
    return session.scalars(select(EvidenceFile.blob_key).order_by(EvidenceFile.blob_key)).all()


@pytest.fixture
def sweep(engine, tenant):
    """Let the daily job run, and all that comes of it or only so many jobs."""

    def run(limit=1000):
        with tenant_session(engine, tenant.id) as own:
            own.add(Job(kind=tasks.SWEEP, consumer=tasks.SWEEP))
            own.commit()
        drain(engine, limit=limit)

    return run


@pytest.fixture
def read(engine, tenant):
    """All rows of a model, as committed."""

    def rows(model):
        with tenant_session(engine, tenant.id) as own:
            return own.scalars(select(model).order_by(model.id)).all()

    return rows


def grow_old(path):
    old = time.time() - DAY - 3600
    os.utime(path, (old, old))


def told(caplog):
    return [r.getMessage().partition(": ")[2] for r in caplog.records if r.name == tasks.__name__]


def test_a_schedule_goes_through_all_of_it(engine, session, files, folder, tenant, caplog, read):
    schedule(session, tasks.SWEEP, tasks.SWEEP, every=tasks.EVERY)
    session.commit()
    folder.delete(files[0])
    (folder.root / files[1]).write_bytes(b"forged")
    orphan = folder.put(tenant.id, b"nobody's", 99)
    young = folder.put(tenant.id, b"somebody's, in a moment", 99)
    half = folder.root / tenant.id.hex / "ab"
    half.mkdir(exist_ok=True)
    (half / ".new-half").write_bytes(b"x")
    grow_old(folder.root / orphan.key)
    grow_old(half / ".new-half")
    drain(engine)
    assert told(caplog) == ["1 blobs missing, 1 damaged"]
    assert not folder.exists(orphan.key)
    assert folder.exists(young.key)
    assert not (half / ".new-half").exists()
    (row,) = read(EvidenceRound)
    assert (row.files, row.found, row.left_over) == (7, 2, 2)
    assert row.bytes == 5 * len(PDF) + len(b"forged")
    assert row.ended_at is not None


@pytest.mark.parametrize("spent", ["bytes", "time", "page"])
def test_a_piece_ends_when_it_is_spent_and_the_next_goes_on_there(
    monkeypatch, files, sweep, read, spent
):
    if spent == "bytes":
        monkeypatch.setattr(rounds, "BYTES", len(PDF) + 1)
    elif spent == "time":
        clock = iter(range(0, 100_000, 25))
        monkeypatch.setattr(rounds.time, "monotonic", lambda: next(clock))
    else:
        monkeypatch.setattr(rounds, "FILES", 2)
    opened = []
    compare = rounds.compare
    monkeypatch.setattr(
        rounds, "compare", lambda store, key, sha: opened.append(key) or compare(store, key, sha)
    )
    sweep()
    assert [key for key in opened if key in files] == files
    (row,) = read(EvidenceRound)
    assert (row.files, row.bytes) == (7, 7 * len(PDF))
    assert row.ended_at is not None
    if spent != "page":
        assert row.turn > 3


def test_memory_holds_one_page(monkeypatch, files, sweep, queries):
    monkeypatch.setattr(rounds, "FILES", 2)
    sweep()
    asked = [one for one in queries if "FROM evidence_file" in one and "ORDER BY" in one]
    assert len(asked) == 4  # three full pages, and what is left
    assert all("LIMIT" in one for one in asked)


def test_a_fault_is_told_once_and_again_only_after_it_was_mended(
    files, sweep, folder, caplog, read
):
    path = folder.root / files[3]
    path.write_bytes(b"forged")
    for _ in range(3):
        sweep()
    assert told(caplog) == ["0 blobs missing, 1 damaged"]
    path.write_bytes(PDF)
    sweep()
    assert [one.settled_at is not None for one in read(EvidenceFinding)] == [True]
    path.write_bytes(b"forged again")
    sweep()
    path.unlink()
    sweep()
    assert told(caplog)[1:] == ["0 blobs missing, 1 damaged", "1 blobs missing, 0 damaged"]
    found = [(one.fault, one.settled_at is None) for one in read(EvidenceFinding)]
    assert found == [("damaged", False), ("damaged", False), ("missing", True)]


def test_what_cannot_be_read_is_a_finding_and_stops_nothing(
    files, sweep, folder, monkeypatch, read
):
    whole = folder.open

    def broken(key):
        if key == files[2]:
            raise OSError(5, "a bad sector")
        return whole(key)

    monkeypatch.setattr(folder, "open", broken)
    sweep()
    assert [(one.blob_key, one.fault) for one in read(EvidenceFinding)] == [(files[2], "damaged")]
    assert read(EvidenceRound)[0].ended_at is not None


CHILD = """
import os
from pathlib import Path
from huiyin.db.engine import application_engine
from huiyin.evidence import rounds, service, store, tasks
from huiyin.migrations import tables
from huiyin.queue.worker import drain
tables.load()
store.use(store.FolderStore(Path(os.environ["TEST_FOLDER"])))
rounds.BYTES = 2000
drain(application_engine(os.environ["TEST_DATABASE"]))
"""


@pytest.mark.parametrize("nth", [1, 4, 6])
def test_a_kill_loses_at_most_one_piece(
    engine, postgres, session, files, sweep, folder, read, caplog, monkeypatch, nth
):
    (folder.root / files[2]).write_bytes(b"forged")
    session.add(Job(kind=tasks.SWEEP, consumer=tasks.SWEEP))
    session.commit()
    environment = {
        **os.environ, failpoints.VARIABLE: f"evidence.after_file:kill@{nth}",
        "TEST_DATABASE": engine.url.render_as_string(hide_password=False),
        "TEST_FOLDER": str(folder.root),
    }  # fmt: skip
    with buried(postgres, "huiyin_test"):
        done = subprocess.run(
            [sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=90, check=False,
            env=environment,
        )  # fmt: skip
    assert done.returncode == -9, done.stderr
    (row,) = read(EvidenceRound)
    kept = row.files
    assert nth - kept <= 2  # of so many bytes a piece is made here
    monkeypatch.setattr(rounds, "BYTES", 2000)
    compared = []
    compare = rounds.compare
    monkeypatch.setattr(
        rounds, "compare", lambda store, key, sha: compared.append(key) or compare(store, key, sha)
    )
    drain(engine, ahead=timedelta(hours=1))
    assert compared == files[kept:]
    (row,) = read(EvidenceRound)
    assert (row.files, row.found) == (7, 1)
    assert row.ended_at is not None
    assert (
        len([one for one in [*told(caplog), *done.stderr.splitlines()] if "1 damaged" in one]) == 1
    )
    assert {job.state for job in read(Job)} == {JobState.DONE.value}


def test_a_round_whose_line_of_jobs_broke_off_is_gone_on_with_by_the_next_day(
    monkeypatch, files, sweep, session, read
):
    monkeypatch.setattr(rounds, "BYTES", 1)
    sweep(limit=4)
    (row,) = read(EvidenceRound)
    before = row.files
    assert 0 < before < 7
    for job in session.scalars(select(Job).where(Job.state == JobState.QUEUED.value)):
        job.state = JobState.QUARANTINED.value
    session.commit()
    sweep()
    (row,) = read(EvidenceRound)
    assert (row.files, row.ended_at is not None) == (7, True)


def test_the_next_day_makes_no_second_line_of_a_round_that_takes_longer(
    monkeypatch, files, sweep, session, read
):
    monkeypatch.setattr(rounds, "BYTES", 1)
    sweep(limit=3)
    sweep(limit=1)
    queued = [job for job in read(Job) if job.state == JobState.QUEUED.value]
    assert len(queued) == 2
    sweep()
    (row,) = read(EvidenceRound)
    assert (row.files, row.ended_at is not None) == (7, True)
    assert all(job.state == JobState.DONE.value for job in read(Job))


def test_a_round_that_is_being_compared_right_now_is_left_alone(
    monkeypatch, files, sweep, session, read
):
    monkeypatch.setattr(rounds, "BYTES", 1)
    sweep(limit=2)
    for job in session.scalars(select(Job).where(Job.state == JobState.QUEUED.value)):
        job.state = JobState.LEASED.value
    session.commit()
    (row,) = read(EvidenceRound)
    assert rounds.hold(session, row.id, wait=False) is not None
    turn = row.turn
    sweep(limit=1)
    assert read(EvidenceRound)[0].turn == turn


def test_nothing_is_removed_while_a_plugin_with_rows_is_not_loaded(
    engine, addresses, session, files, sweep, folder, tenant, read
):
    """A plugin that is off the list keeps its files: nobody here knows which they are."""
    orphan = folder.put(tenant.id, b"a stranger's", 99)
    grow_old(folder.root / orphan.key)
    owner = create_engine(addresses.owner)
    try:
        with owner.begin() as connection:
            connection.execute(text("CREATE TABLE plugin_stranger__thing (tenant_id uuid)"))
            connection.execute(text("GRANT SELECT, INSERT ON plugin_stranger__thing TO huiyin_app"))
        sweep()
        assert not folder.exists(orphan.key)  # it has no row
        orphan = folder.put(tenant.id, b"a stranger's", 99)
        grow_old(folder.root / orphan.key)
        with owner.begin() as connection:
            connection.execute(
                text("INSERT INTO plugin_stranger__thing VALUES (:t)"), {"t": tenant.id}
            )
        assert holding.strangers(session) == ["plugin_stranger__thing"]
        session.rollback()
        sweep()
        assert folder.exists(orphan.key)
        assert read(EvidenceRound)[-1].files == 7
    finally:
        session.rollback()
        with owner.begin() as connection:
            connection.execute(text("DROP TABLE plugin_stranger__thing"))
        owner.dispose()


def test_the_command_says_how_far_it_is(engine, monkeypatch, files, sweep, folder):
    def lines():
        return [(number, line) for number, line in cli_evidence.state(engine)]

    assert lines() == [(0, "qinghe: no full round yet")]
    monkeypatch.setattr(rounds, "BYTES", 1)
    (folder.root / files[0]).write_bytes(b"forged")
    sweep(limit=3)
    (_, first), (_, present), (bad, found), (_, finding) = lines()
    assert first == "qinghe: no full round yet"
    assert re.search(r"[12] files, 0.00 GB", present)
    assert (bad, found) == (1, "  1 files missing or damaged")
    assert finding.startswith("  damaged since ")
    assert files[0] in finding
    sweep()
    assert "qinghe: last full round ended" in lines()[0][1]
    assert "7 files" in lines()[0][1]
    assert "present round" not in lines()[1][1]
    monkeypatch.setitem(holding._holders, "z", nobody)
    sweep()
    assert lines()[1] == (0, "  not asked in it: z")


def test_another_firms_files_are_not_looked_at(engine, make_tenant, files, sweep, read):
    other = make_tenant("yuancen")
    with tenant_session(engine, other.id) as own:
        own.add(Job(kind=tasks.SWEEP, consumer=tasks.SWEEP))
        own.commit()
    drain(engine)
    with tenant_session(engine, other.id) as own:
        assert own.scalars(select(EvidenceRound.files)).all() == [0]
    assert read(EvidenceRound) == []


def held():
    return select(EvidenceFile.blob_key, EvidenceFile.sha256)


def nothing():
    return held().where(false())


def unanswerable():
    return select(EvidenceFile.blob_key, cast(EvidenceFile.sha256 + "x", Integer))


def nobody():
    return select(literal_column("key"), literal_column("sha256")).select_from(text("gone_table"))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("holder", [unanswerable, nobody])
def test_a_holder_that_cannot_be_asked_keeps_nobody_else_from_being_compared(
    files, sweep, folder, monkeypatch, read, caplog, first, holder
):
    monkeypatch.setitem(holding._holders, "a" if first else "z", holder)
    (folder.root / files[1]).write_bytes(b"forged")
    for _ in range(2):
        sweep()
    assert [one.blob_key for one in read(EvidenceFinding)] == [files[1]]
    assert [(one.files, one.ended_at is not None) for one in read(EvidenceRound)] == [(7, True)] * 2
    assert "cannot be asked about files" in caplog.text
    assert {job.state for job in read(Job)} == {JobState.DONE.value}


def test_a_holder_that_fails_half_way_counts_as_not_asked_and_what_it_showed_is_kept(
    files, sweep, folder, monkeypatch, read
):
    def fails_at_the_second_page():
        asked.append(1)
        return nobody() if len(asked) > 1 else held()

    asked = []
    monkeypatch.setattr(rounds, "FILES", 4)
    monkeypatch.setattr(holding, "_holders", {"a": fails_at_the_second_page, "b": nothing})
    (folder.root / files[1]).write_bytes(b"forged")
    sweep()
    (row,) = read(EvidenceRound)
    assert (row.files, row.found, row.asked, row.ended_at is not None) == (4, 1, ["b"], True)
    assert [(one.holder, one.blob_key) for one in read(EvidenceFinding)] == [("a", files[1])]


@pytest.mark.parametrize("why", ["fails", "is not loaded", "goes in the middle"])
def test_a_finding_is_settled_only_by_a_round_that_asked_its_holder(
    files, sweep, folder, monkeypatch, read, caplog, why
):
    monkeypatch.setattr(holding, "_holders", {"a": held, "b": nothing})
    path = folder.root / files[3]
    path.unlink()
    sweep()
    with monkeypatch.context() as patched:
        if why == "fails":
            patched.setitem(holding._holders, "a", unanswerable)
        elif why == "is not loaded":
            patched.delitem(holding._holders, "a")
            patched.setattr(holding, "strangers", lambda _: ["plugin_a__file"])
        else:
            sweep(limit=1)
            patched.delitem(holding._holders, "a")
            sweep(limit=1)
            patched.setitem(holding._holders, "a", held)
        sweep()
    (found,) = read(EvidenceFinding)
    assert (found.holder, found.settled_at) == ("a", None)
    sweep()
    assert told(caplog) == ["1 blobs missing, 0 damaged"]
    path.write_bytes(PDF)
    sweep()
    assert [one.settled_at is not None for one in read(EvidenceFinding)] == [True]
    asked = [one.asked for one in read(EvidenceRound)]
    assert asked == [["a", "b"], ["b"], ["a", "b"], ["a", "b"]]


def test_a_finding_of_a_holder_that_is_gone_for_good_is_settled(
    files, sweep, folder, monkeypatch, read
):
    monkeypatch.setattr(holding, "_holders", {"a": held, "b": nothing})
    folder.delete(files[3])
    sweep()
    monkeypatch.delitem(holding._holders, "a")
    sweep()
    assert [one.settled_at is not None for one in read(EvidenceFinding)] == [True]


def test_a_finding_goes_with_its_file_to_another_holder(
    files, sweep, folder, monkeypatch, read, caplog
):
    monkeypatch.setattr(holding, "_holders", {"a": held, "b": nothing})
    folder.delete(files[3])
    sweep()
    monkeypatch.setattr(holding, "_holders", {"a": nothing, "b": held})
    sweep()
    assert [(one.holder, one.settled_at) for one in read(EvidenceFinding)] == [("b", None)]
    assert told(caplog) == ["1 blobs missing, 0 damaged"]


@pytest.fixture
def withdrawn(engine, tenant, files, folder, monkeypatch):
    """While the first file is read, the sixth goes with its row, as a draft that is withdrawn."""

    def still_here():
        return held().where(EvidenceFile.note == "")

    def meanwhile(store, key, sha256):
        if key == files[0]:
            with tenant_session(engine, tenant.id) as own:
                gone = update(EvidenceFile).where(EvidenceFile.blob_key == files[5])
                own.execute(gone.values(note="gone"))
                own.commit()
            folder.delete(files[5])
        return compare(store, key, sha256)

    compare = rounds.compare
    monkeypatch.setattr(holding, "_holders", {"a": still_here})
    monkeypatch.setattr(rounds, "compare", meanwhile)
    monkeypatch.setattr(service, "compare", meanwhile)


def test_a_file_that_goes_with_its_row_meanwhile_is_not_missing(
    files, withdrawn, sweep, folder, caplog, read
):
    folder.delete(files[2])
    sweep()
    assert [(one.blob_key, one.fault) for one in read(EvidenceFinding)] == [(files[2], "missing")]
    assert told(caplog) == ["1 blobs missing, 0 damaged"]


def test_nor_does_it_count_where_all_is_compared_at_once(files, withdrawn, session, folder):
    folder.delete(files[2])
    assert service.examine(session, folder).missing == (files[2],)


def test_a_missing_file_is_told_although_another_holder_cannot_be_asked(
    files, sweep, folder, monkeypatch, caplog
):
    monkeypatch.setitem(holding._holders, "z", nobody)
    folder.delete(files[2])
    sweep()
    assert told(caplog) == ["1 blobs missing, 0 damaged"]


def test_nothing_is_removed_while_a_holder_cannot_name_its_files(
    files, sweep, folder, monkeypatch, read, tenant
):
    orphan = folder.put(tenant.id, b"nobody's, or somebody's", 99)
    grow_old(folder.root / orphan.key)
    with monkeypatch.context() as patched:
        patched.setitem(holding._holders, "z", nobody)
        sweep()
    assert folder.exists(orphan.key)
    sweep()
    assert not folder.exists(orphan.key)
    assert [one.left_over for one in read(EvidenceRound)] == [0, 1]


def test_what_one_holder_showed_is_kept_whatever_becomes_of_the_next(
    files, sweep, folder, monkeypatch, read, caplog
):
    monkeypatch.setitem(holding._holders, "z", held)
    (folder.root / files[1]).write_bytes(b"forged")
    monkeypatch.setenv(failpoints.VARIABLE, "evidence.after_file:raise@8")
    monkeypatch.setattr(failpoints, "_passed", Counter())
    sweep()
    assert [one.blob_key for one in read(EvidenceFinding)] == [files[1]]
    assert told(caplog) == ["0 blobs missing, 1 damaged"]
    (row,) = read(EvidenceRound)
    assert (row.part, row.files, row.ended_at) == ("z", 7, None)


@pytest.mark.parametrize("call", ["iterdir", "stat"])
def test_what_cannot_be_looked_at_does_not_hide_the_rest(
    files, sweep, folder, monkeypatch, read, tenant, caplog, call
):
    orphans = sorted(folder.put(tenant.id, b"nobody's", 99).key for _ in range(3))
    for key in orphans:
        grow_old(folder.root / key)
    bad = folder.root / orphans[1]
    whole = getattr(Path, call)

    def broken(self, *arguments, **options):
        if self == (bad.parent if call == "iterdir" else bad):
            raise OSError(5, "Input/output error")
        return whole(self, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, call, broken)
        sweep()
    (row,) = read(EvidenceRound)
    assert row.ended_at is not None
    left = [key for key in orphans if folder.exists(key)]
    assert orphans[1] in left
    assert all(key.split("/")[1] == bad.parent.name for key in left)
    assert "Input/output error" in caplog.text
    sweep()
    assert not folder.exists(orphans[1])


def test_what_cannot_be_removed_is_said_and_stays(
    files, sweep, folder, monkeypatch, read, tenant, caplog
):
    orphans = sorted(folder.put(tenant.id, b"nobody's", 99).key for _ in range(2))
    for key in orphans:
        grow_old(folder.root / key)
    discard = folder.discard

    def broken(found):
        if found.key == orphans[0]:
            raise OSError(30, "Read-only file system")
        discard(found)

    monkeypatch.setattr(folder, "discard", broken)
    sweep()
    assert [folder.exists(key) for key in orphans] == [True, False]
    (row,) = read(EvidenceRound)
    assert (row.left_over, row.ended_at is not None) == (1, True)
    assert "is left over and cannot be removed: Read-only file system" in caplog.text
