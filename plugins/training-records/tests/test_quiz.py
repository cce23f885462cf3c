"""Quizzes, and those who would rather not take them."""

import random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from huiyin.sdk import Conflict, Invalid, NotFound, Refused, today
from huiyin_training_records import assigning, courses, learning, quiz, records
from huiyin_training_records.models import Attempt, Question
from huiyin_training_records.schemas import AttestForm, QuestionForm, RecogniseForm
from huiyin_training_records.terms import Origin

from .conftest import HOME, follow, right_answers, text_of


@pytest.fixture
def row(course, learner, case_of, concluded, assignments):
    concluded(case_of(learner))
    return assignments(learner)[0]


@pytest.fixture
def read(ctx_of, learner, row, session):
    """The material is read; answers the learner's context."""
    ctx = ctx_of(learner)
    for material in learning.progress(ctx, row).materials:
        learning.mark_read(ctx, row, material)
    session.commit()
    return ctx


@pytest.fixture
def browser(switched_on, web, learner, read):
    return web(learner)


@pytest.fixture
def here(row):
    return f"{HOME}/assignments/{row.id}"


def test_a_draw_asks_each_question_once_with_its_options_shuffled():
    pool = [Question(id=n, options=["a", "b", "c"]) for n in range(5)]
    seen = set()
    for seed in range(30):
        drawn = quiz.draw(pool, 3, random.Random(seed))
        assert len({line["id"] for line in drawn}) == 3
        assert all(sorted(line["order"]) == [0, 1, 2] for line in drawn)
        seen.add(tuple((line["id"], *line["order"]) for line in drawn))
    assert len(seen) > 20


def test_opening_counts_as_a_try_before_any_answer_is_looked_at(browser, here, row, assignments):
    follow(browser, browser.post(f"{here}/quiz"))
    assert assignments()[0].attempts_used == 1
    again = browser.post(f"{here}/quiz")
    assert again.headers["location"].endswith("/quiz/1")
    assert assignments()[0].attempts_used == 1


@pytest.mark.parametrize(
    "tampered",
    [
        {"q7": "0"}, {"11111111-1111-7111-8111-111111111111": "0"}, {"q0": ["0", "1"]},
        {"q0": "9"}, {"q0": "9" * 5000}, {"q0": "٠"}, {"q0": "-1"}, {"q0": "x"},
        {"q0": ["0", "0"]}, {"q1": ""}, {"score": "100"},
        {"passed": "true"},
    ],
)  # fmt: skip
def test_answers_to_what_was_not_asked_are_refused_and_the_try_stays_counted(
    browser, here, session, tampered, assignments
):
    sheet = follow(browser, browser.post(f"{here}/quiz"))
    answer = browser.post(f"{here}/quiz/1", {**right_answers(sheet), **tampered})
    assert answer.status_code == 422
    assert "正确答案" not in answer.text
    (sat,) = session.query(Attempt).all()
    assert sat.submitted_at is None
    assert assignments()[0].attempts_used == 1


def test_what_was_chosen_is_kept_when_something_is_missing(browser, here):
    sheet = follow(browser, browser.post(f"{here}/quiz"))
    right = right_answers(sheet)
    answer = browser.post(f"{here}/quiz/1", {"q0": right["q0"]})
    assert answer.status_code == 422
    assert text_of(answer).count("请作答") == 2  # in the summary and at the question
    assert f'name="q0" value="{right["q0"]}" checked' in answer.text


def test_submitted_twice_the_first_answer_stands(browser, here, session, row):
    sheet = follow(browser, browser.post(f"{here}/quiz"))
    right = right_answers(sheet)
    wrong = {name: str((int(value) + 1) % 3) for name, value in right.items()}
    failed = follow(browser, browser.post(f"{here}/quiz/1", wrong))
    assert "未及格" in text_of(failed)
    again = browser.post(f"{here}/quiz/1", right)
    assert again.status_code == 409
    assert "这次测验已经提交" in text_of(again)
    assert "未及格" in text_of(again)
    session.rollback()
    (sat,) = session.query(Attempt).all()
    assert (sat.score, sat.passed) == (0, False)


def test_right_answers_are_told_only_to_those_who_passed(browser, here):
    sheet = follow(browser, browser.post(f"{here}/quiz"))
    wrong = {name: str((int(v) + 1) % 3) for name, v in right_answers(sheet).items()}
    failed = follow(browser, browser.post(f"{here}/quiz/1", wrong))
    assert "正确答案：" not in text_of(failed)


def test_without_a_try_left_nothing_is_drawn_and_somebody_else_can_allow_one(
    browser, here, row, web, admin, learner, assignments, session, make_actor
):
    for n in (1, 2):
        sheet = follow(browser, browser.post(f"{here}/quiz"))
        wrong = {name: str((int(v) + 1) % 3) for name, v in right_answers(sheet).items()}
        browser.post(f"{here}/quiz/{n}", wrong)
    page = follow(browser, browser.post(f"{here}/quiz"))
    assert "测验次数已用完" in text_of(page)
    assert assignments()[0].attempts_used == 2
    assert browser.post(f"{HOME}/manage/records/{row.id}/grant").status_code == 404
    follow(web(admin), web(admin).post(f"{HOME}/manage/records/{row.id}/grant"))
    follow(web(admin), web(admin).post(f"{HOME}/manage/records/{row.id}/grant"))
    assert assignments()[0].attempts_more == 1
    assert browser.post(f"{here}/quiz").headers["location"].endswith("/quiz/3")


