"""Rules of assignment as data, and the forms that write them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final

import msgspec

from huiyin.kit.i18n import N_

Meta = msgspec.Meta
_Codes = Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=60)]
_Words = Annotated[str, Meta(max_length=300)]


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """When a rule speaks; an empty list asks for nothing.  All that is given must hold."""

    kinds: tuple[str, ...] = ()  # intake types
    groups: tuple[str, ...] = ()  # first letters of categories
    funds: tuple[uuid.UUID, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Wants(msgspec.Struct, frozen=True, kw_only=True):
    """Whom it looks for: these people, or whoever has every skill; all of them if it says none.

    ``speaks`` asks that they speak the complainant's language, ``on_duty`` that they are on duty.
    """

    people: tuple[uuid.UUID, ...] = ()
    skills: tuple[str, ...] = ()
    department: str = ""
    speaks: bool = False
    on_duty: bool = False


class RuleForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as the page sends it; ``skills`` are words with commas between."""

    title: Annotated[str, Meta(min_length=2, max_length=60, title=N_("规则名称"))]
    kinds: Annotated[_Codes, Meta(title=N_("登记类型"))] = []
    groups: Annotated[_Codes, Meta(title=N_("投诉类别"))] = []
    funds: Annotated[_Codes, Meta(title=N_("产品"))] = []
    languages: Annotated[_Codes, Meta(title=N_("语言"))] = []
    channels: Annotated[_Codes, Meta(title=N_("渠道"))] = []
    sources: Annotated[_Codes, Meta(title=N_("来源"))] = []
    people: Annotated[_Codes, Meta(title=N_("指定人员"))] = []
    skills: Annotated[_Words, Meta(title=N_("须具备的技能"))] = ""
    department: Annotated[str, Meta(max_length=60, title=N_("部门"))] = ""
    speaks: Annotated[bool, Meta(title=N_("须会投诉人的语言"))] = False
    on_duty: Annotated[bool, Meta(title=N_("须正在值班"))] = False
    active: Annotated[bool, Meta(title=N_("启用"))] = False

    def conditions(self) -> Conditions:
        return Conditions(
            kinds=tuple(self.kinds), groups=tuple(self.groups), funds=_ids(self.funds),
            languages=tuple(self.languages), channels=tuple(self.channels),
            sources=tuple(self.sources),
        )  # fmt: skip

    def wants(self) -> Wants:
        return Wants(
            people=_ids(self.people), skills=words(self.skills), department=self.department,
            speaks=self.speaks, on_duty=self.on_duty,
        )  # fmt: skip


class StaffForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one member can do, and when they are away."""

    skills: Annotated[_Words, Meta(title=N_("技能"))] = ""
    languages: Annotated[_Codes, Meta(title=N_("语言"))] = []
    most: Annotated[int, Meta(ge=0, le=500, title=N_("最多同时办理"))] = 0
    away_from: Annotated[date | None, Meta(title=N_("缺勤开始"))] = None
    away_until: Annotated[date | None, Meta(title=N_("缺勤结束"))] = None


def words(text: str) -> tuple[str, ...]:
    """Words between commas or blanks of either script, each once, twenty at most."""
    for mark in "，、；;\n\t　":
        text = text.replace(mark, ",")
    found = (" ".join(word.split())[:30] for word in text.split(","))
    return tuple(dict.fromkeys(word for word in found if word))[:20]


def _ids(given: list[str]) -> tuple[uuid.UUID, ...]:
    found = []
    for text in given:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return tuple(found)


# Why somebody was passed over, as the timeline tells it.
SKIPS: Final[Mapping[str, str]] = {
    "walled": N_("须回避本案"),
    "named": N_("投诉内容提到此人"),
    "away": N_("不在岗"),
    "full": N_("在办案件已达上限"),
    "skill": N_("不具备所需技能"),
    "language": N_("不会投诉人的语言"),
    "off_duty": N_("不在值班"),
    "department": N_("不在指定部门"),
}
