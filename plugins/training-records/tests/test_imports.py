"""Existing records from a file: all or nothing for each row, and every reason told."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from huiyin.sdk import Conflict, GiveUp, Invalid, Period, Refused, today, uuid7
from huiyin_training_records import assigning, coverage, imports, records
from huiyin_training_records.models import Assignment
from huiyin_training_records.schemas import AssignForm, RecogniseForm

from .conftest import HOME, follow, text_of

HEAD = "姓名,部门,课程编号,完成日期,有效期至,依据"


def table(*lines, head=HEAD):
    return io.BytesIO("\n".join([head, *lines]).encode())


@pytest.fixture
def begun(ctx_of, admin, session, course):
    """``begun(line, …)`` is an import of these rows; ``work`` does its jobs to the end."""

    def make(*lines, name="去年.csv", by=admin):
        run = imports.begin(ctx_of(by), (name, table(*lines)))
        session.commit()
        return run

    return make


@pytest.fixture
def work(ctx_of, session):
    def do(run, job=imports.check, tries=50):
        for _ in range(tries):
            before = (run.state, run.checked, run.applied)
            job(ctx_of(), {"run": str(run.id)})
            session.commit()
            session.refresh(run)
            if (run.state, run.checked, run.applied) == before:
                return
        raise AssertionError("it never ends")

    return do


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("没有人,,KC-01,2025-03-18,,", "没有这个姓名和部门的在职成员"),
        ("周岚,别的部门,KC-01,2025-03-18,,", "没有这个姓名和部门的在职成员"),
        ("周岚,,KC-77,2025-03-18,,", "没有这个编号的已发布课程"),
        ("周岚,,KC-01,去年三月,,", "完成日期请写成 2026-03-18 的格式"),
        ("周岚,,KC-01,2999-01-01,,", "完成日期晚于今天"),
        ("周岚,,KC-01,2025-03-18,2024-01-01,", "有效期早于完成日期"),
        ("周岚,,KC-01,2025-03-18,很久,", "有效期至请写成 2026-03-18 的格式"),
        ("林之航,,KC-01,2025-03-18,,", "导入人本人的记录须由其他管理员导入"),
    ],
)
def test_each_wrong_row_has_its_reason_and_the_good_ones_are_kept_apart(
    begun, work, learner, session, ctx_of, line, reason
):
    run = begun(line, "周岚,,KC-01,2025-03-19,,签到表")
    work(run)
    assert (run.state, run.total, run.wrong) == ("checked", 2, 1)
    (row,) = imports.wrong_rows(ctx_of(), run)
    assert (row.number, row.reason) == (2, reason)
    assert session.query(Assignment).count() == 0


def test_two_people_of_one_name_need_their_department(begun, work, learner, make_actor, ctx_of):
    make_actor("investigator", name="周岚")
    run = begun("周岚,,KC-01,2025-03-18,,")
    work(run)
    assert imports.wrong_rows(ctx_of(), run)[0].reason == "有几位同名成员，请填写部门"


def test_the_same_record_twice_is_taken_once(begun, work, learner, ctx_of, session, admin):
    line = "周岚,合规客服部,KC-01,2025-03-18,,"
    run = begun(line, line)
    work(run)
    assert run.wrong == 1
    imports.confirm(ctx_of(admin), run)
    work(run, imports.apply)
    again = begun(line)
    work(again)
    assert again.wrong == 1
    assert session.query(Assignment).count() == 1


def test_ten_thousand_rows_with_wrong_ones_among_them_go_on_where_they_were_cut(
    begun, work, learner, ctx_of, admin, session
):
    lines = [
        f"周岚,,KC-01,{1990 + n // 336}-{n % 336 // 28 + 1:02}-{n % 28 + 1:02},,"
        if n % 10 else "没有人,,KC-01,2025-03-18,,"
        for n in range(10_000)
    ]  # fmt: skip
    run = begun(*lines)
    imports.check(ctx_of(), {"run": str(run.id)})
    session.commit()
    assert (run.state, run.checked) == ("checking", imports.PIECE)
    work(run)
    assert (run.state, run.checked, run.wrong) == ("checked", 10_000, 1000)
    file = load_workbook(io.BytesIO(imports.error_file(ctx_of(), run)))
    rows = list(file.worksheets[0].iter_rows(values_only=True))
    assert len(rows) == 1001
    assert rows[1][0] == 2
    assert rows[1][-1] == "没有这个姓名和部门的在职成员"
    imports.confirm(ctx_of(admin), run)
    session.commit()
    imports.apply(ctx_of(), {"run": str(run.id)})
    session.rollback()  # the worker died before its commit
    assert session.query(Assignment).count() == 0
    session.refresh(run)
    work(run, imports.apply)
    assert (run.state, run.applied) == ("done", 9000)
    assert session.query(Assignment).count() == 9000
    imports.apply(ctx_of(), {"run": str(run.id)})
    assert session.query(Assignment).count() == 9000


def test_what_is_no_table_is_refused_at_the_field(ctx_of, admin):
    ctx = ctx_of(admin)
    for name, content in (
        ("a.csv", b"\x00\x01"), ("a.xlsx", b"no zip"), ("a.csv", "姓名,别的\n甲,乙".encode()),
        ("a.csv", HEAD.encode()),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            imports.begin(ctx, (name, io.BytesIO(content)))
        assert "file" in refused.value.fields
    with pytest.raises(Invalid):
        imports.begin(ctx, None)


def test_a_job_without_its_run_gives_up(ctx_of):
    for payload in ({}, {"run": "x"}, {"run": str(uuid7())}):
        with pytest.raises(GiveUp):
            imports.check(ctx_of(), payload)


def test_formulas_in_the_file_come_back_as_text(begun, work, learner, ctx_of):
    run = begun("=1+1,,KC-01,2025-03-18,,")
    work(run)
    file = load_workbook(io.BytesIO(imports.error_file(ctx_of(), run)))
    assert "f" not in {c.data_type for row in file.worksheets[0].iter_rows() for c in row}
    assert file.worksheets[0]["B2"].value == "=1+1"


def test_a_manager_uploads_sees_the_errors_and_confirms_once(
    switched_on, course, learner, web, admin, supervisor, ctx_of, session, work
):
    browser, path = web(admin), f"{HOME}/manage/imports"
    assert browser.post(path, files={"file": ("a.csv", b"x")}).status_code == 422
    sent = {"file": ("去年.csv", table("周岚,,KC-01,2025-03-18,,", "没有人,,KC-01,2025-03-18,,"))}
    page = follow(browser, browser.post(path, files=sent))
    assert "正在核对" in text_of(page)
    key = session.execute(text("SELECT id FROM plugin_training_records__import_run")).scalar_one()
    run = imports.find(session, key)
    work(run)
    here = f"{path}/{key}"
    page = text_of(browser.get(here))
    assert "1 行可以导入，1 行有误" in page
    assert browser.get(f"{here}/errors").status_code == 200
    assert web(supervisor).get(here).status_code == 404
    follow(browser, browser.post(f"{here}/confirm"))
    page = follow(browser, browser.post(f"{here}/confirm"))
    assert "已经确认" in page.text
    session.expire_all()
    with pytest.raises(Conflict):
        imports.confirm(ctx_of(admin), imports.find(session, key))
    work(imports.find(session, key), imports.apply)
    assert "已导入 1 行" in text_of(browser.get(here))
    (row,) = session.query(Assignment).all()
    assert (row.origin, row.recognised_by) == ("import", admin.id)
    assert row.valid_until is not None
    assert row.completed_on < today()


def test_switched_off_in_mid_flight_it_waits_and_goes_on_where_it_was(
    switch, begun, learner, drain, session
):
    switch(True)
    drain()  # what comes with switching on
    run = begun("周岚,,KC-01,2025-03-18,,", "没有人,,KC-01,2025-03-18,,")
    switch(False)
    drain()
    session.refresh(run)
    assert (run.state, run.checked) == ("checking", 0)
    switch(True)
    drain()
    session.refresh(run)
    assert (run.state, run.checked, run.wrong) == ("checked", 2, 1)


def taken(work, run, ctx_of, by):
    """Checked and taken in."""
    work(run)
    imports.confirm(ctx_of(by), run)
    work(run, imports.apply)


def valid_on(ctx_of, person, days_ago):
    """Whether the person's trainings were up to date so many days ago; nothing to say: None."""
    day = today() - timedelta(days=days_ago)
    found = coverage.measure_up_to_date(ctx_of(), Period(day, day))
    return next((m.value for m in found if m.subject == person.id), None)


