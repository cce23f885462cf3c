"""What can stand in the way of a survey, said so that somebody can go on."""

from __future__ import annotations

from huiyin.sdk import N_, Conflict, Refused


class Edited(Conflict):
    """Two people worked on one draft."""

    default = N_("问卷草稿刚被其他人修改，您填写的内容还在，请与最新内容核对后再保存")


class Resettled(Conflict):
    """Two people worked on the settings of one campaign."""

    default = N_("调查设置刚被其他人修改，您填写的内容还在，请与最新内容核对后再保存")


class NotADraft(Conflict):
    default = N_("已发布的版本不能修改，请先建立新版本")


class AlreadyStarted(Conflict):
    default = N_("调查已启动，不能再改设置或名单")


class NotRunning(Conflict):
    default = N_("调查不在进行中，请刷新页面查看最新状态")


class Concluded(Conflict):
    default = N_("这项复核已有结论，请刷新页面查看")


class HandledIt(Refused):
    """The person handled the case the survey is about."""

    default = N_("您参与过这件案件的办理，须由未参与办理的人员处理")


class HandledOne(HandledIt):
    """The answer is unsigned, and the person handled a case it may be about."""

    default = N_("您参与过这项调查所问案件的办理，不记名的回答须由未参与办理的人员复核")
