"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from huiyin.sdk import (
    N_,
    Area,
    Case,
    Figure,
    HelpTopic,
    Kind,
    Manifest,
    Message,
    NavItem,
    Panel,
    PersonalData,
    PluginJob,
    PluginPermission,
    PluginRoutes,
    TenantContext,
    hookimpl,
)
from huiyin_checklist_regulatory import demo, evidence, library, purging, tasks
from huiyin_checklist_regulatory.api import FindingsApi, RunsApi, StripApi
from huiyin_checklist_regulatory.figures import FIGURES
from huiyin_checklist_regulatory.pages_findings import ActionsController, FindingsController
from huiyin_checklist_regulatory.pages_home import HomeController
from huiyin_checklist_regulatory.pages_items import EvidenceController, ItemController
from huiyin_checklist_regulatory.pages_packs import (
    FactsController,
    ImportsController,
    PacksController,
)
from huiyin_checklist_regulatory.pages_runs import RunsController
from huiyin_checklist_regulatory.pages_sections import SectionsController
from huiyin_checklist_regulatory.permissions import PERMISSIONS, READ
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings
from huiyin_checklist_regulatory.terms import RUN_STATE_TITLES

MANIFEST: Final = Manifest(
    title=N_("法规自查"),
    summary=N_("按清单自查投诉处理，附出处、证据、抽查与整改；二十项制度自评"),
    kind=Kind.CHECKLIST,
    settings=ChecklistRegulatorySettings,
    personal_data=(
        PersonalData(
            column="plugin_checklist_regulatory__item.note",
            purpose=N_("检查说明，可能提到案件中的人"),
            retention_months=purging.KEPT,
        ),
        PersonalData(
            column="plugin_checklist_regulatory__sample.note",
            purpose=N_("抽查说明，可能提到案件中的人"),
            retention_months=purging.KEPT,
        ),
        PersonalData(
            column="plugin_checklist_regulatory__item.answered_name",
            purpose=N_("检查由谁填写，用于职责分离"),
            retention_months=purging.KEPT,
        ),
        PersonalData(
            column="plugin_checklist_regulatory__action.owner_name",
            purpose=N_("整改由谁负责、由谁复测"),
            retention_months=purging.KEPT,
        ),
        PersonalData(
            column="plugin_checklist_regulatory__vouch.person",
            purpose=N_("出处由谁核对、由哪位律师确认"),
            retention_months=purging.KEPT,
        ),
    ),
)

library.shipped()  # a faulty pack of ours does not let the plugin load


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    pages = (
        HomeController, PacksController, FactsController, ImportsController, RunsController,
        ItemController, EvidenceController, FindingsController, ActionsController,
        SectionsController,
    )  # fmt: skip
    return (
        PluginRoutes(area=Area.STAFF, handlers=pages),
        PluginRoutes(area=Area.API, handlers=(RunsApi, FindingsApi, StripApi)),
    )


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    return PERMISSIONS


@hookimpl
def navigation() -> Sequence[NavItem]:
    return (NavItem(N_("改进"), "/w/x/checklist-regulatory", "checkc", MANIFEST.title, READ),)


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=tasks.REMIND, run=tasks.remind, every=timedelta(hours=6)),
        PluginJob(name=tasks.MAIL, run=tasks.mail),
        PluginJob(name=purging.PURGE, run=purging.purge, every=timedelta(days=1)),
        PluginJob(name=purging.FORGET, run=purging.forget),
    )


@hookimpl
def figures() -> Sequence[Figure]:
    return FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    folder = "checklist_regulatory"
    return (
        HelpTopic(f"{folder}:checks", N_("法规自查与整改"), f"{folder}/help_checks.html", READ),
        HelpTopic(
            f"{folder}:sections", N_("二十项自评与清单包"), f"{folder}/help_sections.html", READ
        ),
    )


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    """The self-checks that drew this case or point to it."""
    if not ctx.actor.can(READ):
        return None
    found = evidence.cases_touched(ctx, case)
    if not found:
        return None
    body = ctx.render("checklist_regulatory/panel.html", runs=found, titles=RUN_STATE_TITLES)
    return Panel(Message(MANIFEST.title), body)


@hookimpl
def preview_settings(
    ctx: TenantContext, old: ChecklistRegulatorySettings, new: ChecklistRegulatorySettings
) -> Sequence[Message]:
    return tasks.preview(ctx, old, new)


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)
