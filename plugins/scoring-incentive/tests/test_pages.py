"""The pages: who has which, forms that are refused, both languages, and the plugin switched off."""
# long: one table of pages, roles and forms, read by most of the tests below it

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from huiyin.sdk import uuid7
from huiyin.testing import factories
from huiyin.testing.web import run_jobs
from huiyin_scoring_incentive import appeals, awards, formulas
from huiyin_scoring_incentive.controllers import as_form
from huiyin_scoring_incentive.models import Formula, Reward, Round, Score
from huiyin_scoring_incentive.schemas import AppealForm, NominationForm

from .conftest import API, BODY, HOME, words

PUBLIC_PAGE = "/p/qinghe/commendations"


@pytest.fixture
def ready(published, lend, switch, session, staff, score_of):
    """Everything there can be one of: a round, a draft, an appeal, a year, an award."""
    switch()
    found = published()
    (score,) = score_of(found, "officer")
    appeal = appeals.file(lend("officer"), score.id, AppealForm(grounds="有一件不应当计入，请核对"))
    awards.open_year(lend("executive"), 2025)
    award = awards.nominate(
        lend("supervisor"), 2025,
        NominationForm(nominee=str(staff.officer.id), honour="复盘之星",
                       grounds="写下的经验教训多次被采用", citation="把每一次投诉当作改进的机会"),
    )  # fmt: skip
    listed = awards.close_list(lend("executive"), 2025)
    awards.approve(lend("approver"), 2025, listed.list_hash)
    awards.approve(lend("executive"), 2025, listed.list_hash)
    formulas.begin(lend("approver"))
    session.commit()
    return {"round": found.id, "score": score.id, "appeal": appeal.id, "award": award.id,
            "person": staff.officer.id}  # fmt: skip


ALL = {"officer", "investigator", "approver", "supervisor", "executive"}
SEES = {"approver", "supervisor", "executive"}
PAGES = {
    "": ALL,
    "/formula": ALL,
    "/formula/v/1": ALL,
    "/formula/v/2": {"approver", "supervisor"},
    "/formula/draft": {"approver", "supervisor"},
    "/rounds": ALL,
    "/rounds/new": {"approver", "supervisor"},
    "/rounds/{round}": ALL,
    "/scores/{score}": SEES | {"officer"},
    "/scores/{score}/pdf": SEES | {"officer"},
    "/scores/{score}/appeal": SEES | {"officer"},
    "/appeals": ALL,
    "/appeals/{appeal}": SEES | {"officer"},
    "/credits": ALL,
    "/credits/new": ALL - {"executive"},
    "/awards": ALL,
    "/awards/2025": ALL,
    "/awards/mine": ALL,
    "/people": SEES,
    "/people/{person}": SEES | {"officer"},
    "/people/{person}/file.pdf": SEES | {"officer"},
    "/people/{person}/file.xlsx": SEES | {"officer"},
    "/signals": {"supervisor"},
    "/signals?since=2025-04-01&until=2025-06-30": {"supervisor"},
}


def test_every_page_is_there_for_its_roles_and_for_no_others(ready, web, staff):
    random = web(staff.officer).get(f"{HOME}/scores/{uuid7()}")
    for name in (*sorted(ALL), "admin"):
        browser = web(getattr(staff, name))
        for path, who in PAGES.items():
            answer = browser.get(HOME + path.format(**ready))
            expected = 200 if name in who else 404
            assert answer.status_code == expected, (name, path, words(answer)[:200])
    hidden = web(staff.officer2).get(f"{HOME}/scores/{ready['score']}")
    assert words(hidden) == words(random), "another's is as if it were not there"


def test_another_firm_has_nothing_of_it(ready, web, make_tenant, make_actor, switch, engine):
    other = make_tenant("yuancen")
    boss = factories.make_actor(engine, other, "supervisor", name="严若谷")
    browser = web(boss)
    assert browser.get("/t/yuancen/w/x/scoring-incentive").status_code == 404, "it is off there"
    for path in PAGES:
        there = browser.get(HOME.replace("qinghe", "yuancen") + path.format(**ready))
        assert there.status_code == 404
        assert browser.get(HOME + path.format(**ready)).status_code == 404


