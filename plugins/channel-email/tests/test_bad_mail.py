"""Mail made to do harm: each is one arrival or a clear refusal, and the next one is read."""

import io
import smtplib
import socket
import zipfile

import pytest
from sqlalchemy import func, select

from huiyin.cases.models import Case
from huiyin.evidence.models import EvidenceFile
from huiyin.intake import readers
from huiyin.intake.models import Arrival
from huiyin.kit.jail import Limits
from huiyin.letters.replies import tag_of
from huiyin.sdk import uuid7
from huiyin_channel_email import listener, reader

from .conftest import mail
from .servers import until
from .test_places import cases, sink  # noqa: F401 - a fixture
from .test_servers import TO, arrivals, begun, door, serving  # noqa: F401 - fixtures

HEAD = b"From: a@b.cn\r\nMessage-ID: <bad@x>\r\nSubject: bad\r\nMIME-Version: 1.0\r\n"


def body(kind, text):
    return HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + text


PARTS = b"--b\r\n\r\nx\r\n"
BAD = {
    "nested without end": HEAD
    + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
               for n in range(5_000)),
    "a part that never ends": body(b'multipart/mixed; boundary="b"', b"--b\r\n" * 50),
    "16 000 encoded words": HEAD + b"To:" + b" =?utf-8?B?YQ==?=\r\n" * 16_000 + b"\r\nx",
    "20 000 parts": body(b'multipart/mixed; boundary="b"', PARTS * 20_000 + b"--b--"),
    "20 000 parts behind a hidden boundary": body(
        b'multipart/mixed; boundary*0="b"', PARTS * 20_000 + b"--b--"),
    "a codec of minutes": body(b"text/plain; charset=punycode", b"a-" + b"b" * 300_000),
    "another codec of minutes": body(b"text/plain; charset=idna", b"xn--" + b"a" * 300_000),
    "a codec that unpacks": body(b"text/plain; charset=zlib", b"x" * 1_000),
    "bytes of no charset": body(b"text/plain; charset=utf-16", b"\xff\xfe\xd8" * 1_000),
    "a line without end": body(b"text/plain", b"a" * 300_000),
    "a header block without end": body(b"text/plain", b"From" + b" " * 200_000 + b"x"),
    "NUL everywhere": HEAD.replace(b"bad", b"b\0d") + b"X\0: y\r\n\r\n\0\0x",
    "nobody to report to": b"Return-Path: <>\r\n" + mail(message_id="<bad@x>").as_bytes(),
    "a header in a header": HEAD.replace(b": bad", b": =?utf-8?Q?a=0D=0ABcc:_a@x.cn?=")
    + b"\r\nx",
    "two senders": b"From: c@d.cn\r\n" + HEAD + b"\r\nx",
    "a header line of a megabyte": HEAD + b"X: " + b"y" * 1_000_000 + b"\r\n\r\nx",
    "a letter that came back to itself": HEAD.replace(b"a@b.cn", b"mailer-daemon@b.cn")
    + b"\r\n" + b"-" * 500_000,
}  # fmt: skip


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_each_is_one_arrival_and_the_next_is_read(deliver, session, raw):
    bad = deliver(raw)
    assert bad.state in {"filed", "waiting", "ignored"}
    assert bad.raw_size == len(raw)
    assert session.scalars(select(func.count()).select_from(Arrival)).one() == 1
    assert deliver(mail()).state == "filed"


def test_a_strange_mail_is_read_whole_and_not_given_up(tmp_path):
    # Each took more than the twenty seconds that a reader has.
    for name in ("a codec of minutes", "another codec of minutes", "a line without end",
                 "a header block without end", "a letter that came back to itself"):  # fmt: skip
        found = reader.read(BAD[name], tmp_path)
        assert len(found["text"]) >= 200_000


