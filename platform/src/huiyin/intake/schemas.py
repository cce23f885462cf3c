"""What a reader makes of raw bytes, and the words for what was found."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from huiyin.cases.schemas import Shape
from huiyin.kit.i18n import N_

_Line = Annotated[str, msgspec.Meta(max_length=1_000)]
_Text = Annotated[str, msgspec.Meta(max_length=2_000_000)]


class Nature(StrEnum):
    """Who wrote it: a person, a machine that answers by itself, or a server about our mail."""

    MESSAGE = "message"
    AUTOMATIC = "automatic"
    BULK = "bulk"
    SPAM = "spam"
    BOUNCE = "bounce"


class Verdict(StrEnum):
    """Whether a server that is believed found the sender's address to be the sender's own."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


VERDICT_TITLES: Final = {
    Verdict.PASSED: N_("检验通过"),
    Verdict.FAILED: N_("检验未通过"),
    Verdict.UNKNOWN: N_("未检验"),
}


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as the message names them; nothing of it is proven.

    ``address`` is a mail address.  ``handle`` is the road's own name of a sender who has none, such
    as an account in a chat; what the reader says here, the road must have made sure of.
    """

    name: _Line = ""
    address: _Line = ""
    handle: _Line = ""


class Bounce(msgspec.Struct, frozen=True, kw_only=True):
    """A server's report: which message, to whom, and its code such as ``5.1.1``."""

    original_id: _Line = ""
    recipient: _Line = ""
    action: _Line = ""  # failed, delayed, delivered, relayed, expanded
    status: _Line = ""


