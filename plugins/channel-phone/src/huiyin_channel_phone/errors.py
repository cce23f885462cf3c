"""What can go wrong, in words that say what to do."""

from __future__ import annotations

from typing import ClassVar, Final

from huiyin.sdk import N_, Conflict, Refused


class Stale(Conflict):
    """Somebody else changed it in between."""

    code = "stale_version"
    default: ClassVar[str] = N_("刚被其他人更新，请核对最新内容后再保存")


class Unsigned(Refused):
    """The telephone system did not sign it, or not now; which of the two is not told."""

    code = "bad_signature"
    default: ClassVar[str] = N_("签名或时间不符，请核对密钥与时钟")


class Reused(Conflict):
    """The same call again, with other content."""

    code = "call_reused"
    default: ClassVar[str] = N_("这个通话编号已经收到过，内容不同，请使用新的编号")


class AlreadyClosed(Conflict):
    default: ClassVar[str] = N_("这项回电已经有结果，请刷新页面查看")


NO_CASE: Final = N_("没有找到这件投诉，请核对编号")
SHUT: Final = N_("这件投诉已经办结，请登记为新投诉或咨询")
WITHHELD: Final = N_("来电未显示号码")
