"""Call records from a file: checked first, taken in whole, and never twice."""

import io
from datetime import timedelta

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from huiyin.kit.time import SHANGHAI, clock_at
from huiyin.testing.web import run_jobs
from huiyin_channel_phone import imports
from huiyin_channel_phone.errors import Reused
from huiyin_channel_phone.models import CallBack, ImportRow, ImportRun

from .conftest import HOME, NOW, NUMBER, backs_in, calls_in

HEADING = "通话编号,方向,主叫号码,被叫号码,开始时间,通话秒数,结果,分机"
GOOD = "c-1,来电,138 0000 6021,4000000000,2026-11-25 10:00:00,0,未接,8001"


@pytest.fixture
def upload(browser, place):
    """``upload(rows)``: the path of the import, checked."""

    def run(rows, name="话单.csv", heading=HEADING, **fields):
        data = rows if isinstance(rows, bytes) else "\n".join([heading, *rows]).encode()
        answer = browser.post(
            f"{HOME}/imports", {"call_backs": "on", **fields},
            files={"file": (name, data, "text/csv")},
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        run_jobs(place)
        return answer.headers["location"]

    return run


def run_of(session):
    session.expire_all()
    return session.scalars(select(ImportRun).order_by(ImportRun.id.desc()).limit(1)).one()


def test_a_file_is_checked_shown_and_taken_in_at_a_word(browser, upload, session, place):
    path = upload([GOOD, "c-2,去电,4000000000,021-60000000,2026-11-25 10:05:00,61,接通,"])
    page = browser.get(path).text
    assert "2 行可以导入，0 行已有记录，0 行有误" in page
    assert calls_in(session) == []
    assert browser.post(f"{path}/confirm").status_code == 303
    run_jobs(place)
    one, two = calls_in(session)
    assert (one.number, one.state, one.sort, one.source) == (NUMBER, "missed", "nothing", "import")
    assert (two.number, two.direction, two.seconds, two.sort) == (
        "02160000000",
        "out",
        61,
        "unsorted",
    )
    assert [back.number for back in backs_in(session)] == [NUMBER]
    assert "已导入 2 行" in browser.get(path).text
    browser.post(f"{path}/confirm")
    run_jobs(place)
    assert len(calls_in(session)) == 2


def test_the_headings_of_a_telephone_system_are_known(upload, session):
    upload(
        ["1764036000.17,inbound,13800006021,4000000000,2026-11-25 10:00:00,0,NO ANSWER"],
        heading="uniqueid,direction,src,dst,calldate,billsec,disposition",
    )
    assert (run_of(session).good, run_of(session).wrong) == (1, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c-1,来电,不详,400,2026-11-25 10:00,0,未接,", "请填写 3 到 20 位的电话号码"),
        ("c-1,进线,13800006021,400,2026-11-25 10:00,0,未接,", "方向请填写"),
        ("c-1,来电,13800006021,400,昨天,0,未接,", "开始时间请写成"),
        ("c-1,来电,13800006021,400,2026-12-25 10:00,0,未接,", "通话时间不能晚于现在"),
        ("c-1,来电,13800006021,400,1999-11-25 10:00,0,未接,", "也不能早于一年前"),
        ("c-1,来电,13800006021,400,2026-11-25 10:00,很久,接通,", "通话秒数请填写整数"),
        ("c-1,来电,13800006021,400,2026-11-25 10:00,0,也许,", "结果请填写"),
        (",来电,13800006021,400,2026-11-25 10:00,0,未接,", "通话编号须为"),
        (f"{'x' * 99},来电,13800006021,400,2026-11-25 10:00,0,未接,", "通话编号须为"),
        (f"c-1,来电,{'1' * 30000},400,2026-11-25 10:00,0,未接,", "号码不超过 40 个字"),
        ("c-1,来电,=1+1,400,2026-11-25 10:00,0,未接,", "请填写 3 到 20 位的电话号码"),
    ],
)
def test_a_wrong_row_says_why_and_the_others_go_in(browser, upload, session, place, row, reason):
    path = upload([row, "good,来电,13900000000,400,2026-11-25 10:00,0,未接,"])
    run = run_of(session)
    assert (run.good, run.wrong) == (1, 1)
    page = browser.get(path).text
    assert reason in page
    browser.post(f"{path}/confirm")
    run_jobs(place)
    assert [call.number for call in calls_in(session)] == ["13900000000"]


