"""What came of it: response, results, cross tables, texts, export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from huiyin.sdk import (
    CSV,
    N_,
    XLSX,
    Desk,
    FormData,
    Message,
    NotFound,
    action,
    context_of,
    page,
    write_csv,
    write_xlsx,
)
from huiyin_survey_satisfaction import (
    campaigns,
    counting,
    crossing,
    designs,
    responses,
    results,
    reviews,
)
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.designs import Question
from huiyin_survey_satisfaction.models import Campaign, Version
from huiyin_survey_satisfaction.shown import shown, span
from huiyin_survey_satisfaction.themes import THEMES

PRODUCT: Final = "_product"


class ResultController(Controller):
    @page("/", name="survey_satisfaction:index", permission=desks.RESULTS)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        return desks.show(
            desk, "index.html", lines=results.overview(ctx, campaigns.listed(ctx)),
            reviews=reviews.open_count(ctx) if desk.actor.can(desks.REVIEW) else 0,
        )  # fmt: skip

    @page("/campaigns/{campaign:str}/response", name="survey_satisfaction:response",
          permission=desks.RESULTS)  # fmt: skip
    def response(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        ctx, found = context_of(desk), _found(desk, campaign)
        whole, groups, differs = results.response(ctx, found)
        return desks.show(
            desk, "response.html", campaign=found, whole=whole, groups=groups, differs=differs,
            waiting=counting.waiting(ctx, found.id), tab="response", rest=results.REST,
        )  # fmt: skip

    @page("/campaigns/{campaign:str}/results", name="survey_satisfaction:results",
          permission=desks.RESULTS)  # fmt: skip
    def results(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        found = campaigns.head(ctx, desks.uuid_of(campaign))
        segment = desk.request.query_params.get("product", "")[:60] or None
        counts = results.counted(ctx, found, segment)

        def worked_out() -> dict[str, Any]:
            _design, read = results.of_counts(ctx, counts)
            return {
                "read": read, "parts": shown(ctx, read.parts),
                "score_span": span(ctx, read.score, 1),
            }  # fmt: skip

        return desks.show(
            desk, "results.html", campaign=found, segment=segment or "", tab="results",
            waiting=found.waiting, worked_out=worked_out,
            key=("survey results", desk.language, desk.tenant.slug, counts),
        )  # fmt: skip

    @page("/campaigns/{campaign:str}/cross", name="survey_satisfaction:cross",
          permission=desks.RESULTS)  # fmt: skip
    def cross(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        ctx, found = context_of(desk), _found(desk, campaign)
        questions = [q for q in _design_of(desk, found).questions() if _crosses(q)]
        asked = desk.request.query_params
        across = _chosen(questions, asked.get("across", "")) or (
            questions[0] if questions else None
        )
        down = _chosen(questions, asked.get("down", ""))
        table = crossing.cross(ctx, found, across, down) if across is not None else None
        return desks.show(
            desk, "cross.html", campaign=found, questions=questions, across=across, down=down,
            table=table, tab="cross", few=results.few_of(ctx), rest=results.REST,
        )  # fmt: skip

    @page("/campaigns/{campaign:str}/texts", name="survey_satisfaction:texts",
          permission=desks.ANSWERS)  # fmt: skip
    def texts(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        ctx, found = context_of(desk), _found(desk, campaign)
        asked = desk.request.query_params
        theme = asked.get("theme", "") if asked.get("theme", "") in {*THEMES, "none"} else ""
        after = desks.uuid_of(asked["after"]) if asked.get("after") else None
        shown, more = responses.texts(ctx, found, theme=theme, after=after)
        counted = responses.themes(ctx, found)
        questions = {q.code: q for q in _design_of(desk, found).questions()}
        if shown:
            ctx.record("texts_read", found.id, {"n": len(shown)})
        return desks.show(
            desk, "texts.html", campaign=found, texts=shown, more=more, theme=theme,
            themes=THEMES, counted=counted, questions=questions, tab="texts",
        )  # fmt: skip

    @action("/campaigns/{campaign:str}/texts/{answer:str}", name="survey_satisfaction:themes",
            permission=desks.ANSWERS)  # fmt: skip
    def themes(
        self, desk: NamedDependency[Desk], campaign: FromPath[str], answer: FromPath[str],
        data: FormData,
    ) -> Response[Any]:  # fmt: skip
        ctx, found = context_of(desk), _found(desk, campaign)
        given = data.get("theme") or []
        chosen = [given] if isinstance(given, str) else list(given)
        put = responses.put_themes(ctx, desks.uuid_of(answer), chosen)
        if put.campaign_id != found.id:
            raise NotFound
        return desk.redirect(
            desks.staff(desk, f"/campaigns/{found.id}/texts"), Message(N_("主题已更新"))
        )

    @page("/files/{answer:str}", name="survey_satisfaction:file", permission=desks.ANSWERS)
    def file(self, desk: NamedDependency[Desk], answer: FromPath[str]) -> Response[Any]:
        name, content = responses.file_of(context_of(desk), desks.uuid_of(answer))
        return desk.file(content, name, "application/octet-stream")

    @page("/campaigns/{campaign:str}/export.csv", name="survey_satisfaction:export_csv",
          permission=desks.ANSWERS)  # fmt: skip
    def export_csv(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        found, heading, rows = _export(desk, campaign)
        return desk.file(write_csv(heading, rows), f"{found.title}.csv", CSV)

    @page("/campaigns/{campaign:str}/export.xlsx", name="survey_satisfaction:export_xlsx",
          permission=desks.ANSWERS)  # fmt: skip
    def export_xlsx(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        found, heading, rows = _export(desk, campaign)
        content = write_xlsx({desk._(N_("回答")): (heading, rows)})
        return desk.file(content, f"{found.title}.xlsx", XLSX)


def _found(desk: Desk, campaign: str) -> Campaign:
    return campaigns.find(context_of(desk), desks.uuid_of(campaign))


def _design_of(desk: Desk, campaign: Campaign) -> designs.Design:
    version = desk.session.get_one(Version, (desk.tenant.id, campaign.version_id))
    return designs.read(version.design)


def _crosses(question: Question) -> bool:
    return question.kind.value in designs.ASKABLE


def _chosen(questions: Iterable[Question], code: str) -> Question | None:
    return next((q for q in questions if q.code == code), None)


def _export(desk: Desk, campaign: str) -> tuple[Campaign, Any, list[Any]]:
    ctx, found = context_of(desk), _found(desk, campaign)
    heading, rows = responses.export(ctx, found)
    kept = list(rows)
    ctx.record("exported", found.id, {"rows": len(kept)})
    return found, heading, kept
