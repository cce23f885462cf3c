"""Who is asked: after a case, from the register, or from a list; and nobody again too soon."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, cast, func, select

from huiyin.sdk import (
    Case,
    Conflict,
    Fund,
    IntakeType,
    Investor,
    NotFound,
    TenantContext,
    barred_from_judging,
    can_mail,
    public_link,
    today,
    uuid7,
)
from huiyin_survey_satisfaction import tokens
from huiyin_survey_satisfaction.errors import HandledIt, NotRunning
from huiyin_survey_satisfaction.models import Campaign, Invitation
from huiyin_survey_satisfaction.wording import ASKED, OPEN, PERIODIC, State

PAGE: Final = 50
SEND: Final = "send"
# A closed case is worth asking about only if it was really handled to its end.
_LASTING: Final = (*(s.value for s in (*ASKED, *OPEN)),)


def link(ctx: TenantContext, invitation: Invitation) -> str:
    return public_link(ctx.tenant, f"survey/{tokens.token_of(ctx.tenant.id, invitation.id)}")


def made(
    ctx: TenantContext, campaign: Campaign, *, address: str, name: str = "", email: str = "",
    language: str = "zh", segment: str = "", case_id: uuid.UUID | None = None, road: str = "mail",
    state: State = State.WAITING,
) -> Invitation:  # fmt: skip
    """A row for somebody; ``address`` is what tells the person apart for the rest period."""
    id_ = uuid7()
    return Invitation(
        id=id_, campaign_id=campaign.id, case_id=case_id, name=name, email=email,
        language=language, segment=segment, person=tokens.person_seal(ctx.tenant.id, address),
        link_hash=tokens.link_hash(ctx.tenant.id, tokens.token_of(ctx.tenant.id, id_)), road=road,
        state=state.value, expires_on=today() + timedelta(days=campaign.valid_days),
    )  # fmt: skip


# -- after a case ------------------------------------------------------------------------------


def eligible(case: Case) -> bool:
    """Complaints that went their way; not those withdrawn, declined or passed on."""
    return case.intake_type == IntakeType.COMPLAINT.value and (case.is_open or case.finished)


def invite_case(ctx: TenantContext, campaign: Campaign, case: Case) -> Invitation | None:
    """Ask the complainant of a case, once for each campaign; the same twice is the same.

    Answers ``None`` for a case that is not asked about.
    """
    hold_asking(ctx)
    known = ctx.session.scalar(
        select(Invitation).where(
            Invitation.campaign_id == campaign.id, Invitation.case_id == case.id
        )
    )
    if known is not None or not eligible(case):
        return known
    person = (
        ctx.session.get(Investor, (ctx.tenant.id, case.complainant_id))
        if case.complainant_id and not case.anonymous
        else None
    )
    email = person.email if person else ""
    address = email or (person.phone if person else "") or f"case:{case.id}"
    fund = ctx.session.get(Fund, (ctx.tenant.id, case.fund_id)) if case.fund_id else None
    road = "mail" if email else "letter" if person else "portal"
    invitation = made(
        ctx, campaign, address=address, name=person.name if person else "", email=email,
        language=case.language, segment=fund.short_name if fund else "", case_id=case.id, road=road,
    )  # fmt: skip
    if asked_lately(ctx, campaign, [invitation.person]):
        invitation.state = State.RESTING
    elif road == "portal":
        invitation.state, invitation.sent_on = State.SENT, today()
    ctx.session.add(invitation)
    ctx.session.flush()
    if invitation.state == State.WAITING and road == "mail":
        send_later(ctx, invitation)
    ctx.record("invited", invitation.id, {"campaign": campaign.id, "case": case.id, "road": road})
    return invitation


def ask_about(ctx: TenantContext, campaign_id: uuid.UUID, case: Case) -> Invitation:
    """A person has the complainant asked; whoever handled the case may not.

    Raises ``NotFound``, ``NotRunning``, ``HandledIt`` and ``Conflict`` when the case is not one
    to be asked about.
    """
    campaign = ctx.session.get(Campaign, (ctx.tenant.id, campaign_id))
    if campaign is None or campaign.trigger == PERIODIC or not case.visible_to(ctx.actor):
        raise NotFound
    if campaign.state != "running":
        raise NotRunning
    bar_handlers(ctx, case)
    invitation = invite_case(ctx, campaign, case)
    if invitation is None:
        raise Conflict
    return invitation


def bar_handlers(ctx: TenantContext, case: Case | None) -> None:
    """Raises ``HandledIt`` for those who must not pick whom to ask, nor hold the link."""
    if case is not None and ctx.actor.id in barred_from_judging(ctx.session, case):
        raise HandledIt


def hold_asking(ctx: TenantContext) -> None:
    """Let the firm's surveys choose whom to ask one after the other, until this transaction ends.

    Only so does each see whom the others have asked, and nobody is asked twice too soon.
    """
    key = int.from_bytes(tokens.asking_seal(ctx.tenant.id)[:8], "big", signed=True)
    ctx.session.execute(select(func.pg_advisory_xact_lock(cast(key, BigInteger))))


def asked_lately(ctx: TenantContext, campaign: Campaign, people: Iterable[bytes]) -> set[bytes]:
    """Of these people, those who were asked within the campaign's rest period."""
    if not campaign.rest_days:
        return set()
    since = today() - timedelta(days=campaign.rest_days)
    found: set[bytes] = set()
    wanted = list(people)
    for at in range(0, len(wanted), 5_000):
        found |= set(
            ctx.session.scalars(
                select(Invitation.person).where(
                    Invitation.person.in_(wanted[at : at + 5_000]),
                    Invitation.made_on > since,
                    Invitation.state.in_(_LASTING),
                )
            )
        )
    return found


