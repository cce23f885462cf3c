"""A request for more time is answered, taken back, or falls with what it was about."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.cases import extensions, queries, tracking, waiting
from huiyin.cases.change import find
from huiyin.cases.stages import Stage
from huiyin.cases.verbs import EXTENSION_ASKED
from huiyin.clocks.models import ClockRow
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import Conflict, Invalid, Refused
from huiyin.kit.time import now
from huiyin.queue.models import OutboxEvent

WHY = "须等待托管人提供划款记录"


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def rev(session, actor):
    """``rev(number)``: the version as it stands now."""
    return lambda number: find(session, actor, number).version


@pytest.fixture
def asked(session, actor, approver, file, put, rev):
    """The number of a case for which ten days more were asked."""
    number = file()
    put(number, Stage.INVESTIGATION)
    extensions.ask_extension(session, actor, number, 10, WHY, rev=rev(number))
    session.commit()
    return number


@pytest.fixture
def too_late(session, asked, monkeypatch):
    """The moment after the date whose extension was asked for."""
    due = session.scalars(select(ClockRow.due_at).where(ClockRow.kind == "reply")).one()
    monkeypatch.setattr(extensions, "now", lambda: due + timedelta(minutes=1))


def pending(session, actor, number):
    session.expire_all()
    return extensions.asked(find(session, actor, number))


def test_an_approver_finds_it_and_refuses_with_a_reason(session, web, actor, approver, asked, rev):
    path, judge = f"/t/qinghe/w/cases/{asked}/extend", web(approver)
    assert f'href="{path}"' in judge.get("/t/qinghe/w/approvals").text
    assert WHY in judge.get(f"/t/qinghe/w/cases/{asked}").text
    page = judge.get(path).text
    assert WHY in page
    assert f'action="{path}/grant"' in page
    missing = judge.post(f"{path}/refuse", {"rev": rev(asked), "reason": ""})
    assert missing.status_code == 422
    assert "请写明理由" in missing.text
    assert (
        judge.post(f"{path}/refuse", {"rev": rev(asked), "reason": "材料已齐"}).status_code == 303
    )
    assert pending(session, actor, asked) is None
    assert path not in judge.get("/t/qinghe/w/approvals").text


def test_it_is_counted_beside_the_navigation(session, asked, approver):
    query = waiting.counting(everything=True)
    assert query.run(session, me=approver.id, soon=now()).one().approvals == 1
    assert len(queries.asked_for(session, approver, EXTENSION_ASKED)) == 1


def test_asking_is_heard_of(session, asked):
    assert "case.extension_asked" in session.scalars(select(OutboxEvent.kind)).all()


def test_whoever_handles_takes_it_back_and_asks_again(session, web, actor, asked, rev):
    path, officer = f"/t/qinghe/w/cases/{asked}/extend", web(actor)
    assert f'action="{path}/grant"' not in officer.get(path).text
    assert officer.post(f"{path}/withdraw", {"rev": rev(asked)}).status_code == 303
    assert pending(session, actor, asked) is None
    extensions.ask_extension(session, actor, asked, 5, WHY, rev=rev(asked))


@pytest.mark.usefixtures("too_late")
def test_after_the_date_it_is_not_granted_but_blocks_nothing(
    session, web, actor, approver, asked, rev
):
    path = f"/t/qinghe/w/cases/{asked}/extend"
    page = web(approver).get(path).text
    assert f'action="{path}/grant"' not in page
    assert f'action="{path}/refuse"' in page
    with pytest.raises(Conflict, match="期限已过"):
        extensions.grant_extension(session, approver, asked, rev=rev(asked))
    session.rollback()
    extensions.withdraw_extension(session, actor, asked, rev=rev(asked))
    assert extensions.asked(find(session, actor, asked)) is None
    session.rollback()
    extensions.refuse_extension(session, approver, asked, "期限已过", rev=rev(asked))
    assert pending(session, actor, asked) is None


def test_it_falls_with_the_case_it_was_asked_for(session, actor, asked):
    case = find(session, actor, asked)
    tracking.withdraw(session, complainant_actor(session.tenant), case, "已经解决")
    assert pending(session, actor, asked) is None


def test_a_refusal_needs_words_and_a_second_person(session, actor, approver, asked, rev):
    with pytest.raises(Invalid):
        extensions.refuse_extension(session, approver, asked, "", rev=rev(asked))
    with pytest.raises(Refused):
        extensions.refuse_extension(session, actor, asked, "不必", rev=rev(asked))
