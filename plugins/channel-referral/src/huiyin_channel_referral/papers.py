"""Letters that came by post and visits: taken down by hand, with what was handed over."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import load_only

from huiyin.sdk import (
    N_,
    Case,
    Invalid,
    NotFound,
    TenantContext,
    colleagues,
    uuid7,
)
from huiyin_channel_referral import matters
from huiyin_channel_referral.matters import Chosen
from huiyin_channel_referral.models import Paper
from huiyin_channel_referral.register import in_reach
from huiyin_channel_referral.schemas import PaperForm
from huiyin_channel_referral.terms import VISIT

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the register with its case."""

    row: Paper
    case: Case


def take(ctx: TenantContext, form: PaperForm, key: str, files: Chosen, signature: Chosen) -> Paper:
    """Register a letter or a visit.  Raises ``Invalid``; a second try makes nothing."""
    if known := matters.same_again(ctx, Paper, key, form):
        return known
    moment = matters.moment_of(ctx, form.received_at, form.came_at)
    matters.all_of(
        lambda: matters.check_came(form, moment),
        lambda: _check(ctx, form),
        lambda: matters.check_matter(form),
        lambda: _leaves_something(form, files),
    )
    if form.case:
        case = matters.known_case(ctx, form.case)
        matters.told_to(ctx, case, form, form.kind)
    else:
        case = matters.new_case(ctx, form, key, moment, channel=form.kind)
    row = _row(ctx, form, key, case)
    scanned = N_("来访登记材料") if form.kind == VISIT else N_("信函扫描件")
    row.scans = matters.keep(ctx, case.number, files, ctx.text(scanned))
    signed = ctx.text(N_("来访人签字"))
    row.signature = matters.keep(ctx, case.number, signature, signed, field="signature")
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record(
        "paper_registered", row.id,
        {"case": case.number, "kind": row.kind, "came_on": row.came_on.isoformat()},
        {"visitors": row.visitors, "notes": row.notes},
    )  # fmt: skip
    return row


def _check(ctx: TenantContext, form: PaperForm) -> None:
    if form.kind != VISIT:
        return
    wrong: dict[str, str] = {}
    if form.received_by is None:
        wrong["received_by"] = N_("请选择接待人")
    elif form.received_by not in {person.id for person in colleagues(ctx.session)}:
        wrong["received_by"] = N_("请从给出的选项中选择")
    if not form.place:
        wrong["place"] = N_("请填写接待地点")
    if not form.visitors:
        wrong["visitors"] = N_("请填写来访人，一行一位")
    if wrong:
        raise Invalid(wrong)


def _leaves_something(form: PaperForm, files: Chosen) -> None:
    """What joins a known case stands in its timeline: words, or at least a scan."""
    if form.case and not form.story and not files:
        raise Invalid({"story": N_("请摘录内容或附扫描件，以便写入案件")})


def _row(ctx: TenantContext, form: PaperForm, key: str, case: Case) -> Paper:
    return Paper(
        id=uuid7(), case_id=case.id, kind=form.kind, came_on=form.received_at,
        came_at=form.came_at, received_by=form.received_by, place=form.place,
        visitors=form.visitors, notes=form.notes, post_number=form.post_number,
        late_reason=form.late_reason, joined=bool(form.case), registered_by=ctx.actor.id,
        registered_at=ctx.now(), idem_key=key, idem_hash=matters.digest(form),
    )  # fmt: skip


def _rows(ctx: TenantContext) -> Select[Paper, Case]:
    same = and_(Case.tenant_id == Paper.tenant_id, Case.id == Paper.case_id)
    return (
        select(Paper, Case)
        .join(Case, same)
        .where(in_reach(ctx))
        .options(load_only(Case.tenant_id, Case.id, Case.number, Case.title, Case.state))
    )


def find(ctx: TenantContext, key: uuid.UUID) -> Line:
    """Raises ``NotFound`` alike for one that is not there and one this person may not know of."""
    found = ctx.session.execute(_rows(ctx).where(Paper.id == key)).one_or_none()
    if found is None:
        raise NotFound
    return Line(*found)


def listing(
    ctx: TenantContext, *, kind: str = "", after: uuid.UUID | None = None, most: int = PAGE + 1
) -> list[Line]:
    """Newest first."""
    query = _rows(ctx).order_by(Paper.id.desc()).limit(most)
    if kind:
        query = query.where(Paper.kind == kind)
    if after:
        query = query.where(Paper.id < after)
    return [Line(*pair) for pair in ctx.session.execute(query)]


def of_case(ctx: TenantContext, case: Case) -> list[Paper]:
    query = select(Paper).where(Paper.case_id == case.id).order_by(Paper.id).limit(PAGE)
    return list(ctx.session.scalars(query))
