"""From what a survey's review concluded to a certificate, as the people in it see it."""

import io
from dataclasses import replace

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from huiyin.sdk import Period, today, uuid7
from huiyin_training_records import coverage

from .conftest import CAUSE, HOME, follow, right_answers, text_of


def outbox(session, kind):
    rows = session.execute(
        text("SELECT object_id, payload FROM outbox_event WHERE kind = :kind"), {"kind": kind}
    )
    return [(row.object_id, row.payload) for row in rows]


@pytest.fixture
def up_to_date(ctx_of, session):
    def read(person):
        session.rollback()
        found = coverage.measure_up_to_date(ctx_of(), Period(today(), today()))
        return {m.subject: m for m in found}.get(person.id)

    return read


def test_a_review_that_asks_for_training_leads_the_handler_to_a_certificate(
    switched_on, course, learner, case_of, concluded, assignments, web, public, session, up_to_date
):
    assert up_to_date(learner) is None
    concluded(case_of(learner))
    (row,) = assignments(learner)
    browser = web(learner)
    listed = text_of(browser.get(f"{HOME}/"))
    assert course.title in listed
    assert "案件根因" in listed

    here = f"{HOME}/assignments/{row.id}"
    page = browser.get(here)
    assert "学习材料，还有 1 份" in text_of(page)
    material = page.text.partition(f"{here}/materials/")[2].partition('"')[0]
    assert "不得承诺保本" in text_of(browser.get(f"{here}/materials/{material}"))
    page = follow(browser, browser.post(f"{here}/materials/{material}/read"))
    assert "参加测验" in text_of(page)

    sheet = follow(browser, browser.post(f"{here}/quiz"))
    result = follow(browser, browser.post(f"{here}/quiz/1", right_answers(sheet)))
    assert "得分 100" in text_of(result)
    page = follow(browser, browser.post(f"{here}/attest", {"name": "周岚", "agree": "on"}))
    assert "下载证书" in text_of(page)

    answer = browser.get(f"{here}/certificate")
    assert answer.headers["content-type"] == "application/pdf"
    said = "".join(p.extract_text() for p in PdfReader(io.BytesIO(answer.content)).pages)
    assert "周岚" in said
    ((object_id, payload),) = outbox(session, "training_records:passed")
    assert object_id == row.id
    assert payload == {"account": str(learner.id), "course": str(course.id)}
    measured = up_to_date(learner)
    assert (measured.value, measured.n) == (1.0, 1)


def test_told_twice_or_while_it_is_open_or_valid_nothing_is_assigned_again(
    course, learner, case_of, concluded, assignments, session
):
    case = case_of(learner)
    event = concluded(case)
    concluded(case, event_id=event.id)
    concluded(case)
    (row,) = assignments(learner)
    row.state, row.completed_on = "done", today()
    session.commit()
    concluded(case_of(learner))
    assert len(assignments(learner)) == 1


def test_what_another_plugin_tells_arrives_by_the_queue(
    switched_on, course, learner, case_of, ctx_of, drain, session, assignments
):
    case = case_of(learner)
    drain()
    payload = {"case": str(case.id), "cause": CAUSE, "training": True}
    survey = replace(ctx_of(), plugin="survey_satisfaction")
    survey.emit("review_concluded", uuid7(), payload)
    session.commit()
    for _ in range(2):
        drain()
    (row,) = assignments(learner)
    assert (row.origin, row.cause, row.case_id) == ("cause", CAUSE, case.id)
