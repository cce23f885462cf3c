"""The words of this plugin: kinds, ways, standings, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_, Role, Source

PREFIX: Final = "plugin_channel_referral__"
READ: Final = "channel_referral:read"
REGISTER: Final = "channel_referral:register"
REPLY: Final = "channel_referral:reply"
VERIFY: Final = "channel_referral:verify"
READERS: Final = frozenset(
    {Role.COMPLAINT_OFFICER, Role.INVESTIGATOR, Role.APPROVER, Role.SUPERVISOR}
)
REGISTRARS: Final = frozenset({Role.COMPLAINT_OFFICER})
REPLIERS: Final = frozenset({Role.COMPLAINT_OFFICER, Role.APPROVER})

LETTER: Final = "letter"
VISIT: Final = "visit"
TRANSFER: Final = "transfer"

# Who passes complaints on; a complainant who comes by himself is none of them.
SENDERS: Final = tuple(source for source in Source if source is not Source.DIRECT)


class Way(StrEnum):
    """How an answer to whoever passed the complaint on went out."""

    POST = "post"
    COURIER = "courier"
    SYSTEM = "system"
    EMAIL = "email"
    FAX = "fax"
    HAND = "hand"
    OTHER = "other"


WAY_TITLES: Final[Mapping[Way, str]] = MappingProxyType(
    {
        Way.POST: N_("挂号信"),
        Way.COURIER: N_("特快专递"),
        Way.SYSTEM: N_("转办系统报送"),
        Way.EMAIL: N_("电子邮件"),
        Way.FAX: N_("传真"),
        Way.HAND: N_("当面送交"),
        Way.OTHER: N_("其他方式"),
    }
)


class Relation(StrEnum):
    """On what ground somebody speaks for the complainant."""

    AGENT = "agent"
    LAWYER = "lawyer"
    GUARDIAN = "guardian"
    HEIR = "heir"


RELATION_TITLES: Final[Mapping[Relation, str]] = MappingProxyType(
    {
        Relation.AGENT: N_("代理人"),
        Relation.LAWYER: N_("律师"),
        Relation.GUARDIAN: N_("法定代理人"),
        Relation.HEIR: N_("继承人"),
    }
)


class Document(StrEnum):
    """What the authority is shown with."""

    MANDATE = "mandate"
    NOTARISED = "notarised"
    IDENTITY = "identity"
    LICENCE = "licence"
    KINSHIP = "kinship"


DOCUMENT_TITLES: Final[Mapping[Document, str]] = MappingProxyType(
    {
        Document.MANDATE: N_("授权委托书"),
        Document.NOTARISED: N_("公证书"),
        Document.IDENTITY: N_("身份证明"),
        Document.LICENCE: N_("律师执业证与所函"),
        Document.KINSHIP: N_("亲属或继承关系证明"),
    }
)


class Scope(StrEnum):
    """What the papers let an agent do."""

    SUBMIT = "submit"
    PROGRESS = "progress"
    ANSWER = "answer"
    SETTLE = "settle"


SCOPE_TITLES: Final[Mapping[Scope, str]] = MappingProxyType(
    {
        Scope.SUBMIT: N_("代为提交和补充材料"),
        Scope.PROGRESS: N_("查询办理进展"),
        Scope.ANSWER: N_("接收书面答复"),
        Scope.SETTLE: N_("协商和解、签收款项"),
    }
)


class Standing(StrEnum):
    """How an authority stands on one day."""

    PENDING = "pending"
    SECOND = "second"
    EARLY = "early"
    GOOD = "good"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REFUSED = "refused"
    ENDED = "ended"


STANDING_TITLES: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.PENDING: N_("待核实"),
        Standing.SECOND: N_("待第二人核实"),
        Standing.EARLY: N_("尚未生效"),
        Standing.GOOD: N_("已核实"),
        Standing.EXPIRING: N_("即将到期"),
        Standing.EXPIRED: N_("已过期"),
        Standing.REFUSED: N_("未通过核实"),
        Standing.ENDED: N_("已终止"),
    }
)
STANDING_TAGS: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.PENDING: "warn",
        Standing.SECOND: "warn",
        Standing.EARLY: "",
        Standing.GOOD: "ok",
        Standing.EXPIRING: "warn",
        Standing.EXPIRED: "bad",
        Standing.REFUSED: "bad",
        Standing.ENDED: "",
    }
)
# The authority can be relied on.
HOLDS: Final = frozenset({Standing.GOOD, Standing.EXPIRING})

ROAD_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "web": N_("网页"),
        "email": N_("邮件"),
        "phone": N_("电话"),
        "chat": N_("在线咨询"),
        "wecom": N_("微信"),
        LETTER: N_("信函"),
        VISIT: N_("来访"),
        TRANSFER: N_("转办"),
        "other": N_("其他"),
    }
)