def test_what_was_imported_today_counts_from_the_day_it_was_done(
    begun, work, learner, ctx_of, admin
):
    done = today() - timedelta(days=60)
    taken(work, begun(f"周岚,,KC-01,{done},,签到表"), ctx_of, admin)
    assert [valid_on(ctx_of, learner, n) for n in (0, 30, 60, 61)] == [1.0, 1.0, 1.0, None]


def test_what_was_recognised_today_counts_from_the_day_it_was_done(course, learner, ctx_of, admin):
    form = RecogniseForm(
        person=learner.id, course=course.id, proof="签到表第 3 页",
        completed_on=today() - timedelta(days=60),
    )  # fmt: skip
    records.recognise(ctx_of(admin), form)
    assert [valid_on(ctx_of, learner, n) for n in (0, 30, 60, 61)] == [1.0, 1.0, 1.0, None]


def by_hand(ctx_of, admin, course, learner, session):
    """The course is asked of the person, to be done by tomorrow."""
    form = AssignForm(people=[learner.id], due_on=today() + timedelta(days=1))
    (row,) = assigning.by_hand(ctx_of(admin), course, form)
    session.commit()
    return row


def test_an_imported_training_closes_the_one_that_was_still_asked_for(
    begun, work, course, learner, ctx_of, admin, session
):
    row = by_hand(ctx_of, admin, course, learner, session)
    done = today() - timedelta(days=20)
    run = begun(f"周岚,,KC-01,{done},,签到表", f"周岚,,KC-01,{done - timedelta(days=9)},,")
    taken(work, run, ctx_of, admin)
    session.refresh(row)
    assert (row.state, row.completed_on, row.proof) == ("done", done, "签到表")
    assert (row.origin, row.recognised_by) == ("manual", admin.id)
    assert session.query(Assignment).count() == 2  # the older one stands for itself
    assert assigning.open_of(ctx_of(), learner.id) == 0
    assert assigning.remind(ctx_of()) == 0


