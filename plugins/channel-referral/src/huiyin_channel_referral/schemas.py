"""What people fill in."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from huiyin.sdk import N_, IntakeType, Source
from huiyin_channel_referral.terms import Document, Relation, Scope, Way

Why = Annotated[str, Meta(max_length=2_000, title=N_("补登原因"))]


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """What it is about: a case that is known, or a new one."""

    case: Annotated[str, Meta(max_length=40, title=N_("并入已有案件"))] = ""
    intake_type: Annotated[IntakeType, Meta(title=N_("登记类型"))] = IntakeType.COMPLAINT
    story: Annotated[str, Meta(max_length=10_000, title=N_("反映的事项"))] = ""
    wish: Annotated[str, Meta(max_length=2_000, title=N_("诉求"))] = ""
    name: Annotated[str, Meta(max_length=200, title=N_("投诉人姓名"))] = ""
    phone: Annotated[str, Meta(max_length=20, pattern=r"^[0-9+\- ]*$", title=N_("手机号"))] = ""
    email: Annotated[
        str, Meta(max_length=200, pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$", title=N_("邮箱"))
    ] = ""
    anonymous: bool = False
    fund: Annotated[str, Meta(max_length=200, title=N_("产品"))] = ""
    received_at: Annotated[date, Meta(title=N_("收到日期"))]
    late_reason: Why = ""


class TransferForm(Matter, frozen=True, kw_only=True):
    source: Annotated[Source, Meta(title=N_("来源"))] = Source.HOTLINE_12386
    body: Annotated[str, Meta(max_length=100, title=N_("转办单位"))] = ""
    number: Annotated[str, Meta(max_length=100, title=N_("转办文号"))] = ""
    letter_on: Annotated[date, Meta(title=N_("落款日期"))] | None = None
    due_on: Annotated[date, Meta(title=N_("函件载明的期限"))] | None = None
    no_reply: bool = False
    contact: Annotated[str, Meta(max_length=100, title=N_("转办单位联系人"))] = ""
    note: Annotated[str, Meta(max_length=2_000, title=N_("交办要求"))] = ""
    not_same: bool = False


class DraftForm(msgspec.Struct, frozen=True, kw_only=True):
    draft: Annotated[str, Meta(max_length=10_000, title=N_("回复稿"))] = ""


class ReplyForm(msgspec.Struct, frozen=True, kw_only=True):
    replied_on: Annotated[date, Meta(title=N_("回复日期"))]
    reply_way: Annotated[Way, Meta(title=N_("送达方式"))]
    reply_number: Annotated[str, Meta(max_length=100, title=N_("回复文号"))] = ""
    reply_words: Annotated[str, Meta(min_length=4, max_length=10_000, title=N_("回复内容"))]


class ExtendForm(msgspec.Struct, frozen=True, kw_only=True):
    due_on: Annotated[date, Meta(title=N_("新的期限"))]
    granted_on: Annotated[date, Meta(title=N_("同意延期的日期"))]
    extension_number: Annotated[str, Meta(max_length=100, title=N_("延期文号"))] = ""
    reason: Annotated[str, Meta(min_length=4, max_length=1_000, title=N_("延期理由"))]


class PaperForm(Matter, frozen=True, kw_only=True):
    kind: Annotated[str, Meta(pattern="^(letter|visit)$", title=N_("方式"))] = "letter"
    came_at: Annotated[str, Meta(pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d$", title=N_("来访时间"))] = (
        ""
    )
    received_by: Annotated[uuid.UUID, Meta(title=N_("接待人"))] | None = None
    place: Annotated[str, Meta(max_length=100, title=N_("接待地点"))] = ""
    visitors: Annotated[str, Meta(max_length=500, title=N_("来访人"))] = ""
    notes: Annotated[str, Meta(max_length=2_000, title=N_("接待记录"))] = ""
    post_number: Annotated[str, Meta(max_length=100, title=N_("邮件号"))] = ""


class AgentForm(msgspec.Struct, frozen=True, kw_only=True):
    case: Annotated[str, Meta(min_length=4, max_length=40, title=N_("案件编号"))]
    name: Annotated[str, Meta(min_length=2, max_length=100, title=N_("姓名"))]
    relation: Annotated[Relation, Meta(title=N_("身份"))] = Relation.AGENT
    phone: Annotated[str, Meta(max_length=20, pattern=r"^[0-9+\- ]*$", title=N_("手机号"))] = ""
    papers: Annotated[tuple[Document, ...], Meta(title=N_("证明文件"))] = ()
    scope: Annotated[tuple[Scope, ...], Meta(title=N_("授权范围"))] = ()
    valid_from: Annotated[date, Meta(title=N_("授权起"))]
    valid_until: Annotated[date, Meta(title=N_("授权止"))] | None = None
    note: Annotated[str, Meta(max_length=2_000, title=N_("说明"))] = ""
    not_member: bool = False


class CheckForm(msgspec.Struct, frozen=True, kw_only=True):
    decision: Annotated[str, Meta(pattern="^(confirm|refuse)$", title=N_("核实结果"))]
    how: Annotated[str, Meta(min_length=4, max_length=1_000, title=N_("核实方式"))]


class EndForm(msgspec.Struct, frozen=True, kw_only=True):
    reason: Annotated[str, Meta(min_length=4, max_length=500, title=N_("终止原因"))]