@pytest.mark.parametrize("sign", [b"<!--", b"</", b"<![CDATA["])
def test_a_page_that_takes_for_ever_is_given_up(deliver, monkeypatch, sign):
    monkeypatch.setattr(readers, "LIMITS", Limits(cpu=2, wall=10.0))
    bad = deliver(body(b"text/html", sign * 300_000))
    assert (bad.state, bad.reason) == ("waiting", "unreadable")
    assert bad.reading["faults"] == ["time"]
    monkeypatch.setattr(readers, "LIMITS", Limits())
    assert deliver(mail()).state == "filed"


def test_a_reader_that_wants_too_much_memory_is_given_up(deliver, monkeypatch):
    monkeypatch.setattr(readers, "LIMITS", Limits(memory=96 * 1024 * 1024))
    big = mail()
    big.add_attachment(b"x" * 20_000_000, maintype="application", subtype="x", filename="x.dat")
    bad = deliver(big)
    assert (bad.state, bad.reading["faults"]) == ("waiting", ["memory"])
    monkeypatch.setattr(readers, "LIMITS", Limits())
    assert deliver(mail(message_id="<2@x>")).state == "filed"


def test_what_is_packed_stays_packed(deliver, session):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 50_000_000)
    message = mail()
    message.add_attachment(packed.getvalue(), maintype="application", subtype="zip",
                           filename="材料.zip")  # fmt: skip
    arrival = deliver(message)
    kept = session.scalars(
        select(EvidenceFile).where(EvidenceFile.case_id == arrival.case_id)
        .order_by(EvidenceFile.number)
    ).all()  # fmt: skip
    assert [file.size for file in kept] == [len(packed.getvalue()), arrival.raw_size]


def test_no_header_of_a_stranger_gets_into_an_answer(deliver, session, sink):  # noqa: F811
    raw = mail("x").as_bytes()
    raw = raw.replace(b"<one@example.com>", b"<one@example.com\r\n\tBcc: all@x.cn>")
    start = raw.index(b"From:")
    end = raw.index(b"\r\n", start)
    evil = b"From: =?utf-8?Q?a=0D=0ABcc=3A_all=40x.cn?= <chen@example.com>"
    deliver(raw[:start] + evil + raw[end:])
    assert len(cases(session)) == 1
    assert len(sink.parsed()) == 1
    assert sink.parsed()[0]["Bcc"] is None
    assert [line for line in sink.heard if line.lower().startswith("rcpt")] == [
        "rcpt TO:<chen@example.com>"
    ]


def test_a_mark_for_another_firms_case_is_none_here(deliver, session):
    arrival = deliver(mail(to=f"qinghe+{tag_of(uuid7())}@mail.test"))
    assert (arrival.state, arrival.reason) == ("filed", "new")
    assert session.scalars(select(Case.id)).one() == arrival.case_id


# -- lines -------------------------------------------------------------------------------------


def test_who_says_nothing_is_cut_off_and_the_next_is_heard(
    door, arrivals, monkeypatch  # noqa: F811
):  # fmt: skip
    monkeypatch.setattr(listener, "IDLE", 0.5)
    with door("lmtp") as port:
        with begun(port, 5_000) as slow:
            slow.settimeout(30)
            until(lambda: ended(slow), "the end of the line")
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.sendmail("a@example.com", [TO], mail().as_bytes())
    assert len(arrivals()) == 1


def ended(line):
    try:
        return line.recv(1000) == b""
    except ConnectionError:
        return True


def test_a_thousand_bad_commands_cost_one_line(door, arrivals):  # noqa: F811
    with door("lmtp") as port:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.settimeout(30)
            line.recv(1000)
            until(lambda: nonsense(line), "the end of the line")
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.sendmail("a@example.com", [TO], mail().as_bytes())
    assert len(arrivals()) == 1


def nonsense(line):
    try:
        line.sendall(b"NONSENSE\r\n")
        return not line.recv(1000)
    except ConnectionError:
        return True
