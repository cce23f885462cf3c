"""Letters by mail, against a server that speaks SMTP and remembers what it heard."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from huiyin.cases.change import find
from huiyin.cases.models import Entry
from huiyin.cases.stages import Stage
from huiyin.kit.errors import Conflict
from huiyin.letters import mailer, service, tasks
from huiyin.letters.models import LetterState
from huiyin.letters.schemas import AnswerForm, DeliveryForm
from huiyin.queue.models import Job
from huiyin.tenancy.models import Tenant
from huiyin.testing.mail import Sink


@pytest.fixture
def sink(monkeypatch):
    """Start a server, and let letters go there."""

    @contextmanager
    def start(**answers):
        with Sink(**answers).running() as server:
            monkeypatch.setenv("HUIYIN_SMTP_URL", server.url)
            monkeypatch.setenv("HUIYIN_MAIL_FROM", "letters@qinghe.test")
            yield server

    return start


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch):
    monkeypatch.delenv("HUIYIN_SMTP_URL", raising=False)
    monkeypatch.delenv("HUIYIN_MAIL_FROM", raising=False)


def test_a_letter_goes_out_as_text_and_as_the_released_pdf(
    session, tenant, file, run, letters, sink
):
    session.execute(update(Tenant).values(mailbox="tousu@qinghe.test"))
    session.commit()
    number = file()
    with sink() as server:
        run()
    (letter,) = letters(number)
    assert (letter.state, letter.channel) == (LetterState.SENT, "email")
    assert letter.delivery_title() == "已发送"
    (mail,) = server.parsed()
    assert mail["Message-ID"] == f"<letter.{letter.id.hex}@qinghe.test>"
    assert mail["To"] == "chen@example.test"
    assert mail["From"].addresses[0].display_name == "青禾私募基金管理有限公司"
    assert mail["From"].addresses[0].addr_spec == "letters@qinghe.test"
    assert mail["Reply-To"] == "tousu@qinghe.test"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert number in mail["Subject"]
    assert "陈建国" in mail.get_body(["plain"]).get_content()
    (pdf,) = mail.iter_attachments()
    assert pdf.get_filename() == f"{letter.number}.pdf"
    assert pdf.get_content() == service.stored_pdf(letter)


def test_a_letter_is_sent_once_however_often_the_job_runs(session, file, run, letters, sink):
    number = file()
    with sink() as server:
        run()
        session.execute(
            update(Job).where(Job.kind == service.SEND).values(state="queued", attempts=0)
        )
        session.commit()
        run()
    assert len(server.mails) == 1
    assert letters(number)[0].state == LetterState.SENT


def test_without_an_address_the_portal_has_it(file, run, letters, sink):
    number = file(email="")
    with sink() as server:
        run()
    assert server.mails == []
    assert letters(number)[0].delivery_title() == "门户可查"


def test_a_server_that_is_busy_is_asked_again(file, run, letters, sink):
    number = file()
    with sink(accept="451 try later") as server:
        run()
        assert letters(number)[0].state == LetterState.RELEASED
        server.answers.clear()
        run(timedelta(hours=2))
    assert letters(number)[0].state == LetterState.SENT
    assert len({mail["Message-ID"] for mail in server.parsed()}) == 1


def test_a_refusal_for_good_is_shown_on_the_case(session, file, run, letters, sink):
    number = file()
    with sink(rcpt="550 no such user") as server:
        run()
    assert server.mails == []
    (letter,) = letters(number)
    assert (letter.state, letter.delivery) == (LetterState.FAILED, "SMTP 550")
    entry = session.scalars(select(Entry).where(Entry.verb == "letter_delivery")).one()
    assert (entry.data["state"], entry.data["code"]) == ("failed", 550)
    assert entry.audience == "internal"


def test_a_refused_answer_is_redone_by_a_mail_to_the_mended_address(
    session, actor, make_actor, file, put, run, letters, sink
):
    number = file()
    with sink() as server:
        run()
    case = put(number, Stage.RESPONSE)
    form = AnswerForm(findings="经核查情况属实。", outcome="已经重新划付。", basis="基金合同。")
    draft = service.draft_answer(session, actor, number, form)
    service.release(
        session, make_actor("approver"), number, draft.id, draft.fingerprint, rev=case.version
    )
    session.commit()
    with sink(rcpt="550 no such user"):
        run()
    assert "answer_returned" in find(session, actor, number).facts
    again = DeliveryForm(outcome="again", channel="email", detail="地址已更正")
    service.record_delivery(session, actor, number, draft.id, again)
    session.commit()
    assert "answer_returned" in find(session, actor, number).facts  # not yet on its way
    with sink() as server:
        run()
    assert len(server.mails) == 1
    assert letters(number)[-1].state == LetterState.SENT
    assert "answer_returned" not in find(session, actor, number).facts
    with pytest.raises(Conflict):
        service.record_delivery(session, actor, number, draft.id, again)


def test_nobody_there_fails_after_the_last_try(session, file, run, letters, monkeypatch):
    monkeypatch.setenv("HUIYIN_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("HUIYIN_MAIL_FROM", "letters@qinghe.test")
    number = file()
    for hours in range(tasks.TRIES):
        run(timedelta(hours=2 * hours))
    (letter,) = letters(number)
    assert letter.state == LetterState.FAILED
    job = session.scalars(select(Job).where(Job.kind == service.SEND)).one()
    assert (job.state, job.attempts) == ("done", tasks.TRIES)


def test_an_address_that_is_none_harms_nobody(file, run, letters, sink):
    number = file(email="陈 建国\r\nBcc: x@y.z")
    with sink() as server:
        run()
    assert server.mails == []
    assert letters(number)[0].state == LetterState.FAILED


def test_a_password_is_not_spoken_in_the_clear():
    elsewhere = mailer.MailSettings("mail.example.test", 25, "a@b.test", "u", "p")

    class Plain:
        said = ()

        def ehlo(self):
            pass

        def has_extn(self, _name):
            return False

        def starttls(self, context):
            raise mailer.smtplib.SMTPNotSupportedError

        def login(self, *_):
            raise AssertionError("the password was given away")

    with pytest.raises(mailer.smtplib.SMTPNotSupportedError):
        mailer._secure(Plain(), elsewhere)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, None),
        (
            {"HUIYIN_SMTP_URL": "smtp://u%40x:p%2F@mail.test", "HUIYIN_MAIL_FROM": "a@b.test"},
            mailer.MailSettings("mail.test", 587, "a@b.test", "u@x", "p/"),
        ),
        (
            {"HUIYIN_SMTP_URL": "smtps://mail.test", "HUIYIN_MAIL_FROM": "a@b.test"},
            mailer.MailSettings("mail.test", 465, "a@b.test", tls=True),
        ),
    ],
)
def test_settings_come_from_the_environment(environment, wanted):
    assert mailer.settings(environment) == wanted
    assert "p/" not in repr(wanted)


@pytest.mark.parametrize(
    "environment",
    [
        {"HUIYIN_SMTP_URL": "http://mail.test", "HUIYIN_MAIL_FROM": "a@b.test"},
        {"HUIYIN_SMTP_URL": "smtp://mail.test"},
    ],
)
def test_half_a_setting_is_an_error(environment):
    with pytest.raises(ValueError, match="HUIYIN_"):
        mailer.settings(environment)
