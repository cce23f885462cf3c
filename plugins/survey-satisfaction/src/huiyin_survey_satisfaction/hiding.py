"""Which groups are too small to be shown beside a total."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from huiyin.sdk import TenantContext
from huiyin_survey_satisfaction.models import Campaign, Response
from huiyin_survey_satisfaction.settings import SurveySatisfactionSettings


def small(sizes: Mapping[str, int], least: int) -> frozenset[str]:
    """Groups below ``least``, and as many of the next smallest as it takes to hide their sum.

    One hidden group alone could be worked out: the total less all that is shown.  What is empty
    hides nobody.
    """
    found: list[str] = []
    together = 0
    for size, name in sorted((size, name) for name, size in sizes.items() if size):
        if size >= least and not 0 < together < least:
            break
        found.append(name)
        together += size
    return frozenset(found)


def unsigned_products(ctx: TenantContext, campaign: Campaign) -> frozenset[str]:
    """Products that must not stand beside a single unsigned answer."""
    rows = ctx.session.execute(
        select(Response.segment, func.count())
        .where(Response.campaign_id == campaign.id, ~Response.signed)
        .group_by(Response.segment)
    )
    sizes = {segment: int(n) for segment, n in rows}
    return small(sizes, ctx.settings(SurveySatisfactionSettings).batch)
