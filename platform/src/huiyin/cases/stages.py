"""The words of a case: stages, kinds of intake, severities, parts people play."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from huiyin.kit.i18n import N_


class Stage(StrEnum):
    """The nine internal stages, in order."""

    INTAKE = "intake"
    PRELIMINARY = "preliminary"
    INVESTIGATION = "investigation"
    PLAN = "plan"
    APPROVAL = "approval"
    IMPLEMENTATION = "implementation"
    RESPONSE = "response"
    FOLLOWUP = "followup"
    ARCHIVE = "archive"


STAGE_TITLES: Final[Mapping[Stage, str]] = MappingProxyType(
    {
        Stage.INTAKE: N_("受理"),
        Stage.PRELIMINARY: N_("初步调查"),
        Stage.INVESTIGATION: N_("深入调查"),
        Stage.PLAN: N_("方案制定"),
        Stage.APPROVAL: N_("审批"),
        Stage.IMPLEMENTATION: N_("实施"),
        Stage.RESPONSE: N_("反馈"),
        Stage.FOLLOWUP: N_("回访"),
        Stage.ARCHIVE: N_("归档"),
    }
)
STAGE_ORDER: Final = tuple(Stage)


def stage_number(stage: str) -> int:
    """1 for 受理 … 9 for 归档."""
    return STAGE_ORDER.index(Stage(stage)) + 1


class PublicStage(StrEnum):
    """What the complainant sees.  Approval and the kinds of investigation stay inside."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    INVESTIGATING = "investigating"
    RESOLVING = "resolving"
    ANSWERED = "answered"


PUBLIC_TITLES: Final[Mapping[PublicStage, str]] = MappingProxyType(
    {
        PublicStage.RECEIVED: N_("已收到"),
        PublicStage.ACCEPTED: N_("已受理"),
        PublicStage.INVESTIGATING: N_("调查中"),
        PublicStage.RESOLVING: N_("处理方案"),
        PublicStage.ANSWERED: N_("书面答复与回访"),
    }
)
PUBLIC_OF: Final[Mapping[Stage, PublicStage]] = MappingProxyType(
    {
        Stage.INTAKE: PublicStage.RECEIVED,
        Stage.PRELIMINARY: PublicStage.INVESTIGATING,
        Stage.INVESTIGATION: PublicStage.INVESTIGATING,
        Stage.PLAN: PublicStage.RESOLVING,
        Stage.APPROVAL: PublicStage.RESOLVING,
        Stage.IMPLEMENTATION: PublicStage.RESOLVING,
        Stage.RESPONSE: PublicStage.ANSWERED,
        Stage.FOLLOWUP: PublicStage.ANSWERED,
        Stage.ARCHIVE: PublicStage.ANSWERED,
    }
)


