"""For programs: the results of a campaign, and the invitation of a case."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.sdk import N_, Desk, Invalid, api, context_of, parse
from huiyin_survey_satisfaction import campaigns, invitations, results, telling
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.invitation_pages import case_of
from huiyin_survey_satisfaction.models import Campaign, Invitation
from huiyin_survey_satisfaction.statistics import Estimate, Independence


class AskBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which campaign is to ask the complainant."""

    campaign: str


class SurveyApi(Controller):
    tags = ["满意度调查"]  # noqa: RUF012 - Litestar reads a list

    @api("GET", "/campaigns", name="survey_satisfaction:api_campaigns", permission=desks.RESULTS,
         summary="调查列表")  # fmt: skip
    def campaigns(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        lines = results.overview(ctx, campaigns.listed(ctx))
        return desk.json(
            {
                "campaigns": [
                    {
                        "id": line.campaign.id, "title": line.campaign.title,
                        "state": line.campaign.state, "trigger": line.campaign.trigger,
                        "naming": line.campaign.naming, "asked": line.asked, "answers": line.n,
                        "low": line.low, "score": line.score,
                    }
                    for line in lines
                ]
            }
        )  # fmt: skip

    @api("GET", "/campaigns/{campaign:str}/results", name="survey_satisfaction:api_results",
         permission=desks.RESULTS, summary="调查结果：数目、比例、均值与 95% 区间")  # fmt: skip
    def results(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        found = campaigns.find(ctx, desks.uuid_of(campaign))
        _, read = results.of_campaign(ctx, found)
        whole, groups, differs = results.response(ctx, found)
        return desk.json(
            {
                "campaign": found.id, "answers": read.n, "low": read.low, "few": read.few,
                "score": _estimate(read.score),
                "questions": [_part(part) for part in read.parts],
                "trend": [{"month": m, "answers": n, "score": s} for m, n, s in read.trend],
                "response": {**_group(whole), "differs": _test(differs)},
                "groups": [_group(group) for group in groups],
            }
        )  # fmt: skip

    @api("GET", "/cases/{number:str}/invitations", name="survey_satisfaction:api_invitations",
         permission=desks.MANAGE, summary="一件投诉的邀请")  # fmt: skip
    def invitations(self, desk: NamedDependency[Desk], number: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        case = case_of(desk, number)
        invitations.bar_handlers(ctx, case)
        made = invitations.of_case(ctx, case)
        return desk.json({"invitations": [_invitation(one, of) for one, of in made]})

    @api("POST", "/cases/{number:str}/invitations", name="survey_satisfaction:api_ask",
         permission=desks.MANAGE, summary="邀请一件投诉的投诉人；同一调查只邀请一次")  # fmt: skip
    def ask(
        self, desk: NamedDependency[Desk], number: FromPath[str], body: RawBody
    ) -> Response[Any]:
        ctx = context_of(desk)
        form = parse(AskBody, _object(desk, body), strict=True)
        made = invitations.ask_about(ctx, desks.uuid_of(form.campaign), case_of(desk, number))
        return desk.json(_invitation(made, campaigns.find(ctx, made.campaign_id)))


def _object(desk: Desk, raw: bytes) -> dict[str, Any]:
    kind = desk.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if kind != "application/json" or not isinstance(value, dict):
        raise Invalid({"": N_("请按接口文档提交 JSON 对象")})
    return value


def _estimate(of: Estimate | None) -> dict[str, Any] | None:
    if of is None:
        return None
    kept = {"value": of.value, "low": of.low, "high": of.high}
    return {**{k: v if v == v else None for k, v in kept.items()}, "n": of.n}  # noqa: PLR0124 - not a number


def _test(of: Independence) -> dict[str, Any]:
    shown = {"statistic": of.statistic, "p": of.p}
    kept = {k: v if v == v else None for k, v in shown.items()}  # noqa: PLR0124 - not a number
    return {"test": of.test, "degrees": of.degrees, **kept}


def _part(part: results.Part) -> dict[str, Any]:
    return {
        "question": part.question.code, "item": part.item, "kind": part.question.kind.value,
        "answers": part.n, "mean": _estimate(part.mean), "nps": _estimate(part.nps),
        "values": [
            {"value": bar.value, "n": bar.n, "share": _estimate(bar.share)} for bar in part.bars
        ],
    }  # fmt: skip


def _group(group: results.Group) -> dict[str, Any]:
    return {
        "name": group.name, "asked": group.asked, "answered": group.answered,
        "undeliverable": group.undeliverable, "rate": _estimate(group.rate),
    }  # fmt: skip


def _invitation(invitation: Invitation, campaign: Campaign) -> dict[str, Any]:
    return {
        "id": invitation.id, "campaign": campaign.id, "title": campaign.title,
        "road": invitation.road, "state": telling.told(invitation, campaign),
        "sent_on": invitation.sent_on, "expires_on": invitation.expires_on,
    }  # fmt: skip
