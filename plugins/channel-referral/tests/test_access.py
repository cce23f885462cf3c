"""Who sees what, in which firm, behind which wall, and with the plugin off."""

import pytest
from sqlalchemy import text

from huiyin.sdk import (
    Channel,
    Condition,
    Filing,
    Period,
    Role,
    file_complaint,
    find_case,
    today,
)
from huiyin.testing import factories
from huiyin.testing.database import there_and_back
from huiyin_channel_referral import figures, health, plugin, purging, register, sheets
from huiyin_channel_referral.models import Agent, Paper, Transfer
from huiyin_channel_referral.register import Wanted
from huiyin_channel_referral.terms import READERS, REGISTRARS

from .conftest import CASES, DAY, HOME, STORY, text_of
from .test_transfers import sent

ALL = {role.value for role in (
    Role.TENANT_ADMIN, Role.COMPLAINT_OFFICER, Role.INVESTIGATOR, Role.APPROVER, Role.SUPERVISOR,
    Role.EXECUTIVE_VIEWER,
)}  # fmt: skip
PAGES = {
    "/transfers": READERS,
    "/transfers/export": READERS,
    "/transfers/new": REGISTRARS,
    "/papers": READERS,
    "/papers/export": READERS,
    "/papers/new": REGISTRARS,
    "/agents": READERS,
    "/agents/new": REGISTRARS,
}
ACTS = ("/transfers/new", "/papers/new", "/agents/new")


@pytest.fixture
def full(letter, agent, session, actor, case):
    """One of everything; answers addresses by name."""
    found, line = letter(case=case.number), agent()
    paper = Paper(
        case_id=case.id, kind="letter", came_on=today(), registered_by=actor.id, idem_key="x",
        idem_hash=b"", visitors="陈建国", notes="当面说明",
    )  # fmt: skip
    session.add(paper)
    session.commit()
    return {
        "transfer": f"{HOME}/transfers/{found.row.id}",
        "paper": f"{HOME}/papers/{paper.id}",
        "agent": f"{HOME}/agents/{line.row.id}",
    }


@pytest.mark.parametrize("role", sorted(ALL))
def test_each_role_opens_its_pages_and_no_others(on, web, make_actor, role):
    browser = web(make_actor(role))
    opened = {path for path in PAGES if browser.get(HOME + path).status_code == 200}
    assert opened == {path for path, roles in PAGES.items() if role in roles}


@pytest.mark.parametrize("role", ["supervisor", "investigator", "tenant_admin"])
def test_what_officers_do_others_cannot(on, full, web, make_actor, role):
    browser = web(make_actor(role))
    for path in ACTS:
        answer = browser.post(HOME + path, {"x": "1"}, files={"files": ("a.pdf", b"x")})
        assert answer.status_code == 404
    for act in ("reply", "draft", "scans"):
        files = None if act == "draft" else {"files": ("a.pdf", b"x")}
        sent_there = browser.post(f"{full['transfer']}/{act}", {"rev": "1"}, files=files)
        assert sent_there.status_code == 404
    assert browser.post(f"{full['agent']}/check", {"rev": "1"}).status_code == 404


