"""Open lines of the product: who gets one, and how many."""

from contextlib import ExitStack, contextmanager

import pytest
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler
from litestar.testing import TestClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from huiyin.db import tenant_session
from huiyin.identity.policy import PUBLIC, Role, known_permissions
from huiyin.kit.errors import NotFound, Throttled, Unauthenticated
from huiyin.parties.models import Fund
from huiyin.web.doorkeeper import Doorkeeper, Full
from huiyin.web.live import live
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


# -- how one goes on --


@pytest.fixture
def line_of(site, tenant):
    """``with line_of(handler, …) as line``: an open line of a handler made for the test."""

    @contextmanager
    def dial(handler, **terms):
        made = live("/line", name="test:line", permission=PUBLIC, **terms)(handler)
        app = Litestar(
            [Router("/p/{tenant:str}", route_handlers=[made])],
            dependencies={"site": Provide(lambda: site, sync_to_thread=False)},
        )
        with TestClient(app).websocket_connect("/p/qinghe/line", headers=ORIGIN) as line:
            yield line

    return dial


def end_of(line):
    """What came before the end, and the code of the end."""
    got = []
    try:
        while True:
            got.append(line.receive_json())
    except WebSocketDisconnect as fault:
        return got, fault.code


def test_silence_ends_it(line_of):
    with line_of(lambda *_: (), idle=0.01) as line:
        assert end_of(line) == ([], 4408)


def test_what_it_answers_leaves_after_the_commit(line_of, engine, tenant):
    def keep(desk, line, heard):
        if heard.frame is None:
            return ()
        desk.session.add(Fund(name=heard.frame["name"], short_name="三号", filing_code="S1"))
        return [{"kept": heard.frame["name"]}]

    with line_of(keep) as line:
        line.send_json({"name": "稳进三号"})
        assert line.receive_json() == {"kept": "稳进三号"}
        with tenant_session(engine, tenant.id) as session:
            assert session.scalars(select(Fund.name)).all() == ["稳进三号"]


def test_a_refusal_takes_everything_back_and_the_line_stays(line_of, engine, tenant):
    def refuse(desk, line, heard):
        if heard.frame is None:
            return ()
        desk.session.add(Fund(name="不该留下", short_name="x", filing_code="S2"))
        desk.session.flush()
        raise Throttled(7)

    with line_of(refuse) as line:
        for n in range(2):
            line.send_json({"id": n})
            told = line.receive_json()
            assert (told["type"], told["re"], told["code"]) == ("refused", n, "throttled")
            assert told["after"] == 7
    with tenant_session(engine, tenant.id) as session:
        assert session.scalars(select(Fund)).all() == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (NotFound(), 4404), (Unauthenticated(), 4401), (RuntimeError("secret words"), 1011),
        (OperationalError("secret words", None, Exception()), 1013),
    ],
    ids=["gone", "logged-out", "bug", "database"],
)  # fmt: skip
def test_a_fault_ends_it_with_a_code_and_no_words(line_of, fault, code, caplog):
    def fail(desk, line, heard):
        raise fault

    with line_of(fail) as line:
        assert end_of(line) == ([], code)
    assert "secret words" not in caplog.text


def test_a_second_try_begins_with_the_memory_of_the_first(line_of):
    tries = []

    def twice(desk, line, heard):
        tries.append(dict(line.memory))
        line.memory["n"] = line.memory.get("n", 0) + 1
        if len(tries) == 1:
            raise IntegrityError("", None, Exception())
        return [{"n": line.memory["n"]}]

    with line_of(twice) as line:
        assert line.receive_json() == {"n": 1}
    assert tries == [{}, {}]


def test_it_ends_itself_after_what_it_says(line_of):
    def bye(desk, line, heard):
        line.close(4000, "bye")
        return [{"last": True}]

    with line_of(bye) as line:
        assert end_of(line) == ([{"last": True}], 4000)


def test_what_two_wrote_at_once_is_refused_after_a_second_try(line_of):
    def collide(desk, line, heard):
        raise IntegrityError("", None, Exception())

    with line_of(collide) as line:
        assert line.receive_json()["code"] == "conflict"


def asked(calls):
    def count(desk, line, heard):
        calls.append(heard.kind)
        return [{"type": "told"}] if heard.kind == "say" else ()

    return count


def test_a_beat_is_answered_without_a_look_until_it_is_time_for_one(line_of, monkeypatch):
    calls = []
    with line_of(asked(calls)) as line:
        for _ in range(3):
            line.send_json({"type": "beat"})
            assert line.receive_json() == {"type": "beat"}
        assert calls == [None]
        monkeypatch.setattr("huiyin.web.live.LOOK", 0.0)
        line.send_json({"type": "beat"})
        assert line.receive_json() == {"type": "beat"}
    assert calls == [None, "beat"]


def test_what_may_come_rarely_is_dropped_in_between(line_of):
    calls = []
    with line_of(asked(calls), rarely={"typing": 60.0}) as line:
        for kind in ("typing", "typing", "say", "typing", "say"):
            line.send_json({"type": kind})
        for _ in range(2):
            line.receive_json()
    assert calls == [None, "typing", "say", "say"]


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


def test_visitors_cannot_keep_out_those_who_answer_them():
    door = Doorkeeper(per_address=9, in_all=3, for_members=1)
    with ExitStack() as stays:
        for _ in range(2):
            stays.enter_context(door.public("192.0.2.1", "qinghe"))
        with pytest.raises(Full), door.public("192.0.2.2", "yuancen"):
            pass
        stays.enter_context(door.public("192.0.2.3", "qinghe", counted=False))
