"""The whole plugin on one screen: what it is, and where it speaks up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, column, func, select, true
from sqlalchemy.dialects.postgresql import JSONB

from huiyin.sdk import (
    N_,
    Area,
    Case,
    Event,
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
    Role,
    TenantContext,
    holds_blobs,
    hookimpl,
)
from huiyin_survey_satisfaction import (
    campaigns,
    demo,
    desk,
    figures_of,
    forgetting,
    invitations,
    panels,
    sheets,
    tasks,
)
from huiyin_survey_satisfaction.api import SurveyApi
from huiyin_survey_satisfaction.campaign_pages import CampaignController
from huiyin_survey_satisfaction.designer import DesignerController
from huiyin_survey_satisfaction.invitation_pages import InvitationController
from huiyin_survey_satisfaction.models import Answer, Campaign, Sheet
from huiyin_survey_satisfaction.public import SurveyController
from huiyin_survey_satisfaction.result_pages import ResultController
from huiyin_survey_satisfaction.review_pages import ReviewController
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings
from huiyin_survey_satisfaction.wording import PERIODIC, TRIGGERS

_P: Final = "plugin_survey_satisfaction__"
_JUDGES: Final = frozenset({Role.APPROVER, Role.SUPERVISOR})

MANIFEST: Final = Manifest(
    title=N_("满意度调查"),
    summary=N_("投诉办结后和定期向投资者发问卷；办理人员不挑选对象，低分由旁人复核"),
    kind=Kind.SURVEY,
    settings=SurveySatisfactionSettings,
    personal_data=(
        PersonalData(
            column=f"{_P}invitation.name",
            purpose=N_("邀请投资者作答，到期删除"),
            retention_months=forgetting.CONTACT_MONTHS,
        ),
        PersonalData(
            column=f"{_P}invitation.email",
            purpose=N_("邀请投资者作答，到期删除"),
            retention_months=forgetting.CONTACT_MONTHS,
        ),
        PersonalData(
            column=f"{_P}answer.words",
            purpose=N_("投资者写下的意见和交来的文件，到期删除，统计数保留"),
            retention_months=forgetting.WORDS_MONTHS,
        ),
        PersonalData(
            column=f"{_P}sheet.answers",
            purpose=N_("尚未提交或尚未计入的回答，到期删除"),
            retention_months=forgetting.SHEET_MONTHS,
        ),
    ),
    listens=tuple(kind for kind in TRIGGERS if kind != PERIODIC),
)


@hookimpl
def routes() -> Sequence[PluginRoutes]:
    staff = (
        ResultController, DesignerController, CampaignController, InvitationController,
        ReviewController,
    )  # fmt: skip
    return (
        PluginRoutes(area=Area.PUBLIC, handlers=(SurveyController,), roots=("survey",)),
        PluginRoutes(area=Area.STAFF, handlers=staff),
        PluginRoutes(area=Area.API, handlers=(SurveyApi,)),
    )


@hookimpl
def navigation() -> Sequence[NavItem]:
    home = "/w/x/survey-satisfaction"
    return (
        NavItem(N_("满意度"), home, "chart", N_("满意度调查"), desk.RESULTS),
        NavItem(N_("满意度"), f"{home}/reviews", "refresh", N_("低分复核"), desk.REVIEW),
        NavItem(N_("满意度"), f"{home}/questionnaires", "doc", N_("问卷"), desk.MANAGE),
    )


@hookimpl
def permissions() -> Sequence[PluginPermission]:
    readers = _JUDGES | {Role.EXECUTIVE_VIEWER, Role.COMPLAINT_OFFICER}
    return (
        PluginPermission(desk.RESULTS, N_("查看调查结果"), readers),
        PluginPermission(desk.ANSWERS, N_("查看逐份回答"), _JUDGES),
        PluginPermission(desk.MANAGE, N_("设计问卷与开展调查"), _JUDGES),
        PluginPermission(desk.REVIEW, N_("复核低分回答"), _JUDGES),
    )


@hookimpl
def jobs() -> Sequence[PluginJob]:
    return (
        PluginJob(name=tasks.INVITE, run=tasks.invite),
        PluginJob(name=invitations.SEND, run=tasks.send, retries=20),
        PluginJob(name=tasks.REMIND, run=tasks.remind, retries=20),
        PluginJob(name=campaigns.DRAW, run=tasks.draw, timeout=600.0),
        PluginJob(name=campaigns.MARK, run=tasks.mark),
        PluginJob(name=tasks.TEND, run=tasks.tend, every=timedelta(hours=1), timeout=600.0),
        PluginJob(name=sheets.FORGET, run=forgetting.forget_bytes),
    )


@hookimpl
def figures() -> Sequence[Figure]:
    return figures_of.FIGURES


@hookimpl
def help_topics() -> Sequence[HelpTopic]:
    return (
        HelpTopic(
            "survey_satisfaction:surveys", N_("满意度调查怎样开展"),
            "survey_satisfaction/help_surveys.html", desk.RESULTS,
        ),
        HelpTopic(
            "survey_satisfaction:anonymous", N_("不记名是怎样做到的"),
            "survey_satisfaction/help_anonymous.html", desk.RESULTS,
        ),
    )  # fmt: skip


@hookimpl
def case_panels(ctx: TenantContext, case: Case) -> Panel | None:
    return panels.beside_case(ctx, case)


@hookimpl
def complainant_cards(ctx: TenantContext, case: Case) -> Panel | None:
    return panels.for_complainant(ctx, case)


@hookimpl
def preview_settings(
    ctx: TenantContext, old: SurveySatisfactionSettings, new: SurveySatisfactionSettings
) -> Sequence[Message]:
    return panels.preview(ctx, old, new)


@hookimpl
def on_event(ctx: TenantContext, event: Event) -> None:
    """A case got where a campaign asks about it: one job for each, once for each case."""
    running = ctx.session.scalars(
        select(Campaign).where(Campaign.state == "running", Campaign.trigger == event.kind)
    )
    for campaign in running:
        ctx.enqueue(
            tasks.INVITE, {"campaign": campaign.id, "case": event.object_id},
            key=f"{tasks.INVITE}:{campaign.id}:{event.object_id}",
            due_at=ctx.now() + timedelta(days=campaign.wait_days), object_id=event.object_id,
        )  # fmt: skip


@hookimpl
def demonstrate(ctx: TenantContext) -> None:
    demo.fill(ctx)


@holds_blobs
def _held() -> Select[str, str]:
    return select(Answer.blob_key, Answer.blob_sha256)


@holds_blobs
def _held_by_open_sheets() -> Select[str, str]:
    """A file handed in with a sheet that is not sent yet; other answers have no key."""
    given = func.jsonb_each(Sheet.answers).table_valued(column("value", JSONB)).lateral()
    return (
        select(given.c.value["key"].astext, given.c.value["sha256"].astext)
        .select_from(Sheet)
        .join(given, true())
        .where(Sheet.invitation_id.is_not(None))
    )
