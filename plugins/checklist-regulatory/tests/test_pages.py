"""Pages and operations: who gets in, what is not there, off and on again, both languages."""
# long: one table of pages and roles, read by most of the tests below it

import re
import uuid

import pytest
from sqlalchemy import text

from huiyin.sdk import Case, today
from huiyin.testing import database
from huiyin_checklist_regulatory import (
    demo,
    findings,
    packs,
    plugin,
    queries,
    report,
    runs,
    sections,
)
from huiyin_checklist_regulatory.permissions import PERMISSIONS
from huiyin_checklist_regulatory.schemas import ReviewForm, SectionForm
from huiyin_checklist_regulatory.terms import SectionState

API = "/api/v1/p/qinghe/x/checklist-regulatory"
READERS = ("admin", "officer", "investigator", "approver", "supervisor", "executive")
PAGES = ("", "/runs", "/findings", "/sections", "/sections/1", "/packs", "/packs/tiny", "/facts")


@pytest.fixture
def sealed(lend, handed_in):
    ctx = lend("supervisor")
    run = runs.review(ctx, handed_in.id, ReviewForm(decision="seal"))
    findings.raise_rest(ctx, run)
    ctx.session.commit()
    return run


def test_every_reader_sees_every_page(web, people, sealed, switched_on, kit):
    listed = web(people["approver"]).get(f"{kit.HOME}/findings").text
    found = re.search(r"/findings/([0-9a-f-]{36})", listed)[1]
    more = (f"/runs/{sealed.id}", f"/runs/{sealed.id}/items/1", f"/findings/{found}")
    for who in READERS:
        browser = web(people[who])
        for path in (*PAGES, *more):
            answer = browser.get(kit.HOME + path)
            assert answer.status_code == 200, (who, path)
            assert len(answer.content) < 60_000
            assert "style=" not in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_whole_in_both_languages(language, web, people, sealed, switched_on, kit):
    browser = web(people["approver"])
    more = (f"/runs/{sealed.id}", f"/runs/{sealed.id}/items/1", "/runs/new", "/imports")
    for path in (*PAGES, *more):
        page = browser.get(f"{kit.HOME}{path}?lang={language}")
        assert page.status_code == 200
        if language == "en":
            words = kit.text_of(page)
            for name in ("小清单", "第一项", "第二项", "某办法", "三季度自查", "中文"):
                words = words.replace(name, "")
            for actor in people.values():
                words = words.replace(actor.name, "")
            words = re.sub(r"没有制度|缺一份文件|某律师|合规客服部|沈佳宁", "", words)
            assert not re.findall(r"[\u4e00-\u9fff]+", words), path


# What each role may not do: the page answers as if it were not there.
FORBIDDEN = [
    ("officer", "/runs/new", {}),
    ("admin", "/runs/new", {}),
    ("supervisor", "/runs/new", {}),
    ("officer", "/runs/{run}/submit", {}),
    ("officer", "/runs/{run}/review", {"decision": "seal"}),
    ("admin", "/runs/{run}/review", {"decision": "seal"}),
    ("executive", "/runs/{run}/items/1/answer", {"answer": "met"}),
    ("supervisor", "/runs/{run}/items/1/answer", {"answer": "met"}),
    ("officer", "/runs/{run}/items/1/assign", {}),
    ("officer", "/runs/{run}/items/1/finding", {}),
    ("officer", "/packs/tiny/adopt", {"version": "1"}),
    ("supervisor", "/packs/tiny/adopt", {"version": "1"}),
    ("officer", "/packs/tiny/items/1/vouch", {}),
    ("admin", "/packs/tiny/items/1/vouch", {}),
    ("officer", "/facts", {"cn_manager": "yes"}),
    ("officer", "/sections/1", {"state": "missing", "note": "x"}),
    ("executive", "/sections/1", {"state": "missing", "note": "x"}),
]


