"""Agents and heirs: nothing is told on an authority nobody has checked."""

import pytest
from sqlalchemy import func, select

from huiyin.sdk import Conflict, Refused, today
from huiyin_channel_referral import agents, matters, tending
from huiyin_channel_referral.agents import may_be_told
from huiyin_channel_referral.models import Agent
from huiyin_channel_referral.schemas import CheckForm
from huiyin_channel_referral.terms import Relation, Standing

from .conftest import CASES, DAY, HOME, PDF, follow, text_of

HOW = "电话向投诉人本人确认"


def typed(about, **given):
    facts = {
        "_key": "a1", "case": about.number, "name": "何小律", "relation": "lawyer",
        "papers": ["mandate", "licence"], "scope": ["submit", "progress"],
        "valid_from": (today() - DAY).isoformat(), "valid_until": (today() + 60 * DAY).isoformat(),
    }  # fmt: skip
    return {**facts, **given}


FILES = {"files": ("委托书.pdf", PDF, "application/pdf")}


@pytest.fixture
def check(ctx_of, session):
    def do(who, line, decision="confirm", rev=None, **settings):
        ctx = ctx_of(who, **settings)
        seen = agents.find(ctx, line.row.id, lock=True)
        agents.check(ctx, seen, CheckForm(decision=decision, how=HOW), rev or seen.row.rev)
        session.commit()
        return agents.find(ctx, line.row.id)

    return do


def test_until_two_people_have_checked_nothing_may_be_told(on, web, actor, approver, case, session):
    browser = web(actor)
    page = follow(browser, browser.post(f"{HOME}/agents/new", typed(case), files=FILES))
    assert "授权尚未核实" in page.text
    here = f"{HOME}/agents/{session.scalars(select(Agent.id)).one()}"
    said = {"rev": "1", "decision": "confirm", "how": HOW}
    first = text_of(follow(browser, browser.post(f"{here}/check", said)))
    assert "待第二人核实" in first
    assert "授权尚待第二人核实" in text_of(browser.get(f"{CASES}/{case.number}"))
    again = browser.post(f"{here}/check", {**said, "rev": "2"})
    assert again.status_code == 403
    assert HOW in again.text or "第一人已核实" in again.text
    other = web(approver)
    last = text_of(follow(other, other.post(f"{here}/check", {**said, "rev": "2"})))
    assert "已核实" in last
    assert "限于：代为提交和补充材料、查询办理进展" in last
    assert "限于：" in text_of(browser.get(f"{CASES}/{case.number}"))


def test_one_person_is_enough_where_the_firm_says_so(agent, check, actor):
    assert check(actor, agent(), two_person=False).standing is Standing.GOOD


def test_one_who_refuses_is_enough(agent, check, actor, approver):
    line = check(actor, agent(), decision="refuse")
    assert line.standing is Standing.REFUSED
    with pytest.raises(Conflict):
        check(approver, line)


def test_the_same_person_does_not_check_twice(agent, check, actor):
    line = check(actor, agent())
    with pytest.raises(Refused):
        check(actor, line)


def test_a_version_that_somebody_changed_is_not_judged(agent, check, actor, approver):
    line = agent()
    check(actor, line)
    with pytest.raises(matters.SavedBefore):
        check(approver, line, rev=1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"valid_until": (today() - DAY).isoformat()}, "valid_until"),
        ({"valid_from": (today() + 90 * DAY).isoformat()}, "valid_until"),
        ({"papers": []}, "papers"),
        ({"scope": []}, "scope"),
        ({"case": "TS-1999-0001"}, "case"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(on, web, actor, case, session, given, field):
    answer = web(actor).post(f"{HOME}/agents/new", typed(case, **given), files=FILES)
    assert answer.status_code == 422, text_of(answer)
    assert f'id="f-{field}-e"' in answer.text
    assert session.scalar(select(func.count()).select_from(Agent)) == 0


def test_papers_are_needed(on, web, actor, case):
    answer = web(actor).post(f"{HOME}/agents/new", typed(case), files={"files": ("", b"")})
    assert answer.status_code == 422
    assert 'id="f-files-e"' in answer.text


def test_a_member_of_the_firm_speaks_for_nobody(on, web, actor, approver, case):
    browser = web(actor)
    answer = browser.post(f"{HOME}/agents/new", typed(case, name=approver.name), files=FILES)
    assert answer.status_code == 422
    assert "本机构人员不得代理投诉" in answer.text
    cleared = typed(case, name=approver.name, not_member="on")
    follow(browser, browser.post(f"{HOME}/agents/new", cleared, files=FILES))


def test_the_form_sent_twice_is_one_agent(on, web, actor, case, session):
    browser = web(actor)
    sent = [browser.post(f"{HOME}/agents/new", typed(case), files=FILES) for _ in range(2)]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    assert session.scalar(select(func.count()).select_from(Agent)) == 1


# -- over time -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "standing", "told"),
    [
        (60, Standing.GOOD, True),
        (7, Standing.EXPIRING, True),
        (0, Standing.EXPIRING, True),
    ],
)
def test_an_authority_holds_to_its_last_day(agent, check, actor, days, standing, told):
    line = agent(valid_until=today() + days * DAY)
    line = check(actor, line, two_person=False)
    assert line.standing is standing
    assert may_be_told(line)[1] is told


