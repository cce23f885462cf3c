"""The accounts a firm has with the providers, as its settings name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from huiyin.sdk import N_, TenantContext
from huiyin_channel_wecom.sealed import Keys
from huiyin_channel_wecom.settings import ChannelWecomSettings

WECOM: Final = "wecom"  # the firm's own application, and 微信客服 through it
MP: Final = "mp"  # 公众号
TITLES: Final = {WECOM: N_("企业微信与微信客服"), MP: N_("公众号")}
# What each road is to whoever writes there.
ROADS: Final = {"kf": N_("微信客服"), "app": N_("企业微信应用"), "mp": N_("公众号")}
OVER: Final = {"kf": WECOM, "app": WECOM, "mp": MP}


@dataclass(frozen=True, slots=True)
class Account:
    """What we show the provider: the id of the firm there, and its secret."""

    road: str
    id: str
    secret: str = field(repr=False)


def keys_of(ctx: TenantContext, road: str) -> Keys | None:
    """What callbacks of this road are signed and sealed with; ``None`` if it is not set up."""
    chosen = ctx.settings(ChannelWecomSettings)
    given = {
        WECOM: (chosen.wecom, chosen.token, chosen.aes_key, chosen.corp_id),
        MP: (chosen.mp, chosen.mp_token, chosen.mp_aes_key, chosen.app_id),
    }.get(road)
    if given is None or not all(given):
        return None
    return Keys(given[1], given[2], given[3])


def account_of(ctx: TenantContext, road: str) -> Account | None:
    """With what we ask the provider; ``None`` if the road is not set up."""
    chosen = ctx.settings(ChannelWecomSettings)
    if road == WECOM and chosen.wecom and chosen.secret:
        return Account(road, chosen.corp_id, chosen.secret)
    if road == MP and chosen.mp and chosen.app_secret:
        return Account(road, chosen.app_id, chosen.app_secret)
    return None


def switched_on(ctx: TenantContext) -> Iterator[str]:
    """The roads that the firm wants."""
    chosen = ctx.settings(ChannelWecomSettings)
    if chosen.wecom:
        yield WECOM
    if chosen.mp:
        yield MP
