"""The page behind a link for a first password, and another link for one that was lost."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.identity import links, throttle
from huiyin.identity.errors import LinkSpent
from huiyin.identity.models import Account
from huiyin.identity.passwords import MINIMUM
from huiyin.identity.policy import PUBLIC
from huiyin.kit import keys
from huiyin.kit.errors import Invalid
from huiyin.kit.i18n import N_
from huiyin.ledger.service import append
from huiyin.web.desk import Desk
from huiyin.web.forms import Form
from huiyin.web.people import PERMISSION, link_page, member_of
from huiyin.web.routes import FormData, action, page
from huiyin.web.undelivered import undelivered


class LinkController(Controller):
    """For whoever has the link; and for the administrator who has to make another."""

    path = "/t/{tenant:str}"

    @page("/welcome/{token:str}", name="link:page", permission=PUBLIC)
    def page(self, desk: NamedDependency[Desk], token: FromPath[str]) -> Response[Any]:
        try:
            links.usable(desk.session, token)
        except LinkSpent:
            throttle.count_attempt(
                desk.site.engine, throttle.LINK, throttle.network(desk.ip),
                pepper=keys.derive("throttle"),
            )  # fmt: skip
            raise
        return _page(desk, token, Form())

    @action("/welcome/{token:str}", name="link:set", permission=PUBLIC)
    def set(
        self, desk: NamedDependency[Desk], token: FromPath[str], data: FormData
    ) -> Response[Any]:
        try:
            link = links.set_password(
                desk.session, desk.site.engine, token, _chosen(data), desk.ip,
                pepper=keys.derive("throttle"),
            )  # fmt: skip
        except Invalid as error:
            # What was typed is not shown again: passwords do not travel back.
            desk.session.rollback()
            return _page(desk, token, Form.failed({}, error, desk._), status=error.status)
        append(
            desk.session, kind="member.password_set", object_id=link.id, actor_id=link.account_id,
            facts={"account": link.account_id},
        )  # fmt: skip
        return desk.redirect("/login", N_("密码已设置，请登录"))

    @action("/admin/people/{account:uuid}/link", name="link:renew", permission=PERMISSION)
    def renew(
        self,
        desk: NamedDependency[Desk],
        account: FromPath[uuid.UUID],
        data: FormData,  # noqa: ARG002 - read for its token
    ) -> Response[Any]:
        """Another link for its holder alone; where the mail did not arrive, shown to be handed
        over, and on record as that."""
        row = member_of(desk, account)
        by_hand = undelivered(desk.session, account) is not None
        token = links.renew(desk.session, desk.actor, account)
        email = desk.session.scalar(select(Account.email).where(Account.id == account)) or ""
        kind = "member.link_handed_over" if by_hand else "member.link_renewed"
        append(
            desk.session, kind=kind, object_id=row.id, actor_id=desk.actor.id,
            facts={"account": account},
        )  # fmt: skip
        return link_page(desk, account, row.name, email, token, by_hand=by_hand)


def _chosen(data: dict[str, Any]) -> str:
    new = str(data.get("new", ""))
    if new != str(data.get("again", "")):
        raise Invalid({"again": N_("两次填写的新密码不一致，请重新填写")})
    return new


def _page(desk: Desk, token: str, form: Form, *, status: int = 200) -> Response[Any]:
    here = f"/t/{desk.tenant.slug}/welcome/{token}"
    return desk.page("welcome.html", status=status, form=form, form_action=here, minimum=MINIMUM)