def test_what_is_not_for_a_role_is_not_there(web, people, handed_in, switched_on, kit):
    browsers = {who: web(people[who]) for who, _, _ in FORBIDDEN}
    for who, path, fields in FORBIDDEN:
        answer = browsers[who].post(kit.HOME + path.format(run=handed_in.id), fields)
        assert answer.status_code == 404, (who, path)


def test_every_permission_is_held_by_somebody_and_titled():
    assert len({p.name for p in PERMISSIONS}) == len(PERMISSIONS) == 9
    assert all(p.roles and p.title for p in PERMISSIONS)


def test_another_firms_things_are_not_there(web, people, sealed, switched_on, elsewhere, kit):
    stranger = web(elsewhere.officer)
    own = "/t/beiyu/w/x/checklist-regulatory"
    for home in (kit.HOME, own):  # the plugin is off for them, and the run is not theirs
        assert stranger.get(f"{home}/runs/{sealed.id}").status_code == 404
    assert web().get(f"{kit.HOME}/runs").status_code == 303


ABSENT = (
    "/runs/{id}", "/runs/{id}/items/1", "/findings/{id}", "/evidence/{id}", "/sections/21",
    "/packs/moon", "/packs/tiny/diff/9", "/runs/{id}/report.pdf", "/imports/{id}/faults",
    "/runs/{run}/items/99",
)  # fmt: skip


def test_what_is_not_there_is_a_404(web, people, handed_in, switched_on, kit):
    browser = web(people["approver"])
    for path in ABSENT:
        where = path.format(id=uuid.uuid4(), run=handed_in.id)
        assert browser.get(kit.HOME + where).status_code == 404, path


# -- forms -------------------------------------------------------------------------------------


BAD = [
    ("approver", "/runs/new", {"title": "", "pack": "tiny", "since": "x", "until": "2026-01-01"}),
    ("approver", "/runs/new", {"title": "很长" * 60, "pack": "tiny", "since": "2026-01-01",
                               "until": "2026-02-01", "sample_size": "9999"}),
    ("approver", "/facts", {"cn_manager": "maybe"}),
    ("approver", "/sections/1", {"state": "running", "record": "", "record_on": ""}),
    ("approver", "/sections/1", {"state": "moon"}),
    ("approver", "/packs/tiny/items/1/vouch", {"kind": "counsel", "person": "", "on": "x"}),
    ("approver", "/runs/{run}/items/1/answer", {"answer": "moon"}),
    ("approver", "/runs/{run}/items/1/answer", {"answer": "not_met", "note": ""}),
    ("approver", "/runs/{run}/items/1/figure", {"figure": "moon:phase"}),
    ("approver", "/runs/{run}/items/1/link", {"number": "TS-1999-0001"}),
    ("approver", "/runs/{run}/submit", {}),
]  # fmt: skip


CODES = {"x", "moon", "maybe", "9999", "running", "counsel", "moon:phase"}


def test_bad_input_is_shown_again_with_what_to_mend(web, people, run, switched_on, kit):
    browsers = {who: web(people[who]) for who, _, _ in BAD}
    for who, path, fields in BAD:
        answer = browsers[who].post(kit.HOME + path.format(run=run.id), fields)
        assert answer.status_code == 422, (path, fields)
        assert 'class="err' in answer.text
        for value in set(fields.values()) - CODES - {""}:
            assert value[:20] in answer.text, (path, value)


def test_a_file_that_is_none_is_refused_and_told(web, people, run, switched_on, kit):
    browser = web(people["approver"])
    where = f"{kit.HOME}/runs/{run.id}/items/1/file"
    assert browser.post(where, {}, files={"files": ("x.exe", b"MZ")}).status_code == 422
    assert browser.post(where, {}, files={"files": ("", b"")}).status_code == 422
    nothing = browser.post(f"{kit.HOME}/imports", {}, files={"files": ("", b"")})
    assert nothing.status_code == 422


