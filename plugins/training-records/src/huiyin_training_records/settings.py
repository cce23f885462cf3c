"""What a firm may decide about its training."""

from __future__ import annotations

from typing import Annotated

import msgspec

from huiyin.sdk import N_

_DATES = {"section": N_("期限"), "unit": "calendar_days"}
_CAUSES = {"section": N_("自动指派")}


class TrainingRecordsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All periods are the firm's own rules (公司制度), none of them a legal one."""

    due_days: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=180, title=N_("完成期限"),
            description=N_("自指派次日起算，公司制度"), extra=_DATES,
        ),
    ] = 14  # fmt: skip
    remind_days: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=60, title=N_("到期前提醒"),
            description=N_("未完成的在期限前这些天提醒，此后每周一次"), extra=_DATES,
        ),
    ] = 3  # fmt: skip
    renew_days: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=180, title=N_("提前复训"),
            description=N_("有效期届满前这些天指派复训"), extra=_DATES,
        ),
    ] = 30  # fmt: skip
    assign_on_close: Annotated[
        bool,
        msgspec.Meta(
            title=N_("结案后指派"),
            description=N_("案件归档且记录了根因时，向办理人指派对应课程"), extra=_CAUSES,
        ),
    ] = True  # fmt: skip
    assign_by_post: Annotated[
        bool,
        msgspec.Meta(
            title=N_("按岗位指派"),
            description=N_("每天检查岗位要求，向缺少有效培训的成员指派"), extra=_CAUSES,
        ),
    ] = True  # fmt: skip
