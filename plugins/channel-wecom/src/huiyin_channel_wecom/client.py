"""The provider's endpoints: what they are asked and how they answer, as publicly documented."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from huiyin_channel_wecom import hosts, outside
from huiyin_channel_wecom.roads import MP, WECOM, Account

HOSTS: Final = {WECOM: hosts.WECOM, MP: hosts.MP}
MEDIA: Final = 20 * 1024 * 1024  # bytes; the providers take no larger ones either
MEDIA_WITHIN: Final = 40.0
PAGE: Final = 1000  # messages of one answer of kf/sync_msg
PAGE_BYTES: Final = 4 * 1024 * 1024


class Why(StrEnum):
    """What a failure asks of us."""

    BUSY = "busy"  # nothing was done: again later
    TOKEN = "token"  # noqa: S105 - the name of a reason: the access token is no longer good
    CLOSED = "closed"  # nobody may be written to now
    GONE = "gone"  # there is no such file any more
    REFUSED = "refused"  # a person must look at it
    UNSURE = "unsure"  # no answer came: perhaps it was done


# errcode → what it means to us.  Whatever is not here is a refusal, shown with its number.
CODES: Final[Mapping[int, Why]] = {
    -1: Why.BUSY,
    45009: Why.BUSY,  # more calls than allowed
    45033: Why.BUSY,  # too many at once
    40001: Why.TOKEN,
    40014: Why.TOKEN,
    42001: Why.TOKEN,  # expired
    45015: Why.CLOSED,  # 公众号: more than 48 hours since they wrote
    45047: Why.CLOSED,  # 公众号: as many answers as are allowed
    40007: Why.GONE,
}


class Trouble(Exception):
    """The provider did not do it; ``code`` is its errcode, 0 when there was none."""

    def __init__(self, why: Why, code: int = 0) -> None:
        super().__init__(f"{why.value} {code}")
        self.why, self.code = why, code


@dataclass(frozen=True, slots=True)
class Media:
    """A file as the provider hands it out; ``name`` is empty when it has none."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the messages of a customer service account."""

    messages: tuple[Mapping[str, Any], ...]
    cursor: str
    more: bool


def get_token(account: Account) -> tuple[str, int]:
    """An access token and the seconds for which it is good.  Raises ``Trouble``."""
    if account.road == WECOM:
        path, asked = "/cgi-bin/gettoken", {"corpid": account.id, "corpsecret": account.secret}
    else:
        path = "/cgi-bin/token"
        asked = {"grant_type": "client_credential", "appid": account.id, "secret": account.secret}
    said = _said(_call("GET", account.road, f"{path}?{urlencode(asked)}"))
    token, seconds = said.get("access_token"), said.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(seconds, int):
        raise Trouble(Why.REFUSED)
    return token, seconds


def get_media(road: str, token: str, media_id: str) -> Media:
    """A file of a message.  Raises ``Trouble``; ``GONE`` also for one that is too large."""
    asked = urlencode({"access_token": token, "media_id": media_id})
    answer = _call("GET", road, f"/cgi-bin/media/get?{asked}", most=MEDIA, within=MEDIA_WITHIN)
    if not answer.whole:
        raise Trouble(Why.GONE)
    if answer.kind in {"application/json", "text/plain"} and not answer.disposition:
        _said(answer)  # raises for an error; what is left is an address elsewhere
        raise Trouble(Why.GONE)
    if answer.status != 200:
        raise Trouble(Why.BUSY if answer.status >= 500 else Why.REFUSED)
    return Media(_name_in(answer.disposition), answer.kind, answer.body)


def sync_messages(token: str, account: str, cursor: str, hint: str) -> Page:
    """What 微信客服 has for us after ``cursor``.  ``hint`` is the token of the callback, if any."""
    asked: dict[str, Any] = {"open_kfid": account, "limit": PAGE, "voice_format": 0}
    asked |= {name: value for name, value in (("cursor", cursor), ("token", hint)) if value}
    said = _post(WECOM, token, "/cgi-bin/kf/sync_msg", asked, most=PAGE_BYTES)
    found = said.get("msg_list")
    listed = tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
    return Page(listed, str(said.get("next_cursor", "")), bool(said.get("has_more")))


def send_kf(token: str, account: str, to: str, text: str, message_id: str) -> None:
    """A text by 微信客服; ``message_id`` is ours, the same at every try."""
    said = {"touser": to, "open_kfid": account, "msgid": message_id, "msgtype": "text",
            "text": {"content": text}}  # fmt: skip
    _post(WECOM, token, "/cgi-bin/kf/send_msg", said)


def send_mp(token: str, to: str, text: str) -> None:
    """A text by the 公众号, which knows no id of ours: never to be repeated blindly."""
    said = {"touser": to, "msgtype": "text", "text": {"content": text}}
    _post(MP, token, "/cgi-bin/message/custom/send", said)


# -- below -------------------------------------------------------------------------------------


def _post(
    road: str, token: str, path: str, body: Mapping[str, Any], *, most: int = outside.ANSWER
) -> dict[str, Any]:
    target = f"{path}?access_token={quote(token, safe='')}"
    return _said(_call("POST", road, target, msgspec.json.encode(body), most=most))


def _call(
    method: str, road: str, target: str, body: bytes | None = None, *, most: int = outside.ANSWER,
    within: float = outside.WITHIN,
) -> outside.Answer:  # fmt: skip
    try:
        return outside.call(method, HOSTS[road], target, body, most=most, within=within)
    except outside.Failed as failed:
        raise Trouble(Why.UNSURE if failed.sent and body is not None else Why.BUSY) from None


def _said(answer: outside.Answer) -> dict[str, Any]:
    """The answer in words.  Raises ``Trouble`` for an error."""
    if answer.status >= 500:
        raise Trouble(Why.UNSURE)
    try:
        said = json.loads(answer.body)  # half a pair of surrogates stops no other message
    except (ValueError, RecursionError):
        raise Trouble(Why.REFUSED) from None
    if answer.status != 200 or not isinstance(said, dict):
        raise Trouble(Why.REFUSED)
    code = said.get("errcode", 0)
    if not isinstance(code, int):
        raise Trouble(Why.REFUSED)
    if code:
        raise Trouble(CODES.get(code, Why.REFUSED), code)
    return said


_NAME: Final = re.compile(r'filename="?([^";]{1,200})"?')


def _name_in(disposition: str) -> str:
    """The name in a header; bytes that came as Latin-1 are UTF-8."""
    found = _NAME.search(disposition)
    if not found:
        return ""
    try:
        return found[1].encode("latin-1").decode("utf-8")
    except UnicodeError:
        return found[1]
