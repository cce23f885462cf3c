"""Findings: raising, doing, testing by another, closing by somebody with no part in it."""

import io
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Conflict, Invalid, Period, add_workdays, today
from huiyin_checklist_regulatory import evidence, figures, findings, plugin, queries, runs, tasks
from huiyin_checklist_regulatory.errors import NotYours, SecondPerson
from huiyin_checklist_regulatory.models import RunEvent
from huiyin_checklist_regulatory.schemas import (
    ActionForm,
    CloseForm,
    DoneForm,
    FindingForm,
    RetestForm,
    ReviewForm,
)
from huiyin_checklist_regulatory.settings import ChecklistRegulatorySettings

FORM = FindingForm(title="没有制度", severity="S3", cause="RC7-1", training=True)
PASS, FAIL = RetestForm(result="pass", note="已看"), RetestForm(result="fail", note="还差一半")
CLOSE = CloseForm(note="下季度再看")


@pytest.fixture
def finding(lend, handed_in):
    return findings.raise_finding(lend("supervisor"), handed_in.id, 1, FORM)


@pytest.fixture
def action(lend, finding, people):
    form = ActionForm(title="补齐", owner=people["officer"].id, workdays=5)
    return findings.plan(lend("supervisor"), finding.id, form, "a")


def outbox(session):
    return session.execute(
        text("SELECT kind, object_id, payload FROM outbox_event WHERE kind LIKE 'checklist%'")
    ).all()


def test_a_finding_is_told_to_the_others_with_codes_only(lend, finding, session):
    ((kind, object_id, payload),) = outbox(session)
    assert kind == "checklist_regulatory:finding_raised"
    assert object_id == finding.id
    assert payload == {"severity": "S3", "cause": "RC7-1", "training": True, "post": ""}


def test_the_same_item_is_one_finding(lend, finding, handed_in, session):
    again = findings.raise_finding(lend("approver2"), handed_in.id, 1, FORM)
    assert again.id == finding.id
    assert len(outbox(session)) == 1


def test_only_what_is_not_met_and_handed_in_becomes_a_finding(lend, run, handed_in, kit):
    with pytest.raises(Conflict):
        findings.raise_finding(lend("supervisor"), handed_in.id, 2, FORM)
    form = FindingForm(title="x", severity="S1", cause="moon")
    with pytest.raises(Invalid):
        findings.raise_finding(lend("supervisor"), handed_in.id, 1, form)
    other = runs.begin(lend("approver"), kit.run_form(), "open")
    kit.say(lend("approver"), other, 1, "not_met", "缺")
    with pytest.raises(Conflict):
        findings.raise_finding(lend("supervisor"), other.id, 1, FORM)


def test_sealing_leaves_nothing_that_is_not_met_without_its_finding(lend, handed_in):
    ctx = lend("supervisor")
    run = runs.review(ctx, handed_in.id, ReviewForm(decision="seal"))
    (raised,) = findings.raise_rest(ctx, run)
    assert (raised.title, raised.severity) == ("第一项", "S3")
    assert findings.raise_rest(ctx, run) == []


RETURN = ReviewForm(decision="return", note="第 1 项请再看")


def back(lend, run, kit, answer):
    """The run comes back and the investigator answers the first item once more."""
    runs.review(lend("supervisor"), run.id, RETURN)
    return kit.say(lend("investigator"), run, 1, answer, "已有制度，补在证据里")


def test_a_finding_is_void_when_its_item_is_no_longer_not_met(
    lend, finding, action, handed_in, kit
):
    back(lend, handed_in, kit, "unverified")
    assert (finding.state, finding.closed_name) == ("void", "周岚")
    assert "不再是「不符合」" in finding.closing_note
    assert queries.my_actions(lend("officer")) == []
    assert queries.findings_of_run(lend("supervisor"), handed_in.id) == {}
    with pytest.raises(Conflict, match="不再成立"):
        findings.finish(lend("officer"), action.id, DoneForm(proof="x"))
    with pytest.raises(Conflict):
        findings.reopen(lend("approver2"), finding.id, CLOSE)
    runs.submit(lend("approver"), handed_in.id)
    run = runs.review(lend("supervisor"), handed_in.id, ReviewForm(decision="seal"))
    assert findings.raise_rest(lend("supervisor"), run) == []
    told = [e.what for e in queries.events(lend("supervisor"), run.id)]
    assert told.count("finding_void") == 1


