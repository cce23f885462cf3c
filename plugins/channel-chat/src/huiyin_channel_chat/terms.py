"""Tables of this plugin: topics, words that sound like a complaint, limits, permissions, roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from huiyin.sdk import N_, IntakeType, Role, Throttle

CHANNEL: Final = "chat"
SEAL: Final = "channel_chat.talk"

TALK: Final = "channel_chat:talk"
SEE: Final = "channel_chat:see"
RATINGS: Final = "channel_chat:ratings"
CANNED: Final = "channel_chat:canned"
TALKERS: Final = frozenset({Role.COMPLAINT_OFFICER})
SEERS: Final = frozenset({Role.COMPLAINT_OFFICER, Role.APPROVER, Role.SUPERVISOR})
RATERS: Final = frozenset({Role.APPROVER, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True)
class Topic:
    """What somebody comes for.  ``grave`` ones are not let go without a decision."""

    title: str
    hint: str
    intake_type: IntakeType
    grave: bool


TOPICS: Final = MappingProxyType(
    {
        "complaint": Topic(
            N_("对产品或服务不满意"), N_("可在对话中转为正式投诉"), IntakeType.COMPLAINT, True
        ),
        "progress": Topic(
            N_("询问已提交的投诉"), N_("凭编号和查询码可直接接续原来的投诉"),
            IntakeType.COMPLAINT, True,
        ),
        "question": Topic(
            N_("咨询业务"), N_("例如申购、赎回、信息披露"), IntakeType.ENQUIRY, False
        ),
    }
)  # fmt: skip

# Said in a talk about anything else, these still keep it from being let go.
GRAVE_WORDS: Final = (
    "投诉", "举报", "赔偿", "维权", "欺骗", "误导", "违规", "12386", "证监", "协会", "起诉",
    "仲裁", "complain", "compensat", "mislead", "lawsuit",
)  # fmt: skip

LONGEST: Final = 2000  # characters of a message
AFTER: Final = timedelta(hours=24)  # how long an ended talk can be looked at again
WAY_BACK: Final = timedelta(days=30)  # no browser holds a talk longer
TRIES: Final = Throttle("channel_chat.code", 5, 15 * 60)  # firm and network
BEGINNINGS: Final = Throttle(
    "channel_chat.begin", 120, 3600
)  # firm and network, which may be a provider's
UPLOADS: Final = Throttle("channel_chat.files", 60, 3600)  # firm and network
FILE_LIMIT: Final = 30 * 1024 * 1024
FILES: Final = 20  # from one side of one talk
BODY_LIMIT: Final = FILE_LIMIT + 64 * 1024
PRESENT: Final = timedelta(minutes=15)  # without a sign of life nobody counts as available
KEPT_MONTHS: Final = 24  # for what became no case
DIGITS: Final = 16
