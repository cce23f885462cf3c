"""What a message of the provider says, whichever form it came in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from huiyin.sdk import clean
from huiyin_channel_wecom import xml

TEXT: Final = 10_000
# msgtype → the words by which a message without words is named, in evidence as on the page.
NAMES: Final = {
    "image": "图片", "voice": "语音", "video": "视频", "shortvideo": "视频", "file": "文件",
    "location": "位置", "link": "链接", "business_card": "名片", "miniprogram": "小程序",
    "msgmenu": "菜单", "merged_msg": "聊天记录",
}  # fmt: skip
ENDINGS: Final = {
    "image": "jpg",
    "voice": "amr",
    "video": "mp4",
    "shortvideo": "mp4",
    "file": "bin",
}
_CUSTOMER: Final = 3  # origin of a message of 微信客服: whoever wrote to us
_SERVICE: Final = 5  # a colleague who answered in the provider's own program


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message.  ``who`` is ``customer``, ``staff`` or ``""`` for an event.

    ``text`` is what was written, or a line in brackets that says what came instead.
    """

    who: str
    road: str
    account: str
    external_id: str
    kind: str
    text: str
    media_id: str = ""
    file_name: str = ""
    at: datetime | None = None
    event: str = ""
    hint: str = ""  # the token of an event, for asking


def read(source: str, raw: bytes) -> Said | None:
    """What it says; ``None`` for what is no message and no event that we know."""
    try:
        if source == "kf":
            found = json.loads(raw)
            return _of_service(found) if isinstance(found, dict) else None
        return _of_callback(source, xml.read(raw))
    except (ValueError, RecursionError):
        return None


def moment(seconds: object) -> datetime | None:
    """A time as the providers write it; ``None`` when it is none of this age."""
    try:
        number = int(str(seconds))
    except ValueError:
        return None
    return datetime.fromtimestamp(number, UTC) if 10**9 < number < 10**10 else None


# -- by callback -------------------------------------------------------------------------------


def _of_callback(source: str, fields: Mapping[str, str]) -> Said:
    kind, event = fields.get("MsgType", ""), fields.get("Event", "")
    road = "mp" if source == "mp" else "app"
    told = {
        "road": road, "account": fields.get("AgentID", "") if road == "app" else "",
        "external_id": fields.get("FromUserName", "")[:200], "at": moment(fields.get("CreateTime")),
    }  # fmt: skip
    if kind == "event":
        account = fields.get("OpenKfId", "") if event == "kf_msg_or_event" else ""
        return Said(
            who="", kind=kind, text="", event=event, hint=fields.get("Token", ""),
            **{**told, "account": account},  # type: ignore[arg-type]  # checked by the tests
        )  # fmt: skip
    words = {
        "text": fields.get("Content", ""),
        "voice": _bracket("voice", fields.get("Recognition", "")),
        "location": _bracket(
            "location", fields.get("Label", ""),
            f"{fields.get('Location_X', '')},{fields.get('Location_Y', '')}",
        ),
        "link": _bracket(
            "link", fields.get("Title", ""), fields.get("Description", ""), fields.get("Url", "")
        ),
    }  # fmt: skip
    return Said(
        who="customer", kind=kind, text=_cut(words.get(kind, _bracket(kind))),
        media_id=fields.get("MediaId", "")[:500] if kind in ENDINGS else "",
        file_name=fields.get("FileName", "") or fields.get("Title", "") if kind == "file" else "",
        **told,  # type: ignore[arg-type]  # as above
    )  # fmt: skip


# -- by asking ---------------------------------------------------------------------------------


def _of_service(found: Mapping[str, Any]) -> Said | None:
    kind, origin = _text(found.get("msgtype")), found.get("origin")
    who = {_CUSTOMER: "customer", _SERVICE: "staff"}.get(origin if isinstance(origin, int) else 0)
    if who is None or kind == "event":
        return None
    part = found.get(kind)
    held: Mapping[str, Any] = part if isinstance(part, dict) else {}
    words = {
        "text": _text(held.get("content")),
        "location": _bracket(
            "location", _text(held.get("name")), _text(held.get("address")),
            f"{_text(held.get('latitude'))},{_text(held.get('longitude'))}",
        ),
        "link": _bracket(
            "link", _text(held.get("title")), _text(held.get("desc")), _text(held.get("url"))
        ),
        "miniprogram": _bracket("miniprogram", _text(held.get("title"))),
    }  # fmt: skip
    return Said(
        who=who, road="kf", account=_text(found.get("open_kfid"))[:200],
        external_id=_text(found.get("external_userid"))[:200], kind=kind[:40],
        text=_cut(words.get(kind, _bracket(kind))),
        media_id=_text(held.get("media_id"))[:500] if kind in ENDINGS else "",
        file_name=_text(held.get("filename")), at=moment(found.get("send_time")),
    )  # fmt: skip


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _bracket(kind: str, *words: str) -> str:
    """（位置：上海市 31.2,121.5）"""
    said = " ".join(word for word in words if word.strip(" ,"))
    name = NAMES.get(kind, "其他消息")
    return f"（{name}：{said}）" if said else f"（{name}）"


def _cut(text: str) -> str:
    return clean(text)[:TEXT]
