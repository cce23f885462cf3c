"""The directory shows a person their firms, and nobody another's."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from huiyin.db import platform_session, tenant_session
from huiyin.identity import service
from huiyin.identity.actor import system_actor
from huiyin.identity.directory import memberships_of
from huiyin.identity.models import Membership
from huiyin.identity.policy import Role
from huiyin.kit.errors import NotFound
from huiyin.testing import factories


@pytest.fixture
def person(engine, tenant, make_tenant):
    """In two firms under one account."""
    account = factories.make_account(engine, name="林若水")
    for firm, role in ((tenant, Role.APPROVER), (make_tenant("yuancen"), Role.SUPERVISOR)):
        with tenant_session(engine, firm.id) as session:
            service.add_membership(session, account.id, {role}, actor=system_actor(firm.id))
            session.commit()
    return account


def test_a_person_sees_each_of_their_firms(engine, person):
    with platform_session(engine) as session:
        firms = memberships_of(session, person.id)
    assert [(f.slug, f.roles) for f in firms] == [
        ("qinghe", {Role.APPROVER}),
        ("yuancen", {Role.SUPERVISOR}),
    ]


def test_a_membership_that_ended_and_a_suspended_firm_are_left_out(engine, person, tenant):
    with tenant_session(engine, tenant.id) as session:
        session.scalars(select(Membership)).one().active = False
        session.commit()
    with platform_session(engine) as session:
        assert [f.slug for f in memberships_of(session, person.id)] == ["yuancen"]


def test_a_session_that_acts_for_somebody_lists_nobody_else(engine, person, actor):
    with platform_session(engine) as session:
        memberships_of(session, actor.id)
        with pytest.raises(NotFound):
            memberships_of(session, person.id)


def test_the_database_refuses_it_by_itself(engine, person, actor):
    with platform_session(engine) as session:
        listed = select(func.count()).select_from(
            func.directory_memberships(person.id).table_valued("tenant_id")
        )
        assert session.scalar(listed) == 0
        session.act_as(actor.id)
        assert session.scalar(listed) == 0
        session.act_as(person.id)
        assert session.scalar(listed) == 2
