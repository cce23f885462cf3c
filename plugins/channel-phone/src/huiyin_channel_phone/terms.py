"""The words of the telephone desk: permissions, states, and how long what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_, Role

CHANNEL: Final = "phone"
PREFIX: Final = "plugin_channel_phone__"
PATH: Final = "/w/x/channel-phone"

DUTY: Final = "channel_phone:duty"  # see who is on duty
ROSTER: Final = "channel_phone:roster"  # arrange it
LOOK: Final = "channel_phone:look"  # see calls and call-backs
HANDLE: Final = "channel_phone:handle"  # take and make calls
IMPORT: Final = "channel_phone:import"  # bring in call records

HANDLERS: Final = frozenset({Role.COMPLAINT_OFFICER})
LOOKERS: Final = HANDLERS | {Role.APPROVER, Role.SUPERVISOR}
ARRANGERS: Final = frozenset({Role.TENANT_ADMIN, Role.COMPLAINT_OFFICER})
INSIDERS: Final = LOOKERS | ARRANGERS | {Role.INVESTIGATOR}


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Source(StrEnum):
    """Who says that there was a call."""

    FORM = "form"
    WEBHOOK = "webhook"
    IMPORT = "import"


class State(StrEnum):
    """What became of the ringing."""

    ANSWERED = "answered"
    MISSED = "missed"  # theirs, which nobody took
    UNREACHED = "unreached"  # ours, which nobody took


class Sort(StrEnum):
    """What the call was, once somebody has said so."""

    UNSORTED = "unsorted"
    COMPLAINT = "complaint"
    CASE = "case"
    ENQUIRY = "enquiry"
    NOTHING = "nothing"


class BackState(StrEnum):
    OPEN = "open"
    DONE = "done"  # we called back, or they reached us
    VOID = "void"  # somebody said why none is needed


DIRECTION_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {Direction.IN.value: N_("来电"), Direction.OUT.value: N_("去电")}
)
SOURCE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Source.FORM.value: N_("人工登记"),
        Source.WEBHOOK.value: N_("电话系统"),
        Source.IMPORT.value: N_("话单导入"),
    }
)
STATE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        State.ANSWERED.value: N_("已接通"),
        State.MISSED.value: N_("未接"),
        State.UNREACHED.value: N_("未接通"),
    }
)
SORT_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Sort.UNSORTED.value: N_("待补登"),
        Sort.COMPLAINT.value: N_("新投诉"),
        Sort.CASE.value: N_("归入案件"),
        Sort.ENQUIRY.value: N_("咨询已答复"),
        Sort.NOTHING.value: N_("无需登记"),
    }
)
BACK_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        BackState.OPEN.value: N_("待回电"),
        BackState.DONE.value: N_("已联系上"),
        BackState.VOID.value: N_("无需回电"),
    }
)
WEEKDAY_TITLES: Final = (
    N_("周一"), N_("周二"), N_("周三"), N_("周四"), N_("周五"), N_("周六"), N_("周日"),
)  # fmt: skip


class Days(StrEnum):
    """On which days a shift stands."""

    WORKDAYS = "workdays"
    RESTDAYS = "restdays"
    EVERY = "every"
    WEEKDAYS = "weekdays"


DAYS_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Days.WORKDAYS.value: N_("工作日（含补班日）"),
        Days.RESTDAYS.value: N_("休息日和节假日"),
        Days.EVERY.value: N_("每天"),
        Days.WEEKDAYS.value: N_("按星期，不看节假日"),
    }
)
OUTSIDE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nothing": N_("无人接听，也没有语音信箱"),
        "voicemail": N_("转语音信箱，留言后由值班人员回电"),
        "message": N_("播放提示语，请来电人改日再拨或使用其他渠道"),
        "forward": N_("转接外部呼叫中心"),
    }
)

# Months, by what is kept; company rules.
KEPT: Final[Mapping[str, int]] = MappingProxyType(
    {
        "calls": 36,
        "cases": 240,
        "recordings": 36,
        "imports": 6,
        "drafts": 1,
        "absences": 24,
        "days": 60,
    }
)
