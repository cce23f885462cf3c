"""Log-in, log-out, the choice of a firm, language and theme."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Controller, Response
from litestar.di import NamedDependency
from sqlalchemy import select, text

from huiyin.identity.directory import memberships_of
from huiyin.identity.models import Account
from huiyin.identity.policy import ACCOUNT, PUBLIC, Role, table
from huiyin.identity.service import log_in, log_out
from huiyin.kit import keys
from huiyin.kit.errors import HuiyinError, Throttled, Unauthenticated
from huiyin.kit.i18n import LANGUAGES
from huiyin.web.desk import LANGUAGE, THEME, Desk
from huiyin.web.forms import Form
from huiyin.web.routes import FormData, action, page

_YEAR = 365 * 24 * 3600
# Where each role begins its day, the first that fits.
LANDING = (
    (Role.COMPLAINT_OFFICER, "/w"),
    (Role.INVESTIGATOR, "/w"),
    (Role.APPROVER, "/w/approvals"),
    (Role.SUPERVISOR, "/w"),
    (Role.TENANT_ADMIN, "/admin/plugins"),
    (Role.EXECUTIVE_VIEWER, "/w/settings"),
)


class AccountController(Controller):
    """Everything about a person that is no firm's business."""

    @page("/", name="account:home", permission=ACCOUNT)
    def home(self, desk: NamedDependency[Desk]) -> Response[Any]:
        if desk.resolved is None:
            raise Unauthenticated
        places = memberships_of(desk.session, desk.resolved.account_id)
        if len(places) == 1:
            return desk.redirect(f"/t/{places[0].slug}{landing(places[0].roles)}")
        tenants = [
            {
                "href": f"/t/{place.slug}{landing(place.roles)}",
                "name": place.name,
                "mark": place.mark,
                "roles": [table().roles[role].title for role in place.roles],
            }
            for place in places
        ]
        return desk.page("home.html", account_name=desk.resolved.account_name, tenants=tenants)

    @page("/login", name="account:login", permission=PUBLIC)
    def login_page(self, desk: NamedDependency[Desk]) -> Response[Any]:
        target = local_target(desk.request.query_params.get("next", ""))
        return desk.page("login.html", form=Form(), next=target)

    @action("/login", name="account:log_in", permission=PUBLIC)
    def log_in(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        target = local_target(str(data.get("next", "")))
        try:
            token = log_in(
                desk.site.engine,
                str(data.get("login", "")),
                str(data.get("password", "")),
                desk.ip,
                browser_family(desk.request.headers.get("user-agent", "")),
                pepper=keys.derive("throttle"),
                previous=desk.request.cookies.get(desk.site.settings.session_cookie),
            )
        except (Throttled, Unauthenticated, HuiyinError) as error:
            shown = {"login": str(data.get("login", ""))[:200]}
            form = Form(shown, {"password": desk._(error.message)})
            return desk.page("login.html", form=form, next=target, status=_status(error))
        desk.keep_token(token)
        return desk.redirect(target or "/")

    @action("/logout", name="account:log_out", permission=PUBLIC)
    def log_out(
        self,
        desk: NamedDependency[Desk],
        data: FormData,  # noqa: ARG002 - read for its token
    ) -> Response[Any]:
        token = desk.request.cookies.get(desk.site.settings.session_cookie, "")
        if token:
            log_out(desk.session, token)
        response = desk.redirect("/login")
        response.delete_cookie(desk.site.settings.session_cookie)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    @action("/preferences", name="account:preferences", permission=PUBLIC)
    def preferences(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        language, theme = str(data.get("language", "")), str(data.get("theme", ""))
        account = None
        if desk.resolved:
            account = desk.session.scalar(
                select(Account).where(Account.id == desk.resolved.account_id)
            )
        if language in LANGUAGES:
            desk.set_cookie(LANGUAGE, language, _YEAR)
            if account:
                account.language = language
        if theme in {"system", "light", "dark"}:
            desk.set_cookie(THEME, theme, _YEAR)
            if account:
                account.theme = theme
        return desk.redirect(local_target(str(data.get("next", ""))) or "/")

    @page("/healthz", name="health", permission=PUBLIC)
    def health(self, desk: NamedDependency[Desk]) -> Response[Any]:
        desk.session.execute(text("SELECT 1"))  # wall: asks for nothing of anybody
        return desk.json({"status": "ok"})


def _status(error: HuiyinError) -> int:
    return error.status if isinstance(error, Throttled) else 422


def landing(roles: Any) -> str:
    """Where somebody with these roles begins."""
    held = {Role(role) for role in roles}
    return next((path for role, path in LANDING if role in held), "/w")


def local_target(path: str) -> str:
    """A path of this site to go back to, or nothing: never another host."""
    parts = urlsplit(path)
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if safe and not parts.netloc and not parts.scheme and len(path) < 500 else ""


def browser_family(agent: str) -> str:
    """Enough to tell one's own sessions apart, no more."""
    for mark, name in (
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ):
        if mark in agent:
            return name
    return ""
