"""The numbers that others may quote: sections that are running, findings that are open."""

from __future__ import annotations

from collections.abc import Sequence

from huiyin.sdk import (
    N_,
    Figure,
    FigureUnit,
    Measured,
    Message,
    Nature,
    Period,
    Proof,
    TenantContext,
)
from huiyin_checklist_regulatory import library, queries, sections
from huiyin_checklist_regulatory.terms import SectionState

BASE = "/w/x/checklist-regulatory"


def _running(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    cells = sections.strip(ctx, at=period.end, on=period.until)
    proofs = tuple(
        Proof(
            Message(N_("第 {n} 项已运行"), {"n": cell.section.no}),
            f"{BASE}/sections/{cell.section.no}", 1.0,
        )
        for cell in cells
        if cell.state is SectionState.RUNNING
    )  # fmt: skip
    return [Measured(float(len(proofs)), library.SECTIONS, None, proofs)]


def _open(ctx: TenantContext, period: Period) -> Sequence[Measured]:
    proofs = tuple(
        Proof(Message(N_("问题 {number}"), {"number": f.number}), f"{BASE}/findings/{f.id}", 1.0)
        for f in queries.open_findings(ctx, period)
    )
    return [Measured(float(len(proofs)), len(proofs), None, proofs)]


FIGURES = (
    Figure(
        name="checklist_regulatory:sections_running", title=N_("已运行的制度项"),
        definition=N_("期末自评为「已运行」、且有期末前六个月内记录的制度项数，共 20 项"),
        unit=FigureUnit.COUNT, nature=Nature.CONTROL, measure=_running,
    ),
    Figure(
        name="checklist_regulatory:findings_open", title=N_("未关闭的自查问题"),
        definition=N_("期末前登记、期末仍未关闭的自查问题数"),
        unit=FigureUnit.COUNT, nature=Nature.CONTROL, measure=_open, more_is_better=False,
    ),
)  # fmt: skip
