"""Agents and heirs: what they show, who checked it, and what they may be told meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, Label, Select, and_, or_, select
from sqlalchemy.orm import load_only

from huiyin.sdk import (
    N_,
    Case,
    Conflict,
    Invalid,
    Message,
    NotFound,
    Refused,
    TenantContext,
    colleagues,
    uuid7,
)
from huiyin_channel_referral import matters
from huiyin_channel_referral.matters import Chosen, today_of
from huiyin_channel_referral.models import Agent
from huiyin_channel_referral.register import beyond_walls, in_reach, numbers, to_a_hundred
from huiyin_channel_referral.schemas import AgentForm, CheckForm
from huiyin_channel_referral.settings import ChannelReferralSettings
from huiyin_channel_referral.terms import (
    HOLDS,
    SCOPE_TITLES,
    Relation,
    Scope,
    Standing,
)

PAGE: Final = 50
_GOING: Final = ("pending", "verified")
STATES: Final[Mapping[str, str]] = {
    "waiting": N_("待核实"),
    "expiring": N_("即将到期"),
    "expired": N_("已过期"),
    "good": N_("已核实"),
    "over": N_("未通过或已终止"),
}
_NOTHING: Final = N_(
    "只能告知已收到、需要补交哪些证明；不得告知案件内容、进展和结论，书面答复只发给投诉人本人"
)
_NOTHING_YET: Final = N_(
    "只能告知已收到、需要补交哪些证明；不得告知案件内容、进展和结论，书面答复待核实后再发"
)
_WHY: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.PENDING: N_("授权尚未核实"),
        Standing.SECOND: N_("授权尚待第二人核实"),
        Standing.EARLY: N_("授权尚未生效"),
        Standing.EXPIRED: N_("授权已过期"),
        Standing.REFUSED: N_("授权未通过核实"),
        Standing.ENDED: N_("授权已终止"),
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """An agent with the case, and how the authority stands today."""

    row: Agent
    case: Case
    standing: Standing

    @property
    def holds(self) -> bool:
        return self.standing in HOLDS


# -- registering -----------------------------------------------------------------------------------


def take(ctx: TenantContext, form: AgentForm, key: str, files: Chosen) -> Agent:
    """Register an agent with his papers.  Raises ``Invalid``; a second try makes nothing."""
    if known := matters.same_again(ctx, Agent, key, form):
        return known
    case = matters.known_case(ctx, form.case)
    _check(ctx, form, files)
    row = Agent(
        id=uuid7(), case_id=case.id, name=form.name, relation=form.relation.value,
        phone=form.phone, papers=[paper.value for paper in form.papers],
        scope=[scope.value for scope in form.scope], valid_from=form.valid_from,
        valid_until=form.valid_until, note=form.note, registered_by=ctx.actor.id,
        registered_at=ctx.now(), idem_key=key, idem_hash=matters.digest(form), checks=[], rev=1,
    )  # fmt: skip
    row.scans = matters.keep(ctx, case.number, files, ctx.text(N_("授权证明")))
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record(
        "agent_registered", row.id,
        {"case": case.number, "relation": row.relation, "until": str(row.valid_until or "")},
        {"name": row.name, "phone": row.phone},
    )  # fmt: skip
    return row


def _check(ctx: TenantContext, form: AgentForm, files: Chosen) -> None:
    wrong: dict[str, str] = {}
    if form.valid_until and form.valid_until < form.valid_from:
        wrong["valid_until"] = N_("授权止早于授权起，请核对证明文件")
    elif form.valid_until and form.valid_until < today_of(ctx):
        wrong["valid_until"] = N_("授权已过期，请补交有效的证明文件后再登记")
    if not form.papers:
        wrong["papers"] = N_("请勾选已提交的证明文件")
    if not form.scope:
        wrong["scope"] = N_("请按证明文件勾选授权范围")
    if not files:
        wrong["files"] = N_("请附证明文件的扫描件")
    names = {person.name for person in colleagues(ctx.session)}
    if form.name in names and not form.not_member:
        wrong["name"] = N_("与本机构人员同名。本机构人员不得代理投诉；确非同一人的，请勾选后再提交")
    if wrong:
        raise Invalid(wrong)


# -- checking --------------------------------------------------------------------------------------


def check(ctx: TenantContext, line: Line, form: CheckForm, rev: int) -> None:
    """One person looked at the papers.  Raises ``Refused`` for whoever looked already."""
    row = line.row
    if rev != row.rev:
        raise matters.SavedBefore
    if row.state != "pending":
        raise Conflict(N_("这份授权已核实或已终止"))
    if any(done["by_id"] == str(ctx.actor.id) for done in row.checks):
        raise Refused(N_("第一人已核实，第二人须由其他人员核实"))
    refused = form.decision == "refuse"
    if not refused and line.standing is Standing.EXPIRED:
        raise Conflict(N_("授权已过期，不能核实，请补交有效的证明文件"))
    row.checks = [*row.checks, _done(ctx, form)]
    needed = 2 if ctx.settings(ChannelReferralSettings).two_person else 1
    if refused:
        row.state, row.reason = "refused", form.how
    elif len(row.checks) >= needed:
        row.state = "verified"
    row.rev += 1
    ctx.session.flush()
    ctx.record(
        "authority_checked", row.id,
        {"case": line.case.number, "decision": form.decision, "state": row.state},
        {"how": form.how},
    )  # fmt: skip


def _done(ctx: TenantContext, form: CheckForm) -> dict[str, str]:
    return {
        "by": ctx.actor.name, "by_id": str(ctx.actor.id), "at": ctx.now().isoformat(),
        "how": form.how, "decision": form.decision,
    }  # fmt: skip


def end(ctx: TenantContext, line: Line, reason: str, rev: int) -> None:
    """The authority was withdrawn, or is not relied on any longer."""
    row = line.row
    if rev != row.rev:
        raise matters.SavedBefore
    if row.state in {"refused", "ended"}:
        raise Conflict(N_("这份授权已核实或已终止"))
    row.state, row.reason, row.rev = "ended", reason, row.rev + 1
    ctx.session.flush()
    ctx.record("authority_ended", row.id, {"case": line.case.number}, {"reason": reason})


# -- what may be told ------------------------------------------------------------------------------


def may_be_told(line: Line) -> tuple[Message, bool]:
    """One plain sentence for whoever is on the telephone, and whether anything may be told.

    An heir speaks in the place of the complainant, to whom nothing can be sent any more.
    """
    if not line.holds:
        rule = _NOTHING_YET if line.row.relation == Relation.HEIR else _NOTHING
        why = {"why": Message(_WHY[line.standing]), "rule": Message(rule)}
        return Message(N_("{why}：{rule}"), why), False
    known = [Message(SCOPE_TITLES[Scope(item)]) for item in line.row.scope]
    return Message(
        N_("可办理和知悉的限于：{scope}。超出范围的，须另有授权"), {"scope": known}
    ), True


def asks_for(relation: str) -> str:
    """Which papers usually show such a ground; what counts is decided by whoever checks."""
    return _PAPERS[Relation(relation)]


_PAPERS: Final[Mapping[Relation, str]] = MappingProxyType(
    {
        Relation.AGENT: N_("授权委托书、双方身份证明"),
        Relation.LAWYER: N_("授权委托书、律师执业证与律师事务所函"),
        Relation.GUARDIAN: N_("监护关系证明、身份证明"),
        Relation.HEIR: N_("投诉人死亡证明、继承权公证书或生效裁判文书、身份证明"),
    }
)


# -- finding ---------------------------------------------------------------------------------------


def _rows(ctx: TenantContext) -> Select[Agent, Case]:
    same = and_(Case.tenant_id == Agent.tenant_id, Case.id == Agent.case_id)
    return (
        select(Agent, Case)
        .join(Case, same)
        .where(in_reach(ctx))
        .options(
            load_only(
                Case.tenant_id, Case.id, Case.number, Case.title, Case.state, Case.owner_id
            )
        )
    )  # fmt: skip


def expiring_until(ctx: TenantContext) -> date:
    days = ctx.settings(ChannelReferralSettings).expiry_days
    return today_of(ctx) + timedelta(days=days)


def _lines(ctx: TenantContext, query: Select[Agent, Case]) -> list[Line]:
    day, soon = today_of(ctx), expiring_until(ctx)
    pairs = ctx.session.execute(query).all()
    return [Line(row, case, row.on(day, expiring=soon)) for row, case in pairs]


def find(ctx: TenantContext, key: uuid.UUID, *, lock: bool = False) -> Line:
    """Raises ``NotFound`` alike for one that is not there and one this person may not know of."""
    query = _rows(ctx).where(Agent.id == key)
    found = _lines(ctx, query.with_for_update(of=Agent) if lock else query)
    if not found:
        raise NotFound
    return found[0]


def of_case(ctx: TenantContext, case: Case) -> list[Line]:
    day, soon = today_of(ctx), expiring_until(ctx)
    rows = ctx.session.scalars(
        select(Agent).where(Agent.case_id == case.id).order_by(Agent.id).limit(PAGE)
    )
    return [Line(row, case, row.on(day, expiring=soon)) for row in rows]


def _state(ctx: TenantContext, name: str) -> ColumnElement[bool]:
    """The condition of one state; only what is asked for is put together."""
    day = today_of(ctx)
    alive = or_(Agent.valid_until.is_(None), Agent.valid_until >= day)
    match name:
        case "waiting":
            return and_(Agent.state == "pending", alive)
        case "expiring":
            until = Agent.valid_until.between(day, expiring_until(ctx))
            return and_(Agent.state == "verified", until)
        case "expired":
            return and_(Agent.state.in_(_GOING), Agent.valid_until < day)
        case "good":
            return and_(Agent.state == "verified", alive)
        case _:
            return Agent.state.not_in(_GOING)


def listing(
    ctx: TenantContext, *, state: str = "", after: uuid.UUID | None = None, most: int = PAGE + 1
) -> list[Line]:
    """Newest first."""
    query = _rows(ctx).order_by(Agent.id.desc()).limit(most)
    if state:
        query = query.where(_state(ctx, state))
    if after:
        query = query.where(Agent.id < after)
    return _lines(ctx, query)


def counts(ctx: TenantContext, *names: str, firm: bool = False) -> Mapping[str, int]:
    """How many of each state in open cases, as ``register.counts``."""
    return numbers(ctx, *(counted(ctx, name, firm=firm) for name in names))


def counted(ctx: TenantContext, name: str, *, firm: bool = False) -> Label[int]:
    same = and_(Case.tenant_id == Agent.tenant_id, Case.id == Agent.case_id)
    reach = beyond_walls(ctx) if firm else in_reach(ctx)
    rows = select(Agent.id).join(Case, same)
    return to_a_hundred(name, rows.where(_state(ctx, name), reach, Case.state == "open"))


def to_remind(ctx: TenantContext) -> list[Line]:
    """Authorities of open cases that are about to end and of which nobody was told yet."""
    query = _rows(ctx).where(_state(ctx, "expiring"), ~Agent.reminded, Case.state == "open")
    return _lines(ctx, query.order_by(Agent.id).limit(200).with_for_update(of=Agent))
