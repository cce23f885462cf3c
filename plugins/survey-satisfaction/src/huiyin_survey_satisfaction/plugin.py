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
from huiyin_survey_satisfaction.controllers import SurveySatisfactionController
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings

MANIFEST = Manifest(
    title=N_("survey_satisfaction 插件"),
    summary=N_("请用一句话写明本插件做什么"),
    kind=Kind.SURVEY,
    settings=SurveySatisfactionSettings,
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (PluginRoutes(area=Area.STAFF, handlers=(SurveySatisfactionController,)),)


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem("", "/w/x/survey-satisfaction", "book", MANIFEST.title, "case.read"),)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    if not case.is_open:
        return None
    days = ctx.settings(SurveySatisfactionSettings).days
    return Panel(Message(MANIFEST.title), ctx.render("survey_satisfaction/panel.html", days=days))
