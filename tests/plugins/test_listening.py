"""A service that fails is begun again, and its log quotes nobody."""

import threading
from types import SimpleNamespace

from huiyin.plugins import listening


def test_a_service_that_fails_is_begun_again_and_quotes_nobody(monkeypatch, caplog):
    monkeypatch.setattr(listening, "PAUSE", 0)
    ctx, tries = SimpleNamespace(plugin="p", stopping=threading.Event()), []

    def run(_):
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("1380000" + "6021")  # in parts: a trace shows the line itself

    listening._keep_running(run, ctx, "door")
    assert len(tries) == 2
    assert "ValueError" in caplog.text
    assert "13800006021" not in caplog.text
