"""The sentences that go out by themselves, and the names of states."""

from __future__ import annotations

from typing import Final

from huiyin.sdk import N_

WORDS: Final = {
    "filed_code": N_("您的投诉已登记，编号 {number}，查询码 {code}，凭此在 {link} 查看进度。"),
    "joined": N_("您的消息已收到，并已归入投诉 {number}，经办人会看到。"),
    "waiting": N_(
        "您的消息已收到，正在登记。如已有投诉编号，请把编号和 16 位查询码一起发来，即可归入。"
    ),
    "bound": N_("核对无误。此后您在这里发来的消息会归入投诉 {number}。"),
    "not_bound": N_("编号或查询码不正确，请核对后再发。一天内多次不正确的，请改在 {link} 查询。"),
    "letter": N_("投诉 {number} 有新的文书，请在 {link} 凭编号和查询码查看。"),
}
HERE: Final = N_("请妥善保存。后续消息直接发在这里，会归入这件投诉。")
LONGER: Final = N_("…… 全文请在 {link} 凭编号和查询码查看。")

STATES: Final = {
    "queued": N_("等待发送"),
    "sending": N_("正在发送"),
    "sent": N_("已送达平台"),
    "failed": N_("发送失败"),
    "closed": N_("不能发送"),
    "unsure": N_("不确定是否送达"),
}
BAD_STATES: Final = frozenset({"failed", "closed", "unsure"})
# outgoing.what → what it is called on the case
TITLES: Final = {
    "message": N_("回复"), "letter": N_("文书通知"),
    "filed_code": N_("登记确认"), "joined": N_("收到确认"), "waiting": N_("收到确认"),
    "bound": N_("身份确认"), "not_bound": N_("核对未通过"),
}  # fmt: skip
HOW: Final = {
    "code": N_("投诉人发来编号和查询码"),
    "officer": N_("人工确认"),
    "filed": N_("由这个会话登记"),
}
FILES: Final = {
    "waiting": N_("正在取文件"),
    "gone": N_("文件已过期或超过 20 MB，没有取到"),
    "program": N_("是程序或脚本，没有留存"),
    "kind": N_("不是所说的类型，没有留存"),
    "refused": N_("平台没有给出文件"),
    "off": N_("渠道没有开通，没有取到文件"),
    "tried": N_("多次未能取到文件"),
}
CONVERSATIONS: Final = {
    "open": N_("进行中"),
    "handed": N_("已转入来件"),
    "passed": N_("未登记"),
}
