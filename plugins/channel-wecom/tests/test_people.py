"""Whose account it is: known for certain, or shown to an officer."""

import pytest
from sqlalchemy import select

from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.models import Case
from huiyin.ledger.models import LedgerEntry
from huiyin.sdk import complainant_actor, withdraw

from .conftest import STORY, code_in, kf_event, kf_message, message, texts

LIST = "/t/qinghe/w/x/channel-wecom"


@pytest.fixture
def web_case(firm, session):
    """A case filed on the public pages, its number and code."""
    filing = Filing(channel="web", idem_key="k", story="网页提交的投诉", phone="13800006021")
    filed = file_complaint(session, complainant_actor(session.tenant), filing)
    session.commit()
    return filed


@pytest.fixture
def officer(make_actor, web):
    return web(make_actor("complaint_officer", name="沈若溪"))


def spaced(code):
    return " ".join(code[n : n + 4] for n in range(0, 16, 4))


# -- by number and code ------------------------------------------------------------------------


def test_number_and_code_bind_an_account_and_are_not_kept(
    firm, web_case, call, work, found, session
):
    call(message(f"我的编号 {web_case.number.lower()}，查询码 {spaced(web_case.code)}"))
    work(minutes=11)
    (contact,) = found.contacts
    assert (contact.case_id, contact.bound_how) == (web_case.case_id, "code")
    assert web_case.number in texts(firm)[0]
    assert found.kept[0].raw == b""
    assert not found.arrivals
    call(message("补充说明", number="2"))
    work(minutes=11)
    case = session.get_one(Case, (session.tenant, web_case.case_id))
    assert [entry.body for entry in found.entries(case)] == ["补充说明"]
    assert found.arrivals[0].reason == "bound"
    assert "channel_wecom:bound" in session.scalars(select(LedgerEntry.kind)).all()


def test_wrong_codes_are_answered_alike_and_after_five_none_is_looked_at(
    firm, web_case, call, work, found
):
    wrong = [
        f"{web_case.number} {spaced('0' * 16)}",
        f"TS-2026-9999 {web_case.code}",
        f"{web_case.number} {'1' * 16}", f"{web_case.number} {'2' * 16}",
        f"{web_case.number} {'3' * 16}",
    ]  # fmt: skip
    for n, text in enumerate([*wrong, f"{web_case.number} {web_case.code}"]):
        call(message(text, number=str(n)))
        work()
    said = texts(firm)
    assert len(said) >= 5  # five within a second are all that the provider allows
    assert len(set(said)) == 1
    assert found.contacts[0].case_id is None
    assert found.contacts[0].tries == 5


def test_a_number_alone_proves_nothing(firm, web_case, call, work, found):
    call(message(f"请问 {web_case.number} 办得怎么样了？我要投诉你们的效率，太慢了。"))
    work()
    (arrival,) = found.arrivals
    assert (arrival.state, arrival.reason) == ("waiting", "number_named")
    assert [one["number"] for one in arrival.candidates] == [web_case.number]
    assert "16 位查询码" in texts(firm)[0]
    assert web_case.code not in texts(firm)[0]


def test_the_code_that_was_sent_in_the_chat_is_right(firm, call, work, found):
    call(message())
    work()
    assert found.cases[0].number in texts(firm)[0]
    call(message(f"{found.cases[0].number} {code_in(texts(firm)[0])}", who="oUser2", number="2"))
    work()
    assert [contact.bound_how for contact in found.contacts] == ["filed", "code"]


# -- another matter, another person ------------------------------------------------------------


def test_another_person_is_another_case(firm, call, work, found):
    call(message(who="oUser1", number="1"))
    call(message(who="oUser2", number="2"))
    work()
    assert len(found.cases) == 2


def test_a_new_complaint_of_the_same_person_is_asked_about(firm, call, work, found):
    call(message())
    work()
    call(message("新投诉：另一只基金的净值披露有误，请核实并更正。", number="2"))
    work()
    assert (found.arrivals[-1].state, found.arrivals[-1].reason) == ("waiting", "same_handle")
    assert len(found.cases) == 1


