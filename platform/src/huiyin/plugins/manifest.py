"""What the platform must know about a plugin that packaging cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from huiyin.kit.i18n import N_


class Kind(StrEnum):
    """What a plugin is for; the admin page groups by it."""

    CHANNEL = "channel"
    RULES = "rules"
    EVIDENCE = "evidence"
    LETTERS = "letters"
    IMPROVEMENT = "improvement"
    COLLABORATION = "collaboration"
    SURVEY = "survey"
    RELATIONS = "relations"
    TRAINING = "training"
    CHECKLIST = "checklist"
    SCORING = "scoring"
    SUPERVISION = "supervision"
    WATCH = "watch"
    EDUCATION = "education"
    FEEDBACK = "feedback"
    RISK = "risk"
    ASSIST = "assist"


KIND_TITLES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.CHANNEL: N_("受理渠道"),
        Kind.RULES: N_("规则"),
        Kind.EVIDENCE: N_("证据"),
        Kind.LETTERS: N_("文书"),
        Kind.IMPROVEMENT: N_("持续改进"),
        Kind.COLLABORATION: N_("内部协作"),
        Kind.SURVEY: N_("满意度"),
        Kind.RELATIONS: N_("客户关系"),
        Kind.TRAINING: N_("培训"),
        Kind.CHECKLIST: N_("检查清单"),
        Kind.SCORING: N_("考核计分"),
        Kind.SUPERVISION: N_("监督检查"),
        Kind.WATCH: N_("行业观察"),
        Kind.EDUCATION: N_("投资者教育"),
        Kind.FEEDBACK: N_("意见建议"),
        Kind.RISK: N_("风险"),
        Kind.ASSIST: N_("辅助"),
    }
)


class NoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin with nothing to configure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """A column that says something about a person, why it is kept and for how many months."""

    column: str  # plugin_<name>__<table>.<column>
    purpose: str
    retention_months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The plugin in its own words.

    Its name is the entry point's; version, author and licence are the distribution's.  ``title``
    and ``summary`` are Chinese and keys of the catalogues.  ``listens`` are the kinds of events
    that reach ``on_event``.  ``default_active`` plugins work for every firm that has not switched
    them off.
    """

    title: str
    summary: str
    kind: Kind
    settings: type[msgspec.Struct] = NoSettings
    personal_data: tuple[PersonalData, ...] = ()
    listens: tuple[str, ...] = ()
    default_active: bool = False