def test_what_is_found_not_met_again_is_the_same_finding(lend, finding, handed_in, kit, session):
    back(lend, handed_in, kit, "unverified")
    kit.say(lend("approver"), handed_in, 1, "not_met", "材料不是这一项的")
    assert (finding.state, finding.closed_at) == ("open", None)
    assert finding.answered_by == lend("approver").actor.id
    runs.submit(lend("approver"), handed_in.id)
    assert findings.raise_finding(lend("supervisor"), handed_in.id, 1, FORM).id == finding.id
    assert len(outbox(session)) == 1


def test_a_finding_stays_while_its_item_stays_not_met(lend, finding, handed_in, kit):
    back(lend, handed_in, kit, "not_met")
    assert finding.state == "open"
    with pytest.raises(Conflict):  # the run is open again
        findings.raise_finding(lend("supervisor"), handed_in.id, 1, FORM)


# -- actions -----------------------------------------------------------------------------------


def test_working_days_are_counted_from_today_and_default_to_the_firms_own(lend, finding, action):
    assert action.due_on == add_workdays(today(), 5)
    settings = ChecklistRegulatorySettings(action_days=7)
    ctx = lend("supervisor", settings=settings)
    plain = findings.plan(ctx, finding.id, ActionForm(title="再补", owner=action.owner_id), "b")
    assert (plain.due_on, plain.workdays) == (add_workdays(today(), 7), 7)
    day = today() + timedelta(days=3)
    dated = ActionForm(title="按日", owner=action.owner_id, due_on=day)
    assert findings.plan(ctx, finding.id, dated, "c").workdays is None


def test_the_same_key_is_the_same_action(lend, finding, action):
    form = ActionForm(title="又", owner=action.owner_id)
    assert findings.plan(lend("supervisor"), finding.id, form, "a").id == action.id


NO_ACTION = (
    ({"owner": uuid.UUID(int=9)}, "owner"),
    ({"due_on": today() - timedelta(days=1)}, "due_on"),
    ({"due_on": today() + timedelta(days=900)}, "due_on"),
    ({"due_on": today(), "workdays": 3}, "workdays"),
)


def test_an_action_that_cannot_be_is_refused_at_its_field(lend, finding, people):
    for given, field in NO_ACTION:
        form = ActionForm(**{"title": "补", "owner": people["officer"].id, **given})
        with pytest.raises(Invalid) as caught:
            findings.plan(lend("supervisor"), finding.id, form, f"x-{field}")
        assert field in caught.value.fields


def test_nobody_is_made_owner_who_only_reads(lend, finding, people):
    form = ActionForm(title="补", owner=people["executive"].id)
    with pytest.raises(Invalid):
        findings.plan(lend("supervisor"), finding.id, form, "x")


def test_only_the_owner_reports_it_done(lend, action):
    with pytest.raises(NotYours):
        findings.finish(lend("investigator"), action.id, DoneForm(proof="x"))
    assert findings.finish(lend("officer"), action.id, DoneForm(proof="x")).state == "done"
    with pytest.raises(Conflict):
        findings.finish(lend("officer"), action.id, DoneForm(proof="x"))


def test_proof_is_added_by_the_owner_only(lend, action):
    with pytest.raises(NotYours):
        findings.own_action(lend("supervisor"), action.id)
    place = findings.own_action(lend("officer"), action.id)
    evidence.add_file(lend("officer"), place, "凭证.pdf", io.BytesIO(b"%PDF-1.7"))
    assert [e.title for e in evidence.of_actions(lend("supervisor"), [action.id])] == ["凭证.pdf"]


