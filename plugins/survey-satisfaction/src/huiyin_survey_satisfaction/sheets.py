"""Answering: from the link to a finished sheet, signed or not.

An unsigned answer begins by turning the token in for a ballot.  From then on nothing of the
invitation is at hand: the ballot's secret is in the browser, its sheet is found by a seal of it.
"""

from __future__ import annotations

import calendar
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select

from huiyin.sdk import Case, Conflict, Fund, NotFound, TenantContext, local, today
from huiyin_survey_satisfaction import counting, designs, tokens
from huiyin_survey_satisfaction.designs import Design
from huiyin_survey_satisfaction.invitations import is_over
from huiyin_survey_satisfaction.models import Campaign, Invitation, Sheet, Spent, Version
from huiyin_survey_satisfaction.tokens import Ballot
from huiyin_survey_satisfaction.wording import OPEN, Naming, State

# So many must be asked in a group before an unsigned answer may say it belongs to it.
CROWD: Final = 10
FORGET: Final = "forget"


@dataclass(frozen=True, slots=True)
class Asked:
    """An invitation that was found by its link; ``state`` is what to show."""

    invitation: Invitation
    campaign: Campaign
    state: str  # open, over, used


@dataclass(slots=True)
class Filling:
    """A sheet at work, with its questionnaire and what its texts may name."""

    sheet: Sheet
    campaign: Campaign
    design: Design
    pipes: Mapping[str, str]
    invitation: Invitation | None = None
    case: Case | None = None

    @property
    def signed(self) -> bool:
        return self.invitation is not None

    @property
    def answers(self) -> dict[str, Any]:
        return self.sheet.answers

    def pages(self) -> list[Any]:
        return designs.pages(self.design, self.answers, files=self.signed)

    def first_gap(self) -> int | None:
        """The first page with a required question unanswered, counted from 1."""
        for number, (_, questions) in enumerate(self.pages(), start=1):
            if any(q.required and q.code not in self.answers for q in questions):
                return number
        return None


def by_token(ctx: TenantContext, token: str) -> Asked:
    """The invitation of a link.  Raises ``NotFound`` for one that never was, or of another firm."""
    if len(token) != tokens.LENGTH:
        raise NotFound
    found = ctx.session.execute(
        select(Invitation, Campaign)
        .join(Campaign, Campaign.id == Invitation.campaign_id)
        .where(Invitation.link_hash == tokens.link_hash(ctx.tenant.id, token))
    ).one_or_none()
    if found is None or found[1].state == "draft":
        raise NotFound
    invitation, campaign = found
    return Asked(invitation, campaign, _state(ctx, invitation, campaign))


def _state(ctx: TenantContext, invitation: Invitation, campaign: Campaign) -> str:
    if invitation.state in {State.ANSWERED, State.TURNED_IN} or _is_spent(ctx, invitation):
        return "used"
    if invitation.state not in OPEN or is_over(invitation, campaign, today()):
        return "over"
    return "open"


def _is_spent(ctx: TenantContext, invitation: Invitation) -> bool:
    seal = tokens.spent_seal(ctx.tenant.id, invitation.id)
    return ctx.session.scalar(select(Spent.id).where(Spent.seal == seal)) is not None


# -- signed ------------------------------------------------------------------------------------


def begin_signed(ctx: TenantContext, asked: Asked, language: str) -> Sheet:
    """The sheet of the invitation, begun now or before; the link alone leads back to it."""
    if asked.state != "open" or asked.campaign.naming == Naming.ANONYMOUS:
        raise Conflict
    holder = tokens.signed_holder(asked.invitation.id)
    sheet = ctx.session.scalar(select(Sheet).where(Sheet.holder == holder))
    if sheet is None:
        sheet = Sheet(
            id=uuid.uuid4(), campaign_id=asked.campaign.id, version_id=asked.campaign.version_id,
            invitation_id=asked.invitation.id, holder=holder, segment=asked.invitation.segment,
            language=language, expires_on=asked.invitation.expires_on, answers={}, state="open",
        )  # fmt: skip
        ctx.session.add(sheet)
        ctx.session.flush()
    return sheet


def signed(ctx: TenantContext, asked: Asked, *, lock: bool = False) -> Filling | None:
    """The signed sheet at hand, if it was begun."""
    query = select(Sheet).where(Sheet.holder == tokens.signed_holder(asked.invitation.id))
    sheet = ctx.session.scalar(query.with_for_update() if lock else query)
    if sheet is None or asked.state != "open":
        return None
    case_id = asked.invitation.case_id
    case = ctx.session.get(Case, (ctx.tenant.id, case_id)) if case_id else None
    return Filling(
        sheet,
        asked.campaign,
        design_of(ctx, sheet.version_id),
        _pipes(ctx, case),
        asked.invitation,
        case,
    )


