"""A run on paper and as a workbook: what was asked, by which source, what was found.

Readers without the right to read cases get the results without notes, cases and letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from huiyin.sdk import (
    N_,
    Cell,
    Message,
    Paper,
    PaperSection,
    PaperTable,
    Period,
    TenantContext,
    local_date,
    paper_pdf,
    today,
    write_xlsx,
)
from huiyin_checklist_regulatory import evidence, live, packs, queries, runs
from huiyin_checklist_regulatory.models import Evidence, Finding, Run, RunItem, SampleCase
from huiyin_checklist_regulatory.queries import Progress
from huiyin_checklist_regulatory.standing import UNVERIFIED, VERIFIED, Standing, standing_of
from huiyin_checklist_regulatory.terms import (
    ANSWER_TITLES,
    APPLIES_TITLES,
    EVIDENCE_TITLES,
    FINDING_TITLES,
    RUN_KIND_TITLES,
    RUN_STATE_TITLES,
    SAMPLE_TITLES,
    Answer,
    Applies,
    EvidenceKind,
    FindingState,
    RunKind,
    RunState,
    SampleResult,
)
from huiyin_checklist_regulatory.views import ItemView, why

OPEN_SET: Final = N_(
    "自查只说明检查时看到的情况；出处未核实或未经律师确认的，一律写「待核实」，不作结论。"
)
DRAWN: Final = N_("期内结束 {n} 件（含不予受理、撤回、转出与并案），抽取 {k} 件；随机种子 {seed}")
HOW: Final = N_(
    "把种子、半角冒号与案件编号连写后计算 SHA-256，按结果排序取前 {k} 件，任何人可重新抽取"
)


@dataclass(frozen=True)
class ItemLine:
    """One item of a run with all that is shown of it."""

    row: RunItem
    view: ItemView
    standing: Standing
    proofs: Sequence[Evidence]
    finding: Finding | None
    period: Period

    @property
    def verdict(self) -> Message | None:
        return self.view.verdict(
            self.row.answer, self.standing, concerns=self.row.applies, period=self.period
        )

    @property
    def source_state(self) -> str:
        return VERIFIED if self.standing.verified else UNVERIFIED


@dataclass(frozen=True)
class Report:
    """A run put together once, for the page, the paper and the workbook."""

    run: Run
    lines: Sequence[ItemLine]
    sample: Sequence[SampleCase]
    progress: Progress
    full: bool  # whether this reader may read of cases


def report_of(ctx: TenantContext, run: Run) -> Report:
    """Seven queries, whatever the run holds."""
    full = ctx.actor.can(evidence.READS_CASES)
    proofs: dict[UUID | None, list[Evidence]] = {}
    for proof in evidence.shown(ctx, evidence.of_run(ctx, run.id)):
        proofs.setdefault(proof.run_item_id, []).append(proof)
    found = queries.findings_of_run(ctx, run.id)
    vouched = packs.vouches(ctx, run.pack_id) if run.state == RunState.OPEN else {}
    imported = packs.is_imported(run.pack_id)
    lines = []
    for row in runs.items(ctx, run.id):
        view = ItemView.of_content(row.content, ctx.translator.language)
        held = (
            standing_of(view.item, vouched.get(row.item_hash, ()), imported=imported)
            if run.state == RunState.OPEN
            else Standing.of_json(row.standing)
        )
        shown = proofs.get(row.id, [])
        lines.append(ItemLine(row, view, held, shown, found.get(row.id), runs.period_of(run)))
    sample = evidence.visible_sample(ctx, run.id) if full else []
    told = queries.progress(ctx, [run]).get(run.id, Progress())
    return Report(run, lines, sample, told, full)


def pack_title(run: Run, language: str) -> str:
    return str(run.pack_title.get(language) or run.pack_title["zh"])


# -- words -------------------------------------------------------------------------------------


def _answer(ctx: TenantContext, answer: str | None) -> str:
    return ctx.text(ANSWER_TITLES[Answer(answer)]) if answer else "--"


def _proof_words(ctx: TenantContext, row: Evidence) -> str:
    kind = ctx.text(EVIDENCE_TITLES[EvidenceKind(row.kind)])
    if row.kind == EvidenceKind.FIGURE:
        return f"{kind} {_figure_words(ctx, row)}"
    named = row.title or row.number
    return f"{kind} {named}" + (f" SHA-256 {row.sha256[:12]}" if row.sha256 else "")


def _figure_words(ctx: TenantContext, row: Evidence) -> str:
    if not row.frozen:
        return f"{ctx.text(row.title)} --"
    reading = live.reading_of(row.frozen)
    if reading.problem:
        return f"{ctx.text(row.title)} -- {ctx.text(reading.problem_message)}"
    return f"{ctx.text(row.title)} {reading.shown} (n={reading.n}) {reading.since}–{reading.until}"


def _facts(ctx: TenantContext, report: Report) -> list[tuple[str, str]]:
    run, p = report.run, report.progress
    language = ctx.translator.language
    rows = [
        (ctx.text(N_("编号")), run.number),
        (ctx.text(N_("清单包")), f"{pack_title(run, language)} {run.pack_version}"),
        (ctx.text(N_("方式")), ctx.text(RUN_KIND_TITLES[RunKind(run.kind)])),
        (ctx.text(N_("期间")), f"{run.since} – {run.until}"),
        (ctx.text(N_("状态")), ctx.text(RUN_STATE_TITLES[RunState(run.state)])),
        (
            ctx.text(N_("检查结论")),
            ctx.text(
                N_("符合 {met}，不符合 {not_met}，不适用 {na}，待核实 {open}，未答 {left}"),
                met=p.met, not_met=p.not_met, na=p.not_applicable, open=p.unverified,
                left=p.total - p.answered,
            ),
        ),
        (ctx.text(N_("发起")), run.created_name),
        (ctx.text(N_("提交")), _who_when(run.submitted_name, run.submitted_at)),
        (ctx.text(N_("复核封存")), _who_when(run.reviewed_name, run.sealed_at)),
    ]  # fmt: skip
    return [*rows, ("SHA-256", run.seal)] if run.seal else rows


def _who_when(name: str, at: Any) -> str:
    return f"{name} {local_date(at)}" if at else "--"


# -- paper -------------------------------------------------------------------------------------


def pdf(ctx: TenantContext, report: Report) -> bytes:
    run, language = report.run, ctx.translator.language
    named: Any = language
    firm = ctx.tenant.name
    return paper_pdf(
        Paper(
            title=run.title, subtitle=pack_title(run, language), firm_name=firm, number=run.number,
            date=local_date(run.sealed_at) if run.sealed_at else today(), language=named,
            facts=tuple(_facts(ctx, report)), landscape=True,
            sections=_parts(ctx, report),
            footer=ctx.text(OPEN_SET),
        )
    )  # fmt: skip


def _parts(ctx: TenantContext, report: Report) -> tuple[PaperSection, ...]:
    return (_result(ctx, report), *_sample_part(ctx, report), *_finding_part(ctx, report))


def _result(ctx: TenantContext, report: Report) -> PaperSection:
    rows = []
    for line in report.lines:
        said = line.verdict
        answer = _answer(ctx, line.row.answer) + (f" · {ctx.text(said)}" if said else "")
        shown = [line.row.note] if report.full and line.row.note else []
        shown += [_proof_words(ctx, proof) for proof in line.proofs]
        source = f"{line.view.citation} · {ctx.text(line.source_state)}"
        rows.append((line.row.item_id, line.view.text, source, answer, "\n".join(shown) or "--"))
    heading = [
        ctx.text(t)
        for t in (N_("项"), N_("检查内容"), N_("出处"), N_("检查结论"), N_("说明与证据"))
    ]
    return PaperSection(
        heading=ctx.text(N_("检查结果")),
        table=PaperTable(heading=tuple(heading), rows=tuple(rows), widths=(0.5, 3, 3, 1.6, 3)),
    )


def _sample_part(ctx: TenantContext, report: Report) -> Sequence[PaperSection]:
    run = report.run
    if not run.sample_size or not report.full:
        return ()
    rows = tuple(
        (str(s.position), s.number, _sampled(ctx, s.result), s.note or "--") for s in report.sample
    )
    heading = tuple(ctx.text(t) for t in (N_("序"), N_("案件"), N_("抽查结果"), N_("说明")))
    said = ctx.text(DRAWN, n=run.population, k=run.sample_size, seed=run.seed)
    how = ctx.text(HOW, k=run.sample_size)
    return (
        PaperSection(
            heading=ctx.text(N_("抽查")), paragraphs=(said, how),
            table=PaperTable(heading=heading, rows=rows, widths=(0.4, 1.4, 1, 4)),
            note=f"SHA-256 {run.population_hash}",
        ),
    )  # fmt: skip


def _sampled(ctx: TenantContext, result: str | None) -> str:
    return ctx.text(SAMPLE_TITLES[SampleResult(result)]) if result else "--"


def _finding_part(ctx: TenantContext, report: Report) -> Sequence[PaperSection]:
    found = [line.finding for line in report.lines if line.finding]
    if not found:
        return ()
    rows = tuple(
        (f.number, f.title, f.severity, ctx.text(FINDING_TITLES[FindingState(f.state)]))
        for f in found
    )
    heading = tuple(ctx.text(t) for t in (N_("编号"), N_("问题"), N_("严重程度"), N_("状态")))
    return (
        PaperSection(
            heading=ctx.text(N_("问题")),
            table=PaperTable(heading=heading, rows=rows, widths=(1, 4, 0.7, 0.8)),
        ),
    )


# -- workbook ----------------------------------------------------------------------------------

Sheet = tuple[Sequence[str], Sequence[Sequence[Cell]]]


def xlsx(ctx: TenantContext, report: Report) -> bytes:
    sheets: dict[str, Sheet] = {
        ctx.text(N_("概要")): ((ctx.text(N_("项目")), ctx.text(N_("内容"))), _facts(ctx, report)),
        ctx.text(N_("检查结果")): _result_sheet(ctx, report),
        ctx.text(N_("证据")): _proof_sheet(ctx, report),
    }
    if report.full and report.run.sample_size:
        sheets[ctx.text(N_("抽查"))] = _sample_sheet(ctx, report)
        sheets[ctx.text(N_("总体"))] = _population_sheet(ctx, report)
    return write_xlsx(sheets)


def _result_sheet(ctx: TenantContext, report: Report) -> Sheet:
    heading = [
        ctx.text(t)
        for t in (
            N_("项"), N_("检查内容"), N_("性质"), N_("出处"), N_("可靠程度"), N_("原文核对"),
            N_("律师确认"), N_("是否适用"), N_("理由"), N_("检查结论"), N_("判断"), N_("填写人"),
            N_("说明"), N_("问题"),
        )
    ]  # fmt: skip
    return heading, [_result_row(ctx, report, line) for line in report.lines]


def _result_row(ctx: TenantContext, report: Report, line: ItemLine) -> Sequence[Cell]:
    row, view, held = line.row, line.view, line.standing
    reasons = "；".join(ctx.text(m) for m in why(row.reasons, ctx.translator.language))
    return (
        row.item_id, view.text, ctx.text(view.duty), view.citation, ctx.text(view.confidence),
        _vouched(held.read_by, held.read_on), _vouched(held.counsel, held.counsel_on),
        ctx.text(APPLIES_TITLES[Applies(row.applies)]), reasons, _answer(ctx, row.answer),
        ctx.text(line.verdict) if line.verdict else "", row.answered_name,
        row.note if report.full else "", line.finding.number if line.finding else "",
    )  # fmt: skip


def _vouched(person: str, on: Any) -> str:
    return f"{person} {on}" if person else ""


def _proof_sheet(ctx: TenantContext, report: Report) -> Sheet:
    heading = [
        ctx.text(t)
        for t in (
            N_("项"), N_("种类"), N_("名称"), N_("数值"), "n", N_("单位"), N_("期间"),
            N_("口径"), N_("读取时间"), N_("提供人"), "SHA-256",
        )
    ]  # fmt: skip
    rows = [
        _proof_row(ctx, line.row.item_id, proof) for line in report.lines for proof in line.proofs
    ]
    return heading, rows


def _proof_row(ctx: TenantContext, item_id: str, row: Evidence) -> Sequence[Cell]:
    kind = ctx.text(EVIDENCE_TITLES[EvidenceKind(row.kind)])
    named = ctx.text(row.title) if row.figure else row.title or row.number
    if not row.frozen:
        return (item_id, kind, named, "", "", "", "", "", "", row.by_name, row.sha256)
    read = live.reading_of(row.frozen)
    said = ctx.text(read.definition) if read.definition else ctx.text(read.problem_message)
    return (
        item_id, kind, named, read.value, read.n, read.unit, f"{read.since} – {read.until}", said,
        read.at, row.by_name, row.sha256,
    )  # fmt: skip


def _sample_sheet(ctx: TenantContext, report: Report) -> Sheet:
    heading = [
        ctx.text(t)
        for t in (N_("序"), N_("案件"), N_("抽查结果"), N_("说明"), N_("抽查人"), N_("抽签摘要"))
    ]
    rows = [
        (s.position, s.number, _sampled(ctx, s.result), s.note, s.by_name, s.draw)
        for s in report.sample
    ]
    return heading, rows


def _population_sheet(ctx: TenantContext, report: Report) -> Sheet:
    run = report.run
    known = evidence.known_numbers(ctx, run.population_numbers)
    rows: list[Sequence[Cell]] = [(number,) for number in run.population_numbers if number in known]
    return [ctx.text(N_("案件"))], rows


def fault_sheet(ctx: TenantContext, faults: Sequence[Mapping[str, Any]]) -> bytes:
    """What is wrong with a file that was refused, line by line."""
    heading = [ctx.text(t) for t in (N_("项"), N_("栏目"), N_("怎样改"))]
    rows = [(f["item"], f["field"], ctx.text(packs.fault_message(f))) for f in faults]
    return write_xlsx({ctx.text(N_("问题清单")): (heading, rows)})
