"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence

from huiyin.sdk import (
    N_,
    Area,
    Case,
    Kind,
    Manifest,
    Message,
    NavItem,
    Panel,
    PluginRoutes,
    TenantContext,
    hookimpl,
)
from huiyin_checklist_regulatory.controllers import ChecklistRegulatoryController
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings

MANIFEST = Manifest(
    title=N_("checklist_regulatory 插件"),
    summary=N_("请用一句话写明本插件做什么"),
    kind=Kind.CHECKLIST,
    settings=ChecklistRegulatorySettings,
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (PluginRoutes(area=Area.STAFF, handlers=(ChecklistRegulatoryController,)),)


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem("", "/w/x/checklist-regulatory", "book", MANIFEST.title, "case.read"),)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    if not case.is_open:
        return None
    days = ctx.settings(ChecklistRegulatorySettings).days
    return Panel(Message(MANIFEST.title), ctx.render("checklist_regulatory/panel.html", days=days))
