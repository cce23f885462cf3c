"""What every page of this plugin does alike."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response

from huiyin.sdk import N_, Desk, TenantContext, context_of
from huiyin_channel_web.settings import ChannelWebSettings

_LANGUAGE: Final = "hy_lang"
_YEAR: Final = 365 * 24 * 3600
FOOTER: Final = (("/channels", N_("投诉渠道公示")), ("/track", N_("查询进度")))


def settings_of(ctx: TenantContext) -> ChannelWebSettings:
    return ctx.settings(ChannelWebSettings)


def home(desk: Desk, path: str = "") -> str:
    """An address below the firm's public pages."""
    return f"/p/{desk.tenant.slug}{path}"


def show(desk: Desk, template: str, *, status: int = 200, **context: Any) -> Response[Any]:
    """A page; the language chosen at its head stays chosen on the next one."""
    if desk.request.query_params.get("lang") == desk.language:
        desk.set_cookie(_LANGUAGE, desk.language, _YEAR)
    settings = settings_of(context_of(desk))
    links = [{"href": home(desk, path), "label": label} for path, label in FOOTER]
    return desk.page(
        f"channel_web/{template}", status=status, settings=settings, footer_links=links,
        hotline=desk.tenant.hotline if settings.show_hotline else "", **context,
    )  # fmt: skip
