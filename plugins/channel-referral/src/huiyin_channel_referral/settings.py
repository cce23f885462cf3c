"""What a firm decides about papers and those who bring them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from huiyin.sdk import N_

_AUTHORITY: Final = N_("代理与授权")
_TRANSFERS: Final = N_("转办函")


class ChannelReferralSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of these are the firm's own rules; none is a statutory time limit."""

    two_person: Annotated[
        bool,
        msgspec.Meta(
            title=N_("授权须两人核实"),
            description=N_("第二人不能是第一位核实人；关闭后一人核实即可"),
            extra={"section": _AUTHORITY},
        ),
    ] = True
    expiry_days: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=180,
            title=N_("授权到期前提醒"),
            extra={"unit": "calendar_days", "section": _AUTHORITY},
        ),
    ] = 14
    soon_days: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=30,
            title=N_("转办期限临近"),
            description=N_("距期限不足这些工作日的转办函，在台账和导航中计为临近"),
            extra={"unit": "working_days", "section": _TRANSFERS},
        ),
    ] = 3
