"""Log-in, accounts, and the members of a firm.

Services do not commit, but for the two that test a password: the tries they count must stand
whatever comes of the request, and no connection waits while a password is hashed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Engine, Select, any_, literal, select, tuple_
from sqlalchemy.exc import IntegrityError

from huiyin.db import ScopedSession, platform_session
from huiyin.identity import throttle
from huiyin.identity.actor import Actor, ActorKind
from huiyin.identity.errors import (
    AlreadyMember,
    LastHolder,
    OwnRoles,
    RolesApart,
    SecondPersonConfirms,
    WrongCredentials,
)
from huiyin.identity.models import Account, Membership
from huiyin.identity.passwords import (
    MAXIMUM,
    MINIMUM,
    NOBODY,
    hash_password,
    outdated,
    verify_password,
)
from huiyin.identity.policy import Role, held_apart, needs_second
from huiyin.identity.sessions import known_roles, open_session, revoke, revoke_all, rotate
from huiyin.kit.errors import Invalid, NotFound
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import clean
from huiyin.kit.time import now

# A firm is never left without these; the order is the order of the complaint.
INDISPENSABLE: Final = (
    Role.TENANT_ADMIN,
    Role.COMPLAINT_OFFICER,
    Role.APPROVER,
    Role.SUPERVISOR,
)
# Held on the platform, never inside a firm.
OUTSIDE: Final = frozenset({Role.PLATFORM_OPERATOR})
PAGE_LIMIT: Final = 200
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_DISTINCT: Final = 5  # characters; fewer is a pattern, not a password


# -- log-in --------------------------------------------------------------------------------


def log_in(
    engine: Engine,
    email: str,
    password: str,
    ip: str,
    agent: str,
    *,
    pepper: bytes,
    previous: str | None = None,
) -> str:
    """Open a session and answer its id; ``previous``, the browser's old id, ends with it.

    Raises ``WrongCredentials``, alike and after the same work whether or not the account
    exists, and ``Throttled``.  Commits by itself.
    """
    address, where = normal_email(email), throttle.network(ip)
    throttle.count_attempt(engine, throttle.LOGIN_NETWORK, where, pepper=pepper)
    throttle.count_attempt(engine, throttle.LOGIN, address, where, pepper=pepper)
    known = _password_hash(engine, Account.email == address)
    right = verify_password(known or NOBODY, password[:MAXIMUM]) and len(password) <= MAXIMUM
    if known is None or not right:
        raise WrongCredentials
    fresh = hash_password(password) if outdated(known) else known
    with platform_session(engine, purpose="log-in") as session:
        account = session.scalars(_enabled(Account.email == address)).one_or_none()
        if account is None:
            raise WrongCredentials
        account.password_hash = fresh
        token = rotate(session, previous, account, agent, now())
        session.commit()
    throttle.clear(engine, throttle.LOGIN, address, where, pepper=pepper)
    throttle.take_back(engine, throttle.LOGIN_NETWORK, where, pepper=pepper)
    return token


def log_out(session: ScopedSession, token: str) -> None:
    """End this browser's session; its id opens nothing from here on."""
    revoke(session, token)


def change_password(
    engine: Engine, account_id: uuid.UUID, current: str, new: str, agent: str, *, pepper: bytes
) -> str:
    """Set a new password, end every session of the person and answer a new id for this one.

    Raises ``Invalid`` at ``current`` or ``new``, and ``Throttled``.  Commits by itself.
    """
    throttle.count_attempt(engine, throttle.PASSWORD, account_id, pepper=pepper)
    known = _password_hash(engine, Account.id == account_id)
    if known is None or not verify_password(known, current[:MAXIMUM]):
        raise Invalid({"current": N_("当前密码不正确")})
    if new == current:
        raise Invalid({"new": N_("新密码须与当前密码不同")})
    with platform_session(engine, purpose="password") as session:
        account = session.scalars(_enabled(Account.id == account_id)).one_or_none()
        if account is None:
            raise NotFound
        check_password(new, account.email, field="new")
        account.password_hash = hash_password(new)
        revoke_all(session, account_id)
        token = open_session(session, account, agent, now())
        session.commit()
    throttle.clear(engine, throttle.PASSWORD, account_id, pepper=pepper)
    return token


