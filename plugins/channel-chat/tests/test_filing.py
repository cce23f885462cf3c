"""From a talk to a case: by the visitor, by an officer, by nobody in time."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huiyin.cases.filing import Filing, file_complaint
from huiyin.db import tenant_session
from huiyin.evidence.models import EvidenceFile
from huiyin.kit.time import clock_at
from huiyin.sdk import (
    Case,
    Entry,
    IntakeType,
    Retry,
    complainant_actor,
    rehearse,
    withdraw,
)  # fmt: skip
from huiyin.testing.web import run_jobs
from huiyin_channel_chat import filing, plugin, talks, tasks, transcript
from huiyin_channel_chat.models import Conversation, Side

from .conftest import HOME, MORNING, NIGHT, QUEUE, STORY, Visitor, text_of


def read_case(session):
    session.rollback()
    session.expire_all()
    return session.scalars(select(Case)).one()


@pytest.fixture
def known(session, tenant):
    """A case of somebody, and its code."""
    filing_ = Filing(
        channel="web", idem_key="k", story="净值披露与合同不符", name="陈建国",
        phone="138-0000-6021",
    )  # fmt: skip
    filed = file_complaint(session, complainant_actor(tenant.id), filing_)
    session.commit()
    return filed


def card(**fields):
    return {
        "story": STORY, "wish": "说明理由", "phone": "138 0000 6021", "consent": "on", **fields
    }  # fmt: skip


def test_the_visitor_files_it_as_of_the_first_message(visitor, only, session, place):
    visitor.begin(name="陈建国")
    visitor.say(STORY)
    first = only().first_word_at
    page = visitor.page()
    assert f">\n{STORY}</textarea>" in page.text.replace("\r", "")
    assert visitor.post("convert", **card()).status_code == 303
    case = read_case(session)
    assert (case.channel, case.received_at, case.wish) == ("chat", first, "说明理由")
    page = text_of(visitor.page())
    code = re.search(r"查询码 ([\d ]{19})", page)[1].replace(" ", "")
    assert case.number in page
    followed = visitor.browser.post("/p/qinghe/track", {"code": code})
    assert followed.status_code == 303


def test_the_whole_talk_goes_into_the_evidence_with_its_hashes(
    visitor, officer, only, session, place
):
    visitor.begin()
    visitor.say(STORY)
    visitor.send_file("对账单.pdf", b"%PDF-1.7 statement")
    path = f"{QUEUE}/talks/{only().id}"
    officer.post(path, {"act": "take"})
    officer.post(path, {"act": "say", "body": "我查一下", "id": "officer-1"})
    visitor.post("convert", **card())
    run_jobs(place)
    session.rollback()
    files = session.scalars(select(EvidenceFile).order_by(EvidenceFile.number)).all()
    pdf, text, statement = files
    assert (pdf.media_type, statement.name) == ("application/pdf", "对账单.pdf")
    with place.site.blobs.open(text.blob_key) as stream:
        told = stream.read().decode()
    assert STORY in told
    assert "[沈佳宁] 我查一下" in told
    assert statement.sha256 in told
    assert re.search(r"#1 2026-11-25 10:00:\d\d \[访客\]", told)
    notes = session.scalars(select(Entry.body).where(Entry.verb == "add_evidence")).all()
    assert any(note.startswith("在线对话 2026-11-25 10:00 至") for note in notes)


def test_what_is_said_after_filing_follows_when_the_talk_ends(visitor, session, place):
    visitor.begin()
    visitor.say(STORY)
    visitor.post("convert", **card())
    run_jobs(place)
    visitor.say("再补充一点：申请单号 A-17")
    visitor.post("end")
    run_jobs(place)
    session.rollback()
    said = session.scalars(select(Entry.body).where(Entry.verb == "say")).all()
    assert said == ["再补充一点：申请单号 A-17"]
    assert len(session.scalars(select(EvidenceFile)).all()) == 4


def test_the_card_sent_twice_is_one_case(visitor, session):
    visitor.begin()
    visitor.say(STORY)
    visitor.post("convert", **card())
    again = visitor.post("convert", **card())
    assert again.status_code == 409
    read_case(session)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"story": ""}, "请写明要告诉我们的内容"),
        ({"phone": ""}, "请留下手机号或邮箱"),
        ({"phone": "123"}, "请填写手机号"),
        ({"consent": ""}, "请阅读并勾选确认"),
    ],
)
def test_what_is_missing_on_the_card_is_said_and_the_words_stay(visitor, fields, words, session):
    visitor.begin()
    visitor.say(STORY)
    answer = visitor.post("convert", **card(**fields))
    assert answer.status_code == 422
    assert words in answer.text
    assert "说明理由" in answer.text
    assert session.scalars(select(Case)).all() == []


def test_an_anonymous_card_keeps_no_contact(visitor, session, only):
    visitor.begin(name="陈建国", phone="138 0000 6021")
    visitor.say(STORY)
    visitor.post("convert", **card(anonymous="on"))
    assert read_case(session).anonymous
    assert (only().name, only().phone) == ("", "")


def test_number_and_code_join_the_talk_to_its_case(visitor, known, only, session, place):
    visitor.begin(topic="progress", number=known.number, code=known.code)
    visitor.say("请问进展到哪里了")
    assert only().case_id == known.case_id
    page = text_of(visitor.page())
    assert known.number in page
    assert known.code[:4] + " " + known.code[4:8] not in page, "it was not made here"
    visitor.post("end")
    run_jobs(place)
    session.rollback()
    said = session.scalars(select(Entry).where(Entry.verb == "say")).one()
    assert (said.body, said.data["road"]) == ("请问进展到哪里了", "chat")


def test_a_wrong_code_and_a_wrong_number_look_alike_and_are_counted(visitor, known, only):
    answers = [
        visitor.begin(number=number, code=code)
        for number, code in (
            (known.number, "0" * 16), ("QH-2026-9999", known.code), ("QH-2026-9999", "0" * 16)
        )
    ]  # fmt: skip
    told = {re.sub(r'value="[^"]*"', "", text_of(answer)) for answer in answers}
    assert {answer.status_code for answer in answers} == {422}
    assert len(told) == 1
    assert all(known.code not in answer.text for answer in answers)
    for _ in range(2):
        visitor.begin(number=known.number, code="1" * 16)
    right = visitor.begin(number=known.number, code=known.code)
    assert right.status_code == 429


def test_the_same_telephone_only_makes_a_candidate(visitor, officer, known, only):
    visitor.begin(phone="13800006021")
    visitor.say(STORY)
    conversation = only()
    assert conversation.case_id is None
    path = f"{QUEUE}/talks/{conversation.id}"
    officer.post(path, {"act": "take"})
    page = officer.get(path)
    assert known.number in page.text
    assert "13800006021" not in page.text, "masked"
    officer.post(path, {"act": "join", "number": known.number})
    assert only().case_id == known.case_id


def test_whoever_is_named_in_the_case_is_no_candidate_to_them(
    visitor, officer, known, only, session
):
    visitor.begin(phone="13800006021")
    visitor.say(STORY)
    path = f"{QUEUE}/talks/{only().id}"
    officer.post(path, {"act": "take"})
    session.get_one(Case, (session.tenant, known.case_id)).walled = [officer.actor.id]
    session.commit()
    assert known.number not in officer.get(path).text
    refused = officer.post(path, {"act": "join", "number": known.number})
    assert refused.status_code == 422


# -- nobody has decided --


def test_what_sounds_like_a_complaint_waits_for_a_decision(visitor, officer, only):
    visitor.begin(topic="question")
    visitor.say("客服电话一直打不通，我要投诉")
    visitor.post("end")
    assert only().fate == "undecided"
    path = f"{QUEUE}/talks/{only().id}"
    assert "待判定" in officer.get(f"{QUEUE}/?tab=undecided").text
    assert officer.post(path, {"act": "nothing", "reason": ""}).status_code == 422
    officer.post(path, {"act": "nothing", "reason": "已电话说明，访客同意撤回"})
    assert (only().fate, only().fate_name) == ("nothing", "沈佳宁")


@pytest.mark.parametrize(
    ("topic", "words", "fate"),
    [("question", "管理费怎么算", ""), ("complaint", "管理费怎么算", "undecided"),
     ("complaint", "", "")],
)  # fmt: skip
def test_an_enquiry_is_let_go_and_a_complaint_is_not(visitor, only, topic, words, fate):
    visitor.begin(topic=topic)
    if words:
        visitor.say(words)
    visitor.post("end")
    assert only().fate == fate


def test_what_nobody_decides_within_a_working_day_is_registered(visitor, ctx, only, session):
    visitor.begin(name="陈建国", phone="138 0000 6021")
    visitor.say(STORY)
    first = only().first_word_at
    with clock_at(MORNING + timedelta(hours=2)):
        tasks.tend(ctx, {})
        session.commit()
    assert (only().state, only().closed_by, only().fate) == ("closed", "house", "undecided")
    with clock_at(MORNING + timedelta(hours=25)):
        tasks.tend(ctx, {})
        session.commit()
    assert only().fate == "undecided"
    with clock_at(MORNING + timedelta(hours=27)):
        tasks.tend(ctx, {})
        session.commit()
    case = read_case(session)
    assert (case.story, case.received_at, only().fate) == (STORY, first, "filed")


def test_a_talk_over_a_weekend_waits_for_a_working_day(ctx, session):
    friday = MORNING + timedelta(days=2)
    talk = Conversation(closed_at=friday, last_at=friday)
    assert filing.due(talk) == friday + timedelta(days=3)


# -- out of hours --


@pytest.mark.parametrize(
    ("topic", "kind"), [("complaint", IntakeType.COMPLAINT), ("question", IntakeType.ENQUIRY)]
)
def test_out_of_hours_a_message_is_registered_at_once_and_says_so(
    visitor, session, only, topic, kind
):
    with clock_at(NIGHT):
        page = text_of(visitor.page())
        assert "现在的留言会直接登记并给您查询码" in page
        assert "下次开始" in page
        assert visitor.begin(topic=topic).status_code == 422, "nothing was written"
        visitor.begin(topic=topic, body=STORY, phone="138 0000 6021")
        assert "查询码" in text_of(visitor.page())
    case = read_case(session)
    assert (case.story, case.intake_type, case.received_at) == (STORY, kind, NIGHT)
    assert (only().state, only().in_hours) == ("closed", False)


# -- how it was --


def test_a_rating_is_seen_by_those_allowed_and_no_others(visitor, officer, only, make_actor, web):
    visitor.begin(topic="question")
    visitor.say("管理费怎么算")
    path = f"{QUEUE}/talks/{only().id}"
    officer.post(path, {"act": "take"})
    officer.post(path, {"act": "say", "body": "按日计提", "id": "officer-1"})
    assert visitor.post("rate", rating="5").status_code == 409, "not before the end"
    visitor.post("end")
    assert visitor.post("rate", rating="6").status_code == 422
    assert visitor.post("rate", rating="2", words="等了太久").status_code == 303
    assert "等了太久" not in officer.get(path).text
    assert "等了太久" in web(make_actor("approver")).get(path).text


def test_another_browser_has_no_such_talk(visitor, web, only):
    visitor.begin()
    visitor.say(STORY)
    other = Visitor(web())
    assert STORY not in other.page().text
    assert other.say("我来说").status_code == 409
    assert visitor.browser.post(HOME, {"act": "say", "body": "x", "id": "a" * 8}).status_code == 403


def end_case(session, known):
    case = session.get_one(Case, (session.tenant, known.case_id))
    withdraw(session, complainant_actor(session.tenant), case, "已经解决")
    session.commit()


def test_a_case_that_ends_before_the_talk_does_gets_its_transcript_all_the_same(
    visitor, known, session, place
):
    visitor.begin(topic="progress", number=known.number, code=known.code)
    visitor.say("款项还是没有到")
    visitor.send_file("对账单.pdf", b"%PDF-1.7 statement")
    end_case(session, known)
    visitor.post("end")
    run_jobs(place)
    session.rollback()
    files = session.scalars(select(EvidenceFile).order_by(EvidenceFile.number)).all()
    assert [file.name[-3:] for file in files] == ["pdf", "txt", "pdf"]


def test_a_talk_about_a_case_that_has_ended_waits_for_a_decision(visitor, known, session, only):
    end_case(session, known)
    visitor.begin(topic="progress", number=known.number, code=known.code)
    visitor.say("款项还是没有到，我要继续投诉")
    assert f"投诉 {known.number} 已经结束" in text_of(visitor.page())
    visitor.post("end")
    assert (only().fate, only().case_id) == ("undecided", None)


def test_out_of_hours_a_word_about_a_case_that_has_ended_is_registered(visitor, known, session):
    end_case(session, known)
    with clock_at(NIGHT):
        visitor.begin(topic="progress", number=known.number, code=known.code, body=STORY)
    session.expire_all()
    new = session.scalars(select(Case).where(Case.id != known.case_id)).one()
    assert new.story == STORY


def test_the_transcript_holds_up_nobody_who_writes_meanwhile(
    visitor, session, place, engine, tenant, monkeypatch, chosen, lines
):
    visitor.begin()
    visitor.say(STORY)
    visitor.post("convert", **card())
    made = transcript.uploads

    def while_it_is_set(*given):
        with tenant_session(engine, tenant.id) as own:
            own.execute(text("SET LOCAL lock_timeout = '1s'"))
            lent = rehearse(plugin, own, name="channel_chat", settings=chosen)
            talks.say(lent, own.scalars(select(Conversation)).one(), Side.VISITOR, "c" * 8, "还有")
            own.commit()
        return made(*given)

    monkeypatch.setattr(transcript, "uploads", while_it_is_set)
    run_jobs(place)
    assert lines() == [("visitor", STORY), ("visitor", "还有")]
    monkeypatch.setattr(transcript, "uploads", made)
    visitor.post("end")
    run_jobs(place)
    session.rollback()
    said = session.scalars(select(Entry.body).where(Entry.verb == "say")).all()
    assert said == ["还有"]


def test_two_jobs_hand_the_same_words_over_once(visitor, session, ctx, place, engine, monkeypatch):
    visitor.begin()
    visitor.say(STORY)
    visitor.post("convert", **card())
    made = transcript.uploads

    def while_another_does_it(*given):
        monkeypatch.setattr(transcript, "uploads", made)
        run_jobs(place)
        return made(*given)

    monkeypatch.setattr(transcript, "uploads", while_another_does_it)
    talk = ctx.session.scalars(select(Conversation)).one()
    with pytest.raises(Retry):
        filing.hand_over(ctx, {"conversation": str(talk.id)})
    session.rollback()
    assert len(session.scalars(select(EvidenceFile)).all()) == 2
