"""Whether a sender's address is the sender's own, as far as a server of ours has looked."""

import threading
import time
from email import message_from_bytes
from email.policy import compat32

import pytest
from sqlalchemy import select

from huiyin.cases.models import Case
from huiyin.db import platform_session
from huiyin.identity.models import Account
from huiyin.intake.models import Arrival
from huiyin.letters.models import Letter
from huiyin.letters.replies import tag_of
from huiyin.plugins.listening import ServiceContext
from huiyin.testing.mail import Sink
from huiyin_channel_email import pulling, vouching
from huiyin_channel_email.intake import authserv, take

from .conftest import mail

OURS = "mx.huiyin.test"
PASS = f"{OURS}; dmarc=pass (p=reject) header.from=example.com"
BROKEN = f"{OURS}; spf=softfail smtp.mailfrom=a@example.com; dkim=fail header.d=example.com"
FAIL = f"{OURS}; dmarc=fail (p=none dis=none) header.from=example.com"


def found(*headers, sender="chen@example.com"):
    """What is read of headers in this order; a bare word is a ``Received`` by that host."""
    lines = [
        f"Authentication-Results: {one}" if ";" in one else f"Received: from x by {one}"
        for one in headers
    ]
    raw = "\r\n".join([*lines, f"From: {sender}", "", "x"]).encode()
    told = vouching.vouched(message_from_bytes(raw, policy=compat32), sender)
    return {one["server"]: one["verdict"] for one in told}


JUDGED = {
    "the policy holds": (f"{PASS}", "passed"),
    "the policy does not hold": (f"{FAIL}", "failed"),
    "what another domain's policy says": (f"{OURS}; dmarc=pass header.from=evil.cn", "unknown"),
    "a signature of the domain": (f"{OURS}; dkim=pass header.d=example.com", "passed"),
    "a signature of a stranger": (f"{OURS}; dkim=pass header.d=evil.cn", "unknown"),
    "a signature of nobody": (f"{OURS}; dkim=pass", "unknown"),
    "its own server": (f"{OURS}; spf=pass smtp.mailfrom=b@example.com", "passed"),
    "a stranger's own server": (f"{OURS}; spf=pass smtp.mailfrom=b@evil.cn", "unknown"),
    "a name that only ends alike": (f"{OURS}; dkim=pass header.d=ample.com", "unknown"),
    "both signs broken": (
        f"{OURS}; spf=fail smtp.mailfrom=example.com; dkim=fail header.d=example.com", "failed"),
    "a stranger's signature beside the broken one": (
        f"{BROKEN}; dkim=pass header.d=evil.cn", "failed"),
    "one of two signatures holds": (f"{BROKEN}; dkim=pass header.d=example.com", "passed"),
    "forwarded, so that only one sign is broken": (
        f"{OURS}; spf=fail smtp.mailfrom=a@example.com; dkim=none", "unknown"),
    "sent by a list under its own name": (
        f"{OURS}; spf=pass smtp.mailfrom=list.cn; dkim=fail header.d=example.com", "unknown"),
    "nothing was looked at": (f"{OURS}; none", "unknown"),
    "a server in trouble": (f"{OURS}; dmarc=temperror; dkim=permerror", "unknown"),
    "comments, a version and quotes": (
        f'"{OURS}" 1 (a; \\) dmarc=fail); DMARC/1 = Pass (x=(y);z) header.from="example.com"',
        "passed"),
    "a word in a comment": (f"{OURS}; spf=neutral (dmarc=pass header.from=example.com)",
                            "unknown"),
}  # fmt: skip


@pytest.mark.parametrize(("header", "verdict"), JUDGED.values(), ids=JUDGED)
def test_what_a_header_comes_to(header, verdict):
    assert found(header) == {OURS: verdict}


def test_a_domain_above_speaks_for_the_one_below_and_not_the_other_way_round():
    below, above = "a@mail.example.com", "a@example.com"
    assert found(f"{OURS}; dkim=pass header.d=example.com", sender=below) == {OURS: "passed"}
    other = found(f"{OURS}; dkim=pass header.d=mail.example.com", sender=above)
    assert other == {OURS: "unknown"}


def test_a_good_word_below_the_first_of_the_same_server_is_not_heard():
    assert found(f"{OURS}; spf=none", PASS) == {OURS: "unknown"}
    assert found(FAIL, PASS) == {OURS: "failed"}


def test_two_headers_of_one_server_are_taken_together_for_the_bad():
    spf = f"{OURS}; spf=fail smtp.mailfrom=example.com"
    dkim = f"{OURS}; dkim=fail header.d=example.com"
    assert found(spf, dkim) == {OURS: "failed"}
    assert found(spf, "mx.other", dkim) == {OURS: "unknown"}


def test_each_server_speaks_under_its_own_name():
    assert found("MX2.other; dmarc=pass", FAIL) == {"mx2.other": "passed", OURS: "failed"}


def test_headers_without_end_are_read_in_time():
    began = time.monotonic()
    many = [f"s{n}; dkim=pass header.d=x" for n in range(1500)]
    assert len(found(*many)) == vouching.MOST
    assert found(f"{OURS}; " + "(" * 60_000) == {OURS: "unknown"}
    assert found(f"{OURS}; " + "a=b " * 15_000) == {OURS: "unknown"}
    assert time.monotonic() - began < 5


# -- what follows ------------------------------------------------------------------------------


