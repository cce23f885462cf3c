"""Several cases at once from a list, and the palette of commands."""

import re
from html import unescape

import pytest

from huiyin.cases import subjects
from huiyin.cases.change import find
from huiyin.cases.filing import Filing, file_complaint
from huiyin.cases.schemas import SubjectForm

ADDRESS = "/t/qinghe/w/bulk/assign"


@pytest.fixture
def numbers(session, actor):
    made = [
        file_complaint(
            session, actor,
            Filing(
                channel="phone", idem_key=str(i), story=f"第 {i} 笔赎回款没有到账",
                phone="13800000000",
            ),
        ).number
        for i in range(3)
    ]  # fmt: skip
    session.commit()
    return made


@pytest.fixture
def colleague(make_actor):
    return make_actor("complaint_officer", name="许知安")


@pytest.fixture
def pick(session, actor):
    def of(*numbers):
        return [f"{number}~{find(session, actor, number).version}" for number in numbers]

    return of


def owners(session, actor, numbers):
    session.rollback()
    return [find(session, actor, number).owner_id for number in numbers]


def words(answer):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_all_that_were_ticked_are_handed_over(session, web, actor, numbers, colleague, pick):
    browser = web(actor)
    page = browser.get("/t/qinghe/w").text
    for picked in pick(*numbers):
        assert f'name="pick" value="{picked}"' in page
    sheet = browser.get(f"{ADDRESS}?pick={pick(numbers[0])[0]}&pick={pick(numbers[1])[0]}")
    assert all(number in words(sheet) for number in numbers[:2])
    sent = {"pick": pick(*numbers), "part": "owner", "account_id": str(colleague.id)}
    assert browser.post(ADDRESS, sent).status_code == 303
    assert owners(session, actor, numbers) == [colleague.id] * 3


def test_each_refusal_is_told_and_stays_picked_while_the_others_are_done(
    session, web, actor, numbers, colleague, pick
):
    walled, stale, fine = numbers
    form = SubjectForm(account_id=colleague.id, reason="被投诉的经办人")
    subjects.name_subject(session, actor, walled, form, rev=find(session, actor, walled).version)
    session.commit()
    sent = {
        "pick": [*pick(walled, fine), f"{stale}~999", "TS-2026-9999~1"],
        "part": "owner", "account_id": str(colleague.id),
    }  # fmt: skip
    answer = web(actor).post(ADDRESS, sent)
    said = words(answer)
    assert answer.status_code == 200
    assert "已转交 1 件，3 件未办，原因见下" in said
    assert "此人须回避本案" in said
    kept = re.findall(r'name="pick" value="([^"]+)"', answer.text)
    assert sorted(k.split("~")[0] for k in kept) == sorted([walled, stale, "TS-2026-9999"])
    assert owners(session, actor, [fine]) == [colleague.id]
    assert colleague.id not in owners(session, actor, [walled, stale])


@pytest.mark.parametrize(
    "changes",
    [
        {"pick": []},
        {"pick": ["TS-2026-0001"]},
        {"pick": [f"TS-2026-{n:04}~1" for n in range(1, 52)]},
        {"part": "approver"},
        {"account_id": "nobody"},
    ],
    ids=["none", "no version", "fifty-one", "part", "person"],
)
def test_what_cannot_be_is_said_at_its_field(web, actor, numbers, colleague, pick, changes):
    sent = {"pick": pick(*numbers), "part": "owner", "account_id": str(colleague.id), **changes}
    assert web(actor).post(ADDRESS, sent).status_code == 422


def test_without_a_tick_there_is_nothing_to_confirm(web, actor, tenant):
    page = web(actor).get(ADDRESS)
    assert "请先在列表中勾选案件" in words(page)
    assert "确认转交" not in words(page)


def test_an_investigator_hands_nothing_over(web, make_actor, numbers):
    person = web(make_actor("investigator"))
    assert person.get(ADDRESS).status_code == 404
    assert 'name="pick"' not in person.get("/t/qinghe/w").text


# -- the palette ------------------------------------------------------------------------------


def test_the_palette_finds_cases_pages_and_time_limits(web, actor, numbers):
    browser = web(actor)
    assert numbers[0] in words(browser.get(f"/t/qinghe/w/go?q={numbers[0]}"))
    assert "赎回款没有到账" in words(browser.get("/t/qinghe/w/go?q=到账"))
    assert 'href="/t/qinghe/w/archive"' in browser.get("/t/qinghe/w/go?q=投诉档案").text
    assert 'href="/t/qinghe/w/library"' in browser.get("/t/qinghe/w/go?q=书面答复").text
    assert "没有找到" in words(browser.get("/t/qinghe/w/go?q=查无此事"))


def test_on_a_case_it_offers_what_may_be_done_there(web, actor, numbers, make_actor):
    at = f"/t/qinghe/w/go?at=/t/qinghe/w/cases/{numbers[0]}"
    assert f'href="/t/qinghe/w/cases/{numbers[0]}/assign"' in web(actor).get(at).text
    viewer = web(make_actor("executive_viewer"))
    page = viewer.get(at).text
    assert f"/cases/{numbers[0]}/assign" not in page
    assert numbers[0] not in viewer.get(f"/t/qinghe/w/go?q={numbers[0][:7]}").text.split("<main")[1]


def test_where_it_was_called_from_leads_nowhere_else(web, actor, tenant):
    page = web(actor).get("/t/qinghe/w/go?at=//evil.test/")
    assert "evil.test" not in re.findall(r'href="([^"]+)"', page.text.split("<main")[1])[0]


def test_the_palette_costs_the_same_for_any_number_of_cases(web, actor, numbers, queries):
    browser = web(actor)
    counts = []
    for words_ in ("到账", "ts-2026"):
        asked = []
        for _ in range(3):
            queries.clear()
            browser.get(f"/t/qinghe/w/go?q={words_}")
            asked.append(len(queries))
        counts.append(min(asked))
    assert len(set(counts)) == 1
    assert counts[0] <= 5
