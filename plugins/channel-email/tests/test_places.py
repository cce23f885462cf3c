"""Where a mail ends up, and what the other side hears of it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from huiyin.cases.models import Case, Entry
from huiyin.cases.stages import EntryKind
from huiyin.db import platform_session
from huiyin.evidence.models import EvidenceFile
from huiyin.identity.models import Account
from huiyin.intake.models import Arrival
from huiyin.ledger.models import LedgerEntry
from huiyin.letters.models import Letter
from huiyin.letters.replies import case_of, reply_address, tag_of
from huiyin.sdk import Investor, uuid7
from huiyin.tenancy.models import Tenant
from huiyin.testing.mail import Sink
from huiyin.testing.web import run_jobs
from huiyin_channel_email import demo

from .conftest import STORY, mail


def cases(session):
    return session.scalars(select(Case).order_by(Case.number)).all()


def entries(session, case, kind=EntryKind.MESSAGE_IN):
    rows = select(Entry).where(Entry.case_id == case.id, Entry.kind == kind.value)
    return session.scalars(rows.order_by(Entry.seq)).all()


def files(session, case):
    rows = select(EvidenceFile).where(EvidenceFile.case_id == case.id)
    return session.scalars(rows.order_by(EvidenceFile.number)).all()


def who(session, case):
    return session.get_one(Investor, (session.tenant, case.complainant_id))


@pytest.fixture
def sink(monkeypatch):
    with Sink().running() as server:
        monkeypatch.setenv("HUIYIN_SMTP_URL", server.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@qinghe.test")
        yield server


def test_a_first_mail_is_a_case_with_all_it_brought(deliver, session):
    message = mail()
    message.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf", filename="单.pdf")
    arrival = deliver(message)
    assert (arrival.state, arrival.reason) == ("filed", "new")
    case = cases(session)[0]
    assert arrival.case_id == case.id
    assert (case.channel, case.title, case.story) == ("email", "赎回款没有到账", STORY)
    assert (who(session, case).email, who(session, case).name) == ("chen@example.com", "陈建国")
    assert case.received_at == arrival.received_at
    kept = files(session, case)
    assert kept[0].name == "单.pdf"
    assert kept[1].name.endswith(".eml")
    assert kept[1].sha256 == arrival.raw_sha256
    kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)).all()
    assert "arrival.received" in kinds
    assert "arrival.filed" in kinds


def test_the_same_mail_again_is_nothing_new(deliver, session):
    first = deliver(mail())
    again = deliver(mail())
    assert again.id == first.id
    other_way = deliver(mail(Received="from mx2.example.com by mx"))
    assert other_way.state == "duplicate"
    assert other_way.case_id == first.case_id
    assert len(cases(session)) == 1


def test_the_same_mail_twice_before_it_is_read(deliver, session):
    deliver(mail(), jobs=False)
    deliver(mail(Received="from mx2.example.com by mx"))
    states = session.scalars(select(Arrival.state).order_by(Arrival.state)).all()
    assert states == ["duplicate", "filed"]
    assert len(cases(session)) == 1


def test_the_same_id_with_other_words_is_asked_about(deliver, session):
    deliver(mail())
    arrival = deliver(mail("完全不同的话"))
    assert (arrival.state, arrival.reason) == ("waiting", "same_id")
    assert arrival.candidates == [{"number": cases(session)[0].number, "why": "same_id"}]


def test_an_answer_to_our_letter_joins_its_case(deliver, session, sink):
    deliver(mail())
    case = cases(session)[0]
    letter = session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    ours = sink.parsed()[0]["Message-ID"]
    assert letter.id.hex in ours
    answer = mail("补充：合同编号 A12。", message_id="<two@example.com>", In_Reply_To=ours)
    answer.add_attachment(b"%PDF-1.7 y", maintype="application", subtype="pdf", filename="合.pdf")
    arrival = deliver(answer)
    assert (arrival.state, arrival.reason, arrival.case_id) == ("joined", "thread", case.id)
    said = entries(session, case)
    assert said[0].body == "补充：合同编号 A12。"
    assert said[0].data == {"road": "email"}
    assert "合.pdf" in {file.name for file in files(session, case)}
    assert len(cases(session)) == 1
    run_jobs_sent = sink.parsed()[-1]
    assert run_jobs_sent["In-Reply-To"] == "<two@example.com>"
    assert case.number in run_jobs_sent.get_content()
    assert run_jobs_sent["Auto-Submitted"] == "auto-replied"


def test_an_answer_from_another_address_is_asked_about(deliver, session):
    deliver(mail())
    case = cases(session)[0]
    letter = session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    arrival = deliver(
        mail(
            "我也要说一句", sender="x@example.com", message_id="<2@x>",
            In_Reply_To=f"<letter.{letter.id.hex}@qinghe.test>",
        )
    )  # fmt: skip
    assert (arrival.state, arrival.reason) == ("waiting", "other_sender")
    assert [one["number"] for one in arrival.candidates] == [case.number]
    assert not entries(session, case)


def test_a_mark_in_the_address_joins_only_its_complainant(deliver, session):
    deliver(mail())
    case = cases(session)[0]
    to = f"qinghe+{tag_of(case.id)}@mail.test"
    own = deliver(mail("补充", to=to, message_id="<2@x>"))
    assert (own.state, own.reason) == ("joined", "token")
    foreign = deliver(mail("补充", to=to, message_id="<3@x>", sender="x@example.com"))
    assert (foreign.state, foreign.reason) == ("waiting", "other_sender")
    guessed = f"qinghe+c-{'a' * 39}@mail.test"
    forged = deliver(mail("补充二", to=guessed, message_id="<4@x>", sender="y@example.com"))
    assert (forged.state, forged.reason) == ("filed", "new")


def test_a_second_matter_of_the_same_sender_is_asked_about(deliver, session):
    deliver(mail())
    arrival = deliver(mail("另外一件事", message_id="<2@x>", subject="另一只基金"))
    assert (arrival.state, arrival.reason) == ("waiting", "same_sender")
    assert len(cases(session)) == 1


def test_what_nobody_recognises_is_filed_after_a_working_day(deliver, session, place):
    deliver(mail())
    arrival = deliver(mail("另外一件事", message_id="<2@x>"))
    run_jobs(place, ahead=timedelta(days=20))
    session.expire_all()
    arrival = session.get_one(Arrival, (session.tenant, arrival.id))
    assert (arrival.state, arrival.reason) == ("filed", "overdue")
    filed = session.get_one(Case, (session.tenant, arrival.case_id))
    assert filed.received_at == arrival.received_at
    assert filed.story == "另外一件事"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"sender": "tousu@qinghe.test"}, "loop"),
    ],
)
def test_what_nobody_wrote_is_put_aside_unanswered(deliver, session, sink, tenant, headers, reason):
    with platform_session(session.get_bind()) as platform:
        platform.get_one(Tenant, tenant.id).mailbox = "tousu@qinghe.test"
        platform.commit()
    arrival = deliver(mail(**headers))
    assert (arrival.state, arrival.reason) == ("ignored", reason)
    assert not cases(session)
    assert not sink.mails


def test_a_report_without_envelope_sender_is_not_a_complaint(deliver, session):
    arrival = deliver(mail(), envelope={"from": "", "to": "qinghe@mail.test"})
    assert (arrival.state, arrival.reason) == ("ignored", "automatic")


def test_spam_is_kept_for_a_person_and_for_no_clock(deliver, session, place):
    arrival = deliver(mail(X_Spam_Flag="YES"))
    assert (arrival.state, arrival.reason) == ("waiting", "spam")
    run_jobs(place, ahead=timedelta(days=20))
    assert not cases(session)


def test_a_colleague_who_passes_a_mail_on_is_not_its_complainant(deliver, session, make_actor):
    person = make_actor("complaint_officer", name="王五")
    with platform_session(session.get_bind()) as platform:
        address = platform.get_one(Account, person.id).email
    text = (
        "请登记。\n\n---------- 转发的邮件 ----------\n发件人: 李四 <li@example.com>\n"
        "日期: 2026年11月20日\n主题: 赎回问题\n收件人: 王五 <w@qinghe.cn>\n\n" + STORY
    )
    arrival = deliver(mail(text, subject="转发：赎回问题", sender=address))
    assert arrival.state == "filed"
    case = cases(session)[0]
    assert who(session, case).email == "li@example.com"
    assert case.story == STORY
    assert case.title == "赎回问题"


def test_a_colleague_who_just_writes_is_asked_about(deliver, session, make_actor):
    person = make_actor("complaint_officer", name="王五")
    with platform_session(session.get_bind()) as platform:
        address = platform.get_one(Account, person.id).email
    arrival = deliver(mail("今天客户又来电", sender=address))
    assert (arrival.state, arrival.reason) == ("waiting", "member")


BOUNCE = """From: MAILER-DAEMON@mx.example.com
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; chen@example.com
Action: {action}
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <letter.{letter}@qinghe.test>

