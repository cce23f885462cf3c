"""What can go wrong with a case, each with the status it deserves and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from huiyin.kit.errors import Conflict, Refused
from huiyin.kit.i18n import N_, Message


class MoveNotAllowed(Conflict):
    code = "move_not_allowed"
    default: ClassVar[str] = N_(
        "案件当前处于「{stage}」，不能办理「{verb}」，请刷新页面查看最新进展"
    )


class GatesUnmet(Conflict):
    """The stage cannot be left yet; ``missing`` names what is still to be done."""

    code = "gates_unmet"
    default: ClassVar[str] = N_("还有 {n} 项未完成：{items}")

    def __init__(self, missing: Sequence[Message]) -> None:
        super().__init__(self.default, n=len(missing), items=tuple(missing))
        self.missing = tuple(missing)


class SecondPersonRequired(Refused):
    """Whoever handled, investigated, drafted or is named in a case does not judge it."""

    code = "second_person_required"
    default: ClassVar[str] = N_("{name} 在本案曾任{parts}，按职责分离要求须由其他人办理")


class HadAPartBefore(SecondPersonRequired):
    """A review or a reopened case is for people who had no hand in it in an earlier round."""

    default: ClassVar[str] = N_(
        "{name} 在上一轮曾任{parts}，复核与重启的案件须由未参与办理的人员调查和审批"
    )


class NobodyLeft(Refused):
    """Too few people: the action stops and says who is missing; it never approves itself."""

    code = "nobody_left"
    default: ClassVar[str] = N_(
        "本机构没有可办理此步骤的{role}，请由租户管理员增补人员或申请外部审批"
    )


class KeyReused(Conflict):
    """The same idempotency key with another body."""

    status = 422
    code = "idempotency_key_reused"
    default: ClassVar[str] = N_("同一个 Idempotency-Key 已用于另一份内容，请换用新的键")