def _enabled(*which: ColumnElement[bool]) -> Select[Account]:
    return select(Account).where(*which, Account.disabled_at.is_(None))


def _password_hash(engine: Engine, *which: ColumnElement[bool]) -> str | None:
    with platform_session(engine, purpose="log-in") as session:
        return session.scalar(
            select(Account.password_hash).where(*which, Account.disabled_at.is_(None))
        )


# -- accounts ------------------------------------------------------------------------------


def normal_email(email: str) -> str:
    """The one spelling under which an address is kept and sought."""
    return clean(email).lower()


def check_password(password: str, email: str, *, field: str = "password") -> None:
    """Raises ``Invalid`` at ``field`` for a password too short, too long or too plain."""
    message: Message | None = None
    if len(password) < MINIMUM:
        message = Message(N_("密码至少 {n} 位"), {"n": MINIMUM})
    elif len(password) > MAXIMUM:
        message = Message(N_("密码最多 {n} 位"), {"n": MAXIMUM})
    elif email and password.strip().lower() == email:
        message = Message(N_("密码不能与邮箱相同"))
    elif len(set(password)) < _DISTINCT:
        message = Message(N_("密码过于简单，请使用更多不同的字符"))
    if message:
        raise Invalid({field: message})


def create_account(
    session: ScopedSession, email: str, name: str, password: str, *, language: str = "zh"
) -> Account:
    """A person who can log in.  Raises ``Invalid`` at ``email``, ``name`` or ``password``."""
    address, called = normal_email(email), clean(name)
    if not _EMAIL.fullmatch(address):
        raise Invalid({"email": N_("请填写有效的邮箱地址")})
    if not called:
        raise Invalid({"name": N_("请填写姓名")})
    check_password(password, address)
    account = Account(
        email=address, name=called, password_hash=hash_password(password), language=language
    )
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError:
        raise Invalid({"email": N_("这个邮箱已有账号，可直接添加为成员")}) from None
    return account


def find_account(session: ScopedSession, email: str) -> Account | None:
    """The enabled account of an address, if there is one."""
    return session.scalars(_enabled(Account.email == normal_email(email))).one_or_none()


def disable_account(session: ScopedSession, account_id: uuid.UUID) -> None:
    """Shut a person out of the whole platform, from their next request on."""
    account = session.scalars(_enabled(Account.id == account_id)).one_or_none()
    if account is None:
        raise NotFound
    account.disabled_at = now()
    revoke_all(session, account_id)
    session.flush()


# -- members of a firm ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the list of members."""

    id: uuid.UUID
    account_id: uuid.UUID
    name: str
    email: str
    roles: frozenset[Role]
    department: str
    active: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class MemberPage:
    """``after`` of the next page is ``next``; None on the last one."""

    rows: tuple[Member, ...]
    next: uuid.UUID | None


def members(
    session: ScopedSession, *, after: uuid.UUID | None = None, limit: int = 50, former: bool = False
) -> MemberPage:
    """A page of the firm's members by name, ``former`` ones too if asked; one query."""
    limit = max(1, min(limit, PAGE_LIMIT))
    statement = (
        select(
            Membership.id,
            Membership.account_id,
            Membership.name,
            Account.email,
            Membership.roles,
            Membership.department,
            Membership.active,
            Membership.since,
        )
        .join(Account, Account.id == Membership.account_id)
        .order_by(Membership.name, Membership.id)
        .limit(limit + 1)
    )
    if not former:
        statement = statement.where(Membership.active)
    if after is not None:
        last = select(Membership.name, Membership.id).where(Membership.id == after)
        statement = statement.where(tuple_(Membership.name, Membership.id) > last.scalar_subquery())
    rows = [
        Member(r.id, r.account_id, r.name, r.email, known_roles(r.roles), *r[5:])
        for r in session.execute(statement)
    ]
    more = len(rows) > limit
    return MemberPage(tuple(rows[:limit]), rows[limit - 1].id if more else None)


def check_roles(roles: Iterable[Role]) -> list[str]:
    """The roles as they are stored.  Raises ``Invalid`` or ``RolesApart`` at ``roles``."""
    chosen = frozenset(roles)
    if not chosen:
        raise Invalid({"roles": N_("请至少选择一个角色")})
    if chosen & OUTSIDE:
        raise Invalid({"roles": N_("平台运营不能兼任机构成员，请选择机构内的角色")})
    for a, b in held_apart(chosen):
        raise RolesApart(a, b)
    return sorted(role.value for role in chosen)


