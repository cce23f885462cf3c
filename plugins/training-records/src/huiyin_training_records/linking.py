"""Which regulations matter for which case, told only to those who may know of the case."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huiyin.sdk import N_, Case, Invalid, TenantContext, uuid7, visible_cases
from huiyin_training_records.library_models import CaseLink, Instrument
from huiyin_training_records.schemas import LinkForm

PAGE: Final = 60
_CASE_READ: Final = "case.read"


def link(ctx: TenantContext, instrument: Instrument, form: LinkForm) -> None:
    """Raises ``Invalid`` for a case the reader may not know of: as if it were not there."""
    case = None
    if ctx.actor.can(_CASE_READ):
        asked = select(Case.id).where(Case.number == form.number.upper(), visible_cases(ctx.actor))
        case = ctx.session.scalar(asked)
    if case is None:
        raise Invalid({"number": N_("没有找到这个编号的案件，请核对")})
    ctx.session.execute(
        insert(CaseLink)
        .values(
            tenant_id=ctx.session.tenant, id=uuid7(), instrument_id=instrument.id, case_id=case,
            article=form.article, note=form.note, linked_by=ctx.actor.id, linked_at=ctx.now(),
        )
        .on_conflict_do_nothing(
            index_elements=["tenant_id", "instrument_id", "case_id", "article"]
        )
    )  # fmt: skip
    ctx.record("case_linked", instrument.id, {"case": str(case)})


def links_of(ctx: TenantContext, instrument: Instrument) -> list[tuple[CaseLink, str, str]]:
    """Links with number and title of the case, of cases the reader may know of."""
    if not ctx.actor.can(_CASE_READ):
        return []
    rows = ctx.session.execute(
        select(CaseLink, Case.number, Case.title)
        .join(Case, Case.id == CaseLink.case_id)
        .where(CaseLink.instrument_id == instrument.id, visible_cases(ctx.actor))
        .order_by(CaseLink.id.desc())
        .limit(PAGE)
    )
    return [(row, number, title) for row, number, title in rows]


def of_case(ctx: TenantContext, case: Case) -> list[tuple[Instrument, CaseLink]]:
    rows = ctx.session.execute(
        select(Instrument, CaseLink)
        .join(CaseLink, CaseLink.instrument_id == Instrument.id)
        .where(CaseLink.case_id == case.id)
        .order_by(Instrument.key)
        .limit(20)
    )
    return [(instrument, row) for instrument, row in rows]
