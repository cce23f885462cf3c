"""A person's own settings: what they may do, where they are logged in, password and tokens."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.identity.models import ApiToken
from huiyin.identity.passwords import MINIMUM
from huiyin.identity.policy import Role, table
from huiyin.identity.service import change_password
from huiyin.identity.sessions import (
    ABSOLUTE,
    COOKIE_IDLE,
    Resolved,
    digest,
    list_sessions,
    revoke_one,
)
from huiyin.identity.tokens import LONGEST_DAYS, create_token, list_tokens, revoke_token
from huiyin.kit import keys
from huiyin.kit.errors import Invalid, NotFound, Throttled
from huiyin.kit.i18n import N_
from huiyin.ledger.service import append
from huiyin.web.accounts import browser_family
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.routes import FormData, action, page

PERMISSION: Final = "settings.read"
TABS: Final = (
    ("me", N_("我的权限")),
    ("security", N_("登录与密码")),
    ("tokens", N_("接口令牌")),
    ("firm", N_("机构信息")),
)
DAYS: Final = (30, 90, 180, LONGEST_DAYS)


class TokenForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a program may do in the person's name, and for how long."""

    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60, title=N_("用途"))]
    scopes: Annotated[list[str], msgspec.Meta(max_length=200, title=N_("权限"))] = []
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS, title=N_("有效期"))] = 90


class SettingsController(Controller):
    """One page with four parts; nothing on it is anybody else's."""

    path = "/t/{tenant:str}/w/settings"

    @page("/", name="settings:show", permission=PERMISSION)
    def show(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return show(desk, desk.request.query_params.get("tab", "me"))

    @action("/sessions/{row:uuid}", name="settings:session_end", permission=PERMISSION)
    def end_session(
        self,
        desk: NamedDependency[Desk],
        row: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token that is checked before
    ) -> Response[Any]:
        revoke_one(desk.session, desk.actor.id, row)
        return desk.redirect(_path(desk, "security"), N_("该登录已退出"))

    @action("/sessions", name="settings:sessions_end", permission=PERMISSION)
    def end_others(
        self,
        desk: NamedDependency[Desk],
        data: FormData,  # noqa: ARG002 - carries the token that is checked before
    ) -> Response[Any]:
        here = _resolved(desk).session_row_id
        for other in list_sessions(desk.session, desk.actor.id):
            if other.id != here:
                revoke_one(desk.session, desk.actor.id, other.id)
        return desk.redirect(_path(desk, "security"), N_("其他登录均已退出"))

    @action("/password", name="settings:password", permission=PERMISSION)
    def password(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        try:
            token = _new_password(desk, data)
        except Invalid as error:
            # What was typed is not shown again: passwords do not travel back.
            form = Form.failed({}, error, desk._)
            return show(desk, "security", form=form, status=422)
        except Throttled as error:
            form = Form({}, {"current": desk._(error.message)}, desk._(error.message))
            return show(desk, "security", form=form, status=error.status)
        desk.keep_token(token)
        return desk.redirect(_path(desk, "security"), N_("密码已更换，其他登录均已退出"))

    @action("/tokens", name="settings:token_new", permission=PERMISSION)
    def new_token(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        try:
            form = parse(TokenForm, data)
            plain = create_token(desk.session, desk.actor, form.label, form.scopes, form.days)
        except Invalid as error:
            kept = Form.failed(data, error, desk._)
            return show(desk, "tokens", form=kept, status=422)
        made = desk.session.scalars(
            select(ApiToken.id).where(ApiToken.token_hash == digest(plain))
        ).one()
        _record(desk, "token.created", made, days=form.days, scopes=sorted(set(form.scopes)))
        return show(desk, "tokens", plain=plain)

    @action("/tokens/{token:uuid}", name="settings:token_end", permission=PERMISSION)
    def end_token(
        self,
        desk: NamedDependency[Desk],
        token: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - carries the token that is checked before
    ) -> Response[Any]:
        revoke_token(desk.session, desk.actor, token)
        _record(desk, "token.revoked", token)
        return desk.redirect(_path(desk, "tokens"), N_("令牌已作废"))


def show(
    desk: Desk, tab: str, *, form: Form | None = None, plain: str = "", status: int = 200
) -> Response[Any]:
    """The page at one of its parts; ``plain`` is a new token, shown this once."""
    known = dict(TABS)
    shown = tab if tab in known else "me"
    return desk.page(
        "personal/settings.html",
        status=status,
        tab=shown,
        tabs=[(_path(desk, code), title) for code, title in TABS],
        here=_path(desk, shown),
        home=f"/t/{desk.tenant.slug}/w/settings",
        form=form or Form({"days": "90"}),
        me=_resolved(desk),
        plain=plain,
        **_part(desk, shown),
    )


def _part(desk: Desk, tab: str) -> dict[str, Any]:
    if tab == "security":
        return {
            "sessions": list_sessions(desk.session, desk.actor.id),
            "current": _resolved(desk).session_row_id,
            "idle": COOKIE_IDLE // timedelta(minutes=1),
            "longest": ABSOLUTE // timedelta(hours=1),
            "minimum": MINIMUM,
        }
    if tab == "tokens":
        return {
            "tokens": list_tokens(desk.session, desk.actor),
            "scopes": _titled(desk, desk.actor.permissions),
            "titles": {name: entry.title for name, entry in table().permissions.items()},
            "days": DAYS,
        }
    if tab == "firm":
        return {"may_edit": desk.actor.can("admin.people")}
    return {"abilities": _by_role(desk.actor.roles)}


def _by_role(roles: frozenset[Role]) -> list[tuple[str, list[str]]]:
    """Each role of the person with the titles of what it allows, in the order of the policy."""
    policy = table()
    return [
        (entry.title, [p.title for p in policy.permissions.values() if role in p.roles])
        for role, entry in policy.roles.items()
        if role in roles
    ]


def _titled(desk: Desk, permissions: frozenset[str]) -> list[tuple[str, str, str]]:
    """Value, title and code of every permission a token may carry; a plugin's has its code."""
    known = table().permissions
    named = [(p, desk._(known[p].title) if p in known else p, p) for p in sorted(permissions)]
    return sorted(named, key=lambda item: item[0] not in known)


def _new_password(desk: Desk, data: Mapping[str, Any]) -> str:
    """The id of a fresh session.  Raises ``Invalid`` at the field, or ``Throttled``."""
    current, new = str(data.get("current", "")), str(data.get("new", ""))
    if not current:
        raise Invalid({"current": N_("请填写当前密码")})
    if new != str(data.get("again", "")):
        raise Invalid({"again": N_("两次填写的新密码不一致，请重新填写")})
    agent = browser_family(desk.request.headers.get("user-agent", ""))
    # This session may hold the row of the log-in; the other one, which ends it, would wait.
    desk.session.commit()
    return change_password(
        desk.site.engine, desk.actor.id, current, new, agent, pepper=keys.derive("throttle")
    )


def _record(desk: Desk, kind: str, token: uuid.UUID, **facts: Any) -> None:
    append(desk.session, kind=kind, object_id=token, actor_id=desk.actor.id, facts=facts)


def _resolved(desk: Desk) -> Resolved:
    if desk.resolved is None:
        raise NotFound
    return desk.resolved


def _path(desk: Desk, tab: str) -> str:
    return f"/t/{desk.tenant.slug}/w/settings?tab={tab}"
