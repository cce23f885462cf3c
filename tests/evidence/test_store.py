"""Bytes are whole and durable before anybody names them, or they are not there."""

import errno
import io
import os
import subprocess
import sys
import uuid

import pytest

from huiyin.evidence import store as module
from huiyin.evidence.errors import StorageFull
from huiyin.kit.errors import TooLarge

FIRM = uuid.UUID(int=7)
OTHER = uuid.UUID(int=8)


def test_what_was_put_comes_back_with_its_hash(folder):
    blob = folder.put(FIRM, io.BytesIO(b"abc" * 700_000), 3_000_000)
    assert blob.size == 2_100_000
    with folder.open(blob.key) as stream:
        assert module.digest_of(stream) == blob.sha256
    assert folder.exists(blob.key)
    folder.delete(blob.key)
    folder.delete(blob.key)
    assert not folder.exists(blob.key)


def test_names_are_random_and_parted_by_firm(folder):
    one, two = folder.put(FIRM, b"same", 9), folder.put(OTHER, b"same", 9)
    assert one.key.startswith(FIRM.hex)
    assert two.key.startswith(OTHER.hex)
    assert [found.key for found in folder.listing(FIRM)] == [one.key]


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "", "a/b/c", f"{FIRM.hex}/../x"])
def test_a_key_is_never_a_path_of_somebodys_choosing(folder, key):
    assert not folder.exists(key)
    with pytest.raises(FileNotFoundError):
        folder.open(key)


def test_one_byte_too_many_leaves_nothing_behind(folder, leftovers):
    folder.put(FIRM, b"12345", 5)
    with pytest.raises(TooLarge):
        folder.put(FIRM, io.BytesIO(b"123456"), 5)
    assert len(leftovers()) == 1


def test_a_full_disk_is_told_and_leaves_nothing_behind(folder, leftovers, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "fsync", full)
    folder.root.mkdir()
    monkeypatch.setattr(module, "_sync", lambda _folder: None)
    with pytest.raises(StorageFull) as caught:
        folder.put(FIRM, b"12345", 5)
    assert caught.value.status == 507
    assert leftovers() == []


def test_another_fault_of_the_disk_keeps_its_name(folder, leftovers, monkeypatch):
    monkeypatch.setattr(module, "_sync", lambda _folder: None)
    monkeypatch.setattr(
        module.os, "fsync", lambda _d: (_ for _ in ()).throw(OSError(errno.EIO, "broken"))
    )
    with pytest.raises(OSError, match="broken"):
        folder.put(FIRM, b"12345", 5)
    assert leftovers() == []


SYNCED = """
import os, sys, uuid
from pathlib import Path
from huiyin.evidence import store
order = []
real_sync, real_rename = os.fsync, Path.rename
os.fsync = lambda fd: (order.append("sync"), real_sync(fd))[1]
Path.rename = lambda self, to: (order.append("rename"), real_rename(self, to))[1]
s = store.FolderStore(Path(sys.argv[1]))
s.put(uuid.UUID(int=7), b"first", 9)
order.clear()
s.put(uuid.UUID(int=7), b"again", 9)
tail = order[-3:]
assert tail == ["sync", "rename", "sync"], order
"""


def test_the_file_is_synced_before_its_name_and_the_folder_after(tmp_path):
    subprocess.run([sys.executable, "-c", SYNCED, str(tmp_path / "b")], check=True, timeout=60)


PUT = """
import sys, uuid
from pathlib import Path
from huiyin.evidence.store import FolderStore
blob = FolderStore(Path(sys.argv[1])).put(uuid.UUID(int=7), b"12345", 9)
print(blob.key)
"""
STEPS = ["before_write", "after_write", "after_rename", "after_sync"]


@pytest.mark.parametrize("step", STEPS)
def test_a_death_at_any_step_leaves_no_half_file_under_a_key(folder, step):
    done = subprocess.run(
        [sys.executable, "-c", PUT, str(folder.root)],
        env={**os.environ, "HUIYIN_FAILPOINT": f"blob.{step}:kill"},
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == -9
    for found in folder.listing(FIRM):
        if found.key:
            with folder.open(found.key) as stream:
                assert stream.read() == b"12345"
