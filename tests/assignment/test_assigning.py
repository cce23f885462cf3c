"""Rules at work: a new case finds its owner, and the pages that write the rules."""

from __future__ import annotations

import re
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from huiyin.assignment import tasks
from huiyin.assignment.models import AssignmentRule, Staffing
from huiyin.cases import people
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case, Entry
from huiyin.cases.schemas import AssignForm
from huiyin.db import tenant_session
from huiyin.identity.actor import SYSTEM_ID, complainant_actor
from huiyin.ledger.models import LedgerEntry
from huiyin.testing.web import run_jobs

HOME = "/t/qinghe/w/assignment"


@pytest.fixture
def web_plugins():
    return ("channel_web",)


@pytest.fixture
def approver(make_actor, web):
    return web(make_actor("approver", name="顾明远"))


@pytest.fixture
def officers(make_actor):
    return [make_actor("complaint_officer", name=name) for name in ("甲专员", "乙专员")]


@pytest.fixture
def filed(engine, tenant, place):
    """``filed(story)`` files a complaint, has the jobs done, and answers the case."""

    def run(story="赎回没有到账", **more):
        with tenant_session(engine, tenant.id) as session:
            filing = Filing(
                channel="web", idem_key=f"{story}{len(more)}", story=story, phone="13800006021",
                **more,
            )  # fmt: skip
            made = file_complaint(session, complainant_actor(tenant.id), filing)
            session.commit()
        run_jobs(place)
        with tenant_session(engine, tenant.id) as session:
            return session.get_one(Case, (tenant.id, made.case_id))

    return run


def add(browser, **fields):
    answer = browser.post(f"{HOME}/rules/new", {"title": "全部投诉", "active": "on", **fields})
    assert answer.status_code == 303, answer.text


def test_without_rules_a_case_waits_to_be_taken(filed):
    assert filed().owner_id is None


def test_a_new_case_goes_to_whoever_has_the_fewest(filed, approver, officers):
    add(approver)
    owners = [filed(f"第 {n} 件").owner_id for n in range(4)]
    assert sorted(map(owners.count, {officer.id for officer in officers})) == [2, 2]


def test_the_timeline_tells_the_rule_and_who_was_passed_over(
    filed, approver, officers, session, make_actor, web
):
    add(approver, title="按在办分派")
    case = filed("甲专员在电话里承诺过，后来又不认")
    assert case.owner_id == officers[1].id
    told = session.scalars(
        select(Entry).where(Entry.case_id == case.id, Entry.verb == "assign")
    ).one()
    assert told.data["rule"] == "按在办分派"
    assert told.data["skipped"] == [{"name": "甲专员", "why": "named", "words": "投诉内容提到此人"}]
    page = web(officers[1]).get(f"/t/qinghe/w/cases/{case.number}").text
    assert "规则「按在办分派」" in page
    assert "投诉内容提到此人" in page
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert "case.assign" in kinds
    assert "assignment.rule_saved" in kinds


def test_where_nobody_is_left_the_case_says_so_and_waits(filed, approver, officers, session):
    add(approver, people=[str(officer.id) for officer in officers])
    case = filed("甲专员和乙专员都说不归他们管")
    assert case.owner_id is None
    told = session.scalars(
        select(Entry).where(Entry.case_id == case.id, Entry.verb == "unassigned")
    ).one()
    assert {skip["name"] for skip in told.data["skipped"]} == {"甲专员", "乙专员"}


def test_a_case_that_has_an_owner_is_left_alone(filed, approver, officers, web, place, engine):
    add(approver)
    officer = web(officers[0])
    officer.post("/t/qinghe/w/cases/new", {"story": "来电反映赎回没有到账", "phone": "13800006021"})
    run_jobs(place)
    with tenant_session(engine, officers[0].tenant_id) as session:
        case = session.scalars(select(Case)).one()
        assert case.owner_id == officers[0].id
        verbs = session.scalars(select(Entry.verb).where(Entry.case_id == case.id)).all()
        assert "unassigned" not in verbs
        assert "assign" not in verbs


def test_skills_absence_and_limits_are_written_down_and_count(filed, approver, officers, session):
    path = f"{HOME}/people/{officers[0].id}"
    answer = approver.post(
        path, {"rev": 0, "skills": "英文函件、净值", "languages": ["zh", "en"], "most": "1"}
    )
    assert answer.status_code == 303
    add(approver, skills="英文函件")
    assert filed("一").owner_id == officers[0].id
    assert filed("二").owner_id is None  # one at once
    known = session.scalars(select(Staffing)).one()
    assert (known.skills, known.languages, known.most) == (["英文函件", "净值"], ["en", "zh"], 1)