def test_the_error_file_holds_the_rows_with_reasons_and_no_formula(browser, upload):
    path = upload(["=cmd|' /C calc'!A0,来电,@SUM(1),400,2026-11-25 10:00,0,也许,"])
    answer = browser.get(f"{path}/errors")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type != "f" for cell in cells)
    assert any("结果请填写" in str(cell.value) for cell in cells)
    assert sheet.cell(2, 1).value == 2


def test_what_is_here_already_is_skipped_and_what_contradicts_is_wrong(
    browser, upload, session, place, tell
):
    tell(
        "c-9", caller="13900000000", called="400", started_at="2026-11-25T10:00:00+08:00", agent=""
    )
    path = upload([GOOD])
    browser.post(f"{path}/confirm")
    run_jobs(place)
    other = GOOD.replace("未接", "接通")
    upload([GOOD, GOOD, other, "c-2" + GOOD[3:], "c-2" + GOOD[3:]])
    run = run_of(session)
    assert (run.good, run.known, run.wrong) == (1, 3, 1)
    assert len(calls_in(session)) == 2


def test_a_call_known_by_the_webhook_is_known_by_the_file(upload, session, tell):
    tell("c-1", caller="138 0000 6021", called="4000000000", agent="8001",
         started_at="2026-11-25T10:00:00+08:00")  # fmt: skip
    upload([GOOD, "c-1,来电,138 0000 6021,4000000000,2026-11-25 10:00:00,90,接通,8001"])
    run = run_of(session)
    assert (run.known, run.wrong) == (1, 1)


def test_a_call_known_by_a_file_is_known_by_the_webhook(browser, upload, session, place, tell):
    browser.post(f"{upload([GOOD])}/confirm")
    run_jobs(place)
    told = {"caller": NUMBER, "called": "4000000000", "started_at": "2026-11-25T02:00:00Z"}
    assert tell("c-1", **told).source == "import"
    assert len(calls_in(session)) == 1
    with pytest.raises(Reused):
        tell("c-1", **told, answered=True)


def test_a_file_that_is_no_table_is_refused(browser):
    for name, data, said in (
        ("a.csv", b"", "缺少列"), ("a.csv", HEADING.encode(), "没有数据行"),
        ("a.csv", b"\xff\xfe\x00\x01", "无法识别"), ("a.xlsx", b"PK\x03\x04", "无法识别"),
        ("a.csv", "编号,号码\n1,2".encode(), "缺少列：通话编号"),
        ("a.csv", b"x" * 10_000_001, "10 MB"),
    ):  # fmt: skip
        answer = browser.post(f"{HOME}/imports", files={"file": (name, data, "text/csv")})
        assert answer.status_code == 422, name
        assert said in answer.text or "没有数据行" in answer.text
    assert "请选择要上传的文件" in browser.post(
        f"{HOME}/imports", files={"other": ("a", b"1", "text/csv")}
    ).text  # fmt: skip


def test_a_sheet_is_read_too(upload, session):
    book = Workbook()
    book.active.append(HEADING.split(","))
    book.active.append(
        ["c-1", "来电", "'13800006021", 4000000000, "2026-11-25 10:00:00", 0, "未接", ""]
    )
    out = io.BytesIO()
    book.save(out)
    upload(out.getvalue(), name="话单.xlsx")
    assert run_of(session).good == 1