def design_of(ctx: TenantContext, version_id: uuid.UUID) -> Design:
    return designs.read(ctx.session.get_one(Version, (ctx.tenant.id, version_id)).design)


def _pipes(ctx: TenantContext, case: Case | None) -> dict[str, str]:
    pipes = {"firm": ctx.tenant.short_name}
    if case is not None:
        pipes["case"] = case.number
        fund = ctx.session.get(Fund, (ctx.tenant.id, case.fund_id)) if case.fund_id else None
        if fund is not None:
            pipes["product"] = fund.short_name
        if moment := case.closed_at or case.answered_at:
            pipes["day"] = local(moment).date().isoformat()
    return pipes


# -- unsigned ----------------------------------------------------------------------------------


def turn_in(ctx: TenantContext, asked: Asked, language: str) -> Ballot:
    """Take the token and give a ballot that nothing joins with it.

    The invitation's row is not touched; only a seal says, to those who hold the installation's
    secret, that the token is gone.  Raises ``Conflict`` when it is gone already.
    """
    if asked.state != "open" or asked.campaign.naming == Naming.SIGNED:
        raise Conflict
    ctx.session.execute(
        delete(Sheet).where(Sheet.holder == tokens.signed_holder(asked.invitation.id))
    )
    seal = tokens.spent_seal(ctx.tenant.id, asked.invitation.id)
    ctx.session.add(Spent(id=uuid.uuid4(), campaign_id=asked.campaign.id, seal=seal))
    ctx.session.flush()
    return tokens.new_ballot(
        asked.campaign.id, asked.campaign.version_id, _crowd(ctx, asked), language,
        _end_of_next_month(today()),
    )  # fmt: skip


def _crowd(ctx: TenantContext, asked: Asked) -> str:
    """The group of the invitation, if it is large enough to hide in."""
    segment = asked.invitation.segment
    many = ctx.session.scalar(
        select(func.count()).select_from(Invitation).where(
            Invitation.campaign_id == asked.campaign.id, Invitation.segment == segment
        )
    )  # fmt: skip
    return segment if (many or 0) >= CROWD else ""


def _end_of_next_month(day: date) -> date:
    """A day that many share, so that it tells nobody apart."""
    beyond = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return beyond.replace(day=calendar.monthrange(beyond.year, beyond.month)[1])


def unsigned(
    ctx: TenantContext, ballot: Ballot, *, lock: bool = False, make: bool = False
) -> Filling:
    """The sheet of a ballot; it is made with the first answer.  Raises ``NotFound``."""
    campaign = ctx.session.get(Campaign, (ctx.tenant.id, ballot.campaign))
    if campaign is None or campaign.state != "running" or ballot.expires_on < today():
        raise NotFound
    query = select(Sheet).where(Sheet.holder == ballot.holder())
    sheet = ctx.session.scalar(query.with_for_update() if lock else query)
    if sheet is None:
        sheet = Sheet(
            id=uuid.uuid4(), campaign_id=campaign.id, version_id=ballot.version,
            holder=ballot.holder(), segment=ballot.segment, language=ballot.language,
            expires_on=ballot.expires_on, answers={}, state="open",
        )  # fmt: skip
        if make:
            ctx.session.add(sheet)
            ctx.session.flush()
    return Filling(sheet, campaign, design_of(ctx, sheet.version_id), _pipes(ctx, None))


# -- both --------------------------------------------------------------------------------------


def save(filling: Filling, codes: list[str], answers: Mapping[str, Any]) -> None:
    """Keep the answers of a page; what was taken back there is gone."""
    rest = {code: value for code, value in filling.answers.items() if code not in codes}
    kept = designs.kept(filling.design, {**rest, **answers}, files=filling.signed)
    filling.sheet.answers = kept


def keep_files(ctx: TenantContext, filling: Filling, files: Mapping[str, Any]) -> None:
    """Keep what was handed in even if the page must be mended; what it replaces is forgotten."""
    if not files:
        return
    old = [filling.answers[code]["key"] for code in files if code in filling.answers]
    if old:
        ctx.enqueue(FORGET, {"keys": old})
    filling.sheet.answers = {**filling.answers, **files}


def finish(ctx: TenantContext, filling: Filling) -> None:
    """Hand the sheet in.  A signed one is counted now, an unsigned one with others, later."""
    if filling.sheet.state != "open":
        return
    if filling.invitation is None:
        filling.sheet.state = "done"
        ctx.session.flush()
        return
    response = counting.count_signed(ctx, filling.sheet, filling.invitation, filling.case)
    ctx.record(
        "answered", response.id,
        {"campaign": filling.campaign.id, "invitation": filling.invitation.id, "low": response.low},
    )  # fmt: skip
