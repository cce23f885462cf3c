"""Whatever path a row takes into the database, nobody judges what he or she had a hand in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT
from huiyin.cases.models import Case, Participation
from huiyin.cases.stages import HANDLING, Part, Stage
from huiyin.db import tenant_session
from huiyin.kit import keys
from huiyin.kit.errors import HuiyinError
from huiyin.letters.models import Letter
from huiyin.remedies import service
from huiyin.remedies.models import Approval, Plan
from huiyin.remedies.schemas import Measure, PlanForm

keys.configure(b"thirty-two bytes for tests, only.")
FORM = PlanForm(
    goal="补付赎回款", measures=(Measure(title="补付差额"),), basis="基金合同第 18 条",
    amount=Decimal(12800),
)  # fmt: skip


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def case(session, actor):
    filed = file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story="赎回款迟迟未到账", phone="13800000000"),
    )  # fmt: skip
    case = find(session, actor, filed.number)
    case.stage, case.category, case.severity = "plan", "C1", "S2"
    made = {"plan_drafted", "plan_approved", "reply_sent"}
    case.facts = {gate: {"at": ""} for known in Stage for gate in EXIT[known] if gate not in made}
    session.commit()
    return case


@pytest.fixture
def plan(session, actor, approver, case):
    """A submitted plan."""
    service.save_draft(session, actor, case.number, FORM, rev=case.version)
    plan = service.submit(session, actor, case.number, rev=case.version)
    session.commit()
    return plan


def approval(plan, person, **changes):
    facts = {
        "case_id": plan.case_id, "plan_id": plan.id, "plan_hash": plan.hash,
        "decision": "approved", "by_id": person.id, "by_name": person.name,
    }  # fmt: skip
    return Approval(**{**facts, **changes})


def refused(session, row, words):
    session.add(row)
    with pytest.raises(IntegrityError, match=words) as caught:
        session.flush()
    assert caught.value.orig.diag.constraint_name == "separation_of_duties"
    session.rollback()


def play(session, case, person, part, *, over=True):
    since = datetime(2026, 3, 2, 2, tzinfo=UTC)
    session.add(
        Participation(
            case_id=case.id, account_id=person.id, name=person.name, part=part.value,
            since=since, until=since if over else None, by_id=person.id,
        )
    )  # fmt: skip
    session.commit()


@pytest.mark.parametrize("part", Part)
def test_the_database_knows_the_same_parts_as_the_table_of_verbs(
    session, case, plan, approver, part
):
    play(session, case, approver, part, over=part is not Part.SUBJECT)
    if part in HANDLING:
        refused(session, approval(plan, approver), "the approver has a part in the case")
    else:
        session.add(approval(plan, approver))
        session.flush()


def test_who_was_named_by_mistake_and_cleared_is_barred_no_longer(session, case, plan, approver):
    play(session, case, approver, Part.SUBJECT, over=True)
    session.add(approval(plan, approver))
    session.flush()


def test_a_raw_insert_past_the_orm_is_refused_too(session, case, plan, approver, engine, tenant):
    play(session, case, approver, Part.INVESTIGATOR)
    with tenant_session(engine, tenant.id, actor_id=approver.id) as raw:
        with pytest.raises(IntegrityError, match="separation of duties"):
            raw.execute(
                text(
                    "INSERT INTO approval (tenant_id, id, case_id, plan_id, plan_hash, decision,"
                    " by_id, by_name, reason, over_limit, at) VALUES (:t, gen_random_uuid(), :c,"
                    " :p, :h, 'approved', :by, '', '', false, now())"
                ),
                {
                    "t": tenant.id, "c": case.id, "p": plan.id, "h": plan.hash,
                    "by": approver.id,
                },
            )  # fmt: skip
        raw.rollback()


def test_the_present_owner_is_barred_even_without_a_line_of_history(session, case, plan, approver):
    case.owner_id = approver.id
    session.commit()
    refused(session, approval(plan, approver), "has a part")


def test_an_approval_of_another_text_is_refused(session, plan, approver):
    refused(session, approval(plan, approver, plan_hash="0" * 64), "another text")


def test_an_approval_needs_a_plan_that_waits_for_it(session, actor, case, plan, approver):
    service.withdraw_plan(session, actor, case.number, rev=case.version, reason="改")
    session.commit()
    refused(session, approval(plan, approver), "not up for approval")


@pytest.mark.parametrize(
    "change", [{"amount": Decimal(1)}, {"goal": "别的"}, {"hash": "0" * 64}, {"approvers": 2}]
)
def test_a_submitted_plan_is_fixed_below_the_services_too(session, plan, change):
    for name, value in change.items():
        setattr(plan, name, value)
    with pytest.raises(IntegrityError, match="does not change"):
        session.flush()


def test_no_plan_is_approved_without_its_approvals(session, plan):
    plan.state = "approved"
    with pytest.raises(IntegrityError, match="lacks approvals"):
        session.flush()


def test_a_decided_plan_is_not_opened_again(session, actor, case, plan, approver):
    service.return_plan(
        session, approver, case.number, plan.hash, rev=case.version, reason="依据不足"
    )
    session.commit()
    plan.state = "draft"
    with pytest.raises(IntegrityError, match="not opened again"):
        session.flush()


def test_judgements_cannot_be_taken_back(session, plan, approver):
    session.add(approval(plan, approver))
    session.commit()
    with pytest.raises(Exception, match="permission denied"):
        session.execute(update(Approval).values(decision="returned"))


def answer(case, drafter, releaser, **changes):
    facts = {
        "case_id": case.id, "kind": "answer", "year": 2026, "serial": 1, "number": "诉 1",
        "language": "zh", "document": {}, "fingerprint": "f", "drafted_by": drafter.id,
        "drafted_name": drafter.name, "state": "released", "pdf_key": "k", "pdf_sha256": "s",
        "released_by": releaser.id if releaser else None,
        "released_at": datetime(2026, 3, 2, 2, tzinfo=UTC),
    }  # fmt: skip
    return Letter(**{**facts, **changes})


def test_an_answer_is_released_by_somebody_else(session, case, actor, approver, make_actor):
    refused(session, answer(case, approver, approver), "by its drafter")
    refused(session, answer(case, actor, None), "nobody released")
    helper = make_actor("approver")
    play(session, case, helper, Part.ASSISTANT)
    refused(session, answer(case, actor, helper), "has? ?a part|with a part")
    session.add(answer(case, actor, approver))
    session.flush()


def test_a_notice_may_be_released_by_its_drafter(session, case, actor):
    session.add(answer(case, actor, actor, kind="progress"))
    session.flush()


@pytest.mark.parametrize("change", [{"document": {"a": 1}}, {"pdf_sha256": "x"}, {"number": "2"}])
def test_a_released_letter_is_fixed(session, case, actor, approver, change):
    letter = answer(case, actor, approver)
    session.add(letter)
    session.commit()
    letter.delivery = "已签收"
    session.flush()
    for name, value in change.items():
        setattr(letter, name, value)
    with pytest.raises(IntegrityError, match="released letter does not change"):
        session.flush()


# -- at the same time --------------------------------------------------------------------------


@pytest.mark.parametrize("round_", range(5))
def test_editing_while_approving_never_approves_another_text(
    engine, tenant, session, actor, approver, case, plan, round_
):
    """One of the two wins; whichever it is, what is approved is what was read."""
    number, read, seen = case.number, plan.hash, case.version
    together = Barrier(2)

    def approve():
        with tenant_session(engine, tenant.id, actor_id=approver.id) as own:
            together.wait(timeout=20)
            service.approve(own, approver, number, read, rev=seen)
            own.commit()

    def edit():
        with tenant_session(engine, tenant.id, actor_id=actor.id) as own:
            together.wait(timeout=20)
            service.withdraw_plan(own, actor, number, rev=seen, reason="改金额")
            changed = PlanForm(goal="改过的", measures=(Measure(title="补付差额"),), basis="合同")
            version = find(own, actor, number).version
            service.save_draft(own, actor, number, changed, rev=version)
            service.submit(own, actor, number, rev=version + 1)
            own.commit()

    with ThreadPoolExecutor(2) as pool:
        failures = [job.exception() for job in [pool.submit(approve), pool.submit(edit)]]
    assert sum(failure is None for failure in failures) == 1
    assert all(f is None or isinstance(f, HuiyinError) for f in failures)
    with tenant_session(engine, tenant.id) as fresh:
        for done in fresh.scalars(select(Plan).where(Plan.state == "approved")):
            given = fresh.scalars(select(Approval).where(Approval.plan_id == done.id)).all()
            assert [a.plan_hash for a in given] == [done.hash] == [done.content_hash()]
            assert done.hash == read
        stage = fresh.scalars(select(Case.stage)).one()
        approved = fresh.scalars(select(Plan.id).where(Plan.state == "approved")).all()
        assert (stage == "implementation") == bool(approved)
