"""Nobody becomes an approver or a supervisor by the administrator's word alone."""

import pytest
from sqlalchemy import select

from huiyin.db import platform_session, tenant_session
from huiyin.identity import service
from huiyin.identity.errors import RolesApart, SecondPersonConfirms
from huiyin.identity.models import Membership, RoleGrant
from huiyin.identity.policy import Role
from huiyin.identity.service import find_account
from huiyin.ledger.models import LedgerEntry
from huiyin.ledger.service import append
from huiyin.testing.factories import make_account

PEOPLE = "/t/qinghe/admin/people"
GRANTS = "/t/qinghe/admin/grants"
NEW = {"email": "second@qinghe.test", "name": "林二", "roles": "approver"}


@pytest.fixture
def web_plugins():
    return ()


@pytest.fixture
def chief(make_actor):
    return make_actor("tenant_admin", name="林之航")


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def inside(engine, tenant):
    return lambda: tenant_session(engine, tenant.id)


@pytest.fixture
def asked(web, chief, approver):
    """The administrator has asked for a new approver."""
    return web(chief).post(f"{PEOPLE}/new", NEW)


def roles_of(inside, account_id):
    with inside() as session:
        row = session.scalar(select(Membership).where(Membership.account_id == account_id))
        return (set(row.roles), row.active) if row else None


def account_of(engine, email):
    with platform_session(engine) as session:
        return find_account(session, email).id


def grant(inside):
    with inside() as session:
        return session.scalars(select(RoleGrant).order_by(RoleGrant.asked_at.desc())).first()


def kinds(inside):
    with inside() as session:
        return list(
            session.scalars(
                select(LedgerEntry.kind)
                .where(LedgerEntry.kind.startswith("member"))
                .order_by(LedgerEntry.seq)
            )
        )


def decide(browser, inside, decision, **fields):
    return browser.post(f"{GRANTS}/{grant(inside).id}", {"decision": decision, **fields})


def test_a_new_approver_is_nobody_until_somebody_else_confirms(
    asked, engine, inside, web, approver, chief
):
    person = account_of(engine, NEW["email"])
    assert asked.status_code == 200
    assert "确认后生效" in asked.text
    assert roles_of(inside, person) is None
    assert "林二" in web(chief).get(PEOPLE).text
    judge = web(approver)
    assert "林二" in judge.get(GRANTS).text
    assert decide(judge, inside, "confirm").status_code == 303
    assert roles_of(inside, person) == ({"approver"}, True)
    assert kinds(inside) == ["member.grant_asked", "member.grant_confirmed"]
    assert decide(judge, inside, "confirm").status_code == 409


def test_what_is_sent_back_leaves_everything_as_it_was(asked, engine, inside, web, approver):
    judge = web(approver)
    assert decide(judge, inside, "refuse").status_code == 422
    assert decide(judge, inside, "refuse", reason="与管理员同一人").status_code == 303
    assert roles_of(inside, account_of(engine, NEW["email"])) is None
    assert kinds(inside) == ["member.grant_asked", "member.grant_refused"]
    assert decide(judge, inside, "confirm").status_code == 409


def test_the_administrator_and_the_person_concerned_confirm_nothing(
    asked, inside, web, chief, approver, make_actor
):
    assert decide(web(chief), inside, "confirm").status_code == 404
    assert web(make_actor("complaint_officer")).get(GRANTS).status_code == 404
    admin = web(chief)
    make_actor("approver")
    admin.post(f"{PEOPLE}/{approver.id}", {"roles": "supervisor"})
    with inside() as session:
        own = session.scalars(select(RoleGrant).where(RoleGrant.account_id == approver.id)).one()
    refused = web(approver).post(f"{GRANTS}/{own.id}", {"decision": "confirm"})
    assert refused.status_code == 403
    assert roles_of(inside, approver.id) == ({"approver"}, True)


def test_an_account_the_same_administrator_made_and_nobody_confirmed_confirms_nothing(
    asked, inside, web, chief, make_actor
):
    puppet = make_actor("supervisor", name="傀儡")
    with inside() as session:
        row = session.scalars(select(Membership).where(Membership.account_id == puppet.id)).one()
        append(
            session, kind="member.added", object_id=row.id, actor_id=chief.id,
            facts={"account": puppet.id, "roles": row.roles},
        )  # fmt: skip
        session.commit()
    assert decide(web(puppet), inside, "confirm").status_code == 403
    assert grant(inside).state == "asked"


@pytest.mark.parametrize(
    ("path", "fields", "after"),
    [
        ("", {"roles": "investigator"}, ({"investigator"}, True)),
        ("/deactivate", {}, ({"supervisor"}, False)),
    ],
)
def test_a_supervisor_is_removed_by_two(
    inside, web, chief, approver, make_actor, path, fields, after
):
    watcher = make_actor("supervisor")
    make_actor("supervisor")
    done = web(chief).post(f"{PEOPLE}/{watcher.id}{path}", fields)
    assert done.status_code == 303
    assert roles_of(inside, watcher.id) == ({"supervisor"}, True)
    assert decide(web(approver), inside, "confirm").status_code == 303
    assert roles_of(inside, watcher.id) == after


def test_roles_that_changed_meanwhile_are_not_overwritten(inside, web, chief, approver, make_actor):
    person = make_actor("investigator")
    admin = web(chief)
    admin.post(f"{PEOPLE}/{person.id}", {"roles": "approver"})
    admin.post(f"{PEOPLE}/{person.id}", {"roles": "executive_viewer"})
    assert decide(web(approver), inside, "confirm").status_code == 409
    assert roles_of(inside, person.id) == ({"executive_viewer"}, True)


def test_a_second_request_for_the_same_person_waits(asked, web, chief, inside):
    again = web(chief).post(f"{PEOPLE}/new", NEW)
    assert again.status_code == 409
    assert "待确认" in again.text


def test_where_nobody_can_confirm_the_request_says_so(web, chief, inside):
    page = web(chief).post(f"{PEOPLE}/new", NEW)
    assert page.status_code == 409
    assert "没有可以确认此项任免的审批人或监督" in page.text
    assert grant(inside) is None


def test_below_the_pages_too_the_administrator_appoints_no_judge(engine, inside, chief):
    person = make_account(engine)
    with inside() as session:
        with pytest.raises(SecondPersonConfirms):
            service.add_membership(session, person.id, {Role.SUPERVISOR}, actor=chief)
        service.add_membership(session, person.id, {Role.INVESTIGATOR}, actor=chief)
        with pytest.raises(SecondPersonConfirms):
            service.change_roles(session, person.id, {Role.APPROVER}, actor=chief)


def test_the_administrator_handles_no_complaints(engine, inside, chief):
    with inside() as session, pytest.raises(RolesApart):
        service.add_membership(
            session, make_account(engine).id, {Role.TENANT_ADMIN, Role.COMPLAINT_OFFICER},
            actor=chief,
        )  # fmt: skip
