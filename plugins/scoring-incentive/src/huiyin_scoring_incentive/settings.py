"""What one firm may decide about scores and awards; the formula is not a setting."""

from __future__ import annotations

from typing import Annotated

import msgspec

from huiyin.sdk import N_

_APPEAL = {"section": N_("申诉")}
_PUBLIC = {"section": N_("公开表扬")}
_SIGNALS = {"section": N_("防博弈信号")}


class ScoringIncentiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every field has a default, a title and, for numbers, bounds."""

    appeal_days: Annotated[
        int,
        msgspec.Meta(
            ge=5,
            le=60,
            title=N_("申诉期限"),
            description=N_("自得分公布次日起算"),
            extra={**_APPEAL, "unit": "calendar_days"},
        ),
    ] = 15
    commendations: Annotated[
        bool,
        msgspec.Meta(
            title=N_("公开表扬页"),
            description=N_("关闭后公开页面不再显示任何人；本人同意的记录仍然保留"),
            extra=_PUBLIC,
        ),
    ] = True
    early_share: Annotated[
        int,
        msgspec.Meta(
            ge=10,
            le=90,
            title=N_("过早办结界线（%）"),
            description=N_("答复时限用去不足这一比例即答复、后来又重启或复核的，列为过早办结"),
            extra=_SIGNALS,
        ),
    ] = 50
    mutual_thanks: Annotated[
        int,
        msgspec.Meta(
            ge=2,
            le=20,
            title=N_("互相致谢界线"),
            description=N_("两人期内互相致谢都达到这一次数时提示"),
            extra=_SIGNALS,
        ),
    ] = 3
