"""Help and lessons: said by whoever was helped, confirmed by a third person of the case."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, or_, select

from huiyin.sdk import (
    N_,
    Case,
    Colleague,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Refused,
    Role,
    TenantContext,
    colleagues,
    now,
    parts_in,
)
from huiyin_scoring_incentive import errors
from huiyin_scoring_incentive.models import AnyRow, Credit
from huiyin_scoring_incentive.schemas import CreditForm

KIND_TITLES: Final[Mapping[str, str]] = {"help": N_("同事协助"), "lesson": N_("采纳经验教训")}
STATE_TITLES: Final[Mapping[str, str]] = {
    "waiting": N_("待第三人确认"),
    "confirmed": N_("已确认"),
    "refused": N_("未予确认"),
    "withdrawn": N_("已撤回"),
}
LESSON: Final = "lessons_written"
# Roles that see every case of the firm and so can confirm without having had a part in it.
OVERSEE: Final = frozenset({Role.APPROVER, Role.SUPERVISOR})


def add(ctx: TenantContext, form: CreditForm) -> Credit:
    """Thank a colleague, or say whose lesson one took up.  Raises ``Invalid`` at the field."""
    case = _case(ctx, form.number)
    doer = _author(ctx, case) if form.kind == "lesson" else _helper(ctx, form.doer)
    at = "number" if form.kind == "lesson" else "doer"
    if doer.id == ctx.actor.id:
        raise Invalid({at: Message(N_("不能给自己登记，请由受益的同事登记"))})
    if form.kind == "help" and not _has_part(ctx, case):
        raise Invalid({"number": Message(errors.NOT_IN_CASE)})
    if _known(ctx, form.kind, case, doer) is not None:
        raise Invalid({"number": Message(N_("这件投诉已为这位同事登记过，不再重复登记"))})
    made = Credit(
        kind=form.kind, case_id=case.id, case_number=case.number, doer_id=doer.id,
        doer_name=doer.name, by_id=ctx.actor.id, by_name=ctx.actor.name, what=form.what,
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    facts = {"kind": form.kind, "case": case.id, "doer": doer.id}
    ctx.record("credit_said", made.id, facts, {"what": form.what})
    return made


def _case(ctx: TenantContext, number: str) -> Case:
    case = ctx.session.scalars(select(Case).where(Case.number == number.strip())).one_or_none()
    if case is None or not sees(ctx, case):
        raise Invalid({"number": Message(N_("没有找到这件投诉，请核对编号"))})
    return case


def sees(ctx: TenantContext, case: Case) -> bool:
    """Whether the person may know of the case at all; the named never do."""
    return ctx.actor.id not in case.walled


def _has_part(ctx: TenantContext, case: Case) -> bool:
    return any(ctx.actor.id in who for who in parts_in(ctx.session, case).values())


def _helper(ctx: TenantContext, given: str) -> Colleague:
    known = {str(c.id): c for c in colleagues(ctx.session)}
    if given not in known:
        raise Invalid({"doer": Message(N_("请选择一位在职同事"))})
    return known[given]


def _author(ctx: TenantContext, case: Case) -> Colleague:
    """Who wrote the lesson of a closed case."""
    written: Mapping[str, Any] = case.facts.get(LESSON) or {}
    known = {str(c.id): c for c in colleagues(ctx.session)}
    if case.is_open or str(written.get("by_id")) not in known:
        raise Invalid({"number": Message(N_("这件投诉还没有归档的经验教训，或记录人已离任"))})
    return known[str(written["by_id"])]


def _known(ctx: TenantContext, kind: str, case: Case, doer: Colleague) -> uuid.UUID | None:
    return ctx.session.scalar(
        select(Credit.id).where(
            Credit.kind == kind, Credit.case_id == case.id, Credit.doer_id == doer.id,
            Credit.by_id == ctx.actor.id,
        )
    )  # fmt: skip


# -- a third ---------------------------------------------------------------------------------


def judge(ctx: TenantContext, credit_id: uuid.UUID, *, agree: bool, reason: str = "") -> Credit:
    """Confirm it or not.  Raises ``Refused`` for the two it is between, ``NotFound`` otherwise."""
    found, case = _waiting(ctx, credit_id)
    if ctx.actor.id in {found.doer_id, found.by_id}:
        raise Refused(errors.THIRD)
    if not agree and not reason:
        raise Invalid({"reason": Message(N_("请写明为什么不予确认"))})
    if not (ctx.actor.roles & OVERSEE or _has_part(ctx, case)):
        raise Refused(errors.NOT_IN_CASE)
    found.state = "confirmed" if agree else "refused"
    found.second_id, found.second_name = ctx.actor.id, ctx.actor.name
    found.second_at, found.reason = now(), reason
    ctx.session.flush()
    facts = {"kind": found.kind, "doer": found.doer_id, "agreed": agree}
    ctx.record("credit_judged", found.id, facts, {"reason": reason})
    return found


def withdraw(ctx: TenantContext, credit_id: uuid.UUID) -> Credit:
    """Whoever said it takes it back, while it waits."""
    found, _ = _waiting(ctx, credit_id)
    if found.by_id != ctx.actor.id:
        raise NotFound
    found.state = "withdrawn"
    ctx.session.flush()
    ctx.record("credit_withdrawn", found.id, {"kind": found.kind})
    return found


def _waiting(ctx: TenantContext, credit_id: uuid.UUID) -> tuple[Credit, Case]:
    found = ctx.session.scalars(
        select(Credit).where(Credit.id == credit_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    case = ctx.session.get_one(Case, (ctx.tenant.id, found.case_id))
    if not sees(ctx, case):
        raise NotFound
    if found.state != "waiting":
        raise Conflict
    return found, case


# -- reading ---------------------------------------------------------------------------------

_COLUMNS: Final = (
    Credit.id, Credit.kind, Credit.case_number, Credit.doer_id, Credit.doer_name, Credit.by_id,
    Credit.by_name, Credit.what, Credit.at, Credit.state, Credit.second_name, Credit.reason,
)  # fmt: skip


def page(
    ctx: TenantContext, *, every: bool, after: uuid.UUID | None = None, limit: int = 20
) -> tuple[Sequence[AnyRow], uuid.UUID | None]:
    """What concerns this person, or with ``every`` all of the firm's; newest first."""
    query = select(*_COLUMNS).join(Case, Case.id == Credit.case_id)
    query = query.where(~(Case.walled.any_() == ctx.actor.id))
    me = ctx.actor.id
    if not every:
        # Its two, and those of the case, who are asked to confirm it.
        query = query.where(or_(Credit.doer_id == me, Credit.by_id == me, Case.team.any_() == me))
    if after is not None:
        query = query.where(Credit.id < after)
    rows = ctx.session.execute(query.order_by(Credit.id.desc()).limit(limit + 1)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def waiting(ctx: TenantContext) -> int:
    """How many this person could confirm."""
    me = ctx.actor.id
    query = (
        select(func.count())
        .select_from(Credit)
        .join(Case, Case.id == Credit.case_id)
        .where(
            Credit.state == "waiting", Credit.doer_id != me, Credit.by_id != me,
            ~(Case.walled.any_() == me),
        )
    )  # fmt: skip
    if not ctx.actor.roles & OVERSEE:
        query = query.where(Case.team.any_() == me)
    return ctx.session.scalar(query) or 0
