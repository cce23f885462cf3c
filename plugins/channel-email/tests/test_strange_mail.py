"""Mail that is odd, and mail about people who must not see it: nothing is lost, nothing is told."""

import socket
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select

from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import EntryKind
from huiyin.db import platform_session
from huiyin.evidence import service as evidence
from huiyin.evidence.errors import StorageFull
from huiyin.evidence.models import EvidenceFile
from huiyin.identity.models import Account
from huiyin.intake import readers, service
from huiyin.intake.models import Arrival
from huiyin.intake.schemas import SettleForm
from huiyin.letters.models import Letter
from huiyin.plugins.listening import ServiceContext
from huiyin.sdk import Retry
from huiyin.testing.mail import Sink
from huiyin.testing.web import run_jobs
from huiyin_channel_email import confirming, limits, pulling, reader
from huiyin_channel_email.settings import ChannelEmailSettings

from .conftest import mail
from .test_places import BOUNCE

HOME = "/t/qinghe/w/arrivals"


@pytest.fixture
def sink(monkeypatch):
    with Sink().running() as server:
        monkeypatch.setenv("HUIYIN_SMTP_URL", server.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@qinghe.test")
        yield server


@pytest.fixture
def officer(make_actor):
    return make_actor("complaint_officer", name="王五")


@pytest.fixture
def lent(place):
    return ServiceContext(
        plugin="channel_email", stopping=threading.Event(), host=place.host,
        engine=place.site.engine,
    )  # fmt: skip


def case_of(session):
    return session.scalars(select(Case).order_by(Case.number).limit(1)).one()


def said(session, case):
    rows = select(Entry.body).where(
        Entry.case_id == case.id, Entry.kind == EntryKind.MESSAGE_IN.value
    )
    return session.scalars(rows.order_by(Entry.seq)).all()


def files(session, case):
    return session.scalars(select(EvidenceFile).where(EvidenceFile.case_id == case.id)).all()


NESTED = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % n for n in range(30))
ODD = {
    "a NUL in its id": mail().as_bytes().replace(b"<one@", b"<o\0e@"),
    "a NUL in what it answers": mail(References="<abx@x>").as_bytes().replace(b"<abx", b"<a\0x"),
    "a NUL in a sender only glanced at": b"From: a\0b@b.cn\r\n" + NESTED,
    "a NUL in a report": BOUNCE.format(action="failed", letter="0" * 32)
    .replace("chen@", "c\0en@")
    .encode(),
    "a beginning like a program's": b"MZ: x\r\n" + mail().as_bytes(),
    "nothing at all": b"",
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_whatever_is_in_it_a_mail_gets_its_place(deliver, raw):
    assert deliver(raw).state in {"filed", "waiting", "ignored"}


def test_the_original_of_an_odd_mail_is_among_the_evidence(deliver, session):
    arrival = deliver(ODD["a beginning like a program's"])
    assert arrival.raw_sha256 in {file.sha256 for file in files(session, case_of(session))}


def test_a_disk_that_is_full_for_hours_keeps_no_mail_from_its_place(deliver, place, monkeypatch):
    add, tries = evidence.add, []

    def full(*given, **more):
        tries.append(1)
        if len(tries) < 10:  # with its pauses that is four hours
            raise StorageFull
        return add(*given, **more)

    monkeypatch.setattr(evidence, "add", full)
    deliver(mail(), jobs=False)
    run_jobs(place, ahead=timedelta(days=1))
    assert deliver(mail()).state == "filed"  # the same delivery, the same arrival


def test_an_envelope_of_odd_bytes_is_kept(deliver):
    arrival = deliver(mail(), envelope={"from": "a\udcff\0@b.cn"})
    assert arrival.envelope == {"from": "a?@b.cn"}


def test_a_file_that_no_case_takes_stays_in_the_original(deliver, session, monkeypatch):
    monkeypatch.setattr(evidence, "LIMIT", 3_000)
    message = mail()
    message.add_attachment(b"x" * 3_001, maintype="application", subtype="x", filename="big.dat")
    monkeypatch.setattr(service.placing, "keep_original", lambda *_: None)
    arrival = deliver(message)
    assert arrival.state == "filed"
    assert not files(session, case_of(session))


# -- whose words -------------------------------------------------------------------------------

FORWARDED = (
    "{own}\n\n---------- 转发的邮件 ----------\n发件人: {sender}\n日期: 2026年11月20日\n"
    "主题: 赎回问题\n收件人: 王五 <w@qinghe.cn>\n\n{inner}"
)


def test_whoever_forwards_an_own_mail_says_something_new(deliver, session):
    text = FORWARDED.format(own="仍未到账。", sender="陈建国 <chen@example.com>", inner="先前的话")
    deliver(mail(text, subject="转发：赎回问题"))
    assert case_of(session).story == "仍未到账。"


def test_a_colleagues_words_are_not_put_into_the_complainants_mouth(deliver, session, officer):
    with platform_session(session.get_bind()) as platform:
        colleague = platform.get_one(Account, officer.id).email
    deliver(mail(sender="李四 <li@example.com>"))
    text = FORWARDED.format(own="又来了，烦。", sender="李四 <li@example.com>", inner="还没有到账")
    arrival = deliver(mail(text, subject="转发：赎回问题", sender=colleague, message_id="<2@x>"))
    assert (arrival.state, arrival.reason) == ("waiting", "same_sender")
    case = case_of(session)
    to_case = SettleForm(to="case", number=case.number)
    service.decide(session, officer, arrival.id, to_case, rev=arrival.version)
    assert said(session, case) == ["还没有到账"]


@pytest.mark.parametrize(
    ("sender", "headers", "reason"),
    [
        ("{0}", {"X_Spam_Flag": "YES"}, "spam"),
        ("{0}, x@example.com", {}, "several_senders"),
    ],
)
def test_a_colleagues_address_makes_no_forgery_true(
    deliver, session, officer, sink, sender, headers, reason
):
    with platform_session(session.get_bind()) as platform:
        colleague = platform.get_one(Account, officer.id).email
    text = FORWARDED.format(own="", sender="李四 <li@example.com>", inner="还没有到账")
    forged = mail(text, subject="转发：问题", sender=sender.format(colleague), **headers)
    arrival = deliver(forged)
    assert (arrival.state, arrival.reason) == ("waiting", reason)
    assert not sink.mails


@pytest.mark.parametrize(
    ("state", "channel"), [("delivered", "portal"), ("delivered", "post"), ("sent", "post")]
)
def test_a_late_report_undoes_no_other_way(deliver, session, sink, state, channel):
    deliver(mail())
    letter = session.scalars(select(Letter)).one()
    letter.state, letter.channel = state, channel
    session.commit()
    back = deliver(BOUNCE.format(action="failed", letter=letter.id.hex).encode())
    session.refresh(letter)
    assert (back.state, letter.state, letter.channel) == ("returned", state, channel)


# -- who is answered ---------------------------------------------------------------------------


def test_a_sender_is_known_whatever_the_case_of_the_address(deliver):
    deliver(mail(sender="Chen <Chen@Example.com>"))
    arrival = deliver(mail("另外一件事", message_id="<2@x>", sender="chen@example.com"))
    assert (arrival.state, arrival.reason) == ("waiting", "same_sender")


def test_capitals_do_not_get_anybody_more_answers(deliver, sink):
    deliver(mail())
    for n, sender in enumerate(("Chen@example.com", "cHen@example.com", "chEn@example.com")):
        deliver(mail(f"又一件事 {n}", message_id=f"<again{n}@x>", sender=sender))
    assert len(sink.mails) == 3  # the letter and two confirmations


def test_a_late_confirmation_tells_no_stranger_of_a_case(
    deliver, session, sink, officer, place, monkeypatch
):
    deliver(mail())
    case = case_of(session)

    def away(*_):
        raise Retry(60)

    with monkeypatch.context() as offline:
        offline.setattr(confirming, "send_mail", away)
        arrival = deliver(mail("我也知情", sender="x@y.cn", message_id="<2@x>",
                               subject=case.number))  # fmt: skip
    to_case = SettleForm(to="case", number=case.number)
    service.decide(session, officer, arrival.id, to_case, rev=arrival.version)
    session.commit()
    before = len(sink.mails)
    run_jobs(place, ahead=timedelta(hours=2))
    assert len(sink.mails) == before


# -- who may see it ----------------------------------------------------------------------------


def test_whoever_is_named_in_a_case_does_not_see_what_may_be_about_it(
    deliver, session, make_actor, web
):
    named, other = (make_actor("complaint_officer", name=name) for name in ("甲", "乙"))
    deliver(mail())
    case_of(session).walled = [named.id]
    session.commit()
    arrival = deliver(mail("甲态度恶劣", message_id="<2@x>", subject="关于甲"))
    path = f"{HOME}/{arrival.id}"
    theirs, ours = web(named), web(other)
    assert "关于甲" in ours.get(HOME).text
    assert 'class="n hot">1<' in ours.get(HOME).text
    assert "关于甲" not in theirs.get(HOME).text
    assert 'class="n hot">1<' not in theirs.get(HOME).text
    for hidden in (path, f"{path}/original"):
        assert ours.get(hidden).status_code == 200
        assert theirs.get(hidden).status_code == 404
    refused = theirs.post(path, {"rev": arrival.version, "to": "nothing", "reason": "x"})
    assert refused.status_code == 404
    session.refresh(arrival)
    assert arrival.state == "waiting"


# -- roads -------------------------------------------------------------------------------------


def test_what_a_channel_that_is_gone_left_is_still_placed(deliver, session, officer, monkeypatch):
    deliver(mail())
    arrival = deliver(mail("另外一件事", message_id="<2@x>"))
    monkeypatch.setattr(readers, "_readers", {})
    service.decide(session, officer, arrival.id, SettleForm(to="new"), rev=arrival.version)
    assert session.get_one(Case, (session.tenant, arrival.case_id)).story == "另外一件事"


class Mailbox:
    """A server that says of every mail that it has a hundred bytes."""

    def __init__(self, *mails):
        self.mails = dict(enumerate(mails, start=1))
        self.seen = []

    def search(self, _wanted):
        return list(self.mails)

    def fetch(self, uids, wanted):
        if wanted == ["RFC822.SIZE"]:
            return {uid: {b"RFC822.SIZE": 100} for uid in uids}
        part = wanted[0].replace(b".PEEK", b"")
        head, empty, _ = self.mails[uids[0]].partition(b"\r\n\r\n")
        return {uids[0]: {part: self.mails[uids[0]] if part == b"BODY[]" else head + empty}}

    def add_flags(self, uids, *_, **__):
        self.seen += uids


def test_a_mail_larger_than_its_server_says_keeps_no_other_waiting(ctx, session, lent, monkeypatch):
    assert ctx
    monkeypatch.setattr(limits, "LARGEST", 2_000)
    monkeypatch.setattr(service, "LARGEST", 2_000)
    small = mail("第二封", message_id="<2@x>", subject="second")
    box = Mailbox(mail("x" * 3_000, subject="first").as_bytes(), small.as_bytes())
    assert pulling.fetch(lent, "qinghe", box) == 2
    assert box.seen == [1, 2]
    assert len(session.scalars(select(Arrival.id)).all()) == 2


def test_a_server_cannot_announce_more_than_a_mail():
    with pytest.raises(pulling.imaplib.IMAP4.abort):
        pulling._Bounded().read(2 * limits.LARGEST + 1)


def test_to_be_alone_takes_no_connection_from_pages(lent):
    small = create_engine(lent.engine.url, pool_size=1, max_overflow=0, pool_timeout=1)
    few = ServiceContext(
        plugin="channel_email", stopping=lent.stopping, host=lent.host, engine=small
    )
    with few.alone("a") as first, few.alone("b") as second, few.alone("a") as third:
        assert (first, second, third) == (True, True, False)
    with few.alone("a") as again:
        assert again
        few.firms()
    small.dispose()


def test_a_mail_in_a_mail_in_a_mail_does_not_fill_the_disk(tmp_path):
    raw = b"Content-Type: text/plain\r\n\r\n" + b"x" * 5_000_000
    for n in range(18):
        raw = b"From: a@b.cn\r\nSubject: %d\r\nContent-Type: message/rfc822\r\n\r\n" % n + raw
    answer = reader.read(raw, tmp_path)
    assert "too_many_files" in answer["faults"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * limits.LARGEST


def test_what_is_attached_is_never_in_memory_at_once(deliver, session, monkeypatch):
    given = []
    add = evidence.add

    def seen(session, actor, number, uploads, **kwargs):
        given.extend(type(upload.data) for upload in uploads)
        return add(session, actor, number, uploads, **kwargs)

    monkeypatch.setattr(evidence, "add", seen)
    message = mail()
    message.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf", filename="a.pdf")
    deliver(message)
    assert len(files(session, case_of(session))) == 2
    assert bytes not in given


@pytest.fixture
def imap(monkeypatch):
    """``imap(told)``: settings for a server of one connection that answers ``told`` or OK."""
    monkeypatch.setenv("HUIYIN_OUTBOUND_PRIVATE", "127.0.0.0/8")
    door = socket.create_server(("127.0.0.1", 0))

    def serve(told):
        with suppress(OSError), door.accept()[0] as here, here.makefile("rwb") as lines:
            lines.write(b"* OK ready\r\n")
            lines.flush()
            for line in lines:
                tag, word = line.split()[:2]
                lines.write(told.get(word.upper(), b"") + tag + b" OK done\r\n")
                lines.flush()

    def start(told=None, **chosen):
        known = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", **(told or {})}
        threading.Thread(target=serve, args=(known,), daemon=True).start()
        return ChannelEmailSettings(
            host="127.0.0.1", port=door.getsockname()[1], security="none", **chosen
        )

    yield start
    door.close()


@pytest.mark.parametrize(
    "chosen", [{"user": "张三", "password": "x"}, {"user": "x", "password": "密码"}]
)
def test_a_name_no_server_can_be_told_is_a_wrong_name(imap, chosen):
    with pytest.raises(pulling.Trouble) as trouble, pulling.mailbox(imap(**chosen)):
        pass
    assert trouble.value.code == "login"


def test_a_server_that_talks_nonsense_is_trouble_like_any_other(imap):
    chosen = imap({b"UID": b"* SEARCH one two\r\n"}, user="x", password="y")
    with pytest.raises(pulling.Trouble) as trouble, pulling.mailbox(chosen) as client:
        client.search(["UNSEEN"])
    assert trouble.value.code == "protocol"