@pytest.mark.parametrize("who", ["officer", "investigator"])
def test_neither_the_owner_nor_who_answered_tests_it(who, lend, action):
    findings.finish(lend("officer"), action.id, DoneForm(proof="x"))
    with pytest.raises(SecondPerson):
        findings.test(lend(who), action.id, PASS)


def test_what_fails_its_test_is_open_again(lend, action):
    with pytest.raises(Conflict):
        findings.test(lend("supervisor"), action.id, PASS)
    findings.finish(lend("officer"), action.id, DoneForm(proof="x"))
    assert findings.test(lend("supervisor"), action.id, FAIL).state == "open"
    assert action.failures == 1
    findings.finish(lend("officer"), action.id, DoneForm(proof="y"))
    assert findings.test(lend("supervisor"), action.id, PASS).state == "passed"


def test_the_database_too_refuses_an_owner_who_tests(lend, action, session, people):
    session.flush()
    with pytest.raises(IntegrityError, match="second_person"):
        session.execute(
            text("UPDATE plugin_checklist_regulatory__action SET tested_by = :who"),
            {"who": people["officer"].id},
        )


# -- closing -----------------------------------------------------------------------------------


def passed(lend, action):
    findings.finish(lend("officer"), action.id, DoneForm(proof="x"))
    findings.test(lend("supervisor"), action.id, PASS)


def test_a_finding_is_closed_when_everything_passed_and_not_before(lend, finding, action):
    with pytest.raises(Conflict):
        findings.close(lend("supervisor"), finding.id, CLOSE)
    passed(lend, action)
    assert findings.close(lend("supervisor"), finding.id, CLOSE).state == "closed"
    with pytest.raises(Conflict):
        findings.close(lend("supervisor"), finding.id, CLOSE)
    form = ActionForm(title="又", owner=action.owner_id)
    with pytest.raises(Conflict):
        findings.plan(lend("supervisor"), finding.id, form, "later")


def test_a_finding_without_any_action_is_not_closed(lend, finding):
    with pytest.raises(Conflict):
        findings.close(lend("supervisor"), finding.id, CLOSE)


@pytest.mark.parametrize("who", ["investigator", "officer"])
def test_neither_who_answered_nor_an_owner_closes_it(who, lend, finding, action):
    passed(lend, action)
    with pytest.raises(SecondPerson):
        findings.close(lend(who), finding.id, CLOSE)


def test_the_database_too_refuses_a_closer_who_answered(lend, finding, session, people):
    session.flush()
    with pytest.raises(IntegrityError, match="second_person"):
        session.execute(
            text("UPDATE plugin_checklist_regulatory__finding SET closed_by = :who"),
            {"who": people["investigator"].id},
        )


def test_a_closed_finding_can_come_back(lend, finding, action):
    with pytest.raises(Conflict):
        findings.reopen(lend("supervisor"), finding.id, CLOSE)
    passed(lend, action)
    findings.close(lend("supervisor"), finding.id, CLOSE)
    assert findings.reopen(lend("approver2"), finding.id, CLOSE).state == "open"


# -- figures and reminders ---------------------------------------------------------------------


def value(ctx, name, period):
    figure = next(f for f in figures.FIGURES if f.name == f"checklist_regulatory:{name}")
    (measured,) = figure.measure(ctx, period)
    return measured.value


def test_open_findings_are_counted_as_they_stood_at_the_end_of_the_period(lend, finding, action):
    ctx = lend("approver")
    now_, before = Period(today(), today()), Period(today() - timedelta(9), today() - timedelta(1))
    assert value(ctx, "findings_open", now_) == 1
    assert value(ctx, "findings_open", before) == 0
    passed(lend, action)
    findings.close(lend("supervisor"), finding.id, CLOSE)
    assert value(ctx, "findings_open", now_) == 0


