"""A firm with a WeCom, a 公众号, and providers that answer on this machine."""

import base64
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases.models import Case, Entry
from huiyin.evidence.models import EvidenceFile
from huiyin.intake.models import Arrival
from huiyin.kit.time import now
from huiyin.plugins.sealing import seal
from huiyin.tenancy.models import PluginActivation, SettingVersion
from huiyin.testing.web import run_jobs
from huiyin_channel_wecom.models import Contact, Conversation, Incoming, Outgoing
from huiyin_channel_wecom.sealed import Keys

from .provider import ACCOUNTS, DINGTALK_SECRET, FEISHU_SECRET, MP, WECOM, Provider

NAME = "channel_wecom"
KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
MP_KEY = base64.b64encode(bytes(range(32, 64))).decode().rstrip("=")
KEYS = {
    "wecom": Keys("callback-token", KEY, ACCOUNTS[WECOM][0]),
    "mp": Keys("mp-token", MP_KEY, ACCOUNTS[MP][0]),
}
STORY = "我要投诉：11 月 3 日提交的赎回至今没有到账，请尽快核实。"
OPEN = {
    "wecom": True, "corp_id": ACCOUNTS[WECOM][0], "secret": ACCOUNTS[WECOM][1],
    "token": "callback-token", "aes_key": KEY,
    "mp": True, "app_id": ACCOUNTS[MP][0], "app_secret": ACCOUNTS[MP][1],
    "mp_token": "mp-token", "mp_aes_key": MP_KEY,
}  # fmt: skip
ROBOTS = {
    "robot_wecom": f"https://{WECOM}/cgi-bin/webhook/send?key=k-1",
    "robot_dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=t-1",
    "dingtalk_secret": DINGTALK_SECRET,
    "robot_feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/h-1",
    "feishu_secret": FEISHU_SECRET,
}
SECRETS = {"secret", "token", "aes_key", "app_secret", "mp_token", "mp_aes_key", *ROBOTS}


@pytest.fixture
def web_plugins():
    return ("channel_web", "channel_wecom")


@pytest.fixture
def provider(monkeypatch):
    with Provider().running() as server:
        monkeypatch.setenv("HUIYIN_WECOM_GATEWAY", server.url)
        monkeypatch.setenv("HUIYIN_OUTBOUND_PRIVATE", "127.0.0.0/8")
        yield server


@pytest.fixture
def settle(session, place, actor):
    """``settle(**settings)``: what the firm has decided about the plugin, published."""

    def run(**given):
        known = session.scalar(select(SettingVersion).where(SettingVersion.plugin == NAME))
        row = known or SettingVersion(
            plugin=NAME, version=1, state="published", author_id=actor.id, data={}, secrets={}
        )
        row.data = {**row.data, **{k: v for k, v in given.items() if k not in SECRETS}}
        row.secrets = {**row.secrets, **{
            k: {"sealed": seal(v, tenant_id=session.tenant, plugin=NAME, field=k),
                "at": now().isoformat(), "by": str(actor.id)}
            for k, v in given.items() if k in SECRETS
        }}  # fmt: skip
        session.add(row)
        session.commit()
        place.host.forget()

    return run


@pytest.fixture
def firm(session, settle, provider):
    """The plugin is on and its roads are open."""
    session.add(PluginActivation(plugin=NAME, active=True))
    settle(**OPEN)
    return provider


# -- what the provider calls -------------------------------------------------------------------


def message(text=STORY, *, who="oUser1", number="1001", at=None, kind="text", **fields):
    """A message as a provider writes it."""
    seconds = int((at or now()).timestamp())
    content = f"<Content><![CDATA[{text}]]></Content>" if kind == "text" else ""
    more = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return (
        f"<xml><ToUserName><![CDATA[gh]]></ToUserName>"
        f"<FromUserName><![CDATA[{who}]]></FromUserName><CreateTime>{seconds}</CreateTime>"
        f"<MsgType><![CDATA[{kind}]]></MsgType>{content}{more}<MsgId>{number}</MsgId></xml>"
    ).encode()


def event(**fields):
    """An event: it has no id."""
    more = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return f"<xml><MsgType>event</MsgType><CreateTime>1</CreateTime>{more}</xml>".encode()


def sealed_call(inner, *, road="mp", nonce="n1", at=None, keys=None, sealed=None):
    """Path and body of a callback, signed and sealed."""
    keys = keys or KEYS[road]
    stamp = str(int((at or now()).timestamp()))
    box = sealed or keys.seal(inner)
    signature = keys.signature(stamp, nonce, box)
    path = (
        f"/p/qinghe/x/channel-wecom/{road}?msg_signature={signature}"
        f"&timestamp={stamp}&nonce={nonce}"
    )
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{box}]]></Encrypt></xml>"
    return path, body.encode()


@pytest.fixture
def call(public):
    """``call(inner, …)``: what the provider hears of one callback."""
    count = iter(range(10_000))

    def run(inner, **given):
        given.setdefault("nonce", f"n{next(count)}")
        path, body = sealed_call(inner, **given)
        return post(public, path, body)

    return run


def post(browser, path, body):
    return browser.ask("POST", path, content=body, headers={"Content-Type": "text/xml"})


@pytest.fixture
def work(place, session):
    """``work()``: everything that is due is done; ``work(hours=1)`` as if it were later."""

    def run(**ahead):
        run_jobs(place, ahead=timedelta(**ahead))
        session.expire_all()

    return run


def kf_message(number, text="", *, who="wmUser1", origin=3, at=None, kind="text", **held):
    """A message as ``kf/sync_msg`` lists it."""
    part = {"content": text} if kind == "text" else held
    return {
        "msgid": f"kf-{number}", "open_kfid": "wkDesk1", "external_userid": who,
        "send_time": int((at or now()).timestamp()) + number, "origin": origin, "msgtype": kind,
        kind: part,
    }  # fmt: skip


def kf_event():
    return event(Event="kf_msg_or_event", OpenKfId="wkDesk1", Token="hint")


# -- what came of it ---------------------------------------------------------------------------


class Found:
    """Rows of the firm, read anew each time."""

    def __init__(self, session):
        self.session = session

    def _all(self, query):
        self.session.expire_all()
        return self.session.scalars(query).all()

    @property
    def cases(self):
        return self._all(select(Case).order_by(Case.number))

    @property
    def arrivals(self):
        return self._all(select(Arrival).order_by(Arrival.received_at, Arrival.id))

    @property
    def kept(self):
        return self._all(select(Incoming).order_by(Incoming.kept_at, Incoming.id))

    @property
    def talks(self):
        return self._all(select(Conversation).order_by(Conversation.started_at, Conversation.id))

    @property
    def contacts(self):
        return self._all(select(Contact).order_by(Contact.created_at, Contact.id))

    @property
    def answers(self):
        return self._all(select(Outgoing).order_by(Outgoing.made_at, Outgoing.id))

    def entries(self, case, kind="message_in"):
        rows = select(Entry).where(Entry.case_id == case.id, Entry.kind == kind)
        return self._all(rows.order_by(Entry.seq))

    def files(self, case):
        rows = select(EvidenceFile).where(EvidenceFile.case_id == case.id)
        return self._all(rows.order_by(EvidenceFile.number))


@pytest.fixture
def found(session):
    return Found(session)


def texts(provider):
    """What was said to complainants, in order."""
    return [body["text"]["content"] for path, body in provider.sent if "/" in path]


def code_in(text):
    return re.search(r"\d{16}", text)[0]


def dumped(value):
    return json.dumps(value, ensure_ascii=False)
