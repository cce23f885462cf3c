"""What is told of a single invitation.

Where answers may be unsigned, whether somebody took part is nobody's business: an invitation
answered unsigned is told as one that was not answered, and so is one past its day.  Neither the
word, nor what can be done, nor the reminders may differ between them at any moment.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, case

from huiyin.sdk import today
from huiyin_survey_satisfaction.invitations import is_over
from huiyin_survey_satisfaction.models import Campaign, Invitation
from huiyin_survey_satisfaction.wording import OPEN, STATE_TITLES, Naming, State


def hides(campaign: Campaign | Row[Any]) -> bool:
    """Whether somebody may answer unsigned, so that taking part must not be told."""
    return campaign.naming != Naming.SIGNED


def told(invitation: Invitation | Row[Any], campaign: Campaign | Row[Any]) -> str:
    """The state to be told; of one answered unsigned, the one it would be in unanswered."""
    state = str(invitation.state)
    if not hides(campaign):
        return state
    if state == State.EXPIRED:
        return State.SENT.value
    if state != State.TURNED_IN:
        return state
    if invitation.refusal and invitation.road == "mail":
        return State.UNDELIVERABLE.value
    return State.SENT.value if invitation.sent_on else State.WAITING.value


def told_in_database(campaign: Campaign) -> Any:
    """``told`` as the database works it out, to count and choose by."""
    if not hides(campaign):
        return Invitation.state
    turned_in = Invitation.state == State.TURNED_IN.value
    return case(
        (Invitation.state == State.EXPIRED.value, State.SENT.value),
        (
            and_(turned_in, Invitation.refusal != 0, Invitation.road == "mail"),
            State.UNDELIVERABLE.value,
        ),
        (and_(turned_in, Invitation.sent_on.is_(None)), State.WAITING.value),
        (turned_in, State.SENT.value),
        else_=Invitation.state,
    )


def title(invitation: Invitation | Row[Any], campaign: Campaign | Row[Any]) -> str:
    return STATE_TITLES[told(invitation, campaign)]


def can_be_handed(invitation: Invitation, campaign: Campaign) -> bool:
    """Whether its letter and link are offered: by what is told and by the day alone."""
    return told(invitation, campaign) in OPEN and not is_over(invitation, campaign, today())


def reminded(invitation: Invitation, campaign: Campaign) -> int:
    """How often somebody was reminded; only who did not answer is, so it may tell nothing."""
    return 0 if hides(campaign) else invitation.reminded
