"""Appointments of those who judge: asked for by the administrator, confirmed by somebody else.

What waits gives nobody anything: the person keeps, or lacks, what they had before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from huiyin.db import ScopedSession
from huiyin.identity.actor import Actor, system_actor
from huiyin.identity.errors import AlreadyAsked, AlreadyMember, NobodyConfirms
from huiyin.identity.models import Account, Membership, RoleGrant
from huiyin.identity.policy import Role, permissions_of
from huiyin.identity.service import (
    active_member,
    add_membership,
    change_roles,
    check_roles,
    deactivate,
    may_change_people,
    refuse_last,
)
from huiyin.identity.sessions import known_roles
from huiyin.kit.errors import Conflict, Invalid, NotFound, Refused
from huiyin.kit.i18n import N_, Message
from huiyin.kit.text import clean
from huiyin.kit.time import now

CONFIRM: Final = "people.confirm"


class GrantState(StrEnum):
    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


def pending(session: ScopedSession) -> Sequence[RoleGrant]:
    """What waits, oldest first."""
    return session.scalars(
        select(RoleGrant)
        .where(RoleGrant.state == GrantState.ASKED)
        .order_by(RoleGrant.asked_at, RoleGrant.id)
        .limit(200)
    ).all()


def ask(
    session: ScopedSession,
    actor: Actor,
    account_id: uuid.UUID,
    roles: Iterable[Role],
    *,
    name: str = "",
    department: str | None = None,
) -> RoleGrant:
    """Ask for these roles for a person, a member or not; no roles ask for the membership's end.

    Raises what the change itself would raise, ``AlreadyAsked``, or ``NobodyConfirms``.
    """
    may_change_people(session, actor, account_id)
    wanted = frozenset(roles)
    chosen = check_roles(wanted) if wanted else []
    row = _member(session, account_id)
    if name and row is not None and row.active:
        raise AlreadyMember
    former = sorted(row.roles) if row is not None and row.active else []
    if former:
        row = active_member(session, account_id)
        refuse_last(session, row, set(former) - set(chosen))
    grant = RoleGrant(
        account_id=account_id,
        name=clean(name) or (row.name if row else ""),
        department=clean(department) if department is not None else row.department if row else "",
        former=former,
        roles=chosen,
        asked_by=actor.id,
        asked_name=actor.name,
    )
    if not any(_may_judge(person, grant) for person in _confirmers(session)):
        raise NobodyConfirms
    try:
        with session.begin_nested():
            session.add(grant)
    except IntegrityError:
        raise AlreadyAsked from None
    return grant


def _member(session: ScopedSession, account_id: uuid.UUID) -> Membership | None:
    return session.scalar(select(Membership).where(Membership.account_id == account_id))


def _confirmers(session: ScopedSession) -> Sequence[Membership]:
    rows = session.scalars(
        select(Membership)
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.active, Account.disabled_at.is_(None))
    )
    return [row for row in rows if CONFIRM in permissions_of(known_roles(row.roles))]


def _may_judge(person: Membership, grant: RoleGrant) -> bool:
    return person.account_id not in {grant.asked_by, grant.account_id}


def confirm(session: ScopedSession, actor: Actor, grant_id: uuid.UUID) -> RoleGrant:
    """Let what was asked for hold.  Raises ``Refused`` for the asker and the person concerned,
    ``Conflict`` when it was decided already or the person's roles have changed since."""
    grant = _open(session, actor, grant_id)
    row = _member(session, grant.account_id)
    held = sorted(row.roles) if row is not None and row.active else []
    if held != sorted(grant.former):
        raise Conflict(N_("此人的角色在申请之后已有变更，请退回后重新申请"))
    roles, system = known_roles(grant.roles), system_actor(session.tenant)
    if not roles:
        deactivate(session, grant.account_id, actor=system)
    elif held:
        change_roles(session, grant.account_id, roles, actor=system, department=grant.department)
    else:
        add_membership(
            session, grant.account_id, roles, actor=system, name=grant.name,
            department=grant.department,
        )  # fmt: skip
    return _decide(session, actor, grant, GrantState.CONFIRMED)


def refuse(session: ScopedSession, actor: Actor, grant_id: uuid.UUID, reason: str) -> RoleGrant:
    """Leave everything as it is, and say why."""
    if not reason:
        raise Invalid({"reason": Message(N_("请写明理由"))})
    grant = _open(session, actor, grant_id)
    grant.reason = reason
    return _decide(session, actor, grant, GrantState.REFUSED)


def _open(session: ScopedSession, actor: Actor, grant_id: uuid.UUID) -> RoleGrant:
    if actor.tenant_id != session.tenant or not actor.can(CONFIRM):
        raise NotFound
    grant = session.scalar(
        select(RoleGrant)
        .where(RoleGrant.id == grant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if grant is None:
        raise NotFound
    if actor.id in {grant.asked_by, grant.account_id}:
        raise Refused(N_("须由申请人和当事人以外的现任审批人或监督确认"))
    if grant.state != GrantState.ASKED:
        raise Conflict(N_("这项任免已有决定，请刷新页面"))
    return grant


def _decide(session: ScopedSession, actor: Actor, grant: RoleGrant, state: GrantState) -> RoleGrant:
    grant.state, grant.decided_at = state.value, now()
    grant.decided_by, grant.decided_name = actor.id, actor.name
    session.flush()
    return grant


def confirmed_once(session: ScopedSession, account_id: uuid.UUID) -> bool:
    """Whether a second person ever confirmed an appointment of this account."""
    known = session.scalar(
        select(RoleGrant.id)
        .where(RoleGrant.account_id == account_id, RoleGrant.state == GrantState.CONFIRMED)
        .limit(1)
    )
    return known is not None
