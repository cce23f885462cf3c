"""Whoever shapes a case stands in its history, and whoever judges it does not get there by that."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from huiyin.cases import people, service, waiting
from huiyin.cases.change import find
from huiyin.cases.errors import SecondPersonRequired
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.gates import EXIT, GATES
from huiyin.cases.models import Entry, Participation, Task
from huiyin.cases.schemas import AssignForm, FactsForm
from huiyin.cases.stages import HANDLING, Finding, Part, Severity, Stage
from huiyin.cases.verbs import VERBS
from huiyin.identity.models import Membership
from huiyin.kit.errors import Invalid
from huiyin.ledger.models import LedgerEntry
from huiyin.remedies.service import eligible_approvers

DESK = "/t/qinghe/w/cases"


@pytest.fixture
def approver(make_actor):
    return make_actor("approver", name="顾明远")


@pytest.fixture
def colleague(make_actor):
    """An officer to whom nobody ever gave the case."""
    return make_actor("complaint_officer", name="许知安")


@pytest.fixture
def case(session, actor):
    filed = file_complaint(
        session, actor,
        Filing(channel="phone", idem_key="1", story="赎回款迟迟未到账", phone="13800000000"),
    )  # fmt: skip
    session.commit()
    return find(session, actor, filed.number)


@pytest.fixture
def at(session, case):
    """Put the case at a stage where everything asked for is met, but for what is named."""

    def put(stage, *missing):
        case.stage, case.category, case.severity = stage.value, "C1", "S3"
        case.finding, case.cause = "upheld", "RC1-2"
        case.facts = {
            name: {"at": "", "by": "", "note": ""}
            for known in Stage
            for name in EXIT[known]
            if name not in {*missing, "review_settled"}
        }
        session.commit()

    return put


def facts(case, **changes):
    given = {
        "title": case.title, "category": "C1", "severity": Severity.S2, "phone": "13800000000",
    }  # fmt: skip
    return FactsForm(**{**given, **changes})


def parts(session, case, person):
    return set(
        session.scalars(
            select(Participation.part).where(
                Participation.case_id == case.id, Participation.account_id == person.id
            )
        )
    )


ACTS = {
    "message": lambda s, p, c: service.talk(s, p, c.number, "message", "正在核查"),
    "call": lambda s, p, c: service.talk(s, p, c.number, "call", "致电投诉人"),
    "attest": lambda s, p, c: service.attest(s, p, c.number, "recusal_checked", "无利害关系"),
    "edit": lambda s, p, c: service.edit(s, p, c.number, facts(c), rev=c.version),
    "transfer": lambda s, p, c: service.move(
        s, p, c.number, "propose_transfer", rev=c.version, reason="转代销机构办理"
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_a_person_nobody_assigned_does_to_a_case_stands_in_its_history(
    session, case, colleague, approver, act
):
    assert parts(session, case, colleague) == set()
    ACTS[act](session, colleague, case)
    assert parts(session, case, colleague) == {Part.ASSISTANT}


def test_a_note_alone_makes_nobody_a_handler(session, case, approver):
    service.talk(session, approver, case.number, "note", "请补充金额的计算依据")
    assert parts(session, case, approver) == set()


def test_who_has_a_part_already_gets_no_second_one(session, case, actor):
    service.talk(session, actor, case.number, "message", "正在核查")
    assert parts(session, case, actor) == {Part.OWNER}


def test_an_officer_who_handled_unassigned_is_no_judge_when_made_an_approver(
    session, case, colleague
):
    service.edit(session, colleague, case.number, facts(case), rev=case.version)
    row = session.scalars(select(Membership).where(Membership.account_id == colleague.id)).one()
    row.roles = ["approver"]
    session.flush()
    assert colleague.id not in {p.account_id for p in eligible_approvers(session, case)}


def test_an_approver_who_writes_the_finding_does_not_seal_the_case(session, case, approver, at):
    at(Stage.INVESTIGATION)
    form = facts(case, finding=Finding.NOT_UPHELD, cause="RC1-2", severity=Severity.S3)
    service.edit(session, approver, case.number, form, rev=case.version)
    at(Stage.ARCHIVE)
    with pytest.raises(SecondPersonRequired):
        service.move(session, approver, case.number, "archive", rev=case.version)


REWRITTEN = (
    {"finding": Finding.NOT_UPHELD}, {"severity": Severity.S1}, {"category": "C2"},
    {"cause": "RC5-3"}, {"amount": Decimal(1)},
)  # fmt: skip


@pytest.mark.parametrize("stage", list(Stage)[list(Stage).index(Stage.APPROVAL) :])
def test_what_was_judged_is_not_rewritten_under_the_judgement(session, case, actor, at, stage):
    at(stage)
    same = {name: getattr(case, name) for name in service.JUDGED_ON}
    for fact in REWRITTEN:
        form = facts(case, **{**same, **fact})
        with pytest.raises(Invalid) as refused:
            service.edit(session, actor, case.number, form, rev=case.version)
        assert set(refused.value.fields) == set(fact)
        session.rollback()
    form = facts(case, **{**same, "title": "另一个标题"})
    service.edit(session, actor, case.number, form, rev=case.version)
    assert case.title == "另一个标题"


def test_what_a_short_way_did_not_ask_for_is_filled_in_once(session, case, actor, at):
    at(Stage.ARCHIVE)
    case.finding = case.cause = None
    session.commit()
    same = {name: getattr(case, name) for name in service.JUDGED_ON}
    told = {**same, "finding": Finding.UPHELD, "cause": "RC1-2"}
    service.edit(session, actor, case.number, facts(case, **told), rev=case.version)
    session.commit()
    assert (case.finding, case.cause) == ("upheld", "RC1-2")
    other = facts(case, **{**told, "finding": Finding.NOT_UPHELD})
    with pytest.raises(Invalid):
        service.edit(session, actor, case.number, other, rev=case.version)


@pytest.mark.parametrize("gate", ["compliance_opinion", "retention_set"])
def test_the_word_of_compliance_is_an_approvers(session, case, make_actor, approver, at, gate):
    at(Stage.APPROVAL if gate == "compliance_opinion" else Stage.ARCHIVE, gate)
    uninvolved = make_actor("complaint_officer")
    with pytest.raises(SecondPersonRequired):
        service.attest(session, uninvolved, case.number, gate, "同意")
    session.rollback()
    service.attest(session, approver, case.number, gate, "同意")
    assert gate in case.facts


def test_another_address_of_the_complainant_leaves_its_trace(session, case, actor, at):
    at(Stage.INVESTIGATION)
    same = {name: getattr(case, name) for name in service.JUDGED_ON}
    form = facts(case, **same, email="new@example.test", phone="13900001111")
    service.edit(session, actor, case.number, form, rev=case.version)
    entry = session.scalars(select(Entry).where(Entry.verb == "edit")).one()
    changed = entry.data["changed"]
    assert changed["email"][1] == "n***@example.test"
    assert set(changed) == {"email", "phone"}
    assert "13900001111" not in str(changed)
    line = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "case.edit")).one()
    assert set(json.loads(line.doc)["commits"]) == {"email", "phone"}
    assert b"new@example.test" not in line.doc


def test_an_approver_who_meets_the_handlers_gates_does_not_seal_the_case(
    session, case, approver, at
):
    at(Stage.ARCHIVE, "dossier_whole")
    service.attest(session, approver, case.number, "dossier_whole", "目录完整")
    with pytest.raises(SecondPersonRequired):
        service.move(session, approver, case.number, "archive", rev=case.version)


def test_an_approver_who_sets_the_retention_seals_the_case(session, case, approver, at):
    at(Stage.ARCHIVE, "retention_set")
    service.attest(session, approver, case.number, "retention_set", "保存二十年")
    assert not parts(session, case, approver) & HANDLING
    service.move(session, approver, case.number, "archive", rev=case.version)
    assert not case.is_open


JUDGED = [gate for gate in GATES.values() if gate.judge]


@pytest.mark.parametrize("gate", JUDGED, ids=lambda gate: gate.name)
def test_a_handler_does_not_meet_a_gate_meant_for_somebody_else(session, case, actor, at, gate):
    at(next(stage for stage in Stage if gate.name in EXIT[stage]), gate.name)
    with pytest.raises(SecondPersonRequired) as refused:
        service.attest(session, actor, case.number, gate.name, "已核对")
    assert refused.value.message.key == gate.rule
    assert gate.name not in find(session, actor, case.number).facts


def test_who_is_to_carry_out_a_measure_does_not_check_the_execution(session, case, approver, at):
    at(Stage.IMPLEMENTATION, "execution_checked")
    session.add(
        Task(
            case_id=case.id, title="补付差额", is_measure=True, created_by=approver.id,
            assignee_id=approver.id, assignee_name=approver.name,
        )
    )  # fmt: skip
    session.commit()
    with pytest.raises(SecondPersonRequired):
        service.attest(session, approver, case.number, "execution_checked", "已核对回单")


def test_only_the_investigator_declares_the_independence(session, case, actor, make_actor, at):
    at(Stage.INVESTIGATION, "independence_declared")
    with pytest.raises(SecondPersonRequired):
        service.attest(session, actor, case.number, "independence_declared", "无利害关系")
    investigator = make_actor("investigator", name="周岚")
    form = AssignForm(part="investigator", account_id=investigator.id)
    people.assign(session, actor, case.number, form)
    service.attest(session, investigator, case.number, "independence_declared", "无利害关系")
    assert "independence_declared" in case.facts


def test_the_page_tells_the_rule_instead_of_offering_the_gate(
    session, web, case, actor, approver, at
):
    at(Stage.ARCHIVE, "retention_set", "dossier_whole")
    gate = GATES["retention_set"]
    assert gate.rule in web(actor).get(f"{DESK}/{case.number}").text
    page = web(approver).get(f"{DESK}/{case.number}").text
    assert gate.rule not in page
    assert "记录后视为参与办理" in page


def test_every_act_of_the_staff_on_the_outcome_leaves_a_part():
    """What is not listed here judges, speaks only inwards, or only says who is to do what."""
    beside = {
        "approve", "approve_first", "return_plan", "archive", "review", "reopen", "refuse_review",
        "answer_transfer", "note", "say", "hand_in", "ask_review", "assign", "assist",
        "name_subject", "lift_subject", "send_letter", "release_answer", "letter_delivery",
        "grant_extension", "refuse_extension", "grant_retype", "refuse_retype", "grant_lowering",
        "refuse_lowering", "reveal",
        "remind", "read_letter", "decline", "transfer", "merge", "withdraw", "return_end",
        "take_back_end", "reopen_intake", "tell_merged", "answer_merged", "answer_along",
        "recount", "unmerge", "tell_parted", "file_paper", "unassigned",
    }  # fmt: skip
    silent = {v.name for v in VERBS.values() if not v.handles and v.part not in HANDLING}
    assert silent == beside


def test_a_team_grows_only_where_a_part_is_written_down():
    """Lists find the cases of one person by the parts, and would miss a team without one."""
    root = Path(__file__).parents[2]
    sources = [*root.glob("platform/src/**/*.py"), *root.glob("plugins/*/src/**/*.py")]
    writers = {
        path.name
        for path in sources
        if re.search(r"\.team\s*(=[^=]|\.append|\.extend)|\bteam=\[[^]]", path.read_text("utf-8"))
    }
    assert writers == {"change.py"}


@pytest.mark.parametrize("everything", [True, False])
def test_the_numbers_beside_the_navigation_are_remembered_by_the_driver(everything):
    """psycopg remembers no text beyond 4096 characters, and takes each longer one apart anew."""
    assert len(str(waiting.counting(everything))) <= 4096
