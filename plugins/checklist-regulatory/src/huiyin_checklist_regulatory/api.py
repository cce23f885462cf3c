"""Operations for programs: the same services as the pages, with a token of a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from huiyin.sdk import N_, Desk, Invalid, TenantContext, api, context_of, parse
from huiyin_checklist_regulatory import queries, report, runs, sections
from huiyin_checklist_regulatory.models import Finding, Run
from huiyin_checklist_regulatory.pages_sections import records_of
from huiyin_checklist_regulatory.permissions import ANSWER, ASSESS, READ, RUN
from huiyin_checklist_regulatory.queries import Progress
from huiyin_checklist_regulatory.schemas import AnswerForm, RunForm, SectionForm
from huiyin_checklist_regulatory.shared import asked

KEY = "Idempotency-Key"


class RunsApi(Controller):
    path = "/runs"
    tags = ["法规自查"]  # noqa: RUF012 - Litestar reads a list

    @api("GET", "/", name="checklist_regulatory:api_runs", permission=READ, summary="自查列表")
    def runs(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found = queries.runs(ctx, state=asked(desk, "state"), after=asked(desk, "after"))
        shown = found[: queries.PAGE]
        told = queries.progress(ctx, shown)
        more = queries.run_key(shown[-1]) if len(found) > queries.PAGE else ""
        rows = [_run(run, told.get(run.id, Progress())) for run in shown]
        return desk.json({"runs": rows, "next": more})

    @api("POST", "/", name="checklist_regulatory:api_begin", permission=RUN, summary="发起自查")
    def begin(self, desk: NamedDependency[Desk], body: RawBody) -> Response[Any]:
        form = parse(RunForm, _body(desk, body), strict=False)
        ctx = context_of(desk)
        run = runs.begin(ctx, form, desk.request.headers.get(KEY, ""))
        ctx.session.flush()
        return desk.json(_run(run, queries.progress(ctx, [run])[run.id]), status=201)

    @api(
        "GET", "/{run_id:uuid}", name="checklist_regulatory:api_run", permission=READ,
        summary="一次自查",
    )  # fmt: skip
    def run(self, desk: NamedDependency[Desk], run_id: FromPath[UUID]) -> Response[Any]:
        ctx = context_of(desk)
        whole = report.report_of(ctx, runs.find(ctx, run_id))
        items = [_item(ctx, whole, line) for line in whole.lines]
        return desk.json({**_run(whole.run, whole.progress), "items": items})

    @api(
        "POST", "/{run_id:uuid}/items/{position:int}/answer",
        name="checklist_regulatory:api_answer", permission=ANSWER, summary="填写一项",
    )  # fmt: skip
    def answer(
        self,
        desk: NamedDependency[Desk],
        run_id: FromPath[UUID],
        position: FromPath[int],
        body: RawBody,
    ) -> Response[Any]:
        row = runs.answer(
            context_of(desk), run_id, position, parse(AnswerForm, _body(desk, body), strict=False)
        )
        return desk.json({"item_id": row.item_id, "answer": row.answer, "rev": row.rev})


class FindingsApi(Controller):
    path = "/findings"
    tags = ["法规自查"]  # noqa: RUF012 - Litestar reads a list

    @api("GET", "/", name="checklist_regulatory:api_findings", permission=READ, summary="问题列表")
    def findings(self, desk: NamedDependency[Desk]) -> Response[Any]:
        ctx = context_of(desk)
        found = queries.findings(
            ctx, state=asked(desk, "state"), severity=asked(desk, "severity"),
            after=asked(desk, "after"),
        )  # fmt: skip
        shown = found[: queries.PAGE]
        counts = queries.action_counts(ctx, shown)
        more = queries.finding_key(shown[-1]) if len(found) > queries.PAGE else ""
        return desk.json({"findings": [_finding(f, counts.get(f.id)) for f in shown], "next": more})


class StripApi(Controller):
    path = "/sections"
    tags = ["法规自查"]  # noqa: RUF012 - Litestar reads a list

    @api("GET", "/", name="checklist_regulatory:api_strip", permission=READ, summary="二十项自评")
    def strip(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return desk.json(_strip(context_of(desk)))

    @api(
        "PUT", "/{no:int}", name="checklist_regulatory:api_assess", permission=ASSESS,
        summary="自评一项",
    )  # fmt: skip
    def assess(
        self, desk: NamedDependency[Desk], no: FromPath[int], body: RawBody
    ) -> Response[Any]:
        ctx = context_of(desk)
        sections.assess(ctx, no, parse(SectionForm, _body(desk, body), strict=False))
        ctx.session.flush()
        return desk.json(_strip(ctx))


def _body(desk: Desk, raw: bytes) -> dict[str, Any]:
    """The JSON object of a request; only ``application/json`` counts.  Raises ``Invalid``."""
    kind = desk.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Invalid({"Content-Type": N_("请以 Content-Type: application/json 提交")})
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid({"": N_("请求的格式不对，请核对后重新提交")}) from None
    if not isinstance(value, dict):
        raise Invalid({"": N_("请按接口文档提交 JSON 对象")})
    return value


def _run(run: Run, progress: Progress) -> dict[str, Any]:
    return {
        "id": run.id, "number": run.number, "title": run.title, "pack_id": run.pack_id,
        "pack_version": run.pack_version, "kind": run.kind, "since": run.since, "until": run.until,
        "state": run.state, "rev": run.rev, "seed": run.seed, "population": run.population,
        "sample_size": run.sample_size, "seal": run.seal, "submitted_at": run.submitted_at,
        "sealed_at": run.sealed_at, "total": progress.total, "answered": progress.answered,
        "met": progress.met, "not_met": progress.not_met, "unverified": progress.unverified,
        "not_applicable": progress.not_applicable,
    }  # fmt: skip


def _item(ctx: TenantContext, whole: report.Report, line: report.ItemLine) -> dict[str, Any]:
    row = line.row
    return {
        "position": row.position, "item_id": row.item_id, "text": line.view.text,
        "duty": line.view.item.duty, "citation": line.view.citation,
        "confidence": line.view.item.confidence, "verified": line.standing.verified,
        "applies": row.applies, "answer": row.answer, "rev": row.rev,
        "verdict": ctx.text(line.verdict) if line.verdict else "",
        "note": row.note if whole.full else "", "evidence": len(line.proofs),
        "finding": line.finding.number if line.finding else None,
    }  # fmt: skip


def _finding(finding: Finding, counts: tuple[int, int, Any] | None) -> dict[str, Any]:
    passed, total, due = counts or (0, 0, None)
    return {
        "id": finding.id, "number": finding.number, "title": finding.title,
        "severity": finding.severity, "cause": finding.cause, "state": finding.state,
        "run_id": finding.run_id, "raised_at": finding.raised_at, "closed_at": finding.closed_at,
        "actions_passed": passed, "actions": total, "next_due": due,
    }  # fmt: skip


def _strip(ctx: TenantContext) -> dict[str, Any]:
    cells = sections.strip(ctx)
    records = records_of(ctx, [cell.newest for cell in cells if cell.newest])
    rows = [
        {
            "no": cell.section.no, "title_zh": cell.section.title_zh,
            "title_en": cell.section.title_en, "state": cell.state, "lapsed": cell.lapsed,
            "record_on": cell.newest.record_on if cell.newest else None,
            "record": records[cell.newest.id] if cell.newest else "",
            "assessed_at": cell.newest.at if cell.newest else None,
        }
        for cell in cells
    ]  # fmt: skip
    return {"sections": rows, "tally": sections.tally(cells)}