--b--
"""


def test_a_letter_that_comes_back_is_shown_on_its_case(deliver, session, sink):
    deliver(mail())
    case = cases(session)[0]
    letter = session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    assert letter.state == "sent"
    late = deliver(BOUNCE.format(action="delayed", letter=letter.id.hex).encode())
    assert (late.state, late.reason) == ("ignored", "delivery_news")
    back = deliver(BOUNCE.format(action="failed", letter=letter.id.hex).encode())
    assert (back.state, back.case_id) == ("returned", case.id)
    session.refresh(letter)
    assert (letter.state, letter.delivery) == ("failed", "DSN 5.1.1")
    strange = deliver(BOUNCE.format(action="failed", letter=uuid7().hex).encode())
    assert (strange.state, strange.reason) == ("ignored", "strange_bounce")


def test_what_cannot_be_read_waits_for_a_person_and_the_next_is_read(deliver, session):
    nested = "From: a@b.cn\r\n" + "".join(
        f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(900)
    )
    arrival = deliver(nested.encode())
    assert (arrival.state, arrival.reason) == ("waiting", "unreadable")
    assert arrival.reading["faults"] == ["depth"]
    assert arrival.sender_address == "a@b.cn"
    assert deliver(mail()).state == "filed"


def test_a_program_among_the_files_is_left_out(deliver, session):
    message = mail()
    message.add_attachment(b"MZ\x90", maintype="application", subtype="x", filename="a.exe")
    deliver(message)
    names = [file.name for file in files(session, cases(session)[0])]
    assert len(names) == 1
    assert names[0].endswith(".eml")


def test_twelve_files_are_all_there(deliver, session):
    message = mail()
    for n in range(12):
        message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf",
                               filename=f"{n}.pdf")  # fmt: skip
    deliver(message)
    assert len(files(session, cases(session)[0])) == 13


def test_one_address_is_answered_three_times_a_day(deliver, session, sink):
    deliver(mail())
    for n in range(6):
        deliver(mail(f"又一件事 {n}", message_id=f"<again{n}@x>"))
    confirmations = [m for m in sink.parsed() if m["Auto-Submitted"] == "auto-replied"]
    assert len(confirmations) == 2  # with the first mail, which has its letter, that makes three
    count = select(func.count()).select_from(Arrival).where(Arrival.state == "waiting")
    assert session.scalars(count).one() == 6


def test_marks_are_ours_alone(monkeypatch):
    case_id = uuid7()
    assert case_of(tag_of(case_id)) == case_id
    assert case_of(tag_of(case_id).upper()) == case_id
    for wrong in ("", "c-", "c-aaaa", "x-" + tag_of(case_id)[2:], tag_of(case_id)[:-3] + "aaa"):
        assert case_of(wrong) is None
    monkeypatch.setenv("HUIYIN_MAIL_DOMAIN", "mail.test")
    assert reply_address("qinghe@mail.test", case_id) == f"qinghe+{tag_of(case_id)}@mail.test"
    assert reply_address("tousu@qinghe.cn", case_id) == "tousu@qinghe.cn"


def test_the_demonstration_is_mail_like_any_other(ctx, session, place):
    demo.fill(ctx)
    session.commit()
    run_jobs(place)
    states = dict(
        session.execute(select(Arrival.subject, Arrival.state).order_by(Arrival.subject)).all()
    )
    assert states["Redemption not paid"] == "filed"
    assert states["本周私募周报"] == "ignored"
    assert len(cases(session)) == 2
