"""What one firm may decide about its self-checks."""

from __future__ import annotations

from typing import Annotated

import msgspec

from huiyin.sdk import N_

_RUNS = {"section": N_("自查")}
_ACTIONS = {"section": N_("整改")}


class ChecklistRegulatorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit here is the firm's own rule, and is shown as such."""

    require_evidence: Annotated[
        bool,
        msgspec.Meta(
            title=N_("符合须有证据"),
            description=N_("开启后，答「符合」而没有证据的检查项不能提交"),
            extra=_RUNS,
        ),
    ] = True
    sample_size: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=100, title=N_("默认抽查件数"), description=N_("发起自查时可改"), extra=_RUNS
        ),
    ] = 10
    action_days: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=250,
            title=N_("默认整改期限"),
            description=N_("公司制度，登记整改时可改"),
            extra={**_ACTIONS, "unit": "working_days"},
        ),
    ] = 20
    remind_days: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=60,
            title=N_("提前提醒"),
            description=N_("整改到期前多少个工作日开始提醒责任人"),
            extra={**_ACTIONS, "unit": "working_days"},
        ),
    ] = 3
