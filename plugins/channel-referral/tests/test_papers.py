"""Letters by post and visits, taken down by hand."""

import pytest
from sqlalchemy import func, select

from huiyin.sdk import Case, Entry, find_case, today
from huiyin_channel_referral import papers
from huiyin_channel_referral.models import Paper

from .conftest import CASES, DAY, HOME, PDF, STORY, follow, text_of


def typed(actor, **given):
    facts = {
        "_key": "p1", "kind": "visit", "received_at": today().isoformat(),
        "received_by": str(actor.id), "place": "一楼接待室", "visitors": "陈建国\n其子（陪同）",
        "notes": "情绪平稳，出示了合同原件", "story": STORY, "phone": "13900000000",
        "intake_type": "complaint",
    }  # fmt: skip
    return {**facts, **given}


FILES = {
    "files": ("登记表.pdf", PDF, "application/pdf"),
    "signature": ("签字.pdf", PDF, "application/pdf"),
}


def test_a_visit_becomes_a_case_with_its_papers(on, web, actor, session):
    browser = web(actor)
    page = text_of(follow(browser, browser.post(f"{HOME}/papers/new", typed(actor), files=FILES)))
    assert "一楼接待室" in page
    assert "其子（陪同）" in page
    case, row = session.scalars(select(Case)).one(), session.scalars(select(Paper)).one()
    assert (case.channel, case.source, row.joined) == ("visit", "direct", False)
    assert (row.scans[0]["number"], row.signature[0]["number"]) == ("E-01", "E-02")
    assert "已签字" in browser.get(f"{HOME}/papers").text


def test_a_letter_from_a_known_complainant_enters_the_case_in_his_words(
    on, web, actor, session, case
):
    browser = web(actor)
    given = {"kind": "letter", "case": case.number, "story": "补寄流水三页，请一并核对"}
    follow(browser, browser.post(f"{HOME}/papers/new", typed(actor, **given), files=FILES))
    entry = session.scalars(select(Entry).where(Entry.verb == "say")).one()
    assert (entry.body, entry.data) == ("补寄流水三页，请一并核对", {"road": "letter"})
    assert session.scalar(select(func.count()).select_from(Case)) == 1
    assert "信函" in text_of(browser.get(f"{CASES}/{case.number}"))


def test_what_joins_a_case_leaves_something_there(on, web, actor, case):
    sent = typed(actor, case=case.number, story="")
    answer = web(actor).post(f"{HOME}/papers/new", sent, files={"files": ("", b"")})
    assert answer.status_code == 422
    assert 'id="f-story-e"' in answer.text


def test_the_form_sent_twice_is_one_visit(on, web, actor, session):
    browser = web(actor)
    sent = [browser.post(f"{HOME}/papers/new", typed(actor), files=FILES) for _ in range(2)]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    assert session.scalar(select(func.count()).select_from(Paper)) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"place": ""}, "place"),
        ({"visitors": ""}, "visitors"),
        ({"received_by": ""}, "received_by"),
        ({"received_by": "01900000-0000-7000-8000-000000000000"}, "received_by"),
        ({"received_at": (today() + 2 * DAY).isoformat()}, "received_at"),
        ({"received_at": (today() - 50 * DAY).isoformat()}, "late_reason"),
        ({"came_at": "25:00"}, "came_at"),
        ({"case": "TS-1999-0001"}, "case"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(on, web, actor, session, given, field):
    answer = web(actor).post(f"{HOME}/papers/new", typed(actor, **given), files=FILES)
    assert answer.status_code == 422, text_of(answer)
    assert f'id="f-{field}-e"' in answer.text
    assert "出示了合同原件" in answer.text
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_program_is_not_kept_as_a_signature(on, web, actor, session):
    bad = {"signature": ("签字.exe", b"MZ" + b"0" * 100, "application/octet-stream")}
    answer = web(actor).post(f"{HOME}/papers/new", typed(actor), files=bad)
    assert answer.status_code == 422
    assert 'id="f-signature-e"' in answer.text


def test_the_register_goes_on_by_its_key_and_as_a_file(on, web, actor, ctx_of, session):
    browser = web(actor)
    for n in range(3):
        sent = typed(actor, _key=f"p{n}", kind="letter" if n else "visit")
        follow(browser, browser.post(f"{HOME}/papers/new", sent, files=FILES))
    ctx = ctx_of(actor)
    first = papers.listing(ctx, most=2)
    rest = papers.listing(ctx, after=first[-1].row.id)
    assert [len(first), len(rest)] == [2, 1]
    assert [line.row.kind for line in papers.listing(ctx, kind="visit")] == ["visit"]
    csv = browser.get(f"{HOME}/papers/export?as=csv").content.decode("utf-8-sig")
    assert csv.count("一楼接待室") == 3
    assert browser.get(f"{HOME}/papers?after=x").status_code == 404


def test_a_letter_to_a_case_one_is_walled_from_finds_nothing(on, web, actor, session, case):
    find_case(session, actor, case.number).walled = [actor.id]
    session.commit()
    sent = typed(actor, kind="letter", case=case.number)
    answer = web(actor).post(f"{HOME}/papers/new", sent, files=FILES)
    assert answer.status_code == 422
    assert "没有找到这个编号" in answer.text
