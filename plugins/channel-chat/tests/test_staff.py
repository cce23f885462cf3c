"""The staff's side: presence, taking, passing on, lists, standard answers, health and figures."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from huiyin.identity.models import Membership
from huiyin.kit.time import clock_at, local_date
from huiyin.sdk import Case, Condition, Filing, Period, complainant_actor, file_complaint
from huiyin.testing.database import there_and_back
from huiyin_channel_chat import demo, figures_of, health, hours, plugin, talks, tasks
from huiyin_channel_chat.models import Canned, Conversation, Said, Side
from huiyin_channel_chat.settings import ChannelChatSettings
from huiyin_channel_chat.terms import KEPT_MONTHS

from .conftest import MORNING, NIGHT, QUEUE, STORY, Visitor, text_of


@pytest.fixture
def path(visitor, officer, only):
    """The page of a talk that waits."""
    visitor.begin(name="陈建国", phone="138 0000 6021")
    visitor.say(STORY)
    return f"{QUEUE}/talks/{only().id}"


@pytest.fixture
def colleague(make_actor, web):
    return web(make_actor("complaint_officer", name="陆知行"))


# -- presence and hours --


def test_nobody_is_there_until_somebody_says_so_and_for_a_quarter_of_an_hour(visitor, officer, ctx):
    assert "沈佳宁 在线" in visitor.page().text
    with clock_at(MORNING + timedelta(minutes=16)):
        assert "暂时没有人在线" in visitor.page().text
    officer.post(f"{QUEUE}/presence", {"state": "away"})
    assert "暂时没有人在线" in visitor.page().text


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        (MORNING, True), (NIGHT, False),
        (MORNING - timedelta(hours=1), True),  # 09:00 sharp
        (MORNING - timedelta(hours=1, seconds=1), False),
        (MORNING + timedelta(hours=7, minutes=30), False),  # 17:30 sharp
        (MORNING + timedelta(days=3), False),  # a Saturday
        (MORNING.replace(month=9, day=20), True),  # a Sunday that is worked
        (MORNING.replace(month=10, day=1), False),
    ],
)  # fmt: skip
def test_hours_follow_the_working_calendar(session, chosen, moment, inside):
    assert hours.in_hours(chosen, moment) is inside


def test_it_opens_again_on_the_next_working_day(session, chosen):
    friday_evening = MORNING + timedelta(days=2, hours=9)
    assert hours.next_opening(chosen, friday_evening) == MORNING + timedelta(days=5, hours=-1)
    early = MORNING - timedelta(hours=4)
    assert hours.next_opening(chosen, early) == MORNING - timedelta(hours=1)


@pytest.mark.parametrize(
    "given",
    [{"opens": "18:00"}, {"origins": ("www.example.com",)}, {"origins": ("https://a.b/path",)},
     {"origins": ("https://*.example.com",)}, {"origins": ("https://a.b; script-src *",)}],
)  # fmt: skip
def test_settings_that_would_do_harm_are_refused(given):
    with pytest.raises(ValueError, match=r"晚于|网站地址"):
        ChannelChatSettings(**given)


# -- taking and passing on --


def test_two_officers_take_once(path, officer, colleague, only):
    officer.post(path, {"act": "take"})
    late = colleague.post(path, {"act": "take"})
    assert late.status_code == 409
    assert "沈佳宁 已接入这次对话" in late.text
    assert only().officer_name == "沈佳宁"


def test_it_is_passed_on_to_a_colleague_and_the_visitor_hears_who(
    path, officer, colleague, only, visitor
):
    officer.post(path, {"act": "take"})
    assert officer.post(path, {"act": "transfer", "to": ""}).status_code == 422
    officer.post(path, {"act": "transfer", "to": str(colleague.actor.id)})
    assert "已转由 陆知行 为您服务" in text_of(visitor.page())
    refused = officer.post(path, {"act": "say", "body": "还有", "id": "officer-1"})
    assert refused.status_code == 409
    assert "还有" in refused.text, "the words are given back"
    said = colleague.post(path, {"act": "say", "body": "我来", "id": "officer-2"})
    assert said.status_code == 303


def test_a_standard_answer_is_sent_without_a_script(path, officer, session, lines):
    officer.post(f"{QUEUE}/answers", {"title": "问候", "body": "您好，请问是哪只基金？"})
    twice = officer.post(f"{QUEUE}/answers", {"title": "问候", "body": "另一句"})
    assert twice.status_code == 422
    assert "另一句" in twice.text
    row = session.scalars(select(Canned)).one()
    officer.post(path, {"act": "take"})
    officer.post(path, {"act": "say", "body": "", "canned": str(row.id), "id": "officer-1"})
    assert ("staff", "您好，请问是哪只基金？") in lines()
    old = officer.post(f"{QUEUE}/answers/{row.id}", {"title": "问候", "body": "改", "rev": "7"})
    assert old.status_code == 409
    officer.post(f"{QUEUE}/answers/{row.id}", {"act": "delete"})
    assert "还没有常用语" in officer.get(f"{QUEUE}/answers").text


def test_contact_is_masked_for_the_staff(path, officer):
    for page in (officer.get(path), officer.get(f"{QUEUE}/")):
        assert "陈*国" in page.text
        assert "陈建国" not in page.text
        assert "138 0000 6021" not in page.text


@pytest.mark.parametrize("role", ["tenant_admin", "investigator", "executive_viewer"])
def test_others_have_no_such_pages(path, make_actor, web, role):
    person = web(make_actor(role))
    for address in (path, f"{QUEUE}/", f"{QUEUE}/answers"):
        assert person.get(address).status_code == 404
    assert person.post(path, {"act": "take"}).status_code == 404


def test_a_supervisor_reads_and_does_nothing(path, make_actor, web):
    person = web(make_actor("supervisor"))
    assert STORY in person.get(path).text
    assert person.post(path, {"act": "take"}).status_code == 404


def test_another_firm_has_no_such_talk(path, make_tenant, make_actor, web):
    there = make_tenant("yuancen")
    other = web(make_actor("complaint_officer", of=there))
    assert other.get(path.replace("qinghe", "yuancen")).status_code == 404
    assert STORY not in other.get("/t/yuancen/w/x/channel-chat/").text


def test_markup_of_a_stranger_is_text(path, officer, visitor):
    bad = '<script>alert(1)</script>"><img src=x onerror=y>'
    visitor.say(bad)
    for page in (officer.get(path), visitor.page()):
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


# -- lists --


def many(session, n):
    for number in range(n):
        session.add(
            Conversation(
                secret_hash=bytes([number]) * 32, topic="question", name=f"访客{number:02d}",
                began_at=MORNING, last_at=MORNING + timedelta(seconds=number), offer={},
            )
        )  # fmt: skip
    session.commit()


def test_the_list_goes_on_by_key_and_asks_as_often_for_fifty(officer, session, queries):
    def asked():
        queries.clear()
        page = officer.get(f"{QUEUE}/")
        return len(queries), page

    officer.get(f"{QUEUE}/")
    few, empty = asked()
    assert "没有进行中的对话" in empty.text
    many(session, 60)
    many_, first = asked()
    assert many_ == few
    more = re.search(r'href="(\?tab=open[^"]+)"[^>]*rel="next"', first.text)
    rest = officer.get(f"{QUEUE}/{more[1].replace('&amp;', '&')}")
    links = set(re.findall(r"talks/[0-9a-f-]{36}", first.text + rest.text))
    assert len(links) == 60


def test_a_talk_asks_as_often_for_one_line_as_for_fifty(path, officer, ctx, only, session, queries):
    def asked():
        officer.get(path)
        queries.clear()
        assert officer.get(path).status_code == 200
        return len(queries)

    few = asked()
    conversation = ctx.session.get_one(Conversation, (session.tenant, only().id))
    for n in range(50):
        talks.note(ctx, conversation, f"第 {n} 行")
    session.commit()
    assert asked() == few


# -- how it is --


def test_health_says_what_waits_and_what_to_do(path, ctx, session):
    told = {check.title.key: check.condition for check in health.health(ctx)}
    assert told["{n} 位访客等待接入"] is Condition.WARN
    assert told["没有登记可嵌入的网站"] is Condition.WARN
    with clock_at(MORNING + timedelta(minutes=30)):
        told = {check.title.key: check.condition for check in health.health(ctx)}
    assert told["{n} 位访客等待接入"] is Condition.BAD
    assert told["服务时间内没有人在线"] is Condition.BAD


def test_figures_count_the_first_answer_by_the_firms_own_promise(path, officer, ctx, session):
    officer.post(path, {"act": "take"})
    officer.post(path, {"act": "say", "body": "您好", "id": "officer-1"})
    slow, _ = talks.begin(ctx, topic="question", language="zh")
    talks.say(ctx, slow, Side.VISITOR, "client-0001", "在吗")
    session.commit()
    day = local_date(MORNING)
    (measured,) = figures_of.first_answer(ctx, Period(day, day))
    assert (measured.value, measured.n) == (0.5, 2)
    assert [proof.counted for proof in measured.proofs] == [1.0, 0.0]
    assert figures_of.content(ctx, Period(day, day))[0].value is None


def test_what_is_past_its_time_is_emptied_and_counts_stay(path, visitor, ctx, session, site, only):
    visitor.send_file("a.pdf", b"%PDF-1.7")
    visitor.post("end")
    officer_needed = only()
    assert officer_needed.fate == "undecided"
    officer_needed.fate, officer_needed.rating = "nothing", 4
    session.commit()
    with clock_at(MORNING + timedelta(days=31 * KEPT_MONTHS - 1)):
        tasks.purge(ctx, {})
    assert only().name == "陈建国"
    with clock_at(MORNING + timedelta(days=31 * KEPT_MONTHS + 1)):
        tasks.purge(ctx, {})
    session.commit()
    kept = only()
    assert (kept.name, kept.phone, kept.rating) == ("", "", 4)
    rows = session.scalars(select(Said)).all()
    assert {(said.body, talks.words_of(ctx, said)) for said in rows} == {("", "")}


def test_the_demonstration_has_one_of_each(ctx, session, tenant, officer):
    told = Filing(channel="web", idem_key="k", story="净值披露与合同不符", anonymous=True)
    file_complaint(session, complainant_actor(tenant.id), told)
    demo.fill(ctx)
    session.commit()
    found = session.scalars(select(Conversation)).all()
    assert {c.state for c in found} == {"waiting", "taken", "closed"}
    assert {c.fate for c in found} == {"", "joined", "undecided"}


def test_its_tables_can_be_taken_away(postgres):
    assert there_and_back(postgres, "channel_chat", "huiyin_channel_chat") == []


# -- the frame --


def test_only_listed_sites_may_frame_the_one_page(visitor, place, monkeypatch):
    browser = visitor.browser
    frame = browser.get("/p/qinghe/chat/frame")
    assert "frame-ancestors 'none'" in frame.headers["content-security-policy"]
    chosen = ChannelChatSettings(origins=("https://www.qinghe.test",))
    monkeypatch.setattr("huiyin.plugins.settings.effective", lambda *_: chosen)
    framed = browser.get("/p/qinghe/chat/frame").headers["content-security-policy"]
    assert framed.endswith("frame-ancestors https://www.qinghe.test")
    assert "script-src 'self'" in framed
    for other in ("/p/qinghe/chat", "/p/qinghe/chat/embed.js", "/p/qinghe/complain/start"):
        policy = browser.get(other).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy


def test_the_frame_knows_its_browser_by_the_token_and_sets_no_cookie(visitor, web):
    begun = web().post(
        "/p/qinghe/chat/frame",
        {"act": "begin", "topic": "complaint", "consent": "on", "id": "frame-0001"},
    )
    assert begun.status_code == 200
    assert "set-cookie" not in begun.headers
    token = re.search(r'data-token="([^"]+)"', begun.text)[1]
    frame = Visitor(web(), "/p/qinghe/chat/frame")
    assert STORY in frame.say(STORY, token=token).text
    assert STORY in frame.post("resume", token=token).text
    assert "想办理什么" in frame.post("resume", token="guessed").text


def test_the_full_page_never_shows_its_secret(visitor):
    visitor.begin()
    assert visitor.secret not in visitor.page().text
    cookie = visitor.begin().headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/p/qinghe/chat" in cookie


def test_the_one_line_is_a_script_for_other_sites(public, tenant):
    script = public.get("/p/qinghe/chat/embed.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "/p/qinghe/chat/frame" in script.text
    assert "__WORDS__" not in script.text


# -- nobody is left with somebody who cannot answer --


def join_case(session, tenant, only, **facts):
    told = Filing(channel="web", idem_key="k", story="净值披露与合同不符", anonymous=True)
    talk = only()
    filed = file_complaint(session, complainant_actor(tenant.id), told)
    talk.case_id, talk.fate = filed.case_id, "joined"
    case = session.get_one(Case, (tenant.id, filed.case_id))
    for name, value in facts.items():
        setattr(case, name, value)
    session.commit()


def test_a_talk_of_somebody_who_is_named_by_now_can_be_taken(
    path, officer, colleague, only, session, tenant, visitor
):
    officer.post(path, {"act": "take"})
    join_case(session, tenant, only, walled=[officer.actor.id])
    assert "接入对话" in colleague.get(path).text
    assert colleague.post(path, {"act": "take"}).status_code == 303
    assert only().officer_name == "陆知行"
    assert "陆知行 已接入" in text_of(visitor.page())


def test_a_talk_of_somebody_who_left_can_be_taken(path, officer, colleague, only, session):
    officer.post(path, {"act": "take"})
    assert colleague.post(path, {"act": "take"}).status_code == 409
    seat = session.scalars(
        select(Membership).where(Membership.account_id == officer.actor.id)
    ).one()
    seat.active = False
    session.commit()
    assert "接入对话" in colleague.get(path).text
    assert colleague.post(path, {"act": "take"}).status_code == 303
    assert only().officer_id == colleague.actor.id


def test_a_talk_of_somebody_who_went_away_from_it_can_be_taken(
    path, officer, colleague, only, lines
):
    with clock_at(MORNING, step=timedelta(milliseconds=10)):
        officer.post(path, {"act": "take"})
    later = MORNING + timedelta(minutes=14)
    with clock_at(later, step=timedelta(milliseconds=10)):
        officer.post(path, {"act": "say", "body": "请稍等", "id": "officer-1"})
        officer.post(f"{QUEUE}/presence", {"state": "away"})
        assert colleague.post(path, {"act": "take"}).status_code == 409  # still in the talk
    with clock_at(later + timedelta(minutes=16), step=timedelta(milliseconds=10)):
        assert colleague.post(path, {"act": "take"}).status_code == 303
        late = officer.post(path, {"act": "say", "body": "我回来了", "id": "officer-2"})
        assert late.status_code == 409
        assert officer.post(path, {"act": "take"}).status_code == 409  # it has only just changed
    assert only().officer_id == colleague.actor.id
    assert lines()[-1] == ("staff", "请稍等")


def test_whoever_passed_it_on_in_between_says_nothing_more(
    path, officer, colleague, only, session, ctx, monkeypatch, lines
):
    """Between the look at the page and the lock the talk goes to somebody else."""
    officer.post(path, {"act": "take"})
    held = talks.lock

    def passed_on_before(lent, conversation):
        monkeypatch.setattr(talks, "lock", held)
        officer.post(path, {"act": "transfer", "to": str(colleague.actor.id)})
        return held(lent, conversation)

    monkeypatch.setattr(talks, "lock", passed_on_before)
    late = officer.post(path, {"act": "say", "body": "还有", "id": "officer-1"})
    assert late.status_code == 409
    assert lines() == [("visitor", STORY)]


def test_an_answer_sent_again_after_passing_on_is_known(path, officer, colleague, only):
    officer.post(path, {"act": "take"})
    answer = {"act": "say", "body": "我来", "id": "officer-1"}
    assert officer.post(path, answer).status_code == 303
    officer.post(path, {"act": "transfer", "to": str(colleague.actor.id)})
    assert officer.post(path, answer).status_code == 303
    assert officer.post(path, {**answer, "id": "officer-2"}).status_code == 409


def test_a_busy_firms_talks_are_emptied_as_fast_as_they_come(ctx, session):
    many(session, 120)
    for talk in session.scalars(select(Conversation)):
        talk.state, talk.closed_at = "closed", MORNING
    session.commit()
    with clock_at(MORNING + timedelta(days=31 * KEPT_MONTHS + 1)):
        tasks.purge(ctx, {})
    session.commit()
    assert {talk.name for talk in session.scalars(select(Conversation))} == {""}


def test_a_word_at_the_last_moment_keeps_a_talk_open(
    path, ctx, session, only, visitor, monkeypatch
):
    held = talks.lock

    def word_before(lent, conversation):
        monkeypatch.setattr(talks, "lock", held)
        with clock_at(MORNING + timedelta(hours=2)):
            visitor.say("还在吗")
        return held(lent, conversation)

    monkeypatch.setattr(talks, "lock", word_before)
    with clock_at(MORNING + timedelta(hours=2)):
        tasks.tend(ctx, {})
    session.commit()
    assert only().is_open


def test_a_reason_is_declared_as_what_may_name_somebody():
    declared = {data.column for data in plugin.MANIFEST.personal_data}
    assert "plugin_channel_chat__conversation.fate_reason" in declared