def test_a_refused_import_shows_every_fault_and_a_sheet_of_them(
    web, people, switched_on, kit, lend
):
    browser = web(people["admin"])
    bad = kit.tiny().replace(b'item_id = "2"', b'item_id = "1"')
    answer = browser.post(f"{kit.HOME}/imports", {}, files={"files": ("坏.toml", bad)})
    assert answer.status_code == 422
    words = kit.text_of(answer)
    assert "坏.toml" in words
    assert "这一项出现了两次，请合并或改编号" in words
    sheet = re.search(r'href="([^"]+/faults)"', answer.text)[1]
    assert browser.get(sheet).content.startswith(b"PK")
    assert packs.versions(lend("admin")) == []


def test_a_file_that_is_too_large_is_refused(web, people, switched_on, kit):
    big = b"#" * 1_000_001
    answer = web(people["admin"]).post(f"{kit.HOME}/imports", {}, files={"files": ("b.toml", big)})
    assert answer.status_code == 422
    assert "1 MB" in kit.text_of(answer)


# -- off and on again --------------------------------------------------------------------------


def test_off_it_leaves_no_trace_and_on_again_nothing_is_lost(
    web, people, handed_in, switch, kit, api
):
    switch("on")
    browser, program = web(people["supervisor"]), api(people["supervisor"])
    before = kit.text_of(browser.get(f"{kit.HOME}/runs/{handed_in.id}"))
    switch("off")
    for path in (*PAGES, f"/runs/{handed_in.id}", f"/runs/{handed_in.id}/report.pdf"):
        assert browser.get(kit.HOME + path).status_code == 404
    assert browser.post(f"{kit.HOME}/runs/{handed_in.id}/review", {}).status_code == 404
    assert program.get(f"{API}/runs").status_code == 404
    assert "checklist-regulatory" not in browser.get("/t/qinghe/w").text
    assert "checklist" not in browser.get("/t/qinghe/w/help").text
    switch("on")
    assert kit.text_of(browser.get(f"{kit.HOME}/runs/{handed_in.id}")) == before
    answer = browser.post(f"{kit.HOME}/runs/{handed_in.id}/review", {"decision": "seal"})
    assert answer.status_code == 303


def test_the_handbook_explains_it(web, people, switched_on):
    browser = web(people["officer"])
    for topic in ("checks", "sections"):
        page = browser.get(f"/t/qinghe/w/help/checklist_regulatory:{topic}")
        assert page.status_code == 200


# -- the card of a case ------------------------------------------------------------------------


def test_a_case_shows_the_checks_that_drew_it(lend, tiny_pack, cases, kit):
    run = runs.begin(lend("approver"), kit.run_form(sample_size=5), "k")
    lend("approver").session.flush()
    assert run.number in plugin.case_panels(lend("officer"), cases[0]).body
    assert plugin.case_panels(lend("officer"), Case(id=uuid.uuid4())) is None


# -- how much it costs -------------------------------------------------------------------------


LISTS = ("", "/runs", "/findings", "/sections", "/packs")


def test_a_list_costs_the_same_for_one_ten_and_fifty(
    web, people, lend, tiny_pack, switched_on, kit, queries
):
    browser = web(people["approver"])
    costs = {path: [] for path in LISTS}
    made = 0
    for n in (1, 10, 50):
        while made < n:
            made += 1
            one(lend, kit, made)
        lend("approver").session.commit()
        for path in LISTS:
            browser.get(kit.HOME + path)
            queries.clear()
            assert browser.get(kit.HOME + path).status_code == 200
            costs[path].append(len(queries))
    assert all(len(set(counts)) == 1 for counts in costs.values()), costs


def one(lend, kit, n):
    """A run that was handed in, with a finding, and an assessment."""
    ctx = lend("approver")
    run = runs.begin(ctx, kit.run_form(title=f"自查 {n}"), f"k{n}")
    ctx.session.flush()
    kit.say(ctx, run, 1, "not_met", "缺")
    kit.say(ctx, run, 2, "unverified", "缺")
    runs.submit(ctx, run.id)
    findings.raise_rest(ctx, run)
    form = SectionForm(state=SectionState.MISSING, note="缺")
    sections.assess(ctx, n % 20 + 1, form)


