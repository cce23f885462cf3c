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
from huiyin_scoring_incentive.controllers import ScoringIncentiveController
from huiyin_scoring_incentive.settings import ScoringIncentiveSettings

MANIFEST = Manifest(
    title=N_("scoring_incentive 插件"),
    summary=N_("请用一句话写明本插件做什么"),
    kind=Kind.SCORING,
    settings=ScoringIncentiveSettings,
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (PluginRoutes(area=Area.STAFF, handlers=(ScoringIncentiveController,)),)


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem("", "/w/x/scoring-incentive", "book", MANIFEST.title, "case.read"),)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    if not case.is_open:
        return None
    days = ctx.settings(ScoringIncentiveSettings).days
    return Panel(Message(MANIFEST.title), ctx.render("scoring_incentive/panel.html", days=days))
