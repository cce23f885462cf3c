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
from huiyin_survey_satisfaction import campaigns, invitations, letters
from huiyin_survey_satisfaction import desk as desks
from huiyin_survey_satisfaction.wording import OPEN, STATE_TITLES


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
        rows, more = invitations.listed(ctx, found, state, after)
        return desks.show(
            desk, "invitations.html", campaign=found, rows=rows, more=more, state=state,
            states=campaigns.states(ctx, found), mask_name=mask_name, mask_email=mask_email,
        )  # fmt: skip

    @page(
        "/invitations/{invitation:str}", name="survey_satisfaction:invitation",
        permission=desks.MANAGE,
    )  # fmt: skip
    def show(self, desk: NamedDependency[Desk], invitation: FromPath[str]) -> Response[Any]:
        ctx = context_of(desk)
        found, campaign, case = invitations.find(ctx, desks.uuid_of(invitation))
        return desks.show(
            desk, "invitation.html", invitation=found, campaign=campaign, case=case, link="",
            open=found.state in OPEN, mask_name=mask_name, mask_email=mask_email,
        )  # fmt: skip

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
        if found.state not in OPEN:
            raise NotFound
        shown = desks.show(
            desk, "invitation.html", invitation=found, campaign=campaign, case=case, open=True,
            link=invitations.link(ctx, found), mask_name=mask_name, mask_email=mask_email,
        )  # fmt: skip
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
        if found.state not in OPEN:
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


def case_of(desk: Desk, number: str) -> Case:
    """The case of that number, if this person may know of it.  Raises ``NotFound``."""
    case = desk.session.scalar(select(Case).where(Case.number == number))
    if case is None or not case.visible_to(desk.actor):
        raise NotFound
    return case
