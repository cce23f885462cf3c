"""What an officer writes goes out by mail, once, and shows how it fared."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry
from huiyin.intake.models import Arrival
from huiyin.sdk import complainant_actor
from huiyin.tenancy.models import SettingVersion
from huiyin.testing.mail import Sink
from huiyin.testing.web import run_jobs
from huiyin_channel_email.models import Sent

from .conftest import mail
from .test_places import BOUNCE


@pytest.fixture
def sink(monkeypatch):
    with Sink().running() as server:
        monkeypatch.setenv("HUIYIN_SMTP_URL", server.url)
        monkeypatch.setenv("HUIYIN_MAIL_FROM", "noreply@in.test")
        monkeypatch.setenv("HUIYIN_MAIL_DOMAIN", "in.test")
        yield server


@pytest.fixture
def officer(make_actor, web):
    return web(make_actor("complaint_officer", name="沈若溪"))


@pytest.fixture
def by_mail(deliver, session, sink):
    deliver(mail())
    return session.scalars(select(Case)).one()


def write(officer, place, case, words="已核对，款项将于下周支付。"):
    path = f"/t/qinghe/w/cases/{case.number}"
    answer = officer.post(f"{path}/talk", {"mode": "message", "body": words})
    assert answer.status_code == 303
    run_jobs(place)


def sent(session):
    session.expire_all()
    return session.scalars(select(Sent)).all()


def test_whoever_wrote_by_mail_gets_the_words_in_the_thread(officer, place, by_mail, sink, session):
    write(officer, place, by_mail)
    out = sink.parsed()[-1]
    assert out["To"] == "chen@example.com"
    assert "款项将于下周支付" in out.get_content()
    assert out["In-Reply-To"] == "<one@example.com>"
    assert out["Auto-Submitted"] is None
    assert by_mail.number in out["Subject"]
    assert [row.state for row in sent(session)] == ["sent"]
    page = officer.get(f"/t/qinghe/w/cases/{by_mail.number}").text
    assert "邮件已发出" in page
    assert "邮件未送达" not in page
    assert any("MAIL FROM:<qinghe@in.test>" in line.replace("mail", "MAIL").replace("from", "FROM")
               for line in sink.heard)  # fmt: skip


def test_the_firms_signature_stands_below_its_mails(officer, place, by_mail, sink, session, actor):
    lines = "客户服务部\n电话 400-000-0000"
    session.add(
        SettingVersion(
            plugin="channel_email", version=1, state="published", author_id=actor.id, secrets={},
            data={"signature": lines},
        )
    )  # fmt: skip
    session.commit()
    place.host.forget()
    write(officer, place, by_mail)
    assert sink.parsed()[-1].get_content().rstrip().replace("\r\n", "\n").endswith(lines)


def test_an_answer_to_it_joins_the_case(officer, place, by_mail, sink, deliver):
    write(officer, place, by_mail)
    ours = sink.parsed()[-1]["Message-ID"]
    arrival = deliver(mail("收到，谢谢", message_id="<2@x>", In_Reply_To=ours))
    assert (arrival.state, arrival.reason, arrival.case_id) == ("joined", "thread", by_mail.id)


def test_whoever_filed_elsewhere_is_only_told_where_to_read_it(
    officer, place, sink, session, tenant, ctx
):
    filing = Filing(
        channel="web", idem_key="k", story="赎回没有到账", email="ann@example.com",
        phone="13800006021",
    )  # fmt: skip
    file_complaint(session, complainant_actor(tenant.id), filing)
    session.commit()
    run_jobs(place)
    case = session.scalars(select(Case)).one()
    write(officer, place, case, "您账户尾号 6021 的款项已支付")
    out = sink.parsed()[-1]
    assert out["To"] == "ann@example.com"
    assert "6021" not in out.get_content()
    assert "/p/qinghe/track" in out.get_content()


def test_notes_and_calls_are_nobodys_mail(officer, place, by_mail, sink):
    before = len(sink.mails)
    path = f"/t/qinghe/w/cases/{by_mail.number}"
    officer.post(f"{path}/talk", {"mode": "note", "body": "内部：先查流水"})
    officer.post(f"{path}/talk", {"mode": "call", "body": "已电话说明"})
    run_jobs(place)
    assert len(sink.mails) == before


def test_one_that_is_refused_or_comes_back_is_shown_and_said(
    officer, place, by_mail, sink, session, deliver
):
    write(officer, place, by_mail)
    entry = session.scalars(select(Entry.id).where(Entry.verb == "message")).one()
    report = BOUNCE.format(action="failed", letter="x").replace(
        "<letter.x@qinghe.test>", f"<qinghe.{entry.hex}@in.test>"
    )
    back = deliver(report.encode())
    assert (back.state, back.case_id) == ("returned", by_mail.id)
    assert [row.state for row in sent(session)] == ["returned"]
    page = officer.get(f"/t/qinghe/w/cases/{by_mail.number}").text
    assert "邮件被退回" in page
    assert "邮件未送达，请改用电话等方式联系" in page
    sink.answers["rcpt"] = "550 5.1.1 no such user"
    write(officer, place, by_mail, "再次告知")
    assert sorted(row.state for row in sent(session)) == ["failed", "returned"]
    assert "SMTP 550" in officer.get(f"/t/qinghe/w/cases/{by_mail.number}").text


def test_a_busy_server_is_asked_again_and_nothing_goes_out_twice(
    officer, place, by_mail, sink, session
):
    sink.answers["rcpt"] = "451 4.3.0 come again"
    write(officer, place, by_mail)
    assert sent(session) == []
    del sink.answers["rcpt"]
    before = len(sink.mails)
    run_jobs(place, ahead=timedelta(hours=1))
    run_jobs(place, ahead=timedelta(hours=9))
    assert [row.state for row in sent(session)] == ["sent"]
    assert len(sink.mails) == before + 1
    assert session.scalars(select(Arrival)).all()
