"""Forms: bounds and titles, nothing else."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_

Title = Annotated[str, msgspec.Meta(min_length=2, max_length=80, title=N_("名称"))]
Reason = Annotated[str, msgspec.Meta(min_length=4, max_length=500, title=N_("理由"))]
Https = Annotated[
    str, msgspec.Meta(max_length=500, pattern=r"^https?://[^\s]{4,}$", title=N_("网址"))
]
RoleCode = Literal[
    "tenant_admin", "complaint_officer", "investigator", "approver", "supervisor",
    "executive_viewer",
]  # fmt: skip


class CourseForm(msgspec.Struct, frozen=True, kw_only=True):
    code: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{2,20}$", max_length=20, title=N_("课程编号"))
    ]
    title: Annotated[str, msgspec.Meta(min_length=2, max_length=80, title=N_("课程名称"))]
    aim: Annotated[str, msgspec.Meta(max_length=500, title=N_("培训目标"))] = ""
    valid_months: Annotated[int, msgspec.Meta(ge=0, le=120, title=N_("有效期（月）"))] = 12
    causes: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=10)], ...],
        msgspec.Meta(max_length=40, title=N_("对应根因")),
    ] = ()
    needs_session: Annotated[bool, msgspec.Meta(title=N_("须参加现场培训"))] = False


class RulesForm(msgspec.Struct, frozen=True, kw_only=True):
    draw: Annotated[int, msgspec.Meta(ge=0, le=50, title=N_("每次抽题数"))] = 0
    pass_mark: Annotated[int, msgspec.Meta(ge=1, le=100, title=N_("及格线（%）"))] = 80
    attempts: Annotated[int, msgspec.Meta(ge=1, le=10, title=N_("测验次数"))] = 3
    statement: Annotated[str, msgspec.Meta(max_length=500, title=N_("声明文字"))] = ""
    change: Annotated[str, msgspec.Meta(max_length=200, title=N_("版本说明"))] = ""


class MaterialForm(msgspec.Struct, frozen=True, kw_only=True):
    kind: Annotated[Literal["text", "pdf", "video", "link"], msgspec.Meta(title=N_("种类"))]
    title: Annotated[str, msgspec.Meta(min_length=2, max_length=80, title=N_("材料名称"))]
    body: Annotated[str, msgspec.Meta(max_length=20_000, title=N_("正文"))] = ""
    url: Https | None = None


class QuestionForm(msgspec.Struct, frozen=True, kw_only=True):
    kind: Annotated[Literal["single", "multi", "judge"], msgspec.Meta(title=N_("题型"))]
    text: Annotated[str, msgspec.Meta(min_length=4, max_length=500, title=N_("题干"))]
    options: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, title=N_("选项"))]
    why: Annotated[str, msgspec.Meta(max_length=500, title=N_("解析"))] = ""


class RequirementForm(msgspec.Struct, frozen=True, kw_only=True):
    role: Annotated[RoleCode, msgspec.Meta(title=N_("岗位"))]
    due_days: Annotated[int, msgspec.Meta(ge=1, le=365, title=N_("完成期限（天）"))] = 30


class AssignForm(msgspec.Struct, frozen=True, kw_only=True):
    people: Annotated[
        tuple[uuid.UUID, ...], msgspec.Meta(min_length=1, max_length=500, title=N_("人员"))
    ]
    due_on: Annotated[date, msgspec.Meta(title=N_("完成期限"))]


class AttestForm(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(min_length=2, max_length=60, title=N_("本人姓名"))]
    agree: Annotated[bool, msgspec.Meta(title=N_("确认"))] = False


class MeetingForm(msgspec.Struct, frozen=True, kw_only=True):
    course: Annotated[uuid.UUID, msgspec.Meta(title=N_("课程"))]
    begins_at: Annotated[
        str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d$", title=N_("开始时间"))
    ]
    minutes: Annotated[int, msgspec.Meta(ge=15, le=600, title=N_("时长（分钟）"))] = 60
    place: Annotated[str, msgspec.Meta(min_length=2, max_length=100, title=N_("地点"))]
    trainer: Annotated[str, msgspec.Meta(min_length=3, max_length=40, title=N_("讲师"))]


class PeopleForm(msgspec.Struct, frozen=True, kw_only=True):
    people: Annotated[
        tuple[uuid.UUID, ...], msgspec.Meta(min_length=1, max_length=500, title=N_("人员"))
    ]


class ReasonForm(msgspec.Struct, frozen=True, kw_only=True):
    reason: Reason


class RecogniseForm(msgspec.Struct, frozen=True, kw_only=True):
    course: Annotated[uuid.UUID, msgspec.Meta(title=N_("课程"))]
    person: Annotated[uuid.UUID, msgspec.Meta(title=N_("人员"))]
    completed_on: Annotated[date, msgspec.Meta(title=N_("完成日期"))]
    proof: Annotated[str, msgspec.Meta(min_length=4, max_length=300, title=N_("依据"))]


class ExpertForm(msgspec.Struct, frozen=True, kw_only=True):
    kind: Annotated[Literal["trainer", "expert", "counsel"], msgspec.Meta(title=N_("身份"))]
    name: Annotated[str, msgspec.Meta(min_length=2, max_length=60, title=N_("姓名"))]
    organisation: Annotated[str, msgspec.Meta(max_length=80, title=N_("单位"))] = ""
    field: Annotated[str, msgspec.Meta(max_length=80, title=N_("专长"))] = ""
    contact: Annotated[str, msgspec.Meta(max_length=120, title=N_("联系方式"))] = ""


class InstrumentForm(msgspec.Struct, frozen=True, kw_only=True):
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{2,20}$", title=N_("编号"))]
    title: Annotated[str, msgspec.Meta(min_length=4, max_length=160, title=N_("文件名称"))]
    number: Annotated[str, msgspec.Meta(max_length=80, title=N_("文号"))] = ""
    force: Annotated[
        Literal["L", "AR", "DR", "NR", "SR", "STD", "FOR", "INT", "NA"],
        msgspec.Meta(title=N_("效力")),
    ]
    scope: Annotated[Literal["binds", "benchmark", "unsure"], msgspec.Meta(title=N_("适用"))]


class EditionForm(msgspec.Struct, frozen=True, kw_only=True):
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60, title=N_("版本名称"))]
    effective_from: Annotated[date | None, msgspec.Meta(title=N_("生效日期"))] = None
    effective_to: Annotated[date | None, msgspec.Meta(title=N_("失效日期"))] = None
    retention: Annotated[str, msgspec.Meta(max_length=300, title=N_("期限与保存"))] = ""
    confidence: Annotated[Literal["V", "V2", "K", "U"], msgspec.Meta(title=N_("把握程度"))] = "U"
    source: Annotated[str, msgspec.Meta(max_length=300, title=N_("来源"))] = ""
    articles: Annotated[str, msgspec.Meta(max_length=8000, title=N_("条款要点"))] = ""
    open_points: Annotated[str, msgspec.Meta(max_length=500, title=N_("待核实事项"))] = ""


class TickForm(msgspec.Struct, frozen=True, kw_only=True):
    source: Annotated[str, msgspec.Meta(min_length=6, max_length=300, title=N_("核对所用文本"))]


class NotesForm(msgspec.Struct, frozen=True, kw_only=True):
    notes: Annotated[str, msgspec.Meta(max_length=2000, title=N_("本机构备注"))] = ""
    seen: Annotated[str, msgspec.Meta(max_length=64)] = ""  # ``library.mark`` of the notes shown


class LinkForm(msgspec.Struct, frozen=True, kw_only=True):
    number: Annotated[str, msgspec.Meta(min_length=3, max_length=40, title=N_("案件编号"))]
    article: Annotated[str, msgspec.Meta(max_length=40, title=N_("条款"))] = ""
    note: Annotated[str, msgspec.Meta(max_length=300, title=N_("说明"))] = ""


class ConsultForm(msgspec.Struct, frozen=True, kw_only=True):
    subject: Annotated[str, msgspec.Meta(min_length=4, max_length=100, title=N_("事项"))]
    question: Annotated[str, msgspec.Meta(min_length=10, max_length=8000, title=N_("问题"))]
    expert: Annotated[uuid.UUID | None, msgspec.Meta(title=N_("受咨询人"))] = None
    due_on: Annotated[date | None, msgspec.Meta(title=N_("期望答复日"))] = None
    privileged: Annotated[bool, msgspec.Meta(title=N_("律师保密"))] = False
    people: Annotated[
        tuple[uuid.UUID, ...], msgspec.Meta(max_length=50, title=N_("可查看的人"))
    ] = ()


class ReplyForm(msgspec.Struct, frozen=True, kw_only=True):
    body: Annotated[str, msgspec.Meta(min_length=2, max_length=8000, title=N_("内容"))]
    of_expert: Annotated[bool, msgspec.Meta(title=N_("专家答复"))] = False


class CodeForm(msgspec.Struct, frozen=True, kw_only=True):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40, title=N_("证书编码"))]


class DayForm(msgspec.Struct, frozen=True, kw_only=True):
    """What an address of the API may say."""

    on: Annotated[date | None, msgspec.Meta(title=N_("日期"))] = None