class CaseState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a case ended."""

    ARCHIVED = "archived"
    SUMMARY = "summary"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"
    MERGED = "merged"


OUTCOME_TITLES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.ARCHIVED: N_("已归档"),
        Outcome.SUMMARY: N_("简易办结"),
        Outcome.DECLINED: N_("不予受理"),
        Outcome.WITHDRAWN: N_("已撤回"),
        Outcome.TRANSFERRED: N_("已转出"),
        Outcome.MERGED: N_("已并案"),
    }
)


# Endings of a case that was carried through to an answer; what the field calls 办结.
FINISHED: Final = frozenset({Outcome.ARCHIVED, Outcome.SUMMARY})

# Endings that only the firm brings about; a withdrawal is the complainant's, or is registered.
BY_FIRM: Final = frozenset({Outcome.DECLINED, Outcome.TRANSFERRED, Outcome.MERGED})


class IntakeType(StrEnum):
    """Four doors that are never mixed."""

    COMPLAINT = "complaint"
    REPORT = "report"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"


INTAKE_TITLES: Final[Mapping[IntakeType, str]] = MappingProxyType(
    {
        IntakeType.COMPLAINT: N_("投诉"),
        IntakeType.REPORT: N_("举报"),
        IntakeType.ENQUIRY: N_("咨询"),
        IntakeType.SUGGESTION: N_("意见建议"),
    }
)


class Severity(StrEnum):
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    S4 = "S4"


SEVERITY_TITLES: Final[Mapping[Severity, str]] = MappingProxyType(
    {
        Severity.S1: N_("一般"),
        Severity.S2: N_("较重"),
        Severity.S3: N_("重大"),
        Severity.S4: N_("特别重大"),
    }
)


class Complexity(StrEnum):
    SIMPLE = "simple"
    COMPLEX = "complex"


class Finding(StrEnum):
    """What the investigation came to, for the complaint as a whole."""

    UPHELD = "upheld"
    PARTLY = "partly"
    NOT_UPHELD = "not_upheld"
    UNVERIFIABLE = "unverifiable"


FINDING_TITLES: Final[Mapping[Finding, str]] = MappingProxyType(
    {
        Finding.UPHELD: N_("成立"),
        Finding.PARTLY: N_("部分成立"),
        Finding.NOT_UPHELD: N_("不成立"),
        Finding.UNVERIFIABLE: N_("无法核实"),
    }
)


class Part(StrEnum):
    """What somebody is, or once was, in a case.  Kept for ever: duties are judged on history."""

    OWNER = "owner"
    INVESTIGATOR = "investigator"
    ASSISTANT = "assistant"
    DRAFTER = "drafter"
    DELEGATE = "delegate"
    APPROVER = "approver"
    SUPERVISOR = "supervisor"
    SUBJECT = "subject"


PART_TITLES: Final[Mapping[Part, str]] = MappingProxyType(
    {
        Part.OWNER: N_("首接负责人"),
        Part.INVESTIGATOR: N_("调查员"),
        Part.ASSISTANT: N_("协办"),
        Part.DRAFTER: N_("方案拟定"),
        Part.DELEGATE: N_("代办"),
        Part.APPROVER: N_("审批人"),
        Part.SUPERVISOR: N_("监督"),
        Part.SUBJECT: N_("被投诉人"),
    }
)

# In the facts of a case that was reviewed or opened again: when its present round began.
ROUND: Final = "round"
# Whoever ever had one of these parts judges nothing in the same case.
HANDLING: Final = frozenset(
    {Part.OWNER, Part.INVESTIGATOR, Part.ASSISTANT, Part.DRAFTER, Part.DELEGATE, Part.SUBJECT}
)


class EntryKind(StrEnum):
    NOTE = "note"  # internal
    MESSAGE_OUT = "message_out"  # to the complainant
    MESSAGE_IN = "message_in"  # from the complainant
    CALL = "call"
    EVENT = "event"  # something that was done
    MOVE = "move"  # a change of stage


class Audience(StrEnum):
    """Internal is the default; speaking to the complainant is a deliberate act."""

    INTERNAL = "internal"
    COMPLAINANT = "complainant"


class Source(StrEnum):
    DIRECT = "direct"
    HOTLINE_12386 = "12386"
    CSRC = "csrc"
    AMAC = "amac"
    COURT = "court"
    MEDIA = "media"
    DISTRIBUTOR = "distributor"
    OTHER = "other"


SOURCE_TITLES: Final[Mapping[Source, str]] = MappingProxyType(
    {
        Source.DIRECT: N_("投诉人直接提出"),
        Source.HOTLINE_12386: N_("12386 转办"),
        Source.CSRC: N_("证监局转办"),
        Source.AMAC: N_("协会转办"),
        Source.COURT: N_("法院、仲裁或调解机构"),
        Source.MEDIA: N_("媒体"),
        Source.DISTRIBUTOR: N_("代销机构转来"),
        Source.OTHER: N_("其他单位转来"),
    }
)