def test_wrong_days_are_refused_at_their_field_and_nothing_is_lost(approver, officers):
    answer = approver.post(
        f"{HOME}/people/{officers[0].id}",
        {"rev": 0, "skills": "净值", "most": "0", "away_from": "2026-11-20",
         "away_until": "2026-11-10"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "结束不能早于开始" in answer.text
    assert 'value="净值"' in answer.text


def test_a_rule_is_tried_before_it_is_saved(filed, approver, officers, session):
    for n in range(3):
        filed(f"第 {n} 件")
    answer = approver.post(
        f"{HOME}/rules/new",
        {"title": "给乙", "people": str(officers[1].id), "active": "on", "do": "try"},
    )
    assert answer.status_code == 200
    assert "乙专员 3" in answer.text
    assert 'value="给乙"' in answer.text
    assert session.scalars(select(AssignmentRule)).all() == []


def test_rules_are_ordered_changed_and_deleted(approver, officers, session):
    add(approver, title="甲规则")
    add(approver, title="乙规则")
    first, second = session.scalars(select(AssignmentRule).order_by(AssignmentRule.position)).all()
    approver.post(f"{HOME}/rules/{second.id}/move", {"to": "up"})
    page = approver.get(HOME).text
    assert page.index("乙规则") < page.index("甲规则")
    stale = approver.post(f"{HOME}/rules/{first.id}", {"rev": 9, "title": "改了", "active": "on"})
    assert stale.status_code == 409
    assert 'value="改了"' in stale.text
    approver.post(f"{HOME}/rules/{second.id}/delete", {})
    assert "乙规则" not in approver.get(HOME).text


def test_the_list_asks_as_often_for_one_rule_as_for_ten(approver, officers, queries):
    def asked():
        queries.clear()
        assert approver.get(HOME).status_code == 200
        return len(queries)

    add(approver, people=str(officers[0].id))
    approver.get(HOME)
    few = asked()
    for n in range(9):
        add(approver, title=f"规则 {n}", people=str(officers[0].id))
    assert asked() == few


@pytest.mark.parametrize("role", ["complaint_officer", "investigator", "executive_viewer"])
def test_others_write_no_rules(make_actor, web, role):
    person = web(make_actor(role))
    assert person.get(HOME).status_code == 404
    assert person.post(f"{HOME}/rules/new", {"title": "给我"}).status_code == 404


def test_another_firms_rule_and_people_are_not_there(
    approver, officers, make_tenant, make_actor, web, session
):
    add(approver)
    rule = session.scalars(select(AssignmentRule)).one()
    there = web(make_actor("approver", of=make_tenant("yuancen")))
    home = HOME.replace("qinghe", "yuancen")
    assert there.get(f"{home}/rules/{rule.id}").status_code == 404
    assert there.post(f"{home}/rules/{rule.id}/delete", {}).status_code == 404
    assert there.get(f"{home}/people/{officers[0].id}").status_code == 404
    assert not re.search("全部投诉", there.get(home).text)


def test_a_rule_is_shown_as_it_was_saved(approver, officers, session):
    add(approver, title="英文来件", languages="en", skills="英文函件", speaks="on")
    row = session.scalars(select(AssignmentRule)).one()
    page = approver.get(f"{HOME}/rules/{row.id}").text
    ticked = set(re.findall(r'name="(\w+)" value="(\w+)"[^>]* checked', page))
    assert ticked == {("languages", "en"), ("speaks", "on"), ("active", "on")}
    assert 'value="英文函件"' in page
    assert 'name="active" value="on" checked' in approver.get(f"{HOME}/rules/new").text


def test_an_officer_who_takes_it_at_the_same_moment_has_it(engine, tenant, approver, officers):
    add(approver)
    with tenant_session(engine, tenant.id) as session:
        filing = Filing(channel="web", idem_key="k", story="赎回没有到账", phone="13800006021")
        made = file_complaint(session, complainant_actor(tenant.id), filing)
        session.commit()
    taker = max(officers, key=lambda officer: officer.name)  # not whose turn it is

    def rules():
        with tenant_session(engine, tenant.id, actor_id=SYSTEM_ID) as session:
            tasks.assign(session, SimpleNamespace(object_id=made.case_id))
            session.commit()

    with tenant_session(engine, tenant.id, actor_id=taker.id) as session:
        form = AssignForm(part="owner", account_id=taker.id)
        people.assign(session, taker, made.number, form)
        thread = threading.Thread(target=rules)
        thread.start()
        waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        while thread.is_alive() and not session.execute(waits).scalar_one():
            pass
        session.commit()
    thread.join(60)
    with tenant_session(engine, tenant.id) as session:
        assert session.get_one(Case, (tenant.id, made.case_id)).owner_id == taker.id