def test_switched_off_in_mid_flight_nothing_shows_and_on_again_nothing_is_lost(
    ready, web, staff, switch, api, public
):
    browser, program = web(staff.supervisor), api(staff.officer)
    before = words(browser.get(f"{HOME}/rounds/{ready['round']}"))
    switch(on=False)
    for path in PAGES:
        assert browser.get(HOME + path.format(**ready)).status_code == 404, path
    assert public.get(PUBLIC_PAGE).status_code == 404
    assert program.get(f"{API}/me").status_code == 404
    assert browser.post(f"{HOME}/rounds/new", {"title": "x"}).status_code == 404
    home = browser.get("/t/qinghe/w")
    assert "scoring-incentive" not in home.text
    assert "激励" not in home.text
    switch(on=True)
    assert words(browser.get(f"{HOME}/rounds/{ready['round']}")) == before
    assert browser.get(f"{HOME}/scores/{ready['score']}").status_code == 200


# What people wrote themselves, and the first letters of their names.
WRITTEN = (
    "沈佳宁", "沈", "处理质量评分公式", "首次制定公式", "2025 年第 2 季度", "合规客服部",
    "复盘之星", "写下的经验教训多次被采用", "把每一次投诉当作改进的机会",
    "有一件不应当计入，请核对", "书面答复",
)  # fmt: skip


def test_every_page_is_there_in_english(ready, web, staff):
    browser = web(staff.supervisor)
    for path in PAGES:
        if "pdf" in path or "xlsx" in path:
            continue
        sign = "&" if "?" in path else "?"
        said = words(browser.get(HOME + path.format(**ready) + f"{sign}lang=en"))
        rest = re.sub("|".join((r"某\w*", *WRITTEN)), "", said)
        assert not re.search(r"[\u4e00-\u9fff]", rest), (
            path,
            re.findall(r"[\u4e00-\u9fff]+", rest),
        )


def test_switched_off_while_it_counts_the_round_waits_and_then_ends(
    web, staff, switch, place, formula, cases, session
):
    switch()
    formula()
    cases()
    session.commit()
    form = {"title": "第二季度", "since": "2025-04-01", "until": "2025-06-30"}
    assert web(staff.approver).post(f"{HOME}/rounds/new", form).status_code == 303
    switch(on=False)
    run_jobs(place)
    assert _states(session) == [("counting", 0)]
    switch(on=True)
    run_jobs(place, ahead=timedelta(days=366))
    assert _states(session) == [("counted", len(BODY.terms) + 1)]


def _states(session):
    session.rollback()
    return [tuple(row) for row in session.execute(
        text("SELECT state, steps_done FROM plugin_scoring_incentive__round")
    )]  # fmt: skip


# -- forms ---------------------------------------------------------------------------------------


def fields(body=BODY, **changes):
    """A formula as the editor's form sends it."""
    data = {"title": "处理质量评分公式", "reason": "调整权重", "coverage": "70"}
    for i, term in enumerate(body.terms):
        data[f"figure-{i}"] = term.figure
        for field in ("weight", "floor", "target", "minimum", "strength", "cap"):
            data[f"{field}-{i}"] = f"{getattr(term, field):g}"
    return {**data, **changes}


BAD = (
    ({"figure-0": "case:closed"}, "figure-0"), ({"weight-1": "NaN"}, "weight-1"),
    ({"weight-1": "1e999"}, "weight-1"), ({"target-0": "50"}, "target-0"),
    ({"weight-0": "-5"}, "weight-0"), ({"floor-2": "abc"}, "floor-2"), ({"title": ""}, "title"),
    ({"reason": "短"}, "reason"), ({"coverage": "inf"}, "coverage"),
    ({"coverage": "60"}, "coverage"), ({"weight-0": "44"}, "terms"),
    ({"figure-1": "a:b/c:d"}, "figure-1"),
)  # fmt: skip


def test_a_bad_formula_comes_back_with_the_reason_and_what_was_typed(
    lend, web, staff, switch, session
):
    switch()
    formulas.begin(lend("approver"))
    session.commit()
    browser = web(staff.approver)
    for changes, field in BAD:
        answer = browser.post(f"{HOME}/formula/draft", fields(**changes))
        assert answer.status_code == 422, field
        assert f'href="#f-{field}"' in answer.text
        (typed,) = changes.values()
        if typed and not field.startswith("figure"):
            assert typed in answer.text


