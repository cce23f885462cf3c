"""From a pack to a report, through the pages, each step by whoever may take it."""

import io
import re
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from huiyin.sdk import today

pytestmark = pytest.mark.usefixtures("switched_on")


def test_a_check_goes_from_the_pack_to_the_closed_finding_and_the_report(web, people, cases, kit):
    HOME, text_of, follow = kit.HOME, kit.text_of, kit.follow  # noqa: N806
    approver, officer, investigator, supervisor, admin = (
        web(people[who]) for who in ("approver", "officer", "investigator", "supervisor", "admin")
    )
    # the administrator answers the facts and brings a pack in, the approver takes it into use
    follow(admin, admin.post(f"{HOME}/facts", {"cn_manager": "yes", "uncustodied_funds": "no"}))
    sent = {"files": ("tiny.toml", kit.tiny())}
    follow(admin, admin.post(f"{HOME}/imports", {}, files=sent))
    page = follow(approver, approver.post(f"{HOME}/packs/tiny/adopt", {"version": "1"}))
    assert "已启用" in page.text

    # a run with a sample, and the same form sent twice is one run
    form = {
        "title": "三季度自查", "pack": "tiny", "kind": "period",
        "since": (today() - timedelta(days=60)).isoformat(),
        "until": today().isoformat(), "sample_size": "3", "seed": "seed-1",
        "assignee": str(people["officer"].id), "_key": "once",
    }  # fmt: skip
    first = approver.post(f"{HOME}/runs/new", form)
    again = approver.post(f"{HOME}/runs/new", form)
    assert first.headers["location"] == again.headers["location"]
    run = first.headers["location"]

    # the officer answers with live evidence
    item = f"{run}/items/1"
    page = follow(officer, officer.post(f"{item}/figure", {"figure": "case:answered_in_time"}))
    assert "按时书面答复" in text_of(page)
    follow(officer, officer.post(f"{item}/link", {"number": cases[0].number}))
    follow(officer, officer.post(f"{item}/file", {}, files={"files": ("制度.pdf", b"%PDF-1.7 x")}))
    follow(officer, officer.post(f"{item}/answer", {"answer": "not_met", "note": "没有制度"}))
    follow(officer, officer.post(f"{run}/items/2/answer", {"answer": "unverified", "note": "再看"}))
    case_id = re.search(rf"{run}/sample/([0-9a-f-]+)", officer.get(run).text)[1]
    follow(officer, officer.post(f"{run}/sample/{case_id}", {"result": "issue", "note": "漏回访"}))

    # handed in, reviewed by somebody else, sealed
    follow(approver, approver.post(f"{run}/submit"))
    refused = approver.post(f"{run}/review", {"decision": "seal"})
    assert refused.status_code == 403
    page = follow(supervisor, supervisor.post(f"{run}/review", {"decision": "seal"}))
    assert "校验一致" in page.text
    words = text_of(page)
    assert "待核实" in words
    assert "违规" not in words

    # the finding that came of it, an action, a test by another, closed by another
    finding = re.search(rf'href="({HOME}/findings/[0-9a-f-]+)"', page.text)[1]
    plan = {"title": "补齐制度", "owner": str(people["investigator"].id), "workdays": "10"}
    page = follow(supervisor, supervisor.post(f"{finding}/actions", {**plan, "_key": "a1"}))
    action = re.search(r'id="action-([0-9a-f-]+)"', page.text)[1]
    done = investigator.post(f"{HOME}/actions/{action}/done", {"proof": "制度已发布"})
    follow(investigator, done)
    own = investigator.post(f"{HOME}/actions/{action}/test", {"result": "pass", "note": "好"})
    assert own.status_code == 403
    passed = supervisor.post(f"{HOME}/actions/{action}/test", {"result": "pass", "note": "已看"})
    follow(supervisor, passed)
    page = follow(supervisor, supervisor.post(f"{finding}/close", {"note": "下季度再抽查"}))
    assert "已关闭" in page.text

    # on paper and as a workbook
    pdf = supervisor.get(f"{run}/report.pdf")
    assert pdf.content.startswith(b"%PDF")
    book = load_workbook(io.BytesIO(supervisor.get(f"{run}/report.xlsx").content))
    assert "没有制度" in str([[c.value for c in row] for row in book["检查结果"]])
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
