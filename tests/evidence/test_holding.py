"""Whose files they are: nothing is removed while somebody who may name it cannot be asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psycopg
import pytest
from sqlalchemy import select, update

from huiyin.db import tenant_session
from huiyin.db.bootstrap import libpq
from huiyin.evidence import holding, rounds, service, tasks
from huiyin.evidence.models import EvidenceFile, EvidenceRound
from huiyin.evidence.service import Upload
from huiyin.kit.ids import uuid7
from huiyin.queue.models import Job
from huiyin.testing.database import buried

DAY = 24 * 3600

RECORDING = """
INSERT INTO plugin_channel_phone__recording (tenant_id, id, call_id, file_name, media_type, size,
  sha256, blob_key, source, consent, by, at)
VALUES (%s, %s, %s, 'a.mp3', 'audio/mpeg', 1, %s, %s, 'upload', '', %s, now())
"""

CHILD = """
import os, sys
from pathlib import Path

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise ImportError(name)

sys.meta_path.insert(0, Broken())

from huiyin.db.engine import application_engine
from huiyin.evidence import service, store, tasks
from huiyin.migrations import tables
from huiyin.plugins.host import PluginHost
from huiyin.queue.worker import drain

tables.load()
print(*[one.name for one in PluginHost().refused])
store.use(store.FolderStore(Path(os.environ["TEST_FOLDER"])))
drain(application_engine(os.environ["TEST_DATABASE"]))
"""


def grow_old(path):
    old = time.time() - DAY - 3600
    os.utime(path, (old, old))


@pytest.mark.parametrize(
    ("fails", "refused"), [("recordings", "channel_phone"), ("nothing of it", "")]
)
def test_a_plugin_that_fails_after_its_models_loses_no_file(
    engine, postgres, session, tenant, folder, number, fails, refused
):
    """Its tables are known by then, and who would name the files in them is not."""
    blob = folder.put(tenant.id, b"the only recording of this call", 99)
    orphan = folder.put(tenant.id, b"nobody's", 99)
    for one in (blob, orphan):
        grow_old(folder.root / one.key)
    with psycopg.connect(libpq(postgres.url(name="huiyin_test"))) as superuser:
        superuser.execute("SET session_replication_role = replica")
        row = (tenant.id, uuid7(), uuid7(), blob.sha256, blob.key, uuid7())
        superuser.execute(RECORDING, row)
    session.add(Job(kind=tasks.SWEEP, consumer=tasks.SWEEP))
    session.commit()
    environment = {
        **os.environ, "TEST_DATABASE": engine.url.render_as_string(hide_password=False),
        "TEST_FOLDER": str(folder.root),
    }  # fmt: skip
    with buried(postgres, "huiyin_test"):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, f"huiyin_channel_phone.{fails}"],
            capture_output=True, text=True, timeout=90, check=False, env=environment,
        )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, refused), done.stderr
    assert folder.exists(blob.key)
    assert folder.exists(orphan.key) == bool(refused)
    with tenant_session(engine, tenant.id) as own:
        (running,) = own.query(EvidenceRound).all()
    assert running.ended_at is not None


def test_a_file_that_changes_hands_while_holders_are_asked_is_named(
    engine, session, actor, number, folder, tenant, monkeypatch
):
    """As an open sheet that is handed in: its file is of the one, and then of the other."""
    service.add(session, actor, number, [Upload("a.pdf", b"%PDF-1.7\n")])
    session.commit()
    (found,) = folder.listing(tenant.id)
    grow_old(found.path)
    (found,) = folder.listing(tenant.id)

    def handed_in():
        return select(EvidenceFile.blob_key, EvidenceFile.sha256).where(EvidenceFile.note == "in")

    def still_open():
        with tenant_session(engine, tenant.id) as own:
            own.execute(update(EvidenceFile).values(note="in"))
            own.commit()
        return select(EvidenceFile.blob_key, EvidenceFile.sha256).where(EvidenceFile.note == "")

    monkeypatch.setattr(holding, "_holders", {"a": handed_in, "b": still_open})
    assert rounds.left_over(session, [found]) == []


def test_whoever_cannot_be_asked_lets_nothing_be_removed(
    session, actor, number, folder, tenant, monkeypatch
):
    orphan = folder.put(tenant.id, b"nobody's, or somebody's", 99)
    grow_old(folder.root / orphan.key)

    def broken():
        raise RuntimeError

    monkeypatch.setitem(holding._holders, "z", broken)
    with pytest.raises(RuntimeError):
        rounds.left_over(session, list(folder.listing(tenant.id)))
