"""What one firm may decide about calling back."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from huiyin.sdk import N_, SecretStr


class CallBackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One field of each kind there is."""

    hours: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=72,
            title=N_("回电时限"),
            description=N_("自受理起算，公司承诺"),
            extra={"unit": "hours", "section": N_("回电")},
        ),
    ] = 24
    tries: Annotated[int, msgspec.Meta(ge=1, le=9, title=N_("最多拨打次数"))] = 3
    tone: Annotated[
        Literal["plain", "warm"],
        msgspec.Meta(
            title=N_("语气"), extra={"choices": {"plain": N_("平实"), "warm": N_("亲切")}}
        ),
    ] = "plain"
    greeting: Annotated[str, msgspec.Meta(max_length=40, title=N_("开场白"))] = ""
    required: Annotated[bool, msgspec.Meta(title=N_("未回电不得转入深入调查"))] = False
    numbers: Annotated[tuple[str, ...], msgspec.Meta(max_length=5, title=N_("外显号码"))] = ()
    exchange_key: Annotated[SecretStr, msgspec.Meta(max_length=200, title=N_("话务平台密钥"))] = ""

    def __post_init__(self) -> None:
        if self.tries > self.hours:
            raise ValueError(N_("拨打次数不能多于回电时限的小时数"))
