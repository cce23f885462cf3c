"""The pages, the card and test of the channel, the settings, and what is deleted in time."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from huiyin.cases.filing import Filing, file_complaint
from huiyin.kit.time import now
from huiyin.plugins.models import ChannelCheck
from huiyin.sdk import complainant_actor, rehearse
from huiyin.testing.database import there_and_back
from huiyin_channel_wecom import demo, health, plugin, purging
from huiyin_channel_wecom.models import Contact, Conversation, Incoming, Nonce, Outgoing, Token
from huiyin_channel_wecom.roads import Account
from huiyin_channel_wecom.sealed import Keys
from huiyin_channel_wecom.settings import ChannelWecomSettings

from .conftest import KEY, NAME, OPEN, kf_event, message

LIST = "/t/qinghe/w/x/channel-wecom"
ADMIN = f"/t/qinghe/admin/plugins/{NAME}"


@pytest.fixture
def officer(make_actor, web):
    return web(make_actor("complaint_officer", name="沈若溪"))


@pytest.fixture
def ctx(firm, session):
    return rehearse(plugin, session, name=NAME, settings=ChannelWecomSettings(**OPEN))


def conditions(ctx):
    return {check.title.key: check.condition for check in health.health(ctx)}


# -- pages -------------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_do(firm, officer):
    page = officer.get(LIST)
    assert page.status_code == 200
    assert "没有会话" in page.text


def test_a_conversation_shows_what_was_said_and_how_it_was_answered(
    firm, officer, call, work, found
):
    call(message("<script>alert(1)</script>我要投诉，赎回款没有到账，等了三周"))
    work()
    (talk,), (case,) = found.talks, found.cases
    assert f"/w/cases/{case.number}" in officer.get(LIST).text
    page = officer.get(f"{LIST}/{talk.id}").text
    assert "<script>alert" not in page
    assert "登记确认" in page
    assert "已送达平台" in page
    assert "由这个会话登记" in page
    english = officer.get(f"{LIST}/{talk.id}?lang=en").text
    assert "Confirmation of registration" in english
    beside = officer.get(f"/t/qinghe/w/cases/{case.number}").text
    assert "给投诉人的回复同时发到这个会话" in beside
    assert f"{LIST}/{talk.id}" in beside


@pytest.mark.parametrize("role", ["investigator", "tenant_admin", "executive_viewer", "approver"])
def test_others_read_no_conversations(firm, make_actor, web, call, work, found, role):
    call(message())
    work()
    person, here = web(make_actor(role)), f"{LIST}/{found.talks[0].id}"
    for path in (LIST, here):
        assert person.get(path).status_code == 404
    for path in ("hand", "bind", "unbind"):
        assert person.post(f"{here}/{path}", {"rev": 1}).status_code == 404


def test_another_firm_has_no_such_conversation(
    firm, make_tenant, make_actor, web, call, work, found
):
    call(message())
    work()
    there = make_tenant("yuancen")
    officer = web(make_actor("complaint_officer", of=there))
    for path in ("", f"/{found.talks[0].id}"):
        assert officer.get(f"/t/yuancen/w/x/channel-wecom{path}").status_code == 404


def test_the_list_goes_on_by_key_and_asks_as_often(firm, officer, session, queries):
    def asked():
        queries.clear()
        page = officer.get(LIST)
        assert page.status_code == 200
        return len(queries), page

    officer.get(LIST)
    before, _ = asked()
    for n in range(65):
        who = Contact(road="mp", external_id=f"o{n:04d}")
        session.add(who)
        session.flush()
        at = now() - timedelta(minutes=n)
        session.add(Conversation(contact_id=who.id, started_at=at, last_at=at, state="passed"))
    session.commit()
    after, page = asked()
    assert after == before
    seen = page.text.count("…00")
    while 'rel="next"' in page.text:
        at = page.text.index('rel="next"')
        href = page.text[:at].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        page = officer.get(f"{LIST}{href}")
        seen += page.text.count("…00")
    assert seen == 65
    for odd in ("x", "1.2_3", "²_", "9" * 80, "9999999999.999999_x"):
        assert officer.get(f"{LIST}?after={odd}&tab=nothing").status_code == 200


# -- the card and the test ---------------------------------------------------------------------


def test_a_firm_that_opened_nothing_is_told_so(session, place):
    bare = rehearse(plugin, session, name=NAME, settings=ChannelWecomSettings())
    assert conditions(bare) == {"没有开通会话渠道": "warn"}
    half = ChannelWecomSettings(wecom=True, corp_id="ww1", mp=True, app_id="wx1", aes_key=KEY)
    lent = rehearse(plugin, session, name=NAME, settings=half)
    assert conditions(lent)["企业微信与微信客服"] == "bad"
    assert conditions(lent)["公众号"] == "bad"


def test_each_road_has_its_line_and_its_test(firm, ctx, call, session):
    assert conditions(ctx) == {"企业微信与微信客服": "good", "公众号": "good",
                               "还没有收到过消息": "warn"}  # fmt: skip
    call(message())
    assert conditions(ctx)["最近消息"] == "good"
    assert {check.condition for check in health.test(ctx)} == {"good"}
    firm.fail["cgi-bin/token"] = [40164]
    session.execute(Token.__table__.delete())
    session.commit()
    bad = {check.title.key: check for check in health.test(ctx)}["公众号"]
    assert bad.detail.params == {"code": 40164}
    session.expire_all()
    assert conditions(ctx)["公众号"] == "bad"


def test_a_customer_service_account_that_is_refused_is_named(firm, ctx, call, work):
    firm.fail["cgi-bin/kf/sync_msg"] = [95006]
    call(kf_event(), road="wecom")
    work()
    found = {check.title.key: check for check in health.health(ctx)}
    assert found["微信客服 {account}"].detail.params == {"code": 95006}


def test_an_administrator_tests_the_channel(firm, session, make_actor, web, work):
    admin = web(make_actor("tenant_admin", name="林之航"))
    for tab in ("", "?tab=runs", "?tab=settings"):
        page = admin.get(f"{ADMIN}{tab}").text
        assert not any(OPEN[name] in page for name in ("secret", "aes_key", "token", "mp_token"))
    assert "回调地址" in admin.get(f"{ADMIN}?tab=runs").text
    assert admin.post(f"{ADMIN}/test", {"channel": "wecom"}).status_code == 303
    work()
    row = session.scalars(select(ChannelCheck)).one()
    assert row.done_at is not None
    assert {line["condition"] for line in row.lines} == {"good"}


def test_the_page_of_the_roads_shows_the_addresses(firm, officer):
    page = officer.get(f"{LIST}/roads").text
    assert "/p/qinghe/x/channel-wecom/wecom" in page
    assert "/p/qinghe/x/channel-wecom/mp" in page


def test_the_handbook_has_a_page(firm, officer):
    assert "48 小时" in officer.get("/t/qinghe/w/help/channel_wecom:chats").text


# -- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"wecom": True}, {"mp": True}, {"aes_key": "short"}, {"mp_aes_key": "!" * 43},
        {"aes_key": "a" * 44},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValueError, match=r"[企开须]"):
        ChannelWecomSettings(**wrong)


def test_secrets_are_not_in_what_is_printed():
    assert "s3cret" not in repr(Account("wecom", "ww", "s3cret"))
    assert "s3cret" not in repr(Keys("s3cret", "s3cret", "ww"))


# -- the end of what was kept ------------------------------------------------------------------


def test_what_is_past_its_time_goes_and_what_a_case_needs_stays(firm, call, work, session, ctx):
    call(message())
    call(message("还没有说完", who="oUser2", number="2"))
    work()
    purging.purge(ctx, {})
    tables = (Contact, Conversation, Incoming, Outgoing, Nonce)
    counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    assert counts == [2, 2, 2, 1, 2]
    long_ago = now() - timedelta(days=200)
    for table, columns in (
        (Contact, ("created_at", "heard_at")), (Conversation, ("started_at", "last_at")),
        (Incoming, ("kept_at", "said_at")), (Outgoing, ("made_at",)), (Nonce, ("heard_at",)),
    ):  # fmt: skip
        for row in session.scalars(select(table)):
            for column in columns:
                setattr(row, column, long_ago)
    session.flush()
    purging.purge(ctx, {})
    counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    # Whoever belongs to a case is still known; what is still being talked is left alone.
    assert counts == [2, 1, 1, 0, 0]


def test_its_tables_go_and_come_back(postgres):
    assert there_and_back(postgres, NAME, "huiyin_channel_wecom") == []


# -- the demonstration -------------------------------------------------------------------------


def test_the_demonstration_has_chats_and_is_filled_once(firm, ctx, session, work, found):
    demo.fill(ctx)
    assert not found.kept  # there is no case to write about
    for n in range(2):
        filing = Filing(channel="web", idem_key=f"k{n}", story="赎回没有到账", phone="13800006021")
        file_complaint(session, complainant_actor(session.tenant), filing)
    for _ in range(2):
        demo.fill(ctx)
    session.commit()
    work()
    assert sorted(talk.state for talk in found.talks) == ["handed", "handed", "passed"]
    assert sorted(arrival.state for arrival in found.arrivals) == ["joined", "waiting"]
    assert len(found.kept) == 6
    assert len(found.cases) == 2
