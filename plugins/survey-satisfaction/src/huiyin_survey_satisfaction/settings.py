"""What one firm may decide about its surveys."""

from __future__ import annotations

from typing import Annotated

import msgspec

from huiyin.sdk import N_

_REVIEW = {"section": N_("低分复核")}
_ANON = {"section": N_("不记名")}
_KEEP = {"section": N_("保存")}
_NUMBERS = {"section": N_("结果")}


class SurveySatisfactionSettings(msgspec.Struct, frozen=True, kw_only=True):
    low_score: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=99,
            title=N_("低分线"),
            description=N_("得分按 0–100 折算，不高于低分线的交由未参与办理的人员复核"),
            extra=_REVIEW,
        ),
    ] = 25
    review_days: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=60,
            title=N_("复核期限"),
            description=N_("公司制度，不是法定期限"),
            extra={**_REVIEW, "unit": "calendar_days"},
        ),
    ] = 10
    batch: Annotated[
        int,
        msgspec.Meta(
            ge=5,
            le=50,
            title=N_("不记名成批计入"),
            description=N_("不记名答卷满这一份数后，打乱次序一并计入，使先后次序不能用来认人"),
            extra=_ANON,
        ),
    ] = 5
    few: Annotated[
        int,
        msgspec.Meta(
            ge=10,
            le=100,
            title=N_("样本过少界线"),
            description=N_("少于这一份数时只列数目，不列比例、均值和区间"),
            extra=_NUMBERS,
        ),
    ] = 20
    contact_months: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=36,
            title=N_("联系方式保存月数"),
            description=N_("到期删除邀请上的姓名和邮箱"),
            extra=_KEEP,
        ),
    ] = 12