def test_a_pool_smaller_than_the_draw_is_not_published(make_course, ctx_of, admin):
    course = make_course("KC-09", pool=2, draw=3, publish=False)
    ctx = ctx_of(admin)
    with pytest.raises(Invalid) as refused:
        courses.publish(ctx, course, courses.draft_of(ctx, course))
    assert "draw" in refused.value.fields


def test_a_published_version_is_never_changed_and_a_new_one_begins_as_its_copy(
    course, ctx_of, admin, session
):
    ctx = ctx_of(admin)
    version = courses.published(session, course.id)
    question = QuestionForm(kind="judge", text="可以补一题吗", options="正确")
    with pytest.raises(Conflict):
        courses.add_question(ctx, version, question)
    draft = courses.draft_of(ctx, course)
    assert draft.number == 2
    assert len(courses.questions(session, draft.id)) == 4
    assert courses.draft_of(ctx, course).id == draft.id


def test_whoever_wrote_the_questions_does_not_sit_the_quiz(course, ctx_of, admin, session):
    ctx = ctx_of(admin)
    why = assigning.Why(origin=Origin.MANUAL)
    (mine,) = assigning.assign(ctx, course, [admin.id], today(), why)
    for material in learning.progress(ctx, mine).materials:
        learning.mark_read(ctx, mine, material)
    with pytest.raises(Refused):
        quiz.start(ctx, mine)
    assert mine.attempts_used == 0


def test_somebody_elses_training_is_not_there(browser, row, web, actor, here, make_tenant):
    other = web(actor)
    for path in ("", "/attest", "/certificate", "/quiz/1"):
        assert other.get(here + path).status_code == 404
    for path in ("/quiz", "/quiz/1", "/attest"):
        assert other.post(here + path, {"name": "周岚", "agree": "on"}).status_code == 404
    random_id = here.replace(str(row.id), "01900000-0000-7000-8000-000000000000")
    strange, unknown = other.get(here), other.get(random_id)
    assert strange.text.replace(str(row.id), "") == unknown.text.replace(
        "01900000-0000-7000-8000-000000000000", ""
    )


def test_nobody_signs_before_the_steps_are_done_nor_with_another_name(
    ctx_of, learner, row, read, session
):
    with pytest.raises(Conflict):
        learning.attest(read, row, AttestForm(name="周岚", agree=True))
    sat = quiz.start(read, row)
    chosen = {q.name: [str(n) for n in q.right] for q in quiz.asked(read, row, sat)}
    assert quiz.submit(read, row, sat, chosen)
    for form in (AttestForm(name="别人", agree=True), AttestForm(name="周岚", agree=False)):
        with pytest.raises(Invalid):
            learning.attest(read, row, form)
    learning.attest(read, row, AttestForm(name="周 岚", agree=True))
    with pytest.raises(Conflict):
        learning.attest(read, row, AttestForm(name="周岚", agree=True))


# -- one's own records -------------------------------------------------------------------------


def test_nobody_recognises_cancels_or_grants_for_himself(course, ctx_of, admin, session):
    ctx = ctx_of(admin)
    why = assigning.Why(origin=Origin.MANUAL)
    (mine,) = assigning.assign(ctx, course, [admin.id], today(), why)
    form = RecogniseForm(
        course=course.id, person=admin.id, completed_on=today(), proof="外部证书 123"
    )
    for act in (
        lambda: records.recognise(ctx, form),
        lambda: records.cancel(ctx, mine, "不想学了"),
        lambda: records.grant_attempt(ctx, mine),
    ):
        with pytest.raises(Refused):
            act()


@pytest.mark.parametrize("column", ["recognised_by", "granted_by", "cancelled_by"])
def test_the_table_refuses_it_too(session, row, column):
    with pytest.raises(IntegrityError):
        session.execute(
            text(f"UPDATE plugin_training_records__assignment SET {column} = account_id")
        )
    session.rollback()


def test_a_recognised_training_is_certified_at_once_and_ends_what_was_open(
    course, ctx_of, approver, row, learner, session, assignments
):
    form = RecogniseForm(
        course=course.id, person=learner.id, completed_on=today(), proof="外部证书 123"
    )
    records.recognise(ctx_of(approver), form)
    session.commit()
    (done,) = assignments(learner)
    assert (done.id, done.state) == (row.id, "done")
    assert records.whole(ctx_of(approver), row.id).certificate is not None


def test_a_material_of_another_course_is_not_there(make_course, row, read, session):
    other = make_course("KC-02", causes=())
    foreign = courses.materials(session, courses.published(session, other.id).id)[0]
    with pytest.raises(NotFound):
        learning.material_of(read, row, foreign.id)
