"""Whose files they are: nothing is removed while somebody who may name it cannot be asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psycopg
import pytest

from huiyin.db import tenant_session
from huiyin.db.bootstrap import libpq
from huiyin.evidence import tasks
from huiyin.evidence.models import EvidenceRound
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
