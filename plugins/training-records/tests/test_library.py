"""The library of regulations, and consultations."""

import re
from datetime import date

import pytest
from sqlalchemy import text

from huiyin.sdk import Conflict, Invalid, Refused
from huiyin_training_records import consulting, library, seeding
from huiyin_training_records.schemas import (
    ConsultForm,
    EditionForm,
    InstrumentForm,
    ReplyForm,
    TickForm,
)

from .conftest import HOME, follow, text_of

SOURCE = "官网公布文本，2026-11-20 下载"


@pytest.fixture
def library_of(ctx_of, session):
    ctx = ctx_of()
    seeding.sow(ctx)
    session.commit()
    return ctx


@pytest.fixture
def edition(library_of):
    return library.editions(library_of, library.find(library_of, "C09"))[0].edition


def keys(ctx, **asked):
    return [shown.instrument.key for shown in library.search(ctx, **asked)]


def test_sowing_twice_changes_nothing(library_of):
    assert seeding.sow(library_of) == 0


def seen(page):
    found = re.search(r'name="seen" value="(\w+)"', page.text)
    assert found
    return found[1]


def test_notes_a_colleague_saved_first_are_not_written_over_unseen(
    switched_on, library_of, web, admin, make_actor
):
    path = f"{HOME}/library/C09"
    before = seen(web(admin).get(path))
    colleague = web(make_actor("tenant_admin"))
    follow(colleague, colleague.post(f"{path}/notes", {"seen": before, "notes": "同事写的备注"}))
    page = web(admin).post(f"{path}/notes", {"seen": before, "notes": "我写的备注"})
    assert page.status_code == 409
    assert "备注刚被其他人修改" in page.text
    assert "我写的备注" in page.text
    assert "同事写的备注" in page.text
    again = web(admin).post(f"{path}/notes", {"seen": seen(page), "notes": "两人的备注"})
    assert "两人的备注" in text_of(follow(web(admin), again))
    nothing = web(admin).post(f"{path}/notes", {"notes": ""})
    assert nothing.status_code == 409


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("投诉", "C10"),
        ("举证", "C09"),
        ("冷静", "C07"),
        ("〔2022〕45", "C13"),
        ("适当 管理办法", "C09"),
    ],
)
def test_two_characters_find_it(library_of, words, found):
    assert found in keys(library_of, words=words)


@pytest.mark.parametrize("words", ["%", "_", "\\", "没有这样的词", "' OR 1=1 --"])
def test_signs_of_the_database_find_nothing(library_of, words):
    assert keys(library_of, words=words) == []


def test_filters_narrow_and_the_list_goes_on_by_key(library_of):
    assert set(keys(library_of, force="L")) >= {"C02", "P01"}
    assert "C16" not in keys(library_of, scope="binds")
    every = keys(library_of)
    assert keys(library_of, after=every[9])[0] == every[10]


def test_everything_is_to_be_verified_until_somebody_who_did_not_enter_it_ticks(
    switched_on, library_of, edition, web, approver, admin, learner, session
):
    path = f"{HOME}/library/C09"
    assert "待核实" in text_of(web(learner).get(path))
    tick = f"{path}/editions/{edition.id}/tick"
    for person in (admin, learner):
        assert web(person).post(tick, {"source": SOURCE}).status_code == 404
    assert web(approver).post(tick, {"source": "短"}).status_code == 422
    page = text_of(follow(web(approver), web(approver).post(tick, {"source": SOURCE})))
    assert "已核对" in page
    assert SOURCE in page


def test_whoever_entered_it_does_not_tick_it_and_a_change_takes_the_tick_away(
    library_of, edition, ctx_of, approver, admin, session
):
    instrument = library.find(library_of, "C09")
    form = EditionForm(label="2022 年修改", effective_from=date(2017, 7, 1), confidence="K")
    library.tick(ctx_of(approver), instrument, edition, TickForm(source=SOURCE))
    library.change_edition(ctx_of(approver), instrument, edition, form, edition.rev)
    assert edition.ticked_by is None
    with pytest.raises(Refused):
        library.tick(ctx_of(approver), instrument, edition, TickForm(source=SOURCE))
    with pytest.raises(Conflict):
        library.change_edition(ctx_of(admin), instrument, edition, form, 1)


def test_an_edition_a_colleague_saved_first_keeps_what_was_typed(
    switched_on, library_of, edition, web, admin, make_actor
):
    path = f"{HOME}/library/C09/editions/{edition.id}/edit"
    form = {"label": "2022 年修改", "confidence": "K", "rev": str(edition.rev)}
    theirs = {**form, "source": "同事写的来源，官网文本", "confidence": "V"}
    follow(web(make_actor("tenant_admin")), web(admin).post(path, theirs))
    page = web(admin).post(path, {**form, "source": "我写的来源，公报文本"})
    assert page.status_code == 409
    assert 'value="我写的来源，公报文本"' in page.text
    said = text_of(page)
    assert "请核对后重新保存" in said
    assert "其他人已保存为：</span>同事写的来源，官网文本" in page.text
    assert "其他人已保存为：</span>V" not in page.text  # the choice in words, not its code
    newest = re.search(r'name="rev" value="(\d+)"', page.text)[1]
    follow(web(admin), web(admin).post(path, {**form, "rev": newest}))


