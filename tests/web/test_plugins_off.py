"""What one firm has switched on leaves no trace in a firm that has not."""

from __future__ import annotations

import pytest
from litestar.enums import RequestEncodingType
from sqlalchemy import select

from huiyin.cases import tracking
from huiyin.cases.change import find
from huiyin.db import tenant_session
from huiyin.identity.actor import complainant_actor
from huiyin.identity.policy import Role
from huiyin.plugins import jobs
from huiyin.queue.models import Job, Schedule
from huiyin.queue.worker import drain

ROLES = tuple(role.value for role in Role)


@pytest.fixture
def optional(place):
    """The plugins that are off until a firm decides otherwise."""
    found = [p for p in place.host.plugins.values() if not p.manifest.default_active]
    assert len(found) >= 4
    return found


@pytest.fixture
def on_here(engine, ours, optional):
    """Everything is on in our firm, as it is once somebody has switched it on."""
    with tenant_session(engine, ours.firm.id) as session:
        for plugin in optional:
            jobs.start_schedules(session, plugin)
        session.commit()
    return ours


@pytest.fixture
def theirs(make_tenant, furnish):
    """Another firm, with nothing on."""
    return furnish(make_tenant("wanlan", number_prefix="WL", plugins=()))


def routes_of(place, names):
    for route in place.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.opt.get("plugin") in names:
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    yield method, route.path, handler


def words_of(plugin, translators):
    """By what a page would give the plugin away: its addresses, its title, its help."""
    told = {translators[language](plugin.manifest.title) for language in ("zh", "en")}
    topics = {topic.name for topic in plugin.declared.help_topics}
    return told | topics | {f"/x/{plugin.name.replace('_', '-')}"}


def takes_files(handler):
    taken = handler.parsed_data_field
    return taken is not None and (
        taken.kwarg_definition.media_type == RequestEncodingType.MULTI_PART
    )


def fill(path, firm):
    filled = path.replace("{tenant:str}", firm.slug)
    return "/".join(
        "00000000-0000-0000-0000-000000000007" if part.endswith(":uuid}") else
        "1" if part.endswith(":int}") else "x" if part.startswith("{") else part
        for part in filled.split("/")
    )  # fmt: skip


def test_its_routes_are_like_any_address_that_is_none(
    place, optional, on_here, theirs, come, visitor, public
):
    there, known = come(*ROLES, of=theirs.firm), {plugin.name for plugin in optional}
    checked = 0
    for method, path, handler in routes_of(place, known):
        address = fill(path, theirs.firm)
        api = handler.opt.get("kind") == "api"
        client = (there.program or public) if api else there.person
        files = {"files": {"files": ("a.csv", b"a", "text/csv")}} if takes_files(handler) else {}
        if api:
            answer = client.ask(method, address, **(files or {"json": {}}))
        else:
            answer = client.get(address) if method == "GET" else client.post(address, {}, **files)
        assert answer.status_code == 404, f"{method} {address}"
        checked += 1
    assert checked >= 80


def test_some_of_them_open_at_home(place, optional, on_here, come):
    """A sweep that finds nothing must be able to find something."""
    here = come("supervisor", of=on_here.firm)
    opened = set()
    for method, path, handler in routes_of(place, {plugin.name for plugin in optional}):
        if method == "GET" and "{" not in path.replace("{tenant:str}", ""):
            client = here.program if handler.opt.get("kind") == "api" else here.person
            if client.get(fill(path, on_here.firm)).status_code == 200:
                opened.add(handler.opt["plugin"])
    assert opened == {plugin.name for plugin in optional}


def test_no_page_there_says_a_word_of_it(place, optional, on_here, theirs, routes, come, public):
    there, here = come(*ROLES, of=theirs.firm), come(*ROLES, of=on_here.firm)
    # Where plugins are switched on, the administrator reads what there is.
    pages = [
        route for route in routes
        if route.is_safe and route.kind == "page" and "/admin/" not in route.path
    ]  # fmt: skip
    known = {"view": "soon", "verb": "accept", "plugin": "channel_web"}
    words = {w: p.name for p in optional for w in words_of(p, place.site.translators)}
    heard, sung = [], set()
    for route in pages:
        for query in ("", "?lang=en"):
            text = there.person.get(route.at(**theirs.known, **known) + query).text
            heard += [(str(route), word) for word in words if word in text]
        text = here.person.get(route.at(**on_here.known, **known)).text
        sung |= {name for word, name in words.items() if word in text}
    assert heard == []
    assert sung == {plugin.name for plugin in optional}


def test_no_job_and_no_schedule_of_it_is_made_there(engine, place, optional, on_here, theirs):
    for firm in (on_here, theirs):
        with tenant_session(engine, firm.firm.id) as session:
            case = find(session, firm.officer, firm.number)
            tracking.withdraw(session, complainant_actor(firm.firm.id), case, "已经解决")
            session.commit()
    drain(engine)
    made = {}
    for firm in (on_here, theirs):
        with tenant_session(engine, firm.firm.id) as session:
            consumers = {
                *session.scalars(select(Job.consumer)),
                *session.scalars(select(Schedule.kind)),
            }
        made[firm.firm.slug] = {
            plugin.name for plugin in optional for consumer in consumers
            if consumer.split(":")[:2] == ["plugin", plugin.name]
        }  # fmt: skip
    assert made["wanlan"] == set()
    assert len(made["qinghe"]) >= 3
