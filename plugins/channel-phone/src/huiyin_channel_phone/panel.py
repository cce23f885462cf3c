"""The calls of a case, beside the case."""

from __future__ import annotations

from markupsafe import Markup

from huiyin.sdk import Case, TenantContext
from huiyin_channel_phone import queries
from huiyin_channel_phone.terms import (
    DIRECTION_TITLES,
    HANDLE,
    LOOK,
    STATE_TITLES,
)


def panel_of(ctx: TenantContext, case: Case) -> Markup | None:
    """Nothing for whoever may not look at calls."""
    if not ctx.actor.can(LOOK) or not case.visible_to(ctx.actor):
        return None
    calls = queries.calls_of(ctx, case) if queries.has_calls(ctx, case) else []
    held = queries.recordings_of(ctx, calls) if calls else []
    may = ctx.actor.can(HANDLE) and case.is_open
    if not calls and not may:
        return None
    sounds = {call.id: [row for row in held if row.call_id == call.id] for call in calls}
    return ctx.render(
        "channel_phone/panel.html", calls=calls, sounds=sounds, case=case, may=may,
        directions=DIRECTION_TITLES, states=STATE_TITLES,
    )  # fmt: skip
