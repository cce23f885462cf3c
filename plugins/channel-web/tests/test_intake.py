"""From the first question to the receipt."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from huiyin.sdk import Case, Investor, tracking_code
from huiyin_channel_web.models import Draft, DraftFile
from huiyin_channel_web.settings import ChannelWebSettings
from huiyin_channel_web.steps import STEPS, beside, missing, steps_for

from .conftest import PDF, STORY, Visitor, code_on, text_of


def test_a_complaint_goes_from_the_first_question_to_a_receipt(visitor, fund, only_case, session):
    visitor.post("/complain/topic", topic="dealing")
    visitor.post("/complain/product", fund=str(fund.id), product="")
    visitor.post("/complain/story", story=STORY)
    visitor.post("/complain/wish", wish="按 11 月 3 日净值赎回")
    visitor.upload("/complain/files", ("回执.pdf", PDF), do="next")
    visitor.post("/complain/contact", who="named", name="陈建国", phone="138 0000 6021")
    page = visitor.get("/complain/check")
    for words in ("申购、赎回或分红", fund.name, "被退回", "按 11 月 3 日净值赎回", "陈建国"):
        assert words in text_of(page)
    done = visitor.follow(visitor.post("/complain/check", consent="on"))
    case = only_case()
    assert case.number in text_of(done)
    assert code_on(done) == tracking_code(case.tenant_id, case.id)
    assert (case.channel, case.fund_id, case.story) == ("web", fund.id, STORY)
    assert case.title.startswith("申购、赎回或分红：")
    assert session.get_one(Investor, (case.tenant_id, case.complainant_id)).name == "陈建国"
    assert case.counts["evidence"] == 1
    assert "公司承诺" in text_of(done)


def test_answers_are_there_again_when_one_comes_back(visitor):
    visitor.post("/complain/story", story=STORY)
    assert "我打过三次电话" in visitor.get("/complain/story").text
    assert "您有尚未提交的内容" in visitor.get("/complain/start").text


def test_nobody_else_sees_a_draft(visitor, another):
    visitor.post("/complain/story", story=STORY)
    assert "我打过三次电话" not in another.get("/complain/story").text


def test_a_draft_of_one_firm_opens_nothing_at_another(visitor, make_tenant):
    make_tenant("yuancen")
    visitor.post("/complain/story", story=STORY)
    secret = visitor.browser.http.cookies["hy_draft"]
    stranger = visitor.browser.get(
        "/p/yuancen/complain/story", headers={"Cookie": f"hy_draft={secret}"}
    )
    assert "我打过三次电话" not in stranger.text


FAULTS = [
    ("topic", {}, "topic", "请选择最接近的一类问题"),
    ("topic", {"topic": "nonsense"}, "topic", "请选择最接近的一类问题"),
    ("product", {"fund": "0190"}, "fund", "请从给出的产品中选择"),
    ("product", {"fund": "01900000-0000-7000-8000-000000000000"}, "fund", "请从给出的产品中选择"),
    ("story", {"story": "净值没公布"}, "story", "请写下发生了什么，至少 10 个字"),
    ("story", {"story": "长" * 5001}, "story", "最多 5000 个字，请精简"),
    ("wish", {"wish": "多" * 1001}, "wish", "最多 1000 个字，请精简"),
    ("contact", {"who": "named", "phone": "138"}, "name", "请填写姓名，或选择匿名提交"),
    ("contact", {"who": "named", "name": "陈"}, "phone", "请至少填写手机号或邮箱"),
    ("contact", {"who": "named", "name": "陈", "phone": "call me"}, "phone", "例如 138 0000 6021"),
    ("contact", {"who": "named", "name": "陈", "phone": "-------"}, "phone", "例如 138 0000 6021"),
    ("contact", {"who": "named", "name": "陈", "phone": "--12345--"}, "phone", "例如 138"),
    ("contact", {"who": "named", "name": "陈", "email": "chen@"}, "email", "请填写完整的邮箱"),
]


@pytest.mark.parametrize(("step", "fields", "field", "words"), FAULTS)
def test_what_must_be_mended_is_said_above_and_at_the_field(
    visitor, fund, step, fields, field, words
):
    answer = visitor.post(f"/complain/{step}", **fields)
    assert answer.status_code == 422
    assert text_of(answer).count(words) == 2
    assert f'href="#f-{field}"' in answer.text
    assert f'id="f-{field}-e"' in answer.text
    for value in fields.values():
        assert step in {"topic", "product"} or value in answer.text
    assert "hy_draft" not in visitor.browser.http.cookies, "nothing was kept"


def test_changing_an_answer_leads_back_to_the_page_of_answers(visitor):
    visitor.answer_all()
    page = visitor.get("/complain/wish?to=check")
    assert 'action="/p/qinghe/complain/wish?to=check"' in page.text
    answer = visitor.post("/complain/wish?to=check", wish="道歉")
    assert answer.headers["location"] == "/p/qinghe/complain/check"
    assert "道歉" in text_of(visitor.get("/complain/check"))


def test_what_was_not_answered_is_asked_before_filing(visitor):
    visitor.post("/complain/topic", topic="fees")
    for answer in (visitor.get("/complain/check"), visitor.post("/complain/check", consent="on")):
        assert answer.headers["location"] == "/p/qinghe/complain/story?to=check"


def test_consent_is_never_ticked_beforehand_and_always_asked_for(visitor, session):
    visitor.answer_all()
    assert "checked" not in visitor.get("/complain/check").text
    answer = visitor.post("/complain/check")
    assert answer.status_code == 422
    assert "请勾选确认后再提交" in text_of(answer)
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_anonymous_means_that_nothing_about_the_person_is_kept(visitor, only_case, session):
    visitor.answer_all(who="anonymous", name="陈建国", phone="13800006021")
    (draft,) = session.scalars(select(Draft))
    assert "陈建国" not in str(draft.answers)
    done = visitor.follow(visitor.post("/complain/check", consent="on"))
    assert "匿名提交的，查询码丢失后无法找回" in text_of(done)
    case = only_case()
    assert case.anonymous
    assert case.complainant_id is None
    assert session.scalar(select(func.count()).select_from(Investor)) == 0


def test_the_same_form_sent_twice_gives_the_same_receipt(visitor, only_case):
    visitor.answer_all()
    first = visitor.follow(visitor.post("/complain/check", consent="on"))
    again = visitor.follow(visitor.post("/complain/check", consent="on"))
    assert code_on(first) == code_on(again)
    only_case()


def test_two_clicks_at_once_make_one_case(visitor, web, only_case):
    visitor.answer_all()
    secret = visitor.browser.http.cookies["hy_draft"]
    answers = []

    def click():
        browser = web()
        browser.headers["Cookie"] = f"hy_draft={secret}"
        answers.append(Visitor(browser).post("/complain/check", consent="on"))

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert {answer.headers["location"] for answer in answers} == {"/p/qinghe/complain/done"}
    only_case()


def test_filing_empties_the_draft(visitor, session):
    visitor.answer_all()
    visitor.upload("/complain/files", ("a.pdf", PDF), do="next")
    visitor.post("/complain/check", consent="on")
    session.rollback()
    (draft,) = session.scalars(select(Draft))
    assert draft.answers == {}
    assert session.scalars(select(DraftFile)).all() == []
    assert "我打过三次电话" not in visitor.get("/complain/story").text


def test_the_receipt_is_shown_again_for_half_an_hour_and_then_no_more(visitor, age):
    visitor.file()
    assert visitor.get("/complain/done").status_code == 200
    age("draft", "expires_at", timedelta(minutes=30))
    gone = visitor.get("/complain/done")
    assert gone.headers["location"] == "/p/qinghe/track"


def test_a_receipt_is_only_for_the_browser_that_filed(visitor, another):
    visitor.file()
    assert another.get("/complain/done").status_code == 303


def test_an_old_draft_opens_no_more(visitor, age):
    visitor.answer_all()
    age("draft", "expires_at", timedelta(days=1))
    assert visitor.get("/complain/check").headers["location"] == "/p/qinghe/complain/start"
    assert "我打过三次电话" not in visitor.get("/complain/story").text


def test_a_draft_can_be_thrown_away(visitor, session):
    visitor.answer_all()
    visitor.post("/complain/discard")
    assert session.scalars(select(Draft)).all() == []
    assert "您有尚未提交的内容" not in visitor.get("/complain/start").text


def test_the_cookie_is_narrow_and_its_secret_is_not_in_the_database(visitor, session):
    answer = visitor.post("/complain/topic", topic="fees")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("hy_draft="))
    secret = cookie.partition("=")[2].partition(";")[0]
    assert "HttpOnly" in cookie
    assert "Path=/p/qinghe;" in cookie
    assert "samesite=lax" in cookie.lower()
    kept = session.execute(
        text("SELECT row_to_json(d)::text FROM plugin_channel_web__draft d")
    ).scalar_one()
    assert secret not in kept
    assert len(secret) >= 43, "256 bits"


def test_looking_sets_no_cookie(visitor):
    for path in ("", "/channels", "/complain/start", "/complain/topic", "/track"):
        assert "set-cookie" not in visitor.get(path).headers


def test_a_form_of_another_site_is_refused(visitor, session):
    answer = visitor.browser.ask(
        "POST", "/p/qinghe/complain/topic", data={"topic": "fees"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert session.scalars(select(Draft)).all() == []


def test_unknown_questions_and_fields_are_refused(visitor):
    assert visitor.get("/complain/nonsense").status_code == 404
    assert visitor.post("/complain/topic", topic="fees", severity="S1").status_code == 422


def test_a_firm_that_does_not_ask_for_the_product_has_one_question_less():
    steps = steps_for(ChannelWebSettings(ask_product=False))
    assert [s.name for s in steps] == ["topic", "story", "wish", "files", "contact"]
    assert beside(steps, "story") == ("topic", "wish")
    assert beside(steps, "topic")[0] == "start"
    assert beside(steps, "contact")[1] == "check"


def test_required_answers_are_topic_story_and_contact():
    assert missing(STEPS, {}).name == "topic"
    assert missing(STEPS, {"topic": {}}).name == "story"
    assert missing(STEPS, {"topic": {}, "story": {}}).name == "contact"
    assert missing(STEPS, {"topic": {}, "story": {}, "contact": {}}) is None


def test_what_people_write_is_never_markup(visitor):
    visitor.post("/complain/topic", topic="other")
    visitor.post("/complain/story", story="<script>alert(1)</script> {{7*7}} 没有说明理由")
    visitor.post("/complain/contact", who="named", name="<b>陈</b>", phone="13800006021")
    page = visitor.get("/complain/check").text
    assert "<script>alert" not in page
    assert "<b>陈" not in page
    assert "{{7*7}}" in page
