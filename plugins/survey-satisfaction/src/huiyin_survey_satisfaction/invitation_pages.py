"""Who was asked, by which road, and the letters and links for those without a mailbox."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.sdk import (
    N_,
    Case,
    Desk,
    FormData,
    Message,
    NotFound,
    action,
    context_of,
    mask_email,
    mask_name,
    page,
)
from huiyin_survey_satisfaction import campaigns, invitations, letters, telling
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.models import Campaign, Invitation
from huiyin_survey_satisfaction.wording import STATE_TITLES


class InvitationController(Controller):
    @page(
        "/campaigns/{campaign:str}/invitations", name="survey_satisfaction:invitations",
        permission=desks.MANAGE,
    )  # fmt: skip
    def listed(self, desk: NamedDependency[Desk], campaign: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        found = campaigns.find(ctx, desks.uuid_of(campaign))
        asked = desk.request.query_params
        state = asked.get("state", "") if asked.get("state", "") in STATE_TITLES else ""
        after = desks.uuid_of(asked["after"]) if asked.get("after") else None
        rows, more = invitations.listed(
            ctx, found, after, telling.told_in_database(found) == state if state else None
        )
        return desks.show(
            desk, "invitations.html", campaign=found, rows=rows, more=more, state=state,
            states=campaigns.states(ctx, found), mask_name=mask_name, mask_email=mask_email,
            t=telling,
        )  # fmt: skip

    @page(
        "/invitations/{invitation:str}", name="survey_satisfaction:invitation",
        permission=desks.MANAGE,
    )  # fmt: skip
    def show(self, desk: NamedDependency[Desk], invitation: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        found, campaign, case = invitations.find(ctx, desks.uuid_of(invitation))
        return _shown(desk, found, campaign, case)

    @action(
        "/invitations/{invitation:str}/link", name="survey_satisfaction:link",
        permission=desks.MANAGE,
    )  # fmt: skip
    def link(
        self, desk: NamedDependency[Desk], invitation: FromPath[str], data: FormData  # noqa: ARG002
    ) -> Response[Any]:  # fmt: skip
        """The link itself, shown once and on record: whoever holds it can answer."""
        ctx = context_of(desk)
        found, campaign, case = invitations.find(ctx, desks.uuid_of(invitation))
        if not telling.can_be_handed(found, campaign):
            raise NotFound
        shown = _shown(desk, found, campaign, case, invitations.link(ctx, found))
        ctx.record("link_shown", found.id, {"campaign": campaign.id})
        return shown

    @action(
        "/invitations/{invitation:str}/letter", name="survey_satisfaction:letter",
        permission=desks.MANAGE,
    )  # fmt: skip
    def letter(
        self, desk: NamedDependency[Desk], invitation: FromPath[str], data: FormData  # noqa: ARG002
    ) -> Response[Any]:  # fmt: skip
        """The letter as PDF; making it counts as sending."""
        ctx = context_of(desk)
        found, campaign, _ = invitations.find(ctx, desks.uuid_of(invitation))
        if not telling.can_be_handed(found, campaign):
            raise NotFound
        content = letters.letter_pdf(ctx, found, campaign)
        invitations.put_on_paper(ctx, found)
        return desk.file(content, f"{campaign.title}.pdf", "application/pdf")

    @action("/cases/{number:str}", name="survey_satisfaction:ask", permission=desks.MANAGE)
    def ask(
        self, desk: NamedDependency[Desk], number: FromPath[str], data: FormData
    ) -> Response[Any]:
        """Have the complainant of one case asked; never by whoever handled it."""
        ctx = context_of(desk)
        case = case_of(desk, number)
        made = invitations.ask_about(ctx, desks.uuid_of(str(data.get("campaign", ""))), case)
        return desk.redirect(
            desks.staff(desk, f"/invitations/{made.id}"), Message(N_("邀请已建立"))
        )


def _shown(
    desk: Desk, found: Invitation, campaign: Campaign, case: Case | None, link: str = ""
) -> Response[Any]:
    return desks.show(
        desk, "invitation.html", invitation=found, campaign=campaign, case=case, link=link,
        open=telling.can_be_handed(found, campaign), state=telling.told(found, campaign),
        mask_name=mask_name, mask_email=mask_email,
    )  # fmt: skip


def case_of(desk: Desk, number: str) -> Case:
    """The case of that number, if this person may know of it.  Raises ``NotFound``."""
    case = desk.session.scalar(select(Case).where(Case.number == number))
    if case is None or not case.visible_to(desk.actor):
        raise NotFound
    return case
