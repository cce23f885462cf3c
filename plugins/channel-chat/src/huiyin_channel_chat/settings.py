"""What a firm decides about its chat."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_, is_origin

_HOURS = {"section": N_("服务时间")}
_SITE = {"section": N_("嵌入本机构网站")}
_TALK = {"section": N_("对话")}
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class ChannelChatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody answers, how soon, and whose pages may show the window."""

    days: Annotated[
        Literal["workdays", "every_day"],
        msgspec.Meta(
            title=N_("服务日"),
            description=N_("工作日按国务院放假安排，含调休上班日"),
            extra={**_HOURS, "choices": {"workdays": N_("仅工作日"), "every_day": N_("每天")}},
        ),
    ] = "workdays"
    opens: Annotated[
        str,
        msgspec.Meta(pattern=_CLOCK, title=N_("开始"), description=N_("例如 09:00"), extra=_HOURS),
    ] = "09:00"
    closes: Annotated[
        str,
        msgspec.Meta(pattern=_CLOCK, title=N_("结束"), description=N_("例如 17:30"), extra=_HOURS),
    ] = "17:30"
    answer_minutes: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=120, title=N_("首次回复时限"),
            description=N_("公司承诺，服务时间内显示给访客，并据此统计"),
            extra={**_TALK, "unit": "minutes"},
        ),
    ] = 3  # fmt: skip
    silent_minutes: Annotated[
        int,
        msgspec.Meta(
            ge=10, le=1440, title=N_("无人发言时自动结束"),
            description=N_("自最后一条消息起算"), extra={**_TALK, "unit": "minutes"},
        ),
    ] = 60  # fmt: skip
    per_minute: Annotated[
        int,
        msgspec.Meta(
            ge=5, le=60, title=N_("每分钟最多消息数"),
            description=N_("按一次对话的访客计"), extra=_TALK,
        ),
    ] = 20  # fmt: skip
    greeting: Annotated[
        str,
        msgspec.Meta(
            max_length=200, title=N_("问候语"),
            description=N_("对话开始时显示，不填时使用平台文字"), extra=_TALK,
        ),
    ] = ""  # fmt: skip
    origins: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=200)], ...],
        msgspec.Meta(
            max_length=10, title=N_("允许嵌入的网站"),
            description=N_("每行一个，例如 https://www.example.com；不填则不能嵌入"), extra=_SITE,
        ),
    ] = ()  # fmt: skip

    def __post_init__(self) -> None:
        if not time.fromisoformat(self.opens) < time.fromisoformat(self.closes):
            raise ValueError(N_("结束时间应晚于开始时间"))
        if not all(is_origin(origin) for origin in self.origins):
            raise ValueError(N_("请填写网站地址的开头部分，例如 https://www.example.com，不带路径"))
