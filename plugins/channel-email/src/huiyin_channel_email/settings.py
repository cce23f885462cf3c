"""What a firm decides about its mailbox."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_, SecretStr

_BOX = N_("收信方式")
_IMAP = N_("从邮箱收取（IMAP）")


class ChannelEmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How mail comes in, and what the sender is told."""

    confirm: Annotated[
        bool,
        msgspec.Meta(
            title=N_("收到补充材料后回信确认"),
            description=N_("每个地址每天最多三封，自动回复和群发邮件不回"),
            extra={"section": _BOX},
        ),
    ] = True
    messages: Annotated[
        bool,
        msgspec.Meta(
            title=N_("给投诉人的消息同时发邮件"),
            description=N_("邮件投诉的发送全文，其他渠道的只通知去查询页面查看"),
            extra={"section": _BOX},
        ),
    ] = True
    signature: Annotated[
        str,
        msgspec.Meta(
            max_length=500,
            title=N_("邮件落款"),
            description=N_("写在给投诉人的邮件末尾，例如部门、电话和地址；不填则写机构全称"),
            extra={"section": _BOX},
        ),
    ] = ""
    pull: Annotated[
        bool,
        msgspec.Meta(
            title=N_("定时从邮箱收取"),
            description=N_("已由邮件服务器直接投递的，不需要开启"),
            extra={"section": _IMAP},
        ),
    ] = False
    host: Annotated[
        str,
        msgspec.Meta(
            max_length=200, pattern=r"^([A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?)?$",
            title=N_("邮箱服务器"), description=N_("例如 imap.example.com"),
            extra={"section": _IMAP},
        ),
    ] = ""  # fmt: skip
    port: Annotated[
        int, msgspec.Meta(ge=1, le=65535, title=N_("端口"), extra={"section": _IMAP})
    ] = 993
    security: Annotated[
        Literal["tls", "starttls", "none"],
        msgspec.Meta(
            title=N_("加密"),
            extra={
                "section": _IMAP,
                "choices": {
                    "tls": N_("TLS"), "starttls": N_("STARTTLS"), "none": N_("不加密（仅限本机）"),
                },
            },
        ),
    ] = "tls"  # fmt: skip
    user: Annotated[
        str, msgspec.Meta(max_length=200, title=N_("用户名"), extra={"section": _IMAP})
    ] = ""
    password: Annotated[
        SecretStr, msgspec.Meta(title=N_("密码或授权码"), extra={"section": _IMAP})
    ] = ""
    folder: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=100, title=N_("文件夹"), extra={"section": _IMAP}),
    ] = "INBOX"
    authserv: Annotated[
        str,
        msgspec.Meta(
            max_length=200, pattern=r"^([A-Za-z0-9.\-]+( [A-Za-z0-9.\-]+)*)?$",
            title=N_("检验发件人的服务器"),
            description=N_(
                "邮箱服务器在邮件头 Authentication-Results 中写的名称，不填则一律视为未检验"
            ),
            extra={"section": _IMAP},
        ),
    ] = ""  # fmt: skip

    def __post_init__(self) -> None:
        if self.pull and not (self.host and self.user):
            raise ValueError(N_("开启收取前，请填写邮箱服务器和用户名"))
        if self.security == "none" and self.host not in {"", "localhost", "127.0.0.1", "::1"}:
            raise ValueError(N_("连接其他机器的邮箱须加密"))
