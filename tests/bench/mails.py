"""Mail through the door: how many a second are kept and acknowledged, how many are read."""

from __future__ import annotations

import os
import smtplib
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import psycopg

from huiyin.app.compose import Installation
from huiyin.db.bootstrap import libpq

DOMAIN = "bench.huiyin.test"
SENDERS = 4
PATIENCE = 300  # seconds until all of them must be read
STORY = "我在开放日提交了赎回申请，确认单已经收到，款项至今没有到账，打了三次客服电话。\n" * 20


@dataclass(frozen=True, slots=True)
class MailFigures:
    """Rates in mails a second; memory in MB, the most the worker ever held."""

    mails: int
    kept: float
    read: float
    memory: float

    def __str__(self) -> str:
        return (
            f"mail: {self.mails} of 100 kB by LMTP over {SENDERS} connections,"
            f" {self.kept:.1f}/s acknowledged after the commit, {self.read:.1f}/s read and filed;"
            f" worker at most {self.memory:.0f} MB"
        )


def message(slug: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"投诉人 <{uuid.uuid4().hex}@example.com>"
    mail["To"], mail["Subject"] = f"{slug}@{DOMAIN}", "赎回款没有到账"
    mail["Message-ID"] = f"<{uuid.uuid4().hex}@example.com>"
    mail.set_content(STORY)
    mail.add_attachment(b"%PDF-1.7 " + os.urandom(72_000), maintype="application",
                        subtype="pdf", filename="确认单.pdf")  # fmt: skip
    return mail.as_bytes()


def measure(installation: Installation, slug: str, *, mails: int) -> MailFigures:
    """Start a worker with the door open, send, wait until all is read."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    door = {"HUIYIN_MAIL_LISTEN": f"lmtp://127.0.0.1:{port}", "HUIYIN_MAIL_DOMAIN": DOMAIN}
    home = {"HUIYIN_HOME": str(installation.settings.home)}
    command = [sys.executable, "-m", "huiyin.app.cli", "worker"]
    worker = subprocess.Popen(command, env={**os.environ, **home, **door})
    try:
        _await(port)
        prepared = [message(slug) for _ in range(mails)]
        began = time.monotonic()
        threads = [
            threading.Thread(target=_send, args=(port, slug, prepared[n::SENDERS]))
            for n in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = time.monotonic() - began
        _until_read(installation)
        read = time.monotonic() - began
        status = Path(f"/proc/{worker.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
    finally:
        worker.terminate()
        worker.wait(30)
    return MailFigures(mails, mails / kept, mails / read, peak / 1024)


def _await(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("nobody listens for mail")


def _send(port: int, slug: str, mails: list[bytes]) -> None:
    with smtplib.LMTP("127.0.0.1", port) as server:
        for mail in mails:
            server.sendmail("bench@example.com", [f"{slug}@{DOMAIN}"], mail)


def _until_read(installation: Installation) -> None:
    assert installation.server is not None
    url = libpq(installation.server.url(name="huiyin"))
    ends = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < ends:
            left = connection.execute("SELECT count(*) FROM arrival WHERE state = 'received'")
            if left.fetchone() == (0,):
                return
            time.sleep(0.1)
    raise RuntimeError("the mail was not read in time")
