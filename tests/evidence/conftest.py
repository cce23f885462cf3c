"""A firm with one case, and a store in a folder of the test's own."""

import pytest

from huiyin.cases.filing import Filing, file_complaint
from huiyin.evidence import store
from huiyin.kit import keys

keys.configure(b"thirty-two bytes for tests, only.")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The store of this test; ``folder.root`` is where it lies."""
    chosen = store.FolderStore(tmp_path / "blobs")
    monkeypatch.setattr(store, "_chosen", chosen)
    return chosen


@pytest.fixture
def number(session, actor):
    """A case filed by the officer, committed."""
    filed = file_complaint(
        session,
        actor,
        Filing(channel="phone", idem_key="1", story="赎回款迟迟未到账", phone="13800000000"),
    )
    session.commit()
    return filed.number


@pytest.fixture
def leftovers(folder):
    """Every file below the store."""
    return lambda: sorted(p.name for p in folder.root.rglob("*") if p.is_file())