def test_old_calls_are_history_and_no_task(browser, upload, session, place):
    old = GOOD.replace("2026-11-25", "2026-11-10")
    browser.post(f"{upload([old])}/confirm")
    run_jobs(place)
    assert len(calls_in(session)) == 1
    assert backs_in(session) == []


def test_tasks_are_made_only_when_wanted(browser, upload, session, place):
    browser.post(f"{upload([GOOD], call_backs='')}/confirm")
    run_jobs(place)
    assert len(calls_in(session)) == 1
    assert backs_in(session) == []


def test_a_file_holds_its_own_answers(browser, upload, session, place):
    rows = [
        "a,来电,13800006021,400,2026-11-25 10:00:00,0,未接,",
        "b,去电,400,13800006021,2026-11-25 10:20:00,60,接通,",
        "c,来电,13900000000,400,2026-11-25 10:00:00,0,未接,",
    ]
    browser.post(f"{upload(rows)}/confirm")
    run_jobs(place)
    assert {(b.number, b.state) for b in backs_in(session)} == {
        (NUMBER, "done"), ("13900000000", "open")
    }  # fmt: skip


def test_ten_thousand_rows_go_in_whole(browser, upload, session, place):
    rows = [
        f"r-{n},来电,1390000{n:04d},400,2026-11-{1 + n % 24:02d} 10:00:00,30,接通,"
        for n in range(10_000)
    ]
    path = upload(rows)
    assert run_of(session).good == 10_000
    browser.post(f"{path}/confirm")
    run_jobs(place)
    assert len(calls_in(session)) == 10_000
    assert run_of(session).state == "done"


def test_what_was_checked_yesterday_goes_in_today(ctx, upload, session, place):
    edge = (NOW - timedelta(days=366) + timedelta(hours=1)).astimezone(SHANGHAI)
    upload([GOOD, f"c-2,来电,13800006021,400,{edge:%Y-%m-%d %H:%M:%S},0,未接,"])
    assert run_of(session).good == 2
    with clock_at(NOW + timedelta(days=1)):
        imports.confirm(ctx, run_of(session))
        session.commit()
        run_jobs(place)
    assert (run_of(session).state, run_of(session).applied) == ("done", 2)


@pytest.mark.parametrize("when", ["0001-01-01 00:00:00", "9999-12-31T23:59:59-14:00"])
def test_a_day_outside_of_the_calendar_is_one_wrong_row(upload, session, when):
    upload([GOOD, f"c-9,来电,13800006021,400,{when},0,未接,"])
    run = run_of(session)
    assert (run.state, run.good, run.wrong) == ("checked", 1, 1)


def test_nothing_is_half_done(ctx, session, upload, monkeypatch):
    upload([GOOD, "c-2,来电,13900000000,400,2026-11-25 10:00:00,0,未接,"])
    run = run_of(session)
    imports.confirm(ctx, run)
    session.commit()

    def broken(*_args, **_given):
        raise RuntimeError

    monkeypatch.setattr(imports.backs, "heard", broken)
    with pytest.raises(RuntimeError):
        imports.apply(ctx, {"run": str(run.id)})
    session.rollback()
    assert calls_in(session) == []
    monkeypatch.undo()
    with clock_at(NOW + timedelta(minutes=1)):
        imports.apply(ctx, {"run": str(run_of(session).id)})
        session.commit()
    assert len(calls_in(session)) == 2
    assert session.scalar(select(func.count()).select_from(CallBack)) == 2


def test_only_officers_import(web, supervisor, make_actor, upload):
    path = upload([GOOD])
    for role in ("supervisor", "tenant_admin", "investigator", "approver"):
        person = web(make_actor(role))
        for page in (f"{HOME}/imports", path, f"{path}/errors", f"{HOME}/imports/template"):
            assert person.get(page).status_code == 404
        assert person.post(f"{path}/confirm").status_code == 404


def test_the_template_has_the_columns(browser):
    answer = browser.get(f"{HOME}/imports/template")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == HEADING.split(",")
    assert ImportRow is not None
