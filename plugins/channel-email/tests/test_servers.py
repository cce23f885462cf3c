"""Against real servers: Postfix delivers to the listener, Dovecot is pulled, reports come back."""

import asyncio
import re
import shutil
import smtplib
import socket
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from imapclient import IMAPClient
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.db import tenant_session
from huiyin.intake.models import Arrival
from huiyin.letters.models import Letter
from huiyin.plugins.listening import ServiceContext
from huiyin.tenancy.models import PluginActivation
from huiyin.testing.mail import Sink
from huiyin.testing.web import run_jobs
from huiyin_channel_email import listener, pulling
from huiyin_channel_email.models import Mailbox
from huiyin_channel_email.settings import ChannelEmailSettings

from .conftest import mail
from .servers import dovecot, free_port, listens, postfix, swaks, until

TO = "qinghe@in.huiyin.test"


@pytest.fixture
def home():
    """Sockets want short paths, and the servers' own users must reach them."""
    folder = Path(tempfile.mkdtemp(prefix="mail-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def serving(place, ctx, monkeypatch):
    """``with serving(run)``: a service of the plugin, as the site runs it."""
    monkeypatch.setenv("HUIYIN_MAIL_DOMAIN", "in.huiyin.test")
    monkeypatch.setenv("HUIYIN_OUTBOUND_PRIVATE", "127.0.0.0/8")

    @contextmanager
    def run(service):
        stopping = threading.Event()
        lent = ServiceContext(
            plugin="channel_email", stopping=stopping, host=place.host, engine=place.site.engine
        )
        thread = threading.Thread(target=service, args=(lent,))
        thread.start()
        try:
            yield lent
        finally:
            stopping.set()
            thread.join(60)
            assert not thread.is_alive()

    return run


@pytest.fixture
def door(serving, monkeypatch):
    """``with door("lmtp") as port``: the listener on a port of its own."""

    @contextmanager
    def run(protocol):
        port = free_port()
        monkeypatch.setenv("HUIYIN_MAIL_LISTEN", f"{protocol}://127.0.0.1:{port}")
        with serving(listener.listen):
            until(lambda: listens(port), "the listener")
            yield port

    return run


@pytest.fixture
def arrivals(engine, tenant):
    def found():
        with tenant_session(engine, tenant.id) as session:
            return session.scalars(select(Arrival).order_by(Arrival.id)).all()

    return found


def test_postfix_delivers_and_hears_250_after_the_commit(home, door, arrivals, place, session):
    with door("lmtp") as lmtp, postfix(home, lmtp) as smtp:
        code, said = swaks(smtp, mail().as_bytes(), to=TO)
        assert code == 0, said
        kept = until(arrivals, "the mail")[0]
        assert kept.envelope == {"from": "chen@example.com", "to": TO}
        log = until(
            lambda: re.search(r"status=sent \(250 2\.0\.0 kept as \S+\)", maillog(home)), "the log"
        )
        assert str(kept.id) in log[0]
        run_jobs(place)
        assert session.scalars(select(Case.channel)).all() == ["email"]


def maillog(home):
    path = home / "maillog"
    return path.read_text() if path.exists() else ""


def test_a_database_that_is_away_makes_postfix_come_again(home, door, arrivals, monkeypatch, place):
    real, failing = listener.take, threading.Event()

    def take(*given, **named):
        if not failing.is_set():
            failing.set()
            raise ConnectionError
        return real(*given, **named)

    monkeypatch.setattr(listener, "take", take)
    with door("lmtp") as lmtp, postfix(home, lmtp) as smtp:
        swaks(smtp, mail().as_bytes(), to=TO)
        assert len(until(arrivals, "the mail")) == 1
        assert "status=deferred" in maillog(home)


def test_a_letter_that_nobody_takes_comes_back_to_its_case(
    home, door, arrivals, monkeypatch, place, session
):
    nobody = Sink(rcpt="550 5.1.1 nobody of that name")
    with door("lmtp") as lmtp, nobody.running(), postfix(home, lmtp, nobody.port) as smtp:
        monkeypatch.setenv("HUIYIN_SMTP_URL", f"smtp://127.0.0.1:{smtp}")
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@in.huiyin.test")
        swaks(smtp, mail().as_bytes(), to=TO)
        until(arrivals, "the mail")
        run_jobs(place)  # filed, acknowledged; Postfix takes the letter and cannot deliver it
        letter = session.scalars(select(Letter)).one()
        assert letter.state == "sent"
        until(lambda: len(arrivals()) == 2, "the report")
        run_jobs(place)
        session.expire_all()
        assert (letter.state, letter.delivery) == ("failed", "DSN 5.1.1")
        assert [a.state for a in arrivals()] == ["filed", "returned"]


def test_one_mail_to_several_is_answered_for_each(door, arrivals, ctx):
    with door("lmtp") as port, smtplib.LMTP("127.0.0.1", port) as server:
        server.ehlo()  # LHLO
        server.mail("a@example.com")
        assert server.rcpt(TO)[0] == 250
        assert server.rcpt("nobody@in.huiyin.test")[0] == 550
        assert server.rcpt("qinghe@elsewhere.test")[0] == 550
        assert server.rcpt("qinghe+c-xyz@in.huiyin.test")[0] == 250
        server.putcmd("data")
        server.getreply()
        server.send(mail().as_bytes() + b"\r\n.\r\n")
        answers = [server.getreply(), server.getreply()]
        assert [code for code, _ in answers] == [250, 250]
    assert len(arrivals()) == 1


def test_smtp_is_spoken_too_and_size_is_refused_before_the_data(door):
    with door("smtp") as port, smtplib.SMTP("127.0.0.1", port) as server:
        server.ehlo()
        assert server.mail("a@example.com", ["size=99000000"])[0] == 552
        server.rset()
        server.sendmail("a@example.com", [TO], mail().as_bytes())


def test_a_line_cut_in_the_middle_leaves_nothing(door, arrivals):
    with door("lmtp") as port:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.recv(1000)
            for words in (b"LHLO x", b"MAIL FROM:<a@b.cn>", f"RCPT TO:<{TO}>".encode(), b"DATA"):
                line.sendall(words + b"\r\n")
                line.recv(1000)
            line.sendall(mail().as_bytes()[:200])
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.sendmail("a@example.com", [TO], mail().as_bytes())
    assert len(arrivals()) == 1


def test_a_second_process_waits_quietly_and_takes_over(serving, arrivals, monkeypatch, caplog):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("HUIYIN_MAIL_LISTEN", f"lmtp://127.0.0.1:{port}")
        with serving(listener.listen):
            until(lambda: "another process" in caplog.text, "its word")
            other.close()
            until(lambda: deliver_to(port), "the listener")
    assert len(arrivals()) == 1
    assert caplog.text.count("another process") == 1


def test_waiting_for_the_address_ends_when_told(serving, monkeypatch, caplog):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("HUIYIN_MAIL_LISTEN", f"lmtp://127.0.0.1:{port}")
        with serving(listener.listen):
            until(lambda: "another process" in caplog.text, "its word")


def deliver_to(port):
    try:
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.sendmail("a@example.com", [TO], mail().as_bytes())
    except (OSError, smtplib.SMTPException):
        return False
    return True


def test_more_connections_than_there_is_room_for_are_told_to_come_again(door, monkeypatch):
    monkeypatch.setattr(listener, "CONNECTIONS", 3)
    with door("lmtp") as port:
        lines = [until(lambda: welcomed(port), "room") for _ in range(3)]
        with socket.create_connection(("127.0.0.1", port)) as late:
            assert late.recv(100).startswith(b"421")
        lines.pop().close()
        lines.append(until(lambda: welcomed(port), "room"))
        for line in lines:
            line.close()


@pytest.fixture
def budget(monkeypatch):
    """``budget()``: what the listener still has; it begins with 200 kB, 100 kB for one mail."""
    made = []

    class Seen(listener.Budget):
        def __init__(self, most):
            super().__init__(most)
            made.append(self)

    monkeypatch.setattr(listener, "BUDGET", 200_000)
    monkeypatch.setattr(listener, "EACH", 100_000)
    monkeypatch.setattr(listener, "Budget", Seen)
    return lambda: made[0].left


def begun(port, size):
    """A connection on which so many bytes of a mail were said, and not its end."""
    line = welcomed(port)
    for words in (b"LHLO x", b"MAIL FROM:<a@b.cn>", f"RCPT TO:<{TO}>".encode(), b"DATA"):
        line.sendall(words + b"\r\n")
        heard = b""
        while not re.search(rb"(?m)^\d{3} .*\r\n\Z", heard):
            heard += line.recv(1000)
    line.sendall(mail("x" * 60 + "\n").as_bytes() + (b"y" * 998 + b"\r\n") * (size // 1000))
    return line


def answered(port, data):
    with smtplib.LMTP("127.0.0.1", port) as server:
        server.ehlo()  # LHLO
        server.mail("a@example.com")
        server.rcpt(TO)
        first = server.data(data)[0]
        server.rset()
        return first, server.noop()[0]


def test_more_mail_than_fits_is_asked_for_again(door, budget, arrivals):
    with door("lmtp") as port:
        lines = [begun(port, 80_000), begun(port, 80_000)]
        until(lambda: budget() < 40_000, "what they said")
        assert answered(port, mail("z" * 900 + "\n" * 40 + "z" * 40_000).as_bytes()) == (452, 250)
        assert answered(port, mail(message_id="<small@x>").as_bytes()) == (250, 250)
        lines[0].sendall(b".\r\n")
        assert lines[0].recv(100).startswith(b"250")
        lines[1].close()  # cut in the middle
        until(lambda: budget() == 200_000, "what they held")
        for line in lines:
            line.close()
    assert len(arrivals()) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("w" * 70_000, 500), ("\n" * 2_000, 552), ("z" * 100_000, 552), ("z" * 69_000, 452)],
)
def test_every_recipient_hears_that_it_was_not_kept(door, budget, arrivals, text, code):
    lines = "\r\n".join(text[n : n + 900] for n in range(0, len(text), 900))
    said = (text if code == 500 else lines if "z" in text else "\r\n" * len(text)).encode()
    with door("lmtp") as port:
        held = [begun(port, 80_000), begun(port, 70_000)] if code == 452 else []
        until(lambda: not held or budget() < 30_000, "what they hold")
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.ehlo()  # LHLO
            server.mail("a@example.com")
            them = (TO, "nobody@in.huiyin.test", "qinghe+x@in.huiyin.test")
            assert [server.rcpt(to)[0] for to in them] == [250, 550, 250]
            server.putcmd("data")
            server.getreply()
            server.send(b"Subject: x\r\n\r\n" + said + b"\r\n.\r\n")
            assert [server.getreply()[0] for _ in range(2)] == [code, code]
            assert server.noop()[0] == 250
        for line in held:
            line.close()
    assert not arrivals()


def test_the_end_of_a_mail_is_heard_whatever_is_left():
    heard = listener.Counted(Said(b"x" * 80 + b"\r\n", b".\r\n"), listener.Budget(202))

    async def hear():
        return [await heard.readuntil(b"\r\n"), await heard.readuntil(b"\r\n")]

    assert asyncio.run(hear())[1] == b".\r\n"
    assert heard.budget.left == 0
    heard.give_back()
    assert heard.budget.left == 202


class Said:
    def __init__(self, *lines):
        self.lines = iter(lines)

    async def readuntil(self, _separator):
        return next(self.lines)


def test_a_mail_of_empty_lines_is_too_large_before_it_fills_the_memory(door, budget, arrivals):
    with door("lmtp") as port:
        assert answered(port, mail().as_bytes() + b"\r\n" * 2_000) == (552, 250)
        assert budget() == 200_000
        assert answered(port, mail().as_bytes()) == (250, 250)
    assert len(arrivals()) == 1


def welcomed(port):
    """A connection that was let in, or nothing."""
    line = socket.create_connection(("127.0.0.1", port))
    if line.recv(100).startswith(b"220"):
        return line
    line.close()
    return None


# -- the mailbox -------------------------------------------------------------------------------


def settings(port, **more):
    return ChannelEmailSettings(
        pull=True, host="127.0.0.1", port=port, security="none", user="tousu",
        **{"password": "secret", **more},
    )  # fmt: skip


@pytest.fixture
def chosen(monkeypatch):
    """The settings that the service finds, whatever the firm has published."""
    held = []
    monkeypatch.setattr(pulling, "_wanted", lambda _ctx, _slug: held[-1] if held else None)
    return held


def put(port, data):
    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login("tousu", "secret")
        client.append("INBOX", data)


def seen(port):
    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login("tousu", "secret")
        client.select_folder("INBOX", readonly=True)
        return len(client.search(["SEEN"])), len(client.search(["ALL"]))


def test_dovecot_is_pulled_and_wakes_us(home, serving, arrivals, chosen):
    with dovecot(home) as port:
        put(port, mail().as_bytes())
        chosen.append(settings(port))
        with serving(pulling.pull):
            until(lambda: len(arrivals()) == 1, "the first")
            put(port, mail("第二封", message_id="<2@x>").as_bytes())  # while it waits in IDLE
            until(lambda: len(arrivals()) == 2, "the second")
            until(lambda: seen(port) == (2, 2), "the flags")


def test_what_is_not_kept_stays_unseen(home, serving, arrivals, chosen, monkeypatch, session):
    def broken(*_given, **_named):
        raise ConnectionError

    with dovecot(home) as port:
        put(port, mail().as_bytes())
        real = pulling.take
        monkeypatch.setattr(pulling, "take", broken)
        chosen.append(settings(port))
        with serving(pulling.pull):
            until(lambda: error_of(session) == "not_kept", "the trouble")
            assert seen(port) == (0, 1)
            monkeypatch.setattr(pulling, "take", real)
            until(arrivals, "the mail")
            until(lambda: seen(port) == (1, 1), "the flag")
            until(lambda: error_of(session) == "", "the end of the trouble")


def error_of(session):
    session.rollback()
    return session.scalar(select(Mailbox.error))


def test_a_mail_beyond_the_limit_leaves_its_headers(home, serving, arrivals, chosen, monkeypatch):
    monkeypatch.setattr(pulling.limits, "LARGEST", 2000)
    with dovecot(home) as port:
        put(port, mail("x" * 100 + "\n" * 5000).as_bytes())
        chosen.append(settings(port))
        with serving(pulling.pull) as ctx:
            kept = until(arrivals, "the mail")[0]
            assert kept.raw_size < 2000
            assert ctx.firms()


@pytest.mark.parametrize(
    ("change", "code"),
    [({"password": "wrong"}, "login"), ({"folder": "Nowhere"}, "folder"), ({}, "unreachable")],
)
def test_trouble_has_a_name(home, serving, chosen, session, change, code):
    with dovecot(home) as port:
        chosen.append(settings(port if change else free_port(), **change))
        with serving(pulling.pull):
            until(lambda: error_of(session) == code, code)


def test_a_mailbox_inside_is_not_called(serving, chosen, session, monkeypatch):
    with serving(pulling.pull):
        monkeypatch.delenv("HUIYIN_OUTBOUND_PRIVATE")
        chosen.append(settings(143))
        until(lambda: error_of(session) == "unreachable", "the refusal")


def test_a_firm_that_is_off_takes_no_mail(door, ctx, session, place):
    session.scalars(select(PluginActivation)).one().active = False
    session.commit()
    place.host.forget()
    with door("lmtp") as port, smtplib.LMTP("127.0.0.1", port) as server:
        server.ehlo()  # LHLO
        server.mail("a@example.com")
        assert server.rcpt(TO)[0] == 550
