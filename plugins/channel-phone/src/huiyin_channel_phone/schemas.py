"""Forms and messages: bounds and titles, nothing else."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_

Meta = msgspec.Meta
Number = Annotated[str, Meta(max_length=40, title=N_("电话号码"))]
Email = Annotated[
    str, Meta(max_length=200, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", title=N_("邮箱"))
]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Reason = Annotated[str, Meta(min_length=4, max_length=500, title=N_("理由"))]


class PostForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, Meta(min_length=2, max_length=40, title=N_("岗位名称"))]
    line: Annotated[str, Meta(max_length=40, title=N_("对外号码"))] = ""
    outside: Annotated[
        Literal["nothing", "voicemail", "message", "forward"], Meta(title=N_("无人值班时"))
    ] = "nothing"
    outside_note: Annotated[str, Meta(max_length=200, title=N_("补充说明"))] = ""
    retired: Annotated[bool, Meta(title=N_("停用"))] = False


class ShiftForm(msgspec.Struct, frozen=True, kw_only=True):
    title: Annotated[str, Meta(min_length=1, max_length=40, title=N_("班次名称"))]
    days: Annotated[
        Literal["workdays", "restdays", "every", "weekdays"], Meta(title=N_("哪些日子"))
    ] = "workdays"
    weekdays: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=6)], ...], Meta(max_length=7, title=N_("星期"))
    ] = ()
    begins: Annotated[Clock, Meta(title=N_("开始时间"))] = "09:00"
    ends: Annotated[Clock, Meta(title=N_("结束时间"))] = "17:30"
    first_on: Annotated[date, Meta(title=N_("起始日期"))]
    last_on: Annotated[date | None, Meta(title=N_("截止日期"))] = None
    person: Annotated[uuid.UUID, Meta(title=N_("值班人员"))]
    deputies: Annotated[
        tuple[uuid.UUID, ...], Meta(max_length=5, title=N_("替班人员"))
    ] = ()  # fmt: skip


class AbsenceForm(msgspec.Struct, frozen=True, kw_only=True):
    account_id: Annotated[uuid.UUID, Meta(title=N_("人员"))]
    first_on: Annotated[date, Meta(title=N_("起始日期"))]
    last_on: Annotated[date, Meta(title=N_("截止日期"))]


class BeginForm(msgspec.Struct, frozen=True, kw_only=True):
    """The number first; a caller who shows none is begun with an empty one."""

    number: Number = ""
    direction: Annotated[Literal["in", "out"], Meta(title=N_("方向"))] = "in"
    case: Annotated[str, Meta(max_length=40, title=N_("案件编号"))] = ""


class CallForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down while talking."""

    number: Number = ""
    started_at: Annotated[datetime | None, Meta(title=N_("通话时间"))] = None
    minutes: Annotated[int, Meta(ge=0, le=600, title=N_("时长（分钟）"))] = 0
    told: Annotated[bool, Meta(title=N_("已告知录音"))] = False
    name: Annotated[str, Meta(max_length=200, title=N_("对方姓名"))] = ""
    email: Email | None = None
    fund_id: Annotated[uuid.UUID | None, Meta(title=N_("产品"))] = None
    story: Annotated[str, Meta(max_length=10_000, title=N_("通话内容"))] = ""
    wish: Annotated[str, Meta(max_length=2_000, title=N_("诉求"))] = ""
    answer: Annotated[str, Meta(max_length=5_000, title=N_("答复"))] = ""
    to: Annotated[
        str,
        Meta(
            max_length=50,
            pattern=r"^(new|enquiry|unreached|case(:[A-Z0-9-]{4,40})?)$",
            title=N_("登记为"),
        ),
    ]
    case_number: Annotated[str, Meta(max_length=40, title=N_("案件编号"))] = ""
    record: Annotated[uuid.UUID | None, Meta(title=N_("电话系统记录"))] = None


class ReasonForm(msgspec.Struct, frozen=True, kw_only=True):
    reason: Reason


class RaiseForm(msgspec.Struct, frozen=True, kw_only=True):
    story: Annotated[str, Meta(min_length=10, max_length=10_000, title=N_("反映的事项"))]
    wish: Annotated[str, Meta(max_length=2_000, title=N_("诉求"))] = ""
    email: Email | None = None
    reason: Annotated[str, Meta(min_length=4, max_length=500, title=N_("改登记的原因"))]


class JoinForm(msgspec.Struct, frozen=True, kw_only=True):
    logged: Annotated[uuid.UUID, Meta(title=N_("已登记的通话"))]


class RecordingForm(msgspec.Struct, frozen=True, kw_only=True):
    consent: Annotated[str, Meta(min_length=2, max_length=300, title=N_("录音告知情况"))]


class CallEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One finished call, as a telephone system tells it.  Times carry their zone."""

    call_id: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,64}$", title=N_("通话编号"))]
    direction: Literal["in", "out"]
    caller: Annotated[str, Meta(max_length=40)] = ""
    called: Annotated[str, Meta(max_length=40)] = ""
    started_at: Annotated[datetime, Meta(tz=True)]
    answered: bool
    seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    agent: Annotated[str, Meta(max_length=40)] = ""
