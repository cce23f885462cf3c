"""What forms and programs send."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_, Role
from huiyin_checklist_regulatory.terms import (
    Answer,
    RecordKind,
    RunKind,
    SampleResult,
    SectionState,
    Voucher,
)

Meta = msgspec.Meta
_Note = Annotated[str, Meta(max_length=2000, title=N_("说明"))]
_Cause = Annotated[str, Meta(max_length=20, title=N_("根因"))]
Severity = Literal["S1", "S2", "S3", "S4"]


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    pass


class RunForm(_Form, frozen=True, kw_only=True):
    """A new run."""

    title: Annotated[str, Meta(min_length=1, max_length=80, title=N_("名称"))]
    pack: Annotated[str, Meta(max_length=40, title=N_("清单包"))]
    kind: Annotated[RunKind, Meta(title=N_("方式"))] = RunKind.PERIOD
    category: Annotated[str, Meta(max_length=20, title=N_("案件类型"))] = ""
    since: Annotated[date, Meta(title=N_("起始日期"))]
    until: Annotated[date, Meta(title=N_("截止日期"))]
    due_on: Annotated[date | None, Meta(title=N_("完成日期"))] = None
    sample_size: Annotated[int, Meta(ge=0, le=100, title=N_("抽查件数"))] = 0
    seed: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9-]*$", title=N_("随机种子"))] = ""
    assignee: Annotated[uuid.UUID | None, Meta(title=N_("填写人"))] = None


class AnswerForm(_Form, frozen=True, kw_only=True):
    answer: Annotated[Answer, Meta(title=N_("检查结论"))]
    note: _Note = ""
    seen: Annotated[int, Meta(ge=0, le=1_000_000, title=N_("版本"))] = 0


class AssignForm(_Form, frozen=True, kw_only=True):
    assignee: Annotated[uuid.UUID | None, Meta(title=N_("填写人"))] = None


class FigureForm(_Form, frozen=True, kw_only=True):
    figure: Annotated[str, Meta(min_length=1, max_length=120, title=N_("系统数据"))]


class LinkForm(_Form, frozen=True, kw_only=True):
    number: Annotated[str, Meta(min_length=1, max_length=40, title=N_("案件编号"))]
    letter: Annotated[str, Meta(max_length=40, title=N_("文书编号"))] = ""
    note: _Note = ""


class SampleForm(_Form, frozen=True, kw_only=True):
    result: Annotated[SampleResult, Meta(title=N_("抽查结果"))]
    note: Annotated[str, Meta(max_length=1000, title=N_("说明"))] = ""


class ReviewForm(_Form, frozen=True, kw_only=True):
    decision: Annotated[Literal["seal", "return"], Meta(title=N_("复核结论"))]
    note: _Note = ""
    seen: Annotated[int, Meta(ge=0, le=1_000_000, title=N_("版本"))] = 0


class FindingForm(_Form, frozen=True, kw_only=True):
    title: Annotated[str, Meta(min_length=1, max_length=200, title=N_("问题"))]
    severity: Annotated[Severity, Meta(title=N_("严重程度"))]
    cause: _Cause = ""
    training: Annotated[bool, Meta(title=N_("需要培训"))] = False
    post: Annotated[Role | None, Meta(title=N_("涉及岗位"))] = None


class ActionForm(_Form, frozen=True, kw_only=True):
    title: Annotated[str, Meta(min_length=1, max_length=200, title=N_("整改措施"))]
    owner: Annotated[uuid.UUID, Meta(title=N_("责任人"))]
    due_on: Annotated[date | None, Meta(title=N_("到期日"))] = None
    workdays: Annotated[int, Meta(ge=1, le=250, title=N_("工作日"))] | None = None


class DoneForm(_Form, frozen=True, kw_only=True):
    proof: Annotated[str, Meta(min_length=1, max_length=2000, title=N_("完成情况"))]


class RetestForm(_Form, frozen=True, kw_only=True):
    result: Annotated[Literal["pass", "fail"], Meta(title=N_("复测结果"))]
    note: Annotated[str, Meta(min_length=1, max_length=2000, title=N_("复测说明"))]


class CloseForm(_Form, frozen=True, kw_only=True):
    note: Annotated[str, Meta(min_length=1, max_length=2000, title=N_("关闭说明"))]


class VouchForm(_Form, frozen=True, kw_only=True):
    kind: Annotated[Voucher, Meta(title=N_("种类"))]
    person: Annotated[str, Meta(min_length=1, max_length=80, title=N_("姓名"))]
    on: Annotated[date, Meta(title=N_("日期"))]
    source: Annotated[str, Meta(min_length=1, max_length=300, title=N_("依据"))]


class SectionForm(_Form, frozen=True, kw_only=True):
    state: Annotated[SectionState, Meta(title=N_("状态"))]
    record_kind: Annotated[RecordKind, Meta(title=N_("记录种类"))] = RecordKind.NOTE
    record_on: Annotated[date | None, Meta(title=N_("记录日期"))] = None
    record: Annotated[str, Meta(max_length=300, title=N_("记录"))] = ""
    figure: Annotated[str, Meta(max_length=120, title=N_("系统数据"))] = ""
    note: _Note = ""
