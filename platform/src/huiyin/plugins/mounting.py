"""Where the pages of plugins stand, and what a page must be to stand there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from litestar import Controller, Router
from litestar.handlers import BaseRouteHandler

from huiyin.identity.policy import OPEN_PERMISSIONS, PUBLIC, known_permissions
from huiyin.plugins.terms import Area, PluginRoutes
from huiyin.web.routes import MARK

if TYPE_CHECKING:
    from huiyin.plugins.loading import Plugin

RESERVED: Final = frozenset({"x", "static", "login"})


class BadRoute(ValueError):
    """A page that may not be mounted; the text is for the operator."""


def routers(plugins: Iterable[Plugin]) -> list[Router]:
    """One router for each plugin and area; each handler knows its plugin and is a 404 when off."""
    made: list[Router] = []
    for plugin in plugins:
        made += [
            Router(
                address(plugin.name, group),
                route_handlers=list(group.handlers),
                opt={"plugin": plugin.name},
            )
            for group in plugin.declared.routes
        ]
    return made


def address(plugin: str, group: PluginRoutes) -> str:
    """The path before a group's own paths."""
    slug = plugin.replace("_", "-")
    if group.area is Area.STAFF:
        return f"/t/{{tenant:str}}/w/x/{slug}"
    if group.area is Area.API:
        return f"/api/v1/p/{{tenant:str}}/x/{slug}"
    return "/p/{tenant:str}" if group.roots else f"/p/{{tenant:str}}/x/{slug}"


def segments(groups: Iterable[PluginRoutes]) -> list[str]:
    """The roots that groups claim directly below ``/p/{tenant}``."""
    return [root for group in groups for root in group.roots]


def check_routes(plugin: str, group: PluginRoutes, own: Collection[str]) -> None:
    """Raises ``BadRoute`` for a page without a fit permission, name or place.

    ``own`` are the permissions that the plugin declares itself.
    """
    if group.roots and group.area is not Area.PUBLIC:
        raise BadRoute("only public pages have roots")
    if taken := RESERVED.intersection(group.roots):
        raise BadRoute(f"/{min(taken)} is not to be had")
    for path, handler in _walk(group):
        if group.roots and path.strip("/").partition("/")[0] not in group.roots:
            raise BadRoute(f"{path} is not below {', '.join(group.roots)}")
        if not (handler.name or "").startswith(f"{plugin}:"):
            raise BadRoute(f"{path} is not named {plugin}:…")
        if "plugin" in handler.opt:
            raise BadRoute(f"{path} names a plugin itself")
        _check_permission(path, handler.opt.get(MARK), handler.opt.get("kind"), group.area, own)


def _check_permission(
    path: str, permission: object, kind: object, area: Area, own: Collection[str]
) -> None:
    inside = permission in own or (
        permission in known_permissions() and permission not in OPEN_PERMISSIONS
    )
    fits = {
        Area.PUBLIC: permission == PUBLIC,
        Area.STAFF: inside,
        Area.API: inside or permission == PUBLIC,
    }[area]
    if not fits:
        raise BadRoute(f"{path} has no permission that fits the {area} area")
    if (kind == "api") is not (area is Area.API):
        raise BadRoute(
            f"{path} must be made with page, action or live, or with api in the api area"
        )


def _walk(group: PluginRoutes) -> Iterator[tuple[str, BaseRouteHandler]]:
    for item in group.handlers:
        if isinstance(item, BaseRouteHandler):
            yield from ((path, item) for path in item.paths or {"/"})
        elif isinstance(item, type) and issubclass(item, Controller):
            declared: object = getattr(item, "path", "")
            base = declared if isinstance(declared, str) else ""  # a bare slot when unset
            for name in dir(item):
                handler = getattr(item, name, None)
                if isinstance(handler, BaseRouteHandler):
                    for path in handler.paths or {"/"}:
                        yield f"{base.rstrip('/')}/{path.lstrip('/')}", handler
        else:
            raise BadRoute(f"{item!r} is neither a controller nor a handler")