@pytest.mark.parametrize(
    ("origin", "ago", "until", "state"),
    [
        ("post", 20, "", "done"),
        ("post", 900, "", "open"),  # long expired
        ("post", 20, today() - timedelta(days=1), "open"),
        ("cause", 20, "", "open"),  # learnt before the mistake it answers
        ("cause", 0, "", "done"),
        ("renewal", 20, "", "open"),
    ],
)
def test_what_was_done_before_does_not_answer_what_is_asked_anew(
    begun, work, course, learner, ctx_of, admin, session, origin, ago, until, state
):
    row = by_hand(ctx_of, admin, course, learner, session)
    row.origin = origin
    session.commit()
    taken(
        work, begun(f"周岚,,KC-01,{today() - timedelta(days=ago)},{until},"), ctx_of, admin
    )  # fmt: skip
    session.refresh(row)
    assert row.state == state


def test_a_wrong_import_is_withdrawn_with_a_reason_and_can_be_brought_in_again(
    begun, work, learner, ctx_of, admin, approver, session
):
    line = "周岚,,KC-01,2025-03-18,2099-01-01,"
    taken(work, begun(line), ctx_of, admin)
    (row,) = session.query(Assignment).all()
    records.withdraw(ctx_of(approver), row, "签到表上不是本人")
    session.commit()
    assert (row.state, row.cancelled_by, row.reason) == (
        "cancelled",
        approver.id,
        "签到表上不是本人",
    )
    query = "SELECT convert_from(doc, 'UTF8') FROM ledger_entry WHERE kind LIKE '%import_withdrawn'"
    assert '"reopened":false' in session.execute(text(query)).scalar_one()
    with pytest.raises(Conflict):
        records.withdraw(ctx_of(approver), row, "再撤回一次")
    again = begun(line)
    work(again)
    assert again.wrong == 0


def test_what_was_open_before_a_wrong_import_is_open_again(
    begun, work, course, learner, ctx_of, admin, approver, session
):
    row = by_hand(ctx_of, admin, course, learner, session)
    taken(work, begun(f"周岚,,KC-01,{today()},,签到表"), ctx_of, admin)
    session.refresh(row)
    records.withdraw(ctx_of(approver), row, "签到表上不是本人")
    assert (row.state, row.completed_on, row.valid_until) == ("open", None, None)
    assert (row.recognised_by, row.proof) == (None, "")
    assert assigning.open_of(ctx_of(), learner.id) == 1


def test_nobody_withdraws_his_own_and_what_has_a_certificate_is_revoked(
    begun, work, course, learner, ctx_of, admin, approver, session
):
    taken(work, begun("顾明远,,KC-01,2025-03-18,,"), ctx_of, admin)
    (mine,) = session.query(Assignment).all()
    with pytest.raises(Refused):
        records.withdraw(ctx_of(approver), mine, "想重新来过")
    form = RecogniseForm(
        person=learner.id, course=course.id, completed_on=today(), proof="签到表第 3 页"
    )
    certified = records.recognise(ctx_of(admin), form)
    with pytest.raises(Conflict):
        records.withdraw(ctx_of(admin), certified, "签到表上不是本人")


def test_a_manager_withdraws_it_on_its_page(
    switched_on, begun, work, learner, web, admin, supervisor, ctx_of, session
):
    taken(work, begun("周岚,,KC-01,2025-03-18,2099-01-01,"), ctx_of, admin)
    (row,) = session.query(Assignment).all()
    here = f"{HOME}/manage/records/{row.id}"
    reason = {"reason": "签到表上不是本人"}
    assert web(supervisor).post(f"{here}/withdraw", reason).status_code in {403, 404}
    browser = web(admin)
    assert "撤回导入的记录" in text_of(browser.get(here))
    assert browser.post(f"{here}/withdraw", {"reason": "短"}).status_code == 422
    page = text_of(follow(browser, browser.post(f"{here}/withdraw", reason)))
    assert "已取消" in page
    assert "撤回导入的记录" not in page