def test_lists_are_paged_by_key(web, people, lend, tiny_pack, switched_on, kit):
    for n in range(queries.PAGE + 2):
        one(lend, kit, n)
    lend("approver").session.commit()
    browser = web(people["approver"])
    for path, word in (("/runs", "ZC-"), ("/findings", "WT-")):
        first = browser.get(kit.HOME + path).text
        numbers = set(re.findall(rf"{word}\d+-\d+", first))
        assert len(numbers) == queries.PAGE
        more = re.search(r'href="(\?[^"]*after=[^"]+)"', first)[1].replace("&amp;", "&")
        rest = browser.get(kit.HOME + path + more).text
        assert len(set(re.findall(rf"{word}\d+-\d+", rest)) - numbers) == 2
        assert browser.get(f"{kit.HOME}{path}?after=nonsense").status_code == 200


# -- programs ----------------------------------------------------------------------------------


def test_programs_read_runs_findings_and_the_strip(api, people, sealed, switched_on):
    program = api(people["supervisor"])
    (listed,) = program.get(f"{API}/runs").json()["runs"]
    assert (listed["number"], listed["state"], listed["seal"]) == (
        sealed.number, "sealed", sealed.seal,
    )  # fmt: skip
    whole = program.get(f"{API}/runs/{sealed.id}").json()
    assert [item["verdict"] for item in whole["items"]] == ["待核实", ""]
    assert whole["items"][0]["note"] == "没有制度"
    quiet = api(people["executive"]).get(f"{API}/runs/{sealed.id}").json()
    assert quiet["items"][0]["note"] == ""
    (found,) = program.get(f"{API}/findings").json()["findings"]
    assert found["severity"] == "S3"
    assert program.get(f"{API}/sections").json()["tally"]["unassessed"] == 20


def test_programs_begin_answer_and_assess_by_the_same_rules(api, people, tiny_pack, switched_on):
    program = api(people["approver"])
    body = {
        "title": "自查",
        "pack": "tiny",
        "since": today().isoformat(),
        "until": today().isoformat(),
    }
    head = {"Idempotency-Key": "one"}
    first = program.ask("POST", f"{API}/runs", json=body, headers=head)
    again = program.ask("POST", f"{API}/runs", json=body, headers=head)
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    where = f"{API}/runs/{first.json()['id']}/items/1/answer"
    assert program.ask("POST", where, json={"answer": "not_met"}).status_code == 422
    done = program.ask("POST", where, json={"answer": "not_met", "note": "缺"})
    assert done.json()["answer"] == "not_met"
    assert api(people["officer"]).ask("POST", where, json={"answer": "met"}).status_code == 403
    put = f"{API}/sections/3"
    bad = program.ask("PUT", put, json={"state": "running", "record": "x"})
    assert "record_on" in bad.json()["fields"]
    good = {"state": "running", "record": "纪要", "record_on": today().isoformat()}
    assert program.ask("PUT", put, json=good).json()["tally"]["running"] == 1
    assert program.ask("POST", f"{API}/runs", content=b"title=x").status_code == 422
    assert program.ask(
        "POST", f"{API}/runs", content=b"[1", headers={"Content-Type": "application/json"}
    ).status_code == 422  # fmt: skip


def test_a_program_without_the_permission_finds_nothing(api, people, switched_on):
    program = api(people["executive"])
    body = {"title": "x", "pack": "tiny", "since": "2026-01-01", "until": "2026-01-02"}
    assert program.ask("POST", f"{API}/runs", json=body).status_code == 404


# -- the ledger, the demonstration, the tables -------------------------------------------------


def test_every_step_is_in_the_book_without_what_people_wrote(session, sealed):
    entries = session.execute(
        text("SELECT kind, convert_from(doc, 'UTF8') FROM ledger_entry ORDER BY seq")
    ).all()
    kinds = [kind.partition(":")[2] for kind, _ in entries if kind.startswith("checklist")]
    wanted = (
        "pack_imported pack_adopted run_begun item_assigned item_assigned item_answered"
        " item_answered run_submitted run_sealed finding_raised"
    )
    assert kinds == wanted.split()
    docs = " ".join(doc for _, doc in entries)
    assert "没有制度" not in docs
    assert sealed.seal in docs


