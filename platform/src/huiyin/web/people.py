"""Members of a firm and their roles, in the hands of its administrator.

Every change is entered into the ledger by ids alone: who belonged to the firm, in which role and
since when, is part of proving who was allowed to do what.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from huiyin.identity import grants, links
from huiyin.identity.errors import OwnRoles
from huiyin.identity.models import Account, Membership, RoleGrant
from huiyin.identity.policy import Role, needs_second, permissions_of, table
from huiyin.identity.service import (
    OUTSIDE,
    add_membership,
    change_roles,
    create_account,
    deactivate,
    find_account,
    members,
)
from huiyin.identity.sessions import known_roles
from huiyin.kit.errors import Conflict, Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.ledger.service import append
from huiyin.web.desk import Desk
from huiyin.web.forms import Form, parse
from huiyin.web.grants import record
from huiyin.web.routes import FormData, action, page
from huiyin.web.undelivered import undelivered

PERMISSION: Final = "admin.people"
PAGE: Final = 50


class MemberForm(msgspec.Struct, frozen=True, kw_only=True):
    """A person to be added: by an existing account's address, or with a new account."""

    email: Annotated[str, msgspec.Meta(max_length=254, title=N_("邮箱"))]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60, title=N_("姓名"))]
    department: Annotated[str, msgspec.Meta(max_length=60, title=N_("部门"))] = ""
    roles: Annotated[list[str], msgspec.Meta(max_length=20, title=N_("角色"))] = []


class RolesForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a member may be from now on."""

    department: Annotated[str, msgspec.Meta(max_length=60, title=N_("部门"))] = ""
    roles: Annotated[list[str], msgspec.Meta(max_length=20, title=N_("角色"))] = []


def people_path(desk: Desk, *parts: str) -> str:
    return "/".join((f"/t/{desk.tenant.slug}/admin/people", *parts))


class MemberController(Controller):
    """The list of members, and what is done with each."""

    path = "/t/{tenant:str}/admin/people"

    @page("/", name="admin:people", permission=PERMISSION)
    def index(self, desk: NamedDependency[Desk]) -> Response[Any]:
        query = desk.request.query_params
        former = query.get("former") == "1"
        listed = members(
            desk.session, after=_uuid(query.get("after", "")), limit=PAGE, former=former
        )
        more = f"?{'former=1&' if former else ''}after={listed.next}" if listed.next else ""
        return desk.page(
            "admin/people.html",
            rows=listed.rows,
            former=former,
            more=more,
            waiting=grants.pending(desk.session),
            names={role.value: entry.title for role, entry in table().roles.items()},
            titles={role: entry.title for role, entry in table().roles.items()},
        )

    @page("/new", name="admin:people_new_page", permission=PERMISSION)
    def new_page(self, desk: NamedDependency[Desk]) -> Response[Any]:
        return _new(desk, Form())

    @action("/new", name="admin:people_new", permission=PERMISSION)
    def new(self, desk: NamedDependency[Desk], data: FormData) -> Response[Any]:
        try:
            form = parse(MemberForm, data)
            row, token = add_member(desk, form)
        except (Invalid, Conflict, OwnRoles) as error:
            desk.session.rollback()
            return _new(desk, _failed(desk, data, error), status=error.status)
        if token:
            waits = isinstance(row, RoleGrant)
            return link_page(desk, row.account_id, row.name, form.email, token, waits=waits)
        if isinstance(row, RoleGrant):
            return desk.redirect(people_path(desk), _waits(row))
        said = Message(N_("{name}已成为本机构成员，用原有密码登录"), {"name": row.name})
        return desk.redirect(people_path(desk), said)

    @page("/{account:uuid}", name="admin:person", permission=PERMISSION)
    def person(self, desk: NamedDependency[Desk], account: FromPath[uuid.UUID]) -> Response[Any]:
        row = member_of(desk, account)
        return _person(desk, row, Form({"roles": list(row.roles), "department": row.department}))

    @action("/{account:uuid}", name="admin:person_change", permission=PERMISSION)
    def change(
        self, desk: NamedDependency[Desk], account: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        try:
            member_of(desk, account)
            form = parse(RolesForm, data)
            done = give_roles(desk, account, form)
        except (Invalid, Conflict, OwnRoles) as error:
            desk.session.rollback()
            row = member_of(desk, account)
            return _person(desk, row, _failed(desk, data, error), status=error.status)
        if isinstance(done, RoleGrant):
            return desk.redirect(people_path(desk), _waits(done))
        said = Message(N_("{name}的角色已更新，须重新登录后生效"), {"name": done.name})
        return desk.redirect(people_path(desk), said)

    @page("/{account:uuid}/deactivate", name="admin:person_end_page", permission=PERMISSION)
    def end_page(self, desk: NamedDependency[Desk], account: FromPath[uuid.UUID]) -> Response[Any]:
        return _confirm_end(desk, member_of(desk, account), Form())

    @action("/{account:uuid}/deactivate", name="admin:person_end", permission=PERMISSION)
    def end(
        self, desk: NamedDependency[Desk], account: FromPath[uuid.UUID], data: FormData
    ) -> Response[Any]:
        row = member_of(desk, account)
        try:
            done = end_membership(desk, account)
        except (Conflict, OwnRoles) as error:
            desk.session.rollback()
            row = member_of(desk, account)
            return _confirm_end(desk, row, _failed(desk, data, error), status=error.status)
        if isinstance(done, RoleGrant):
            return desk.redirect(people_path(desk), _waits(done))
        said = Message(N_("{name}已停用，经办记录保留"), {"name": row.name})
        return desk.redirect(people_path(desk), said)


# -- what is done, and entered into the book -----------------------------------------------------


def add_member(desk: Desk, form: MemberForm) -> tuple[Membership | RoleGrant, str]:
    """The membership, or what waits for a second person; and the token of the link by which the
    holder of an account made for it sets the first password, else ``""``.

    The name is the firm's own word for the person: an account found by its address gives away
    nothing of its holder.  Raises ``Invalid`` or ``AlreadyMember``.
    """
    session, token = desk.session, ""
    account = find_account(session, form.email)
    if account is None:
        # Nobody ever learns this one; the link puts another in its place.
        unknown = secrets.token_urlsafe(32)
        account = create_account(
            session, form.email, form.name, unknown, language=desk.tenant.language
        )
        token = links.issue(session, desk.actor, account.id)
    roles, new = roles_of(form.roles), bool(token)
    if needs_second((), roles):
        asked = grants.ask(
            session, desk.actor, account.id, roles, name=form.name, department=form.department
        )
        record(desk, asked, "member.grant_asked", new_account=new)
        return asked, token
    row = add_membership(
        session, account.id, roles, actor=desk.actor, name=form.name,
        department=form.department,
    )  # fmt: skip
    _record(desk, row, "member.added", roles=row.roles, new_account=new)
    return row, token


def give_roles(desk: Desk, account_id: uuid.UUID, form: RolesForm) -> Membership | RoleGrant:
    """Other roles for a member.  Raises what ``identity.service.change_roles`` raises."""
    before, roles = sorted(member_of(desk, account_id).roles), roles_of(form.roles)
    if roles and needs_second(known_roles(before), roles):
        return _ask(desk, account_id, roles, form.department)
    row = change_roles(
        desk.session, account_id, roles, actor=desk.actor, department=form.department
    )
    if sorted(row.roles) != before:
        _record(desk, row, "member.roles_changed", roles=row.roles, former=before)
    return row


def _ask(desk: Desk, account_id: uuid.UUID, roles: list[Role], department: str | None) -> RoleGrant:
    asked = grants.ask(desk.session, desk.actor, account_id, roles, department=department)
    record(desk, asked, "member.grant_asked")
    return asked


def end_membership(desk: Desk, account_id: uuid.UUID) -> Membership | RoleGrant:
    """The end of a membership.  Raises what ``identity.service.deactivate`` raises."""
    if needs_second(known_roles(member_of(desk, account_id).roles), ()):
        return _ask(desk, account_id, [], None)
    row = deactivate(desk.session, account_id, actor=desk.actor)
    _record(desk, row, "member.deactivated", roles=row.roles)
    return row


def roles_of(names: list[str]) -> list[Role]:
    """Roles of a form; raises ``Invalid`` at ``roles`` for one that is not offered."""
    offered = {role.value: role for role in offered_roles()}
    if not set(names) <= set(offered):
        raise Invalid({"roles": N_("请从给出的选项中选择")})
    return [offered[name] for name in names]


def offered_roles() -> list[Role]:
    """Roles that mean something inside a firm, in the order of the policy."""
    return [
        role for role in table().roles if role not in OUTSIDE and permissions_of(frozenset({role}))
    ]


def _record(desk: Desk, row: Membership, kind: str, **facts: Any) -> None:
    append(
        desk.session,
        kind=kind,
        object_id=row.id,
        actor_id=desk.actor.id,
        facts={"account": row.account_id, **facts},
    )


# -- pages ---------------------------------------------------------------------------------------


def member_of(desk: Desk, account_id: uuid.UUID) -> Membership:
    """An active member; raises ``NotFound`` for anybody else."""
    row = desk.session.scalars(
        select(Membership).where(Membership.account_id == account_id, Membership.active)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def link_page(
    desk: Desk,
    account_id: uuid.UUID,
    name: str,
    email: str,
    token: str,
    *,
    waits: bool = False,
    by_hand: bool = False,
) -> Response[Any]:
    """The one page that shows a link for a first password; or that it goes to its holder alone.

    ``by_hand`` shows it even where mail is sent, because the mail did not arrive.
    """
    if not by_hand and desk.site.welcome(desk.session, account_id):
        return desk.page("admin/person_added.html", name=name, email=email, link="", waits=waits)
    root = desk.site.settings.public_url or str(desk.request.base_url)
    link = f"{root.rstrip('/')}/t/{desk.tenant.slug}/welcome/{token}"
    return desk.page("admin/person_added.html", name=name, email=email, link=link, waits=waits)


def _waits(row: RoleGrant) -> Message:
    said = N_("{name}的任免已提交，由另一位现任审批人或监督确认后生效")
    return Message(said, {"name": row.name})


def _new(desk: Desk, form: Form, *, status: int = 200) -> Response[Any]:
    return desk.page("admin/person_new.html", status=status, form=form, **_choices(desk))


def _person(desk: Desk, row: Membership, form: Form, *, status: int = 200) -> Response[Any]:
    email = desk.session.scalar(select(Account.email).where(Account.id == row.account_id))
    renewable = links.renewable(desk.session, row.account_id)
    return desk.page(
        "admin/person.html", status=status, row=row, email=email, form=form,
        own=row.account_id == desk.actor.id, renewable=renewable,
        undelivered=undelivered(desk.session, row.account_id) if renewable else None,
        **_choices(desk),
    )  # fmt: skip


def _choices(desk: Desk) -> dict[str, Any]:
    """Roles with what each may do, and the pairs that are held apart; both from the policy."""
    policy = table()
    offered = offered_roles()
    return {
        "roles": [
            (role.value, desk._(policy.roles[role].title), _abilities(desk, role))
            for role in offered
        ],
        "apart": [
            (policy.roles[a].title, policy.roles[b].title)
            for a, b in policy.apart.pairs
            if a in offered and b in offered
        ],
    }


def _abilities(desk: Desk, role: Role) -> str:
    titles = [
        desk._(entry.title)
        for name, entry in table().permissions.items()
        if role in entry.roles and name != "home"
    ]
    return (", " if desk.language == "en" else "、").join(titles)


def _confirm_end(desk: Desk, row: Membership, form: Form, *, status: int = 200) -> Response[Any]:
    blocked = desk._(OwnRoles.default) if row.account_id == desk.actor.id else ""
    return desk.page(
        "confirm.html",
        block="sheet",
        status=status,
        title=desk._(Message(N_("停用成员「{name}」"), {"name": row.name})),
        effects=[
            desk._(N_("立即失去在本机构的全部权限，其接口令牌一并失效")),
            desk._(N_("经办记录与署名保留，须重新添加后才能再登录本机构")),
            desk._(N_("名下未办结的案件须另行转交")),
        ],
        form=form,
        form_action=people_path(desk, str(row.account_id), "deactivate"),
        action_label=desk._(N_("停用成员")),
        cancel_href=people_path(desk, str(row.account_id)),
        danger=True,
        blocked=blocked,
    )


def _failed(desk: Desk, data: Mapping[str, Any], error: Invalid | Conflict | OwnRoles) -> Form:
    """The form as it came; a refusal that names no field stands at the roles."""
    if isinstance(error, Invalid):
        form = Form.failed(data, error, desk._)
        form.values.setdefault("roles", [])
        return form
    kept = {k: v for k, v in data.items() if isinstance(v, str | list)}
    return Form(kept, {"roles": desk._(error.message)}, desk._(error.message))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