def add_membership(
    session: ScopedSession,
    account_id: uuid.UUID,
    roles: Iterable[Role],
    *,
    actor: Actor,
    name: str = "",
    department: str = "",
) -> Membership:
    """Bind a person to the firm, or back to it; ``name`` defaults to the account's.

    Raises ``NotFound``, ``OwnRoles``, ``RolesApart``, ``Invalid`` or ``AlreadyMember``.
    """
    may_change_people(session, actor, account_id)
    chosen = check_roles(roles)
    _alone(actor, (), chosen)
    account = session.scalars(_enabled(Account.id == account_id)).one_or_none()
    if account is None:
        raise NotFound
    row = session.scalars(_membership_of(account_id)).one_or_none()
    if row is not None and row.active:
        raise AlreadyMember
    if row is None:
        row = Membership(account_id=account_id)
    row.name, row.department = clean(name) or account.name, clean(department)
    row.roles, row.active, row.since = chosen, True, now()
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise AlreadyMember from None
    return row


def change_roles(
    session: ScopedSession,
    account_id: uuid.UUID,
    roles: Iterable[Role],
    *,
    actor: Actor,
    department: str | None = None,
) -> Membership:
    """Give a member other roles; the person logs in anew to use them.

    Raises ``NotFound``, ``OwnRoles``, ``RolesApart``, ``Invalid`` or ``LastHolder``.
    """
    may_change_people(session, actor, account_id)
    chosen = check_roles(roles)
    row = active_member(session, account_id)
    refuse_last(session, row, set(row.roles) - set(chosen))
    _alone(actor, row.roles, chosen)
    if set(row.roles) != set(chosen):
        row.roles = chosen
        revoke_all(session, account_id)
    if department is not None:
        row.department = clean(department)
    session.flush()
    return row


def deactivate(session: ScopedSession, account_id: uuid.UUID, *, actor: Actor) -> Membership:
    """End a person's membership; what they did stays in their name.

    Raises ``NotFound``, ``OwnRoles``, or ``LastHolder`` while nobody succeeds them.
    """
    may_change_people(session, actor, account_id)
    row = active_member(session, account_id)
    refuse_last(session, row, set(row.roles))
    _alone(actor, row.roles, ())
    row.active = False
    session.flush()
    return row


def _alone(actor: Actor, before: Iterable[str], after: Iterable[str]) -> None:
    """Raises ``SecondPersonConfirms``: such a change goes through ``huiyin.identity.grants``."""
    if actor.kind is ActorKind.SYSTEM:
        return
    for role in sorted(needs_second(known_roles(before), known_roles(after))):
        raise SecondPersonConfirms(role)


def may_change_people(session: ScopedSession, actor: Actor, account_id: uuid.UUID) -> None:
    if actor.tenant_id != session.tenant:
        raise NotFound
    if actor.kind is not ActorKind.SYSTEM and not actor.can("admin.people"):
        raise NotFound
    if actor.id == account_id:
        raise OwnRoles


def _membership_of(account_id: uuid.UUID) -> Select[Membership]:
    return select(Membership).where(Membership.account_id == account_id).with_for_update()


def active_member(session: ScopedSession, account_id: uuid.UUID) -> Membership:
    # All of them, always in this order: two admins who remove each other's last colleague
    # must meet here, and without a deadlock.
    session.execute(
        select(Membership.id).where(Membership.active).order_by(Membership.id).with_for_update()
    ).all()
    row = session.scalars(
        _membership_of(account_id).execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or not row.active:
        raise NotFound
    return row


def refuse_last(session: ScopedSession, row: Membership, leaving: set[str]) -> None:
    for role in INDISPENSABLE:
        if role.value not in leaving:
            continue
        successor = session.scalar(
            select(Membership.id)
            .join(Account, Account.id == Membership.account_id)
            .where(
                Membership.active,
                Membership.account_id != row.account_id,
                literal(role.value) == any_(Membership.roles),
                Account.disabled_at.is_(None),
            )
            .limit(1)
        )
        if successor is None:
            raise LastHolder(role)
