"""What this plugin refuses, each with what to do instead."""

from __future__ import annotations

from typing import ClassVar

from huiyin.sdk import N_, Conflict, Refused


class Frozen(Conflict):
    code: ClassVar[str] = "frozen"
    default: ClassVar[str] = N_("这次自查已提交，内容不能再改；需要修改的请由复核人退回")


class Changed(Conflict):
    code: ClassVar[str] = "stale_version"
    default: ClassVar[str] = N_("刚被其他人更新，您填写的内容还在，请与最新内容核对后再保存")


class NotYours(Refused):
    code: ClassVar[str] = "not_yours"
    default: ClassVar[str] = N_("这一项由 {name} 填写，如需改由您填写，请发起人重新分派")


class SecondPerson(Refused):
    """Whoever had a hand in it does not judge it."""

    code: ClassVar[str] = "second_person_required"
    default: ClassVar[str] = N_("按职责分离要求，这一步须由没有经手的同事办理")
