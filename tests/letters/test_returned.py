"""A written answer that came back is owed again, until it is delivered."""

import pytest
from sqlalchemy import func, select

from huiyin.cases import service as cases
from huiyin.cases.change import find
from huiyin.cases.errors import GatesUnmet
from huiyin.cases.gates import EXIT, states
from huiyin.cases.models import Entry, Task
from huiyin.cases.stages import Stage
from huiyin.clocks.models import ClockRow
from huiyin.identity.actor import complainant_actor
from huiyin.kit.errors import NotFound
from huiyin.letters import service
from huiyin.letters.schemas import DeliveryForm, NoticeForm


@pytest.fixture
def answered(session, approver, number, draft, rev):
    """A case whose answer was released and came back; the letter."""
    letter = service.release(
        session, approver, number, draft.id, draft.fingerprint, rev=rev(number)
    )
    session.commit()
    return letter


@pytest.fixture
def returned(session, actor, number, answered):
    """How the post brings it back."""
    back = DeliveryForm(outcome="failed", channel="post", detail="查无此人，退回")
    service.record_delivery(session, actor, number, answered.id, back)
    session.commit()
    return answered


def titles(case, stage=Stage.RESPONSE):
    return {state.gate.name: (state.gate.title, state.met) for state in states(case, EXIT[stage])}


def test_an_answer_is_called_delivered_only_with_proof(session, actor, number, answered):
    case = find(session, actor, number)
    assert titles(case)["reply_sent"] == ("书面答复已签发", True)
    proof = DeliveryForm(outcome="delivered", channel="post", detail="EMS 123，本人签收")
    service.record_delivery(session, actor, number, answered.id, proof)
    assert titles(case)["reply_sent"] == ("书面答复已送达", True)


def test_reading_it_in_the_portal_is_proof_and_is_noted_once(
    session, actor, number, answered, tenant
):
    for _ in range(2):
        service.pdf_of(session, complainant_actor(tenant.id), number, answered.id)
        session.commit()
    case = find(session, actor, number)
    assert titles(case)["reply_sent"] == ("书面答复已送达", True)
    assert (answered.state, answered.channel) == ("delivered", "portal")
    assert len(session.scalars(select(Entry).where(Entry.verb == "read_letter")).all()) == 1


def test_what_came_back_is_a_task_of_the_owner_and_keeps_the_case_from_the_archive(
    session, actor, number, returned, put
):
    case = find(session, actor, number)
    task = session.scalars(select(Task)).one()
    assert (task.assignee_id, task.done_at) == (actor.id, None)
    assert task.title_params == {"number": returned.number}
    assert case.counts["tasks_open"] == 1
    for stage in (Stage.RESPONSE, Stage.FOLLOWUP, Stage.ARCHIVE):
        assert not titles(case, stage)["answer_redelivered"][1]
    with pytest.raises(GatesUnmet) as caught:
        cases.move(session, actor, number, "answered", rev=case.version)
    assert [message.key for message in caught.value.missing] == ["未送达的书面答复已重新送达"]
    # The answer itself was given, in the portal: its clock stays met.
    reply = session.scalars(select(ClockRow).where(ClockRow.kind == "reply")).one()
    assert reply.state == "met"


@pytest.mark.parametrize("outcome", ["sent", "delivered"])
def test_another_way_registered_by_hand_settles_it(session, actor, number, returned, outcome):
    by_post = DeliveryForm(outcome=outcome, channel="post", detail="EMS 456")
    service.record_delivery(session, actor, number, returned.id, by_post)
    session.commit()
    case, task = find(session, actor, number), session.scalars(select(Task)).one()
    assert "answer_redelivered" not in titles(case)
    assert (task.proof, case.counts["tasks_open"]) == ("EMS 456", 0)
    cases.move(session, actor, number, "answered", rev=case.version)


def test_coming_back_twice_is_one_task(session, actor, number, returned):
    back = DeliveryForm(outcome="failed", channel="email", detail="地址不存在")
    service.record_delivery(session, actor, number, returned.id, back)
    assert session.scalar(select(func.count()).select_from(Task)) == 1


def test_an_older_letter_that_comes_back_owes_nothing(session, actor, number, answered, file):
    notice = service.draft_notice(
        session, actor, number, NoticeForm(kind="progress", process="已核对", next_date=None)
    )
    back = DeliveryForm(outcome="failed", channel="post", detail="退回")
    notice.released_at, notice.state, notice.pdf_key = answered.released_at, "sent", "x"
    session.flush()
    service.record_delivery(session, actor, number, notice.id, back)
    assert "answer_returned" not in find(session, actor, number).facts


def test_letters_of_another_case_are_not_found_here(session, actor, number, draft, file):
    other = file(key="2")
    with pytest.raises(NotFound):
        service.pdf_of(session, actor, other, draft.id)
