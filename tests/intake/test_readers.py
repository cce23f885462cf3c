"""The folders of readers: what a killed process leaves is removed, and nothing else."""

import os
import tempfile
import time

import pytest

from huiyin.intake import readers


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(folder, name, *, age):
    path = folder / name
    path.mkdir()
    (path / "1").write_bytes(b"x")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_only_what_is_old_and_ours_is_removed(folder, monkeypatch):
    gone = left(folder, "huiyin-read-a", age=3600)
    at_work = left(folder, "huiyin-read-b", age=60)
    other = left(folder, "other-c", age=3600)
    target = left(folder, "target", age=3600)
    trap = folder / "huiyin-read-d"
    trap.symlink_to(target)
    os.utime(trap, (time.time() - 3600,) * 2, follow_symlinks=False)
    assert readers.sweep() == 1
    assert not gone.exists()
    assert all(path.exists() for path in (at_work, other, target, target / "1", trap))
    foreign = left(folder, "huiyin-read-e", age=3600)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert readers.sweep() == 0
    assert foreign.exists()


def test_a_reader_looks_once_an_hour(folder, monkeypatch):
    clock = [10_000.0]
    monkeypatch.setattr(readers.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(readers, "_looked", -readers._EVERY)
    looked = []
    monkeypatch.setattr(readers, "_old", lambda path, _before: looked.append(path.name))
    left(folder, "huiyin-read-a", age=3600)
    for later in (0, 60, 3600):
        clock[0] = 10_000.0 + later
        readers._sweep_hourly()
    assert looked == ["huiyin-read-a"] * 2