def test_the_demonstration_fills_every_page(lend, people, cases, make_actor, session):
    demo.fill(lend("admin"))
    session.commit()
    ctx = lend("supervisor")
    found = queries.runs(ctx)
    assert [run.state for run in found] == ["open", "sealed"]
    assert {f.state for f in queries.findings(ctx)} == {"open", "closed"}
    tally = sections.tally(sections.strip(ctx))
    assert all(tally[state] for state in SectionState)
    assert packs.shelf(ctx, "firm-own").newer is not None
    assert report.report_of(ctx, found[1]).progress.not_met == 3


def test_a_firm_with_too_few_people_is_left_as_it_is(lend, session, people):
    session.execute(text("UPDATE membership SET active = false WHERE 'supervisor' = ANY (roles)"))
    demo.fill(lend("admin"))
    assert queries.runs(lend("admin")) == []


def test_its_tables_go_and_come_back(postgres):
    assert (
        database.there_and_back(postgres, "checklist_regulatory", "huiyin_checklist_regulatory")
        == []
    )


def test_the_second_of_two_answers_is_told_and_keeps_what_was_typed(
    web, people, run, switched_on, kit
):
    where = f"{kit.HOME}/runs/{run.id}/items/1/answer"
    first = {"answer": "unverified", "note": "甲写的", "seen": "1"}
    assert web(people["approver"]).post(where, first).status_code == 303
    late = {"answer": "not_met", "note": "乙写的理由", "seen": "1"}
    answer = web(people["approver2"]).post(where, late)
    assert answer.status_code == 409
    words = kit.text_of(answer)
    assert "刚被其他人更新" in words
    assert "乙写的理由</textarea>" in answer.text
    assert "其他人已保存为：</span>甲写的" in answer.text
    assert 'name="seen" value="2"' in answer.text
    assert web(people["approver2"]).post(where, {**late, "seen": "2"}).status_code == 303


def test_what_is_written_for_a_run_that_was_handed_in_stands_to_be_copied(
    web, people, handed_in, switched_on, kit
):
    where = f"{kit.HOME}/runs/{handed_in.id}/items/1/answer"
    answer = web(people["approver"]).post(where, {"answer": "not_met", "note": "迟到的理由"})
    assert answer.status_code == 409
    assert "迟到的理由</textarea>" in answer.text.split('id="kept-h"')[1]


def test_a_reason_to_reopen_what_is_open_is_not_lost(web, people, sealed, switched_on, kit):
    listed = web(people["approver"]).get(f"{kit.HOME}/findings").text
    found = re.search(r"/findings/([0-9a-f-]{36})", listed)[1]
    where = f"{kit.HOME}/findings/{found}/reopen"
    answer = web(people["approver"]).post(where, {"note": "发现同样的问题又出现了"})
    assert answer.status_code in {403, 409}
    assert "发现同样的问题又出现了</textarea>" in answer.text


def test_another_firm_that_has_it_on_too_sees_nothing_of_ours(
    web, sealed, elsewhere, make_actor, kit
):
    admin = make_actor("tenant_admin", of=elsewhere.tenant)
    turned = web(admin).post("/t/beiyu/admin/plugins/checklist_regulatory/switch", {"to": "on"})
    assert turned.status_code == 303
    own = "/t/beiyu/w/x/checklist-regulatory"
    browser = web(elsewhere.officer)
    for path in ("", "/runs", "/findings", "/packs", "/sections"):
        page = browser.get(own + path)
        assert page.status_code == 200
        assert not re.search(r"ZC-\d|WT-\d|tiny", page.text)
    for path in (f"/runs/{sealed.id}", f"/runs/{sealed.id}/report.xlsx", "/packs/tiny"):
        assert browser.get(own + path).status_code == 404
