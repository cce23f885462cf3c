"""The words of surveys: triggers, ways of signing, roads, states, kinds of questions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_

PERIODIC: Final = "periodic"
TRIGGERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "case.closed": N_("案件办结后"),
        "case.answered": N_("书面答复后"),
        "case.followed_up": N_("回访完成后"),
        PERIODIC: N_("定期调查"),
    }
)


class Naming(StrEnum):
    SIGNED = "signed"
    ANONYMOUS = "anonymous"
    CHOICE = "choice"


NAMINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Naming.CHOICE.value: N_("由投资者选择"),
        Naming.SIGNED.value: N_("记名"),
        Naming.ANONYMOUS.value: N_("不记名"),
    }
)
SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {"register": N_("投资者名册"), "list": N_("导入名单")}
)
ROADS: Final[Mapping[str, str]] = MappingProxyType(
    {"mail": N_("邮件"), "letter": N_("信函"), "portal": N_("查询页")}
)


class State(StrEnum):
    """Where an invitation stands."""

    PLANNED = "planned"  # on the list of a campaign that has not begun
    WAITING = "waiting"  # to be sent or printed
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"
    ANSWERED = "answered"  # signed
    TURNED_IN = "turned_in"  # not signed; set for many at once
    EXPIRED = "expired"
    RESTING = "resting"  # was asked not long ago
    SPARED = "spared"  # not drawn, or the quota was full


STATE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        State.PLANNED.value: N_("待启动"),
        State.WAITING.value: N_("待发出"),
        State.SENT.value: N_("已发出"),
        State.UNDELIVERABLE.value: N_("未送达"),
        State.ANSWERED.value: N_("已记名作答"),
        State.TURNED_IN.value: N_("已不记名作答"),
        State.EXPIRED.value: N_("已过期"),
        State.RESTING.value: N_("间隔期内"),
        State.SPARED.value: N_("未抽中"),
    }
)
STATE_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        State.SENT.value: "accent", State.ANSWERED.value: "ok", State.TURNED_IN.value: "ok",
        State.UNDELIVERABLE.value: "bad", State.WAITING.value: "warn",
    }
)  # fmt: skip
# Those who were really asked: what a response rate is a share of.
ASKED: Final = frozenset({State.SENT, State.ANSWERED, State.TURNED_IN, State.EXPIRED})
OPEN: Final = frozenset({State.WAITING, State.SENT, State.UNDELIVERABLE})

CAMPAIGN_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"draft": N_("未启动"), "running": N_("进行中"), "ended": N_("已结束")}
)


class QuestionKind(StrEnum):
    CSAT = "csat"
    NPS = "nps"
    CES = "ces"
    SCALE = "scale"
    MATRIX = "matrix"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    DATE = "date"
    FILE = "file"


KIND_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        QuestionKind.CSAT.value: N_("满意度（五档）"),
        QuestionKind.NPS.value: N_("推荐意愿（0–10）"),
        QuestionKind.CES.value: N_("费力程度（1–7）"),
        QuestionKind.SCALE.value: N_("打分（1–5）"),
        QuestionKind.MATRIX.value: N_("分项打分"),
        QuestionKind.CHOICE.value: N_("单选"),
        QuestionKind.CHOICES.value: N_("多选"),
        QuestionKind.TEXT.value: N_("文字"),
        QuestionKind.DATE.value: N_("日期"),
        QuestionKind.FILE.value: N_("文件"),
    }
)
# Lowest and highest number of the kinds that are numbers.
RANGES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        QuestionKind.CSAT.value: (1, 5),
        QuestionKind.NPS.value: (0, 10),
        QuestionKind.CES.value: (1, 7),
        QuestionKind.SCALE.value: (1, 5),
        QuestionKind.MATRIX.value: (1, 5),
    }
)
CSAT_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {5: N_("非常满意"), 4: N_("满意"), 3: N_("一般"), 2: N_("不满意"), 1: N_("很不满意")}
)
ENDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        QuestionKind.CSAT.value: (N_("很不满意"), N_("非常满意")),
        QuestionKind.NPS.value: (N_("完全不会"), N_("一定会")),
        QuestionKind.CES.value: (N_("很费力"), N_("很轻松")),
        QuestionKind.SCALE.value: (N_("很不满意"), N_("非常满意")),
        QuestionKind.MATRIX.value: (N_("很不满意"), N_("非常满意")),
    }
)
# What the text of a question may be given from the case: name in braces → what it is.
PIPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "case": N_("案件编号"),
        "product": N_("产品名称"),
        "day": N_("答复或办结日期"),
        "firm": N_("机构简称"),
    }
)
UNNAMED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "zh": {"case": "这件投诉", "product": "我们的产品", "day": "近日"},
        "en": {"case": "your complaint", "product": "our product", "day": "lately"},
    }
)