def test_a_form_from_another_page_is_refused(on, full, web, actor):
    browser = web(actor)
    answer = browser.ask(
        "POST", f"{full['agent']}/end", data={"_csrf": browser.csrf, "rev": "1"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert answer.status_code == 403


def test_another_firms_things_are_not_there(on, full, web, make_tenant, engine, case):
    far = make_tenant("yuancen", number_prefix="YC")
    boss = factories.make_actor(engine, far, "tenant_admin", "complaint_officer")
    browser = web(boss)
    switch = "/t/yuancen/admin/plugins/channel_referral/switch"
    assert browser.post(switch, {"to": "on"}).status_code == 303
    for address in full.values():
        there = address.replace("/t/qinghe/", "/t/yuancen/")
        assert browser.get(address).status_code == 404
        assert browser.get(there).status_code == 404
    sent_there = {"_key": "1", "source": "csrc", "received_at": str(today()), "case": case.number}
    answer = browser.post(
        "/t/yuancen/w/x/channel-referral/transfers/new", sent_there,
        files={"files": ("a.pdf", b"%PDF-1.4")},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "没有找到这个编号" in answer.text


def seen_by(browser):
    """All this plugin shows one person: pages, exports, numbers in the navigation."""
    pages = [browser.get(HOME + path) for path in ("/transfers", "/papers", "/agents")]
    csv = [browser.get(f"{HOME}{path}/export?as=csv") for path in ("/transfers", "/papers")]
    words = [page.text.partition("<body")[2] for page in pages]
    return [w.replace(browser.csrf, "") for w in words] + [file.text for file in csv]


def test_somebody_walled_from_the_case_sees_what_there_is_without_it(
    on, full, web, supervisor, session, actor, case, letter
):
    letter("other", number="另一函 2 号", story=STORY)
    find_case(session, actor, case.number).walled = [supervisor.id]
    session.commit()
    browser = web(supervisor)
    with_it = seen_by(browser)
    for address in full.values():
        assert browser.get(address).status_code == 404
    assert not any(case.number in words for words in with_it)
    for model in (Transfer, Paper, Agent):
        session.query(model).filter(model.case_id == case.id).delete()
    session.commit()
    strip = [words.replace(str(len(words)), "") for words in with_it]
    assert [mask(w) for w in strip] == [mask(w) for w in seen_by(browser)]


def mask(words):
    """Without what differs between any two answers."""
    import re  # noqa: PLC0415 - of this one helper

    return re.sub(r'nonce="[^"]+"|value="[0-9A-Za-z_\-.]{30,}"', "", words)


def test_an_investigator_sees_only_what_he_works_on(on, full, web, investigator, session, case):
    assert web(investigator).get(full["transfer"]).status_code == 404
    assert case.number not in web(investigator).get(f"{HOME}/transfers").text
    case.team = [*case.team, investigator.id]
    session.commit()
    assert web(investigator).get(full["transfer"]).status_code == 200


def test_off_it_leaves_no_trace_and_on_again_nothing_is_lost(switch, full, web, actor, case):
    switch(True)
    browser = web(actor)
    before = text_of(browser.get(f"{HOME}/transfers"))
    assert "来路与代理" in browser.get(f"{CASES}/{case.number}").text
    switch(False)
    for address in (*full.values(), f"{HOME}/transfers"):
        assert browser.get(address).status_code == 404
    page = browser.get(f"{CASES}/{case.number}").text
    assert "来路与代理" not in page
    assert "channel-referral" not in page
    switch(True)
    assert text_of(browser.get(f"{HOME}/transfers")) == before


def test_the_navigation_says_how_much_waits(on, full, web, actor):
    page = web(actor).get("/t/qinghe/w").text
    at = page.index(f'href="{HOME}/transfers"')
    assert '<span class="n hot">1</span>' in page[at : at + 600]


def test_the_card_beside_the_case_names_roads_letters_and_agents(on, full, web, actor, case):
    page = text_of(web(actor).get(f"{CASES}/{case.number}"))
    for words in ("来路：", "网页", "转办", "演转〔1〕号", "何小律", "授权尚未核实"):
        assert words in page


def test_the_card_of_a_master_shows_the_letters_of_every_road(
    on, web, actor, approver, supervisor, session, case, letter
):
    """Joined as people join cases: asked by one, confirmed by another, on the pages."""
    passed = letter(case="", due_on=today() + 5 * DAY, number="另函 5 号")
    officer, judge = web(actor), web(approver)
    where = f"{CASES}/{passed.case.number}"
    case_of = find_case(session, actor, passed.case.number)
    asked = officer.post(
        f"{where}/merge",
        {"rev": str(case_of.version), "master": case.number, "reason": "两件反映同一事项"},
    )
    assert asked.status_code == 303, text_of(asked)
    session.expire_all()
    rev = find_case(session, actor, passed.case.number).version
    done = judge.post(f"{where}/do/merge", {"rev": str(rev)})
    assert done.status_code == 303, text_of(done)
    page = text_of(officer.get(f"{CASES}/{case.number}"))
    assert "另函 5 号" in page
    assert "回复转办单位：" in page
    clocks = officer.get(f"{CASES}/{case.number}/clocks").text
    assert f"并入的 {passed.case.number} 仍在计时" in clocks
    session.expire_all()
    find_case(session, actor, passed.case.number).walled = [supervisor.id]
    session.commit()
    hidden = web(supervisor).get(f"{CASES}/{case.number}").text
    assert "另函 5 号" not in hidden


def test_the_same_contact_by_another_road_is_shown_and_not_joined(
    on, web, actor, supervisor, session, case
):
    filed = file_complaint(
        session, actor,
        Filing(channel="email", idem_key="m", story="同一笔赎回还没有到账", phone="13800000000"),
    )  # fmt: skip
    session.commit()
    page = text_of(web(actor).get(f"{CASES}/{case.number}"))
    assert f"同一联系方式的其他在办案件： {filed.number} 邮件" in page
    assert f"{CASES}/{case.number}/merge" in web(actor).get(f"{CASES}/{case.number}").text
    find_case(session, actor, filed.number).walled = [supervisor.id]
    session.commit()
    assert filed.number not in web(supervisor).get(f"{CASES}/{case.number}").text


# -- health, figures, the end ----------------------------------------------------------------------


def test_the_health_cards_say_what_waits(ctx_of, actor, letter, agent):
    ctx = ctx_of(actor)
    assert [c.condition for c in health.of_transfers(ctx)] == [Condition.GOOD]
    letter(received_at=today() - 9 * DAY, due_on=today() - DAY)
    agent()
    assert health.of_transfers(ctx)[0].condition is Condition.BAD
    assert health.of_papers(ctx)[0].condition is Condition.WARN
    assert all(isinstance(channel, Channel) for channel in plugin.channels())


def test_the_figure_counts_what_was_due(ctx_of, actor, letter, supervisor, session):
    ctx, period = ctx_of(actor), Period(today() - 30 * DAY, today() + 30 * DAY)
    assert [m.value for m in figures.measure_in_time(ctx, period)] == [None]
    late = letter("k1", received_at=today() - 9 * DAY, due_on=today() - DAY)
    good = letter("k2", number="2 号")
    letter("k3", number="3 号")  # neither due nor answered
    sent(ctx, register.find(ctx, good.row.id))
    (measured,) = figures.measure_in_time(ctx, period)
    assert (measured.value, measured.n) == (0.5, 2)
    assert {proof.counted for proof in measured.proofs} == {0.0, 1.0}
    late.case.walled = [supervisor.id]
    session.commit()
    (seen,) = figures.measure_in_time(ctx_of(supervisor), period)
    assert (seen.value, seen.n, len(seen.proofs)) == (1.0, 1, 1)  # nothing tells of the other


@pytest.mark.parametrize(("months", "gone"), [(239, False), (241, True)])
def test_what_was_declared_to_end_ends(full, session, case, ctx_of, months, gone):
    session.execute(
        text(
            "UPDATE case_file SET state = 'closed', outcome = 'archived',"
            " closed_at = now() - make_interval(months => :m) WHERE id = :id"
        ),
        {"m": months, "id": case.id},
    )
    session.commit()
    personal = [one.column.rpartition("__")[2] for one in plugin.MANIFEST.personal_data]
    models = {"agent": Agent, "paper": Paper, "transfer": Transfer}
    for model in models.values():
        row = session.query(model).one()
        for column in personal:
            kind, _, name = column.partition(".")
            if models[kind] is model and name != "checks":
                setattr(row, name, "words about somebody")
    session.commit()
    purging.purge(ctx_of(), {})
    session.commit()
    session.expire_all()
    for column in personal:
        kind, _, name = column.partition(".")
        left = getattr(session.query(models[kind]).one(), name)
        assert (not left) is gone or name == "checks", column


def test_a_file_that_is_not_whole_says_so(ctx_of, monkeypatch):
    monkeypatch.setattr(sheets, "MOST", 2)
    assert sheets.told_if_cut(ctx_of(), [["a"], ["b"]]) == [["a"], ["b"]]
    assert sheets.told_if_cut(ctx_of(), [["a"], ["b"], ["c"]]) == [
        ["a"], ["b"], ["只列出前 2 行，请按状态或来源筛选后分次导出"]
    ]  # fmt: skip


def test_everything_personal_is_declared():
    declared = {one.column.rpartition("__")[2] for one in plugin.MANIFEST.personal_data}
    assert declared == {
        "agent.name", "agent.phone", "agent.note", "agent.reason", "agent.checks",
        "paper.visitors", "paper.notes", "paper.late_reason", "transfer.contact", "transfer.note",
        "transfer.draft", "transfer.reply_words", "transfer.late_reason",
    }  # fmt: skip
    assert {one.retention_months for one in plugin.MANIFEST.personal_data} == {purging.MONTHS}


def test_its_tables_come_and_go(postgres):
    assert there_and_back(postgres, "channel_referral", "huiyin_channel_referral") == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_made_up_firm_has_something_on_every_page(
    on, web, actor, approver, session, ctx_of, case, language
):
    plugin.demonstrate(ctx_of())
    session.commit()
    browser = web(actor)
    for path in PAGES:
        answer = browser.get(f"{HOME}{path}?lang={language}")
        assert answer.status_code == 200, path
        assert "style=" not in answer.text
    found = register.listing(ctx_of(actor), Wanted())
    assert {one.state for one in found} == {"owed", "replied"}
    for topic in ("transfers", "agents"):
        help_page = browser.get(f"/t/qinghe/w/help/channel_referral:{topic}?lang={language}")
        assert help_page.status_code == 200


def test_the_manifest_is_what_the_page_of_plugins_shows(on, web, admin):
    page = web(admin).get("/t/qinghe/admin/plugins/channel_referral").text
    assert "信访转办" in page
