"""What goes out can be signed by a relay, and the signature holds when it arrives."""

import base64
import re
import shutil
import smtplib
import tempfile
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.testing.mail import Sink
from huiyin.testing.web import run_jobs

from .conftest import mail
from .servers import postfix, until

WORDS = "您好：\n.\nFrom now on the money is yours.\n款项将于下周支付。"
ONCE = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type")


@pytest.fixture
def outgoing(deliver, session, place, make_actor, web, monkeypatch):
    """The mails as they leave us: a letter with its PDF, and the words of an officer."""
    with Sink().running() as relay:
        monkeypatch.setenv("HUIYIN_SMTP_URL", relay.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@qinghe.test")
        monkeypatch.setenv("HUIYIN_MAIL_DOMAIN", "in.test")
        deliver(mail())
        officer = web(make_actor("complaint_officer", name="沈若溪"))
        number = session.scalars(select(Case.number)).one()
        path = f"/t/qinghe/w/cases/{number}/talk"
        assert officer.post(path, {"mode": "message", "body": WORDS}).status_code == 303
        run_jobs(place)
        assert len(relay.mails) == 2
        return [data + b"\r\n" for data in relay.mails]


def test_the_headers_are_such_as_a_relay_signs(outgoing):
    for data in outgoing:
        assert data.isascii()
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", data)
        assert max(map(len, data.split(b"\r\n"))) <= 998
        told = message_from_bytes(data, policy=default)
        assert [len(told.get_all(name, [])) for name in ONCE] == [1] * len(ONCE)
        assert told["From"].addresses[0].domain == "qinghe.test"
        assert told["Message-ID"].endswith("@qinghe.test>")
        assert told["Date"].datetime.tzinfo is not None
        assert told["Bcc"] is None
        assert told["Sender"] is None
        assert not any(part.defects for part in told.walk())
        encodings = {part["Content-Transfer-Encoding"] for part in told.walk()}
        assert encodings <= {None, "7bit", "base64", "quoted-printable"}


def test_the_words_arrive_as_they_were_written(outgoing):
    written = message_from_bytes(outgoing[1], policy=default).get_content()
    assert written.replace("\r\n", "\n").startswith(WORDS)


@pytest.fixture
def key():
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.TraditionalOpenSSL, pem.NoEncryption()
    )
    public = made.public_key().public_bytes(pem.Encoding.DER, pem.PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def test_a_signature_of_the_relay_holds_after_postfix(outgoing, key):
    private, record = key
    home = Path(tempfile.mkdtemp(prefix="mail-", dir="/tmp"))
    try:
        with Sink().running() as there, postfix(home, 9, there.port) as port:
            for data in outgoing:
                domain = message_from_bytes(data, policy=default)["From"].addresses[0].domain
                signed = dkim.sign(data, b"s1", domain.encode(), private) + data
                with smtplib.SMTP("127.0.0.1", port) as server:
                    server.sendmail("qinghe@in.test", ["chen@example.com"], signed)
            until(lambda: len(there.mails) == 2, "both mails")
            for data in there.mails:
                arrived = data + b"\r\n"
                assert dkim.verify(arrived, dnsfunc=lambda *_, **__: record)
                assert not dkim.verify(arrived.replace(b"chen@", b"ch3n@"),
                                       dnsfunc=lambda *_, **__: record)  # fmt: skip
    finally:
        shutil.rmtree(home, ignore_errors=True)
