"""The lines of the staff navigation that are the core's own; plugins add theirs."""

from __future__ import annotations

from typing import Final

from huiyin.kit.i18n import N_
from huiyin.web.site import NavItem

NAVIGATION: Final = (
    NavItem("", "/w", "todo", N_("待办"), "case.read", count="todo"),
    NavItem(
        "", "/w/unaccepted", "inbox", N_("未受理"), "case.accept", count="unaccepted", hot=True
    ),
    NavItem("", "/w/arrivals", "mail", N_("来件"), "arrival.read", count="arrivals", hot=True),
    NavItem("", "/w/approvals", "stamp", N_("待我审批"), "case.approve", count="approvals"),
    NavItem("", "/w/cases", "doc", N_("全部案件"), "case.read"),
    NavItem(
        N_("视图"), "/w/views/soon", "alarm", N_("3 个工作日内到期"), "case.read", count="soon"
    ),
    NavItem(N_("视图"), "/w/views/transfers", "flag", N_("监管转办"), "case.read"),
    NavItem(N_("视图"), "/w/views/followup", "star", N_("待回访"), "case.read"),
    NavItem(N_("改进"), "/w/archive", "archive", N_("投诉档案"), "archive.read"),
    NavItem(N_("改进"), "/w/library", "book", N_("制度与时限"), "settings.read"),
    NavItem(N_("管理"), "/w/assignment", "flow", N_("分派规则"), "assignment.manage"),
    NavItem(N_("管理"), "/admin/plugins", "puzzle", N_("插件与配置"), "admin.publish"),
    NavItem(N_("管理"), "/admin/people", "people", N_("成员与角色"), "admin.people"),
    NavItem(
        N_("管理"), "/admin/grants", "people", N_("任免确认"), "people.confirm", count="grants"
    ),
    NavItem(N_("管理"), "/w/help", "help", N_("使用手册"), "home"),
    NavItem(N_("管理"), "/w/settings", "gear", N_("设置"), "settings.read"),
)
