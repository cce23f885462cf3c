"""The confined process: what it may not do, and how it ends."""

import socket
import time
from pathlib import Path

import pytest

from huiyin.kit import jail


@pytest.fixture
def child(tmp_path):
    """``child(source)`` runs a function ``f(raw, folder)`` of that source in the jail."""
    modules = tmp_path / "modules"
    work = tmp_path / "work"
    modules.mkdir()
    work.mkdir()

    def run(source, data=b"x", **limits):
        (modules / "jailed.py").write_text(source)
        raw = tmp_path / "raw"
        raw.write_bytes(data)
        with raw.open("rb") as stream:
            return jail.run("jailed:f", stream, work, jail.Limits(**limits), path=modules)

    run.work = work
    return run


def test_it_reads_and_answers(child):
    answer = child(
        "def f(raw, folder):\n"
        "    (folder / '1').write_bytes(raw[::-1])\n"
        "    return {'n': len(raw), 'text': '回音'}\n",
        b"abc",
    )
    assert answer == {"n": 3, "text": "回音"}
    assert (child.work / "1").read_bytes() == b"cba"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ValueError", "fault"),
        ("return {'x': object()}", "fault"),
        ("return b'x' * (1 << 31)", "memory"),
        ("import os; os._exit(0)", "answer"),
        ("import os, signal; os.abort()", "fault"),
        ("(folder / '1').write_bytes(b'x' * (2 << 20))", "answer"),
        ("return 'x' * (2 << 20)", "answer"),
        ("[f for f in iter(int, 1)]", "time"),
    ],
)
def test_whatever_breaks_has_a_name(child, body, why):
    with pytest.raises(jail.Broken) as broken:
        child(f"def f(raw, folder):\n    {body}\n", cpu=1, file=1 << 20, answer=1 << 20)
    assert broken.value.why == why


def test_one_that_sleeps_is_ended(child):
    began = time.monotonic()
    with pytest.raises(jail.Broken, match="time"):
        child("import time\ndef f(raw, folder):\n    time.sleep(600)\n", wall=1.0)
    assert time.monotonic() - began < 300


def test_it_reaches_nobody(child):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for deed in (
            f"import socket; socket.create_connection(('127.0.0.1', {port}))",
            "import subprocess; subprocess.run(['true'])",
            "import os; os.fork()",
            "import os; os.system('true')",
            "import os; os.kill(os.getppid(), 9)",
        ):
            answer = child(
                "def f(raw, folder):\n"
                "    try:\n"
                f"        {deed}\n"
                "    except PermissionError as fault:\n"
                "        return str(fault)\n"
            )
            assert answer, deed


def test_it_sees_no_secrets(child, monkeypatch):
    monkeypatch.setenv("HUIYIN_SMTP_URL", "smtp://u:secret@mx")
    seen = child("import os\ndef f(raw, folder):\n    return dict(os.environ)\n")
    assert not [name for name in seen if name.startswith("HUIYIN")]
    assert Path(child.work).is_dir()