class Forwarded(msgspec.Struct, frozen=True, kw_only=True):
    """The message inside: what somebody else wrote and the sender passed on."""

    sender: Party = Party()
    subject: _Line = ""
    sent_at: datetime | None = None
    text: _Text = ""


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """What the message says that a server found about its sender; anybody can write that."""

    server: _Line
    verdict: Verdict


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the message; ``path`` is its name in the reader's folder."""

    name: _Line
    path: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,4}$")]
    size: int
    inline: bool = False


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was read.

    ``text`` is what was written this time, ``quoted`` the history below it.  ``references`` are
    the ids of earlier messages, the nearest last; ``tags`` what stood after a ``+`` in addresses
    it was sent to.  ``identity`` is the hex SHA-256 of id and decoded content, which is the same
    however often and through whatever servers the message comes.  ``vouched`` is what servers are
    said to have found about the sender, the last on the way first; only those that the road names
    as ours are believed.  ``faults`` are codes of ``FAULTS``: what could not be read, or is not as
    it should be.
    """

    sender: Party = Party()
    recipients: Annotated[tuple[_Line, ...], msgspec.Meta(max_length=500)] = ()
    tags: Annotated[tuple[_Line, ...], msgspec.Meta(max_length=50)] = ()
    message_id: _Line = ""
    references: Annotated[tuple[_Line, ...], msgspec.Meta(max_length=200)] = ()
    subject: _Line = ""
    sent_at: datetime | None = None
    text: _Text = ""
    quoted: _Text = ""
    nature: Nature = Nature.MESSAGE
    bounce: Bounce | None = None
    forwarded: Forwarded | None = None
    files: Annotated[tuple[ReadFile, ...], msgspec.Meta(max_length=200)] = ()
    identity: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    vouched: Annotated[tuple[Vouched, ...], msgspec.Meta(max_length=20)] = ()
    faults: Annotated[tuple[_Line, ...], msgspec.Meta(max_length=50)] = ()


FAULTS: Final[Mapping[str, str]] = {
    "charset": N_("部分文字的编码无法识别，可能有乱码"),
    "defects": N_("邮件格式不规范，部分内容可能缺失"),
    "several_senders": N_("发件人不止一个"),
    "no_sender": N_("没有写明发件人"),
    "too_many_files": N_("附件过多，只取出一部分，其余见原件"),
    "winmail": N_("winmail.dat 无法展开，见原件"),
    "text_cut": N_("正文过长，只显示开头，其余见原件"),
    "left_out": N_("有附件是程序或空文件，没有取出，见原件"),
    "file_missing": N_("有附件没有取到或没有留存，原件中注明了是哪些"),
    "too_large": N_("超过大小限制，没有读取"),
    "headers": N_("邮件头过长，没有读取"),
    "depth": N_("嵌套过深，没有读取"),
    "parts": N_("分段过多，没有读取"),
    "encoded_words": N_("邮件头编码过多，没有读取"),
    "addresses": N_("收件人过多，没有读取"),
    "time": N_("读取超时"),
    "memory": N_("读取时内存不足"),
    "answer": N_("读取结果过大或不完整"),
    "fault": N_("读取失败"),
}
UNREAD: Final = frozenset(
    {"too_large", "headers", "depth", "parts", "encoded_words", "addresses", "time", "memory",
     "answer", "fault"}
)  # fmt: skip

REASONS: Final[Mapping[str, str]] = {
    # why a person decides
    "unreadable": N_("无法自动读取，请下载原件查看"),
    "same_sender": N_("发件人有未办结的投诉，可能是同一事项"),
    "other_sender": N_("引用了一件投诉，但发件地址与登记的不同"),
    "unverified": N_("发件地址未通过收信服务器的检验，可能是冒名"),
    "unproven": N_("引用了投诉人先前的来信，但发件地址没有经过检验"),
    "number_named": N_("提到了案件编号，但不能确认是投诉人本人"),
    "not_open": N_("对应的投诉已经结束"),
    "same_id": N_("与先前一封邮件编号相同、内容不同"),
    "several_senders": N_("发件人不止一个，不能确认是谁"),
    "spam": N_("邮件服务器判为垃圾邮件"),
    "member": N_("发件人是本机构成员，没有转发的原件"),
    "same_handle": N_("同一账号先前来过件，可能是同一事项"),
    # why nobody does
    "automatic": N_("自动回复"),
    "bulk": N_("群发邮件"),
    "loop": N_("本机构自己发出的邮件"),
    "delivery_news": N_("投递通知"),
    "strange_bounce": N_("退信不对应本机构发出的文书"),
    "dismissed": N_("人工判定不需处理"),
    # how it got where it is
    "token": N_("回复地址中的标记与投诉人一致"),
    "thread": N_("回复了本机构的来信，发件人与投诉人一致"),
    "earlier": N_("接续投诉人先前的来信，发件地址已通过检验"),
    "bound": N_("渠道账号已确认属于投诉人"),
    "new": N_("没有找到相关的投诉"),
    "decided": N_("人工判定"),
    "overdue": N_("超过一个工作日未识别，自动登记"),
    "bounced": N_("对方服务器退回"),
}


class SettleForm(Shape, frozen=True, kw_only=True):
    """Where a person puts an arrival: a new case, a case there is, or nowhere."""

    to: Annotated[str, msgspec.Meta(pattern="^(new|case|nothing)$", title=N_("去向"))]
    number: Annotated[str, msgspec.Meta(max_length=40, title=N_("案件编号"))] = ""
    reason: Annotated[str, msgspec.Meta(max_length=500, title=N_("理由"))] = ""
    # What a person read in an original that could not be read by itself.
    words: Annotated[str, msgspec.Meta(max_length=10_000, title=N_("来件内容"))] = ""
    address: Annotated[
        str,
        msgspec.Meta(
            max_length=200, pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", title=N_("发件邮箱")
        ),
    ] = ""


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel hands over: bytes, the road's own key for this delivery, and the envelope.

    ``envelope`` holds short texts only, such as ``{"from": …, "to": …}``.  A road that knows its
    senders for certain says so here: ``case`` is the number of the case whose complainant this
    one is, ``member`` is not empty if it is one of the firm's own people, ``handle`` is the
    sender's should nothing be readable.  ``checked_by`` names the servers, parted by blanks, whose
    word about the sender (``Reading.vouched``) is believed on this road.
    """

    channel: str
    data: bytes
    key: str = ""  # of the delivery; the bytes' own hash if the road has none
    envelope: Mapping[str, str] = {}
    received_at: datetime | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What may be acknowledged once the transaction has committed."""

    id: uuid.UUID
    fresh: bool  # False when this delivery was here before


def plain(reading: Reading) -> dict[str, Any]:
    """The reading as the row keeps it."""
    kept: dict[str, Any] = msgspec.to_builtins(reading)
    return kept