def test_a_message_for_a_case_that_has_ended_is_asked_about(firm, call, work, found, session):
    call(message())
    work()
    withdraw(session, complainant_actor(session.tenant), found.cases[0], "已经解决")
    session.commit()
    call(message("还有一句", number="2"))
    work(minutes=11)
    assert found.arrivals[-1].state == "waiting"
    assert found.arrivals[-1].reason == "not_open"


def test_what_only_asks_is_left_to_a_person_where_the_firm_says_so(
    firm, call, work, found, settle, officer
):
    settle(take="said")
    call(message("请问对账单在哪里下载？"))
    work(minutes=11)
    (talk,) = found.talks
    assert (talk.state, found.arrivals) == ("passed", [])
    answer = officer.post(f"{LIST}/{talk.id}/hand")
    assert answer.status_code == 303
    work()
    assert found.cases[0].story == "请问对账单在哪里下载？"
    call(message("我要投诉", who="oUser2", number="2"))
    work(minutes=11)
    assert len(found.cases) == 2


# -- by an officer -----------------------------------------------------------------------------


def test_an_officer_links_and_unlinks_with_a_reason(
    firm, web_case, call, work, found, officer, session
):
    call(message("您好，在吗"))
    work()
    (talk,), (contact,) = found.talks, found.contacts
    here = f"{LIST}/{talk.id}"
    page = officer.get(here).text
    assert "您好，在吗" in page
    assert contact.external_id not in page
    fields = {"rev": contact.version, "number": web_case.number, "reason": ""}
    refused = officer.post(f"{here}/bind", fields)
    assert refused.status_code == 422
    assert "怎样核实了对方是投诉人本人" in refused.text
    assert f'value="{web_case.number}"' in refused.text
    wrong = officer.post(f"{here}/bind", {**fields, "number": "TS-2026-9999", "reason": "回拨"})
    assert "没有找到这件投诉" in wrong.text
    done = officer.post(f"{here}/bind", {**fields, "reason": "回拨登记电话"})
    assert done.status_code == 303
    (contact,) = found.contacts
    assert (contact.case_id, contact.bound_how) == (web_case.case_id, "officer")
    late = officer.post(f"{here}/bind", {**fields, "reason": "再来一次"})
    assert late.status_code == 409
    officer.post(f"{here}/unbind", {"rev": contact.version})
    assert found.contacts[0].case_id is None
    kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)).all()
    assert [k for k in kinds if k.startswith("channel_wecom")] == [
        "channel_wecom:bound", "channel_wecom:unbound",
    ]  # fmt: skip


def test_joining_by_hand_links_nobody(firm, web_case, call, work, found, officer):
    call(message(f"关于 {web_case.number}，我要投诉的事情还没有结果，请尽快处理。"))
    work()
    (arrival,) = found.arrivals
    officer.post(
        f"/t/qinghe/w/arrivals/{arrival.id}",
        {"rev": arrival.version, "to": f"case:{web_case.number}", "reason": "来电确认"},
    )
    work()
    assert found.arrivals[0].state == "joined"
    assert found.contacts[0].case_id is None
    answer = officer.get(f"/t/qinghe/w/arrivals/{arrival.id}/original")
    assert answer.headers["content-type"].startswith("application/zip")
    assert ".zip" in answer.headers["content-disposition"]


def test_a_colleagues_account_is_nobodys_complainant(firm, web_case, call, work, found, officer):
    call(message("客户来电", who="zhangsan"), road="wecom")
    work()
    (talk,), (contact,) = found.talks, found.contacts
    fields = {"rev": contact.version, "number": web_case.number, "reason": "x"}
    assert officer.post(f"{LIST}/{talk.id}/bind", fields).status_code == 409


def test_whoever_is_complained_about_sees_no_chat_of_the_case(
    firm, call, work, found, session, make_actor, web
):
    call(message())
    work()
    named = make_actor("complaint_officer", name="被投诉人")
    found.cases[0].walled = [named.id]
    session.commit()
    browser = web(named)
    (talk,) = found.talks
    assert str(talk.id) not in browser.get(LIST).text
    assert browser.get(f"{LIST}/{talk.id}").status_code == 404
    assert browser.post(f"{LIST}/{talk.id}/unbind", {"rev": 1}).status_code == 404
    assert STORY


