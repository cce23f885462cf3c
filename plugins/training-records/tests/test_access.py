"""Who sees what, in which firm, and with the plugin off."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from huiyin.sdk import XLSX, Period, Role, now, today
from huiyin.testing import factories
from huiyin_training_records import assigning, coverage, imports, meetings, plugin, records
from huiyin_training_records.models import Assignment
from huiyin_training_records.schemas import MeetingForm, RecogniseForm, RequirementForm
from huiyin_training_records.terms import Origin

from .conftest import HOME, follow, text_of

NOBODY = "01900000-0000-7000-8000-000000000000"
API = "/api/v1/p/qinghe/x/training-records"
# page → roles that may open it; everybody else finds nothing
MANAGERS = {"tenant_admin", "approver"}
READERS = MANAGERS | {"supervisor"}
EVERYBODY = {role.value for role in plugin._EVERYBODY}
PAGES = {
    "/": EVERYBODY,
    "/library": EVERYBODY,
    "/consultations": EVERYBODY - {"executive_viewer"},
    "/manage": READERS | {"executive_viewer"},
    "/manage/export": READERS,
    "/manage/records": READERS,
    "/manage/records/export": READERS,
    "/manage/records/new": MANAGERS,
    "/manage/courses": READERS,
    "/manage/courses/new": MANAGERS,
    "/manage/sessions": READERS,
    "/manage/sessions/new": MANAGERS,
    "/manage/experts": READERS,
    "/manage/imports": MANAGERS,
    "/manage/imports/template": MANAGERS,
    "/library/new": MANAGERS,
}


@pytest.fixture
def full(make_course, ctx_of, admin, approver, learner, require, session):
    """A firm with one of everything; answers addresses by name."""
    course = make_course()
    require(course)
    ctx = ctx_of(admin)
    form = RecogniseForm(
        course=course.id, person=learner.id, completed_on=today(), proof="外部证书 123"
    )
    row = records.recognise(ctx, form)
    planned = MeetingForm(
        course=course.id, begins_at=f"{today()}T23:00", place="三楼", trainer=f"m:{approver.id}"
    )
    meeting = meetings.create(ctx, planned)
    run = imports.begin(
        ctx, ("a.csv", io.BytesIO("姓名,部门,课程编号,完成日期\n周岚,,KC-01,2025-03-18".encode()))
    )
    session.commit()
    return {
        "course": f"{HOME}/manage/courses/{course.id}",
        "record": f"{HOME}/manage/records/{row.id}",
        "session": f"{HOME}/manage/sessions/{meeting.id}",
        "import": f"{HOME}/manage/imports/{run.id}",
        "assignment": f"{HOME}/assignments/{row.id}",
        "invitation": f"{HOME}/meetings/{meeting.id}/invitation",
    }


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_opens_its_pages_and_no_others(switched_on, full, web, make_actor, role):
    browser = web(make_actor(role))
    opened = {path for path in PAGES if browser.get(HOME + path).status_code == 200}
    assert opened == {path for path, roles in PAGES.items() if role in roles}


def test_executives_see_posts_and_no_names(switched_on, full, web, executive, supervisor, admin):
    assert "周岚" not in web(executive).get(f"{HOME}/manage").text
    page = web(supervisor).get(f"{HOME}/manage/records").text
    assert "周岚" in page
    assert "认定培训" not in page


ACTS = (
    "/manage/remind", "/manage/courses/new", "/manage/sessions/new", "/manage/records/new",
    "/manage/experts", "/library/load", "/library/new",
)  # fmt: skip


@pytest.mark.parametrize("path", ACTS)
def test_what_managers_do_others_cannot(switched_on, web, supervisor, learner, executive, path):
    for person in (supervisor, learner, executive):
        assert web(person).post(HOME + path, {"x": "1"}).status_code == 404
        sent = web(person).post(f"{HOME}/manage/imports", files={"file": ("a.csv", b"x")})
        assert sent.status_code == 404


def test_a_course_a_colleague_changed_first_keeps_what_was_typed(
    switched_on, course, web, admin, make_actor
):
    path = f"{HOME}/manage/courses/{course.id}/edit"
    form = {"code": course.code, "title": course.title, "valid_months": "12", "rev": "1"}
    other = web(make_actor("tenant_admin"))
    follow(other, other.post(path, {**form, "aim": "同事写的目标"}))
    page = web(admin).post(path, {**form, "aim": "写了很久的目标"})
    assert page.status_code == 409
    assert "写了很久的目标</textarea>" in page.text
    assert "其他人已保存为：</span>同事写的目标" in page.text
    assert 'name="rev" value="2"' in page.text


def test_a_question_for_a_draft_somebody_published_is_not_lost(
    switched_on, course, web, admin, make_actor
):
    browser, here = web(admin), f"{HOME}/manage/courses/{course.id}"
    question = {"kind": "judge", "text": "承诺收益的话术可以使用吗，请判断", "options": "错"}
    page = browser.post(f"{here}/draft/questions", question)
    assert page.status_code == 409
    assert "请新建版本后再填" in text_of(page)
    assert f"{question['text']}</textarea>" in page.text


def test_a_form_from_another_page_is_refused(switched_on, web, admin):
    browser = web(admin)
    answer = browser.ask(
        "POST", f"{HOME}/manage/remind", data={"_csrf": browser.csrf},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert answer.status_code == 403


def test_another_firms_things_are_not_there(switched_on, full, web, make_tenant, engine):
    far = make_tenant("yuancen")
    boss = factories.make_actor(engine, far, *(r.value for r in Role if r in plugin._EVERYBODY))
    browser = web(boss)
    switch = "/t/yuancen/admin/plugins/training_records/switch"
    assert browser.post(switch, {"to": "on"}).status_code == 303
    for address in full.values():
        theirs = address.replace("/t/qinghe/", "/t/yuancen/")
        assert browser.get(address).status_code == 404, address
        assert browser.get(theirs).status_code == 404, theirs
    for name in ("course", "record", "session", "import"):
        listed = browser.get(full[name].replace("/t/qinghe/", "/t/yuancen/").rpartition("/")[0])
        assert listed.status_code == 200
        assert "KC-01" not in listed.text
        assert "周岚" not in listed.text


def test_off_it_leaves_no_trace_and_on_again_nothing_is_lost(
    switch, full, web, admin, public, api, session, learner
):
    switch(True)
    before = text_of(web(admin).get(f"{HOME}/manage/records"))
    rows = session.execute(text("SELECT count(*) FROM plugin_training_records__assignment"))
    kept = rows.scalar()
    switch(False)
    for address in [*full.values(), *(HOME + path for path in PAGES)]:
        assert web(admin).get(address).status_code == 404
    assert public.get("/p/qinghe/certificate").status_code == 404
    assert api(admin).get(f"{API}/coverage").status_code == 404
    home = web(learner).get("/t/qinghe/w")
    assert "我的培训" not in home.text
    assert "training" not in web(admin).get("/t/qinghe/w/help").text
    switch(True)
    assert text_of(web(admin).get(f"{HOME}/manage/records")) == before
    rows = session.execute(text("SELECT count(*) FROM plugin_training_records__assignment"))
    assert rows.scalar() == kept


def test_programs_read_coverage_and_their_own_trainings(switched_on, full, api, executive, learner):
    answer = api(executive).get(f"{API}/coverage").json()
    assert (answer["required"], answer["valid"], answer["share"]) == (1, 1, 1.0)
    assert answer["posts"][0]["role"] == "investigator"
    assert "周岚" not in str(answer)
    (mine,) = api(learner).get(f"{API}/assignments").json()["assignments"]
    assert mine["standing"] == "valid"
    assert api(learner).get(f"{API}/coverage").status_code == 404
    assert api(executive).get(f"{API}/coverage?on=gestern").status_code == 422
    assert api(executive).get(f"{API}/coverage?who=x").status_code == 422


def test_exports_hold_no_formulas_and_are_entered_in_the_ledger(
    switched_on, full, web, supervisor, session
):
    session.execute(
        text("UPDATE plugin_training_records__course SET title = '=HYPERLINK(\"http://x\")'")
    )
    session.commit()
    browser = web(supervisor)
    for path in ("/manage/export", "/manage/records/export"):
        answer = browser.get(HOME + path)
        assert answer.headers["content-type"] == XLSX
        for sheet in load_workbook(io.BytesIO(answer.content)).worksheets:
            assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    csv = browser.get(f"{HOME}/manage/records/export?as=csv").content.decode("utf-8-sig")
    assert "'=HYPERLINK" in csv
    kinds = session.execute(text("SELECT kind FROM ledger_entry")).scalars().all()
    assert kinds.count("training_records:records_exported") == 2
    assert "training_records:coverage_exported" in kinds


# -- the same number of questions, however much there is ---------------------------------------

LISTS = ("/", "/manage", "/manage/records", "/manage/courses", "/manage/sessions")


def test_lists_ask_the_same_number_of_questions_for_1_10_and_50_rows(
    switched_on, make_course, ctx_of, admin, learner, approver, web, queries, session
):
    browser = web(admin)
    counts = {path: [] for path in LISTS}
    for size in (1, 10, 50):
        while (n := session.query(meetings.Meeting).count()) < size:
            course = make_course(f"KC-{n:02}", pool=0, draw=0, causes=())
            ctx = ctx_of(admin)
            why = assigning.Why(origin=Origin.MANUAL)
            assigning.require(ctx, course, RequirementForm(role="investigator"))
            assigning.assign(ctx, course, [admin.id, learner.id], today(), why)
            form = MeetingForm(
                course=course.id, begins_at=f"{today()}T23:00", place="三楼",
                trainer=f"m:{approver.id}",
            )  # fmt: skip
            meetings.invite(ctx, meetings.create(ctx, form), [learner.id])
            session.commit()
        for path in LISTS:
            browser.get(HOME + path)  # what is remembered for a moment is remembered now
            queries.clear()
            assert browser.get(HOME + path).status_code == 200
            counts[path].append(len(queries))
    assert {path for path, found in counts.items() if len(set(found)) > 1} == set(), counts


# -- posts and figures -------------------------------------------------------------------------


def measured(ctx, name):
    (figure,) = [f for f in plugin.figures() if f.name == name]
    return figure.measure(ctx, Period(today(), today()))


def test_posts_get_what_they_lack_once_and_coverage_tells(
    course, require, ctx_of, learner, make_actor, session, assignments
):
    make_actor("investigator", name="贺文清")
    require(course)
    ctx = ctx_of()
    assert assigning.assign_by_post(ctx) == 2
    assert assigning.assign_by_post(ctx) == 0
    session.commit()
    (firm,) = measured(ctx, "training_records:coverage")
    assert (firm.value, firm.n) == (0.0, 2)
    row = assignments(learner)[0]
    row.state, row.completed_on = "done", today()
    session.flush()
    (firm,) = measured(ctx, "training_records:coverage")
    assert firm.value == 0.5
    assert {p.counted for p in firm.proofs} == {0.0, 1.0}


def test_what_is_not_due_yet_tells_nothing_and_what_is_late_counts_against(
    course, ctx_of, learner, session
):
    ctx = ctx_of()
    why = assigning.Why(origin=Origin.MANUAL)
    (row,) = assigning.assign(ctx, course, [learner.id], today(), why)
    assert measured(ctx, "training_records:up_to_date") == []
    row.due_on = today().replace(year=today().year - 1, day=1)
    session.flush()
    (mine,) = measured(ctx, "training_records:up_to_date")
    assert (mine.subject, mine.value, mine.n) == (learner.id, 0.0, 1)
    assert mine.proofs[0].path.endswith(f"/manage/records/{row.id}")


def test_nothing_required_is_nothing_measured(ctx_of):
    (firm,) = measured(ctx_of(), "training_records:coverage")
    assert firm.value is None


def test_a_reminder_comes_once_a_week(course, ctx_of, learner, session, assignments):
    ctx = ctx_of()
    why = assigning.Why(origin=Origin.MANUAL)
    assigning.assign(ctx, course, [learner.id], today(), why)
    assert [assigning.remind(ctx), assigning.remind(ctx)] == [1, 0]
    session.query(Assignment).update({"reminded_at": now() - timedelta(days=8)})
    assert assigning.remind(ctx) == 1
    session.commit()
    assert assignments(learner)[0].reminders == 2


def test_people_who_left_are_neither_assigned_nor_counted(
    course, require, ctx_of, learner, session
):
    require(course)
    session.execute(
        text("UPDATE membership SET active = false WHERE account_id = :id"), {"id": learner.id}
    )
    ctx = ctx_of()
    assert assigning.assign_by_post(ctx) == 0
    assert coverage.on(ctx, today()).required == 0


def test_a_manager_assigns_and_calls_off_with_a_reason(
    switched_on, course, web, admin, learner, assignments
):
    browser, path = web(admin), f"{HOME}/manage/courses/{course.id}/assign"
    assert browser.post(path, {"due_on": str(today())}).status_code == 422
    late = {"people": [str(learner.id)], "due_on": "2020-01-01"}
    assert browser.post(path, late).status_code == 422
    for _ in range(2):
        good = {"people": [str(learner.id), NOBODY], "due_on": str(today())}
        follow(browser, browser.post(path, good))
    (row,) = assignments()
    here = f"{HOME}/manage/records/{row.id}"
    assert browser.post(f"{here}/cancel", {"reason": "短"}).status_code == 422
    follow(browser, browser.post(f"{here}/cancel", {"reason": "已经调岗，不再需要"}))
    page = browser.post(f"{here}/cancel", {"reason": "已经调岗，不再需要"})
    assert page.status_code == 409
    assert "只能取消还没有完成的培训" in page.text
    other = browser.post(f"{here}/withdraw", {"reason": "没有导入过，写错了地方"})
    assert other.status_code == 409
    assert "没有导入过，写错了地方</textarea>" in other.text  # and in no form of another act
    assert 'value="没有导入过，写错了地方"' not in other.text
    assert web(learner).get(f"{HOME}/assignments/{row.id}").status_code == 404
