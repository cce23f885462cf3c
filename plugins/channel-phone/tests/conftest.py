"""A firm with a telephone.  The clock stands at a Thursday morning in Shanghai."""

import hashlib
import io
import json
import struct
import wave
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from huiyin.cases.filing import Filing, file_complaint
from huiyin.evidence.store import blobs, use
from huiyin.kit.time import clock_at
from huiyin.plugins.sealing import seal
from huiyin.sdk import at_local, rehearse
from huiyin.tenancy.models import PluginActivation, SettingVersion
from huiyin_channel_phone import plugin, roster, webhook
from huiyin_channel_phone.models import Call, CallBack
from huiyin_channel_phone.schemas import PostForm, ShiftForm
from huiyin_channel_phone.settings import ChannelPhoneSettings

HOME = "/t/qinghe/w/x/channel-phone"
API = "/api/v1/p/qinghe/x/channel-phone"
NUMBER = "13800006021"
STORY = "11 月 3 日提交的赎回至今没有到账，请尽快核实。"
SECRET = "sixteen or more letters"
DAY = date(2026, 11, 26)  # a Thursday
NOW = at_local(DAY, 10, 0)
ONE = timedelta(days=1)


@pytest.fixture
def web_plugins():
    return ("channel_web", "channel_phone")


@pytest.fixture(autouse=True)
def noon():
    with clock_at(NOW):
        yield


@pytest.fixture
def site(site):
    """The site of the test, whose store is that of the process too."""
    before = blobs()
    use(site.blobs)
    yield site
    use(before)


@pytest.fixture
def officer(actor):
    """The complaint officer of the firm, 沈佳宁."""
    return actor


@pytest.fixture
def other(make_actor):
    return make_actor("complaint_officer", name="宋知远")


@pytest.fixture
def supervisor(make_actor):
    return make_actor("supervisor", name="苏婉")


@pytest.fixture
def switched_on(session):
    session.add(PluginActivation(plugin="channel_phone", active=True))
    session.commit()


@pytest.fixture
def browser(web, officer, site, switched_on):
    return web(officer)


@pytest.fixture
def ctx_of(session, site, switched_on):
    """``ctx_of(actor)`` is what the plugin is lent for that person; nobody: a job's."""

    def lend(actor=None, **settings):
        lent = rehearse(
            plugin, session, name="channel_phone", actor=actor,
            settings=ChannelPhoneSettings(**{"secret": SECRET, **settings}),
        )  # fmt: skip
        return replace(lent, blobs=site.blobs)

    return lend


@pytest.fixture
def ctx(ctx_of, officer):
    return ctx_of(officer)


@pytest.fixture
def system(ctx):
    return webhook.as_system(ctx)


@pytest.fixture
def make_case(session):
    """``make_case(actor)`` files a complaint of the usual number."""

    def make(actor, key="1", phone=NUMBER, **facts):
        filing = Filing(
            channel="web", idem_key=key, story=STORY, name="陈建国", phone=phone, **facts
        )
        filed = file_complaint(session, actor, filing)
        session.commit()
        return filed

    return make


@pytest.fixture
def make_post(ctx, session, officer, other):
    """A post with one shift: working days, 9 to 17:30, 沈佳宁, for whom 宋知远 stands in."""

    def make(title="投诉热线", **facts):
        post = roster.save_post(ctx, PostForm(title=title, outside="voicemail"))
        form = {
            "title": "白班", "days": "workdays", "begins": "09:00", "ends": "17:30",
            "first_on": date(2026, 1, 1), "person": officer.id, "deputies": (other.id,), **facts,
        }  # fmt: skip
        roster.save_shift(ctx, post, ShiftForm(**form))
        session.commit()
        return post

    return make


def event(call_id="pbx-1", **facts):
    """What the telephone system says of a call that was missed an hour ago."""
    told = {
        "call_id": call_id, "direction": "in", "caller": "+86 138-0000-6021",
        "called": "400-000-0000", "started_at": (NOW - timedelta(hours=1)).isoformat(),
        "answered": False, "seconds": 0, "agent": "8001", **facts,
    }  # fmt: skip
    return json.dumps(told).encode()


@pytest.fixture
def tell(system, session):
    """``tell("pbx-1", answered=True)``: the telephone system tells of a call."""

    def run(call_id="pbx-1", **facts):
        call, _ = webhook.take(system, call_id, event(call_id, **facts))
        session.commit()
        return call

    return run


def headers(body, call_id="pbx-1", secret=SECRET, at=NOW):
    stamp = str(int(at.timestamp()))
    return {
        webhook.TIMESTAMP: stamp, webhook.ID: call_id,
        webhook.SIGNATURE: webhook.sign(secret, stamp, call_id, body),
        "Content-Type": "application/json",
    }  # fmt: skip


@pytest.fixture
def keyed(session, place, switched_on, officer):
    """The firm has published its key."""
    box = seal(SECRET, tenant_id=session.tenant, plugin="channel_phone", field="secret")
    session.add(
        SettingVersion(
            plugin="channel_phone", version=1, state="published", data={}, reason="接入",
            secrets={"secret": {"sealed": box, "at": "", "by": ""}}, author_id=officer.id,
        )
    )  # fmt: skip
    session.commit()
    place.host.forget()


def sound(seconds=1, name="通话.wav"):
    """A recording: a name and bytes."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<h", 7) * 8000 * seconds)
    return name, out.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def calls_in(session):
    session.expire_all()
    return session.scalars(select(Call).order_by(Call.started_at, Call.id)).all()


def backs_in(session):
    session.expire_all()
    return session.scalars(select(CallBack).order_by(CallBack.missed_at, CallBack.id)).all()