# -- sending -----------------------------------------------------------------------------------


def send_later(ctx: TenantContext, invitation: Invitation) -> None:
    """Mail it by a job of its own, or put it on paper where nobody can mail."""
    if not can_mail():
        invitation.road = "letter"
        return
    ctx.enqueue(
        SEND, {"invitation": invitation.id}, key=f"{SEND}:{invitation.id}", object_id=invitation.id
    )


def find(ctx: TenantContext, invitation_id: uuid.UUID) -> tuple[Invitation, Campaign, Case | None]:
    """An invitation for those who manage them; never one of a case they handled or must not see.

    Raises ``NotFound`` and ``HandledIt``.
    """
    invitation = ctx.session.get(Invitation, (ctx.tenant.id, invitation_id))
    if invitation is None:
        raise NotFound
    case = (
        ctx.session.get(Case, (ctx.tenant.id, invitation.case_id)) if invitation.case_id else None
    )
    if case is not None and not case.visible_to(ctx.actor):
        raise NotFound
    bar_handlers(ctx, case)
    return invitation, ctx.session.get_one(Campaign, (ctx.tenant.id, invitation.campaign_id)), case


def put_on_paper(ctx: TenantContext, invitation: Invitation) -> None:
    """The letter was made: whoever gets it has been asked."""
    waits = invitation.state in {State.WAITING, State.UNDELIVERABLE}
    # One answered unsigned stays so, and looks from now on like those that were not.
    if waits or invitation.state == State.TURNED_IN:
        invitation.road, invitation.sent_on = "letter", invitation.sent_on or today()
    if waits:
        invitation.state, invitation.sent_on = State.SENT, today()
    ctx.session.flush()
    ctx.record("letter_made", invitation.id, {"campaign": invitation.campaign_id})


def listed(
    ctx: TenantContext, campaign: Campaign, after: uuid.UUID | None, only: Any = None
) -> tuple[Sequence[Invitation], str]:
    """One page of a campaign's invitations, and where the next begins.

    Those of cases in which this person is named are not among them.
    """
    query = (
        select(Invitation)
        .outerjoin(Case, Case.id == Invitation.case_id)
        .where(
            Invitation.campaign_id == campaign.id,
            Invitation.case_id.is_(None) | ~(Case.walled.any_() == ctx.actor.id),
        )
    )
    if only is not None:
        query = query.where(only)
    if after is not None:
        query = query.where(Invitation.id > after)
    rows = ctx.session.scalars(query.order_by(Invitation.id).limit(PAGE + 1)).all()
    return rows[:PAGE], str(rows[PAGE - 1].id) if len(rows) > PAGE else ""


_OF_CASE: Final = (
    select(Invitation, Campaign)
    .join(Campaign, Campaign.id == Invitation.campaign_id)
    .where(Invitation.case_id == bindparam("case"))
    .order_by(Invitation.id)
)


def of_case(ctx: TenantContext, case: Case) -> Sequence[tuple[Invitation, Campaign]]:
    rows = ctx.session.execute(_OF_CASE, {"case": case.id})
    return [(invitation, campaign) for invitation, campaign in rows]


def is_over(invitation: Invitation, campaign: Campaign, day: date) -> bool:
    return invitation.expires_on < day or campaign.state == "ended"