# -- a chat is hidden with every case it has to do with --


@pytest.fixture
def named(make_actor, web):
    return web(make_actor("complaint_officer", name="被投诉人"))


def sees(browser, talk):
    """Whether the list and the page show a conversation, which must agree."""
    listed = str(talk.id) in browser.get(LIST).text
    assert (browser.get(f"{LIST}/{talk.id}").status_code == 200) is listed
    return listed


def wall(session, case_id, person):
    session.get_one(Case, (session.tenant, case_id)).walled = [person.actor.id]
    session.commit()


def test_a_chat_joined_by_hand_is_hidden_with_its_case(
    firm, web_case, call, work, found, officer, named, session
):
    call(message("我要投诉的事情还没有结果，请你们尽快处理，不要再拖了。"))
    work()
    (arrival,) = found.arrivals
    arrival.state, arrival.case_id = "joined", web_case.case_id
    session.commit()
    assert sees(named, found.talks[0])
    wall(session, web_case.case_id, named)
    assert not sees(named, found.talks[0])
    assert sees(officer, found.talks[0])


def test_a_chat_stays_hidden_when_its_account_belongs_to_another_case_by_now(
    firm, web_case, call, work, found, officer, named, session
):
    call(message())
    work()
    wall(session, found.contacts[0].case_id, named)
    call(message(f"{web_case.number} {web_case.code}", number="2"))
    work()
    assert found.contacts[0].case_id == web_case.case_id
    assert not sees(named, found.talks[0])
    assert sees(officer, found.talks[0])
    officer.post(f"{LIST}/{found.talks[0].id}/unbind", {"rev": found.contacts[0].version})
    assert found.contacts[0].case_id is None
    assert not sees(named, found.talks[0])


def test_a_chat_that_may_belong_to_a_case_is_hidden_as_its_arrival_is(
    firm, web_case, call, work, found, officer, named, session
):
    wall(session, web_case.case_id, named)
    call(message(f"关于 {web_case.number}，我要投诉的事情还没有结果，请尽快处理。"))
    work()
    assert found.arrivals[0].state == "waiting"
    assert not sees(named, found.talks[0])
    assert sees(officer, found.talks[0])


# -- more than a code --


@pytest.mark.parametrize("right", [True, False])
def test_what_is_written_beside_a_code_is_kept_without_the_code(
    firm, web_case, call, work, found, right, session
):
    code = web_case.code if right else "1" * 16
    call(
        message(
            f"编号 {web_case.number} 查询码 {spaced(code)}。"
            "另外客服至今没有回电，赎回款也没有到账，请尽快处理。"
        )
    )
    work(minutes=11)
    assert (found.contacts[0].case_id == web_case.case_id) is right
    (kept,) = found.kept
    assert spaced(code) not in kept.raw.decode()
    told = found.arrivals[0].reading["text"]
    assert "客服至今没有回电" in told
    assert web_case.number in told
    assert spaced(code) not in told
    if right:
        case = session.get_one(Case, (session.tenant, web_case.case_id))
        assert "赎回款也没有到账" in found.entries(case)[0].body


def test_a_card_number_beside_a_case_is_no_reason_to_drop_the_words(
    firm, web_case, call, work, found
):
    call(message(f"{web_case.number} 的赎回款请退到银行卡 6222021234567890，户名不变，谢谢。"))
    work(minutes=11)
    assert "赎回款请退到银行卡" in found.arrivals[0].reading["text"]


def test_what_customer_service_lists_beside_a_code_is_kept_too(firm, web_case, call, work, found):
    text = f"{web_case.number} {spaced(web_case.code)} 我的电话换了，请改打办公室的座机"
    firm.messages = [kf_message(1, text)]
    call(kf_event(), road="wecom")
    work(minutes=11)
    assert "我的电话换了" in found.arrivals[0].reading["text"]
    assert spaced(web_case.code) not in found.kept[-1].raw.decode()