def test_the_preview_is_a_fragment_for_htmx_and_a_page_without(ready, web, staff):
    browser = web(staff.approver)
    page = browser.post(f"{HOME}/formula/draft/preview", fields())
    assert page.status_code == 200
    assert "<html" in page.text
    part = browser.post(f"{HOME}/formula/draft/preview", fields(), headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith("<section")
    assert "某officer2" in part.text
    bad = browser.post(
        f"{HOME}/formula/draft/preview", fields(**{"weight-0": "99"}),
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert bad.status_code == 422


def test_the_author_s_page_has_no_button_to_publish_and_the_server_refuses(
    ready, web, staff, session
):
    browser = web(staff.approver)
    browser.post(f"{HOME}/formula/draft", fields(**{"cap-0": "90"}))
    assert "/formula/draft/publish" not in browser.get(f"{HOME}/formula/v/2").text
    seal = session.execute(
        text("SELECT hash FROM plugin_scoring_incentive__formula WHERE state = 'draft'")
    ).scalar_one()
    assert browser.post(f"{HOME}/formula/draft/publish", {"hash": seal}).status_code == 403
    second = web(staff.approver2)
    assert seal in second.get(f"{HOME}/formula/v/2").text
    assert second.post(f"{HOME}/formula/draft/publish", {"hash": seal}).status_code == 303
    assert second.post(f"{HOME}/formula/draft/publish", {"hash": seal}).status_code == 404


def test_a_round_of_the_future_is_refused_with_the_input_kept(ready, web, staff):
    answer = web(staff.approver).post(
        f"{HOME}/rounds/new", {"title": "未来", "since": "2090-01-01", "until": "2090-03-31"}
    )
    assert answer.status_code == 422
    assert "2090-03-31" in answer.text
    assert 'href="#f-until"' in answer.text


REFUSED = (
    ("/rounds/new", "approver", {"title": "x"}, "since"),
    ("/credits/new", "officer",
     {"kind": "help", "number": "TS-0000-0", "what": "帮忙核对了份额登记"}, "number"),
    ("/credits/new", "officer", {"kind": "praise"}, "kind"),
    ("/awards", "approver", {"year": "1"}, "year"),
    ("/awards", "approver", {"year": "2025"}, "year"),
    ("/awards/2025/nominate", "supervisor", {"nominee": "x"}, "nominee"),
)  # fmt: skip


def test_a_form_that_is_refused_says_why_at_the_field(lend, web, staff, switch, session, formula):
    switch()
    formula()
    awards.open_year(lend("executive"), 2025)
    session.commit()
    browsers = {}
    for path, who, data, field in REFUSED:
        browser = browsers.setdefault(who, web(getattr(staff, who)))
        answer = browser.post(HOME + path, data)
        assert answer.status_code == 422, path
        assert f'href="#f-{field}"' in answer.text


def test_a_draft_a_colleague_saved_first_keeps_what_was_typed(
    lend, web, staff, switch, session, formula
):
    switch()
    formula()
    draft = formulas.begin(lend("approver"))
    session.commit()
    first, second = web(staff.approver), web(staff.supervisor)
    path = f"{HOME}/formula/draft"
    fields = {
        name: value
        for name, value in as_form(draft, formulas.body_of(draft)).values.items()
        if value not in ("", None)
    }
    mine = {**fields, "reason": "把守时的权重放低一些，重在质量"}
    theirs = {**fields, "reason": "同事写下的修订理由", "coverage": "80"}
    assert first.post(path, theirs).status_code == 303
    page = second.post(path, mine)
    assert page.status_code == 409
    assert f"{mine['reason']}</textarea>" in page.text
    assert "其他人已保存为：</span>同事写下的修订理由" in page.text
    assert "其他人已保存为：</span>80" in page.text
    newest = re.search(r'name="rev" value="(\d+)"', page.text)[1]
    assert second.post(path, {**mine, "rev": newest}).status_code == 303
    assert first.post(f"{path}/drop", {}).status_code == 303
    gone = second.post(path, {**mine, "rev": newest})
    assert gone.status_code == 409
    assert "请拟定新版后再填" in words(gone)
    assert f"{mine['reason']}</textarea>" in gone.text


def test_an_appeal_is_sent_twice_and_stands_once(ready, web, staff, session, score_of):
    browser = web(staff.officer2)
    (score_id,) = session.execute(
        text("SELECT id FROM plugin_scoring_incentive__score WHERE subject_id = :who"),
        {"who": staff.officer2.id},
    ).one()
    path = f"{HOME}/scores/{score_id}/appeal"
    assert browser.post(path, {"grounds": "短"}).status_code == 422
    given = {"grounds": "有一件重启是因为投诉人补充了新的事实"}
    assert browser.post(path, given).status_code == 303
    again = browser.post(path, given)
    assert again.status_code == 409
    assert f"{given['grounds']}</textarea>" in again.text


def test_a_decision_that_is_refused_changes_nothing(ready, web, staff, session):
    browser = web(staff.executive)
    path = f"{HOME}/appeals/{ready['appeal']}/decide"
    data = {"outcome": "upheld", "reason": "该件重启由新事实引起", "leave_out": "case:closed|0"}
    assert browser.post(path, data).status_code == 422
    assert browser.post(path, {"outcome": "upheld", "reason": "短"}).status_code == 422
    state = session.execute(text("SELECT state FROM plugin_scoring_incentive__appeal")).scalar_one()
    assert state == "open"
    data["leave_out"] = "case:not_reopened|0"
    assert browser.post(path, data).status_code == 303
    assert "已决定" in words(browser.get(f"{HOME}/appeals/{ready['appeal']}"))
    again = browser.post(path, data)
    assert again.status_code == 409
    assert "已经办结" in words(again)
    assert f"{data['reason']}</textarea>" in again.text


def test_an_executive_changes_nothing_in_a_published_round(ready, web, staff):
    browser = web(staff.executive)
    for act in ("drop", "sign", "publish", "resume"):
        answer = browser.post(f"{HOME}/rounds/{ready['round']}/{act}", {"reason": "改一改分数"})
        assert answer.status_code == 404
    page = browser.get(f"{HOME}/rounds/{ready['round']}").text
    assert f"rounds/{ready['round']}/" not in page


def test_looking_at_another_s_score_is_in_the_ledger_and_at_one_s_own_is_not(
    ready, web, staff, session
):
    def entries(what):
        query = text("SELECT count(*) FROM ledger_entry WHERE kind = :kind")
        return session.execute(query, {"kind": f"scoring_incentive:{what}"}).scalar_one()

    web(staff.officer).get(f"{HOME}/scores/{ready['score']}")
    assert entries("score_read") == 0
    web(staff.executive).get(f"{HOME}/scores/{ready['score']}")
    assert entries("score_read") == 1
    web(staff.officer).get(f"{HOME}/people/{ready['person']}/file.xlsx")
    web(staff.supervisor).get(f"{HOME}/people/{ready['person']}/file.pdf")
    assert entries("person_exported") == 2


def test_the_explanation_leads_to_every_case_it_rests_on(ready, web, staff, session):
    page = web(staff.officer).get(f"{HOME}/scores/{ready['score']}").text
    numbers = session.execute(
        text("SELECT number FROM case_file WHERE owner_id = :who"), {"who": staff.officer.id}
    ).scalars()
    for number in numbers:
        assert f'href="/t/qinghe/w/cases/{number}"' in page
    for line in ("没有重启或复核的比例", "零分线", "满分线", "约九成把握"):
        assert line in page


def test_a_long_list_is_cut_and_can_be_had_whole(web, staff, switch, published, score_of):
    switch()
    (score,) = score_of(published(n=150), "officer")
    browser = web(staff.officer)
    short = browser.get(f"{HOME}/scores/{score.id}").text
    whole = browser.get(f"{HOME}/scores/{score.id}?all=1").text
    assert "列出全部 75 项" in short
    assert "?all=1" not in whole
    assert whole.count("没有重启") == short.count("没有重启")
    assert whole.count("/w/cases/") > short.count("/w/cases/") >= 60


def test_a_case_in_which_the_reader_is_named_is_not_on_the_page(ready, web, staff, session):
    number = session.execute(
        text(
            "UPDATE case_file SET walled = ARRAY[CAST(:who AS uuid)] WHERE id = (SELECT id FROM"
            " case_file WHERE owner_id = :owner LIMIT 1) RETURNING number"
        ),
        {"who": staff.executive.id, "owner": staff.officer.id},
    ).scalar_one()
    session.commit()
    assert number not in web(staff.executive).get(f"{HOME}/scores/{ready['score']}").text
    assert number in web(staff.approver).get(f"{HOME}/scores/{ready['score']}").text


def test_pages_ask_a_fixed_number_of_times(web, staff, switch, session, queries, tenant):
    switch()
    browser = web(staff.supervisor)
    counts = {}
    for n in (1, 9, 40):
        _fill(session, staff, n)
        for path in ("", "/rounds", "/appeals", "/credits", "/awards", "/formula", "/people"):
            browser.get(HOME + path)
            queries.clear()
            assert browser.get(HOME + path).status_code == 200
            counts.setdefault(path, set()).add(len(queries))
    assert all(len(found) == 1 for found in counts.values()), counts
    assert max(max(found) for found in counts.values()) <= 20, counts


def test_a_round_of_many_people_asks_as_often_as_one_of_few(
    web, staff, switch, session, queries, published, make_actor
):
    switch()
    found = published()
    browser, asked = web(staff.supervisor), set()
    for n in (1, 9, 40):
        for i in range(n):
            session.add(
                Score(round_id=found.id, subject_id=uuid7(), subject_name=f"某{n}{i}",
                      value=50, coverage=100, low=40, high=60)
            )  # fmt: skip
        session.commit()
        browser.get(f"{HOME}/rounds/{found.id}")
        queries.clear()
        assert browser.get(f"{HOME}/rounds/{found.id}").status_code == 200
        asked.add(len(queries))
    assert len(asked) == 1
    assert max(asked) <= 20


def _fill(session, staff, n):
    """Some more rounds and years, put there as rows."""
    formula = session.query(Formula).first()
    if formula is None:
        formula = Formula(
            version=1, state="published", title="公式", body={"terms": [], "coverage": 60.0},
            hash="0", authors=[staff.approver.id], published_by=staff.supervisor.id,
            publisher_name="某", published_at=None,
        )  # fmt: skip
        session.add(formula)
        session.flush()
    begin = session.query(Round).count()
    for i in range(begin, begin + n):
        day = date(2020, 1, 1) + timedelta(days=i)
        session.add(
            Round(title=f"第 {i} 轮", since=day, until=day, formula_id=formula.id, steps=1,
                  opened_by=staff.approver.id, opener_name="某", state="dropped")
        )  # fmt: skip
        session.add(Reward(year=2000 + i, opened_by=staff.executive.id, opener_name="某"))
    session.commit()


# -- programs ------------------------------------------------------------------------------------


def test_a_program_reads_its_own_scores_and_the_rounds(ready, api, staff):
    mine = api(staff.officer).get(f"{API}/me").json()["scores"]
    assert [s["id"] for s in mine] == [str(ready["score"])]
    assert {p["figure"] for p in mine[0]["parts"]} == {t.figure for t in BODY.terms}
    assert api(staff.investigator).get(f"{API}/rounds").json()["rounds"][0]["state"] == "published"
    path = f"{API}/rounds/{ready['round']}"
    assert api(staff.officer).get(path).status_code == 404
    assert len(api(staff.executive).get(path).json()["scores"]) == 5
    assert api(staff.admin).get(f"{API}/me").status_code == 404


def test_a_page_of_a_list_goes_on_where_the_last_ended(web, staff, switch, session, lend):
    switch()
    _fill(session, staff, 45)
    browser, seen, path = web(staff.supervisor), [], "/rounds"
    while path:
        page = browser.get(HOME + path).text
        seen += re.findall(r"第 (\d+) 轮", page)
        more = re.search(r'href="(\?after=[^"]+)"', page)
        path = f"/rounds{more[1]}" if more else ""
    assert sorted(map(int, seen)) == list(range(45))


def test_a_corrected_figure_is_shown_with_what_it_was(ready, web, staff, session):
    browser = web(staff.executive)
    path = f"{HOME}/appeals/{ready['appeal']}"
    assert "更正数值" in words(browser.get(path))
    form = {"outcome": "upheld", "reason": "漏计了两次致谢，已核对",
            "figure": "scoring_incentive:peer_help", "value": "x"}  # fmt: skip
    bad = browser.post(f"{path}/decide", form)
    assert bad.status_code == 422
    assert 'href="#f-value"' in bad.text
    assert browser.post(f"{path}/decide", {**form, "value": "2"}).status_code == 303
    assert "更正为 2" in words(browser.get(path))
    new = session.execute(
        text("SELECT id FROM plugin_scoring_incentive__score WHERE revision = 2")
    ).scalar_one()
    for reader in (staff.executive, staff.officer2):
        page = web(reader).get(f"{HOME}/scores/{new}")
        if page.status_code == 200:
            assert "经申诉决定更正，原为 0" in words(page)
            assert "漏计了两次致谢，已核对" in words(page)
    assert web(staff.executive).get(f"{HOME}/scores/{new}/pdf").status_code == 200
    english = words(browser.get(f"{HOME}/scores/{new}?lang=en"))
    assert "Corrected by an appeal; it was 0" in english
