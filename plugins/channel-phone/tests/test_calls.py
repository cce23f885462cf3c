"""From the first number to a complaint, a line on a case, or an enquiry answered at once."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from huiyin.cases.models import Case, Entry
from huiyin.evidence.service import reconcile
from huiyin.kit.time import clock_at
from huiyin.ledger.models import LedgerEntry
from huiyin.parties.models import Investor
from huiyin.testing.web import run_jobs
from huiyin_channel_phone import recordings
from huiyin_channel_phone.models import Draft, Recording

from .conftest import HOME, NOW, NUMBER, STORY, backs_in, calls_in, event, sound

TYPED = {"number": NUMBER, "story": STORY, "told": "on", "minutes": "7", "name": "陈建国"}


@pytest.fixture
def begin(browser):
    """``begin(number)``: the path of a form that was begun."""

    def run(number=NUMBER, client=None, **fields):
        answer = (client or browser).post(f"{HOME}/calls/new", {"number": number, **fields})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    return run


def case_of(session):
    session.expire_all()
    return session.scalars(select(Case).order_by(Case.number.desc()).limit(1)).one()


def test_a_call_becomes_a_complaint_dated_when_it_was_made(browser, begin, session):
    path = begin()
    answer = browser.post(path, {**TYPED, "to": "new", "started_at": "2026-11-26T09:40"})
    (call,) = calls_in(session)
    case = case_of(session)
    assert answer.headers["location"] == f"{HOME}/calls/{call.id}"
    assert (case.channel, case.story, case.received_at) == ("phone", STORY, call.started_at)
    assert call.started_at == NOW - timedelta(minutes=20)
    assert (call.sort, call.case_id, call.told, call.seconds) == ("complaint", case.id, True, 420)
    shown = browser.get(f"{HOME}/calls/{call.id}").text
    assert case.number in shown
    assert re.search(r"\d{4} \d{4} \d{4} \d{4}", shown)  # the code, to be told
    known = session.scalars(select(Investor).where(Investor.id == case.complainant_id)).one()
    assert (known.phone, known.name) == (NUMBER, "陈建国")


def test_the_code_is_told_by_whoever_filed_and_not_shown_later(
    browser, begin, session, web, supervisor, officer
):
    path = browser.post(begin(), {**TYPED, "to": "new"}).headers["location"]
    code = re.compile(r"\d{4} \d{4} \d{4} \d{4}")
    assert code.search(browser.get(path).text)
    assert not code.search(web(supervisor).get(path).text)
    with clock_at(NOW + timedelta(minutes=31)):
        assert not code.search(web(officer).get(path).text)


def test_a_call_becomes_a_line_of_a_case(browser, begin, session, make_case, officer):
    filed = make_case(officer)
    answer = browser.post(begin(), {**TYPED, "to": f"case:{filed.number}", "answer": "已在核查"})
    assert answer.status_code == 303
    (call,) = calls_in(session)
    assert (call.sort, call.case_id) == ("case", filed.case_id)
    entry = session.scalars(select(Entry).where(Entry.kind == "call")).one()
    assert entry.audience == "internal"
    assert STORY in entry.body
    assert "138 **** 6021" in entry.body
    assert NUMBER not in entry.body
    page = browser.get(f"/t/qinghe/w/cases/{filed.number}").text
    assert f"/x/channel-phone/calls/{call.id}" in page
    assert f"/x/channel-phone/calls/new?direction=out&amp;case={filed.number}" in page


def test_an_enquiry_is_answered_at_once(browser, begin, session):
    refused = browser.post(begin(), {**TYPED, "to": "enquiry"})
    assert refused.status_code == 422
    assert "请写明当场怎样答复" in refused.text
    browser.post(begin(), {**TYPED, "to": "enquiry", "answer": "请在备份平台查看"})
    (call,) = calls_in(session)
    assert (call.sort, call.case_id, call.answer) == ("enquiry", None, "请在备份平台查看")
    assert session.scalar(select(func.count()).select_from(Case)) == 0


@pytest.fixture
def enquiry(browser, begin, session):
    browser.post(begin(), {**TYPED, "name": "陈建国", "to": "enquiry", "answer": "请再等等"})
    (call,) = calls_in(session)
    return call


RAISED = {"rev": "1", "story": STORY, "reason": "来电人不接受答复"}


def test_an_enquiry_becomes_a_complaint_dated_when_it_was_told(
    browser, enquiry, session, ctx, place, site
):
    recordings.add(ctx, enquiry, "a.wav", io.BytesIO(sound()[1]), source="form", consent="已告知")
    session.commit()
    path = f"{HOME}/calls/{enquiry.id}"
    assert f"{STORY}</textarea>" in browser.get(path).text
    with clock_at(NOW + timedelta(minutes=20)):
        assert browser.post(f"{path}/raise", RAISED).status_code == 303
        assert "cp-code" in browser.get(path).text  # to be told, by whoever filed it
        assert browser.post(f"{path}/raise", {**RAISED, "rev": "2"}).status_code == 409
    case, (call,) = case_of(session), calls_in(session)
    assert (case.received_at, case.story) == (call.started_at, STORY)
    assert case.registered_at == NOW + timedelta(minutes=20)
    assert (call.sort, call.case_id, call.answer, call.rev) == (
        "complaint", case.id, "请再等等", 2,
    )  # fmt: skip
    assert session.scalars(select(Investor)).one().name == "陈建国"
    entry = session.scalars(select(Entry).where(Entry.verb == "file")).one()
    assert entry.data["late_reason"] == "来电人不接受答复"
    run_jobs(place)
    assert session.scalars(select(Recording)).one().evidence_id is not None
    assert reconcile(session, site.blobs) == 0
    assert session.scalar(select(func.count()).select_from(Case)) == 1


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"reason": "略"}, 422, "改登记的原因"),
        ({"story": "太短"}, 422, "反映的事项"),
        ({"rev": "7"}, 409, "刚被其他人更新"),
    ],
)
def test_an_enquiry_is_raised_with_a_reason_only(browser, enquiry, session, fields, status, said):
    answer = browser.post(f"{HOME}/calls/{enquiry.id}/raise", {**RAISED, **fields})
    assert (answer.status_code, said in answer.text) == (status, True)
    assert session.scalar(select(func.count()).select_from(Case)) == 0
    assert calls_in(session)[0].sort == "enquiry"


def test_only_an_enquiry_is_raised_and_only_by_who_takes_calls(
    browser, enquiry, session, web, supervisor, tell
):
    path = f"{HOME}/calls/{enquiry.id}/raise"
    assert web(supervisor).post(path, RAISED).status_code == 404
    assert "改登记为投诉" not in web(supervisor).get(f"{HOME}/calls/{enquiry.id}").text
    record = tell(answered=True)
    assert browser.post(f"{HOME}/calls/{record.id}/raise", RAISED).status_code == 409


def test_two_who_raise_an_enquiry_make_one_complaint(enquiry, session, web, officer, other):
    clients = [web(officer), web(other)]
    path = f"{HOME}/calls/{enquiry.id}/raise"
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(copy_context().run, one.post, path, RAISED) for one in clients]
    assert sorted(answer.result().status_code for answer in asked) == [303, 409]
    assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_follow_up_is_begun_on_the_case_and_logged_there(
    browser, begin, session, make_case, officer
):
    filed = make_case(officer)
    path = begin(direction="out", case=filed.number)
    page = browser.get(path).text
    assert re.search(rf'value="case:{filed.number}" checked', page)
    browser.post(path, {**TYPED, "to": f"case:{filed.number}", "story": "回访：投诉人满意"})
    (call,) = calls_in(session)
    assert (call.direction, call.state, call.case_id) == ("out", "answered", filed.case_id)


def test_a_follow_up_that_reached_nobody_is_noted_on_its_case(
    browser, begin, session, make_case, officer
):
    filed = make_case(officer)
    path = begin(direction="out", case=filed.number)
    page = browser.get(path).text
    shown = re.search(r'name="case_number"[^>]*value="([^"]*)"', page)[1]
    assert shown == filed.number
    browser.post(path, {"number": NUMBER, "to": "unreached", "case_number": shown})
    (call,) = calls_in(session)
    assert (call.state, call.sort, call.case_id) == ("unreached", "case", filed.case_id)


def test_a_call_that_reached_nobody_is_a_note_and_no_contact(
    browser, begin, session, make_case, officer
):
    filed = make_case(officer)
    before = list(case_of(session).clock_events)
    path = begin(direction="out")
    browser.post(path, {"number": NUMBER, "to": "unreached", "case_number": filed.number})
    (call,) = calls_in(session)
    assert (call.state, call.case_id) == ("unreached", filed.case_id)
    entry = session.scalars(select(Entry).order_by(Entry.seq.desc()).limit(1)).one()
    assert entry.kind == "note"
    assert case_of(session).clock_events == before
    theirs = browser.post(begin(), {"number": NUMBER, "to": "unreached"})
    assert theirs.status_code == 422  # a call that came in was taken


def test_what_was_typed_stays(browser, begin, session):
    path = begin()
    kept = {**TYPED, "story": "刚说到一半", "wish": "尽快"}
    answer = browser.post(f"{path}/keep", kept, headers={"HX-Request": "true"})
    assert "草稿已保存" in answer.text
    assert "<html" not in answer.text
    page = browser.get(path).text
    assert "刚说到一半" in page
    assert 'id="f-told" name="told" value="on" checked' in page
    assert browser.post(f"{path}/keep", kept).headers["location"] == path  # without a script
    refused = browser.post(path, {**kept, "to": "new"})
    assert refused.status_code == 422
    assert "刚说到一半" in refused.text
    assert "刚说到一半" in browser.get(f"{HOME}/calls/").text  # to go on with
    again = begin()
    assert again == path  # the same number goes on where it was


def test_a_form_that_is_begun_again_keeps_every_tick(browser, begin, make_case, officer):
    path = begin()
    browser.post(f"{path}/keep", TYPED)
    filed = make_case(officer)
    assert begin(case=filed.number) == path
    page = browser.get(path).text
    assert 'id="f-told" name="told" value="on" checked' in page
    assert f'value="case:{filed.number}" checked' in page


def test_a_form_sent_twice_is_one_call(browser, begin, session):
    path = begin()
    first = browser.post(path, {**TYPED, "to": "new"})
    second = browser.post(path, {**TYPED, "to": "new"})
    assert first.headers["location"] == second.headers["location"]
    assert browser.get(path).headers["location"] == first.headers["location"]
    assert len(calls_in(session)) == 1
    assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_draft_is_its_writers_own(begin, web, other, supervisor):
    path = begin()
    assert web(other).get(path).status_code == 404
    assert web(other).post(path, {**TYPED, "to": "new"}).status_code == 404
    assert web(other).post(f"{path}/keep", TYPED).status_code == 404
    assert web(supervisor).get(path).status_code == 404


def test_a_draft_can_be_thrown_away(browser, begin, session):
    path = begin()
    assert browser.post(f"{path}/discard").status_code == 303
    assert session.scalar(select(func.count()).select_from(Draft)) == 0
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"to": "new", "story": "太短"}, "至少 10 个字"),
        ({"to": "case"}, "请填写案件编号"),
        ({"to": "case", "case_number": "TS-2026-9999"}, "没有找到这件投诉"),
        ({"to": "case:TS-2026-9999"}, "没有找到这件投诉"),
        ({"to": "new", "number": "打不通"}, "请填写 3 到 20 位的电话号码"),
        ({"to": "new", "number": ""}, "登记投诉须有号码或邮箱"),
        ({"to": "new", "started_at": "2026-11-26T11:00"}, "通话时间不能晚于现在"),
        ({"to": "new", "started_at": "2026-09-01T11:00"}, "通话已超过 30 天"),
        ({"to": "new", "minutes": "9999"}, "0 到 600"),
        ({"to": "everything"}, "格式不对"),
        ({}, "请填写登记为"),
    ],
)
def test_what_must_be_mended_is_said_at_its_field(browser, begin, session, fields, said):
    answer = browser.post(begin(), {**TYPED, **fields})
    assert answer.status_code == 422
    assert said in answer.text
    if "story" not in fields:
        assert STORY in answer.text
    assert calls_in(session) == []


def test_a_closed_case_takes_no_call(browser, begin, session, make_case, officer):
    filed = make_case(officer)
    case = case_of(session)
    case.state, case.closed_at, case.outcome = "closed", NOW, "archived"
    session.commit()
    answer = browser.post(begin(), {**TYPED, "to": "case", "case_number": filed.number})
    assert answer.status_code == 422
    assert "已经办结" in answer.text


def test_the_ledger_knows_the_call_and_not_the_caller(browser, begin, session):
    browser.post(begin(), {**TYPED, "to": "enquiry", "answer": "请在备份平台查看"})
    entries = session.scalars(
        select(LedgerEntry).where(LedgerEntry.kind == "channel_phone:call_logged")
    )
    text = "".join(str(vars(entry)) for entry in entries)
    assert "enquiry" in text
    assert NUMBER not in text
    assert "陈建国" not in text


# -- who is calling --


@pytest.mark.parametrize("typed", ["+86 13800006021", "138-0000-6021", "１３８００００６０２１"])
def test_a_caller_is_known_however_the_number_is_written(browser, begin, make_case, officer, typed):
    filed = make_case(officer, phone="138 0000 6021")
    page = browser.get(begin(typed)).text
    assert f'value="case:{filed.number}"' in page
    assert f'value="case:{filed.number}" checked' not in page  # nothing is joined by itself


def test_a_caller_without_a_number_is_written_down_too(browser, begin, session):
    path = begin("")
    assert "未显示号码，无法查找往来" in browser.get(path).text
    browser.post(path, {**TYPED, "number": "", "to": "enquiry", "answer": "已说明"})
    (call,) = calls_in(session)
    assert call.number == ""


def test_somebody_walled_from_a_case_learns_nothing_of_it(
    browser, begin, session, make_case, officer, web, other
):
    filed = make_case(officer)
    browser.post(begin(), {**TYPED, "to": f"case:{filed.number}", "story": "投诉的是宋知远本人"})
    (call,) = calls_in(session)
    case = case_of(session)
    case.walled = [other.id]
    session.commit()
    walled = web(other)
    path = begin(client=walled)
    for page in (path, f"{HOME}/calls/", f"{HOME}/calls/?view=all", f"{HOME}/call-backs/"):
        text = walled.get(page).text
        assert filed.number not in text
        assert "宋知远本人" not in text
        assert str(call.id) not in text
    assert "第一次来往" in walled.get(path).text
    assert walled.get(f"{HOME}/calls/{call.id}").status_code == 404
    unknown = walled.post(path, {**TYPED, "to": "case", "case_number": "TS-2026-9999"})
    barred = walled.post(path, {**TYPED, "to": "case", "case_number": filed.number})
    assert (barred.status_code, unknown.status_code) == (422, 422)
    assert "没有找到这件投诉" in barred.text


def test_whoever_only_looks_sees_numbers_and_names_masked(browser, begin, session, web, supervisor):
    browser.post(begin(), {**TYPED, "to": "enquiry", "answer": "已说明"})
    (call,) = calls_in(session)
    assert "138 0000 6021" in browser.get(f"{HOME}/calls/{call.id}").text
    for client, path in (
        (browser, "/calls/"), (web(supervisor), "/calls/"), (web(supervisor), f"/calls/{call.id}"),
    ):  # fmt: skip
        text = client.get(f"{HOME}{path}").text
        assert "138 **** 6021" in text
        assert "0000 6021" not in text
        assert NUMBER not in text
        assert "陈建国" not in text


def test_a_later_call_of_the_number_is_another_form(begin, web, officer):
    first = begin()
    with clock_at(NOW + timedelta(hours=1)):
        assert begin(client=web(officer)) == first
    with clock_at(NOW + timedelta(hours=3)):
        assert begin(client=web(officer)) != first


def test_a_number_that_is_mended_finds_its_caller(browser, begin, make_case, officer):
    filed = make_case(officer)
    path = begin("13900000000")
    assert filed.number not in browser.get(path).text
    browser.post(f"{path}/keep", {**TYPED, "number": "+86 138 0000"})
    assert "139 0000 0000" in browser.get(path).text or "138 0000" in browser.get(path).text
    browser.post(f"{path}/keep", {**TYPED, "number": "+86 138 0000 6021"})
    assert filed.number in browser.get(path).text


def test_others_look_but_do_not_write(begin, browser, web, supervisor, make_actor, session, tell):
    call = tell(answered=True, seconds=30)
    looker = web(supervisor)
    assert looker.get(f"{HOME}/calls/{call.id}").status_code == 200
    assert "补登内容" not in looker.get(f"{HOME}/calls/{call.id}").text
    for path in ("/calls/new", f"/calls/{call.id}/complete", f"/calls/{call.id}/aside"):
        assert looker.post(f"{HOME}{path}", {"reason": "没有必要"}).status_code == 404
    for role in ("investigator", "tenant_admin", "executive_viewer"):
        stranger = web(make_actor(role))
        for path in ("/calls/", f"/calls/{call.id}", "/call-backs/", "/imports/"):
            assert stranger.get(f"{HOME}{path}").status_code == 404


def test_another_firm_has_no_such_call(make_tenant, make_actor, web, session, tell, begin, browser):
    from huiyin.db import tenant_session  # noqa: PLC0415
    from huiyin.tenancy.models import PluginActivation  # noqa: PLC0415

    call, path = tell(answered=True), begin()
    there = make_tenant("yuancen")
    stranger = make_actor("complaint_officer", of=there)
    with tenant_session(browser.site.engine, there.id) as theirs:
        theirs.add(PluginActivation(plugin="channel_phone", active=True))
        theirs.commit()
    officer = web(stranger)
    home = HOME.replace("qinghe", "yuancen")
    assert officer.get(f"{home}/calls/").status_code == 200
    for tail in (f"/calls/{call.id}", f"/calls/{call.id}/recordings/{call.id}"):
        assert officer.get(f"{home}{tail}").status_code == 404
    assert officer.post(f"{home}/calls/{call.id}/complete").status_code == 404
    assert officer.get(path.replace("qinghe", "yuancen")).status_code == 404
    fields = {**TYPED, "to": "new", "record": str(call.id)}
    theirs_path = officer.post(f"{home}/calls/new", {"number": NUMBER}).headers["location"]
    assert officer.post(theirs_path, fields).status_code == 404


# -- what the telephone system told --


def test_a_record_is_completed_by_hand(browser, session, tell):
    call = tell(answered=True, seconds=95)
    assert (call.sort, call.seconds) == ("unsorted", 95)
    assert "待补登" in browser.get(f"{HOME}/calls/?view=unsorted").text
    path = browser.post(f"{HOME}/calls/{call.id}/complete").headers["location"]
    browser.post(path, {**TYPED, "to": "new"})
    (same,) = calls_in(session)
    assert (same.id, same.sort, same.source, same.seconds) == (call.id, "complaint", "webhook", 95)
    assert case_of(session).received_at == same.started_at
    twice = browser.post(f"{HOME}/calls/{call.id}/complete")
    assert twice.status_code == 409


def test_a_record_can_be_chosen_in_the_form(browser, session, tell, begin):
    call = tell(answered=True, seconds=95)
    path = begin()
    assert f'value="{call.id}"' in browser.get(path).text
    browser.post(path, {**TYPED, "to": "enquiry", "answer": "已说明", "record": str(call.id)})
    (same,) = calls_in(session)
    assert (same.id, same.sort) == (call.id, "enquiry")


def test_a_record_of_another_number_cannot_be_chosen(browser, session, tell, begin):
    call = tell(answered=True, caller="13900000000")
    answer = browser.post(begin(), {**TYPED, "to": "new", "record": str(call.id)})
    assert answer.status_code == 409
    assert STORY in answer.text
    assert [c.sort for c in calls_in(session)] == ["unsorted"]


def test_another_number_to_be_reached_at_is_the_complainants(browser, session, tell):
    call = tell(answered=True, seconds=9)
    path = browser.post(f"{HOME}/calls/{call.id}/complete").headers["location"]
    other = {**TYPED, "number": "139 1111 2222"}
    refused = browser.post(path, {**other, "to": "enquiry", "answer": "已经说明"})
    assert (refused.status_code, "电话系统记录的是另一个号码" in refused.text) == (422, True)
    assert browser.post(path, {**other, "to": "new"}).status_code == 303
    assert calls_in(session)[0].number == NUMBER
    assert session.scalars(select(Investor)).one().phone == "13911112222"


def test_what_was_typed_for_a_record_that_somebody_else_took_is_not_lost(
    browser, session, tell, web, other
):
    call = tell(answered=True, seconds=9)
    mine = browser.post(f"{HOME}/calls/{call.id}/complete").headers["location"]
    late = web(other)
    theirs = late.post(f"{HOME}/calls/{call.id}/complete").headers["location"]
    assert browser.post(mine, {**TYPED, "to": "new"}).status_code == 303
    fields = {**TYPED, "story": "另一人记下的内容", "to": "enquiry", "answer": "已经说明"}
    refused = late.post(theirs, fields)
    assert (refused.status_code, "另一人记下的内容" in refused.text) == (409, True)
    assert len(calls_in(session)) == 1
    assert late.post(theirs, fields).status_code == 303
    assert {one.story for one in calls_in(session)} == {STORY, "另一人记下的内容"}


def test_two_who_write_down_one_record_at_once_lose_nothing(session, tell, web, officer, other):
    call = tell(answered=True, seconds=9)
    clients = [web(officer), web(other)]
    paths = [
        client.post(f"{HOME}/calls/{call.id}/complete").headers["location"] for client in clients
    ]
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(copy_context().run, client.post, path, {**TYPED, "to": "new"})
            for client, path in zip(clients, paths, strict=True)
        ]
    answers = [one.result() for one in asked]
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert STORY in next(answer.text for answer in answers if answer.status_code == 409)
    assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_record_can_be_put_aside_with_a_reason(browser, session, tell):
    call = tell(answered=True, seconds=3)
    path = f"{HOME}/calls/{call.id}/aside"
    assert browser.post(path, {"rev": "1", "reason": "错"}).status_code == 422
    stale = browser.post(path, {"rev": "9", "reason": "打错电话"})
    assert stale.status_code == 409
    assert 'value="打错电话"' in stale.text
    assert browser.post(path, {"rev": "1", "reason": "打错电话"}).status_code == 303
    (same,) = calls_in(session)
    assert (same.sort, same.answer) == ("nothing", "打错电话")


def test_markup_of_a_stranger_is_text(browser, begin, tell, session):
    bad = '<script>alert(1)</script>"><img src=x onerror=y>'
    tell(answered=True, agent=bad[:40])
    path = begin()
    browser.post(path, {**TYPED, "story": bad, "name": bad, "to": "enquiry", "answer": bad})
    pages = [f"{HOME}/calls/", *(f"{HOME}/calls/{call.id}" for call in calls_in(session)), begin()]
    for page in pages:
        text = browser.get(page).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_the_list_goes_on_by_key_and_asks_as_often(browser, tell, queries):
    def asked(path):
        queries.clear()
        page = browser.get(path)
        assert page.status_code == 200
        return len(queries), page.text

    tell("first", answered=True)
    browser.get(f"{HOME}/calls/")
    before, _ = asked(f"{HOME}/calls/")
    for n in range(60):
        tell(f"c{n}", answered=True, started_at=(NOW - timedelta(minutes=n)).isoformat())
    after, text = asked(f"{HOME}/calls/")
    assert before == after <= 10, list(queries)
    more = re.search(r'href="([^"]+)"[^>]*rel="next"', text)[1].replace("&amp;", "&")
    _, rest = asked(f"{HOME}/calls/{more}")
    shown = set(re.findall(r"/calls/([0-9a-f-]{36})", text + rest))
    assert len(shown) == 61
    assert event() is not None


# -- told twice --


def test_a_call_written_down_and_told_is_made_one(
    browser, begin, session, tell, make_case, officer, ctx, place, site
):
    filed = make_case(officer)
    tell("missed", started_at=(NOW - timedelta(hours=2)).isoformat())
    path = begin()
    browser.post(path, {**TYPED, "to": f"case:{filed.number}"})
    record = tell("told", answered=True, seconds=77, started_at=NOW.isoformat())
    recordings.add(ctx, record, "a.wav", io.BytesIO(sound()[1]), source="webhook", consent="已告知")
    session.commit()
    key = record.id
    logged = next(c for c in calls_in(session) if c.sort == "case")
    page = browser.get(f"{HOME}/calls/{key}").text
    assert f'value="{logged.id}"' in page
    assert browser.post(f"{HOME}/calls/{key}/join", {"logged": str(logged.id)}).status_code == 303
    one = next(c for c in calls_in(session) if c.external_id == "told")
    assert (one.id, one.seconds, one.story, one.source) == (logged.id, 77, STORY, "webhook")
    assert len(calls_in(session)) == 2
    assert tell("told", answered=True, seconds=77, started_at=NOW.isoformat()).id == logged.id
    (row,) = session.scalars(select(Recording)).all()
    assert (row.call_id, row.evidence_id is None) == (logged.id, False)
    run_jobs(place)
    assert reconcile(session, site.blobs) == 0
    assert backs_in(session)[0].closing_call_id == logged.id
    gone = browser.post(f"{HOME}/calls/{key}/join", {"logged": str(logged.id)})
    assert gone.status_code == 404


def test_a_call_of_a_case_that_is_over_is_made_one_too(
    browser, begin, session, tell, make_case, officer, ctx
):
    filed = make_case(officer)
    browser.post(begin(), {**TYPED, "to": f"case:{filed.number}"})
    record = tell("told", answered=True, seconds=77, started_at=NOW.isoformat())
    recordings.add(ctx, record, "a.wav", io.BytesIO(sound()[1]), source="webhook", consent="已告知")
    logged = next(c for c in calls_in(session) if c.sort == "case")
    case = case_of(session)
    case.state, case.closed_at, case.outcome = "closed", NOW, "archived"
    session.commit()
    answer = browser.post(f"{HOME}/calls/{record.id}/join", {"logged": str(logged.id)})
    assert answer.status_code == 303, answer.text
    (row,) = session.scalars(select(Recording)).all()
    assert (row.call_id, row.evidence_id) == (logged.id, None)
    assert row.blob_key


def test_two_that_are_not_one_stay_two(browser, begin, session, tell):
    browser.post(begin("13900000000"), {**TYPED, "number": "13900000000", "to": "new"})
    logged = calls_in(session)[0]
    record = tell(answered=True, started_at=NOW.isoformat())
    answer = browser.post(f"{HOME}/calls/{record.id}/join", {"logged": str(logged.id)})
    assert answer.status_code == 409
    assert "不能合并" in answer.text
    assert len(calls_in(session)) == 2


def test_a_twin_behind_a_wall_is_not_offered(
    begin, browser, session, tell, make_case, officer, other, web
):
    filed = make_case(officer)
    browser.post(begin(), {**TYPED, "to": f"case:{filed.number}"})
    logged = calls_in(session)[0]
    record = tell(answered=True, started_at=NOW.isoformat())
    case_of(session).walled = [other.id]
    session.commit()
    walled = web(other)
    assert str(logged.id) not in walled.get(f"{HOME}/calls/{record.id}").text
    answer = walled.post(f"{HOME}/calls/{record.id}/join", {"logged": str(logged.id)})
    assert answer.status_code == 404


def test_a_draft_does_not_name_a_case_that_was_closed_off_since(
    begin, session, make_case, officer, other, web
):
    filed = make_case(officer, phone="13900000000")
    client = web(other)
    path = begin(client=client, case=filed.number)
    assert filed.number in client.get(path).text
    case_of(session).walled = [other.id]
    session.commit()
    assert filed.number not in client.get(path).text
