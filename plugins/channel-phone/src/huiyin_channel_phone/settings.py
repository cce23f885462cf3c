"""What a firm decides about its telephone."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_, SecretStr

_PROMISE = {"section": N_("回电承诺")}
_SYSTEM = N_("电话系统")
SHORTEST = 16


class ChannelPhoneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The promise to call back is the firm's own (公司承诺), never a legal time limit."""

    within: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=72, title=N_("回电时限"),
            description=N_("自未接来电起算，属公司承诺，不是法定期限"), extra=_PROMISE,
        ),
    ] = 2  # fmt: skip
    counted: Annotated[
        Literal["duty_hours", "workdays", "hours"],
        msgspec.Meta(
            title=N_("时限按什么计"),
            description=N_("按值班小时计时，没有排班的时间不计入；没有排班的，按 1 个工作日计"),
            extra={
                **_PROMISE,
                "choices": {
                    "duty_hours": N_("值班小时"), "workdays": N_("工作日"),
                    "hours": N_("自然小时"),
                },
            },
        ),
    ] = "duty_hours"  # fmt: skip
    escalate_after: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=72, title=N_("超时后多久升级"),
            description=N_("超时先提醒值班人员，仍未回电的，提醒审批人和监督"),
            extra={**_PROMISE, "unit": "hours"},
        ),
    ] = 4  # fmt: skip
    notice: Annotated[
        str,
        msgspec.Meta(
            max_length=300, title=N_("录音告知语"),
            description=N_("登记通话时显示，供接听人员照读"),
            extra={"section": N_("录音")},
        ),
    ] = "为保障服务质量，本次通话将被录音"  # fmt: skip
    secret: Annotated[
        SecretStr,
        msgspec.Meta(
            title=N_("签名密钥"),
            description=N_("电话系统推送话单时用来签名，至少 16 个字符；不填则不接收推送"),
            extra={"section": _SYSTEM},
        ),
    ] = ""
    window: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=60, title=N_("允许的时钟偏差"),
            description=N_("时间戳超出这个范围的推送一律拒收"),
            extra={"section": _SYSTEM, "unit": "minutes"},
        ),
    ] = 5  # fmt: skip

    def __post_init__(self) -> None:
        if self.secret and len(self.secret) < SHORTEST:
            raise ValueError(N_("签名密钥至少 16 个字符"))
