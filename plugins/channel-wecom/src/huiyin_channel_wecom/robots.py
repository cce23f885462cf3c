"""Notices to the staff by group robots: WeCom, DingTalk (signed) and Feishu (signed).

They name the number, what happened, until when, and where to look; nothing about anybody.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import N_, Event, Message, TenantContext, now, public_link, uuid7
from huiyin_channel_wecom import hosts, outside
from huiyin_channel_wecom.models import Robot
from huiyin_channel_wecom.settings import ChannelWecomSettings

NOTICE: Final = "notice"
AGAIN: Final = timedelta(minutes=1)  # then two, four …
TRIES: Final = 8
TITLES: Final = {
    "wecom": N_("企业微信群机器人"), "dingtalk": N_("钉钉群机器人"), "feishu": N_("飞书群机器人"),
}  # fmt: skip
WORDS: Final = {
    "new": N_("新投诉 {number}，待受理。{link}"),
    "overdue": N_("投诉 {number} 有时限已过（{due}），请尽快办理。{link}"),
    "returned": N_("投诉 {number} 的文书被退回，请改用其他方式送达。{link}"),
    "waiting": N_("有一件来件待识别，一个工作日内未判定的自动登记。{link}"),
    "test": N_("渠道测试：群机器人可以收到通知。{link}"),
}
ERRORS: Final = {
    "unreachable": N_("无法连接，稍后自动重试"),
    "refused": N_("平台拒绝，请核对地址、签名密钥和关键词设置"),
    "gone": N_("多次未能送达，已放弃"),
}


@dataclass(frozen=True, slots=True)
class Hook:
    """One group robot of the firm."""

    robot: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)


def hooks(ctx: TenantContext) -> Iterator[Hook]:
    """Those the firm has set up; an address elsewhere is none."""
    chosen = ctx.settings(ChannelWecomSettings)
    for hook in (
        Hook("wecom", chosen.robot_wecom),
        Hook("dingtalk", chosen.robot_dingtalk, chosen.dingtalk_secret),
        Hook("feishu", chosen.robot_feishu, chosen.feishu_secret),
    ):
        if hook.url and hosts.is_robot(hook.robot, hook.url):
            yield hook


def notify(ctx: TenantContext, event: Event) -> None:
    """One job for each robot and event that the firm wants to hear of."""
    what = _what(ctx.settings(ChannelWecomSettings), event)
    if not what:
        return
    said = event.payload
    facts = {"what": what, "number": said.get("number") or said.get("case") or "",
             "due": str(said.get("due_on", "")), "object": event.object_id}  # fmt: skip
    for hook in hooks(ctx):
        key = f"{hook.robot}:{event.id}"
        ctx.enqueue(NOTICE, {**facts, "robot": hook.robot, "key": key}, key=key)


def _what(chosen: ChannelWecomSettings, event: Event) -> str:
    said = event.payload
    settled = event.kind == "arrival.settled"
    found = (
        ("new", chosen.tell_new and event.kind == "case.filed"),
        ("overdue", chosen.tell_overdue and event.kind == "clock.due" and said.get("overdue")),
        ("returned", chosen.tell_returned and settled and said.get("state") == "returned"),
        ("waiting", chosen.tell_waiting and settled and said.get("state") == "waiting"),
    )
    return next((what for what, wanted in found if wanted), "")


def notice(ctx: TenantContext, payload: Mapping[str, Any]) -> None:
    """The job: tell one robot, again later if it cannot be reached."""
    hook = next((one for one in hooks(ctx) if one.robot == payload["robot"]), None)
    if hook is None:
        return
    error, tried = say(ctx, hook, words(ctx, payload)), int(payload.get("try", 1))
    if error == "unreachable" and tried >= TRIES:
        error = "gone"
    _note(ctx, hook.robot, error)
    if error == "unreachable":
        due = ctx.now() + AGAIN * 2 ** (tried - 1)
        again = {**payload, "try": tried + 1}
        ctx.enqueue(NOTICE, again, key=f"{payload['key']}:{tried + 1}", due_at=due)


def words(ctx: TenantContext, payload: Mapping[str, Any]) -> str:
    """The sentence, with the link for whoever may open it."""
    number, due = str(payload.get("number", "")), str(payload.get("due", ""))
    if due:
        due = f"{date.fromisoformat(due):%Y-%m-%d}"
    path = f"cases/{number}" if number else "arrivals"
    return ctx.text(
        Message(WORDS[payload["what"]], {"number": number, "due": due, "link": _link(ctx, path)})
    )


def _link(ctx: TenantContext, path: str) -> str:
    """An address for the staff, beside the public ones."""
    base = public_link(ctx.tenant, "").rstrip("/").removesuffix(f"/p/{ctx.tenant.slug}")
    return f"{base}/t/{ctx.tenant.slug}/w/{path}"


# -- the robots --------------------------------------------------------------------------------


def say(ctx: TenantContext, hook: Hook, text: str) -> str:
    """Tell it now; a code of ``ERRORS``, or ``""``."""
    parts = urlsplit(hook.url)
    target, body = _asked(hook, f"{parts.path}?{parts.query}".rstrip("?"), text, ctx)
    try:
        answer = outside.call("POST", parts.netloc, target, msgspec.json.encode(body))
    except outside.Failed:
        return "unreachable"
    if answer.status >= 500 or answer.status == 429:
        return "unreachable"
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "refused"
    if answer.status != 200 or not isinstance(said, dict):
        return "refused"
    code = said.get("errcode", said.get("code", said.get("StatusCode")))
    return "" if code == 0 else "unreachable" if code in _BUSY else "refused"


# Too many at once: 企业微信, 钉钉, 飞书.
_BUSY: Final = frozenset({-1, 45009, 130101, 9499, 11232})


def _asked(hook: Hook, target: str, text: str, ctx: TenantContext) -> tuple[str, dict[str, Any]]:
    """The address and body that the robot's own protocol wants, signed if it has a secret."""
    if hook.robot == "feishu":
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if hook.secret:
            stamp = str(int(ctx.now().timestamp()))
            sign = hmac.digest(f"{stamp}\n{hook.secret}".encode(), b"", "sha256")
            body |= {"timestamp": stamp, "sign": base64.b64encode(sign).decode()}
        return target, body
    if hook.robot == "dingtalk" and hook.secret:
        stamp = str(int(ctx.now().timestamp() * 1000))
        sign = hmac.digest(hook.secret.encode(), f"{stamp}\n{hook.secret}".encode(), "sha256")
        joined = quote_plus(base64.b64encode(sign).decode())
        target = f"{target}{'&' if '?' in target else '?'}timestamp={stamp}&sign={joined}"
    return target, {"msgtype": "text", "text": {"content": text}}


def _note(ctx: TenantContext, robot: str, error: str) -> None:
    moment = now()
    said = {"error": error, **({"error_at": moment} if error else {"good_at": moment})}
    first = {"tenant_id": ctx.session.tenant, "id": uuid7(), "robot": robot, **said}
    ctx.session.execute(
        insert(Robot)
        .values(first)
        .on_conflict_do_update(index_elements=["tenant_id", "robot"], set_=said)
    )


def state_of(ctx: TenantContext) -> dict[str, Robot]:
    """How each robot fares."""
    return {row.robot: row for row in ctx.session.scalars(select(Robot))}
