"""What people and programs send about cases: bounds and titles, nothing else."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from huiyin.cases.stages import Complexity, Finding, IntakeType, Severity, Source
from huiyin.kit.i18n import N_

Meta = msgspec.Meta

Words = Annotated[str, Meta(min_length=1, max_length=5_000, title=N_("内容"))]
Reason = Annotated[str, Meta(max_length=2_000, title=N_("理由"))]
Title = Annotated[str, Meta(min_length=2, max_length=120, title=N_("标题"))]
# msgspec bounds no decimals; ``huiyin.web.forms`` reads these two.
Money = Annotated[
    Decimal,
    Meta(title=N_("金额"), extra_json_schema={"minimum": 0, "maximum": 1_000_000_000_000}),
]
# Six digits at least: dashes alone reach nobody.
_NUMBER = r"^(?=(?:[+\- ()]*[0-9]){6})[0-9+\- ()]{6,30}$"
Phone = Annotated[str, Meta(max_length=30, pattern=_NUMBER, title=N_("手机号"))]
Email = Annotated[
    str, Meta(max_length=200, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", title=N_("邮箱"))
]
Rev = Annotated[int, Meta(ge=1, le=2**31 - 1, title=N_("版本"))]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every form and body."""


class TalkForm(Shape, frozen=True, kw_only=True):
    """The composer: an internal note, a message to the complainant, or a call."""

    mode: Annotated[str, Meta(pattern="^(note|message|call)$", title=N_("写给谁"))] = "note"
    body: Words


class MoveForm(Shape, frozen=True, kw_only=True):
    """A move between stages; ``reason`` is required by some verbs."""

    reason: Reason = ""


class AttestForm(Shape, frozen=True, kw_only=True):
    gate: Annotated[str, Meta(max_length=60, title=N_("事项"))]
    note: Annotated[str, Meta(min_length=2, max_length=2_000, title=N_("依据"))]


class FactsForm(Shape, frozen=True, kw_only=True):
    """The facts of the case that may be edited; the story itself never is."""

    title: Title
    category: Annotated[str, Meta(max_length=4, title=N_("类别"))] | None = None
    severity: Annotated[Severity, Meta(title=N_("级别"))] | None = None
    complexity: Annotated[Complexity, Meta(title=N_("繁简"))] = Complexity.SIMPLE
    fund_id: Annotated[uuid.UUID, Meta(title=N_("产品"))] | None = None
    amount: Money | None = None
    wish: Annotated[str, Meta(max_length=2_000, title=N_("诉求"))] = ""
    finding: Annotated[Finding, Meta(title=N_("调查结论"))] | None = None
    cause: Annotated[str, Meta(max_length=8, title=N_("根因"))] | None = None
    name: Annotated[str, Meta(max_length=200, title=N_("投诉人姓名"))] | None = None
    phone: Phone | None = None
    email: Email | None = None
    anonymous: bool = False


class AssignForm(Shape, frozen=True, kw_only=True):
    """Who takes over which part; history keeps the former."""

    part: Annotated[
        str, Meta(pattern="^(owner|investigator|assistant|delegate)$", title=N_("角色"))
    ]
    account_id: Annotated[uuid.UUID, Meta(title=N_("人员"))]
    reason: Reason = ""


class SubjectForm(Shape, frozen=True, kw_only=True):
    account_id: Annotated[uuid.UUID, Meta(title=N_("被投诉人"))]
    reason: Reason = ""


class RetypeForm(Shape, frozen=True, kw_only=True):
    intake_type: Annotated[IntakeType, Meta(title=N_("登记类型"))]
    reason: Reason = ""


class LowerForm(Shape, frozen=True, kw_only=True):
    severity: Annotated[Severity, Meta(title=N_("级别"))]
    reason: Reason = ""


class ExtensionForm(Shape, frozen=True, kw_only=True):
    days: Annotated[
        int, Meta(ge=1, le=365, title=N_("延长天数"), description="单位见书面答复的延期的 unit")
    ]
    reason: Reason = ""


class TaskForm(Shape, frozen=True, kw_only=True):
    title: Annotated[str, Meta(min_length=2, max_length=200, title=N_("任务"))]
    assignee_id: Annotated[uuid.UUID, Meta(title=N_("责任人"))] | None = None
    due_on: Annotated[date, Meta(title=N_("期限"))] | None = None


class RetypeAnswerForm(Shape, frozen=True, kw_only=True):
    """同意 or 不同意, the latter with its reason."""

    decision: Annotated[str, Meta(pattern="^(grant|refuse)$", title=N_("决定"))]
    reason: Reason = ""


class ProofForm(Shape, frozen=True, kw_only=True):
    proof: Annotated[str, Meta(min_length=2, max_length=2_000, title=N_("完成情况与凭证"))]


class MergeForm(Shape, frozen=True, kw_only=True):
    master: Annotated[str, Meta(min_length=4, max_length=40, title=N_("主案编号"))]
    reason: Reason = ""


class RegisterForm(Shape, frozen=True, kw_only=True):
    """登记投诉: what an officer takes down by telephone, letter or visit."""

    channel: Annotated[
        str, Meta(pattern="^(phone|letter|visit|email|other)$", title=N_("渠道"))
    ] = "phone"
    intake_type: Annotated[IntakeType, Meta(title=N_("登记类型"))] = IntakeType.COMPLAINT
    source: Annotated[Source, Meta(title=N_("来源"))] = Source.DIRECT
    transfer_number: Annotated[str, Meta(max_length=100, title=N_("转办函编号"))] = ""
    transfer_due: Annotated[date, Meta(title=N_("函件载明的期限"))] | None = None
    title: Annotated[str, Meta(max_length=120, title=N_("标题"))] = ""
    story: Annotated[str, Meta(min_length=10, max_length=10_000, title=N_("事情经过"))]
    wish: Annotated[str, Meta(max_length=2_000, title=N_("诉求"))] = ""
    name: Annotated[str, Meta(max_length=200, title=N_("投诉人姓名"))] = ""
    phone: Phone | None = None
    email: Email | None = None
    anonymous: bool = False
    fund_id: Annotated[uuid.UUID, Meta(title=N_("产品"))] | None = None
    amount: Money | None = None
    received_at: Annotated[datetime, Meta(title=N_("收到时间"))] | None = None
    late_reason: Annotated[str, Meta(max_length=2_000, title=N_("补登原因"))] = ""


class ComplaintBody(Shape, frozen=True, kw_only=True):
    """``POST /api/v1/p/{tenant}/complaints``."""

    story: Annotated[str, Meta(min_length=10, max_length=10_000, title=N_("事情经过"))]
    wish: Annotated[str, Meta(max_length=2_000, title=N_("诉求"))] = ""
    name: Annotated[str, Meta(max_length=200, title=N_("姓名"))] = ""
    phone: Phone | None = None
    email: Email | None = None
    fund: Annotated[str, Meta(max_length=200, title=N_("产品"))] = ""
