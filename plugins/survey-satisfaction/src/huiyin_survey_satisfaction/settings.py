"""What one firm may decide about this plugin."""

from __future__ import annotations

from typing import Annotated

import msgspec

from huiyin.sdk import N_


class SurveySatisfactionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every field has a default, a title and, for numbers, bounds."""

    days: Annotated[
        int,
        msgspec.Meta(ge=1, le=60, title=N_("提醒天数"), extra={"unit": "working_days"}),
    ] = 5
