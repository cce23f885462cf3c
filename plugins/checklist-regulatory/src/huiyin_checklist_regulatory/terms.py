"""The words of self-checks, each with its title: what an answer, a source or a state may be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_


class Duty(StrEnum):
    """What an item asks: a duty with a source, a likely one, or good practice."""

    MUST = "M"
    LIKELY = "M?"
    GOOD = "G"
    UK = "M(UK)"


DUTY_TITLES: Final[Mapping[Duty, str]] = MappingProxyType(
    {
        Duty.MUST: N_("应当"),
        Duty.LIKELY: N_("可能应当"),
        Duty.GOOD: N_("良好实践"),
        Duty.UK: N_("应当（英国许可机构）"),
    }
)
DUTIES: Final = frozenset({Duty.MUST, Duty.LIKELY, Duty.UK})  # what claims force


class Force(StrEnum):
    """What kind of document a source is."""

    LAW = "L"
    REGULATION = "AR"
    RULE = "DR"
    NOTICE = "NR"
    SELF_REGULATION = "SR"
    STANDARD = "STD"
    INTERNAL = "INT"
    PRACTICE = "PR"
    UK = "UK"


FORCE_TITLES: Final[Mapping[Force, str]] = MappingProxyType(
    {
        Force.LAW: N_("法律"),
        Force.REGULATION: N_("行政法规"),
        Force.RULE: N_("部门规章"),
        Force.NOTICE: N_("规范性文件"),
        Force.SELF_REGULATION: N_("自律规则"),
        Force.STANDARD: N_("推荐性标准"),
        Force.INTERNAL: N_("公司制度"),
        Force.PRACTICE: N_("行业实践"),
        Force.UK: N_("英国监管规则"),
    }
)


class Scope(StrEnum):
    """Whom a source binds."""

    BINDS = "binds"
    CONFIRM = "confirm"
    BENCHMARK = "benchmark"
    INTERNAL = "internal"
    UK = "uk_firms"


SCOPE_TITLES: Final[Mapping[Scope, str]] = MappingProxyType(
    {
        Scope.BINDS: N_("约束私募管理人"),
        Scope.CONFIRM: N_("适用范围待确认"),
        Scope.BENCHMARK: N_("不约束，作参照"),
        Scope.INTERNAL: N_("本机构自定"),
        Scope.UK: N_("约束英国许可机构"),
    }
)


class Confidence(StrEnum):
    """How well a source is known; only ``READ`` means that somebody has read its words."""

    READ = "V"
    REPORTED = "V2"
    KNOWN = "K"
    DESIGN = "D"
    UNCERTAIN = "U"


CONFIDENCE_TITLES: Final[Mapping[Confidence, str]] = MappingProxyType(
    {
        Confidence.READ: N_("已读原文"),
        Confidence.REPORTED: N_("仅见转述"),
        Confidence.KNOWN: N_("未读原文"),
        Confidence.DESIGN: N_("平台设计"),
        Confidence.UNCERTAIN: N_("不确定"),
    }
)
# From the surest to the least sure: an item is as sure as the weakest of its sources.
SURENESS: Final = tuple(Confidence)

EVERY_SEVERITY: Final = ("S1", "S2", "S3", "S4")


class Answer(StrEnum):
    """What somebody found an item to be."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"
    UNVERIFIED = "unverified"


ANSWER_TITLES: Final[Mapping[Answer, str]] = MappingProxyType(
    {
        Answer.MET: N_("符合"),
        Answer.NOT_MET: N_("不符合"),
        Answer.NOT_APPLICABLE: N_("不适用"),
        Answer.UNVERIFIED: N_("待核实"),
    }
)


class Applies(StrEnum):
    """Whether an item concerns this firm; ``OPEN`` while a fact is not known."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


APPLIES_TITLES: Final[Mapping[Applies, str]] = MappingProxyType(
    {Applies.YES: N_("适用"), Applies.NO: N_("不适用"), Applies.OPEN: N_("待确认")}
)


class RunKind(StrEnum):
    PERIOD = "period"
    CASE_TYPE = "case_type"
    AD_HOC = "ad_hoc"


RUN_KIND_TITLES: Final[Mapping[RunKind, str]] = MappingProxyType(
    {
        RunKind.PERIOD: N_("按期间"),
        RunKind.CASE_TYPE: N_("按案件类型"),
        RunKind.AD_HOC: N_("专项"),
    }
)


class RunState(StrEnum):
    """A run is answered, then handed in, then sealed for good."""

    OPEN = "open"
    SUBMITTED = "submitted"
    SEALED = "sealed"


RUN_STATE_TITLES: Final[Mapping[RunState, str]] = MappingProxyType(
    {
        RunState.OPEN: N_("填写中"),
        RunState.SUBMITTED: N_("待复核"),
        RunState.SEALED: N_("已封存"),
    }
)


class SampleResult(StrEnum):
    PASS = "pass"  # noqa: S105 - a result, not a password
    ISSUE = "issue"


SAMPLE_TITLES: Final[Mapping[SampleResult, str]] = MappingProxyType(
    {SampleResult.PASS: N_("未见问题"), SampleResult.ISSUE: N_("有问题")}
)


class FindingState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"


FINDING_TITLES: Final[Mapping[FindingState, str]] = MappingProxyType(
    {
        FindingState.OPEN: N_("整改中"),
        FindingState.CLOSED: N_("已关闭"),
        FindingState.VOID: N_("不再成立"),
    }
)


class ActionState(StrEnum):
    OPEN = "open"
    DONE = "done"
    PASSED = "passed"


ACTION_TITLES: Final[Mapping[ActionState, str]] = MappingProxyType(
    {
        ActionState.OPEN: N_("待完成"),
        ActionState.DONE: N_("待复测"),
        ActionState.PASSED: N_("复测通过"),
    }
)


class EvidenceKind(StrEnum):
    FILE = "file"
    CASE = "case"
    LETTER = "letter"
    FIGURE = "figure"


EVIDENCE_TITLES: Final[Mapping[EvidenceKind, str]] = MappingProxyType(
    {
        EvidenceKind.FILE: N_("文件"),
        EvidenceKind.CASE: N_("案件"),
        EvidenceKind.LETTER: N_("文书"),
        EvidenceKind.FIGURE: N_("系统数据"),
    }
)


class SectionState(StrEnum):
    """How far one of the twenty sections is: running needs a record of the last six months."""

    RUNNING = "running"
    DOCUMENTED = "documented"
    MISSING = "missing"
    UNASSESSED = "unassessed"


SECTION_TITLES: Final[Mapping[SectionState, str]] = MappingProxyType(
    {
        SectionState.RUNNING: N_("已运行"),
        SectionState.DOCUMENTED: N_("仅有制度"),
        SectionState.MISSING: N_("缺失"),
        SectionState.UNASSESSED: N_("未评"),
    }
)


class RecordKind(StrEnum):
    """What shows that a section is running."""

    NOTE = "note"
    LINK = "link"
    FIGURE = "figure"


RECORD_TITLES: Final[Mapping[RecordKind, str]] = MappingProxyType(
    {
        RecordKind.NOTE: N_("有日期的记录"),
        RecordKind.LINK: N_("案件或网页"),
        RecordKind.FIGURE: N_("系统数据"),
    }
)


class Voucher(StrEnum):
    """What a person vouches for about one item's source."""

    READ = "read"
    COUNSEL = "counsel"


VOUCHER_TITLES: Final[Mapping[Voucher, str]] = MappingProxyType(
    {Voucher.READ: N_("原文核对"), Voucher.COUNSEL: N_("律师确认")}
)
