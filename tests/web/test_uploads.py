"""Files are read only from somebody who may send them."""

import pytest

from huiyin.db import tenant_session
from huiyin.evidence import service
from huiyin.identity.policy import PUBLIC, Role
from huiyin.plugins.loading import SHIPPED
from huiyin.tenancy.models import PluginActivation

# No form of files at all: whoever reads it answers 422.
GARBAGE = {
    "content": b"garbage",
    "headers": {
        "Content-Type": "multipart/form-data; boundary=x",
        "Sec-Fetch-Site": "same-origin",
    },
}
# Where no role helps: there it takes a visit, a secret of the browser, or a signature.
NOT_BY_ROLE = {"channel_web:hand_in", "channel_phone:api_recording", "channel_chat:send_file"}
ROLES = tuple(role.value for role in Role)


@pytest.fixture
def uploads(routes):
    found = [route for route in routes if route.upload]
    assert len(found) > 8
    return found


@pytest.fixture
def send(ours):
    """``send(browser, route, tenant="…")``: the status and where it leads."""

    def act(browser, route, headers=None, **changes):
        given = {**GARBAGE, "headers": {**GARBAGE["headers"], **(headers or {})}}
        answer = browser.ask("POST", route.at(**{**ours.known, **changes}), **given)
        return answer.status_code, answer.headers.get("location", "")

    return act


def test_whoever_may_is_read(uploads, come, send):
    person = come(*ROLES).person
    for route in uploads:
        if route.name not in NOT_BY_ROLE:
            assert send(person, route)[0] == 422, route


def test_nobody_is_sent_to_log_in_unread(uploads, public, send):
    for route in uploads:
        if route.permission != PUBLIC:
            assert send(public, route) == (303, "/login"), route


def test_a_member_without_the_permission_finds_nothing_unread(uploads, come, send):
    wrong = []
    for role in ROLES:
        who = come(role)
        for route in uploads:
            if route.permission == PUBLIC or route.permission in who.actor.permissions:
                continue
            if send(who.person, route)[0] != 404:
                wrong.append(f"{role} {route}")
    assert wrong == []


def test_an_unknown_firm_and_a_foreign_one_find_nothing_unread(
    uploads, public, come, make_tenant, send
):
    stranger = come(*ROLES, of=make_tenant("wanlan", number_prefix="WL")).person
    for route in uploads:
        assert send(stranger, route, tenant="nofirm")[0] == 404, route
        if route.permission == PUBLIC:
            assert send(public, route, tenant="nofirm")[0] == 404, route
        else:
            assert send(stranger, route)[0] == 404, route


def test_a_plugin_that_is_off_reads_nothing(uploads, public, come, make_tenant, engine, send):
    firm = make_tenant("wanlan", plugins=(), number_prefix="WL")
    with tenant_session(engine, firm.id) as session:
        session.add_all([PluginActivation(plugin=name, active=False) for name in SHIPPED])
        session.commit()
    person = come(*ROLES, of=firm).person
    for route in uploads:
        if not route.name.startswith("evidence:"):
            browser = public if route.permission == PUBLIC else person
            assert send(browser, route, tenant="wanlan")[0] == 404, route


def test_another_site_is_not_read(uploads, come, send):
    person = come(*ROLES).person
    for route in uploads:
        assert send(person, route, {"Sec-Fetch-Site": "cross-site"})[0] == 403, route


def test_a_complainant_without_a_visit_is_not_read(uploads, public, send):
    (route,) = (route for route in uploads if route.name == "channel_web:hand_in")
    assert send(public, route) == (303, "/p/qinghe/track")


def test_as_much_is_read_as_the_page_of_evidence_promises(place, ours, come):
    handlers = (h for route in place.routes for h in getattr(route, "route_handlers", ()))
    (handler,) = (h for h in handlers if h.name == "evidence:add")
    assert handler.resolve_request_max_body_size() >= service.MOST * service.LIMIT
    page = come(*ROLES).person.get(f"/t/qinghe/w/cases/{ours.number}/evidence").text
    assert "每个文件不超过 30 MB，一次最多 10 个" in page
    assert (service.LIMIT, service.MOST) == (30 * 1024 * 1024, 10)


def test_more_than_that_is_refused_with_words(ours, come):
    answer = come(*ROLES).person.ask(
        "POST",
        f"/t/qinghe/w/cases/{ours.number}/evidence",
        content=b"x",
        headers={**GARBAGE["headers"], "Content-Length": str(400 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "请压缩或分开上传" in answer.text
