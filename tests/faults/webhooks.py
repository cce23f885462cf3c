"""What a telephone system and a 公众号 call, signed and sealed as their public documents say."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta

from huiyin_channel_phone import webhook
from huiyin_channel_wecom.sealed import Keys

PHONE_SECRET = "sixteen or more letters"
APP_ID, APP_SECRET = "wx0123456789abcdef", "app-secret"
MP_TOKEN = "mp-token"
MP_KEY = base64.b64encode(bytes(range(32, 64))).decode().rstrip("=")
KEYS = Keys(MP_TOKEN, MP_KEY, APP_ID)
Call = tuple[str, bytes, dict[str, str]]  # path, body, headers


def missed(firm: str, number: int) -> Call:
    """A call that nobody took, from a number of its own."""
    called = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    call_id = f"pbx-{number}"
    body = json.dumps(
        {
            "call_id": call_id, "direction": "in", "caller": f"+86 138{number:08d}",
            "called": "400-000-0000", "started_at": called.isoformat(), "answered": False,
            "seconds": 0, "agent": "8001",
        }
    ).encode()  # fmt: skip
    return f"/api/v1/p/{firm}/x/channel-phone/calls", body, {}


def signed(call: Call, number: int) -> Call:
    """The same report at this moment; it is signed anew each time it is sent."""
    path, body, _ = call
    stamp, call_id = str(int(time.time())), f"pbx-{number}"
    headers = {
        webhook.TIMESTAMP: stamp, webhook.ID: call_id,
        webhook.SIGNATURE: webhook.sign(PHONE_SECRET, stamp, call_id, body),
        "Content-Type": "application/json",
    }  # fmt: skip
    return path, body, headers


def message(firm: str, number: int, words: str, attempt: int) -> Call:
    """A message of somebody who never wrote before; each attempt has a nonce of its own."""
    stamp, nonce = str(int(time.time())), f"n{number}-{attempt}"
    inner = (
        f"<xml><ToUserName><![CDATA[gh]]></ToUserName><FromUserName><![CDATA[oUser{number}]]>"
        f"</FromUserName><CreateTime>{stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{words}]]></Content><MsgId>{1000 + number}</MsgId></xml>"
    )
    box = KEYS.seal(inner.encode())
    path = (
        f"/p/{firm}/x/channel-wecom/mp?msg_signature={KEYS.signature(stamp, nonce, box)}"
        f"&timestamp={stamp}&nonce={nonce}"
    )
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{box}]]></Encrypt></xml>"
    return path, body.encode(), {"Content-Type": "text/xml"}
