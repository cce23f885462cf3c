"""Pages for the staff: the conversations, one of them, and how the roads are."""

from __future__ import annotations

import uuid
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    N_,
    Desk,
    Form,
    FormData,
    Role,
    TenantContext,
    action,
    clean,
    context_of,
    or_again,
    page,
    whole,
)
from huiyin_channel_wecom import answering, bundling, gathering, health, talks
from huiyin_channel_wecom import wording as w
from huiyin_channel_wecom.roads import ROADS, TITLES, switched_on

SEE: Final = "channel_wecom:see"
TALKS: Final = "channel_wecom:talks"
BIND: Final = "channel_wecom:bind"
READERS: Final = frozenset(
    {Role.TENANT_ADMIN, Role.COMPLAINT_OFFICER, Role.APPROVER, Role.SUPERVISOR}
)
HANDLERS: Final = frozenset({Role.COMPLAINT_OFFICER, Role.SUPERVISOR})
TABS: Final = {"": N_("全部"), **w.CONVERSATIONS}
CLOSED: Final = {
    "off": N_("渠道没有开通，回复不会发到会话；对方可在查询页面看到"),
    "member": N_("这是本机构成员的账号，不从案件回复"),
    "late": N_("对方最近一次来消息已超过 48 小时，平台不允许再发；对方再次来消息后即可回复"),
    "used_up": N_("对方来消息后已回复 5 条，达到平台上限；对方再次来消息后即可回复"),
}


class ConversationController(Controller):
    @page("/", name="channel_wecom:talks", permission=TALKS)
    def listed(self, desk: NamedDependency[Desk]) -> Response[Any]:
        asked = desk.request.query_params
        tab = asked.get("tab", "") if asked.get("tab", "") in TABS else ""
        found = talks.listed(context_of(desk), tab, asked.get("after", "")[:80])
        more = f"?{urlencode({'tab': tab, 'after': found.after})}" if found.after else ""
        return desk.page(
            "channel_wecom/list.html", rows=found.rows, more=more, tab=tab, tabs=TABS,
            states=w.CONVERSATIONS, roads=ROADS, short=short,
        )  # fmt: skip

    @page("/roads", name="channel_wecom:roads", permission=SEE)
    def roads(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return desk.page(
            "channel_wecom/roads.html", checks=health.health(ctx),
            addresses=[(TITLES[road], health.callback(ctx, road)) for road in switched_on(ctx)],
        )  # fmt: skip

    @page("/{talk:uuid}", name="channel_wecom:talk", permission=TALKS)
    def show(self, desk: NamedDependency[Desk], talk: FromPath[uuid.UUID]) -> Response[Any]:
        return _shown(desk, talk, Form())

    @action("/{talk:uuid}/hand", name="channel_wecom:hand", permission=BIND)
    def hand(
        self, desk: NamedDependency[Desk], talk: FromPath[uuid.UUID], data: FormData  # noqa: ARG002
    ) -> Response[Any]:  # fmt: skip
        ctx = context_of(desk)
        found, _ = talks.find(ctx, talk, lock=True)
        gathering.hand_in_now(ctx, found)
        return desk.redirect(_home(desk, f"/{talk}"), N_("已登记，稍后可在来件或案件中查看"))

    @action("/{talk:uuid}/bind", name="channel_wecom:bind", permission=BIND)
    def bind(
        self, desk: NamedDependency[Desk], talk: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            _, contact = talks.find(ctx, talk, lock=True)
            number, reason = _text(data, "number", 40), _text(data, "reason", 500)
            talks.bind(ctx, contact, number, reason, whole(_text(data, "rev", 9)))
            return desk.redirect(_home(desk, f"/{talk}"), N_("已关联"))

        def again(form: Form, status: int) -> Response[Any]:
            return _shown(desk, talk, form, status)

        return or_again(desk, data, act, again)

    @action("/{talk:uuid}/unbind", name="channel_wecom:unbind", permission=BIND)
    def unbind(
        self, desk: NamedDependency[Desk], talk: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            _, contact = talks.find(ctx, talk, lock=True)
            talks.unbind(ctx, contact, whole(_text(data, "rev", 9)))
            return desk.redirect(_home(desk, f"/{talk}"), N_("已解除关联"))

        def again(form: Form, status: int) -> Response[Any]:
            return _shown(desk, talk, form, status)

        return or_again(desk, data, act, again)


def _text(data: dict[str, Any], name: str, most: int) -> str:
    return clean(str(data.get(name, "")))[:most]


def _home(desk: Desk, path: str = "") -> str:
    return f"/t/{desk.tenant.slug}/w/x/channel-wecom{path}"


def _shown(desk: Desk, talk_id: uuid.UUID, form: Form, status: int = 200) -> Response[Any]:
    ctx = context_of(desk)
    talk, contact = talks.find(ctx, talk_id)
    case = gathering.bound_case(ctx, contact)
    return desk.page(
        "channel_wecom/talk.html", status=status, talk=talk, contact=contact, case=case, form=form,
        messages=bundling.messages_of(ctx, talk.id), answers=talks.answers(ctx, contact),
        closed=reason(
            answering.why_not(ctx, contact.road, contact.heard_at, contact.sent_since)
        ), short=short, w=w, roads=ROADS,
        arrival=_arrival(ctx, talk.arrival_id),
    )  # fmt: skip


def _arrival(ctx: TenantContext, arrival_id: uuid.UUID | None) -> str:
    """Where it was handed in, for those who may see arrivals."""
    return str(arrival_id) if arrival_id and ctx.actor.can("arrival.read") else ""


def reason(code: str) -> str:
    return CLOSED[code] if code else ""


def short(external_id: str) -> str:
    """Enough of an account to tell two apart: …3F2A."""
    return f"…{external_id[-4:]}"
