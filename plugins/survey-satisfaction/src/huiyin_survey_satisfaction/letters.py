"""The invitation on paper: a letter with the link as a code to be scanned."""

from __future__ import annotations

import segno

from huiyin.sdk import Paper, PaperCode, PaperSection, TenantContext, paper_pdf, today
from huiyin_survey_satisfaction import invitations
from huiyin_survey_satisfaction.mails import words_of
from huiyin_survey_satisfaction.models import Campaign, Invitation
from huiyin_survey_satisfaction.tasks import facts_of


def modules(address: str) -> tuple[str, ...]:
    """The address as a QR code: rows of dark (1) and light (0) modules."""
    made = segno.make(address, error="m", micro=False)
    return tuple("".join("1" if dark else "0" for dark in row) for row in made.matrix)


def letter_pdf(ctx: TenantContext, invitation: Invitation, campaign: Campaign) -> bytes:
    """The letter in the language of the person asked."""
    words = words_of(invitation.language)
    facts = facts_of(ctx, invitation, campaign)
    address = invitations.link(ctx, invitation)
    about = words.about_case if invitation.case_id else words.about_firm
    first = PaperSection(
        paragraphs=tuple(
            part.format(**facts)
            for part in (
                words.greeting if invitation.name else words.stranger,
                about, words.named[campaign.naming], words.paper,
            )
        ),
        code=PaperCode(rows=modules(address), says=address),
    )  # fmt: skip
    rest = [address, *([words.phone] if ctx.tenant.hotline else []), words.ignore]
    last = PaperSection(paragraphs=tuple(part.format(**facts) for part in rest))
    return paper_pdf(
        Paper(
            title=campaign.title, firm_name=ctx.tenant.name, date=today(),
            language="en" if invitation.language == "en" else "zh", sections=(first, last),
            footer=ctx.tenant.address,
        )
    )  # fmt: skip
