"""Pages on which a campaign is set up, begun and ended."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    CSV,
    N_,
    Desk,
    Form,
    FormData,
    Invalid,
    Message,
    UploadData,
    action,
    can_mail,
    context_of,
    defaults,
    or_again,
    page,
    parse,
)
from huiyin_survey_satisfaction import (
    campaigns,
    counting,
    importing,
    questionnaires,
    results,
    tasks,
)
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.campaigns import CampaignForm
from huiyin_survey_satisfaction.models import Campaign, Version

MEGABYTES_10 = 10 * 1024 * 1024


class CampaignController(Controller):
    path = "/campaigns"

    @page("/new", name="survey_satisfaction:campaign_new", permission=desks.MANAGE)
    def new(self, desk: NamedDependency[Desk]) -> Response[Any]:
        chosen = desk.request.query_params.get("questionnaire", "")[:40]
        return _form(desk, defaults(CampaignForm, questionnaire=chosen))

    @action("/new", name="survey_satisfaction:campaign_create", permission=desks.MANAGE)
    def create(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        def act() -> Response[Any]:
            campaign = campaigns.save(context_of(desk), parse(CampaignForm, data))
            return _to(desk, campaign, N_("调查已保存"))

        def again(form: Form, status: int) -> Response[Any]:
            return _form(desk, form, status=status)

        return or_again(desk, data, act, again)

    @page("/{campaign:str}", name="survey_satisfaction:campaign", permission=desks.MANAGE)
    def show(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        return _campaign(desk, _found(desk, campaign), Form())

    @page("/{campaign:str}/edit", name="survey_satisfaction:campaign_edit", permission=desks.MANAGE)
    def edit(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        found = _found(desk, campaign)
        return _form(desk, _filled(found), found)

    @action(
        "/{campaign:str}/edit", name="survey_satisfaction:campaign_save", permission=desks.MANAGE
    )
    def save(
        self, desk: NamedDependency[Desk], campaign: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            found = campaigns.find(ctx, desks.uuid_of(campaign), lock=True)
            seen = str(data.get("rev", ""))
            campaigns.save(ctx, parse(CampaignForm, data), found, seen=seen)
            return _to(desk, found, N_("调查已保存"))

        def again(form: Form, status: int) -> Response[Any]:
            found = _found(desk, campaign)
            if found.state != "draft":
                return _campaign(desk, found, form, status=status)
            if form.get("rev") != campaigns.mark(found):
                form.beside(_filled(found))
            return _form(desk, form, found, status=status)

        return or_again(desk, data, act, again)

    @action(
        "/{campaign:str}/start", name="survey_satisfaction:campaign_start", permission=desks.MANAGE
    )
    def start(
        self, desk: NamedDependency[Desk], campaign: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            started = campaigns.start(context_of(desk), desks.uuid_of(campaign))
            return _to(desk, started, N_("调查已启动"))

        return or_again(desk, data, act, partial(_campaign_again, desk, campaign))

    @action("/{campaign:str}/end", name="survey_satisfaction:campaign_end", permission=desks.MANAGE)
    def end(
        self, desk: NamedDependency[Desk], campaign: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ended = campaigns.end(context_of(desk), desks.uuid_of(campaign))
            return _to(desk, ended, N_("调查已结束"))

        return or_again(desk, data, act, partial(_campaign_again, desk, campaign))

    @action(
        "/{campaign:str}/newer", name="survey_satisfaction:campaign_newer", permission=desks.MANAGE
    )
    def newer(
        self, desk: NamedDependency[Desk], campaign: FromPath[str], data: FormData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            found = campaigns.find(ctx, desks.uuid_of(campaign), lock=True)
            campaigns.use_newer(ctx, found)
            return _to(desk, found, N_("此后发出的问卷使用新版本"))

        return or_again(desk, data, act, partial(_campaign_again, desk, campaign))

    # -- the list of people --------------------------------------------------------------------

    @page(
        "/{campaign:str}/list.csv",
        name="survey_satisfaction:list_template",
        permission=desks.MANAGE,
    )
    def template(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        _found(desk, campaign)
        return desk.file(importing.template(), "名单模板.csv", CSV)

    @action(
        "/{campaign:str}/list", name="survey_satisfaction:list_import", permission=desks.MANAGE,
        limit=MEGABYTES_10 + 1024 * 1024,
    )  # fmt: skip
    def take(
        self, desk: NamedDependency[Desk], campaign: FromPath[str], data: UploadData
    ) -> Response[Any]:
        def act() -> Response[Any]:
            ctx = context_of(desk)
            found = campaigns.find(ctx, desks.uuid_of(campaign), lock=True)
            upload = data.get("file")
            if not isinstance(upload, UploadFile) or not upload.filename:
                raise Invalid({"file": N_("请选择 CSV 或 XLSX 文件")})
            outcome = importing.take(ctx, found, upload.file, upload.filename)
            if outcome.wrong and data.get("do") == "errors":
                return desk.file(importing.error_file(ctx, outcome.wrong), "名单-需修改.csv", CSV)
            if outcome.wrong:
                return _campaign(desk, found, Form(), status=422, wrong=outcome.wrong)
            return _to(desk, found, N_("已导入 {n} 人"), n=outcome.taken)

        return or_again(desk, {}, act, partial(_campaign_again, desk, campaign))


def _to(desk: Desk, campaign: Campaign, said: str, **params: object) -> Response[Any]:
    return desk.redirect(desks.staff(desk, f"/campaigns/{campaign.id}"), Message(said, params))


def _found(desk: Desk, campaign: str) -> Campaign:
    return campaigns.find(context_of(desk), desks.uuid_of(campaign))


def _filled(campaign: Campaign) -> Form:
    known = {
        f.name: getattr(campaign, f.name)
        for f in msgspec.structs.fields(CampaignForm)
        if f.name != "questionnaire"
    }
    return defaults(CampaignForm, questionnaire=campaign.questionnaire_id, **known)


def _campaign_again(desk: Desk, campaign: str, form: Form, status: int) -> Response[Any]:
    return _campaign(desk, _found(desk, campaign), form, status=status)


def _form(
    desk: Desk, form: Form, campaign: Campaign | None = None, *, status: int = 200
) -> Response[Any]:
    choices = campaigns.choices(context_of(desk))
    return desks.show(
        desk, "campaign_form.html", status=status, form=form, campaign=campaign, choices=choices,
        mark=campaigns.mark(campaign) if campaign else "",
    )  # fmt: skip


def _campaign(
    desk: Desk, campaign: Campaign, form: Form, *, status: int = 200, wrong: Any = ()
) -> Response[Any]:
    ctx = context_of(desk)
    whole, _groups, _ = results.response(ctx, campaign)
    states = campaigns.states(ctx, campaign)
    return desks.show(
        desk, "campaign.html", status=status, campaign=campaign, form=form, whole=whole,
        states=states, wrong=wrong, mails=can_mail(), waiting=counting.waiting(ctx, campaign.id),
        questionnaire=questionnaires.find(ctx, campaign.questionnaire_id),
        version=ctx.session.get_one(Version, (ctx.tenant.id, campaign.version_id)),
        newer=tasks.newer_version(ctx, campaign),
    )  # fmt: skip
