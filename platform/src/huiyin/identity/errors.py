"""What identity refuses, each with the sentence its reader gets."""

from __future__ import annotations

from huiyin.identity.policy import Role, table
from huiyin.kit.errors import Conflict, Invalid, NotFound, Refused
from huiyin.kit.i18n import N_, Message


class WrongCredentials(Invalid):
    """The same for an unknown address, a wrong password and a disabled account."""

    code = "wrong_credentials"
    default = N_("邮箱或密码不正确")

    def __init__(self) -> None:
        super().__init__({"password": Message(self.default)}, self.default)


class RolesApart(Invalid):
    """Two roles that one person may not hold together in a firm."""

    code = "roles_apart"
    default = N_("「{a}」与「{b}」不能由同一人兼任，请取消其中一项")

    def __init__(self, a: Role, b: Role) -> None:
        titles = {"a": title_of(a), "b": title_of(b)}
        message = Message(self.default, titles)
        super().__init__({"roles": message}, message)


class OwnRoles(Refused):
    """Nobody gives himself a role, or takes one from himself."""

    code = "own_roles"
    default = N_("不能变更本人的角色，请由另一位管理员办理")


class LastHolder(Conflict):
    """The firm would be left without anybody in a role it cannot do without."""

    code = "last_holder"
    default = N_("本机构只剩这一位「{role}」，请先指定接任者")

    def __init__(self, role: Role) -> None:
        super().__init__(Message(self.default, {"role": title_of(role)}))


class SecondPersonConfirms(Refused):
    """A grave appointment, or its end, holds only when somebody else confirms it."""

    code = "second_person_confirms"
    default = N_("「{role}」的任免须由另一位现任审批人或监督确认")

    def __init__(self, role: Role) -> None:
        super().__init__(Message(self.default, {"role": title_of(role)}))


class NobodyConfirms(Conflict):
    """Too few people: the appointment waits, and the sentence says for whom."""

    code = "nobody_confirms"
    default = N_("本机构没有可以确认此项任免的审批人或监督，请联系平台运营增补")


class AlreadyAsked(Conflict):
    code = "already_asked"
    default = N_("此人已有一项待确认的任免，请先等待确认或退回")


class AlreadyMember(Conflict):
    code = "already_member"
    default = N_("此人已是本机构成员，可直接调整角色")


class LinkSpent(NotFound):
    """The same for a link that never was, was used, was replaced, or is too old."""

    code = "link_spent"
    default = N_("链接已失效或已使用，请联系本机构管理员重新生成")


def title_of(role: Role) -> Message:
    """A role's name, to stand inside a sentence in the reader's language."""
    return Message(table().roles[role].title)
