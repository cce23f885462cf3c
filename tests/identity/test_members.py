"""Members: roles held apart, nobody's own roles, nobody irreplaceable."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from huiyin.db import platform_session, tenant_session
from huiyin.identity import service, sessions
from huiyin.identity.actor import system_actor
from huiyin.identity.errors import AlreadyMember, LastHolder, OwnRoles, RolesApart
from huiyin.identity.models import Account
from huiyin.identity.policy import Role, table
from huiyin.identity.service import INDISPENSABLE
from huiyin.kit.errors import Invalid, NotFound
from huiyin.kit.time import now
from huiyin.testing import factories

ROLES = {Role.INVESTIGATOR}


@pytest.fixture
def chief(make_actor):
    return make_actor("tenant_admin", name="周启明")


@pytest.fixture
def firm(engine, tenant, chief):
    with tenant_session(engine, tenant.id, actor_id=chief.id) as session:
        yield session


@pytest.fixture
def person(engine):
    return factories.make_account(engine, name="何雨")


def test_a_person_becomes_a_member_under_their_own_name(firm, chief, person):
    row = service.add_membership(firm, person.id, ROLES, actor=chief, department=" 合规部 ")
    assert (row.name, row.roles, row.department) == ("何雨", ["investigator"], "合规部")
    with pytest.raises(AlreadyMember):
        service.add_membership(firm, person.id, ROLES, actor=chief)


def test_the_system_may_bring_in_the_first_members(firm, tenant, person):
    service.add_membership(firm, person.id, {Role.TENANT_ADMIN}, actor=system_actor(tenant.id))


@pytest.mark.parametrize("pair", table().apart.pairs, ids=str)
def test_roles_held_apart_are_refused_together(firm, chief, person, pair):
    with pytest.raises(RolesApart):
        service.add_membership(firm, person.id, pair, actor=chief)
    for role in pair:
        service.check_roles([role])


@pytest.mark.parametrize("roles", [set(), {Role.PLATFORM_OPERATOR}])
def test_no_role_and_a_role_of_the_platform_are_refused(firm, chief, person, roles):
    with pytest.raises(Invalid) as refused:
        service.add_membership(firm, person.id, roles, actor=chief)
    assert list(refused.value.fields) == ["roles"]


def test_nobody_changes_their_own_place(firm, chief, make_actor):
    make_actor("tenant_admin")
    roles = {Role.TENANT_ADMIN, Role.EXECUTIVE_VIEWER}
    for act in (
        lambda: service.add_membership(firm, chief.id, roles, actor=chief),
        lambda: service.change_roles(firm, chief.id, roles, actor=chief),
        lambda: service.deactivate(firm, chief.id, actor=chief),
    ):
        with pytest.raises(OwnRoles):
            act()


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.TENANT_ADMIN])
def test_only_those_who_manage_people_do(firm, make_actor, person, role):
    with pytest.raises(NotFound):
        service.add_membership(firm, person.id, ROLES, actor=make_actor(role.value))


def test_the_admin_of_another_firm_manages_nobody_here(firm, make_actor, make_tenant, person):
    stranger = make_actor("tenant_admin", of=make_tenant("yuancen"))
    with pytest.raises(NotFound):
        service.add_membership(firm, person.id, ROLES, actor=stranger)


def test_another_firms_member_is_not_there(firm, chief, make_actor, make_tenant):
    theirs = make_actor("investigator", of=make_tenant("yuancen"))
    with pytest.raises(NotFound):
        service.change_roles(firm, theirs.id, ROLES, actor=chief)
    with pytest.raises(NotFound):
        service.deactivate(firm, theirs.id, actor=chief)


def test_new_roles_ask_for_a_new_log_in(engine, firm, chief, make_actor):
    member = make_actor("investigator")
    with platform_session(engine) as platform:
        token = sessions.open_session(
            platform, platform.get_one(Account, member.id), "Firefox", now()
        )
        platform.commit()
    service.change_roles(firm, member.id, ROLES, actor=chief, department="调查部")
    assert sessions.resolve(firm, token).membership.department == "调查部"
    service.change_roles(firm, member.id, {Role.EXECUTIVE_VIEWER}, actor=chief)
    assert sessions.resolve(firm, token) is None


def test_roles_held_apart_are_refused_in_a_change_too(firm, chief, make_actor):
    member = make_actor("investigator")
    with pytest.raises(RolesApart):
        service.change_roles(firm, member.id, {Role.INVESTIGATOR, Role.APPROVER}, actor=chief)


@pytest.mark.parametrize("role", INDISPENSABLE)
def test_the_last_of_an_indispensable_role_stays_until_succeeded(firm, tenant, make_actor, role):
    last = make_actor(role.value)
    actor = system_actor(tenant.id)
    if role is Role.TENANT_ADMIN:  # the fixture's administrator goes first
        for row in service.members(firm).rows:
            if row.account_id != last.id:
                service.deactivate(firm, row.account_id, actor=actor)
    with pytest.raises(LastHolder):
        service.deactivate(firm, last.id, actor=actor)
    with pytest.raises(LastHolder):
        service.change_roles(firm, last.id, {Role.EXECUTIVE_VIEWER}, actor=actor)
    make_actor(role.value)
    service.deactivate(firm, last.id, actor=actor)


def test_a_disabled_colleague_succeeds_nobody(engine, firm, tenant, make_actor):
    first, second = make_actor("supervisor"), make_actor("supervisor")
    with platform_session(engine) as platform:
        service.disable_account(platform, second.id)
        platform.commit()
    with pytest.raises(LastHolder):
        service.deactivate(firm, first.id, actor=system_actor(tenant.id))


def test_two_who_leave_at_once_wait_for_each_other(engine, firm, tenant, make_actor):
    first, second = make_actor("supervisor"), make_actor("supervisor")
    actor = system_actor(tenant.id)
    service.deactivate(firm, first.id, actor=actor)
    with tenant_session(engine, tenant.id) as other:
        other.execute(text("SET LOCAL lock_timeout = '20ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            service.deactivate(other, second.id, actor=actor)
        other.rollback()
        firm.commit()
        with pytest.raises(LastHolder):
            service.deactivate(other, second.id, actor=actor)


def test_who_left_comes_back_with_the_roles_given_then(firm, chief, make_actor):
    member = make_actor("investigator")
    service.deactivate(firm, member.id, actor=chief)
    with pytest.raises(NotFound):
        service.deactivate(firm, member.id, actor=chief)
    row = service.add_membership(firm, member.id, {Role.EXECUTIVE_VIEWER}, actor=chief)
    assert (row.active, row.roles) == (True, ["executive_viewer"])


def test_a_disabled_account_joins_nowhere(engine, firm, chief, person):
    with platform_session(engine) as platform:
        service.disable_account(platform, person.id)
        platform.commit()
    with pytest.raises(NotFound):
        service.add_membership(firm, person.id, ROLES, actor=chief)


def test_the_list_pages_through_everybody_once_and_nobody_of_other_firms(
    firm, chief, make_actor, make_tenant
):
    made = [make_actor("investigator", name=f"成员{n % 3}").id for n in range(7)]
    make_actor("investigator", name="成员1", of=make_tenant("yuancen"))
    gone = make_actor("investigator", name="离任").id
    service.deactivate(firm, gone, actor=chief)
    seen, after = [], None
    while True:
        page = service.members(firm, after=after, limit=3)
        assert len(page.rows) <= 3
        seen += page.rows
        after = page.next
        if after is None:
            break
    assert [(m.name, m.id) for m in seen] == sorted((m.name, m.id) for m in seen)
    assert sorted(m.account_id for m in seen) == sorted([chief.id, *made])
    former = service.members(firm, former=True).rows
    assert {m.account_id for m in former if not m.active} == {gone}
