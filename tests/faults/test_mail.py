"""Mail under ``kill -9``: what heard 250 is there, once, whatever dies and whenever."""

from __future__ import annotations

import json
import os
import random
import smtplib
import threading
import uuid
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from .conftest import FIRM, PATIENCE, Busy, _free_port, until

DOMAIN = "in.huiyin.test"
SENDERS = 4
# A night's run may ask for more.
MAILS = int(os.environ.get("HUIYIN_FAULT_MAILS", "120"))
PLACES = [
    "blob.after_sync", "intake.after_blob", "intake.after_insert", "intake.before_read",
    "intake.after_read", "intake.after_place", "worker.after_done",
]  # fmt: skip


def letter(number: int, words: str = "") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"投诉人 <person{number}@example.com>"
    message["To"], message["Subject"] = f"{FIRM}@{DOMAIN}", f"赎回款没有到账 {number}"
    message["Message-ID"] = f"<mail-{number}@example.com>"
    message.set_content(words or f"第 {number} 笔赎回至今没有到账。")
    message.add_attachment(b"%PDF-1.7 " + str(number).encode(), maintype="application",
                           subtype="pdf", filename="确认单.pdf")  # fmt: skip
    return message.as_bytes()


class MailServers(Busy):
    """Servers that never give up: each mail is offered until it is answered 250, then noted."""

    def __init__(self, house, journal, port, seed, *, mails=MAILS, patience=PATIENCE):
        self.house, self.port, self.patience = house, port, patience
        self.file, self.journal = journal.open("ab"), journal
        self.kept, self.refused = [], 0
        self.news = threading.Condition()
        self.given_up = threading.Event()
        self.order = list(range(mails))
        chance = random.Random(seed)
        self.order += chance.sample(self.order, mails // 5)  # some are delivered twice
        chance.shuffle(self.order)
        self.threads = [
            threading.Thread(target=self._send_all, args=(self.order[n::SENDERS],), daemon=True)
            for n in range(SENDERS)
        ]

    def __exit__(self, kind, *_):
        super().__exit__(kind)
        self.file.close()

    def _send_all(self, numbers):
        for number in numbers:
            self.deliver(letter(number))

    def deliver(self, data):
        while not self.given_up.is_set():
            with suppress(OSError, smtplib.SMTPException):
                with smtplib.LMTP("127.0.0.1", self.port, timeout=60) as server:
                    server.ehlo()
                    server.mail("bounces@example.com")
                    server.rcpt(f"{FIRM}@{DOMAIN}")
                    code, said = server.data(data)
                if code == 250:
                    self._note(uuid.UUID(said.decode().rsplit(" ", 1)[1]))
                    return
            self.refused += bool(self.kept)  # before the first one the door was not open yet
            self.given_up.wait(0.05)

    def _note(self, arrival):
        with self.news:
            line = json.dumps({"tenant": FIRM, "arrival": str(arrival)})
            self.file.write(line.encode() + b"\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            self.kept.append(arrival)
            self.news.notify_all()

    def wait_for(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.kept) >= count, PATIENCE)


@pytest.fixture
def mail(house, tmp_path):
    """Mail servers before the door of a worker that listens there too."""
    port = _free_port()
    door = {"HUIYIN_MAIL_LISTEN": f"lmtp://127.0.0.1:{port}", "HUIYIN_MAIL_DOMAIN": DOMAIN}
    servers = MailServers(house, tmp_path / "journal", port, seed=20261126)
    servers.start = lambda **extra: house.start("worker", **door, **extra)
    return servers


def settled(house):
    """All mail is read, and whatever is due is done; what nobody recognised waits for its day."""
    left = """
        SELECT (SELECT count(*) FROM arrival WHERE state = 'received')
             + (SELECT count(*) FROM outbox_event WHERE relayed_at IS NULL)
             + (SELECT count(*) FROM job WHERE state <> 'done' AND due_at < now() + interval '1 h')
    """
    return house.rows(left) == [(0,)]


@pytest.mark.parametrize("place", PLACES)
def test_a_mail_is_a_case_once_wherever_the_process_is_killed(house, mail, place):
    mail.start(HUIYIN_FAILPOINT=f"{place}:kill")
    sender = threading.Thread(target=mail.deliver, args=(letter(1),), daemon=True)
    sender.start()
    assert house.ended("worker") == -9
    house.let_a_minute_pass()
    mail.start()
    sender.join(PATIENCE)
    assert not sender.is_alive()
    mail.file.close()
    until(lambda: settled(house), "the mail to be read")
    assert house.rows("SELECT count(*), min(title) FROM case_file") == [(1, "赎回款没有到账 1")]
    assert house.rows("SELECT count(*) FROM evidence_file") == [(2,)]
    house.nothing_is_lost(mail.journal)


def test_mail_goes_on_when_listener_and_reader_are_killed_again_and_again(house, mail):
    mail.start()
    chance = random.Random(7)
    with mail:
        for _ in range(5):
            mail.wait_for(len(mail.kept) + chance.randint(3, 15))
            house.kill("worker")
            house.let_a_minute_pass()
            mail.start()
    assert mail.refused, "no server noticed; the kills proved nothing"
    house.let_a_minute_pass()
    until(lambda: settled(house), "all mail to be read")
    assert house.rows("SELECT count(*), count(DISTINCT title) FROM case_file") == [(MAILS, MAILS)]
    assert house.rows("SELECT count(*) FROM evidence_file") == [(2 * MAILS,)]
    house.nothing_is_lost(mail.journal)


def test_one_mail_that_kills_its_reader_holds_up_nobody(house, mail):
    mail.start()
    nested = b"From: a@b.cn\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(2000)
    )
    bombs = [nested, b"From: a@b.cn\r\nSubject:" + b" =?utf-8?B?YQ==?=\r\n" * 16_000 + b"\r\nx"]
    for bomb in bombs:
        mail.deliver(bomb)
    mail.deliver(letter(1))
    mail.file.close()
    until(lambda: settled(house), "the mail to be read")
    assert house.rows("SELECT state, count(*) FROM arrival GROUP BY state ORDER BY state") == [
        ("filed", 1), ("waiting", 2)
    ]  # fmt: skip
    house.nothing_is_lost(mail.journal)
