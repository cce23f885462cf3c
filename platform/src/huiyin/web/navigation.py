"""The staff navigation, from data: what one may see, where one is, how much waits."""

from __future__ import annotations

from typing import Any

from huiyin.web.desk import Desk
from huiyin.web.site import NavItem


def visible(desk: Desk) -> list[NavItem]:
    """The lines this person has, those of plugins among them."""
    items = [*desk.site.navigation, *desk.hooks.navigation()]
    return [item for item in items if desk.actor.can(item.permission)]


def build(desk: Desk) -> list[dict[str, Any]]:
    """Groups of lines for the shell; plugins' lines come from those switched on."""
    shown = visible(desk)
    counts = desk.site.counters(desk) if any(item.count for item in shown) else {}
    if any(":" in item.count for item in shown):  # a plugin's
        counts = {**counts, **desk.hooks.nav_counts()}
    base, path = f"/t/{desk.tenant.slug}", desk.request.url.path
    current = max(
        (item.path for item in shown if _within(path, f"{base}{item.path}")), key=len, default=""
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in shown:
        n = counts.get(item.count, 0) if item.count else 0
        groups.setdefault(item.group, []).append(
            {
                "href": f"{base}{item.path}",
                "icon": item.icon,
                "label": desk._(item.label),
                "count": "99+" if n > 99 else str(n) if n else "",
                "hot": item.hot and n > 0,
                "current": item.path == current,
            }
        )
    return [
        {"title": desk._(title) if title else "", "items": lines} for title, lines in groups.items()
    ]


def _within(path: str, href: str) -> bool:
    return path == href or path.startswith(f"{href}/")
