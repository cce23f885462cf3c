"""A refusal that names several things names each of them in the reader's language."""

import re

import pytest

from huiyin.cases.change import find, take_part
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.stages import Part, Stage
from huiyin.kit.time import now

HAN = re.compile(r"[\u3400-\u9fff]+")


@pytest.fixture
def case(session, actor):
    filing = Filing(
        channel="phone", idem_key="1", title="A title", story="No money yet", phone="13800000000"
    )
    return find(session, actor, file_complaint(session, actor, filing).number)


@pytest.fixture
def handler(session, actor, make_actor, case):
    """An approver with two parts in the case; another could still do it."""
    person = make_actor("approver", name="Gu")
    make_actor("approver", name="Other")
    for part in (Part.OWNER, Part.DRAFTER):
        take_part(session, actor, case, person.id, person.name, part, now())
    case.stage = Stage.ARCHIVE.value
    session.commit()
    return person


def refusal(page):
    return re.search(r'id="errors-h">([^<]+)<', page.text)[1]


def test_the_parts_of_whoever_is_barred(web, api, handler, case):
    body = {"rev": case.version, "reason": ""}
    page = web(handler).post(f"/t/qinghe/w/cases/{case.number}/do/archive?lang=en", body)
    told = api(handler).ask(
        "POST", f"/api/v1/t/qinghe/cases/{case.number}/moves/archive?lang=en", json=body
    )
    for words in (refusal(page), told.json()["message"]):
        assert HAN.findall(words) == []
        assert ", " in words


def test_the_gates_that_are_not_met(web, api, actor, session, case):
    case.severity, case.category = None, None
    session.commit()
    body = {"rev": case.version, "reason": ""}
    page = web(actor).post(f"/t/qinghe/w/cases/{case.number}/do/accept?lang=en", body)
    told = api(actor).ask(
        "POST", f"/api/v1/t/qinghe/cases/{case.number}/moves/accept?lang=en", json=body
    )
    blocked = re.search(r'role="alert">.*?<span>([^<]+)</span>', page.text.split('"sheet-body"')[1])
    for words in (refusal(page), blocked[1], told.json()["message"]):
        assert HAN.findall(words) == []
        assert words.count(", ") >= 1
