"""What a firm may decide about its public pages."""

from __future__ import annotations

from typing import Annotated

import msgspec

from huiyin.sdk import N_

_INTAKE = {"section": N_("提交投诉")}
_FILES = {"section": N_("材料")}
_NOTICE = {"section": N_("投诉渠道公示")}


class ChannelWebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Words left empty are ours, in both languages; a firm's own words stand as written."""

    opening: Annotated[
        str,
        msgspec.Meta(
            max_length=200,
            title=N_("开头的话"),
            description=N_("显示在提交投诉的首页，不填时使用平台文字"),
            extra=_INTAKE,
        ),
    ] = ""
    consent: Annotated[
        str,
        msgspec.Meta(
            max_length=300,
            title=N_("提交前的确认文字"),
            description=N_("投诉人逐字勾选确认，不会预先勾选；不填时使用平台文字"),
            extra=_INTAKE,
        ),
    ] = ""
    ask_product: Annotated[
        bool,
        msgspec.Meta(
            title=N_("询问产品"), description=N_("关闭后不再询问涉及哪只产品"), extra=_INTAKE
        ),
    ] = True
    draft_days: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=7,
            title=N_("未提交内容保留天数"),
            description=N_("自最后一次保存起算，到期自动删除"),
            extra={**_INTAKE, "unit": "calendar_days"},
        ),
    ] = 1
    max_files: Annotated[int, msgspec.Meta(ge=1, le=10, title=N_("最多文件数"), extra=_FILES)] = 10
    max_mb: Annotated[
        int, msgspec.Meta(ge=1, le=30, title=N_("单个文件上限（MB）"), extra=_FILES)
    ] = 30
    show_hotline: Annotated[bool, msgspec.Meta(title=N_("显示投诉热线"), extra=_NOTICE)] = True
    hours: Annotated[
        str,
        msgspec.Meta(
            max_length=100,
            title=N_("服务时间"),
            description=N_("如实填写有人接听和办理的时间，不填则不显示"),
            extra=_NOTICE,
        ),
    ] = ""
    notice_lines: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=200)], ...],
        msgspec.Meta(
            max_length=8,
            title=N_("公示补充"),
            description=N_("每行一条，附在投诉渠道公示末尾"),
            extra=_NOTICE,
        ),
    ] = ()
