"""The web application, put together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio.to_thread
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, ControllerRouterHandler
from sqlalchemy import Engine

from huiyin.app.navigation import NAVIGATION
from huiyin.cases import waiting
from huiyin.evidence.store import BlobStore
from huiyin.identity.policy import PUBLIC
from huiyin.kit import i18n
from huiyin.kit.errors import HuiyinError, Invalid, NotFound, TooLarge
from huiyin.kit.i18n import N_
from huiyin.letters import welcome
from huiyin.plugins.host import PluginHost
from huiyin.queue.bus import Bus
from huiyin.web.admission import Answered, at_the_door
from huiyin.web.desk import Desk
from huiyin.web.errors import answer
from huiyin.web.headers import SecureHeaders
from huiyin.web.render import environment
from huiyin.web.routes import MARK, audit
from huiyin.web.site import Site, WebSettings

FRONTEND = Path(str(files("huiyin_frontend")))
log = logging.getLogger("huiyin.app")


def make_site(
    engine: Engine,
    settings: WebSettings,
    host: PluginHost,
    *,
    blobs: BlobStore,
    reload: bool = False,
) -> Site:
    """Languages, templates and plugins of one running site."""
    templates = [FRONTEND / "templates", *host.template_folders()]
    static = [FRONTEND / "static", *host.static_folders()]
    return Site(
        engine=engine,
        settings=settings,
        translators=i18n.load([FRONTEND / "locale", *host.locale_folders()]),
        templates=environment(templates, static, reload=reload),
        extensions=host,
        bus=Bus(engine),
        navigation=NAVIGATION,
        counters=waiting.counters,
        welcome=welcome.post,
        blobs=blobs,
    )


def make_app(site: Site, host: PluginHost, *, threads: int = 4) -> ASGIApp:
    """The whole application; refuses to be made with a route that names no permission."""
    from huiyin.app.routes import HANDLERS  # noqa: PLC0415 - the controllers import much

    def provide_desk(request: Request[Any, Any, Any]) -> Desk:
        return Desk(site, request)

    async def narrow_threads(_: Litestar) -> None:
        # Threads fight over the interpreter's lock; few per process are faster than many.
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads

    async def hang_up(_: Litestar) -> None:
        await anyio.to_thread.run_sync(site.bus.stop)

    app = Litestar(
        route_handlers=[*HANDLERS, *host.route_handlers(), *_static(host)],
        guards=[at_the_door(site)],
        dependencies={
            "desk": Provide(provide_desk, sync_to_thread=False),
            "site": Provide(lambda: site, sync_to_thread=False),
        },
        exception_handlers={Exception: _outside(site)},
        on_startup=[narrow_threads],
        on_shutdown=[hang_up],
        openapi_config=OpenAPIConfig(
            title="Huiyin 回音",
            version="1",
            path="/api/v1/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        opt={MARK: None},
        request_max_body_size=1024 * 1024,
        logging_config=None,
    )
    audit(app, exempt=("/api/v1/schema",))  # the description of the API is public
    return SecureHeaders(app, secure=site.settings.secure)


def _static(host: PluginHost) -> Sequence[ControllerRouterHandler]:
    folders = [FRONTEND / "static", *host.static_folders()]
    return [
        create_static_files_router(
            path="/static",
            directories=list(folders),
            opt={MARK: PUBLIC},
            cache_control=None,
            include_in_schema=False,
            name="static",
        )
    ]


def _outside(site: Site) -> Any:
    """Faults outside a handler: unknown addresses, bodies too large or not what they say."""

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        if isinstance(error, Answered):
            return error.response
        desk = Desk(site, request)
        api = request.url.path.startswith("/api/")
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status in {404, 405}:
            return answer(desk, NotFound(), api=api)
        if status == 413:
            return answer(desk, TooLarge(), api=api)
        if 400 <= status < 500:
            return answer(desk, Invalid({"": N_("请求的格式不对，请核对后重新提交")}), api=api)
        return answer(desk, HuiyinError(), api=api, cause=error)

    return handle