def events(session):
    return [e.what for e in session.scalars(select(RunEvent)) if e.what == "action_late"]


def test_what_falls_due_is_reminded_of_once_and_being_late_is_told_once(lend, action, session):
    ctx = lend("supervisor", settings=ChecklistRegulatorySettings(remind_days=3))
    tasks.remind(ctx, {})
    assert action.reminded == ""
    action.due_on = today()
    session.flush()
    tasks.remind(ctx, {})
    assert action.reminded == "soon"
    assert events(session) == []
    action.due_on = today() - timedelta(days=1)
    session.flush()
    for _ in range(3):
        tasks.remind(ctx, {})
    assert action.reminded == "late"
    assert events(session) == ["action_late"]


def test_those_told_already_leave_room_for_the_next(
    lend, action, finding, people, session, monkeypatch
):
    monkeypatch.setattr(tasks, "MOST", 1)
    form = ActionForm(title="培训", owner=people["officer"].id, workdays=5)
    other = findings.plan(lend("supervisor"), finding.id, form, "b")
    action.due_on = other.due_on = today()
    session.flush()
    ctx = lend("supervisor", settings=ChecklistRegulatorySettings(remind_days=3))
    for _ in range(2):
        tasks.remind(ctx, {})
    assert (action.reminded, other.reminded) == ("soon", "soon")


def test_what_waits_for_a_person_is_on_their_own_page(lend, action):
    assert [a.id for a, _ in queries.my_actions(lend("officer"))] == [action.id]
    assert queries.to_test(lend("supervisor")) == []
    findings.finish(lend("officer"), action.id, DoneForm(proof="x"))
    assert queries.my_actions(lend("officer")) == []
    assert [a.id for a, _ in queries.to_test(lend("supervisor"))] == [action.id]
    assert queries.to_test(lend("officer")) == []
    assert queries.to_test(lend("investigator")) == []  # answered the item


def test_drafted_settings_tell_what_they_would_change(lend, action, run, kit, session):
    ctx = lend("approver")
    other = runs.begin(ctx, kit.run_form(), "open")
    session.flush()
    kit.say(ctx, other, 1, "met")
    action.due_on = today()
    session.flush()
    old = ChecklistRegulatorySettings(require_evidence=False, remind_days=3)
    new = ChecklistRegulatorySettings(require_evidence=True, remind_days=5)
    assert [str(m) for m in plugin.preview_settings(ctx, old, new)] == [
        "进行中的自查有 1 项答「符合」而没有证据，提交前须补充", "将提醒 1 项未完成的整改",
    ]  # fmt: skip
    assert plugin.preview_settings(ctx, new, new) == []


def test_the_owner_gets_one_mail_when_it_falls_due_and_one_when_it_is_late(
    lend, action, session, monkeypatch
):
    sent = []
    monkeypatch.setattr(tasks, "can_mail", lambda: True)
    monkeypatch.setattr(tasks, "send_mail", lambda _ctx, mail: sent.append(mail))
    ctx = lend("supervisor")

    def look(due):
        action.due_on = due
        session.flush()
        for _ in range(2):
            tasks.remind(ctx, {})
        jobs = session.execute(
            text("SELECT payload FROM job WHERE consumer LIKE '%checklist_regulatory:mail'")
        ).scalars()
        return list(jobs)

    assert len(look(today())) == 1
    waiting = look(today() - timedelta(days=1))
    assert sorted(job["level"] for job in waiting) == ["late", "soon"]
    for job in waiting:
        tasks.mail(ctx, job)
        tasks.mail(ctx, job)
    assert len({mail.id for mail in sent}) == 2  # a mail tried again is the same mail
    assert all("@" in mail.to and "WT-" in mail.subject for mail in sent)
    assert not any("补齐" in mail.text for mail in sent)
    sent.clear()
    findings.finish(lend("officer"), action.id, DoneForm(proof="x"))
    tasks.mail(ctx, waiting[0])
    assert sent == []
