"""The desk: one request's session, person, language and firm, from opening to commit.

A handler works at a desk in one thread and one transaction.  The answer is rendered before
the commit and sent after it, so that nothing is acknowledged that is not kept.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import msgspec
from jinja2 import Environment
from jinja2_fragments import render_block
from litestar import Request, Response
from litestar.datastructures import Cookie

from huiyin.db import ScopedSession, platform_session, tenant_session
from huiyin.identity.actor import Actor, complainant_actor
from huiyin.identity.policy import ACCOUNT, PUBLIC
from huiyin.identity.sessions import Resolved, resolve, touch
from huiyin.identity.tokens import resolve_token
from huiyin.kit.errors import NotFound, Unauthenticated
from huiyin.kit.i18n import LANGUAGES, Message, Translator
from huiyin.kit.time import now
from huiyin.tenancy.models import Tenant
from huiyin.web import csrf
from huiyin.web.engine import parts_lent
from huiyin.web.site import Site

HTML: Final = "text/html"
FLASH: Final = "hy_flash"
LANGUAGE: Final = "hy_lang"
THEME: Final = "hy_theme"


class OwnCookie(Cookie):
    """A cookie as all of ours are: for the whole site, and out of reach of scripts.

    Its value is one of our own making, in characters that need no quoting (``Desk`` sees to it);
    so it is written out at once, and not by way of two copies of itself.
    """

    def to_encoded_header(self) -> tuple[bytes, bytes]:
        secure = "; Secure" if self.secure else ""
        told = f"{self.key}={self.value}; HttpOnly; Max-Age={self.max_age}; Path=/; SameSite=lax"
        return b"set-cookie", f"{told}{secure}".encode("latin-1")


_UNQUOTED: Final = re.compile(r"[A-Za-z0-9!#$%&'*+./:=?@^_`|~-]*")


class Desk:
    """What a handler gets.  ``session``, ``actor`` and ``tenant`` are those of the route's area."""

    session: ScopedSession

    def __init__(self, site: Site, request: Request[Any, Any, Any]) -> None:
        self.site = site
        self.request = request
        self.resolved: Resolved | None = None
        self._actor: Actor | None = None
        self._tenant: Tenant | None = None
        self._cookies: list[Cookie] = []
        self._hooks: Any = None
        self._attended = True

    # -- opening ---------------------------------------------------------------------------

    def open(
        self, permission: str, *, bearer: bool, plugin: str = "", attended: bool = True
    ) -> None:
        """Find the firm and the person, and check what the route asks for.

        What nobody did, but a page by itself, is not ``attended``: it keeps no log-in alive.
        Raises ``NotFound`` for a foreign firm, a missing permission or a plugin that is off:
        the three must look alike.  Raises ``Unauthenticated`` when nobody is logged in.
        """
        self._attended = attended
        slug = self.request.path_params.get("tenant")
        if slug is None:
            self.session = platform_session(self.site.engine, purpose=permission)
            if permission != PUBLIC:
                self._resolve_account()
            else:
                self._resolve_quietly()
            return
        self._tenant = self.site.tenants.find(str(slug))
        if self._tenant is None:
            if permission != PUBLIC:
                self._require_login_somewhere(bearer=bearer)
            raise NotFound
        self.session = tenant_session(self.site.engine, self._tenant.id, purpose=permission)
        if permission == PUBLIC:
            self._actor = complainant_actor(self._tenant.id)
        elif bearer:
            self._resolve_bearer(permission)
        else:
            self._resolve_member(permission)
        self.session.actor_id = self.actor.id
        if plugin and not self.site.extensions.is_active(self.session, plugin):
            raise NotFound

    def _require_login_somewhere(self, *, bearer: bool) -> None:
        # An address of no firm must not answer differently from a firm one does not belong to.
        if bearer:
            raise Unauthenticated
        self.session = platform_session(self.site.engine)
        self._resolve_account()

    def _token(self) -> str:
        return self.request.cookies.get(self.site.settings.session_cookie, "")

    def _resolve_quietly(self) -> None:
        token = self._token()
        self.resolved = resolve(self.session, token) if token else None

    def _resolve_account(self) -> None:
        self._resolve_quietly()
        if self.resolved is None:
            raise Unauthenticated
        if self._attended:
            touch(self.session, self.resolved)

    def _resolve_member(self, permission: str) -> None:
        self._resolve_account()
        found = self.resolved
        self._actor = found.actor(self.tenant.id) if found else None
        if self._actor is None:
            raise NotFound
        if permission != ACCOUNT and not self._actor.can(permission):
            raise NotFound

    def _resolve_bearer(self, permission: str) -> None:
        header = self.request.headers.get("authorization", "")
        kind, _, token = header.partition(" ")
        actor = resolve_token(self.session, token) if kind.lower() == "bearer" else None
        if actor is None:
            raise Unauthenticated
        self._actor = actor
        if not actor.can(permission):
            raise NotFound

    def reset(self) -> None:
        """Begin again on a new session, as if nothing had been tried."""
        self.close()
        self.resolved, self._actor, self._hooks = None, None, None
        self._cookies.clear()

    def close(self) -> None:
        if hasattr(self, "session"):
            self.session.close()

    # -- who and where ---------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        if self._actor is None:
            raise Unauthenticated
        return self._actor

    @property
    def tenant(self) -> Tenant:
        if self._tenant is None:
            raise NotFound
        return self._tenant

    @property
    def has_tenant(self) -> bool:
        return self._tenant is not None

    @property
    def is_staff(self) -> bool:
        return self._actor is not None and self._actor.is_person

    @property
    def hooks(self) -> Any:
        """The hooks of the plugins this firm has switched on."""
        if self._hooks is None:
            self._hooks = self.site.extensions.hooks(self)
        return self._hooks

    @cached_property
    def language(self) -> str:
        asked = self.request.query_params.get("lang") or self.request.cookies.get(LANGUAGE)
        if asked in LANGUAGES:
            return str(asked)
        if self.resolved and self.resolved.language in LANGUAGES:
            return self.resolved.language
        accepted = self.request.headers.get("accept-language", "").lower()
        if accepted.startswith("en"):
            return "en"
        return self._tenant.language if self._tenant else "zh"

    @cached_property
    def _(self) -> Translator:
        return self.site.translators[self.language]

    @property
    def templates(self) -> Environment:
        """The templates in the reader's language."""
        return self.site.spoken[self.language]

    @property
    def ip(self) -> str:
        """The client's address; forwarded ones count only as far as our own proxies wrote them."""
        client = self.request.client
        nearest = client.host if client else ""
        trusted = self.site.settings.trusted_proxies
        if not trusted:
            return nearest
        hops = [h.strip() for h in self.request.headers.get("x-forwarded-for", "").split(",")]
        return hops[-trusted] if len(hops) >= trusted and hops[-trusted] else nearest

    @property
    def csrf_token(self) -> str:
        if self.resolved is None:
            return ""
        return csrf.token_for(self.site.settings.secret, self.resolved.session_hash)

    def check_origin(self) -> None:
        headers = self.request.headers
        csrf.check_origin(headers, headers.get("host", ""))

    def check_form(self, data: Mapping[str, Any] | None) -> None:
        """Refuse an unsafe request that did not come from our own page."""
        self.check_origin()
        if self.resolved is not None:
            given = self.request.headers.get("x-csrf-token") or (data or {}).get("_csrf")
            csrf.check_token(self.csrf_token, given)

    @property
    def is_htmx(self) -> bool:
        headers = self.request.headers
        return (
            headers.get("hx-request") == "true"
            and headers.get("hx-boosted") != "true"
            and headers.get("hx-history-restore-request") != "true"
        )

    # -- answering -------------------------------------------------------------------------

    def page(
        self, template: str, *, block: str = "", status: int = 200, **context: Any
    ) -> Response[Any]:
        """A page; or its block ``block`` when htmx asks.  One template, one context."""
        full = {**self._context(), **context}
        if block and self.is_htmx:
            with parts_lent():
                html = render_block(self.templates, template, block, **full)
        else:
            if self.is_staff:
                full["nav"] = lines = self._navigation()
                shown = (tuple(item.values()) for group in lines for item in group["items"])
                full["nav_key"] = ("nav", self.language, tuple(shown))
            html = self.templates.get_template(template).render(full)
        headers = {"Vary": "HX-Request, Cookie"}
        response = Response(html, media_type=HTML, status_code=status, headers=headers)
        if full["flash"]:
            response.delete_cookie(FLASH)
        return self._with_cookies(response)

    def redirect(self, path: str, flash: str | Message = "") -> Response[Any]:
        """See other: the page after a form.  ``flash`` is shown there once."""
        response: Response[Any] = Response("", status_code=303, media_type=HTML)
        response.headers["Location"] = path
        if self.request.headers.get("hx-request") == "true":
            # htmx would follow a 303 inside the fragment; let it go to the page.
            response.status_code = 200
            response.headers["HX-Redirect"] = path
            del response.headers["Location"]
        if flash:
            text = base64.urlsafe_b64encode(self._(flash).encode()).decode()
            self._cookies.append(self._cookie(FLASH, text, max_age=60))
        return self._with_cookies(response)

    def json(self, value: Any, status: int = 200, **headers: str) -> Response[Any]:
        return Response(
            msgspec.json.encode(value),
            status_code=status,
            media_type="application/json",
            headers=headers,
        )

    def file(
        self, content: bytes, name: str, media_type: str, *, inline: bool = False
    ) -> Response[Any]:
        """A download.  Never rendered by the browser unless it is our own PDF."""
        ascii_name = name.encode("ascii", "ignore").decode().replace('"', "") or "file"
        quoted = "".join(
            c if c.isascii() and c.isalnum() else "".join(f"%{b:02X}" for b in c.encode())
            for c in name
        )
        kind = "inline" if inline else "attachment"
        disposition = f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quoted}"
        return Response(
            content,
            media_type=media_type,
            headers={
                "Content-Disposition": disposition,
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )

    def keep_token(self, token: str) -> None:
        """Log this browser in: the cookie carries the session's id and nothing else."""
        cookie = self._cookie(self.site.settings.session_cookie, token, max_age=12 * 3600)
        self._cookies.append(cookie)

    def set_cookie(self, name: str, value: str, max_age: int) -> None:
        """A cookie on the answer, with the attributes all of ours have."""
        self._cookies.append(self._cookie(name, value, max_age=max_age))

    def _cookie(self, name: str, value: str, max_age: int) -> Cookie:
        if not _UNQUOTED.fullmatch(value):  # here, and not when all is committed
            raise ValueError(f"the cookie {name} would need quoting")
        return OwnCookie(key=name, value=value, max_age=max_age, secure=self.site.settings.secure)

    def _with_cookies(self, response: Response[Any]) -> Response[Any]:
        for cookie in self._cookies:
            response.set_cookie(cookie)
        return response

    def _flash(self) -> str:
        try:
            text = self.request.cookies.get(FLASH, "")
            return base64.urlsafe_b64decode(text).decode()[:500] if text else ""
        except ValueError:
            return ""

    def _context(self) -> dict[str, Any]:
        tenant = self._tenant
        area = "t" if self.is_staff else "p"
        theme = self.request.cookies.get(THEME) or (self.resolved.theme if self.resolved else "")
        return {
            "_": self._,
            "lang": self.language,
            "now": now(),
            "tenant": tenant,
            "base": f"/{area}/{tenant.slug}" if tenant else "",
            "actor": self._actor if self.is_staff else None,
            "account": self.resolved,
            "csrf_token": self.csrf_token,
            "request_path": self.request.url.path,
            "query": self.request.query_params,
            "flash": self._flash(),
            "theme": theme if theme in {"light", "dark"} else "system",
            "nav": (),
            "nav_key": ("nav", self.language),
            "idempotency_key": uuid.uuid4().hex,
            "desk": self,
        }

    def _navigation(self) -> list[dict[str, Any]]:
        from huiyin.web.navigation import build  # noqa: PLC0415 - it types a Desk

        return build(self)