def test_afterwards_nothing_may_be_told(agent, check, actor, session, ctx_of):
    line = check(actor, agent(), two_person=False)
    line.row.valid_from, line.row.valid_until = today() - 9 * DAY, today() - DAY
    session.commit()
    line = agents.find(ctx_of(actor), line.row.id)
    assert line.standing is Standing.EXPIRED
    assert may_be_told(line)[1] is False


def test_an_expired_paper_is_not_checked(agent, check, actor, session):
    line = agent()
    line.row.valid_from, line.row.valid_until = today() - 9 * DAY, today() - DAY
    session.commit()
    with pytest.raises(Conflict):
        check(actor, line)
    assert check(actor, line, decision="refuse").standing is Standing.REFUSED


def test_one_that_begins_later_does_not_hold_yet(agent, check, actor):
    line = agent(valid_from=today() + DAY)
    assert check(actor, line, two_person=False).standing is Standing.EARLY


def test_an_authority_is_ended_with_a_reason(on, web, actor, agent):
    line, browser = agent(), web(actor)
    here = f"{HOME}/agents/{line.row.id}"
    assert browser.post(f"{here}/end", {"rev": "1", "reason": "短"}).status_code == 422
    page = follow(browser, browser.post(f"{here}/end", {"rev": "1", "reason": "投诉人撤销委托"}))
    assert "投诉人撤销委托" in page.text
    assert browser.post(f"{here}/end", {"rev": "2", "reason": "投诉人撤销委托"}).status_code == 409


def test_an_heir_is_asked_for_what_heirs_show(on, web, actor, agent):
    line = agent(relation=Relation.HEIR)
    page = text_of(web(actor).get(f"{HOME}/agents/{line.row.id}"))
    assert "继承权公证书" in page
    assert "书面答复待核实后再发" in page


def test_who_has_the_case_is_told_once_before_the_end(
    agent, check, actor, ctx_of, session, monkeypatch
):
    line = check(actor, agent(valid_until=today() + 5 * DAY), two_person=False)
    put_off = []
    monkeypatch.setattr(tending, "can_mail", lambda: True)
    ctx = ctx_of()
    monkeypatch.setattr(type(ctx), "enqueue", lambda *a, **k: put_off.append(k["key"]))
    tending.tend(ctx, {})
    tending.tend(ctx, {})
    assert put_off == [str(line.row.id)]


def test_filters_and_keys_of_the_list(agent, check, actor, ctx_of):
    good = check(actor, agent("a1"), two_person=False)
    waiting = agent("a2", name="另一人")
    ctx = ctx_of(actor)
    assert [x.row.id for x in agents.listing(ctx, state="waiting")] == [waiting.row.id]
    assert [x.row.id for x in agents.listing(ctx, state="good")] == [good.row.id]
    first = agents.listing(ctx, most=1)
    assert [x.row.id for x in agents.listing(ctx, after=first[0].row.id)] == [good.row.id]
    assert agents.counts(ctx, "waiting", "expired") == {"waiting": 1, "expired": 0}


def test_a_check_needs_words(agent, ctx_of, on, web, actor):
    here = f"{HOME}/agents/{agent().row.id}"
    answer = web(actor).post(f"{here}/check", {"rev": "1", "decision": "confirm", "how": "看"})
    assert answer.status_code == 422
    assert 'id="f-how-e"' in answer.text
