"""The words of training: states, kinds and origins, with what readers are told of each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_, Role

PREFIX: Final = "plugin_training_records__"

LEARN: Final = "training_records:learn"
MANAGE: Final = "training_records:manage"
READ: Final = "training_records:read"
COVERAGE: Final = "training_records:coverage"
VERIFY: Final = "training_records:verify"
CONSULT: Final = "training_records:consult"


class MaterialKind(StrEnum):
    TEXT = "text"
    PDF = "pdf"
    VIDEO = "video"
    LINK = "link"


MATERIAL_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"text": N_("文字"), "pdf": N_("PDF 文件"), "video": N_("视频文件"), "link": N_("网页链接")}
)


class QuestionKind(StrEnum):
    SINGLE = "single"
    MULTI = "multi"
    JUDGE = "judge"


QUESTION_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"single": N_("单选"), "multi": N_("多选"), "judge": N_("判断")}
)


class VersionState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


class AssignmentState(StrEnum):
    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Why somebody has to learn something."""

    POST = "post"
    CAUSE = "cause"
    FINDING = "finding"
    MANUAL = "manual"
    RENEWAL = "renewal"
    IMPORT = "import"


ORIGIN_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "post": N_("岗位要求"),
        "cause": N_("案件根因"),
        "finding": N_("检查发现"),
        "manual": N_("人工指派"),
        "renewal": N_("到期复训"),
        "import": N_("历史记录导入"),
    }
)


class Standing(StrEnum):
    """How one assignment stands on a day."""

    OPEN = "open"
    LATE = "late"
    LOCKED = "locked"
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    MISSING = "missing"


STANDING_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": N_("学习中"),
        "late": N_("已逾期"),
        "locked": N_("次数用完"),
        "valid": N_("有效"),
        "expiring": N_("即将到期"),
        "expired": N_("已过期"),
        "revoked": N_("已撤销"),
        "cancelled": N_("已取消"),
        "missing": N_("未指派"),
    }
)
# The tag each is shown in; words carry the state, the colour repeats it.
STANDING_TAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": "accent", "late": "bad", "locked": "bad", "valid": "ok", "expiring": "warn",
        "expired": "bad", "revoked": "bad", "cancelled": "", "missing": "warn",
    }
)  # fmt: skip
COUNTS_AS_VALID: Final = frozenset({Standing.VALID, Standing.EXPIRING})


class SessionState(StrEnum):
    PLANNED = "planned"
    CANCELLED = "cancelled"


class Presence(StrEnum):
    """How somebody's attendance came to be known."""

    QR = "qr"
    MANUAL = "manual"


PRESENCE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"qr": N_("扫码签到"), "manual": N_("管理员登记")}
)

EXPERT_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"trainer": N_("外部讲师"), "expert": N_("行业专家"), "counsel": N_("外部律师")}
)

ROLE_TITLES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.TENANT_ADMIN: N_("租户管理员"),
        Role.COMPLAINT_OFFICER: N_("客服专员"),
        Role.INVESTIGATOR: N_("调查员"),
        Role.APPROVER: N_("审批人"),
        Role.SUPERVISOR: N_("监督"),
        Role.EXECUTIVE_VIEWER: N_("高管查阅"),
    }
)

# Who puts questions to counsel, and may therefore be named in a privileged one.
CONSULTING: Final = frozenset(ROLE_TITLES) - {Role.EXECUTIVE_VIEWER}

# -- regulation --------------------------------------------------------------------------------


class Confidence(StrEnum):
    """How sure whoever entered it was; only counsel's tick makes an entry verified."""

    READ = "V"
    REPORTED = "V2"
    KNOWN = "K"
    UNCERTAIN = "U"


CONFIDENCE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "V": N_("已读原文"),
        "V2": N_("仅见转述"),
        "K": N_("已知未读"),
        "U": N_("尚不确定"),
    }
)
FORCE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "L": N_("法律"),
        "AR": N_("行政法规"),
        "DR": N_("部门规章"),
        "NR": N_("规范性文件"),
        "SR": N_("自律规则"),
        "STD": N_("推荐性标准"),
        "FOR": N_("境外规则"),
        "INT": N_("公司制度"),
        "NA": N_("效力待核实"),
    }
)
SCOPE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "binds": N_("约束私募管理人"),
        "benchmark": N_("不约束，仅作参照"),
        "unsure": N_("适用范围待确认"),
    }
)
STATUS_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "in_force": N_("现行"),
        "upcoming": N_("尚未生效"),
        "ended": N_("已失效"),
        "unknown": N_("状态待核实"),
    }
)

CONSULTATION_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"open": N_("待答复"), "answered": N_("已答复"), "closed": N_("已办结")}
)
