"""Following a complaint with its code."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from huiyin.sdk import (
    Entry,
    Message,
    Outcome,
    PublicStage,
    ToldDate,
    complainant_actor,
    dates_if_filed,
    files_of,
    now,
    system_actor,
    today,
    uuid7,
)
from huiyin_channel_web import plugin, visits
from huiyin_channel_web.models import Reading, Visit
from huiyin_channel_web.progress import bubble_of, meter_in, promise_in
from huiyin_channel_web.words import CLOSED, MISSED, OPEN, PROMISED

from .conftest import PDF, text_of

CASE = "/track/case"
WRONG = "0000 0000 0000 0000"


@pytest.fixture
def code(visitor):
    return visitor.file()


@pytest.fixture
def token(visitor, code):
    return visitor.enter(code)


# -- the code ----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["{}", " {} ", "spaced", "dashed", "wide"])
def test_the_code_opens_the_case_however_it_is_typed(visitor, code, typed):
    four = [code[n : n + 4] for n in range(0, 16, 4)]
    wide = code.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    shown = {"spaced": " ".join(four), "dashed": "-".join(four), "wide": wide}
    answer = visitor.post("/track", code=shown.get(typed, typed.format(code)))
    assert "已收到您的投诉" in text_of(visitor.follow(answer))


def test_a_wrong_code_says_no_more_than_no(visitor, code, another):
    almost = code[:-1] + str((int(code[-1]) + 1) % 10)
    answers = [visitor.post("/track", code=almost), another.post("/track", code=WRONG)]
    assert [a.status_code for a in answers] == [422, 422]
    assert answers[0].text == answers[1].text
    assert almost not in answers[0].text
    assert "set-cookie" not in answers[0].headers


def test_a_code_of_another_firm_is_as_wrong_as_any(visitor, code, make_tenant):
    make_tenant("yuancen")
    answer = visitor.browser.post("/p/yuancen/track", {"code": code})
    assert answer.status_code == 422


def test_five_wrong_codes_close_the_door_for_this_network_and_name_the_hotline(
    visitor, code, another
):
    for _ in range(5):
        assert visitor.post("/track", code=WRONG).status_code == 422
    for browser, tried in ((visitor, WRONG), (another, code)):
        locked = browser.post("/track", code=tried)
        assert locked.status_code == 429
        assert int(locked.headers["retry-after"]) > 0
        assert "查询次数过多" in text_of(locked)


def test_right_codes_are_not_counted(visitor, code):
    for _ in range(7):
        assert visitor.post("/track", code=code).status_code == 303


def test_what_cannot_be_a_code_is_said_so_and_not_counted(visitor):
    for _ in range(7):
        answer = visitor.post("/track", code="12345")
        assert answer.status_code == 422
        assert text_of(answer).count("请输入 16 位数字的查询码") == 2


# -- the visit ---------------------------------------------------------------------------------


def test_the_visit_is_a_narrow_cookie_stored_as_a_seal(visitor, code, session):
    answer = visitor.post("/track", code=code)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("hy_visit="))
    secret = cookie.partition("=")[2].partition(";")[0]
    assert "HttpOnly" in cookie
    assert "Path=/p/qinghe;" in cookie
    assert "samesite=strict" in cookie.lower()
    kept = session.execute(
        text("SELECT row_to_json(v)::text FROM plugin_channel_web__visit v")
    ).scalar_one()
    assert secret not in kept


@pytest.mark.parametrize(("column", "by"), [("seen_at", 30), ("began_at", 8 * 60)])
def test_a_visit_ends_when_idle_or_too_long(visitor, token, age, column, by):
    age("visit", column, timedelta(minutes=by - 1))
    assert visitor.get(CASE).status_code == 200
    age("visit", column, timedelta(minutes=by))
    for answer in (visitor.get(CASE), visitor.post(f"{CASE}/say", _csrf=token, body="在吗")):
        assert answer.headers["location"] == "/p/qinghe/track"


def test_leaving_ends_the_visit(visitor, token, session):
    answer = visitor.post(f"{CASE}/leave", _csrf=token)
    assert answer.headers["location"] == "/p/qinghe/track"
    assert session.scalars(select(Visit)).all() == []
    assert visitor.get(CASE).status_code == 303


FORMS = ["say", "files", "withdraw", "review", "leave"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_needs_the_token_of_its_visit(visitor, token, another, code, form):
    other = another.enter(code)
    fields = {"body": "您好", "reason": "已解决"}
    for given in ({}, {"_csrf": other}, {"_csrf": token[:-1]}):
        if form == "files":
            answer = visitor.upload(f"{CASE}/files", ("a.pdf", PDF), **given)
        else:
            answer = visitor.post(
                f"{CASE}/{form}", **{**fields, **given} if form != "leave" else given
            )
        assert answer.status_code == 403
    assert visitor.get(CASE).status_code == 200


# -- what is seen ------------------------------------------------------------------------------


def test_the_page_says_the_state_the_next_day_and_who_promises_it(visitor, token):
    words = text_of(visitor.get(CASE))
    told = {d.kind: d for d in dates_if_filed()}
    near, reply = told["acknowledge"].on, told["reply"].on
    first = told["reply"].since + timedelta(days=1)
    assert f"{near.month} 月 {near.day} 日" in words
    assert "前书面确认收到 公司承诺" in words
    assert f"从 {first.month} 月 {first.day} 日" in words
    assert f"起算，共 {(reply - told['reply'].since).days} 天" in words
    assert f"最晚 {reply.month} 月 {reply.day} 日" in words
    for stage in ("已收到", "已受理", "调查中", "处理方案", "书面答复与回访"):
        assert stage in words


def test_a_message_reaches_the_case_and_comes_back_as_a_bubble(visitor, token, only_case):
    answer = visitor.post(f"{CASE}/say", _csrf=token, body="柜台小票找到了")
    page = visitor.follow(answer)
    assert re.search(r'class="bubble me">.*柜台小票找到了', page.text, re.DOTALL)
    assert only_case().counts["talk"] == 1


def test_an_empty_message_is_refused_with_words(visitor, token):
    answer = visitor.post(f"{CASE}/say", _csrf=token, body="  ")
    assert answer.status_code == 422
    assert text_of(answer).count("请写下要告诉我们的内容") == 2


def test_material_handed_in_becomes_evidence_and_can_be_had_again(
    visitor, token, only_case, session
):
    answer = visitor.upload(f"{CASE}/files", ("小票.pdf", PDF), _csrf=token)
    assert "小票.pdf" in text_of(visitor.follow(answer))
    (file,) = files_of(session, only_case())
    had = visitor.get(f"{CASE}/files/{file.id}")
    assert had.content == PDF
    assert had.headers["content-disposition"].startswith("attachment")
    assert visitor.get(f"{CASE}/files/{uuid7()}").status_code == 404
    assert visitor.get(f"{CASE}/letters/{uuid7()}").status_code == 404


def test_material_that_cannot_be_taken_is_refused_with_words(visitor, token):
    none = visitor.upload(f"{CASE}/files", ("", b""), _csrf=token)
    assert "请选择要上传的文件" in text_of(none)
    program = visitor.upload(f"{CASE}/files", ("a.exe", b"MZ"), _csrf=token)
    assert program.status_code == 422
    assert "「a.exe」是程序或脚本" in text_of(program)


def test_one_visit_shows_one_case_and_its_files(visitor, token, another, only_case, session):
    visitor.upload(f"{CASE}/files", ("小票.pdf", PDF), _csrf=token)
    (file,) = files_of(session, only_case())
    session.rollback()
    another.enter(another.file())
    assert another.get(f"{CASE}/files/{file.id}").status_code == 404


def test_without_a_visit_there_is_nothing_to_see(visitor, code):
    for path in ("", "/withdraw", "/review", f"/files/{uuid7()}", f"/letters/{uuid7()}"):
        assert visitor.get(CASE + path).headers["location"] == "/p/qinghe/track"


# -- withdrawing, asking again -----------------------------------------------------------------


def test_a_complaint_is_withdrawn_after_a_page_that_says_what_follows(visitor, token, only_case):
    assert "撤回不能恢复" in text_of(visitor.get(f"{CASE}/withdraw"))
    refused = visitor.post(f"{CASE}/withdraw", _csrf=token, reason="")
    assert refused.status_code == 422
    assert only_case().is_open
    page = visitor.follow(visitor.post(f"{CASE}/withdraw", _csrf=token, reason="已经解决"))
    assert "您已撤回投诉" in text_of(page)
    assert only_case().outcome == Outcome.WITHDRAWN
    assert f"{CASE}/say" not in page.text
    assert visitor.get(f"{CASE}/withdraw").status_code == 409


def test_a_withdrawal_the_firm_registered_says_so_and_how_to_object(
    visitor, token, only_case, session, web, actor, make_actor
):
    approver, case = make_actor("approver", name="顾明远"), only_case()
    at = f"/t/qinghe/w/cases/{case.number}/do"
    words = {"rev": case.version, "reason": "您来电说明问题已经解决"}
    web(actor).post(f"{at}/propose_withdraw", words)
    assert "您来电说明" not in text_of(visitor.get(CASE)), "nothing has happened yet"
    web(approver).post(f"{at}/withdraw", {"rev": words["rev"] + 1, "reason": ""})
    session.expire_all()
    page = text_of(visitor.get(CASE))
    assert "机构登记您已撤回" in page
    assert "您已撤回投诉。" not in page
    assert "您来电说明问题已经解决" in page
    assert re.search(r"机构于\d+月\d+日", page.replace(" ", ""))
    assert "要求复核" in page
    visitor.follow(visitor.post(f"{CASE}/say", _csrf=token, body="我没有撤回"))
    assert "我没有撤回" in text_of(visitor.get(CASE))
    session.expire_all()
    assert "review_asked" in only_case().facts


def test_a_review_can_be_asked_for_once_there_is_an_answer(visitor, token, only_case, session):
    assert visitor.get(f"{CASE}/review").status_code == 409
    assert visitor.post(f"{CASE}/review", _csrf=token, reason="没有说明").status_code == 409
    only_case().answered_at = now()
    session.commit()
    assert "要求复核" in text_of(visitor.get(CASE))
    assert visitor.post(f"{CASE}/review", _csrf=token, reason="").status_code == 422
    page = visitor.follow(
        visitor.post(f"{CASE}/review", _csrf=token, reason="没有说明赎回被拒理由")
    )
    assert "没有说明赎回被拒理由" in text_of(page)


WORDS = "写了很久的话，不能丢失"


def test_what_an_ended_case_refuses_comes_back_as_it_was_typed(visitor, token):
    visitor.post(f"{CASE}/withdraw", _csrf=token, reason="已经解决")
    for form, field in (("say", "body"), ("withdraw", "reason")):
        answer = visitor.post(f"{CASE}/{form}", _csrf=token, **{field: WORDS})
        assert answer.status_code == 409
        assert WORDS in text_of(answer)
        assert "您已撤回投诉" in text_of(answer)


def test_a_review_asked_for_twice_keeps_the_second_reason(visitor, token, only_case, session):
    only_case().answered_at = now()
    session.commit()
    visitor.post(f"{CASE}/review", _csrf=token, reason="没有说明理由")
    answer = visitor.post(f"{CASE}/review", _csrf=token, reason=WORDS)
    assert answer.status_code == 409
    assert WORDS in text_of(answer)
    assert "已经收到您的复核要求" in text_of(answer)


# -- what staff see ----------------------------------------------------------------------------


def panel(ctx, case):
    return re.sub(r"<[^>]+>|\s+", "", str(plugin.case_panels(ctx, case).body))


def test_staff_see_whether_the_complainant_has_looked(visitor, code, ctx, only_case):
    assert "还没有打开过查询页" in panel(ctx, only_case())
    visitor.enter(code)
    assert "投诉人最近查看：" in panel(ctx, only_case())


def test_staff_see_how_many_replies_are_unread(visitor, token, web, actor, ctx, only_case):
    number = only_case().number
    officer = web(actor)
    officer.post(f"/t/qinghe/w/cases/{number}/talk", {"mode": "message", "body": "请上传柜台回执"})
    assert "1条回复未读" in panel(ctx, only_case())
    assert "请上传柜台回执" in text_of(visitor.get(CASE))
    assert "回复均已显示" in panel(ctx, only_case())


def test_the_complainant_reads_how_the_complaint_was_settled_at_once(
    visitor, token, web, actor, only_case, session
):
    case = only_case()
    case.stage, case.severity, case.finding = "preliminary", "S1", "upheld"
    case.facts = {"summary_agreed": {"at": ""}}
    session.commit()
    words = {"rev": case.version, "reason": "已当场退还差额，您确认问题已解决"}
    web(actor).post(f"/t/qinghe/w/cases/{case.number}/do/summary_close", words)
    page = text_of(visitor.get(CASE))
    assert "已当场退还差额" in page
    assert "处理结果写在沟通记录里" in page
    assert "要求复核" in page


def test_reading_is_one_line_per_case(visitor, code, another, session):
    visitor.enter(code)
    another.enter(code)
    assert len(session.scalars(select(Reading)).all()) == 1


def test_notes_of_staff_are_never_on_the_portal(visitor, token, web, actor, only_case):
    number = only_case().number
    web(actor).post(f"/t/qinghe/w/cases/{number}/talk", {"mode": "note", "body": "疑似群体"})
    assert "疑似群体" not in visitor.get(CASE).text


# -- the words ---------------------------------------------------------------------------------


def told(kind, days, *, since=0, running=True):
    on = today() + timedelta(days=days)
    begun = today() + timedelta(days=since)
    return ToldDate(kind, kind, on, begun, Message("x"), "service_promise", running, False)


def test_every_state_and_outcome_has_its_words():
    assert set(OPEN) == set(PublicStage)
    assert set(CLOSED) == set(Outcome)
    assert set(PROMISED) == set(MISSED)


def test_every_date_told_at_filing_has_its_words():
    kinds = {d.kind for d in dates_if_filed()}
    assert kinds
    assert kinds <= set(PROMISED)


def test_the_nearest_thing_still_owed_is_promised():
    promise = promise_in(
        [told("acknowledge", 1, running=False), told("accept", 3), told("reply", 15)]
    )
    assert promise.on == today() + timedelta(days=3)
    assert promise.text == PROMISED["accept"]
    assert not promise.late
    assert promise_in([told("reply", 15, running=False)]) is None


def test_a_missed_day_is_owned_up_to():
    promise = promise_in([told("reply", -1)])
    assert promise.late
    assert promise.text == MISSED["reply"]
    assert not promise_in([told("reply", 0)]).late


def test_the_meter_counts_the_day_of_filing_as_none():
    assert meter_in([told("accept", 3)]) is None
    meter = meter_in([told("reply", 10, since=-5)])
    assert (meter.n, meter.total, meter.percent, meter.late) == (5, 15, 33, 0)
    assert meter.first == today() - timedelta(days=4)
    early = meter_in([told("reply", 16, since=1)])
    assert (early.n, early.total, early.percent) == (0, 15, 0)
    late = meter_in([told("reply", -2, since=-17)])
    assert (late.n, late.total, late.percent, late.late) == (17, 15, 100, 2)
    assert late.by < date.max


def said(author, **facts):
    given = {"kind": "message_out", "verb": "message", "body": "您好", "data": {}, "at": now()}
    return Entry(**{**given, "author_id": author.id, "tenant_id": author.tenant_id,
                    "author_name": author.name, **facts})  # fmt: skip


def test_bubbles_are_what_was_said_and_nothing_else(actor):
    mine, firm = complainant_actor(actor.tenant_id), system_actor(actor.tenant_id)
    assert (bubble_of(said(actor)).mine, bubble_of(said(actor)).who) == (False, "沈佳宁")
    assert bubble_of(said(firm)).who == "", "the firm's name stands for what nobody wrote"
    assert bubble_of(said(mine, kind="message_in", verb="say")).mine
    assert bubble_of(said(mine, kind="move", verb="withdraw", body="已解决")).mine
    assert not bubble_of(said(actor, kind="move", verb="withdraw", body="您来电撤回")).mine
    assert bubble_of(said(mine, kind="event", verb="file")) is None
    assert bubble_of(said(actor, body="")) is None
    handed = bubble_of(said(mine, kind="message_in", body="", data={"files": ["a.pdf"]}))
    assert handed.files == ("a.pdf",)


def test_digits_are_digits_in_any_width():
    assert visits.digits_of("１２ 3-4五") == "1234"
