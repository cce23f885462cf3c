"""What is done in the background: inviting, mailing, reminding, drawing, counting, forgetting."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import exists, select

from huiyin.sdk import (
    Case,
    Mail,
    TenantContext,
    Undeliverable,
    can_mail,
    send_mail,
    today,
)
from huiyin_survey_satisfaction import campaigns, counting, forgetting, invitations, telling, tokens
from huiyin_survey_satisfaction.mails import words_of
from huiyin_survey_satisfaction.models import Campaign, Invitation, Spent, Version
from huiyin_survey_satisfaction.wording import State

INVITE: Final = "invite"
REMIND: Final = "remind"
TEND: Final = "tend"
_REMINDED_AT_ONCE: Final = 2_000

Payload = Mapping[str, Any]


def _campaign(ctx: TenantContext, payload: Payload) -> Campaign | None:
    """The campaign of a job, if it still runs."""
    campaign = ctx.session.get(Campaign, (ctx.tenant.id, uuid.UUID(payload["campaign"])))
    return campaign if campaign is not None and campaign.state == "running" else None


def invite(ctx: TenantContext, payload: Payload) -> None:
    """Ask the complainant of a case, if the campaign still runs and the case is one for it."""
    campaign = _campaign(ctx, payload)
    case = ctx.session.get(Case, (ctx.tenant.id, uuid.UUID(payload["case"])))
    if campaign is not None and case is not None:
        invitations.invite_case(ctx, campaign, case)


def mark(ctx: TenantContext, payload: Payload) -> None:
    """Mark turned-in tokens, in a transaction that counts no answer."""
    campaign = ctx.session.get(Campaign, (ctx.tenant.id, uuid.UUID(payload["campaign"])))
    if campaign is not None:
        counting.mark_turned_in(ctx, campaign, final=bool(payload["final"]))


def draw(ctx: TenantContext, payload: Payload) -> None:
    campaign = _campaign(ctx, payload)
    if campaign is not None:
        campaigns.draw(ctx, campaign)


def send(ctx: TenantContext, payload: Payload) -> None:
    """Mail one invitation; what the server refuses for good is shown to whoever manages it."""
    invitation, campaign = _open(ctx, payload)
    if invitation is None or campaign is None:
        return
    if invitation.state == State.TURNED_IN:
        # Answered on the tracking page before its mail went out: dated, so that it does not tell.
        invitation.sent_on = invitation.sent_on or today()
    if invitation.state == State.WAITING:
        _mail(ctx, invitation, campaign, invitation.id)


def remind(ctx: TenantContext, payload: Payload) -> None:
    """Mail a reminder, unless an answer came in the meantime."""
    invitation, campaign = _open(ctx, payload)
    if invitation is None or campaign is None or invitation.state != State.SENT:
        return
    spent = select(Spent.id).where(Spent.seal == tokens.spent_seal(ctx.tenant.id, invitation.id))
    if ctx.session.scalar(spent) is None:
        number = payload["number"]
        _mail(ctx, invitation, campaign, uuid.uuid5(invitation.id, f"reminder {number}"), number)


def _open(ctx: TenantContext, payload: Payload) -> tuple[Invitation | None, Campaign | None]:
    invitation = ctx.session.get(Invitation, (ctx.tenant.id, uuid.UUID(payload["invitation"])))
    if invitation is None or not invitation.email:
        return None, None
    campaign = ctx.session.get_one(Campaign, (ctx.tenant.id, invitation.campaign_id))
    over = invitations.is_over(invitation, campaign, today())
    return (None, None) if over else (invitation, campaign)


def _mail(
    ctx: TenantContext, invitation: Invitation, campaign: Campaign, mail_id: uuid.UUID,
    reminder: int = 0,
) -> None:  # fmt: skip
    subject, text = written(ctx, invitation, campaign, reminder=bool(reminder))
    try:
        send_mail(ctx, Mail(id=mail_id, to=invitation.email, subject=subject, text=text))
    except Undeliverable as refusal:
        if refusal.code == 0:
            invitation.road = "letter"  # nobody here can mail
            return
        if reminder and telling.hides(campaign):
            # Only who has not answered is reminded: what comes back must change nothing one sees.
            invitation.reminded, invitation.reminded_on = reminder, today()
            return
        invitation.state, invitation.refusal = State.UNDELIVERABLE, refusal.code
        return
    if reminder:
        invitation.reminded, invitation.reminded_on = reminder, today()
    else:
        invitation.state, invitation.sent_on = State.SENT, today()


def written(
    ctx: TenantContext, invitation: Invitation, campaign: Campaign, *, reminder: bool = False
) -> tuple[str, str]:
    """Subject and text of an invitation, in the language of the person asked."""
    words = words_of(invitation.language)
    facts = facts_of(ctx, invitation, campaign)
    greeting = words.greeting if invitation.name else words.stranger
    about = words.about_case if invitation.case_id else words.about_firm
    parts = [
        greeting, about, words.named[campaign.naming],
        f"{words.how}\n{invitations.link(ctx, invitation)}",
        words.phone if ctx.tenant.hotline else "", words.ignore, words.close,
    ]  # fmt: skip
    text = "\n\n".join(part.format(**facts) for part in parts if part)
    subject = (words.reminder if reminder else words.subject).format(**facts)
    return subject, text


def facts_of(ctx: TenantContext, invitation: Invitation, campaign: Campaign) -> dict[str, str]:
    case = (
        ctx.session.get(Case, (ctx.tenant.id, invitation.case_id)) if invitation.case_id else None
    )
    return {
        "title": campaign.title, "name": invitation.name, "firm": ctx.tenant.name,
        "until": invitation.expires_on.isoformat(), "hotline": ctx.tenant.hotline,
        "case": case.number if case else "",
    }  # fmt: skip


# -- every hour --------------------------------------------------------------------------------


def tend(ctx: TenantContext, payload: Payload) -> None:  # noqa: ARG001 - a job's signature
    """Count what may be counted, remind, let expire, draw anew, forget what is past its time."""
    running = ctx.session.scalars(
        select(Campaign).where(Campaign.state == "running").order_by(Campaign.id)
    ).all()
    counted = 0
    for campaign in running:
        counted += counting.count_unsigned(ctx, campaign)
        if ctx.session.scalar(select(exists().where(Spent.campaign_id == campaign.id))):
            ctx.enqueue(campaigns.MARK, {"campaign": campaign.id, "final": False})
        campaigns.next_round(ctx, campaign)
        campaigns.expire(ctx, campaign)
        _remind_of(ctx, campaign)
    forgetting.forget(ctx)
    if counted:
        ctx.record("counted", ctx.tenant.id, {"sheets": counted})


def _remind_of(ctx: TenantContext, campaign: Campaign) -> None:
    if not campaign.reminders or not can_mail():
        return
    since = today() - timedelta(days=campaign.remind_days)
    due = ctx.session.scalars(
        select(Invitation)
        .where(
            Invitation.campaign_id == campaign.id, Invitation.state == State.SENT.value,
            Invitation.road == "mail", Invitation.reminded < campaign.reminders,
            Invitation.sent_on <= since, Invitation.expires_on >= today(),
            Invitation.reminded_on.is_(None) | (Invitation.reminded_on <= since),
        )
        .order_by(Invitation.id)
        .limit(_REMINDED_AT_ONCE)
    ).all()  # fmt: skip
    spent = set(counting.spent_among(ctx, campaign)) if due else set()
    for invitation in due:
        if invitation.id not in spent:
            number = invitation.reminded + 1
            ctx.enqueue(
                REMIND, {"invitation": invitation.id, "number": number},
                key=f"{REMIND}:{invitation.id}:{number}", object_id=invitation.id,
            )  # fmt: skip


def newer_version(ctx: TenantContext, campaign: Campaign) -> Version | None:
    """The newest published version, if the campaign still asks with an older one."""
    newest = ctx.session.scalar(
        select(Version)
        .where(Version.questionnaire_id == campaign.questionnaire_id, Version.state == "published")
        .order_by(Version.number.desc())
        .limit(1)
    )
    return newest if newest is not None and newest.id != campaign.version_id else None
