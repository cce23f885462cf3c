"""What a firm decides: its accounts with the providers, when a chat is a complaint, who is told."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_, SecretStr
from huiyin_channel_wecom.hosts import is_robot

_CHAT = N_("会话")
_WECOM = N_("企业微信与微信客服")
_MP = N_("公众号（服务号，安全模式）")
_ROBOTS = N_("群机器人通知")
_KEY_HINT = N_("43 个字符，与管理后台填写的一致")
_ID = r"^[A-Za-z0-9_\-]*$"


class ChannelWecomSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How chats come in, and what is told to whom."""

    quiet: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=120, title=N_("会话静默多久后登记"),
            description=N_("同一人在这段时间内陆续发来的消息算作一件；写明要投诉的立即登记"),
            extra={"unit": "minutes", "section": _CHAT},
        ),
    ] = 10  # fmt: skip
    take: Annotated[
        Literal["all", "said"],
        msgspec.Meta(
            title=N_("哪些会话登记"),
            description=N_("专用于投诉的账号选全部；日常咨询共用的账号可只登记提到投诉的，其余由人工登记"),
            extra={
                "section": _CHAT,
                "choices": {"all": N_("全部会话"), "said": N_("只登记提到投诉的会话")},
            },
        ),
    ] = "all"  # fmt: skip
    confirm: Annotated[
        bool,
        msgspec.Meta(
            title=N_("收到后自动回复确认"),
            description=N_("告知案件编号；每人每天最多三条"),
            extra={"section": _CHAT},
        ),
    ] = True
    wecom: Annotated[bool, msgspec.Meta(title=N_("开通企业微信"), extra={"section": _WECOM})] = (
        False
    )
    corp_id: Annotated[
        str,
        msgspec.Meta(max_length=64, pattern=_ID, title=N_("企业 ID"), extra={"section": _WECOM}),
    ] = ""
    secret: Annotated[
        SecretStr, msgspec.Meta(title=N_("应用 Secret"), extra={"section": _WECOM})
    ] = ""
    token: Annotated[SecretStr, msgspec.Meta(title=N_("回调 Token"), extra={"section": _WECOM})] = (
        ""
    )
    aes_key: Annotated[
        SecretStr,
        msgspec.Meta(
            title=N_("回调 EncodingAESKey"), description=_KEY_HINT, extra={"section": _WECOM}
        ),
    ] = ""
    mp: Annotated[bool, msgspec.Meta(title=N_("开通公众号"), extra={"section": _MP})] = False
    app_id: Annotated[
        str,
        msgspec.Meta(
            max_length=64, pattern=_ID, title=N_("开发者 ID（AppID）"), extra={"section": _MP}
        ),
    ] = ""
    app_secret: Annotated[
        SecretStr, msgspec.Meta(title=N_("开发者密码（AppSecret）"), extra={"section": _MP})
    ] = ""
    mp_token: Annotated[
        SecretStr, msgspec.Meta(title=N_("令牌（Token）"), extra={"section": _MP})
    ] = ""
    mp_aes_key: Annotated[
        SecretStr,
        msgspec.Meta(
            title=N_("消息加解密密钥（EncodingAESKey）"), description=_KEY_HINT,
            extra={"section": _MP},
        ),
    ] = ""  # fmt: skip
    robot_wecom: Annotated[
        SecretStr,
        msgspec.Meta(
            title=N_("企业微信群机器人地址"),
            description=N_("以 https://qyapi.weixin.qq.com/ 开头"),
            extra={"section": _ROBOTS},
        ),
    ] = ""
    robot_dingtalk: Annotated[
        SecretStr,
        msgspec.Meta(
            title=N_("钉钉群机器人地址"),
            description=N_("以 https://oapi.dingtalk.com/ 开头"),
            extra={"section": _ROBOTS},
        ),
    ] = ""
    dingtalk_secret: Annotated[
        SecretStr, msgspec.Meta(title=N_("钉钉加签密钥"), extra={"section": _ROBOTS})
    ] = ""
    robot_feishu: Annotated[
        SecretStr,
        msgspec.Meta(
            title=N_("飞书群机器人地址"),
            description=N_("以 https://open.feishu.cn/ 开头"),
            extra={"section": _ROBOTS},
        ),
    ] = ""
    feishu_secret: Annotated[
        SecretStr, msgspec.Meta(title=N_("飞书签名密钥"), extra={"section": _ROBOTS})
    ] = ""
    tell_new: Annotated[
        bool, msgspec.Meta(title=N_("有新投诉时通知"), extra={"section": _ROBOTS})
    ] = True
    tell_overdue: Annotated[
        bool, msgspec.Meta(title=N_("时限已过时通知"), extra={"section": _ROBOTS})
    ] = True
    tell_returned: Annotated[
        bool, msgspec.Meta(title=N_("文书被退回时通知"), extra={"section": _ROBOTS})
    ] = True
    tell_waiting: Annotated[
        bool, msgspec.Meta(title=N_("来件待识别时通知"), extra={"section": _ROBOTS})
    ] = True

    def __post_init__(self) -> None:
        if self.wecom and not self.corp_id:
            raise ValueError(N_("开通企业微信前，请填写企业 ID"))
        if self.mp and not self.app_id:
            raise ValueError(N_("开通公众号前，请填写开发者 ID"))
        if not all(_fits(key) for key in (self.aes_key, self.mp_aes_key)):
            raise ValueError(N_("EncodingAESKey 须为 43 个字母或数字"))
        robots = {"wecom": self.robot_wecom, "dingtalk": self.robot_dingtalk,
                  "feishu": self.robot_feishu}  # fmt: skip
        if not all(is_robot(robot, url) for robot, url in robots.items() if url):
            raise ValueError(N_("群机器人地址不是对应平台的地址，请从机器人设置中复制"))


def _fits(key: str) -> bool:
    """Whether this is a key, or none yet."""
    if not key:
        return True
    try:
        return len(key) == 43 and len(base64.b64decode(f"{key}=", validate=True)) == 32
    except ValueError:
        return False
