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
from huiyin_training_records.controllers import TrainingRecordsController
from huiyin_training_records.settings import TrainingRecordsSettings

MANIFEST = Manifest(
    title=N_("training_records 插件"),
    summary=N_("请用一句话写明本插件做什么"),
    kind=Kind.TRAINING,
    settings=TrainingRecordsSettings,
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    return (PluginRoutes(area=Area.STAFF, handlers=(TrainingRecordsController,)),)


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem("", "/w/x/training-records", "book", MANIFEST.title, "case.read"),)


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    if not case.is_open:
        return None
    days = ctx.settings(TrainingRecordsSettings).days
    return Panel(Message(MANIFEST.title), ctx.render("training_records/panel.html", days=days))