@pytest.fixture
def sink(monkeypatch):
    with Sink().running() as server:
        monkeypatch.setenv("HUIYIN_SMTP_URL", server.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@qinghe.test")
        yield server


@pytest.fixture
def case(deliver, session):
    """A case of chen@example.com, who wrote the mail ``<one@example.com>``."""
    deliver(mail())
    return session.scalars(select(Case)).one()


@pytest.fixture
def again(deliver):
    """One more mail of the same sender, with this word of a server above it."""

    def run(said="", *, checked_by=OURS, **headers):
        raw = mail("补充", **{"message_id": "<2@x>", **headers}).as_bytes()
        if said:
            raw = f"Authentication-Results: {said}\r\n".encode() + raw
        return deliver(raw, envelope={"checked_by": checked_by} if checked_by else {})

    return run


def told(arrival):
    return arrival.state, arrival.reason, [one["why"] for one in arrival.candidates]


def letter(session, case):
    found = session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    return f"<letter.{found.id.hex}@qinghe.test>"


def test_a_forged_sender_joins_nothing_whatever_he_knows(again, session, case, sink):
    to = f"qinghe+{tag_of(case.id)}@mail.test"
    before = len(sink.mails)
    arrival = again(FAIL, to=to, In_Reply_To=letter(session, case))
    assert told(arrival) == ("waiting", "unverified", ["unverified"])
    assert arrival.candidates[0]["number"] == case.number
    assert len(sink.mails) == before  # the real one is told nothing of it


def test_a_forged_sender_who_knows_nothing_is_asked_about_too(again, session):
    assert told(again(FAIL)) == ("waiting", "unverified", [])
    assert not session.scalars(select(Case)).all()


def test_a_forged_colleague_passes_nothing_on(again, session, make_actor, deliver):
    person = make_actor("complaint_officer", name="王五")
    with platform_session(session.get_bind()) as platform:
        address = platform.get_one(Account, person.id).email
    domain = address.rpartition("@")[2]
    arrival = again(f"{OURS}; dmarc=fail header.from={domain}", sender=address)
    assert told(arrival) == ("waiting", "unverified", [])


def test_what_a_server_of_ours_found_good_joins_by_the_senders_own_thread(again, case):
    assert told(again(PASS, References="<one@example.com>"))[:2] == ("joined", "earlier")


@pytest.mark.parametrize(
    ("said", "checked_by"),
    [("", ""), (PASS, ""), (PASS, "mx.other"), ("mx.other; dmarc=pass", OURS), ("", OURS)],
)
def test_a_thread_that_others_know_proves_nothing_by_itself(again, case, said, checked_by):
    arrival = again(said, checked_by=checked_by, References="<one@example.com>")
    assert told(arrival)[:2] == ("waiting", "unproven")
    assert [one["number"] for one in arrival.candidates] == [case.number]


@pytest.mark.parametrize("said", ["", f"{OURS}; none", "mx.other; dmarc=fail"])
def test_our_own_ids_are_enough_where_nobody_looked(again, session, case, said):
    by_letter = again(said, In_Reply_To=letter(session, case))
    assert told(by_letter)[:2] == ("joined", "thread")
    to = f"qinghe+{tag_of(case.id)}@mail.test"
    by_mark = again(said, to=to, message_id="<3@x>")
    assert told(by_mark)[:2] == ("joined", "token")


def test_a_bad_word_of_any_server_of_ours_is_heard(again, case):
    assert case
    inner = f"inner.test; dmarc=pass\r\nAuthentication-Results: {FAIL}"
    arrival = again(inner, checked_by=f"inner.test {OURS}", References="<one@example.com>")
    assert told(arrival)[:2] == ("waiting", "unverified")


def test_the_page_says_how_the_address_fared(again, make_actor, web):
    officer = web(make_actor("complaint_officer", name="沈若溪"))
    arrival = again(FAIL)
    page = officer.get(f"/t/qinghe/w/arrivals/{arrival.id}").text
    assert "发件地址检验" in page
    assert "未通过" in page
    assert "可能是冒名" in page


def test_the_road_names_the_servers(ctx, session, place, monkeypatch):
    assert ctx
    monkeypatch.setenv("HUIYIN_MAIL_AUTHSERV", "mx1.test, mx2.test")
    assert authserv() == "mx1.test mx2.test"
    assert authserv({}) == ""
    lent = ServiceContext(
        plugin="channel_email", stopping=threading.Event(), host=place.host,
        engine=place.site.engine,
    )  # fmt: skip
    take(lent, "qinghe", mail().as_bytes(), sender="a@b.cn", checked_by=authserv())

    class Box:
        def search(self, _wanted):
            return [1]

        def fetch(self, _uids, wanted):
            name = wanted[0].encode() if isinstance(wanted[0], str) else wanted[0]
            data = mail("第二封", message_id="<2@x>").as_bytes()
            return {1: {name.replace(b".PEEK", b""): 100 if b"SIZE" in name else data}}

        def add_flags(self, *_, **__):
            pass

    # What the installation's server is called says nothing about a mailbox elsewhere.
    pulling.fetch(lent, "qinghe", Box(), checked_by="imap.test")
    rows = session.scalars(select(Arrival).order_by(Arrival.id)).all()
    assert [row.envelope.get("checked_by") for row in rows] == ["mx1.test mx2.test", "imap.test"]