@pytest.mark.parametrize(
    ("begin", "end", "clear"),
    [
        (date(2023, 1, 1), None, False), (date(2022, 12, 31), date(2023, 1, 1), False),
        (date(2019, 1, 1), date(2022, 12, 31), True), (date(2025, 1, 1), date(2026, 1, 1), False),
        (None, None, True),
    ],
)  # fmt: skip
def test_two_editions_never_hold_on_the_same_day(ctx_of, admin, session, begin, end, clear):
    ctx = ctx_of(admin)
    first = EditionForm(label="第一版", effective_from=date(2023, 1, 1))
    form = InstrumentForm(key="X-1", title="本公司适当性制度", force="INT", scope="binds")
    instrument = library.enter(ctx, form, first)
    second = EditionForm(label="第二版", effective_from=begin, effective_to=end)
    if clear:
        library.add_edition(ctx, instrument, second)
    else:
        with pytest.raises(Invalid) as refused:
            library.add_edition(ctx, instrument, second)
        assert "effective_from" in refused.value.fields


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"key": "C09"}, "key"), ({"key": "有空格 1"}, "key"), ({"title": ""}, "title"),
        ({"force": "XX"}, "force"), ({"effective_from": "昨天"}, "effective_from"),
        ({"effective_to": "2024-01-01"}, "effective_from"), ({"label": ""}, "label"),
        ({"articles": "一\n" * 61}, "articles"), ({"ticked_by": "x"}, "ticked_by"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_with_what_was_typed(
    switched_on, library_of, web, admin, wrong, field
):
    good = {
        "key": "X-2", "title": "某项新规的名称", "force": "DR", "scope": "binds", "label": "首版",
        "confidence": "U", "articles": "第三条｜从业人员培训",
    }  # fmt: skip
    answer = web(admin).post(f"{HOME}/library/new", {**good, **wrong})
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert "从业人员培训" in answer.text or "articles" in wrong


def test_a_case_is_linked_and_told_only_to_those_who_may_know_of_it(
    switched_on, library_of, web, actor, learner, make_actor, case_of, session
):
    case, stranger = case_of(learner), make_actor("investigator")
    form = {"number": case.number, "article": "第 34 条"}
    path = f"{HOME}/library/C09"
    assert web(stranger).post(f"{path}/link", form).status_code == 422
    follow(web(learner), web(learner).post(f"{path}/link", form))
    follow(web(learner), web(learner).post(f"{path}/link", form))
    assert case.number in text_of(web(actor).get(path))
    assert case.number not in text_of(web(stranger).get(path))
    case.walled = [actor.id]
    session.commit()
    assert case.number not in text_of(web(actor).get(path))
    n = session.execute(text("SELECT count(*) FROM plugin_training_records__case_link")).scalar()
    assert n == 1


# -- consultations -----------------------------------------------------------------------------

SECRET = "仲裁证据如何保全"


@pytest.fixture
def privileged(ctx_of, actor, approver, session):
    form = ConsultForm(
        subject=SECRET, question="请指导证据保全的范围与方式。", privileged=True,
        people=(approver.id,),
    )  # fmt: skip
    row = consulting.ask(ctx_of(actor), form)
    session.commit()
    return row


def test_a_privileged_one_is_there_only_for_those_named(
    switched_on, privileged, web, actor, approver, admin, supervisor, learner
):
    path = f"{HOME}/consultations/{privileged.id}"
    for person in (actor, approver):
        assert SECRET in web(person).get(path).text
        assert SECRET in web(person).get(f"{HOME}/consultations?q=仲裁").text
    unknown = f"{HOME}/consultations/01900000-0000-7000-8000-000000000000"
    for person in (admin, supervisor, learner):
        browser = web(person)
        assert browser.get(path).status_code == 404
        assert browser.get(path).text.replace(path, "") == browser.get(unknown).text.replace(
            unknown, ""
        )
        for act in ("reply", "share", "close"):
            data = {"body": "我也想看", "people": str(person.id)}
            assert browser.post(f"{path}/{act}", data).status_code == 404
        listed = browser.get(f"{HOME}/consultations")
        assert SECRET not in listed.text
        assert "还没有咨询" in listed.text
        assert SECRET not in browser.get(f"{HOME}/consultations?q=仲裁").text


def test_only_one_who_is_named_names_others(switched_on, privileged, web, actor, learner):
    path = f"{HOME}/consultations/{privileged.id}"
    follow(web(actor), web(actor).post(f"{path}/share", {"people": [str(learner.id)]}))
    assert SECRET in web(learner).get(path).text


def test_reading_a_privileged_one_stands_in_the_ledger(
    switched_on, privileged, web, approver, session
):
    web(approver).get(f"{HOME}/consultations/{privileged.id}")
    kinds = session.execute(text("SELECT kind FROM ledger_entry ORDER BY seq")).scalars().all()
    assert kinds[-1] == "training_records:consultation_read"


def test_an_ordinary_one_is_answered_and_closed(switched_on, ctx_of, actor, web, session):
    form = ConsultForm(subject="代销材料的责任划分", question="答复时应说明到什么程度。")
    row = consulting.ask(ctx_of(actor), form)
    session.commit()
    browser, path = web(actor), f"{HOME}/consultations/{row.id}"
    data = {"body": "先说明材料来源", "of_expert": "on"}
    assert "已答复" in text_of(follow(browser, browser.post(f"{path}/reply", data)))
    follow(browser, browser.post(f"{path}/close"))
    page = browser.post(f"{path}/reply", data)
    assert page.status_code == 409
    assert "已办结，需要时请另行提出" in page.text
    assert "先说明材料来源</textarea>" in page.text.split('id="kept-h"')[1]
    session.expire_all()
    with pytest.raises(Conflict):
        consulting.reply(
            ctx_of(actor), consulting.find(ctx_of(actor), row.id), ReplyForm(body="再问")
        )
