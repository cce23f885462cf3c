"""A firm with a mailbox."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from sqlalchemy import select

from huiyin.intake.models import Arrival
from huiyin.intake.schemas import Raw
from huiyin.sdk import receive, rehearse
from huiyin.tenancy.models import PluginActivation
from huiyin.testing.web import run_jobs
from huiyin_channel_email import plugin
from huiyin_channel_email.settings import ChannelEmailSettings

STORY = "11 月 3 日提交的赎回至今没有到账，请尽快核实。"


@pytest.fixture
def web_plugins():
    return ("channel_web", "channel_email")


def mail(text=STORY, *, sender="陈建国 <chen@example.com>", to="tousu@qinghe.test", **headers):
    """A mail as a program writes it; headers with underscores for dashes."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender, to
    message["Subject"] = headers.pop("subject", "赎回款没有到账")
    message["Message-ID"] = headers.pop("message_id", "<one@example.com>")
    message["Date"] = "Mon, 23 Nov 2026 09:30:00 +0800"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


@pytest.fixture
def ctx(session):
    session.add(PluginActivation(plugin="channel_email", active=True))
    session.commit()
    return rehearse(plugin, session, name="channel_email", settings=ChannelEmailSettings())


@pytest.fixture
def deliver(ctx, session, place):
    """``deliver(mail)``: kept, read, placed; answers the arrival as it stands then."""

    def run(message, *, key="", envelope=None, jobs=True):
        data = message if isinstance(message, bytes) else message.as_bytes()
        raw = Raw(channel="email", data=data, key=key, envelope=envelope or {})
        receipt = receive(ctx, raw)
        session.commit()
        if jobs:
            run_jobs(place)
        session.expire_all()
        return session.scalars(select(Arrival).where(Arrival.id == receipt.id)).one()

    return run
