"""The whole way: a signed callback, a case, an answer."""

import pytest
from sqlalchemy import select

from huiyin.cases import service
from huiyin.ledger.models import LedgerEntry
from huiyin.sdk import Investor

from .conftest import STORY, code_in, kf_event, kf_message, message, texts


def test_a_chat_with_the_official_account_is_a_case_that_is_answered_there(
    firm, call, work, found, session, actor
):
    assert call(message()).text == "success"
    assert [row.done for row in found.kept] == [False]
    work()
    (case,) = found.cases
    assert (case.channel, case.story) == ("wecom", STORY)
    (arrival,) = found.arrivals
    assert (arrival.state, arrival.reason, arrival.sender_address) == ("filed", "new", "mp:oUser1")
    who = session.get_one(Investor, (session.tenant, case.complainant_id))
    assert (who.name, who.phone, who.email) == ("", "", "")
    (file,) = found.files(case)
    assert file.name.endswith(".zip")
    assert file.sha256 == arrival.raw_sha256
    (contact,) = found.contacts
    assert (contact.case_id, contact.bound_how) == (case.id, "filed")
    confirmed = texts(firm)[0]
    assert case.number in confirmed
    assert len(code_in(confirmed)) == 16

    service.talk(session, actor, case.number, "message", "已联系托管行核对，明天给您答复。")
    session.commit()
    work()
    assert firm.sent[-1] == (
        "cgi-bin/message/custom/send",
        {"touser": "oUser1", "msgtype": "text",
         "text": {"content": "已联系托管行核对，明天给您答复。"}},
    )  # fmt: skip
    assert {answer.state for answer in found.answers} == {"sent"}
    kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert {"arrival.received", "arrival.filed", "channel_wecom:bound"} <= set(kinds)

    call(message("补充：合同编号 A12", number="1002"))
    work(minutes=11)
    assert [e.body for e in found.entries(case)] == ["补充：合同编号 A12"]
    assert found.arrivals[-1].reason == "bound"
    assert len(found.cases) == 1


def test_customer_service_messages_are_fetched_page_by_page_and_answered(
    firm, call, work, found, session, actor
):
    firm.messages = [kf_message(n, f"第 {n} 句") for n in range(1, 6)]
    assert call(kf_event(), road="wecom").text == "success"
    work()
    assert len([path for path in firm.asked if path.endswith("sync_msg")]) == 3
    assert not found.arrivals
    assert found.talks[0].messages == 5
    work(minutes=11)
    (case,) = found.cases
    assert case.story == "第 1 句\n第 2 句\n第 3 句\n第 4 句\n第 5 句"
    assert case.title == "第 1 句"
    service.talk(session, actor, case.number, "message", "收到。")
    session.commit()
    work()
    path, said = firm.sent[-1]
    assert path == "cgi-bin/kf/send_msg"
    assert (said["touser"], said["open_kfid"]) == ("wmUser1", "wkDesk1")
    assert said["msgid"] == found.answers[-1].id.hex
    call(kf_event(), road="wecom", nonce="again")
    work()
    assert len(found.kept) == 7  # five messages and two events


def test_a_members_own_application_message_is_asked_about(firm, call, work, found):
    call(message("客户来电说要投诉，赎回款一直没有到账，请登记", who="zhangsan"), road="wecom")
    work()
    (arrival,) = found.arrivals
    assert (arrival.state, arrival.reason) == ("waiting", "member")
    work(days=20)
    assert not found.cases
    assert not firm.sent


@pytest.mark.parametrize("road", ["wecom", "mp"])
def test_plugin_off_is_no_such_address(public, tenant, road):
    answer = public.get(f"/p/qinghe/x/channel-wecom/{road}")
    assert answer.status_code == 404
