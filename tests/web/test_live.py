"""Open lines of the product: who gets one, and how many."""

from contextlib import ExitStack

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from huiyin.identity.policy import PUBLIC, Role, known_permissions
from huiyin.web.doorkeeper import Doorkeeper, Full
from huiyin.web.routes import MARK

ROLES = tuple(role.value for role in Role)
ORIGIN = {"origin": "http://testserver.local", "host": "testserver.local"}


@pytest.fixture
def lines(place):
    """Path and permission of every open line."""
    found = [
        (route.path, route.route_handler.opt[MARK])
        for route in place.routes
        if isinstance(getattr(route, "route_handler", None), WebsocketRouteHandler)
    ]
    assert len(found) >= 2
    return found


def lets_in(browser, path, **headers):
    try:
        with browser.http.websocket_connect(path, headers={**ORIGIN, **headers}):
            return True
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize("role", ROLES)
def test_a_line_is_for_exactly_whom_the_table_names(role, lines, tenant, come):
    person, known = come(role).person, known_permissions()
    for path, permission in lines:
        allowed = permission == PUBLIC or Role(role) in known[permission]
        assert lets_in(person, path.replace("{tenant:str}", "qinghe")) is allowed, path


def test_another_firm_and_nobody_get_none(lines, tenant, make_tenant, come, public):
    make_tenant("wanlan", number_prefix="WL", plugins=())
    stranger = come(*ROLES).person
    for path, permission in lines:
        assert not lets_in(stranger, path.replace("{tenant:str}", "wanlan")), path
        assert not lets_in(stranger, path.replace("{tenant:str}", "nobody")), path
        ours = path.replace("{tenant:str}", "qinghe")
        assert lets_in(public, ours) is (permission == PUBLIC)


@pytest.mark.parametrize(
    "origin", ["https://evil.test", "http://testserver.local.evil.test", "null", ""]
)
def test_another_sites_page_gets_none(origin, lines, tenant, come):
    person = come(*ROLES).person
    for path, _ in lines:
        assert not lets_in(person, path.replace("{tenant:str}", "qinghe"), origin=origin)


# -- how many --


@pytest.fixture
def enter():
    """``enter(door, address, firm)``: a line that stays open."""
    with ExitStack() as stays:
        yield lambda door, *given: stays.enter_context(door.public(*given))


def test_an_address_and_a_firm_have_so_many_each(enter):
    door = Doorkeeper(per_address=2, per_firm=3)
    with door.public("192.0.2.1", "qinghe"):
        enter(door, "192.0.2.1", "qinghe")
        with pytest.raises(Full):
            enter(door, "192.0.2.1", "qinghe")
        enter(door, "192.0.2.2", "qinghe")
        with pytest.raises(Full):
            enter(door, "192.0.2.3", "qinghe")
        enter(door, "192.0.2.3", "yuancen")
    enter(door, "192.0.2.1", "qinghe")
    assert len(door) == 4


def test_one_household_of_ipv6_is_one_address(enter):
    door = Doorkeeper(per_address=1)
    enter(door, "2001:db8:0:1::1", "qinghe")
    with pytest.raises(Full):
        enter(door, "2001:db8:0:1:ffff::2", "qinghe")
    enter(door, "2001:db8:0:2::1", "qinghe")
    enter(door, "::ffff:192.0.2.1", "qinghe")
    with pytest.raises(Full):
        enter(door, "192.0.2.1", "qinghe")
    enter(door, "odd", "qinghe")
    with pytest.raises(Full):
        enter(door, "odder", "qinghe")


def test_members_are_counted_by_themselves_and_nothing_is_remembered():
    door = Doorkeeper(per_address=1, per_member=2)
    with ExitStack() as stays:
        for _ in range(2):
            stays.enter_context(door.public("192.0.2.1", "qinghe", counted=False))
            stays.enter_context(door.member("a"))
        with pytest.raises(Full), door.member("a"):
            pass
        stays.enter_context(door.member("b"))
        assert len(door) == 2
    assert len(door) == 0
    assert not door._open
